"""Stage `quota`: at most so many documents of a host and of a registered domain.

Which stay is decided by a number drawn from the document's id and a seed, the same in every run, whatever
the shards and their order: the lowest stay. Two documents of one id count as one. Phases: `count` writes, of
each input, the lowest numbers of each host; `choose` finds, bucket by bucket of domains, the number above
which a host's or a domain's documents go; `mark` lets them go.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import table
from corpus.documents import read_documents
from corpus.inputs import Input
from corpus.judging import BATCH_ROWS, map_documents
from corpus.stage import Phase, Task, local_copy
from corpus.writing import Output
from rust_ext import Suffixes

SUFFIXES: Final = Path(__file__).parent / "assets" / "public_suffix_list.dat"
#: Documents of one bucket of domains: about 1 GB in `choose`.
_BUCKET_DOCUMENTS: Final = 4_000_000
_ROW: Final = pa.schema(
    [pa.field("domain", pa.string()), pa.field("host", pa.string()), pa.field("number", pa.uint64())]
)
_LIMIT: Final = pa.schema(
    [pa.field("kind", pa.string()), pa.field("name", pa.string()), pa.field("number", pa.uint64())]
)


@dataclass(frozen=True)
class Quota:
    """Keep at most so many documents of a host and of a registered domain."""

    name: ClassVar[str] = "quota"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text", "doc_id")
    adds: ClassVar[pa.Schema] = pa.schema([pa.field("domain", pa.string())])
    reasons: ClassVar[Mapping[str, str]] = {
        "host_quota": "more documents of this host than the limit",
        "domain_quota": "more documents of this registered domain than the limit",
    }

    per_host: int = field(default=0, metadata={"help": "documents of a host that stay at most; 0: all"})
    per_domain: int = field(
        default=0, metadata={"help": "documents of a registered domain that stay at most; 0: all"}
    )
    seed: int = field(default=0, metadata={"help": "which documents stay: another seed, another sample"})

    def __post_init__(self) -> None:
        if min(self.per_host, self.per_domain) < 0:
            raise ValueError("quota.per_host and quota.per_domain are 0 (no limit) or more")

    def check(self, inputs: Sequence[Input], columns: Collection[str]) -> None:
        """Any documents will do; one without host and url is never above a quota."""

    def phases(self, inputs: Sequence[Input]) -> tuple[Phase, ...]:
        """count each input; choose in each bucket of domains; mark each input."""
        documents = sum(i.rows if i.rows is not None else i.size // 1000 + 1 for i in inputs)
        buckets = max(1, -(-documents // _BUCKET_DOCUMENTS))
        return (
            Phase("count", options=(("buckets", buckets),)),
            Phase("choose", fan=buckets, inputs=False, reads=("count",)),
            Phase("mark", reads=("choose",), documents=True),
        )

    def run(self, task: Task, out: Output) -> None:
        """Do a task of any phase."""
        match task.phase.name:
            case "count":
                rows = _lowest(self, _read(self, task.inputs[0], out))
                with out.work() as path:
                    _write_buckets(rows, task.options["buckets"], path)
            case "choose":
                parts = [_read_bucket(local_copy(f, out), task.number) for f in task.files("count")]
                with out.work() as path:
                    pq.write_table(_limits(self, pa.concat_tables(parts)), path)
            case "mark":
                limits: dict[str, dict[str, int]] = {"host": {}, "domain": {}}
                for file in task.files("choose"):
                    for row in pq.read_table(local_copy(file, out)).to_pylist():
                        limits[row["kind"]][row["name"]] = row["number"]
                map_documents(functools.partial(_mark, self, limits), self.adds, task.inputs[0], out)


@functools.cache
def suffixes() -> Suffixes:
    """The bundled public suffix list, read once a process."""
    return Suffixes(SUFFIXES.read_text(encoding="utf-8"))


def places(batch: pa.Table) -> list[tuple[str, str]]:
    """(host, registered domain) of each row, by its host or, where there is none, its url."""
    nothing = [None] * batch.num_rows
    hosts = batch.column("host").to_pylist() if "host" in batch.column_names else nothing
    urls = batch.column("url").to_pylist() if "url" in batch.column_names else nothing
    registered = functools.lru_cache(1 << 16)(suffixes().registered)
    return [registered(host or url or "") for host, url in zip(hosts, urls, strict=True)]


def number_of(doc_id: bytes, seed: int) -> int:
    """The 64-bit number of a document: BLAKE2b of its id, the seed as key."""
    key = seed.to_bytes(16, "little", signed=True)
    return int.from_bytes(hashlib.blake2b(doc_id, digest_size=8, key=key).digest(), "little")


def _numbers(stage: Quota, batch: pa.Table) -> list[int]:
    return [number_of(i, stage.seed) for i in batch.column("doc_id").to_pylist()]


def _read(stage: Quota, source: Input, out: Output) -> pa.Table:
    parts = [_ROW.empty_table()]
    columns = ("doc_id", "host", "url")
    for batch in read_documents(source, BATCH_ROWS, text_only=True, also=columns, progress=out.progress):
        good = (
            batch.filter(pc.is_null(batch.column(table.DROP))) if table.DROP in batch.column_names else batch
        )
        found = places(good)
        values: list[Any] = [[d for _, d in found], [h for h, _ in found], _numbers(stage, good)]
        parts.append(pa.table(values, schema=_ROW))
    rows = pa.concat_tables(parts)
    return rows.filter(pc.not_equal(rows.column("host"), ""))


def _lowest(stage: Quota, rows: pa.Table) -> pa.Table:
    """Of each host the rows that can still stay: its lowest distinct numbers."""
    rows = rows.group_by(["domain", "host", "number"]).aggregate([]).select(_ROW.names).cast(_ROW)
    if not stage.per_host:
        return rows.sort_by([("domain", "ascending"), ("host", "ascending"), ("number", "ascending")])
    rows = rows.sort_by([("host", "ascending"), ("number", "ascending")])
    return rows.filter(pa.array(_rank(rows.column("host")) < stage.per_host + 1))


def _rank(names: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The place of each row among the rows of its name, which lie together, from 0."""
    codes = names.combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
    if not len(codes):
        return np.zeros(0, np.int64)
    starts = np.flatnonzero(np.diff(codes, prepend=codes[0] - 1))
    lengths = np.diff(np.append(starts, len(codes)))
    return np.arange(len(codes)) - np.repeat(starts, lengths)


def _bucket(domain: str, buckets: int) -> int:
    digest = hashlib.blake2b(domain.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") % buckets


def _write_buckets(rows: pa.Table, buckets: int, path: Path) -> None:
    """One row group a bucket of domains, empty ones too."""
    names = rows.column("domain").combine_chunks().dictionary_encode()
    of_name = np.array([_bucket(d, buckets) for d in names.dictionary.to_pylist()], np.int64)
    of_row = of_name[names.indices.to_numpy(zero_copy_only=False)] if len(of_name) else np.zeros(0, np.int64)
    with pq.ParquetWriter(path, _ROW) as writer:
        for bucket in range(buckets):
            writer.write_table(rows.filter(pa.array(of_row == bucket)), row_group_size=1 << 30)


def _read_bucket(path: Path, bucket: int) -> pa.Table:
    return pq.ParquetFile(path).read_row_group(bucket)


def _limits(stage: Quota, rows: pa.Table) -> pa.Table:
    """Hosts and domains above their quota, with the highest number that stays."""
    rows = rows.group_by(["domain", "host", "number"]).aggregate([]).select(_ROW.names).cast(_ROW)
    parts = [_LIMIT.empty_table()]
    for kind, quota in (("host", stage.per_host), ("domain", stage.per_domain)):
        if not quota or not rows.num_rows:
            continue
        rows = rows.sort_by([(kind, "ascending"), ("number", "ascending")])
        rank = _rank(rows.column(kind))
        above = rows.filter(pa.array(rank == quota)).column(kind)
        last = rows.filter(pa.array(rank == quota - 1))
        last = last.filter(pc.is_in(last.column(kind), value_set=above))
        kinds = pa.array([kind] * last.num_rows, pa.string())
        parts.append(pa.table([kinds, last.column(kind), last.column("number")], schema=_LIMIT))
        rows = rows.filter(pa.array(rank < quota))
    return pa.concat_tables(parts)


def _mark(stage: Quota, limits: Mapping[str, Mapping[str, int]], batch: pa.Table) -> pa.Table:
    found = places(batch)
    drops, details = [], []
    for (host, domain), number in zip(found, _numbers(stage, batch), strict=True):
        drop = detail = None
        if number > limits["host"].get(host, number):
            drop, detail = "host_quota", f"host={host} per_host={stage.per_host}"
        elif number > limits["domain"].get(domain, number):
            drop, detail = "domain_quota", f"domain={domain} per_domain={stage.per_domain}"
        drops.append(drop)
        details.append(detail)
    columns = {
        "domain": pa.array([domain or None for _, domain in found], pa.string()),
        table.DROP: pa.array(drops, pa.string()),
        table.DROP_DETAIL: pa.array(details, pa.string()),
    }
    return table.with_columns(batch, columns)
