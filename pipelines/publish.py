"""Publish a dataset: shards of even size, a manifest with checksums, a card.

    TARGET/data/train-00000-of-00003.parquet    the documents (open TARGET/data anywhere)
    TARGET/manifest.json                        files with SHA-256, bytes and rows; the funnel; the recipe
    TARGET/README.md                            the dataset card; `datasets.load_dataset(TARGET)` reads it

The layout is that of dataset repositories on hubs. Shards are cut by rows so that their sizes are even; a
shard is a task like any other, so publishing goes on where it was killed. Manifest and card are written
last: a target without a manifest is not finished.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from corpus import storage
from corpus.documents import parquet_schema
from corpus.errors import ShardError, UsageError, one_line
from corpus.inputs import Input
from corpus.receipts import read_receipts, versions
from corpus.stage import Phase, Share, Task
from corpus.writing import Output, text_bytes
from pipelines import registry
from pipelines.account import Run

MANIFEST: Final = "manifest.json"
CARD: Final = "README.md"
#: Rows read at a time while shards are cut anew.
READ_ROWS: Final = 1_000


@dataclass(frozen=True)
class Publish:
    """Cut documents into even shards."""

    name: ClassVar[str] = "publish"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[pa.Schema] = pa.schema([])
    reasons: ClassVar[Mapping[str, str]] = {}

    shard_mb: int = field(
        default=512,
        metadata={"help": "size of a shard's file in MB (512: what hubs and object stores stream well)"},
    )
    title: str = field(default="", metadata={"help": "title of the card; the recipe's name where empty"})
    license: str = field(default="other", metadata={"help": "licence identifier on the card"})
    columns: tuple[str, ...] = field(default=(), metadata={"help": "columns to publish; all where empty"})

    def __post_init__(self) -> None:
        if self.shard_mb < 1:
            raise ValueError("publish.shard_mb is at least 1")

    def check(self, inputs: Sequence[Input], columns: Collection[str]) -> None:  # noqa: ARG002 - any documents
        """Raise UsageError for a column that the documents lack."""
        for column in self.columns if columns else ():
            if column not in columns:
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
        """Copy the task's ranges of rows into one shard."""
        path = f"data/train-{task.number:05d}-of-{task.options['count']:05d}.parquet"
        for source, (low, high) in zip(task.inputs, task.options["ranges"], strict=True):
            for rows in _read_range(source, low, high):
                if self.columns:
                    rows = rows.select([c for c in rows.column_names if c in self.columns])
                out.write(rows, path)
                out.rows_in += rows.num_rows
                out.rows_out += rows.num_rows
                out.bytes_out += text_bytes(rows)


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
            file = pq.ParquetFile(stream, pre_buffer=False)
            yield file.schema_arrow.empty_table()
            groups = range(source.part.start, source.part.stop) if source.part else range(file.num_row_groups)
            first = 0
            for group in groups:
                last = first + file.metadata.row_group(group).num_rows
                if first < high and last > low:
                    yield from _slices(file, group, max(low, first) - first, min(high, last) - first)
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


@dataclass(frozen=True)
class FileEntry:
    path: str
    sha256: str
    bytes: int
    rows: int


@dataclass(frozen=True)
class Manifest:
    """What a published dataset consists of. It can be made again from the receipts at any time."""

    title: str
    version: int
    rows: int
    text_bytes: int
    columns: dict[str, str]
    files: tuple[FileEntry, ...]
    #: One entry a stage: rows in, out, dropped by reason.
    funnel: tuple[dict[str, Any], ...] = ()
    recipe: str = ""
    made_with: dict[str, str] = field(default_factory=dict)


def make_manifest(stage: Publish, target: str, title: str, funnel: Sequence[Any], recipe: str) -> Manifest:
    """Fold the receipts of a published folder into its manifest."""
    files, rows, text = [], 0, 0
    for receipt in read_receipts(target):
        text += receipt.bytes_out
        for output in receipt.outputs:
            files.append(FileEntry(output.path, output.digest, output.bytes, output.rows or 0))
            rows += output.rows or 0
    if not files:
        raise UsageError(f"{target}: nothing was published")
    schema = parquet_schema(storage.join(target, files[0].path))
    return Manifest(
        title=stage.title or title,
        version=1,
        rows=rows,
        text_bytes=text,
        columns={f.name: str(f.type) for f in schema},
        files=tuple(files),
        funnel=tuple(_stage_entry(result) for result in funnel),
        recipe=recipe,
        made_with=versions(),
    )


def _stage_entry(result: Any) -> dict[str, Any]:
    keys = ("stage", "rows_in", "rows_out", "dropped", "skipped", "bytes_in", "bytes_out")
    return {key: getattr(result, key) for key in keys}


def finish(stage: Publish, target: str, run: Run) -> Manifest:
    """Write card and manifest; the dataset is published when the manifest lies there."""
    manifest = make_manifest(stage, target, run.title, run.results, run.recipe)
    storage.write_bytes(storage.join(target, CARD), make_card(stage, manifest).encode())
    encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    storage.write_bytes(storage.join(target, MANIFEST), encoded)
    return manifest


def make_card(stage: Publish, manifest: Manifest) -> str:
    """The dataset card: what is in it, how it came about, what was dropped and why."""
    from pipelines.templates import render

    known = registry.reasons(entry["stage"] for entry in manifest.funnel)
    used = sorted({reason for entry in manifest.funnel for reason in entry["dropped"]})
    return render(
        "card.md",
        stage=stage,
        manifest=manifest,
        size_category=_size_category(manifest.rows),
        reasons={reason: known.get(reason, "") for reason in used},
    )


def _size_category(rows: int) -> str:
    """Size class in the hub's vocabulary."""
    limits = [(1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")]
    limits += [(10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B")]
    return next((name for limit, name in limits if rows < limit), "n>1B")


def read_manifest(target: str) -> Manifest:
    """The manifest of a published dataset. Raises UsageError where there is none or it is damaged."""
    location = storage.join(target, MANIFEST)
    if not storage.exists(location):
        raise UsageError(f"{target}: no {MANIFEST} here; name the folder that `bukvar publish --to` wrote")
    try:
        return msgspec.json.decode(storage.read_bytes(location), type=Manifest)
    except msgspec.MsgspecError as error:
        raise UsageError(f"{location}: damaged ({error})") from error


def verify(target: str) -> list[str]:
    """Faults of a published dataset against its manifest; an empty list means that all is as written."""
    manifest = read_manifest(target)
    faults = []
    for entry in manifest.files:
        location = storage.join(target, entry.path)
        if not storage.exists(location):
            faults.append(f"{entry.path}: missing")
            continue
        digest, size = storage.sha256(location)
        if size != entry.bytes:
            faults.append(f"{entry.path}: {size} bytes, the manifest says {entry.bytes}")
        elif digest != entry.sha256:
            faults.append(f"{entry.path}: content differs from the manifest's SHA-256")
    known = {storage.join(target, entry.path) for entry in manifest.files}
    found = storage.list_files(storage.join(target, "data"))
    extra = [f"data/{storage.base_name(f)}: not in the manifest" for f in found if f not in known]
    return faults + extra
