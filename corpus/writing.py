"""The files of one task: shards with fixed settings, dropped rows, work files. Atomic, hashed as written."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import storage, table
from corpus.errors import BukvarError, ShardError
from corpus.inputs import SHARD
from corpus.mask import mask_samples
from corpus.receipts import DROPPED, WORK, OutputFile

#: Rows and bytes of text at which a row group ends. 4,000 rows compress and scan as well as larger groups
#: (measured: 5,000 rows 12.65 MB, all rows 12.62 MB), and 64 MiB bounds a reader's memory on long documents.
ROW_GROUP_ROWS: Final = 4_000
ROW_GROUP_BYTES: Final = 64 << 20
#: Dropped rows per reason and shard whose text is kept to be read.
SAMPLES: Final = 20
#: Share of rows that may fail with an error before the shard does, and how many may in any case.
ERROR_SHARE: Final = 0.05
ERROR_FLOOR: Final = 20

#: Progress callback: the share of a task that is done, from 0 to 1.
Progress = Callable[[float], None]


class Output:
    """The files of one task: opened, filled and closed under their final names.

    Used as a context manager by `run_task`; a task that raises leaves nothing under a final name.
    """

    def __init__(
        self,
        folder: str,
        name: str,
        phase: str = "map",
        progress: Progress | None = None,
        reasons: Collection[str] = (),
        scratch: str = "",
    ) -> None:
        self.folder, self.name, self.phase = folder, name, phase
        self._scratch_root = scratch or None
        self._reasons = {*table.READ_REASONS, *reasons}
        self._progress = progress
        self.rows_in = self.rows_out = self.bytes_in = self.bytes_out = 0
        self.dropped: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        #: What a person should know of the input, by kind.
        self.notes: dict[str, str] = {}
        self.outputs: list[OutputFile] = []
        #: Whether its Parquet files are made to be changed and sent again (`parquet_settings`).
        self.chunked = False
        self._writers: dict[str, TableWriter] = {}
        self._stack = ExitStack()
        self._scratch: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if kind is not None:
            for writer in self._writers.values():
                writer.abandon()
        self._stack.close()

    def progress(self, done: float, of: float) -> None:
        """Report how much of its work the task has done, in any unit."""
        if self._progress is not None and of > 0:
            self._progress(min(1.0, max(0.0, done / of)))

    def split(self, batch: pa.Table, path: str = "") -> None:
        """Send a judged batch's kept rows to the shard (or another file of the folder) and the others to
        `_dropped`."""
        reasons = batch.column(table.DROP)
        keep = pc.is_null(reasons)
        kept = batch.filter(keep).drop_columns([table.DROP, table.DROP_DETAIL])
        self.write(kept, path)
        self.rows_out += kept.num_rows
        self.bytes_out += text_bytes(kept)
        gone = batch.filter(pc.invert(keep))
        if gone.num_rows:
            self._write_dropped(gone, path)

    def _write_dropped(self, gone: pa.Table, path: str) -> None:
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
        gone = mask_samples(gone)
        writer = self._writer(f"{DROPPED}/{self.name}{SHARD}")
        kept: Sequence[pa.Field] = list(self._writer(path or f"{self.name}{SHARD}").schema or [])
        columns = [f.with_nullable(True) for f in kept]  # a row may go before a column of its is known
        writer.write(conform(gone, pa.schema([*columns, *table.DROP_COLUMNS])))

    def write(self, rows: pa.Table, path: str = "") -> None:
        """Append rows as they are to the main shard, or to another Parquet file of the folder."""
        self._writer(path or f"{self.name}{SHARD}").write(rows)

    def _writer(self, path: str) -> TableWriter:
        if path not in self._writers:
            self._writers[path] = TableWriter(
                storage.join(self.folder, path), chunked=self.chunked, scratch=self._scratch_root or ""
            )
        return self._writers[path]

    @property
    def scratch(self) -> Path:
        """A local folder of this task's own, removed at its end."""
        if self._scratch is None:
            made = self._stack.enter_context(
                tempfile.TemporaryDirectory(prefix="bukvar-", dir=self._scratch_root)
            )
            self._scratch = Path(made)
        return self._scratch

    @contextmanager
    def work(self, name: str = "") -> Iterator[Path]:
        """A local path to write a work file to, which later phases read: `Task.files` finds it.

        `name` tells several files of one task apart; it defaults to the task's own.
        """
        where = f"{WORK}/{self.phase}/{self.name}" + (f"/{name}" if name else "")
        target = storage.local_path(storage.join(self.folder, where))
        if target is None:
            path = self.scratch / where.replace("/", "-")
            yield path
            self.put(path, where)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        path = target.with_name(storage.partial_name(target.name))
        try:
            yield path
            found = storage.sha256(str(path))
            path.replace(target)
        finally:
            path.unlink(missing_ok=True)
        self.outputs.append(OutputFile(where, *found))

    def put(self, path: Path, where: str) -> None:
        """Publish a local file under `where` in the task's folder."""
        target = storage.join(self.folder, where)
        if storage.local_path(target) is None:
            storage.upload(path, target)
            self.outputs.append(OutputFile(where, *storage.sha256(str(path))))
            return
        with storage.write_atomic(target) as stream, path.open("rb") as made:
            hashed = HashingStream(stream)
            shutil.copyfileobj(made, hashed, 1 << 20)
        self.outputs.append(OutputFile(where, hashed.digest, hashed.size))

    @contextmanager
    def stream(self, where: str) -> Iterator[HashingStream]:
        """A stream to write a file under `where` in the task's folder, hashed as it is written; left with an
        exception, nothing is there."""
        target = storage.join(self.folder, where)
        with storage.write_atomic(target, self._scratch_root or "") as stream:
            hashed = HashingStream(stream)
            yield hashed
        self.outputs.append(OutputFile(where, hashed.digest, hashed.size))

    def put_bytes(self, data: bytes, where: str) -> None:
        """Publish a small file under `where` in the task's folder."""
        storage.write_bytes(storage.join(self.folder, where), data)
        self.outputs.append(OutputFile(where, hashlib.sha256(data).hexdigest(), len(data)))

    def check_errors(self) -> None:
        """Fail the shard when more of its documents raised errors than the budget allows."""
        errors = sum(n for reason, n in self.dropped.items() if reason.startswith(table.ERROR_PREFIX))
        if errors > max(ERROR_FLOOR, ERROR_SHARE * self.rows_in):
            worst = max(self.dropped, key=lambda r: (r.startswith(table.ERROR_PREFIX), self.dropped[r]))
            raise ShardError(f"{errors} of {self.rows_in} documents failed, most with {worst}: see --debug")

    def close(self) -> tuple[OutputFile, ...]:
        """Close the files under their final names; all files of the task, by path."""
        for writer in self._writers.values():  # first all to their ends, where a full disk shows
            writer.finish()
        for path, writer in self._writers.items():
            closed = writer.close()
            if closed is not None:
                self.outputs.append(OutputFile(path, *closed))
        return tuple(sorted(self.outputs, key=lambda o: o.path))


class HashingStream:
    """A binary stream that passes on what is written to it and keeps its SHA-256 and size."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self.size = 0
        self.closed = False

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()

    def write(self, data: Any) -> int:
        self._digest.update(data)
        self._stream.write(data)
        written = memoryview(data).nbytes
        self.size += written
        return written

    def tell(self) -> int:
        return self.size

    def flush(self) -> None: ...

    def close(self) -> None:
        """The stream below is closed by who opened it."""
        self.closed = True

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False


class TableWriter:
    """Parquet with fixed settings: equal rows in equal order give equal bytes."""

    def __init__(self, location: str, *, chunked: bool = False, scratch: str = "") -> None:
        self._location, self._chunked, self._scratch = location, chunked, scratch
        self._stack = ExitStack()
        self._stream: HashingStream | None = None
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
        stream = self._stack.enter_context(storage.write_atomic(self._location, self._scratch))
        self._stream = HashingStream(stream)
        self._writer = pq.ParquetWriter(
            self._stream, self.schema, **parquet_settings(self.schema, chunked=self._chunked)
        )

    def _flush(self) -> None:
        assert self._writer is not None  # noqa: S101 - write() opened it before anything was pending
        if self._pending:
            with storage.translated(self._location):
                self._writer.write_table(pa.concat_tables(self._pending), row_group_size=ROW_GROUP_ROWS)
        self._written += self._rows
        self._pending, self._rows, self._bytes = [], 0, 0

    def close(self) -> tuple[str, int, int] | None:
        """Finish the file and return its SHA-256, bytes and rows; None where nothing, not even a schema, was
        written."""
        if self._stream is None:
            return None
        self.finish()
        self._stack.close()
        return self._stream.digest, self._stream.size, self._written

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


def parquet_settings(schema: pa.Schema, *, chunked: bool = False) -> dict[str, Any]:
    """Settings of every Parquet file that bukvar writes: zstd 3 (135 MB/s at ratio 3.2, where level 9 is
    33 MB/s at 3.6), no dictionary on text and ids (it slows reading by half and gains nothing).

    `chunked`: pages end where the content says, so that of a changed file a hub gets what changed; the file
    is 4.5% larger (docs/measured/publish.md).
    """
    plain = {"text", "doc_id", "url", "source"}
    return {
        "compression": "zstd",
        "compression_level": 3,
        "use_dictionary": [name for name in schema.names if name not in plain],
        "write_page_index": True,
        "use_content_defined_chunking": chunked,
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
