"""Publish a dataset: shards of even size, a manifest with checksums, a card.

    TARGET/data/train-00000-of-00003.parquet    the documents (open TARGET/data anywhere)
    TARGET/manifest.json                        files with SHA-256, bytes and rows; the funnel; the recipe
    TARGET/README.md                            the dataset card; `datasets.load_dataset(TARGET)` reads it
    TARGET/tombstones.jsonl                     what was taken down, and stays out of every later publish
    TARGET/croissant.json                       the same for machines: Croissant, with PROV activities
    TARGET/TRAINING_CONTENT_SUMMARY.md          a draft of the EU's public summary of training content
    TARGET/sample/sample-00000-of-00001.parquet where asked for: so many documents, chosen by a hash

The layout is that of dataset repositories on hubs. Shards are cut so that their sizes in bytes are even; a
shard is a task like any other, so publishing goes on where it was killed. Manifest and card are written
last: a target without a manifest is not finished.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import ClassVar, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import storage, table
from corpus.documents import PARQUET_ENDINGS
from corpus.errors import ShardError, UsageError, one_line
from corpus.inputs import Input
from corpus.stage import Phase, Share, Task, local_copy
from corpus.writing import Output, conform, text_bytes
from pipelines import optouts, subsets
from pipelines.account import Run
from pipelines.beside import write_beside
from pipelines.contents import Contents, TokenCounter
from pipelines.manifest import MANIFEST, Manifest, make_manifest, write_manifest
from pipelines.tombstones import Tombstones, read_tombstones
from rust_ext.arrow import text_array

#: Rows read at a time while shards are cut anew.
READ_ROWS: Final = 1_000
#: What `publish.columns = ["lean"]` stands for, of what is there: all that a training run looks at.
LEAN: Final = (
    *("doc_id", "url", "host", "fetched_at", "date", "title", "text", "lang", "lang_score", "register"),
    *("quality", "cluster_size"),
)
TAKEN_DOWN: Final = "taken_down"


def _hub() -> ModuleType:
    """The module that speaks to the hub, which few runs need."""
    from pipelines import hub

    return hub


@dataclass(frozen=True)
class Publish:
    """Write documents as a dataset: shards of even size, manifest with checksums, card."""

    name: ClassVar[str] = "publish"
    version: ClassVar[int] = 5
    needs: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[pa.Schema] = pa.schema([])
    seal: ClassVar[str] = MANIFEST
    reasons: ClassVar[Mapping[str, str]] = {
        **{optouts.REASON + name: one.meaning for name, one in optouts.VOCABULARIES.items()},
        TAKEN_DOWN: "removed on request, by TARGET/tombstones.jsonl",
    }

    shard_mb: int = field(
        default=512,
        metadata={"help": "size of a shard's file in MB (512: what hubs and object stores stream well)"},
    )
    title: str = field(default="", metadata={"help": "title of the card; the recipe's name where empty"})
    license: str = field(default="other", metadata={"help": "licence identifier on the card"})
    contact: str = field(default="", metadata={"help": "address on the card for questions and takedowns"})
    columns: tuple[str, ...] = field(
        default=(),
        metadata={"help": f"columns to publish; all where empty; lean: {', '.join(LEAN)}"},
    )
    respect: tuple[str, ...] = field(
        default=optouts.DEFAULT,
        metadata={"help": f"opt-outs that are honoured: {', '.join(optouts.CHOICES)}"},
    )
    sites: tuple[str, ...] = field(
        default=(),
        metadata={
            "help": "folders in which extract kept what robots.txt and tdmrep.json say (STAGE/_sites); a run "
            "takes its own",
            "input": True,
        },
    )
    asked: tuple[str, ...] = field(
        default=(),
        metadata={
            "help": "files of hosts or addresses, one a line, that asked not to be used",
            "input": True,
        },
    )
    validation: float = field(
        default=0.0,
        metadata={"help": "share of hosts whose documents are the split validation, by a hash of the host"},
    )

    subsets: str = field(
        default="",
        metadata={
            "help": "make each value of this column a configuration with files of its own: "
            f"{', '.join(subsets.CHOICES)}; none where empty"
        },
    )
    sample: int = field(
        default=0,
        metadata={"help": "so many documents, chosen by a hash of their ids, are a configuration `sample`"},
    )
    tokenizer: str = field(
        default="",
        metadata={
            "help": "count tokens by this tokenizer, for the card: a folder, or a vocabulary by name",
            "input": True,
            "tokenizer": True,
        },
    )
    to: str = field(
        default="",
        metadata={
            "help": "hf://datasets/OWNER/NAME: send the dataset to this repository of the hub too",
            "key": False,
        },
    )
    private: bool = field(
        default=True,
        metadata={"help": "whether a repository that is made on the hub is private", "key": False},
    )

    def __post_init__(self) -> None:
        if self.to and not _hub().ADDRESS.fullmatch(self.to):
            raise ValueError(f"publish.to: {self.to} is not of the form hf://datasets/OWNER/NAME")
        if self.shard_mb < 1:
            raise ValueError("publish.shard_mb is at least 1")
        if not 0 <= self.validation < 1:
            raise ValueError("publish.validation lies in 0..1, below 1")
        if self.subsets and self.subsets not in subsets.CHOICES:
            raise ValueError(
                f"publish.subsets: no choice {self.subsets!r}; choose from {', '.join(subsets.CHOICES)}"
            )
        if self.sample < 0:
            raise ValueError("publish.sample is 0 or more documents")
        unknown = [name for name in self.respect if name not in optouts.CHOICES]
        if unknown:
            known = ", ".join(optouts.CHOICES)
            raise ValueError(f"publish.respect: no vocabulary {unknown[0]!r}; choose from {known}")

    def check(self, inputs: Sequence[Input], columns: Collection[str]) -> None:
        """Raise UsageError for a column that the documents lack, for what is no Parquet, and where the hub
        can't be spoken to."""
        optouts.read_asked(self.asked)
        for source in inputs:
            if not storage.path_part(source.path).lower().endswith(PARQUET_ENDINGS):
                raise UsageError(
                    f"{source.name}: publish takes Parquet; any stage makes it of JSONL and text (`bukvar "
                    "identify FILE --set identify.keep=all --out DIR`)"
                )
        if self.to:
            _hub().check(self.to)
        known = [*columns, *([subsets.QUALITY] if "junk_margin" in columns else [])]
        if columns and self.subsets and self.subsets not in known:
            raise UsageError(f"publish.subsets: the documents have no column {self.subsets!r}")
        for column in self.columns if columns else ():
            if column != "lean" and column not in known:
                near = difflib.get_close_matches(column, columns, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(columns)}"
                raise UsageError(f"publish.columns: the documents have no column {column!r}; {hint}")

    def phases(self, inputs: Sequence[Input]) -> tuple[Phase, ...]:
        """Shards of so many rows each; a task reads the inputs that its rows lie in."""
        total = sum(source.rows or 0 for source in inputs)
        size = sum(source.size for source in inputs)
        count = max(1, min(total, -(-size // (self.shard_mb * 1_000_000))))
        shares = tuple(_share(inputs, number, count) for number in range(count))
        write = Phase("write", shares=shares, documents=True, options=(("total", total),))
        if not self.sample:
            return (write,)
        return write, Phase("sample", fan=1, inputs=False, reads=("write",))

    def run(self, task: Task, out: Output) -> None:
        """Copy the task's ranges of rows into one shard, or one of each split and subset; or join the
        sample."""
        out.chunked = True
        if task.phase.name == "sample":
            offered = [pq.read_table(local_copy(file, out)) for file in task.files("write", "sample")]
            chosen = subsets.lowest(offered, self.sample)
            out.write(chosen.drop_columns([subsets.NUMBER]), subsets.SAMPLE)
            return
        ending = f"{task.number:05d}-of-{task.options['count']:05d}.parquet"
        tombstones = read_tombstones(task.folder)
        said = optouts.opened(task.side("sites"), task.side("asked"))
        contents = Contents(count=self._counter(task, out))
        ranges = task.options["ranges"]
        offer = subsets.Offer(self.sample, sum(high - low for low, high in ranges), task.options["total"])
        for source, (low, high) in zip(task.inputs, ranges, strict=True):
            for rows in _read_range(source, low, high):
                out.rows_in += rows.num_rows
                out.bytes_in += text_bytes(rows)
                for name, judged in self._files(self._judged(rows, said, tombstones)):
                    path = f"data/{name}-{ending}"
                    kept = judged.filter(pc.is_null(judged.column(table.DROP)))
                    contents.add(path, kept)
                    published = self._published(judged)
                    out.split(published, path)
                    if self.sample:
                        gone = published.filter(pc.is_null(published.column(table.DROP)))
                        ids = subsets.numbers(_ids(kept))
                        offer.add(gone.drop_columns(table.DROP_COLUMNS.names), ids)
        with out.work("counts") as counted:
            counted.write_bytes(contents.encode())
        if self.sample:
            with out.work("sample") as place:
                pq.write_table(offer.rows(), place)

    def _counter(self, task: Task, out: Output) -> TokenCounter | None:
        """Counts the tokens of texts, where a tokenizer is named."""
        if not self.tokenizer:
            return None
        try:
            from pipelines.tokens.coder import open_coder, tokenizer_path

            coder = open_coder(tokenizer_path(self.tokenizer, task.side("tokenizer"), out))
        except ValueError as error:
            raise ShardError(f"publish.tokenizer: {error}") from error
        return lambda texts: int(coder.encode(text_array(texts).fill_null("").cast(pa.string()))[1][-1])

    def _files(self, rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
        """The rows of each split and subset, with the beginning of their file's name."""
        for split, part in self._splits(rows):
            for subset, some in subsets.parts(part, self.subsets):
                if some.num_rows or not subset:
                    yield f"{split}-{subset}" if subset else split, some

    def _judged(self, rows: pa.Table, said: optouts.OptOuts, tombstones: Tombstones) -> pa.Table:
        flags = said.flags(rows)
        rows = subsets.with_quality(table.with_columns(rows, said.columns(flags)))
        reasons: list[str | None] = [None] * rows.num_rows
        for name in (*self.respect, optouts.ASKED):
            for place in (n for n, says in enumerate(flags.get(name, ())) if says):
                reasons[place] = reasons[place] or optouts.REASON + name
        for place in tombstones.places(rows):
            reasons[place] = TAKEN_DOWN
        drop = pa.array(reasons, pa.string())
        judged = table.with_columns(
            rows, {table.DROP: drop, table.DROP_DETAIL: pa.nulls(len(drop), pa.string())}
        )
        return _blanked(judged)

    def _splits(self, rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
        if not self.validation:
            yield "train", rows
            return
        held = pa.array([split_fraction(key) < self.validation for key in _split_keys(rows)], pa.bool_())
        yield "train", rows.filter(pc.invert(held))
        yield "validation", rows.filter(held)

    def _published(self, rows: pa.Table) -> pa.Table:
        """The columns asked for, identities as text, and the verdict."""
        wanted = self.columns or tuple(rows.column_names)
        names = dict.fromkeys(name for one in wanted for name in (LEAN if one == "lean" else (one,)))
        here = [name for name in names if name in rows.column_names and name not in table.DROP_COLUMNS.names]
        found = rows.select([*here, *table.DROP_COLUMNS.names])
        if "doc_id" in here:
            found = table.with_columns(found, {"doc_id": hex_ids(found.column("doc_id"))})
        return found


def finish(stage: Publish, target: str, run: Run) -> Manifest:
    """Write what lies beside the shards, then the manifest, with which the dataset is published; and send it
    to the hub where `to` names a repository."""
    manifest = make_manifest(stage, target, run)
    write_beside(target, manifest)
    write_manifest(target, manifest)
    if stage.to:
        _hub().send(target, stage.to, lambda line: print(line, file=sys.stderr), private=stage.private)
    return manifest


def _blanked(judged: pa.Table) -> pa.Table:
    """The same rows; those that go keep no text, since `_dropped` lies beside the dataset, and those that are
    taken down nothing but their ids."""
    drop = judged.column(table.DROP)
    taken = pc.equal(pc.fill_null(drop, ""), TAKEN_DOWN)
    kept = {"doc_id", *table.DROP_COLUMNS.names}
    for name in judged.column_names:
        gone = pc.is_valid(drop) if name == "text" else taken
        if name not in kept and pc.any(gone).as_py():
            column = judged.column(name)
            judged = table.with_columns(
                judged, {name: pc.if_else(gone, pa.scalar(None, column.type), column)}
            )
    return judged


def hex_ids(column: pa.ChunkedArray) -> pa.Array:
    """Identities as text: hexadecimal digits of bytes, other types as they are written."""
    values = column.to_pylist()
    return pa.array(
        [v.hex() if isinstance(v, bytes) else v if v is None else str(v) for v in values], pa.string()
    )


def _ids(rows: pa.Table) -> list[str]:
    """Identities as text; those of rows without ids are their texts."""
    if "doc_id" in rows.column_names:
        return [value or "" for value in hex_ids(rows.column("doc_id")).to_pylist()]
    return [value or "" for value in rows.column("text").to_pylist()]


def _split_keys(rows: pa.Table) -> list[str]:
    """What decides a row's split: its host, or its id where it has none."""
    ids = _ids(rows) if "doc_id" in rows.column_names else [""] * rows.num_rows
    hosts = rows.column("host").to_pylist() if "host" in rows.column_names else [None] * rows.num_rows
    return [host or own for host, own in zip(hosts, ids, strict=True)]


def split_fraction(key: str) -> float:
    """A number from 0 to 1, below 1, that a host or hexadecimal doc_id always has."""
    return int.from_bytes(table.doc_id(key)[:6], "big") / 2**48


def _share(inputs: Sequence[Input], number: int, count: int) -> Share:
    """The rows of one shard of `count`, even by bytes: which inputs they lie in, and from where to where; of
    an input every row counts alike. Without any rows, an empty range of the first input: the shard then has
    its columns."""
    full = [source for source in inputs if source.rows]
    size = sum(max(1, source.size) for source in full)
    start, stop = size * number // count, size * (number + 1) // count
    places: list[int] = []
    ranges: list[tuple[int, int]] = []
    first = 0
    for place, source in enumerate(inputs):
        if not source.rows:
            continue
        whole = max(1, source.size)
        low, high = ((min(max(at - first, 0), whole) * source.rows) // whole for at in (start, stop))
        if low < high:
            places.append(place)
            ranges.append((low, high))
        first += whole
    if not places:
        places, ranges = [0], [(0, 0)]
    return Share(tuple(places), f"{number:05d}", (("count", count), ("ranges", tuple(ranges))))


def _read_range(source: Input, low: int, high: int) -> Iterator[pa.Table]:
    """Rows from `low` up to `high` of an input: only the row groups that hold them are read."""
    with storage.open_input(source.path) as stream:
        try:
            file = pq.ParquetFile(stream, pre_buffer=storage.local_path(source.path) is None)
            schema = file.schema_arrow.remove_metadata()
            yield schema.empty_table()
            groups = range(source.part.start, source.part.stop) if source.part else range(file.num_row_groups)
            first = 0
            for group in groups:
                last = first + file.metadata.row_group(group).num_rows
                if first < high and last > low:
                    for rows in _slices(file, group, max(low, first) - first, min(high, last) - first):
                        yield conform(rows, schema)
                first = last
        except pa.ArrowException as error:
            raise ShardError(f"{source.name}: not a readable Parquet file ({one_line(error)})") from error


def _slices(file: pq.ParquetFile, group: int, low: int, high: int) -> Iterator[pa.Table]:
    first = 0
    for batch in file.iter_batches(READ_ROWS, row_groups=[group], use_threads=False):
        last = first + batch.num_rows
        if last > low:
            begin, end = max(low, first) - first, min(high, last) - first
            yield pa.Table.from_batches([batch.slice(begin, end - begin)])
        first = last
        if first >= high:
            return
