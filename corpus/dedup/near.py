"""Stage `dedup`: exact and near duplicates by MinHash-LSH, in four phases over files.

    sign     one shard of documents          -> its signatures    (texts are read here, and only here)
    group    one bucket of all signatures    -> its edges
    resolve  all edges, all signatures       -> marks, one file a shard; runs once
    mark     one shard and its marks         -> the same rows with `cluster_size`, `drop`, `drop_detail`

Every phase is a pure function from files to files; sign, group and mark run in any order on any machine. The
kernels seek in work files: those in an object store are copied first. `rust_ext/crates/dedup/src/format.rs`
says what lies in them.

Of a cluster the document with the most words is kept; of several such the one of the earliest shard, and
there of the earliest row. `exact_duplicate` is said where the text equals the kept one's (normalised, see
`corpus.dedup.exact`), `near_duplicate` of all others of the cluster.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus import storage, table
from corpus.documents import PARQUET_ENDINGS, read_documents
from corpus.errors import ShardError, StageError, one_line
from corpus.inputs import Input
from corpus.judging import BATCH_ROWS, map_documents
from corpus.stage import Phase, Task, local_copies, local_copy
from corpus.writing import Output
from rust_ext import DedupSigner, dedup_group, dedup_resolve
from rust_ext.arrow import text_buffers

#: Rows read at a time while signing: 1,024 texts of 100 kB are 100 MB.
SIGN_ROWS: Final = 1024
_MARKS_MAGIC: Final = b"bukvmrk1"
_KEPT: Final = 0
_REASONS: Final = {1: "exact_duplicate", 2: "near_duplicate"}
_ID: Final = 16
#: Documents from which positions need eight bytes.
_WIDE: Final = 2**32 - 1
#: Memory of a task beside what `estimate` counts: the interpreter, and the batch of texts that is read.
_BESIDE: Final = 300 << 20
#: The kernels' least sizes: records of a bucket and bytes of a piece (group.rs), ids looked up (resolve.rs).
_LEAST_ROOM: Final = 1 << 12
_PIECE: Final = 1 << 20
_LOOKUPS: Final = 1 << 18


def _help(text: str) -> dict[str, str]:
    return {"help": text}


@dataclass(frozen=True)
class Dedup:
    """Drop exact and near duplicates (MinHash-LSH), keeping one document of each cluster."""

    name: ClassVar[str] = "dedup"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("doc_id", "text")
    adds: ClassVar[pa.Schema] = pa.schema([pa.field("cluster_size", pa.int32())])

    reasons: ClassVar[Mapping[str, str]] = {
        "exact_duplicate": "same text as another document",
        "near_duplicate": "nearly the same text as another document",
    }

    # 14 x 8 and five words: FineWeb and FineWeb-2, whose cluster sizes ours are then comparable with.
    bands: int = field(
        default=14, metadata=_help("LSH bands: two documents are linked when all rows of one band are equal")
    )
    rows: int = field(default=8, metadata=_help("MinHash values in a band"))
    ngram: int = field(default=5, metadata=_help("words in a shingle"))
    threshold: float = field(
        default=0.0,
        metadata=_help(
            "Jaccard similarity to aim at: bands and rows are then chosen to fit it, within bands * rows "
            "values (0 = take bands and rows as given)"
        ),
    )
    verify: float = field(
        default=0.0,
        metadata=_help("least similarity of two linked documents, estimated from whole signatures (0 = off)"),
    )
    exact_only: bool = field(default=False, metadata=_help("find exact duplicates only"))
    seed: int = field(default=1, metadata=_help("seed of the MinHash functions"))
    buckets: int = field(
        default=16,
        metadata=_help("parts into which the hashes are split; one part at a time has to fit in memory"),
    )
    memory_gb: float = field(
        default=4.0,
        metadata=_help("memory in GB that one task may take: the hashes are split so that they fit"),
    )

    def __post_init__(self) -> None:
        _check(self.bands >= 1 and self.rows >= 1, "bands and rows must be at least 1")
        _check(self.bands * self.rows <= 4096, "bands * rows must not pass 4096")
        _check(1 <= self.ngram <= 4096, "ngram must lie in 1..4096")
        _check(0.0 <= self.threshold < 1.0, "threshold must lie in 0..1 (0 = off), below 1")
        _check(0.0 <= self.verify <= 1.0, "verify must lie in 0..1 (0 = off)")
        _check(
            not (self.exact_only and self.verify), "verify compares near duplicates: drop exact_only or it"
        )
        _check(0 <= self.seed < 2**64, "seed must lie in 0..2**64 - 1")
        _check(1 <= self.buckets <= 65536, "buckets must lie in 1..65536")

    @property
    def banding(self) -> tuple[int, int]:
        """Bands and rows in use; no bands with `exact_only`."""
        if self.exact_only:
            return 0, self.rows
        if not self.threshold:
            return self.bands, self.rows
        return best_banding(self.threshold, self.bands * self.rows)

    def check(self, inputs: Sequence[Input], columns: Collection[str]) -> None:
        """Any documents will do."""

    def phases(self, inputs: Sequence[Input]) -> tuple[Phase, ...]:
        """sign each input; group each bucket; resolve once; mark each input."""
        documents = sum(_rows(source) for source in inputs)
        fitted = fit_buckets(self, documents, len(inputs), int(self.memory_gb * 1e9))
        costs = estimate(fitted, documents, len(inputs))
        memory = {phase: cost.memory + _BESIDE for phase, cost in costs.items()}
        buckets = fitted.buckets
        return (
            Phase("sign", memory=memory["sign"], options=(("buckets", buckets),)),
            Phase("group", fan=buckets, inputs=False, reads=("sign",), memory=memory["group"]),
            Phase("resolve", fan=1, inputs=False, reads=("sign", "group"), memory=memory["resolve"]),
            Phase("mark", reads=("resolve",), documents=True, memory=memory["mark"]),
        )

    def run(self, task: Task, out: Output) -> None:
        """Do a task of any phase."""
        match task.phase.name:
            case "sign":
                fitted = replace(self, buckets=task.options["buckets"])
                with out.work() as path:
                    sign_tables(fitted, _texts(task.inputs[0], out), path)
            case "group":
                signs = local_copies(task.files("sign"), out)
                with out.work() as path:
                    group_bucket(self, task.number, signs, path)
            case "resolve":
                signs = local_copies(task.files("sign"), out)
                edges = local_copies(task.files("group"), out)
                with ExitStack() as files:
                    marks = [files.enter_context(out.work(name)) for name in task.reads["sign"]]
                    resolve(signs, edges, marks)
            case "mark":
                marked = local_copy(task.files("resolve", task.name)[0], out)
                map_documents(mark_table(marked), self.adds, task.inputs[0], out)


def _texts(source: Input, out: Output) -> Iterator[pa.Table]:
    for batch in read_documents(source, BATCH_ROWS, text_only=True, progress=out.progress):
        if table.DROP in batch.column_names:
            yield batch.filter(pc.is_null(batch.column(table.DROP)))
        else:
            yield batch


def _rows(source: Input) -> int:
    """Documents of an input; of JSONL, whose rows can't be known without reading, one per kB of the file."""
    return source.rows if source.rows is not None else source.size // 1000 + 1


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)


@functools.cache
def best_banding(threshold: float, values: int) -> tuple[int, int]:
    """Bands and rows, at most `values` in product, whose false positives and false negatives around a
    Jaccard similarity of `threshold` are together least: datasketch's optimum (Zhu et al., LSH Ensemble)."""
    from datasketch import MinHashLSH  # takes 2 s to import (scipy), and is needed with a threshold only

    index = MinHashLSH(threshold=threshold, num_perm=values)
    return int(index.b), int(index.r)


# Phase 1: sign


def sign_shard(params: Dedup, in_path: str | Path, out_path: str | Path) -> None:
    """Sign the documents of a file, of which doc_id and text are read; `out_path` lies on a disk."""
    sign_tables(params, _batches(str(in_path)), out_path)


def sign_tables(params: Dedup, batches: Iterable[pa.Table], out_path: str | Path) -> None:
    """Sign tables with the columns doc_id (binary(16)) and text (a null text counts as empty)."""
    bands, rows = params.banding
    signer = DedupSigner(
        bands=bands,
        rows=rows,
        ngram=params.ngram,
        seed=params.seed,
        buckets=params.buckets,
        keep_signatures=params.verify > 0,
    )
    for batch in batches:
        if batch.num_rows:
            signer.add(_ids(batch.column("doc_id")), text_buffers(batch.column("text")))
    signer.write(out_path)


def _batches(location: str) -> Iterator[pa.Table]:
    if storage.path_part(location).lower().endswith(PARQUET_ENDINGS):
        with storage.open_input(location) as stream:
            try:
                # pre_buffer (the default) would hold the whole compressed file: 88 MB for 292 MB of text.
                file = pq.ParquetFile(stream, pre_buffer=False)
                schema = file.schema_arrow
                if "text" in schema.names and _has_ids(schema):
                    columns = ["doc_id", "text"]
                    for batch in file.iter_batches(SIGN_ROWS, columns=columns, use_threads=False):
                        yield pa.Table.from_batches([batch])
                    return
            except pa.ArrowException as error:
                raise ShardError(f"{location}: not a readable Parquet file ({one_line(error)})") from error
    for batch in read_documents(Input(location, storage.base_name(location), ""), SIGN_ROWS):
        yield batch if table.DROP not in batch.column_names else batch.filter(batch[table.DROP].is_null())


def _has_ids(schema: pa.Schema) -> bool:
    return bool("doc_id" in schema.names and schema.field("doc_id").type == pa.binary(_ID))


def _ids(column: pa.ChunkedArray) -> NDArray[np.uint8]:
    if not len(column):
        return np.empty(0, np.uint8)
    array = column.combine_chunks()
    data = np.frombuffer(array.buffers()[1], np.uint8)
    return data[array.offset * _ID : (array.offset + len(array)) * _ID]


# Phase 2: group


def group_bucket(
    params: Dedup, bucket: int, in_paths: Sequence[str | Path], out_path: str | Path
) -> tuple[int, int]:
    """Write the edges of one bucket; `in_paths` are the signatures of all shards, in their order.
    Returns the numbers of exact and near edges. Raises ValueError for files of another run, truncated or
    damaged."""
    return dedup_group(bucket, list(in_paths), out_path, verify=params.verify)


# Phase 3: resolve


@dataclass(frozen=True)
class Resolved:
    """What came out: documents = clusters + exact + near."""

    documents: int
    clusters: int
    exact: int
    near: int
    largest: int


def resolve(
    sign_paths: Sequence[str | Path], edge_paths: Sequence[str | Path], mark_paths: Sequence[str | Path]
) -> Resolved:
    """Write the marks of each shard; signatures and marks in order of shards, edges in any."""
    return Resolved(*dedup_resolve(list(sign_paths), list(edge_paths), list(mark_paths)))


# Phase 4: mark


@dataclass(frozen=True)
class Marks:
    """One shard's marks, by row: cluster sizes (uint32), first four bytes of the doc_id (uint32), fates
    (0 kept, 1 exact, 2 near); and for dropped rows, in order, the kept document's doc_id (n x 16 bytes)."""

    sizes: NDArray[np.uint32]
    tags: NDArray[np.uint32]
    fates: NDArray[np.uint8]
    kept_ids: NDArray[np.uint8]


def read_marks(path: str | Path) -> Marks:
    """Read a .marks file. Raises ShardError where it is damaged."""
    data = Path(path).read_bytes()
    head = np.frombuffer(data, "<u8", count=2, offset=8) if len(data) >= 24 else np.zeros(2, np.uint64)
    rows, dropped = int(head[0]), int(head[1])
    if data[:8] != _MARKS_MAGIC or len(data) != 24 + 9 * rows + _ID * dropped:
        raise ShardError(f"{path}: not a whole .marks file; delete it and run the same command again")
    sizes = np.frombuffer(data, "<u4", rows, 24)
    tags = np.frombuffer(data, "<u4", rows, 24 + 4 * rows)
    fates = np.frombuffer(data, np.uint8, rows, 24 + 8 * rows)
    kept = np.frombuffer(data, np.uint8, _ID * dropped, 24 + 9 * rows).reshape(dropped, _ID)
    return Marks(sizes, tags, fates, kept)


def mark_table(marks_path: str | Path) -> Callable[[pa.Table], pa.Table]:
    """The function that judges the batches of one shard, given once each and in order.

    It returns the same rows with `cluster_size`, `drop` and `drop_detail` ("kept=<doc_id in hex>,
    cluster_size=3"). Raises ShardError where the rows are not those that were signed.
    """
    marks = read_marks(marks_path)
    position = dropped = 0

    def mark(batch: pa.Table) -> pa.Table:
        nonlocal position, dropped
        rows = slice(position, position + batch.num_rows)
        fates, sizes = marks.fates[rows], marks.sizes[rows]
        tags = _ids(batch.column("doc_id")).reshape(-1, _ID)[:, :4].copy().view("<u4").ravel()
        if not np.array_equal(tags, marks.tags[rows]):
            raise ShardError(f"{marks_path}: marks of other rows; the shard changed after it was signed")
        gone = int(np.count_nonzero(fates != _KEPT))
        kept = iter(marks.kept_ids[dropped : dropped + gone])
        reasons = [_REASONS.get(fate) for fate in fates.tolist()]
        details = [
            f"kept={next(kept).tobytes().hex()}, cluster_size={size}" if reason else None
            for reason, size in zip(reasons, sizes.tolist(), strict=True)
        ]
        position, dropped = position + batch.num_rows, dropped + gone
        size_column = pa.array(np.minimum(sizes, 2**31 - 1).astype(np.int32))
        return table.with_columns(
            batch,
            {
                "cluster_size": size_column,
                table.DROP: pa.array(reasons, pa.string()),
                table.DROP_DETAIL: pa.array(details, pa.string()),
            },
        )

    return mark


# What a run costs


@dataclass(frozen=True)
class Cost:
    """Upper bounds in bytes: memory of one task of a phase, and disk that all its tasks write."""

    memory: int
    disk: int


def estimate(params: Dedup, documents: int, shards: int) -> dict[str, Cost]:
    """Memory and disk of each phase for so many documents in equal shards, beside 150 MB for the interpreter
    and, in sign and mark, the batch of texts that is read (1,024 rows; 3 MB of usual pages).

    The sizes are those of `rust_ext/crates/dedup`: counted from its arrays, and checked against measured
    peaks (docs/measured/dedup.md), of documents that are all equal too.
    """
    bands, rows = params.banding
    signature = 4 * bands * rows if params.verify else 0
    per_shard = -(-documents // max(shards, 1))
    records = 12 * bands + 20
    # Vectors grow by doubling, hence the factor 2 on what is collected document by document.
    sign = per_shard * (2 * (36 + 8 * bands + signature) + records)
    # The room of group.rs, however unevenly equal hashes fall into buckets, and a piece read and one written.
    group = 24 * max(5 * documents // (4 * params.buckets), _LEAST_ROOM) + 2 * _PIECE
    position = 4 if documents < _WIDE else 8
    # Roots by doubling, their order and ids, of the documents whose ids are looked up together (resolve.rs).
    lookups = (max(documents // 16, min(documents, _LOOKUPS)) + per_shard) * (2 * 8 + 4 + _ID)
    resolved = documents * (position + 4) + lookups + 2 * _ID * per_shard
    return {
        "sign": Cost(sign, documents * (20 + signature + records)),
        "group": Cost(group, documents * 16 * (bands + 1)),
        "resolve": Cost(resolved, documents * (9 + _ID)),
        "mark": Cost(2 * per_shard * (9 + _ID), 0),
    }


def fit_buckets(params: Dedup, documents: int, shards: int, memory: int) -> Dedup:
    """The parameters with enough buckets that each phase's task stays within `memory` bytes.

    At least the given number of buckets. Raises StageError, with figures, where no number of buckets helps.
    """
    wanted = max(params.buckets, -(-30 * documents // max(memory // 2, 1)))
    fitted = replace(params, buckets=min(wanted, 65536))
    for phase, cost in estimate(fitted, documents, shards).items():
        if cost.memory > memory:
            raise StageError(
                f"dedup: phase {phase} needs {_gib(cost.memory)} of memory for {documents:,} documents, "
                f"{_gib(memory)} are allowed; give more memory"
                + ("" if phase == "resolve" else " or split the input into more shards")
            )
    return fitted


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
