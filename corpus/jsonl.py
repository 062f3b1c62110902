"""Documents of JSON lines: one row a line, whatever the line holds; and why a file is none."""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
import pyarrow as pa

from corpus import storage, table
from corpus.errors import ShardError, one_line
from corpus.foreign import DATE_NAMES, URL_NAMES, host_of, identity_of, parse_date
from corpus.inputs import Input
from corpus.packing import unpacked
from corpus.surrogates import without_halves

#: Bytes from which a line is no document but a mistake, or a whole corpus: longer than any book.
MAX_LINE: Final = 64 << 20
_BLOCK: Final = 1 << 20
#: Columns of a row, in order; `extra` holds every field that is not one of ours as JSON. A title is a text in
#: the field `title`, as the stage extract names it; of another type it stays in `extra`.
SCHEMA: Final = pa.schema(
    [*table.DOCUMENT, pa.field("title", pa.string()), pa.field("extra", pa.large_string())]
)

ReadProgress = Callable[[float, float], None]


def read_jsonl(source: Input, rows: int, progress: ReadProgress) -> Iterator[pa.Table]:
    """Batches of at most `rows` documents; lines that are not JSON objects with a text, and lines above
    `MAX_LINE`, are judged. Raises ShardError, with the true reason, for a file without one document."""
    schema = pa.schema([*SCHEMA, *table.DROP_COLUMNS])
    pending: list[dict[str, Any]] = []
    texts = lines_read = 0
    yield SCHEMA.empty_table()
    with (
        storage.translated(source.name),
        storage.open_input(source.path) as raw,
        unpacked(raw, source.path) as stream,
    ):
        try:
            for number, line in lines_of(stream, source):
                if line is not None and not line.strip():
                    continue
                row = _row(line, source, number)
                lines_read += 1
                texts += row[table.DROP] is None
                pending.append(row)
                if len(pending) == rows:
                    yield _table(pending, schema)
                    pending = []
                    progress(*done_of(raw, source))
        except (EOFError, UnicodeDecodeError, OSError, zlib.error) as error:
            if isinstance(error, OSError) and storage.is_system_error(error):
                raise
            raise ShardError(f"{source.name}: {_unpacking(error)}") from error
    if lines_read and not texts:
        raise ShardError(f"{source.name}: {why_none(source)}")
    if pending:
        yield _table(pending, schema)


def _unpacking(error: Exception) -> str:
    said = one_line(error)
    if said.startswith("Not a gzipped file"):
        return "it is not gzip, whatever its name says; give it the ending of what it is"
    if "requires too much memory" in said or "window" in said.lower():
        return "packed with a zstd window above 128 MiB; pack it again without --long"
    return f"{said}; the file is cut short or damaged"


def lines_of(stream: Any, source: Input) -> Iterator[tuple[int, bytes | None]]:
    """Lines of an input with their numbers in the file: those that begin in its part. A line above `MAX_LINE`
    is None: it is passed over without being kept."""
    number, left = 0, None
    if source.part is not None:
        stream.seek(source.part.start)
        number, left = source.part.first, source.part.stop - source.part.start
    while left is None or left > 0:
        line = stream.readline(MAX_LINE + 1)
        if not line:
            return
        size = len(line)
        too_long = size > MAX_LINE and not line.endswith(b"\n")
        while too_long and (more := stream.readline(_BLOCK)):
            size += len(more)
            if more.endswith(b"\n"):
                break
        yield number, None if too_long else line
        number += 1
        left = None if left is None else left - size


def done_of(raw: Any, source: Input) -> tuple[float, float]:
    """How much of an input has been read from its file's stream, and of how much, in bytes."""
    if source.part is None:
        return raw.tell(), source.size
    return raw.tell() - source.part.start, source.part.stop - source.part.start


def _table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    batch = pa.Table.from_pylist(rows, schema=schema)
    if batch.column(table.DROP).null_count == batch.num_rows:
        return batch.drop_columns([table.DROP, table.DROP_DETAIL])
    return batch


def _row(line: bytes | None, source: Input, number: int) -> dict[str, Any]:
    name, text_column = source.name, source.text_column
    place = f"{name}:{number}"
    row: dict[str, Any] = dict.fromkeys([*SCHEMA.names, table.DROP, table.DROP_DETAIL])
    row |= {"source": place, "doc_id": table.doc_id(place), "url": f"file:{name}#row={number}"}
    if line is None:
        return row | {table.DROP: "too_large", table.DROP_DETAIL: f"a line above {MAX_LINE >> 20} MiB"}
    try:
        fields = _fields(line.removeprefix(b"\xef\xbb\xbf") if not number else line)
    except (ValueError, RecursionError) as error:
        return row | {table.DROP: "malformed_row", table.DROP_DETAIL: one_line(error)}
    text = fields.pop(text_column, None)
    if not isinstance(text, str):
        detail = f"{text_column!r} is {type(text).__name__}, not text"
        return row | {table.DROP: "malformed_row", table.DROP_DETAIL: detail}
    row["text"] = text
    identity = next((fields[n] for n in ("doc_id", "id") if fields.get(n) is not None), None)
    if identity is not None:
        row["doc_id"] = table.doc_id(identity_of(identity, name))
    url = next((fields[n] for n in URL_NAMES if isinstance(fields.get(n), str)), None)
    if url is not None:
        row["url"] = url
    row["host"] = host_of(row["url"])
    date = next((fields[n] for n in DATE_NAMES if isinstance(fields.get(n), str)), None)
    row["fetched_at"] = parse_date(date)
    if isinstance(fields.get("title"), str):
        row["title"] = fields.pop("title")
    extra = {k: v for k, v in fields.items() if url is None or k != "url"}
    row["extra"] = msgspec.json.encode(extra, order="deterministic").decode() if extra else None
    return row


def _fields(line: bytes) -> dict[str, Any]:
    """The fields of a line. Raises ValueError where it is no JSON object."""
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError) as strict:
        try:  # NaN, 1e400 and lone surrogates are no JSON; in a field beside the text they are no matter
            found = json.loads(line.decode())  # bytes would be read as UTF-16 where they look so
        except (ValueError, UnicodeDecodeError):
            raise ValueError(one_line(strict)) from strict
    if not isinstance(found, dict):
        raise ValueError(f"the line is a {type(found).__name__}, not an object")
    return {str(_plain(key)): _plain(value) for key, value in found.items()}


def _plain(value: Any) -> Any:
    """A value that JSON can hold: numbers without end become null, halves of a surrogate pair U+FFFD."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str):
        return without_halves(value)
    if isinstance(value, dict):
        return {str(_plain(k)): _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list) else value


def why_none(source: Input) -> str:
    """Why a file of lines has no document, by its first bytes."""
    with storage.open_input(source.path) as raw, unpacked(raw, source.path) as stream:
        head: bytes = stream.read(1 << 16)
    known = {
        b"\x1f\x8b": "it is packed with gzip: give it the ending .gz",
        b"\x28\xb5\x2f\xfd": "it is packed with zstd: give it the ending .zst",
        b"BZh": "it is packed with bzip2: give it the ending .bz2",
        b"\xfd7zXZ": "it is packed with xz: give it the ending .xz",
        b"\xff\xfe": "it is UTF-16; convert it, for example with iconv -f utf-16 -t utf-8",
        b"\xfe\xff": "it is UTF-16; convert it, for example with iconv -f utf-16 -t utf-8",
        b"PAR1": "it is Parquet: give it the ending .parquet",
    }
    for magic, said in known.items():
        if head.startswith(magic):
            return said
    if head.count(b"\0") > len(head) // 4:
        return "it is UTF-16; convert it, for example with iconv -f utf-16 -t utf-8"
    body = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if body.startswith(b"["):
        return "it is one JSON array, not a line for each document: jq -c '.[]' makes lines of it"
    if b"\n" not in head.strip() and b"\r" in head.strip():
        return "its lines end in CR alone; convert it, for example with tr '\\r' '\\n'"
    if body.startswith(b"{") and body.partition(b"\n")[0].strip() == b"{":
        return "its JSON is spread over lines: jq -c . makes a line of each document"
    try:
        head[: head.rfind(b"\n") + 1].decode("utf-8")
    except UnicodeDecodeError:
        return "it is not UTF-8; convert it, for example with iconv -f cp1251 -t utf-8"
    first, ended, _ = body.partition(b"\n")
    if ended or len(head) < 1 << 16:  # the first line is whole
        try:
            _fields(first)
        except ValueError as error:
            several = re.search(rb"}\s*{", first)
            hint = "; several objects stand on one line: jq -c . makes a line of each" if several else ""
            return (
                f"its lines are not JSON objects (the first: {one_line(error)}); documents are read from "
                f'Parquet, or from lines such as {{"{source.text_column}": ...}}{hint}'
            )
    return f"no row has a text in {source.text_column!r}; name it with --text-column"
