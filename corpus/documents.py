"""Read documents from Parquet or JSONL, our own or anybody's, as tables that begin with `table.DOCUMENT`.

A dataset of somebody else needs a text column and nothing more: `doc_id`, `url`, `host`, `fetched_at` and
`source` are made up deterministically where they are absent. Parquet columns that we do not know pass
through; JSONL fields other than ours are kept as JSON in the column `extra`, since their types may differ
from line to line. Lines that are not JSON objects with a text become rows dropped as `malformed_row`.
"""

from __future__ import annotations

import bz2
import datetime
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import storage, table
from corpus.errors import ShardError, one_line
from corpus.inputs import Input

#: Endings by which an input's kind is told. Order matters: the longest first.
PARQUET_ENDINGS: Final = (".parquet", ".pq")
JSONL_ENDINGS: Final = tuple(
    name + packed for name in (".jsonl", ".ndjson", ".json") for packed in ("", ".gz", ".zst", ".bz2")
)
TEXT_ENDINGS: Final = tuple(".txt" + packed for packed in ("", ".gz", ".zst", ".bz2"))
DOCUMENT_ENDINGS: Final = PARQUET_ENDINGS + JSONL_ENDINGS

#: Fields under which other datasets keep what we call url.
_URL_NAMES: Final = ("url", "URL", "link", "uri", "warc_target_uri")
#: Columns that a document's doc_id and source are made from.
_IDENTITY: Final = ("doc_id", "id", "source")
#: Fields under which other datasets keep what we call fetched_at.
DATE_NAMES: Final = ("fetched_at", "date", "timestamp", "crawl_date")


#: Progress callback of reading: how much is done, and of how much, in any unit.
ReadProgress = Callable[[float, float], None]


def read_documents(
    source: Input,
    rows: int,
    *,
    text_only: bool = False,
    also: tuple[str, ...] = (),
    progress: ReadProgress | None = None,
) -> Iterator[pa.Table]:
    """Batches of at most `rows` documents of an input, in file order. With `text_only`, of Parquet only what
    doc_id, source and text are made from is read, and the columns `also` where they are there.

    Raises ShardError for a file that can't be read or whose text column is missing or not text.
    """
    if is_parquet(source.path):
        wanted = (*_IDENTITY, *also) if text_only else None
        yield from _read_parquet(source, rows, wanted, progress or _ignore)
    else:
        yield from _read_jsonl(source, rows, progress or _ignore)


def _ignore(done: float, of: float) -> None: ...


def is_parquet(location: str) -> bool:
    """Whether a location's ending says Parquet."""
    return location.partition("?")[0].lower().endswith(PARQUET_ENDINGS)


def parquet_schema(location: str) -> pa.Schema:
    """Schema of a Parquet file. Raises ShardError where it is corrupt."""
    try:
        with storage.open_input(location) as stream:
            return pq.read_schema(stream)
    except pa.ArrowException as error:
        raise ShardError(_corrupt(location, error)) from error


def _corrupt(location: str, error: Exception) -> str:
    return f"{location}: not a readable Parquet file ({one_line(error)}); make it again or leave it out"


def check_text_column(schema: pa.Schema, text_column: str, where: str) -> None:
    """Raise ShardError, saying what to do, unless the schema has this column and it is text."""
    if text_column not in schema.names:
        known = ", ".join(schema.names[:12])
        raise ShardError(f"{where}: no column {text_column!r} (it has {known}); name it with --text-column")
    kind = schema.field(text_column).type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or _is_view(kind) or _is_dict(kind)):
        raise ShardError(
            f"{where}: column {text_column!r} is {kind}, not text; name another with --text-column"
        )


def _is_view(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string_view(kind))


def _is_dict(kind: pa.DataType) -> bool:
    return bool(pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type))


def _read_parquet(
    source: Input, rows: int, wanted: tuple[str, ...] | None, progress: ReadProgress
) -> Iterator[pa.Table]:
    text_column = source.text_column
    with storage.open_input(source.path) as stream:
        try:
            # With pre_buffer a row group's columns come in one or two requests, and lie in memory packed.
            file = pq.ParquetFile(stream, pre_buffer=storage.local_path(source.path) is None)
            check_text_column(file.schema_arrow, text_column, source.name)
            first = start = source.part.first if source.part else 0
            groups = list(
                range(source.part.start, source.part.stop) if source.part else range(file.num_row_groups)
            )
            total = sum(file.metadata.row_group(n).num_rows for n in groups)
            columns = None
            if wanted is not None:
                here = [c for c in wanted if c in file.schema_arrow.names and c != text_column]
                columns = [*dict.fromkeys(here), text_column]
            empty = file.schema_arrow.empty_table().select(columns or file.schema_arrow.names)
            yield _as_documents(empty, source.name, first, text_column)
            for batch in _batches_of(file, rows, groups, columns):
                yield _as_documents(pa.Table.from_batches([batch]), source.name, first, text_column)
                first += batch.num_rows
                progress(first - start, total)
        except (pa.ArrowException, OSError) as error:
            raise ShardError(_corrupt(source.name, error)) from error


def _batches_of(
    file: pq.ParquetFile, rows: int, groups: list[int], columns: list[str] | None
) -> Iterator[pa.RecordBatch]:
    """Batches of one row group after the other: what is read ahead of an object store is a group's."""
    for group in groups:
        yield from file.iter_batches(rows, row_groups=[group], columns=columns, use_threads=False)


def _as_documents(batch: pa.Table, name: str, first: int, text_column: str) -> pa.Table:
    """Give a batch the base columns, first and in order; whatever else it has follows."""
    count = batch.num_rows
    numbers = range(first, first + count)
    columns: dict[str, Any] = {}
    if _has(batch, "source", pa.types.is_string):
        columns["source"] = batch.column("source")
    else:
        columns["source"] = pa.array([f"{name}:{n}" for n in numbers], pa.string())
    columns["doc_id"] = _doc_ids(batch, columns["source"])
    columns["url"] = _first_of(batch, _URL_NAMES, pa.string())
    if columns["url"] is None:
        columns["url"] = pa.array([f"file:{name}#row={n}" for n in numbers], pa.string())
    if _has(batch, "host", pa.types.is_string):
        columns["host"] = batch.column("host")
    else:
        columns["host"] = pa.array([host_of(u) for u in columns["url"].to_pylist()], pa.string())
    columns["fetched_at"] = _dates(batch)
    columns["text"] = batch.column(text_column).cast(pa.large_string())
    result = pa.table([columns[f.name] for f in table.DOCUMENT], schema=table.DOCUMENT)
    taken = set(table.DOCUMENT.names) | {text_column, table.DROP, table.DROP_DETAIL}
    for field in batch.schema:
        if field.name == "doc_id" and not _is_doc_id(field.type):
            result = result.append_column("original_doc_id", batch.column("doc_id"))
        elif field.name not in taken:
            result = result.append_column(field, batch.column(field.name))
    return result


def _has(batch: pa.Table, name: str, of_type: Any) -> bool:
    return name in batch.column_names and of_type(batch.schema.field(name).type)


def _is_doc_id(kind: pa.DataType) -> bool:
    return bool(kind == table.DOCUMENT.field("doc_id").type)


def _doc_ids(batch: pa.Table, sources: Any) -> pa.Array | pa.ChunkedArray:
    """Our own ids as they are; else a digest of the dataset's `doc_id` or `id`; else of "file:row"."""
    if "doc_id" in batch.column_names and _is_doc_id(batch.schema.field("doc_id").type):
        return batch.column("doc_id")
    for name in ("doc_id", "id"):
        if name in batch.column_names and batch.column(name).null_count == 0:
            values = [str(v) for v in batch.column(name).to_pylist()]
            break
    else:
        values = sources.to_pylist()
    return pa.array([table.doc_id(v) for v in values], pa.binary(16))


def _first_of(batch: pa.Table, names: tuple[str, ...], kind: pa.DataType) -> Any:
    for name in names:
        if name in batch.column_names:
            column = batch.column(name)
            if (
                pa.types.is_string(column.type)
                or pa.types.is_large_string(column.type)
                or _is_view(column.type)
            ):
                return column.cast(kind)
    return None


def _dates(batch: pa.Table) -> Any:
    kind = table.DOCUMENT.field("fetched_at").type
    for name in DATE_NAMES:
        if name not in batch.column_names:
            continue
        column = batch.column(name)
        if pa.types.is_timestamp(column.type):
            aware = column if column.type.tz else pc.assume_timezone(column, "UTC")
            return aware.cast(kind, safe=False)
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            return pa.array([parse_date(v) for v in column.to_pylist()], kind)
    return pa.nulls(batch.num_rows, kind)


def parse_date(value: str | None) -> datetime.datetime | None:
    """ISO 8601 to UTC; None where it is none."""
    if not value:
        return None
    try:
        date = datetime.datetime.fromisoformat(value)
        if date.tzinfo is None:
            date = date.replace(tzinfo=datetime.UTC)
        return date.astimezone(datetime.UTC).replace(microsecond=0)
    except (ValueError, OverflowError):  # the latter for a date that is before year 1 in UTC
        return None


def host_of(url: str | None) -> str | None:
    """Host of a URL, lower-cased, without port; None where it has none."""
    if not url:
        return None
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def open_lines(location: str) -> Any:
    """A buffered binary stream of a plain, gzip, bzip2, xz or zstd file, told by its ending."""
    return unpacked(storage.open_input(location), location)


def unpacked(raw: Any, location: str) -> Any:
    """A buffered binary stream of what a file's own bytes hold, as the ending of its location tells."""
    path = location.partition("?")[0].lower()
    if path.endswith(".gz"):
        return gzip.open(raw, "rb")
    if path.endswith(".bz2"):
        return bz2.open(raw, "rb")
    if path.endswith(".xz"):
        return lzma.open(raw, "rb")
    if path.endswith(".zst"):
        return io.BufferedReader(pa.CompressedInputStream(raw, "zstd"), 1 << 20)
    return io.BufferedReader(raw, 1 << 20)


def lines_of(stream: Any, source: Input) -> Iterator[tuple[int, bytes]]:
    """Lines of an input with their numbers in the file: those that begin in its part."""
    if source.part is None:
        yield from enumerate(stream)
        return
    stream.seek(source.part.start)
    number, left = source.part.first, source.part.stop - source.part.start
    for line in stream:
        yield number, line
        number, left = number + 1, left - len(line)
        if left <= 0:
            return


def done_of(raw: Any, source: Input) -> tuple[float, float]:
    """How much of an input has been read from its file's stream, and of how much, in bytes."""
    if source.part is None:
        return raw.tell(), source.size
    return raw.tell() - source.part.start, source.part.stop - source.part.start


#: Columns of a JSONL row, in order; `extra` holds every field that is not one of ours as JSON.
_JSONL_SCHEMA: Final = table.DOCUMENT.append(pa.field("extra", pa.large_string()))


def _read_jsonl(source: Input, rows: int, progress: ReadProgress) -> Iterator[pa.Table]:
    text_column = source.text_column
    schema = pa.schema([*_JSONL_SCHEMA, *table.DROP_COLUMNS])
    pending: list[dict[str, Any]] = []
    texts = 0
    yield _JSONL_SCHEMA.empty_table()
    with (
        storage.translated(source.name),
        storage.open_input(source.path) as raw,
        unpacked(raw, source.path) as lines,
    ):
        try:
            for number, line in lines_of(lines, source):
                if not line.strip():
                    continue
                row = _jsonl_row(line, source.name, number, text_column)
                texts += row[table.DROP] is None
                pending.append(row)
                if len(pending) == rows:
                    yield _jsonl_table(pending, schema)
                    pending = []
                    progress(*done_of(raw, source))
        except (EOFError, UnicodeDecodeError, OSError, zlib.error) as error:
            if isinstance(error, OSError) and storage.is_system_error(error):
                raise
            raise ShardError(f"{source.name}: {one_line(error)}; the file is cut short or damaged") from error
    if pending:
        yield _jsonl_table(pending, schema)
        if not texts:
            raise ShardError(
                f"{source.name}: no row has a text in {text_column!r}; name it with --text-column"
            )


def _jsonl_table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    batch = pa.Table.from_pylist(rows, schema=schema)
    if batch.column(table.DROP).null_count == batch.num_rows:
        return batch.drop_columns([table.DROP, table.DROP_DETAIL])
    return batch


def _jsonl_row(line: bytes, name: str, number: int, text_column: str) -> dict[str, Any]:
    place = f"{name}:{number}"
    row: dict[str, Any] = dict.fromkeys([*_JSONL_SCHEMA.names, table.DROP, table.DROP_DETAIL])
    row |= {"source": place, "doc_id": table.doc_id(place), "url": f"file:{name}#row={number}"}
    try:
        fields = msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return row | {table.DROP: "malformed_row", table.DROP_DETAIL: one_line(error)}
    text = fields.pop(text_column, None)
    if not isinstance(text, str):
        detail = f"{text_column!r} is {type(text).__name__}, not text"
        return row | {table.DROP: "malformed_row", table.DROP_DETAIL: detail}
    row["text"] = text
    identity = next((fields[n] for n in ("doc_id", "id") if fields.get(n) is not None), None)
    if identity is not None:
        row["doc_id"] = table.doc_id(str(identity))
    url = next((fields[n] for n in _URL_NAMES if isinstance(fields.get(n), str)), None)
    if url is not None:
        row["url"] = url
    row["host"] = host_of(row["url"])
    date = next((fields[n] for n in DATE_NAMES if isinstance(fields.get(n), str)), None)
    row["fetched_at"] = parse_date(date)
    used = {"url"} if url is not None else set()
    extra = {k: v for k, v in fields.items() if k not in used}
    row["extra"] = msgspec.json.encode(extra, order="deterministic").decode() if extra else None
    return row
