"""Where files of a stage lie, how a shard is published, and what a receipt says.

    FOLDER/00042.parquet            kept rows
    FOLDER/_dropped/00042.parquet   dropped rows with reason and detail
    FOLDER/_work/sign-00042/...     what phases pass to each other
    FOLDER/_receipts/00042.json     written last: done means it is here with the right key
    FOLDER/_failed/00042.json       why the last try failed
    FOLDER/_plan.json               which stage, parameters and inputs the folder belongs to

Names that begin with `_` are passed over by pyarrow, Spark and DIR/*.parquet, so the folder opens as a
dataset as it is. Receipts hold seconds and versions; outputs never do.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import platform
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import storage, table
from corpus.errors import BukvarError, ShardError

RECEIPTS: Final = "_receipts"
DROPPED: Final = "_dropped"
FAILED: Final = "_failed"
RUNNING: Final = "_running"
WORK: Final = "_work"
PLAN: Final = "_plan.json"

#: What a shard's file can be called; no other file of a folder is ever removed as stale.
SHARD_NAME: Final = re.compile(r"(train-\d{5}-of-)?\d{5}\.parquet")
#: Rows and bytes of text at which a row group ends. 4,000 rows compress and scan as well as larger groups
#: (measured: 5,000 rows 12.65 MB, all rows 12.62 MB), and 64 MiB bounds a reader's memory on long documents.
ROW_GROUP_ROWS: Final = 4_000
ROW_GROUP_BYTES: Final = 64 << 20
#: Dropped rows per reason and shard whose text is kept to be read.
SAMPLES: Final = 20
#: Share of rows that may fail with an error before the shard does, and how many may in any case.
ERROR_SHARE: Final = 0.05
ERROR_FLOOR: Final = 20


@dataclass(frozen=True)
class Input:
    """One input file. `name` identifies it in keys, `source` columns and receipts and holds no folder of the
    machine (receipts leave `path` out); `digest` is of its content, so a file that moved is the same input.
    """

    path: str
    name: str
    digest: str
    size: int = 0
    rows: int | None = None


@dataclass(frozen=True)
class OutputFile:
    """One file that a task wrote: path relative to the stage's folder, SHA-256, bytes, rows."""

    path: str
    digest: str
    bytes: int
    rows: int | None = None


@dataclass(frozen=True)
class Receipt:
    """What one task did. `rows_in == rows_out + sum(dropped.values())` wherever rows are documents."""

    stage: str
    version: int
    phase: str
    name: str
    key: str
    parameters: dict[str, Any]
    inputs: tuple[Input, ...]
    outputs: tuple[OutputFile, ...]
    rows_in: int = 0
    rows_out: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    #: What never was a document (request records, say), by kind.
    skipped: dict[str, int] = field(default_factory=dict)
    #: Bytes of UTF-8 text (of the input file where the input is a crawl).
    bytes_in: int = 0
    bytes_out: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory_mb: int = 0
    versions: dict[str, str] = field(default_factory=dict)


def digest_of(value: Any) -> str:
    """Digest of plain data: SHA-256 of its JSON with sorted keys."""
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()


@functools.cache
def versions() -> dict[str, str]:
    """Versions that a receipt records: ours, Python's and pyarrow's."""
    try:
        own = importlib.metadata.version("bukvar")
    except importlib.metadata.PackageNotFoundError:
        own = "source"
    return {"bukvar": own, "python": platform.python_version(), "pyarrow": pa.__version__}


def one_line(error: BaseException) -> str:
    """An error's message on one line, bounded."""
    return (" ".join(str(error).split()) or type(error).__name__)[:300]


class Output:
    """The files of one task: opened, filled, closed and, with the receipt, published.

    Used as a context manager by `run_task`; a task that raises leaves nothing under a final name.
    """

    def __init__(
        self,
        folder: str,
        name: str,
        told: Callable[[float], None] | None = None,
        reasons: Collection[str] = (),
    ) -> None:
        self.folder, self.name = folder, name
        self._reasons = {*table.READ_REASONS, *reasons}
        self._told = told
        self.rows_in = self.rows_out = self.bytes_in = self.bytes_out = 0
        self.dropped: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.outputs: list[OutputFile] = []
        self._writers: dict[str, _TableWriter] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if kind is not None:
            for writer in self._writers.values():
                writer.abandon()
        self._stack.close()

    def tell(self, done: float, of: float) -> None:
        """Say how much of its work the task has done, in any unit, for those who watch."""
        if self._told is not None and of > 0:
            self._told(min(1.0, max(0.0, done / of)))

    def split(self, batch: pa.Table) -> None:
        """Send a judged batch's kept rows to the shard and the others to `_dropped`."""
        reasons = batch.column(table.DROP)
        keep = pc.is_null(reasons)
        kept = batch.filter(keep).drop_columns([table.DROP, table.DROP_DETAIL])
        self.write(kept)
        self.rows_out += kept.num_rows
        self.bytes_out += text_bytes(kept)
        gone = batch.filter(pc.invert(keep))
        if gone.num_rows:
            self._write_dropped(gone)

    def _write_dropped(self, gone: pa.Table) -> None:
        sampled = []
        for reason in gone.column(table.DROP).to_pylist():
            if reason not in self._reasons and not reason.startswith(table.ERROR_PREFIX):
                raise AssertionError(f"the stage declares no drop reason {reason!r}")
            sampled.append(self.dropped[reason] < SAMPLES)
            self.dropped[reason] += 1
        if "text" in gone.column_names:
            column = gone.column("text")
            text = pc.if_else(pa.array(sampled), column, pa.scalar(None, column.type))
            gone = gone.set_column(gone.column_names.index("text"), "text", text)
        writer = self._writer(f"{DROPPED}/{self.name}.parquet")
        kept: Sequence[pa.Field] = list(self._writer(f"{self.name}.parquet").schema or [])
        columns = [f.with_nullable(True) for f in kept]  # a row may go before a column of its is known
        writer.write(conform(gone, pa.schema([*columns, *table.DROP_COLUMNS])))

    def write(self, rows: pa.Table, path: str = "") -> None:
        """Append rows as they are to the main shard, or to another Parquet file of the folder."""
        self._writer(path or f"{self.name}.parquet").write(rows)

    def _writer(self, path: str) -> _TableWriter:
        if path not in self._writers:
            self._writers[path] = _TableWriter(storage.join(self.folder, path))
        return self._writers[path]

    def add_file(self, path: str, rows: int | None = None) -> None:
        """Account for a file that the task wrote itself, atomically, under `folder/path`."""
        digest, size = storage.sha256(storage.join(self.folder, path))
        self.outputs.append(OutputFile(path, digest, size, rows))

    def check_errors(self) -> None:
        """Fail the shard when more of its documents raised errors than the budget allows."""
        errors = sum(n for reason, n in self.dropped.items() if reason.startswith(table.ERROR_PREFIX))
        if errors > max(ERROR_FLOOR, ERROR_SHARE * self.rows_in):
            worst = max(self.dropped, key=lambda r: (r.startswith(table.ERROR_PREFIX), self.dropped[r]))
            raise ShardError(f"{errors} of {self.rows_in} documents failed, most with {worst}: see --debug")

    def close(self) -> None:
        """Close the files under their final names."""
        for writer in self._writers.values():  # first all to their ends, where a full disk shows
            writer.finish()
        for path, writer in self._writers.items():
            rows = writer.close()
            if rows is not None:
                self.add_file(path, rows)

    def publish(self, receipt: Receipt) -> Receipt:
        """Write the receipt of closed files. Returns it, completed."""
        complete = replace(receipt, outputs=tuple(sorted(self.outputs, key=lambda o: o.path)))
        storage.write_bytes(
            storage.join(self.folder, RECEIPTS, f"{self.name}.json"),
            msgspec.json.format(msgspec.json.encode(complete, order="deterministic"), indent=1) + b"\n",
        )
        return complete


class _TableWriter:
    """Parquet with fixed settings: equal rows in equal order give equal bytes."""

    def __init__(self, location: str) -> None:
        self._location = location
        self._stack = ExitStack()
        self._writer: pq.ParquetWriter | None = None
        self._pending: list[pa.Table] = []
        self._rows = self._bytes = self._written = 0
        self.schema: pa.Schema | None = None

    def write(self, rows: pa.Table) -> None:
        if self.schema is None:
            self._open(rows.schema)
        if not rows.num_rows:
            return
        self._pending.append(conform(rows, self.schema))
        self._rows += rows.num_rows
        self._bytes += text_bytes(rows)
        if self._rows >= ROW_GROUP_ROWS or self._bytes >= ROW_GROUP_BYTES:
            self._flush()

    def _open(self, schema: pa.Schema) -> None:
        self.schema = schema.remove_metadata()
        stream = self._stack.enter_context(storage.write_atomic(self._location))
        self._writer = pq.ParquetWriter(stream, self.schema, **parquet_settings(self.schema))

    def _flush(self) -> None:
        assert self._writer is not None  # noqa: S101 - write() opened it before anything was pending
        if self._pending:
            with storage.translated(self._location):
                self._writer.write_table(pa.concat_tables(self._pending), row_group_size=ROW_GROUP_ROWS)
        self._written += self._rows
        self._pending, self._rows, self._bytes = [], 0, 0

    def close(self) -> int | None:
        """Finish the file and give its rows; None where nothing, not even a schema, was written."""
        if self._writer is None:
            return None
        self.finish()
        self._stack.close()
        return self._written

    def finish(self) -> None:
        """Write all that is pending, and the file's end; its name is still the partial one."""
        if self._writer is not None and self._writer.is_open:
            self._flush()
            with storage.translated(self._location):
                self._writer.close()

    def abandon(self) -> None:
        """Leave nothing under the final name."""
        if self._writer is not None:
            with suppress(OSError, pa.ArrowException):
                self._writer.close()
            self._writer.is_open = False  # else pyarrow tries again when it is collected, and complains
        with suppress(BukvarError):
            self._stack.__exit__(ShardError, ShardError("abandoned"), None)


def parquet_settings(schema: pa.Schema) -> dict[str, Any]:
    """Settings of every Parquet file that bukvar writes: zstd 3 (135 MB/s at ratio 3.2, where level 9 is
    33 MB/s at 3.6), no dictionary on text and ids (it slows reading by half and gains nothing)."""
    plain = {"text", "doc_id", "url", "source"}
    return {
        "compression": "zstd",
        "compression_level": 3,
        "use_dictionary": [name for name in schema.names if name not in plain],
        "write_page_index": True,
        "version": "2.6",
    }


def conform(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Rows in the columns, order and types of a schema; a missing column is null.

    Raises ShardError where a column can't be cast: a shard has one schema.
    """
    if rows.schema.equals(schema):
        return rows
    columns = []
    for column in schema:
        if column.name in rows.column_names:
            try:
                columns.append(rows.column(column.name).cast(column.type))
            except pa.ArrowException as error:
                raise ShardError(
                    f"column {column.name!r} changes its type within a shard: {error}"
                ) from error
        else:
            columns.append(pa.nulls(rows.num_rows, column.type))
    return pa.table(columns, schema=schema)


def text_bytes(rows: pa.Table) -> int:
    """Bytes of UTF-8 in the column `text`."""
    if "text" not in rows.column_names or not rows.num_rows:
        return 0
    return int(pc.sum(pc.binary_length(rows.column("text"))).as_py() or 0)


def read_receipt(folder: str, name: str) -> Receipt | None:
    """The receipt of a task, or None where it is missing or unreadable (then the task is to be done)."""
    location = storage.join(folder, RECEIPTS, f"{name}.json")
    if not storage.exists(location):
        return None
    try:
        return msgspec.json.decode(storage.read_bytes(location), type=Receipt)
    except msgspec.MsgspecError:
        return None


def read_receipts(folder: str) -> Iterator[Receipt]:
    """All receipts of a stage's folder, by name. The manifest is a fold over them."""
    for location in storage.list_files(storage.join(folder, RECEIPTS)):
        receipt = read_receipt(folder, storage.base_name(location).removesuffix(".json"))
        if receipt is not None:
            yield receipt


def retract(folder: str, name: str, key: str) -> None:
    """Take back what a task of this name wrote under another key: outputs first, then the receipt.

    So no receipt ever stands beside files of another try, and no file that only the earlier try wrote (its
    dropped rows, a shard numbered otherwise) outlives it.
    """
    receipt = read_receipt(folder, name)
    if receipt is None or receipt.key == key:
        return
    for output in receipt.outputs:
        storage.delete(storage.join(folder, output.path))
    storage.delete(storage.join(folder, RECEIPTS, f"{name}.json"))


def is_done(folder: str, name: str, key: str) -> bool:
    """Whether a task's receipt exists with this key and its outputs lie there with the sizes it states."""
    receipt = read_receipt(folder, name)
    if receipt is None or receipt.key != key:
        return False
    return all(storage.info(storage.join(folder, o.path)).size == o.bytes for o in receipt.outputs)
