"""What an input of `extract` is, and pages from what is no crawl file: HTML in Parquet or JSONL, files of
HTML, MediaWiki dumps.

Each reader yields the batches of `corpus.extract.warc`, so that a stage sees one kind of input. `offset` is
the row, line or page number, from 0; `record_type` says which reader it was.
"""

from __future__ import annotations

import datetime
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from corpus import storage
from corpus.documents import DATE_NAMES, host_of, open_lines, parse_date, unpacked
from corpus.errors import ShardError, UsageError, one_line
from corpus.extract import warc
from corpus.extract.containers import CRAWL
from corpus.extract.packed import Packed
from corpus.extract.warc import DROPPED, Batch, Gate, Page
from corpus.extract.wikidump import read_dump
from corpus.foreign import holds_text
from corpus.inputs import Part
from corpus.surrogates import without_halves
from rust_ext import gate_judge

#: Pages of one batch.
BATCH_PAGES: Final = 512
#: Rows of a Parquet file that are held at a time: few, since one page may be as large as the limit.
_PARQUET_ROWS: Final = 64

Kind = Literal["crawl", "parquet", "jsonl", "page", "mediawiki"]

_PACKED: Final = r"(\.gz|\.bz2|\.xz|\.zst)?$"
_HTML: Final = r"\.x?html?(\.[a-z]{2}(-[a-z]{2,4})?|\.(cp|koi|iso|utf|ucs)[a-z0-9-]*)*"
#: What a name says about its file. `index.html.ru.koi8-r` is how Apache names translations; dumps come in
#: parts named `...xml-p1p224167.bz2`.
_PATTERNS: Final[dict[Kind, str]] = {
    "crawl": CRAWL.pattern + r"|\.wacz$",
    "parquet": r"\.(parquet|pq)$",
    "jsonl": r"\.(jsonl|ndjson)" + _PACKED,
    "mediawiki": r"\.xml(-p\d+p\d+)?" + _PACKED,
    "page": _HTML + _PACKED,
}
_NAMES: Final = tuple((kind, re.compile(p, re.IGNORECASE)) for kind, p in _PATTERNS.items())
#: Begins a record of WARC or WET, a file of ARC, a record of ARC.
_CRAWL_HEAD: Final = re.compile(rb"WARC/\d|filedesc:|^\w+://\S+ [\d.:a-f]+ \d{8,14} ", re.MULTILINE)
#: Bytes looked at where the name says nothing.
_HEAD: Final = 16 << 10


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns or fields that hold a page and its address."""

    url: str = "url"
    html: str = "html"


@dataclass(frozen=True, slots=True)
class Raw:
    """A page before the gate, or why there is none (`reason` of the closed list, `detail`)."""

    url: str
    number: int
    body: bytes = b""
    reason: str = ""
    detail: str = ""
    fetched_at: int | None = None
    record_id: str = ""
    title: str | None = None
    truncated: str | None = None


@dataclass(frozen=True, slots=True)
class Article(Page):
    """A page that is text already, with the title that its dump gives."""

    title: str | None = None


def kind_by_name(location: str) -> Kind | None:
    """What a file is by its name; None where the name says nothing."""
    name = storage.base_name(location)
    return next((kind for kind, pattern in _NAMES if pattern.search(name)), None)


def kind_of(location: str) -> Kind:
    """What a file is: by its name, else by its first bytes. What looks like nothing is taken for a crawl,
    whose reader counts what is no record. Raises the errors of opening it."""
    named = kind_by_name(location)
    if named:
        return named
    head = _head(location)
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"{"):
        return "jsonl"
    if b"<mediawiki" in head:
        return "mediawiki"
    is_wide = head[:2] in (b"\xff\xfe", b"\xfe\xff")  # a byte order mark
    return "page" if start.startswith(b"<") or is_wide else "crawl"


def check_kind(location: str, name: str) -> None:
    """Raise UsageError, saying what to do, where neither a file's name nor its first bytes say that it is an
    input. An empty file is one, of no record."""
    if kind_by_name(location) is None and kind_of(location) == "crawl":
        head = _head(location)
        if head and not _CRAWL_HEAD.search(head):
            raise UsageError(
                f"{name}: neither its name nor its first bytes are those of a crawl (WARC, ARC, WET), HTML "
                "or a MediaWiki dump; leave the file out, or give it the ending of what it is"
            )


def accepts(location: str) -> bool:
    """Whether a folder's file is an input. XML is one only where it is a dump: a mirrored site has feeds."""
    kind = kind_by_name(location)
    return kind is not None and (kind != "mediawiki" or b"<mediawiki" in _head(location))


def _head(location: str) -> bytes:
    with storage.translated(location), open_lines(location) as stream:
        return Packed(stream).read(_HEAD)


def check_columns(location: str, name: str, columns: Columns) -> None:
    """Raise UsageError, saying what to do, where a Parquet file lacks the columns. A corrupt file is left to
    fail by itself, as a shard."""
    try:
        with storage.open_input(location) as stream:
            schema = pq.read_schema(stream)
    except pa.ArrowException:
        return
    for key, column in (("html_column", columns.html), ("url_column", columns.url)):
        if column not in schema.names:
            known = ", ".join(schema.names[:12])
            raise UsageError(
                f"{name}: no column {column!r} (it has {known}); name yours with --set extract.{key}=NAME, "
                "or leave the file out"
            )
    kind = schema.field(columns.html).type
    if not holds_text(kind):
        raise UsageError(
            f"{name}: column {columns.html!r} is {kind}, neither text nor bytes; "
            "name another with --set extract.html_column=NAME"
        )


def read_any(
    location: str,
    *,
    name: str = "",
    gate: Gate = "russian",
    max_bytes: int = warc.MAX_RECORD_BYTES,
    columns: Columns | None = None,
    part: Part | None = None,
) -> Iterator[Batch]:
    """Pages of a file of any kind, or of a part of a crawl file, Parquet or JSONL. `name` stands for the file
    in made-up addresses ("file:NAME#row=7").

    Raises ShardError, UsageError and OSError of the file as a whole; what is wrong with one page is a dropped
    row. A compressed file that is cut short gives the pages before the cut, and one row that says so.
    """
    warc.check_gate(gate)
    kind = kind_of(location)
    if kind == "crawl":
        return warc.read(location, gate=gate, max_record_bytes=max_bytes, part=part)
    place = _Place()
    how = _How(name or storage.base_name(location), gate, max_bytes, columns or Columns(), part)
    raws = _raws(kind, location, how, place)
    return _judge(raws, kind, how, place)


@dataclass(frozen=True, slots=True)
class _How:
    """Which pages of a file are read, and what they are called."""

    name: str
    gate: Gate
    max_bytes: int
    columns: Columns
    part: Part | None = None


@dataclass(slots=True)
class _Place:
    """How far a file, or its part, has been read, in bytes of it."""

    position: int = 0


def _raws(kind: Kind, location: str, how: _How, place: _Place) -> Iterator[Raw]:
    if kind == "parquet":
        check_columns(location, how.name, how.columns)
        yield from _parquet_rows(location, how, place)
        return
    start = how.part.start if how.part else 0
    with storage.open_input(location) as file, unpacked(file, location) as stream:
        packed = Packed(stream)
        number = -1
        if kind == "jsonl":
            if start:
                stream.seek(start)
            rows = _json_rows(packed, how)
        elif kind == "mediawiki":
            rows = _articles(packed, how)
        else:
            body = packed.read(how.max_bytes + 1)
            rows = iter([Raw(f"file:{how.name}", 0, body, truncated="file" if packed.damage else None)])
        for raw in rows:
            number = raw.number
            place.position = file.tell() - start
            yield raw
        if packed.damage:
            yield Raw("", number + 1, reason="malformed_record", detail=f"file_cut_short: {packed.damage}")


def _parquet_rows(location: str, how: _How, place: _Place) -> Iterator[Raw]:
    with storage.open_input(location) as stream:
        try:
            # With pre_buffer, pyarrow's default, the whole compressed file would lie in memory.
            file = pq.ParquetFile(stream, pre_buffer=False)
            wanted = (how.columns.url, how.columns.html, "record_id", *DATE_NAMES)
            present = [n for n in wanted if n in file.schema_arrow.names]
            groups = range(how.part.start, how.part.stop) if how.part else range(file.num_row_groups)
            number = first = how.part.first if how.part else 0
            for batch in file.iter_batches(_PARQUET_ROWS, groups, columns=present, use_threads=False):
                done = number + batch.num_rows - first
                place.position = stream.size() * done // file.metadata.num_rows
                columns = {n: _values(batch.column(n), as_bytes=n == how.columns.html) for n in present}
                for values in zip(*columns.values(), strict=True):
                    yield _row(dict(zip(columns, values, strict=True)), number, how)
                    number += 1
        except pa.ArrowException as error:
            raise ShardError(
                f"{how.name}: not a readable Parquet file ({one_line(error)}); make it again or leave it out"
            ) from error


def _values(column: pa.Array, *, as_bytes: bool) -> Any:
    """Values of a column; bytes, if asked, where a text is no UTF-8: writers of Parquet need not check."""
    with suppress(UnicodeDecodeError):
        return column.to_pylist()
    found = column.cast(pa.large_binary()).to_pylist()
    return found if as_bytes else [v if v is None else v.decode("utf-8", "replace") for v in found]


def _json_rows(stream: Packed, how: _How) -> Iterator[Raw]:
    # A line holds a page, escaped: at most six bytes a byte, and the other fields.
    limit = 6 * how.max_bytes + (1 << 20)
    number = first = how.part.first if how.part else 0
    left = how.part.stop - how.part.start if how.part else math.inf  # bytes; a part ends with a line
    pages = 0
    while left > 0 and (line := stream.readline(limit)):
        left -= len(line)
        if len(line) >= limit and not line.endswith(b"\n"):
            line = b""  # what is held, and what comes, shall not lie in memory together
            while (rest := stream.readline(_HEAD)) and not rest.endswith(b"\n"):
                left -= len(rest)
            left -= len(rest)
            place = f"file:{how.name}#row={number}"
            yield Raw(place, number, reason="malformed_row", detail="line_too_long")
        elif line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            raw = _row(row, number, how)
            pages += not raw.reason
            yield raw
        number += 1
    if number > first and not pages and not stream.damage:
        raise ShardError(
            f"{how.name}: no line is a JSON object with HTML in {how.columns.html!r}; "
            "name yours with --set extract.html_column=NAME"
        )


def _row(row: Any, number: int, how: _How) -> Raw:
    place = f"file:{how.name}#row={number}"
    if not isinstance(row, dict):
        return Raw(place, number, reason="malformed_row", detail="no_object")
    url, body = row.get(how.columns.url), row.get(how.columns.html)
    url = without_halves(url) if isinstance(url, str) and url else place
    if isinstance(body, str):
        body = body.encode("utf-8", "replace")
    if not isinstance(body, bytes):
        return Raw(url, number, reason="malformed_row", detail="no_html")
    identity = row.get("record_id")
    return Raw(
        url, number, body, fetched_at=_date(row), record_id=identity if isinstance(identity, str) else ""
    )


def _date(row: dict[str, Any]) -> int | None:
    for name in DATE_NAMES:
        date = row.get(name)
        date = parse_date(date) if isinstance(date, str) else date
        if isinstance(date, datetime.datetime):
            # A date without a zone is UTC, whatever zone this machine is in.
            aware = date if date.tzinfo else date.replace(tzinfo=datetime.UTC)
            return int(aware.timestamp())
    return None


def _articles(stream: Packed, how: _How) -> Iterator[Raw]:
    seen = False
    for page in read_dump(stream, how.max_bytes):
        seen = True
        date = parse_date(page.timestamp)
        yield Raw(
            page.url,
            page.number,
            page.text.encode(),
            page.reason,
            page.detail,
            int(date.timestamp()) if date else None,
            page.identity,
            page.title,
        )
    if not seen and not stream.damage:
        raise ShardError(f"{how.name}: no <page> of a MediaWiki dump in it; leave the file out")


def _judge(raws: Iterable[Raw], kind: Kind, how: _How, place: _Place) -> Iterator[Batch]:
    pages: list[Page] = []
    dropped: list[dict[str, Any]] = []
    size = 0
    for raw in raws:
        if why := _refusal(raw, how.gate, how.max_bytes):
            dropped.append(_dropped(raw, *why))
        else:
            pages.append(_page(raw, kind))
            size += len(raw.body)
        if len(pages) + len(dropped) >= BATCH_PAGES or size >= warc.BATCH_BYTES:
            yield _batch(pages, dropped, place)
            pages, dropped, size = [], [], 0
    if pages or dropped:
        yield _batch(pages, dropped, place)


def _refusal(raw: Raw, gate: Gate, max_bytes: int) -> tuple[str, str] | None:
    if raw.reason:
        return raw.reason, raw.detail
    if len(raw.body) > max_bytes:
        return "page_too_large", f"bytes > {max_bytes}"
    if not raw.body.strip():
        return "empty_payload", ""
    # A page in a table or a file is here whole already: to look at its first bytes would spare nothing.
    if gate != "off":
        keep, cyrillic, latin, charset, cost = gate_judge(raw.body)
        if not keep:
            return "not_cyrillic", f"cyrillic={cyrillic} latin={latin} charset={charset} pair_cost={cost}"
    return None


def _page(raw: Raw, kind: Kind) -> Page:
    text = kind == "mediawiki"
    return Article(
        url=raw.url,
        host=host_of(raw.url),
        fetched_at=raw.fetched_at,
        record_id=raw.record_id,
        offset=raw.number,
        record_type=kind,
        status=None,
        content_type="text/plain; charset=utf-8" if text else "text/html",
        http_charset="utf-8" if text else None,
        rights=[],
        damage=None,
        body=raw.body,
        title=raw.title,
        truncated=raw.truncated,
    )


def _dropped(raw: Raw, reason: str, detail: str) -> dict[str, Any]:
    return {
        "url": raw.url,
        "offset": raw.number,
        "fetched_at": raw.fetched_at,
        "record_id": raw.record_id,
        "reason": reason,
        "detail": detail,
    }


def _batch(pages: list[Page], dropped: list[dict[str, Any]], place: _Place) -> Batch:
    table = pa.RecordBatch.from_pylist(dropped, schema=DROPPED)
    return Batch(pages, table, Counter(), len(pages) + len(dropped), place.position)
