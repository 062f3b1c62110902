"""Rows of Parquet files by the value of one column: an address among ten million.

Local files are read by DuckDB, which reads 800 footers and a column of ten million addresses in a third of
the processor time that pyarrow's datasets take (docs/measured/engine.md), those of object stores by pyarrow.
Row groups whose statistics leave the value out are passed over by both.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, Final

from corpus import storage
from corpus.errors import ShardError, one_line

#: Files whose rows are asked for at once: SQL's list of names stays within megabytes.
_FILES: Final = 5_000


def rows_with(
    files: Sequence[str], column: str, value: str | bytes, columns: Sequence[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Files and rows in which `column` is `value`: those of `columns` that the first of the files has. Files
    that lack `column` give none. Ids are bytes, or text where the files hold text.

    The files have one schema. Raises ShardError for one that can't be read.
    """
    if not files:
        return
    if storage.local_path(files[0]) is None:
        yield from storage.patiently(
            files[0], lambda: list(_by_arrow(files, column, value, columns)), plain=True
        )
        return
    for start in range(0, len(files), _FILES):
        yield from _by_duckdb(files[start : start + _FILES], column, value, columns)


@functools.cache
def _connection() -> Any:
    import duckdb

    return duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})


def _by_duckdb(
    files: Sequence[str], column: str, value: str | bytes, columns: Sequence[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    import duckdb

    locations = {str(storage.local_path(file)): file for file in files}
    names = [_escaped(path) for path in locations]
    connection = _connection()
    try:
        first = f"SELECT * FROM read_parquet({_literal(names[0])})"  # noqa: S608 - a literal, quoted
        described = connection.execute(f"DESCRIBE {first}").fetchall()
        schema = {str(name): kind for name, kind, *_ in described}
        if column not in schema:
            return
        if isinstance(value, bytes) and schema[column] == "VARCHAR":
            value = value.hex()  # published datasets hold ids as text
        shown = [name for name in columns if name in schema]
        select = ", ".join(["filename", *(f'"{name}"' for name in shown)])
        listed = ", ".join(map(_literal, names))
        # Literals: at its first parameter DuckDB imports pandas, which takes longer than the search.
        found = connection.execute(
            f"SELECT {select} FROM read_parquet([{listed}], filename = true) "  # noqa: S608 - literals, quoted
            f'WHERE "{column}" = {_literal(value)} ORDER BY filename'
        ).fetchall()
    except duckdb.Error as error:
        raise ShardError(f"not a readable Parquet file: {one_line(error)}") from error
    for path, *values in found:
        yield locations[path], dict(zip(shown, values, strict=True))


def _literal(value: str | bytes) -> str:
    """A value in SQL: in a text between single quotes only these have a meaning."""
    if isinstance(value, bytes):
        return f"unhex('{value.hex()}')"
    return "'" + value.replace("'", "''") + "'"


def _escaped(path: str) -> str:
    """A path that is a pattern to DuckDB, as one that stands for itself."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in path)


def _by_arrow(
    files: Sequence[str], column: str, value: str | bytes, columns: Sequence[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    import pyarrow as pa
    import pyarrow.dataset as ds

    filesystem, _ = storage.open_filesystem(files[0])
    locations = {storage.open_filesystem(file)[1]: file for file in files}
    try:
        data = ds.dataset(list(locations), filesystem=filesystem, format="parquet")
        if column not in data.schema.names:
            return
        kind = data.schema.field(column).type
        if isinstance(value, bytes) and (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            value = value.hex()
        wanted = ds.field(column) == pa.scalar(value, kind)
        # All files are searched by the one column; the others are read only of files that have the value.
        places = data.to_table(columns=["__filename"], filter=wanted).column("__filename")
        shown = [name for name in columns if name in data.schema.names]
        for path in sorted(set(places.to_pylist())):
            one = ds.dataset([path], filesystem=filesystem, format="parquet")
            for row in one.to_table(columns=shown, filter=wanted).to_pylist():
                yield locations[path], row
    except pa.ArrowException as error:
        raise ShardError(f"not a readable Parquet file: {one_line(error)}") from error
