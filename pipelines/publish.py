"""Publish a dataset: shards of even size, a manifest with checksums, a card.

    TARGET/data/train-00000-of-00003.parquet    the documents (open TARGET/data anywhere)
    TARGET/manifest.json                        files with SHA-256, bytes and rows; the funnel; the recipe
    TARGET/README.md                            the dataset card; `datasets.load_dataset(TARGET)` reads it
    TARGET/tombstones.jsonl                     what was taken down, and stays out of every later publish

The layout is that of dataset repositories on hubs. Shards are cut by rows so that their sizes are even; a
shard is a task like any other, so publishing goes on where it was killed. Manifest and card are written
last: a target without a manifest is not finished.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import storage, table
from corpus.errors import ShardError, UsageError, one_line
from corpus.inputs import Input
from corpus.stage import Phase, Share, Task
from corpus.writing import Output, conform, text_bytes
from pipelines import optouts
from pipelines.contents import Contents
from pipelines.tombstones import Tombstones, read_tombstones

#: Rows read at a time while shards are cut anew.
READ_ROWS: Final = 1_000
#: What `publish.columns = ["lean"]` stands for, of what is there: all that a training run looks at.
LEAN: Final = (
    *("doc_id", "url", "host", "fetched_at", "date", "title", "text", "lang", "lang_score", "register"),
    *("quality", "cluster_size"),
)
TAKEN_DOWN: Final = "taken_down"
#: Address of a dataset's repository on the hub.
HUB_ADDRESS: Final = re.compile(r"hf://datasets/([\w.-]+/[\w.-]+)/?")


@dataclass(frozen=True)
class Publish:
    """Write documents as a dataset: shards of even size, manifest with checksums, card."""

    name: ClassVar[str] = "publish"
    version: ClassVar[int] = 3
    needs: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[pa.Schema] = pa.schema([])
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
        metadata={"help": f"opt-outs that are heeded: {', '.join(optouts.CHOICES)}"},
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
        if self.to and not HUB_ADDRESS.fullmatch(self.to):
            raise ValueError(f"publish.to: {self.to} is not of the form hf://datasets/OWNER/NAME")
        if self.shard_mb < 1:
            raise ValueError("publish.shard_mb is at least 1")
        if not 0 <= self.validation < 1:
            raise ValueError("publish.validation lies in 0..1, below 1")
        unknown = [name for name in self.respect if name not in optouts.CHOICES]
        if unknown:
            known = ", ".join(optouts.CHOICES)
            raise ValueError(f"publish.respect: no vocabulary {unknown[0]!r}; there are {known}")

    def check(self, inputs: Sequence[Input], columns: Collection[str]) -> None:  # noqa: ARG002 - any documents
        """Raise UsageError for a column that the documents lack, and where the hub can't be spoken to."""
        optouts.read_asked(self.asked)
        if self.to:
            from pipelines import hub

            hub.check(self.to)
        for column in self.columns if columns else ():
            if column != "lean" and column not in columns:
                near = difflib.get_close_matches(column, columns, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(columns)}"
                raise UsageError(f"publish.columns: the documents have no column {column!r}; {hint}")

    def phases(self, inputs: Sequence[Input]) -> tuple[Phase, ...]:
        """Shards of so many rows each; a task reads the inputs that its rows lie in."""
        total = sum(source.rows or 0 for source in inputs)
        size = sum(source.size for source in inputs)
        count = max(1, min(total, -(-size // (self.shard_mb * 1_000_000))))
        shares = tuple(_share(inputs, number, count, total) for number in range(count))
        return (Phase("write", shares=shares, documents=True),)

    def run(self, task: Task, out: Output) -> None:
        """Copy the task's ranges of rows into one shard, or one of each split."""
        ending = f"{task.number:05d}-of-{task.options['count']:05d}.parquet"
        tombstones = read_tombstones(task.folder)
        said = optouts.opened(task.side("sites"), task.side("asked"))
        contents = Contents()
        for source, (low, high) in zip(task.inputs, task.options["ranges"], strict=True):
            for rows in _read_range(source, low, high):
                out.rows_in += rows.num_rows
                out.bytes_in += text_bytes(rows)
                flags = said.flags(rows)
                rows = table.with_columns(rows, said.columns(flags))
                for split, judged in self._splits(self._judged(rows, flags, tombstones)):
                    path = f"data/{split}-{ending}"
                    kept = judged.filter(pc.is_null(judged.column(table.DROP)))
                    contents.add(path, kept)
                    out.split(self._published(judged), path)
        with out.work() as counted:
            counted.write_bytes(contents.encode())

    def _judged(self, rows: pa.Table, flags: Mapping[str, list[bool]], tombstones: Tombstones) -> pa.Table:
        reasons: list[str | None] = [None] * rows.num_rows
        for name in (*self.respect, optouts.ASKED):
            for place in (n for n, says in enumerate(flags.get(name, ())) if says):
                reasons[place] = reasons[place] or optouts.REASON + name
        for place in tombstones.places(rows):
            reasons[place] = TAKEN_DOWN
        drop = pa.array(reasons, pa.string())
        return table.with_columns(
            rows, {table.DROP: drop, table.DROP_DETAIL: pa.nulls(len(drop), pa.string())}
        )

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


def hex_ids(column: pa.ChunkedArray) -> pa.Array:
    """Identities as text: hexadecimal digits of bytes, other types as they are written."""
    values = column.to_pylist()
    return pa.array(
        [v.hex() if isinstance(v, bytes) else v if v is None else str(v) for v in values], pa.string()
    )


def _split_keys(rows: pa.Table) -> list[str]:
    """What decides a row's split: its host, or its id where it has none."""
    ids = (
        hex_ids(rows.column("doc_id")).to_pylist() if "doc_id" in rows.column_names else [""] * rows.num_rows
    )
    hosts = rows.column("host").to_pylist() if "host" in rows.column_names else [None] * rows.num_rows
    return [host or own for host, own in zip(hosts, ids, strict=True)]


def split_fraction(key: str) -> float:
    """A number from 0 to 1, below 1, that a host or hexadecimal doc_id always has."""
    return int.from_bytes(table.doc_id(key)[:6], "big") / 2**48


def _share(inputs: Sequence[Input], number: int, count: int, total: int) -> Share:
    """The rows of one shard of `count`: which inputs they lie in, and from where to where. Without any
    rows, an empty range of the first input: the shard then has its columns."""
    start, stop = total * number // count, total * (number + 1) // count
    places: list[int] = []
    ranges: list[tuple[int, int]] = []
    first = 0
    for place, source in enumerate(inputs):
        rows = source.rows or 0
        low, high = max(start, first), min(stop, first + rows)
        if low < high or (not total and not place):
            places.append(place)
            ranges.append((low - first, high - first))
        first += rows
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
