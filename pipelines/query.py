"""Rows of Parquet files that a person asks for: an SQL condition, a host, a drop reason, a sample.

The files are opened by pyarrow, on disks and object stores alike, and DuckDB is given their columns as a
table: it evaluates the condition and nothing else. It can open no file, load no extension and see no variable
of this program, and its parser takes one expression, so a condition can do no more than choose rows.
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from corpus import storage
from corpus.errors import UsageError
from corpus.table import DROP
from pipelines import duck, hosts

#: Rows that are read at a time: texts of 256 pages are about a megabyte.
BATCH_ROWS: Final = 256
#: Columns that a message names where no name is near.
_NAMED: Final = 40
_LIKE: Final = "write it like: words < 100 AND author IS NOT NULL AND title LIKE '%море%'"
_SEALED: Final = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
}
_LITERAL: Final = re.compile(r"'(?:[^']|'')*'")
_COMPARED_WITH_NULL: Final = re.compile(r"(?:==?|!=|<>)\s*null\b|\bnull\s*(?:==?|!=|<>)", re.IGNORECASE)


@dataclass(frozen=True)
class Wanted:
    """Which rows: all conditions must hold; an empty one holds. `hosts`: one of them, or a host below one.
    `identity`: the beginning of a doc_id in hexadecimal digits. `pattern`: found in the text."""

    where: str = ""
    hosts: tuple[str, ...] = ()
    reason: str = ""
    identity: str = ""
    pattern: re.Pattern[str] | None = None


def read_rows(files: Sequence[str], wanted: Wanted) -> Iterator[dict[str, Any]]:
    """Rows of the files in their order. Raises UsageError for a condition or file that is wrong."""
    for file in files:
        for batch in _batches(file, wanted, None):
            yield from _rows(batch)


def _rows(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    """Rows of a batch as Python values; a value that Python has no type for (a date in the year 200000) as
    text."""
    columns = [_values(column) for column in batch.columns]
    for values in zip(*columns, strict=True):
        yield dict(zip(batch.schema.names, values, strict=True))


def _values(column: pa.Array) -> list[Any]:
    try:
        values: list[Any] = column.to_pylist()
    except (OverflowError, ValueError):
        try:
            values = column.cast(pa.string()).to_pylist()
        except pa.ArrowException:  # nested: no cast to text
            values = [f"<{column.type}>"] * len(column)
    return values


def count_rows(files: Sequence[str], wanted: Wanted) -> int:
    """How many rows match."""
    return sum(batch.num_rows for file in files for batch in _batches(file, wanted, ()))


def sample_rows(files: Sequence[str], wanted: Wanted, size: int, seed: int) -> Iterator[dict[str, Any]]:
    """`size` of the rows, each as likely as any other, in the order of the files.

    A seed chooses by doc_id: it takes the same documents whatever the shards, and of two stages those that
    both have come together as often as can be. Rows without a doc_id are chosen by file name and place. Texts
    are read only of files of which a row was chosen.
    """
    best = np.empty((0, 3), np.uint64)  # priority, file, place among the rows that match
    for number, file in enumerate(files):
        place = 0
        for batch in _batches(file, wanted, ("doc_id",)):
            ranks = _priorities(batch, storage.base_name(file), place, seed)
            places = np.arange(place, place + batch.num_rows, dtype=np.uint64)
            more = np.stack([ranks, np.full_like(ranks, number), places], axis=1)
            best = np.concatenate([best, more])
            best = best[np.lexsort(best.T[::-1])][:size]
            place += batch.num_rows
    for number, file in enumerate(files):
        chosen = np.sort(best[best[:, 1] == number, 2]).astype(np.int64)
        if len(chosen):
            yield from _rows_at(file, wanted, chosen)


def _rows_at(file: str, wanted: Wanted, chosen: Any) -> Iterator[dict[str, Any]]:
    start = 0
    for batch in _batches(file, wanted, None):
        inside = chosen[(chosen >= start) & (chosen < start + batch.num_rows)] - start
        if len(inside):
            yield from _rows(batch.take(pa.array(inside)))
        start += batch.num_rows


def _priorities(batch: pa.RecordBatch, name: str, start: int, seed: int) -> Any:
    """A number for each row, as if drawn: of its doc_id, or of file name and place, and of the seed."""
    key = int.from_bytes(hashlib.sha256(f"{seed}".encode()).digest()[:8], "little")
    numbers = _of_ids(batch.column("doc_id")) if "doc_id" in batch.schema.names else None
    if numbers is None:
        own = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
        numbers = np.arange(start, start + batch.num_rows, dtype=np.uint64) + np.uint64(own)
    return _mixed(_mixed(numbers) ^ np.uint64(key))


def _of_ids(column: Any) -> Any:
    """64 bits of each doc_id, bytes or hexadecimal text; None where they are neither."""
    if column.null_count:
        return None
    values = column.to_pylist()
    if not all(isinstance(value, bytes | str) and len(value) in (16, 32) for value in values):
        return None
    try:
        ids = [value if isinstance(value, bytes) else bytes.fromhex(value) for value in values]
    except ValueError:
        return None
    return np.array([int.from_bytes(one[:8], "little") for one in ids], np.uint64)


def _mixed(x: Any) -> Any:
    """splitmix64's finalizer (Steele, Lea and Flood, 2014): every bit depends on every bit."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _batches(file: str, wanted: Wanted, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
    """Rows of a file that match: all columns, or those of `columns` that it has (none of them: some column,
    for the number of rows). Where a store does not answer in the middle the file is read again, from the row
    on that comes next."""
    batches: Iterator[pa.RecordBatch] | None = None
    given = 0

    def next_batch() -> pa.RecordBatch | None:
        nonlocal batches
        if batches is None:
            batches = _from_row(given, _read(file, wanted, columns))
        try:
            return next(batches, None)
        except Exception:
            batches = None  # a generator that has raised would say that it is at its end
            raise

    with storage.translated(file):
        while (batch := storage.patiently(file, next_batch, plain=True)) is not None:
            given += batch.num_rows
            yield batch


def _from_row(start: int, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The rows from a number on."""
    for batch in batches:
        if start < batch.num_rows:
            yield batch.slice(start)
        start = max(0, start - batch.num_rows)


def _read(file: str, wanted: Wanted, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
    filesystem, path = storage.open_filesystem(file)
    try:
        data = ds.dataset(path, filesystem=filesystem, format="parquet")
    except pa.ArrowException as error:
        raise UsageError(f"{file}: not a readable Parquet file ({error})") from error
    names = data.schema.names
    needed = None if columns is None else [name for name in columns if name in names]
    if wanted.pattern is not None and needed is not None:
        needed = [*needed, "text"] if "text" in names else needed
    if needed is not None and not needed:
        needed = _smallest(data.schema)
    expression = _arrow_condition(wanted, data.schema)
    if expression is not None:
        data = data.filter(expression)
    found = _by_sql(data, wanted.where, needed, file) if wanted.where else _plainly(data, needed)
    for batch in found:
        chosen = _by_pattern(batch, wanted.pattern)
        if chosen.num_rows:
            yield chosen


def _smallest(schema: pa.Schema) -> list[str]:
    plain = [f.name for f in schema if pa.types.is_primitive(f.type)]
    return (plain or schema.names)[:1]


def _plainly(data: Any, columns: list[str] | None) -> Iterator[pa.RecordBatch]:
    rows = BATCH_ROWS if columns is None else 1 << 16
    yield from data.to_batches(columns=columns, batch_size=rows)


def _by_pattern(batch: pa.RecordBatch, pattern: re.Pattern[str] | None) -> pa.RecordBatch:
    if pattern is None:
        return batch
    if "text" not in batch.schema.names:
        return batch.slice(0, 0)
    texts = batch.column("text").to_pylist()
    return batch.filter(pa.array([bool(pattern.search(text or "")) for text in texts], pa.bool_()))


def _arrow_condition(wanted: Wanted, schema: pa.Schema) -> Any:
    """Conditions that are no SQL, as an Arrow expression; None where there are none."""
    parts = []
    if wanted.hosts:
        parts.append(_host_condition(wanted.hosts, schema.names))
    if wanted.reason:
        _require(schema, DROP, "--reason")
        parts.append(ds.field(DROP) == wanted.reason)
    if wanted.identity:
        parts.append(_id_condition(wanted.identity.lower(), schema))
    found = None
    for part in parts:
        found = part if found is None else found & part
    return found


def _require(schema: pa.Schema, column: str, option: str) -> None:
    if column not in schema.names:
        raise UsageError(f"{option}: no column {column!r}; {_there_are(schema.names)}")


def _id_condition(start: str, schema: pa.Schema) -> Any:
    _require(schema, "doc_id", "--id")
    kind = schema.field("doc_id").type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pc.starts_with(ds.field("doc_id"), start)
    low, high = bytes.fromhex(start.ljust(32, "0")), bytes.fromhex(start.ljust(32, "f"))
    # Arrow's scanner compares bytes of no fixed length only.
    value = ds.field("doc_id").cast(pa.binary())
    return (value >= pa.scalar(low, pa.binary())) & (value <= pa.scalar(high, pa.binary()))


def _host_condition(asked: Sequence[str], names: Sequence[str]) -> Any:
    column = next((name for name in ("host", "url") if name in names), None)
    if column is None:
        raise UsageError(f"--host: neither a column 'host' nor 'url'; {_there_are(names)}")
    try:
        forms = "|".join(re.escape(form) for host in asked for form in hosts.forms(host))
    except ValueError as error:
        raise UsageError(f"--host {error}") from error
    pattern = rf"^(.+\.)?({forms})\.?$"
    if column == "url":
        pattern = rf"^[a-z][a-z0-9+.-]*://([^/?#]*@)?([^/?#:@]+\.)?({forms})\.?(:[0-9]+)?([/?#]|$)"
    return pc.match_substring_regex(ds.field(column), pattern, ignore_case=True)


def _by_sql(data: Any, where: str, columns: list[str] | None, file: str) -> Iterator[pa.RecordBatch]:
    """Batches of rows for which the condition is true. doc_id is hexadecimal text in it and in the rows."""
    import duckdb

    _check_nulls(where, data.schema.names)
    try:
        rows = _sealed().from_arrow(data).project(_as_shown(data.schema)).set_alias("documents")
        # DuckDB's parser takes one expression here: no second statement, no end of a bracket.
        found = rows.filter(where)
        if columns is not None:
            found = found.project(", ".join(map(_quoted, columns)))
        with duck.reading(file):
            yield from found.to_arrow_reader(BATCH_ROWS if columns is None else 1 << 16)
    except duckdb.Error as error:
        raise UsageError(f"--where {where[:80]!r}: {_said(str(error), where, data.schema.names)}") from error


@functools.cache
def _sealed() -> Any:
    """A connection that opens no file; one for all shards, since making one takes longer than a shard."""
    import duckdb

    connection = duckdb.connect(":memory:", config=dict(_SEALED))
    connection.execute("SET TimeZone = 'UTC'; SET lock_configuration = true")
    return connection


def _as_shown(schema: pa.Schema) -> str:
    """The columns of a SELECT: those of bytes as hexadecimal digits, in lower case as everywhere."""
    binary = [f.name for f in schema if pa.types.is_fixed_size_binary(f.type) or pa.types.is_binary(f.type)]
    shown = ", ".join(f"lower(hex({_quoted(name)})) AS {_quoted(name)}" for name in binary)
    return f"* REPLACE ({shown})" if shown else "*"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _check_nulls(where: str, names: Sequence[str]) -> None:
    """Raise UsageError for a test for null that SQL takes and that finds nothing, and for Python's None."""
    bare = _LITERAL.sub("''", where)
    if _COMPARED_WITH_NULL.search(bare) or (re.search(r"\bNone\b", bare) and "None" not in names):
        raise UsageError(
            f"--where {where[:80]!r}: nothing is equal to null; write COLUMN IS NULL or COLUMN IS NOT NULL"
        )


def _said(message: str, where: str, names: Sequence[str]) -> str:
    """DuckDB's message as one line that says what to do."""
    missing = re.search(r'Referenced column "([^"]*)" not found', message)
    if missing:
        return _no_column(missing.group(1), where, names)
    text = " ".join(re.split(r"\n\s*\n|\nLINE ", message)[0].split())[:300]
    text = re.sub("^(Parser|Binder|Conversion) Error: ", "", text)
    if "Conversion Error" in message:
        dates = "try_cast(COLUMN AS DATE) gives null where a value is no date"
        return f"{text}; " + (dates if re.search("date|time", text) else _LIKE)
    if "Permission Error" in message or "Catalog Error" in message:
        return f"{text.splitlines()[0]}; a condition reads the columns of the rows and nothing else"
    return f"{text}; {_LIKE}"


def _no_column(name: str, where: str, names: Sequence[str]) -> str:
    if f'"{name}"' in where:
        return f"no column {name!r}; texts stand in single quotes: '{name}'"
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"no column {name!r}; " + (f"did you mean {near[0]!r}?" if near else _there_are(names))


def _there_are(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    shown = ", ".join(names[:_NAMED])
    return f"there are {shown}" + (f" and {more} more (--json --limit 1 shows them)" if more > 0 else "")
