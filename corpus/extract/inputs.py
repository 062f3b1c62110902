"""Pages from what is no crawl file: HTML in Parquet or JSONL, folders of .html files, MediaWiki dumps.

Each reader yields the batches of `corpus.extract.warc`, so that a stage sees one kind of input. `offset` is
the row, line, file or page number, from 0; `record_type` says which reader it was.
"""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import quote
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet as pq

from corpus import storage
from corpus.documents import host_of, open_lines, parse_date
from corpus.extract import warc
from corpus.extract.warc import DROPPED, Batch, Gate, Page
from corpus.extract.wikitext import plain_text
from rust_ext import gate_judge

#: Pages of one batch.
BATCH_PAGES: Final = 512
#: What is read at a time from a compressed dump.
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Raw:
    """A page before the gate, or why there is none (`damage`)."""

    url: str
    number: int
    body: bytes
    damage: str | None = None
    fetched_at: int | None = None
    record_id: str = ""


def read_parquet(
    path: str | Path, *, gate: Gate = "russian", max_bytes: int = warc.MAX_RECORD_BYTES
) -> Iterator[Batch]:
    """Pages of a Parquet file with columns url and html (text or bytes), fetched_at and record_id if there.

    Raises ValueError where a column is missing, pyarrow's errors where the file is none.
    """
    with pq.ParquetFile(storage.open_input(str(path))) as file:
        missing = {"url", "html"} - set(file.schema_arrow.names)
        if missing:
            raise ValueError(f"{path}: no column {', '.join(sorted(missing))}; rename yours to url and html")
        yield from _judge(_parquet_rows(file), "parquet", gate, max_bytes)


def _parquet_rows(file: pq.ParquetFile) -> Iterator[Raw]:
    columns = [n for n in ("url", "html", "fetched_at", "record_id") if n in file.schema_arrow.names]
    number = 0
    for batch in file.iter_batches(BATCH_PAGES, columns=columns):
        for row in batch.to_pylist():
            yield _row(row, number)
            number += 1


def read_jsonl(
    path: str | Path, *, gate: Gate = "russian", max_bytes: int = warc.MAX_RECORD_BYTES
) -> Iterator[Batch]:
    """Pages of a JSONL file (plain, .gz or .bz2), an object a line with url and html."""
    with open_lines(str(path)) as stream:
        yield from _judge(_json_rows(stream, max_bytes), "jsonl", gate, max_bytes)


def _json_rows(stream: IO[bytes], max_bytes: int) -> Iterator[Raw]:
    # A line holds a page, escaped: at most six bytes a byte, and the other fields.
    limit = 6 * max_bytes + _CHUNK
    number = 0
    while line := stream.readline(limit):
        if len(line) >= limit:
            while (rest := stream.readline(limit)) and not rest.endswith(b"\n"):
                pass
            yield Raw("", number, b"", damage="line_too_long")
        elif line.strip():
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            yield _row(row, number)
        number += 1


def _row(row: Any, number: int) -> Raw:
    if not isinstance(row, dict):
        return Raw("", number, b"", damage="no_object")
    url, body = row.get("url"), row.get("html")
    if isinstance(body, str):
        body = body.encode("utf-8", "replace")
    if not isinstance(body, bytes):
        return Raw(url if isinstance(url, str) else "", number, b"", damage="no_html")
    date = row.get("fetched_at")
    date = parse_date(date) if isinstance(date, str) else date
    fetched_at = int(date.timestamp()) if isinstance(date, datetime.datetime) else None
    record_id = row.get("record_id")
    identity = record_id if isinstance(record_id, str) else ""
    return Raw(url if isinstance(url, str) else "", number, body, None, fetched_at, identity)


def read_folder(
    path: str | Path, *, gate: Gate = "russian", max_bytes: int = warc.MAX_RECORD_BYTES
) -> Iterator[Batch]:
    """Pages of the .html and .htm files below a local folder, in order of their paths, which are the URLs."""
    root = Path(path)
    files = (p for p in root.rglob("*") if p.suffix.lower() in (".html", ".htm", ".xhtml") and p.is_file())
    names = sorted(p.relative_to(root).as_posix() for p in files)
    yield from _judge(_files(root, names, max_bytes), "file", gate, max_bytes)


def _files(root: Path, names: list[str], max_bytes: int) -> Iterator[Raw]:
    for number, name in enumerate(names):
        with (root / name).open("rb") as stream:
            yield Raw(name, number, stream.read(max_bytes + 1))


def read_mediawiki(
    path: str | Path, *, gate: Gate = "russian", max_bytes: int = warc.MAX_RECORD_BYTES
) -> Iterator[Batch]:
    """Articles of a MediaWiki dump (XML; plain, .bz2 or .gz) as plain text: the last revision in the page.

    Pages of other namespaces and redirects are counted as skipped. A page whose XML is broken is dropped as
    malformed; the next one is found by its tag.
    """
    with open_lines(str(path)) as stream:
        yield from _judge(_articles(stream, max_bytes), "wikitext", gate, max_bytes)


def _articles(stream: IO[bytes], max_bytes: int) -> Iterator[Raw | str]:
    base = ""
    for number, (head, page) in enumerate(_page_elements(stream, max_bytes)):
        if b"<base>" in head:
            base = head.split(b"<base>", 1)[1].split(b"</base>", 1)[0].decode("utf-8", "replace")
            base = base.rsplit("/", 1)[0] + "/"
        yield Raw("", number, b"", damage="page_too_long") if page is None else _article(page, number, base)


def _page_elements(stream: IO[bytes], max_bytes: int) -> Iterator[tuple[bytes, bytes | None]]:
    """(what stands before, the element) of each <page>; None for one above the limit."""
    limit = 4 * max_bytes + _CHUNK
    held = b""
    while True:
        begin, end = held.find(b"<page>"), held.find(b"</page>")
        if 0 <= end < begin:
            begin = 0
        if 0 <= begin < end:
            # A page that lost its end runs into the next one's beginning.
            begin = held.rfind(b"<page>", begin, end)
            yield held[:begin], held[begin : end + len(b"</page>")]
            held = held[end + len(b"</page>") :]
            continue
        if len(held) > limit:
            yield b"", None
            held = held[-len(b"</page>") :]
        more = stream.read(_CHUNK)
        if not more:
            return
        held += more


def _article(page: bytes, number: int, base: str) -> Raw | str:
    try:
        # expat expands no entity here: a <page> cut out of its document has no DTD.
        element = ElementTree.fromstring(page)  # noqa: S314 - see above
    except ElementTree.ParseError:
        return Raw("", number, b"", damage="bad_xml")
    title = element.findtext("title") or ""
    url = base + quote(title.replace(" ", "_"), safe="/:(),!*'")
    if (element.findtext("ns") or "0").strip() != "0":
        return "other_namespace"
    if element.find("redirect") is not None:
        return "redirect"
    revisions = element.findall("revision")
    if not revisions:
        return Raw(url, number, b"", damage="no_revision")
    revision = revisions[-1]
    date = parse_date(revision.findtext("timestamp"))
    identity = f"{element.findtext('id')}:{revision.findtext('id')}"
    text = plain_text(revision.findtext("text") or "")
    return Raw(url, number, text.encode(), None, int(date.timestamp()) if date else None, identity)


def read_any(
    path: str | Path, *, gate: Gate = "russian", max_bytes: int = warc.MAX_RECORD_BYTES
) -> Iterator[Batch]:
    """The reader for a location by its name: a folder, .parquet, .jsonl, a dump's .xml, else a crawl file."""
    name = str(path).lower().removesuffix(".gz").removesuffix(".bz2")
    readers: dict[str, Callable[..., Iterator[Batch]]] = {
        ".parquet": read_parquet,
        ".jsonl": read_jsonl,
        ".ndjson": read_jsonl,
        ".xml": read_mediawiki,
    }
    for ending, reader in readers.items():
        if name.endswith(ending):
            return reader(path, gate=gate, max_bytes=max_bytes)
    if "://" not in name and Path(path).is_dir():
        return read_folder(path, gate=gate, max_bytes=max_bytes)
    return warc.read(path, gate=gate, max_record_bytes=max_bytes)


def _judge(raws: Iterable[Raw | str], kind: str, gate: Gate, max_bytes: int) -> Iterator[Batch]:
    """Batches of pages; a string among the pages is the kind of one to skip."""
    if gate not in ("russian", "off"):
        raise ValueError(f'gate is "russian" or "off", not {gate!r}')
    pages: list[Page] = []
    dropped: list[dict[str, Any]] = []
    skipped: Counter[str] = Counter()
    size = 0
    for raw in raws:
        if isinstance(raw, str):
            skipped[raw] += 1
        elif why := _refusal(raw, kind, gate, max_bytes):
            dropped.append(_dropped(raw, *why))
        else:
            pages.append(_page(raw, kind))
            size += len(raw.body)
        count = len(pages) + len(dropped) + skipped.total()
        if count >= BATCH_PAGES or size >= warc.BATCH_BYTES:
            yield _batch(pages, dropped, skipped)
            pages, dropped, skipped, size = [], [], Counter(), 0
    if pages or dropped or skipped:
        yield _batch(pages, dropped, skipped)


def _refusal(raw: Raw, kind: str, gate: Gate, max_bytes: int) -> tuple[str, str] | None:
    if raw.damage:
        return ("malformed_row" if kind in ("parquet", "jsonl") else "malformed_record"), raw.damage
    if len(raw.body) > max_bytes:
        return "page_too_large", f"bytes > {max_bytes}"
    if not raw.body.strip():
        return "empty_payload", ""
    if gate == "russian":
        keep, cyrillic, latin, charset, cost = gate_judge(raw.body)
        if not keep:
            return "not_cyrillic", f"cyrillic={cyrillic} latin={latin} charset={charset} pair_cost={cost}"
    return None


def _page(raw: Raw, kind: str) -> Page:
    text = kind == "wikitext"
    return Page(
        url=raw.url,
        host=host_of(raw.url),
        fetched_at=raw.fetched_at,
        record_id=raw.record_id,
        offset=raw.number,
        record_type=kind,
        status=None,
        content_type="text/plain; charset=utf-8" if text else "text/html",
        http_charset="utf-8" if text else None,
        robots=None,
        damage=None,
        body=raw.body,
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


def _batch(pages: list[Page], dropped: list[dict[str, Any]], skipped: Counter[str]) -> Batch:
    table = pa.RecordBatch.from_pylist(dropped, schema=DROPPED)
    return Batch(pages, table, skipped, len(pages) + len(dropped) + skipped.total())
