"""Publish a dataset: shards of even size, a manifest with checksums, a card.

    TARGET/data/train-00000-of-00003.parquet    the documents (open TARGET/data anywhere)
    TARGET/manifest.json                        files with SHA-256, bytes and rows; the funnel; the recipe
    TARGET/README.md                            the dataset card; `datasets.load_dataset(TARGET)` reads it

The layout is that of dataset repositories on hubs. Shards are cut by rows so that their sizes are even; a
shard is a task like any other, so publishing goes on where it was killed. Manifest and card are written
last: a target without a manifest is not finished.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from corpus import shard, storage
from corpus.documents import parquet_schema
from corpus.errors import ShardError, UsageError
from corpus.shard import Input, Output
from corpus.stage import Task
from pipelines import registry

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

    def phases(self, inputs: Sequence[Input], folder: str, text_column: str = "text") -> Iterator[list[Task]]:  # noqa: ARG002 - documents have one name for it
        sized = [(i, _rows(i)) for i in inputs]
        rows = sum(count for _, count in sized)
        total = sum(i.size for i in inputs)
        count = max(1, min(rows, -(-total // (self.shard_mb * 1_000_000))))
        yield [self._task(sized, folder, k, count, rows) for k in range(count)]

    def _task(self, sized: Sequence[tuple[Input, int]], folder: str, k: int, count: int, rows: int) -> Task:
        start, stop = rows * k // count, rows * (k + 1) // count
        parts, first = [], 0
        for source, held in sized:
            low, high = max(start, first), min(stop, first + held)
            if low < high:
                parts.append((source, low - first, high - first))
            first += held
        ranges = tuple((low, high) for _, low, high in parts)
        options = (("count", count), ("ranges", ranges))
        return Task(self, k, tuple(p[0] for p in parts), folder, phase="write", options=options)

    def run(self, task: Task, out: Output) -> None:
        """Copy the task's row ranges into one shard."""
        path = f"data/train-{task.index:05d}-of-{task.option['count']:05d}.parquet"
        for source, (low, high) in zip(task.inputs, task.option["ranges"], strict=True):
            for rows in _read_range(source, low, high):
                if self.columns:
                    rows = rows.select([c for c in rows.column_names if c in self.columns])
                out.write(rows, path)
                out.rows_in += rows.num_rows
                out.rows_out += rows.num_rows
                out.bytes_out += shard.text_bytes(rows)


def _rows(source: Input) -> int:
    if source.rows is not None:
        return source.rows
    try:
        with storage.open_input(source.path) as stream:
            return int(pq.read_metadata(stream).num_rows)
    except pa.ArrowException as error:
        raise ShardError(f"{source.name}: not a readable Parquet file ({shard.one_line(error)})") from error


def _read_range(source: Input, low: int, high: int) -> Iterator[pa.Table]:
    first = 0
    with storage.open_input(source.path) as stream:
        file = pq.ParquetFile(stream)
        yield file.schema_arrow.empty_table()
        for batch in file.iter_batches(batch_size=READ_ROWS):
            last = first + batch.num_rows
            if last > low and first < high:
                begin, end = max(low, first) - first, min(high, last) - first
                yield pa.Table.from_batches([batch.slice(begin, end - begin)])
            first = last


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
    for receipt in shard.read_receipts(target):
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
        made_with=shard.versions(),
    )


def _stage_entry(result: Any) -> dict[str, Any]:
    keys = ("stage", "rows_in", "rows_out", "dropped", "skipped", "bytes_in", "bytes_out")
    return {key: getattr(result, key) for key in keys}


def finish(stage: Publish, target: str, title: str, funnel: Sequence[Any] = (), recipe: str = "") -> Manifest:
    """Write card and manifest; the dataset is published when the manifest lies there."""
    manifest = make_manifest(stage, target, title, funnel, recipe)
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
