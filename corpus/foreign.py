"""Anybody's columns as ours: identities, addresses, dates and texts out of what other tools write.

The same three rows give the same documents whether a tool wrote their strings as string, large_string, views
or dictionaries. A column that bears one of our names and is none of ours is kept as `original_NAME`.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.compute as pc

from corpus import table

#: Fields under which other datasets keep what we call url.
URL_NAMES: Final = ("url", "URL", "link", "uri", "warc_target_uri")
#: Fields under which other datasets keep what we call fetched_at.
DATE_NAMES: Final = ("fetched_at", "date", "timestamp", "crawl_date")
#: Columns that a document's doc_id and source are made from.
IDENTITY: Final = ("doc_id", "id", "source")
_ID: Final = table.DOCUMENT.field("doc_id").type
_DATE: Final = table.DOCUMENT.field("fetched_at").type
_HEX: Final = re.compile(r"[0-9a-f]{32}")


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type holds text, however it is stored."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_binary(kind: pa.DataType) -> bool:
    """Whether a column of this type holds bytes."""
    return bool(
        pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def holds_text(kind: pa.DataType) -> bool:
    """Whether a column of this type can be the text column: text, or bytes of any length, as writers that do
    not mark strings as UTF-8 leave them."""
    return is_text(kind) or (is_binary(kind) and not pa.types.is_fixed_size_binary(kind))


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type under which a column passes on: views and dictionaries of text as what they stand for."""
    if pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_binary_view(kind):
        return pa.binary()
    return plain_type(kind.value_type) if pa.types.is_dictionary(kind) and is_text(kind) else kind


def as_documents(
    batch: pa.Table,
    name: str,
    first: int,
    text_column: str,
    *,
    unchecked: bool = False,
    anonymous: bool = False,
) -> pa.Table:
    """Give a batch the base columns, first and in order; whatever else it has follows.

    `name` and `first` are the file's name and the number of the batch's first row in it. Rows with a string
    that is not UTF-8 are judged `malformed_row`; with `unchecked` whoever uses the text does that. With
    `anonymous` all base columns but the text are null: of short texts, making them takes longer than all
    else of reading.
    """
    if not is_text(batch.schema.field(text_column).type):
        unproved = pc.CastOptions(target_type=pa.large_string(), allow_invalid_utf8=True)
        column = batch.column(text_column).cast(pa.large_binary())
        batch = table.with_columns(batch, {text_column: column.cast(options=unproved)})
    batch, broken = readable(batch, text_column if unchecked else "")
    columns: dict[str, Any] = {f.name: pa.nulls(batch.num_rows, f.type) for f in table.DOCUMENT}
    own = False
    if not anonymous:
        columns, own = _identified(batch, name, first)
    columns["text"] = batch.column(text_column).cast(plain_type(batch.schema.field(text_column).type))
    columns["text"] = columns["text"].cast(pa.large_string())
    result = pa.table([columns[f.name] for f in table.DOCUMENT], schema=table.DOCUMENT)
    for field in batch.schema:
        if field.name != text_column:
            result = _with_theirs(result, field, batch.column(field.name), own=own)
    return result if broken is None else table.with_columns(result, broken)


def _identified(batch: pa.Table, name: str, first: int) -> tuple[dict[str, Any], bool]:
    """The base columns but the text, and whether the doc_ids are ours."""
    places = [f"{name}:{n}" for n in range(first, first + batch.num_rows)]
    columns: dict[str, Any] = {}
    own = own_ids(batch.column("doc_id")) if "doc_id" in batch.column_names else None
    columns["source"] = _filled(_texts(batch, "source"), places) if own is not None else None
    if columns["source"] is None:
        columns["source"] = pa.array(places, pa.string())
    columns["doc_id"] = own if own is not None else _doc_ids(batch, name, places)
    url = next((found for n in URL_NAMES if (found := _texts(batch, n)) is not None), None)
    columns["url"] = (
        url if url is not None else pa.array([f"file:{name}#row={p.rpartition(':')[2]}" for p in places])
    )
    host = _texts(batch, "host")
    if host is None:
        hosts = [None] * len(places) if url is None else [host_of(u) for u in columns["url"].to_pylist()]
        host = pa.array(hosts, pa.string())
    columns["host"] = host
    columns["fetched_at"] = _dates(batch)
    return columns, own is not None


def _with_theirs(result: pa.Table, field: pa.Field, column: pa.ChunkedArray, *, own: bool) -> pa.Table:
    """Add a column of theirs: under its name, or as `original_NAME` where the name is ours and it is not."""
    name = field.name
    if name in table.DOCUMENT.names:
        kept = {
            "source": own and is_text(field.type),
            "doc_id": own,
            "url": is_text(field.type),
            "host": is_text(field.type),
            "fetched_at": pa.types.is_timestamp(field.type),
            "text": False,
        }
        if kept[name]:
            return result
        name = f"original_{name}"
    elif name in table.DROP_COLUMNS.names:
        if own:  # of rows that were dropped before
            return result
        name = f"original_{name}"
    while name in result.column_names:
        name += "_"
    return result.append_column(name, column.cast(plain_type(field.type)))


def readable(batch: pa.Table, but: str = "") -> tuple[pa.Table, dict[str, pa.Array] | None]:
    """The batch without bytes that are no UTF-8, and the verdict on the rows that had some. The column `but`
    is not looked at."""
    bad: dict[int, str] = {}
    for field in batch.schema:
        if not is_text(field.type) or field.name == but:
            continue
        column = batch.column(field.name)
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            plain = column.cast(plain_type(field.type))
            values = [_decoded(v) for v in plain.cast(pa.large_binary()).to_pylist()]
            bad |= {n: field.name for n, (_, whole) in enumerate(values) if not whole}
            batch = table.with_columns(
                batch, {field.name: pa.array([v for v, _ in values], pa.large_string())}
            )
    if not bad:
        return batch, None
    reasons = ["malformed_row" if n in bad else None for n in range(batch.num_rows)]
    details = [f"column {bad[n]!r} is not UTF-8" if n in bad else None for n in range(batch.num_rows)]
    return batch, {
        table.DROP: pa.array(reasons, pa.string()),
        table.DROP_DETAIL: pa.array(details, pa.string()),
    }


def _decoded(value: bytes | None) -> tuple[str | None, bool]:
    if value is None:
        return None, True
    try:
        return value.decode("utf-8"), True
    except UnicodeDecodeError:
        return value.decode("utf-8", "replace"), False


def _texts(batch: pa.Table, name: str) -> pa.ChunkedArray | None:
    if name not in batch.column_names or not is_text(batch.schema.field(name).type):
        return None
    return batch.column(name).cast(plain_type(batch.schema.field(name).type)).cast(pa.string())


def _filled(column: pa.ChunkedArray | None, places: Sequence[str]) -> pa.ChunkedArray | None:
    return None if column is None else pc.coalesce(column, pa.array(places, pa.string()))


def own_ids(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """doc_ids that bukvar made, whatever tool has stored them since: 16 bytes, or 32 hexadecimal digits. None
    where one is none."""
    if column.type == _ID:
        return None if column.null_count else column
    values = column.to_pylist() if is_text(column.type) or is_binary(column.type) else [None]
    if is_text(column.type):
        if not all(value is not None and _HEX.fullmatch(value) for value in values):
            return None
        values = [bytes.fromhex(str(value)) for value in values]
    elif not all(value is not None and len(value) == _ID.byte_width for value in values):
        return None
    return pa.chunked_array([pa.array(values, _ID)])


def _doc_ids(batch: pa.Table, name: str, places: Sequence[str]) -> pa.Array:
    """A digest of the dataset's `doc_id` or `id`; of "file:row" where there is none, or it is null."""
    column = next((batch.column(n) for n in ("doc_id", "id") if n in batch.column_names), None)
    values = [None] * batch.num_rows if column is None else column.to_pylist()
    return pa.array(
        [
            table.doc_id(place if value is None else identity_of(value, name))
            for value, place in zip(values, places, strict=True)
        ],
        _ID,
    )


def identity_of(value: Any, name: str) -> str:
    """What a document's own id identifies: text, everywhere; a number, within its file."""
    return f"{name}#id={value}" if isinstance(value, int | float) else str(value)


def _dates(batch: pa.Table) -> Any:
    for name in DATE_NAMES:
        if name not in batch.column_names:
            continue
        column = batch.column(name)
        if pa.types.is_timestamp(column.type):
            aware = column if column.type.tz else pc.assume_timezone(column, "UTC")
            return aware.cast(_DATE, safe=False)
        found = _texts(batch, name)
        if found is not None:
            return pa.array([parse_date(v) for v in found.to_pylist()], _DATE)
    return pa.nulls(batch.num_rows, _DATE)


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
