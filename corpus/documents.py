"""Read documents from Parquet or JSONL, our own or anybody's, as tables that begin with `table.DOCUMENT`.

A dataset of somebody else needs a text column and nothing more: `doc_id`, `url`, `host`, `fetched_at` and
`source` are made up deterministically where they are absent. Parquet columns that we do not know pass
through; JSONL fields other than ours and `title` are kept as JSON in the column `extra`, since their types
may differ from line to line. What can't be used becomes a row that is dropped, with the reason.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from corpus import storage
from corpus.errors import ShardError, one_line
from corpus.foreign import DATE_NAMES, IDENTITY, as_documents, holds_text, host_of, parse_date, plain_type
from corpus.inputs import Input
from corpus.jsonl import done_of, lines_of, read_jsonl
from corpus.packing import open_lines, unpacked
from corpus.writing import conform

__all__ = [
    "DATE_NAMES", "done_of", "host_of", "lines_of", "open_lines", "parse_date", "read_documents",
    "read_texts", "unpacked",
]  # fmt: skip

#: Endings by which an input's kind is known. Order matters: the longest first.
PARQUET_ENDINGS: Final = (".parquet", ".pq")
_PACKED: Final = ("", ".gz", ".zst", ".bz2", ".xz")
JSONL_ENDINGS: Final = tuple(name + packed for name in (".jsonl", ".ndjson", ".json") for packed in _PACKED)
TEXT_ENDINGS: Final = tuple(".txt" + packed for packed in _PACKED)
DOCUMENT_ENDINGS: Final = PARQUET_ENDINGS + JSONL_ENDINGS

#: Progress callback of reading: how much is done, and of how much, in any unit.
ReadProgress = Callable[[float, float], None]
#: A batch, its file's name, the number of its first row and the text column to documents.
_Maker = Callable[[pa.Table, str, int, str], pa.Table]


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
        wanted = (*IDENTITY, *also) if text_only else None
        yield from _read_parquet(source, rows, wanted, progress or _ignore, as_documents)
    else:
        yield from read_jsonl(source, rows, progress or _ignore)


def read_texts(
    source: Input,
    rows: int,
    *,
    also: tuple[str, ...] = (),
    identified: bool = True,
    progress: ReadProgress | None = None,
) -> Iterator[pa.Table]:
    """As `read_documents` with `text_only`, and in less time: that text of Parquet is UTF-8 is left to who
    uses it, and unless `identified` base columns of Parquet other than the text are null."""
    if is_parquet(source.path):
        wanted = (*IDENTITY, *also) if identified else also
        made = functools.partial(as_documents, unchecked=True, anonymous=not identified)
        yield from _read_parquet(source, rows, wanted, progress or _ignore, made)
    else:
        yield from read_jsonl(source, rows, progress or _ignore)


def _ignore(done: float, of: float) -> None: ...


def is_parquet(location: str) -> bool:
    """Whether a location's ending says Parquet."""
    return storage.path_part(location).lower().endswith(PARQUET_ENDINGS)


def parquet_schema(location: str) -> pa.Schema:
    """Schema of a Parquet file. Raises ShardError where it is corrupt."""
    try:
        return storage.reading(location, pq.read_schema)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and storage.is_system_error(error):
            raise storage.translate(error, location) from error
        raise ShardError(_corrupt(location, error)) from error


def _corrupt(location: str, error: Exception) -> str:
    return f"{location}: not a readable Parquet file ({one_line(error)}); make it again or leave it out"


def check_text_column(schema: pa.Schema, text_column: str, where: str) -> None:
    """Raise ShardError, saying what to do, unless the schema has this column once, it holds text (or its
    bytes), and no name stands twice."""
    twice = [name for name, count in Counter(schema.names).items() if count > 1]
    if twice:
        raise ShardError(f"{where}: two columns are named {twice[0]!r}; rename one")
    if text_column not in schema.names:
        known = ", ".join(schema.names[:12])
        raise ShardError(f"{where}: no column {text_column!r} (it has {known}); name it with --text-column")
    kind = schema.field(text_column).type
    if not holds_text(kind):
        raise ShardError(
            f"{where}: column {text_column!r} is {kind}, not text; name another with --text-column"
        )


def _read_parquet(
    source: Input, rows: int, wanted: tuple[str, ...] | None, progress: ReadProgress, made: _Maker
) -> Iterator[pa.Table]:
    part, text_column = source.part, source.text_column
    unified = pa.ipc.read_schema(pa.py_buffer(source.schema)) if source.schema and wanted is None else None
    with storage.open_input(source.path) as stream:
        try:
            # With pre_buffer a row group's columns come in one or two requests, and lie in memory packed.
            file = pq.ParquetFile(stream, pre_buffer=storage.local_path(source.path) is None)
            schema = file.schema_arrow.remove_metadata()
            check_text_column(schema, text_column, source.name)
            first = start = part.first if part else 0
            groups = list(range(part.start, part.stop) if part else range(file.num_row_groups))
            total = sum(file.metadata.row_group(n).num_rows for n in groups)
            columns = None
            if wanted is not None:
                here = [c for c in wanted if c in schema.names and c != text_column]
                columns = [*dict.fromkeys(here), text_column]
            empty = schema.empty_table().select(columns or schema.names)
            yield made(_unified(empty, unified), source.name, first, text_column)
            for batch in _batches_of(file, rows, groups, columns):
                found = _unified(pa.Table.from_batches([batch]), unified)
                yield made(found, source.name, first, text_column)
                first += batch.num_rows
                progress(first - start, total)
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and storage.is_of_the_store(error):
                raise
            raise ShardError(_corrupt(source.name, error)) from error


def _unified(batch: pa.Table, schema: pa.Schema | None) -> pa.Table:
    return batch if schema is None else conform(batch, schema)


def _batches_of(
    file: pq.ParquetFile, rows: int, groups: list[int], columns: list[str] | None
) -> Iterator[pa.RecordBatch]:
    """Batches of one row group after the other: what is read ahead of an object store is a group's."""
    for group in groups:
        yield from file.iter_batches(rows, row_groups=[group], columns=columns, use_threads=False)


def unify(schemas: list[tuple[str, pa.Schema]]) -> bytes:
    """One schema for the documents of several files, serialised; empty where all are equal already.

    Columns are united; null widens to what another file has, whole numbers to fractions, views and
    dictionaries of text to text. Raises ValueError that names the column and both files where types conflict.
    """
    plain = [
        (
            name,
            pa.schema(
                [f.with_type(plain_type(f.type)).with_nullable(True).remove_metadata() for f in schema]
            ),
        )
        for name, schema in schemas
    ]
    if all(schema.equals(plain[0][1]) for _, schema in plain):
        return b""
    fields: dict[str, tuple[pa.Field, str]] = {}
    for name, schema in plain:
        for field in schema:
            known, where = fields.get(field.name, (field, name))
            try:
                both = [pa.schema([known]), pa.schema([field])]
                found = pa.unify_schemas(both, promote_options="permissive").field(0)
            except pa.ArrowException as error:
                raise ValueError(
                    f"column {field.name!r} is {known.type} in {where} and {field.type} in {name}; make them "
                    "the same, or give the files one by one"
                ) from error
            fields[field.name] = (found, where)
    return bytes(pa.schema([field for field, _ in fields.values()]).serialize().to_pybytes())
