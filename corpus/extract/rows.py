"""A page of a crawl to a row: address checked, bytes decoded, main text taken, mistakes repaired.

A page whose processing raises is a row with that as its drop reason, so that the others go on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import pyarrow as pa

from corpus import table
from corpus.clean.repair import REPAIR_COLUMNS, Repair, repair_column
from corpus.extract import blocklists, content, inputs, warc
from corpus.extract.decode import decode
from corpus.extract.sandbox import Sandbox
from rust_ext import AddressLists

#: Columns that say how a document was made, beside those of `table.DOCUMENT`.
PAGE_COLUMNS: Final = pa.schema(
    [
        pa.field("title", pa.string()),
        pa.field("author", pa.string()),
        pa.field("date", pa.string()),
        pa.field("declared_language", pa.string()),
        pa.field("canonical_url", pa.string()),
        pa.field("page_kind", pa.string()),
        pa.field("content_confidence", pa.float32()),
        pa.field("noindex", pa.bool_()),
        pa.field("noai", pa.bool_()),
        pa.field("tdm_reserved", pa.bool_()),
        pa.field("train_ai_disallowed", pa.bool_()),
        pa.field("declared_charset", pa.string()),
        pa.field("charset", pa.string()),
        pa.field("replaced_characters", pa.int32()),
        pa.field("truncated", pa.string()),
    ]
)
#: Record types whose body is text already, by somebody else's extractor or by `wikitext`.
_TEXT_TYPES: Final = ("conversion", "mediawiki")
_JUDGED: Final = pa.schema([*table.DOCUMENT, *PAGE_COLUMNS, *table.DROP_COLUMNS])
#: What the stage adds to `table.DOCUMENT`.
ADDS: Final = pa.schema([*PAGE_COLUMNS, *REPAIR_COLUMNS])


class Options(Protocol):
    """The parameters of `corpus.extract.stage.Extract` that decide on a page; hashable."""

    @property
    def content(self) -> str: ...
    @property
    def favor(self) -> str: ...
    @property
    def comments(self) -> str: ...
    @property
    def timeout_s(self) -> float: ...
    @property
    def max_page_bytes(self) -> int: ...
    @property
    def truncated(self) -> str: ...
    def __hash__(self) -> int: ...


def empty() -> pa.Table:
    """No row, of the columns that `rows_of` gives."""
    return pa.schema([*table.DOCUMENT, *ADDS, *table.DROP_COLUMNS]).empty_table()


def rows_of(
    pages: Sequence[warc.Page], name: str, options: Options, repairs: Repair, lists: AddressLists | None
) -> pa.Table:
    """Pages of the file `name` as judged rows: `table.DOCUMENT`, `ADDS` and the drop columns."""
    rows = [_row(page, name, options, lists) for page in pages]
    return _repaired(pa.Table.from_pylist(rows, schema=_JUDGED), repairs)


ToText = Callable[[str, warc.Page], dict[str, Any]]


@functools.cache
def _content(options: Options) -> ToText:
    """The extractor of a stage's parameters, one a worker process."""
    return _by_trafilatura(options) if options.content == "trafilatura" else _by_bukvar(options)


def _by_bukvar(options: Options) -> ToText:
    favor: Any = None if options.favor == "balanced" else options.favor
    comments: Any = options.comments

    def to_text(html: str, page: warc.Page) -> dict[str, Any]:
        found = content.extract(html, url=page.url, favor=favor, comments=comments, headers=page.rights)
        return {
            "text": found.text or None,
            "title": found.title,
            "author": found.author,
            "date": found.date,
            "declared_language": found.language,
            "canonical_url": found.canonical_url,
            "page_kind": found.kind,
            "content_confidence": found.confidence,
            "noindex": found.noindex,
            "noai": found.noai,
            "tdm_reserved": found.tdm_reserved,
            "train_ai_disallowed": found.train_ai_disallowed,
            table.DROP: None if found.text else "no_main_text",
        }

    return to_text


def _by_trafilatura(options: Options) -> ToText:
    sandbox = Sandbox(timeout_s=options.timeout_s, max_bytes=options.max_page_bytes, favor=options.favor)

    def to_text(html: str, page: warc.Page) -> dict[str, Any]:
        found = sandbox.extract(html, page.url)
        return {
            "text": found.text if found.drop is None else None,
            "title": found.title or None,
            table.DROP: found.drop,
            table.DROP_DETAIL: found.detail,
        } | _rights(html, page)

    return to_text


def _row(page: warc.Page, name: str, options: Options, lists: AddressLists | None) -> dict[str, Any]:
    """One page as a row. A page whose processing raises is dropped as `error:<Type>`, the others go on."""
    row: dict[str, Any] = {
        "doc_id": _identity(page.record_id, page.url, f"{name}:{page.offset}"),
        "url": page.url,
        "host": page.host,
        "fetched_at": page.fetched_at,
        "source": f"{name}:{page.offset}",
        "truncated": page.truncated,
    }
    if blocked := blocklists.why(lists, page.url):
        return row | {table.DROP: blocklists.REASON, table.DROP_DETAIL: blocked}
    if page.truncated and options.truncated == "drop":
        return row | {table.DROP: "truncated_page", table.DROP_DETAIL: page.truncated}
    try:
        decoded = decode(page.body, page.http_charset)
        row |= {
            "declared_charset": decoded.declared,
            "charset": decoded.charset,
            "replaced_characters": decoded.replaced,
        }
        if page.is_text or page.record_type in _TEXT_TYPES:
            row["text"] = _lines(decoded.text)
            if page.record_type not in _TEXT_TYPES:  # whose source had markup, and headers, that nobody kept
                row |= _rights("", page)
            row["title"] = page.title if isinstance(page, inputs.Article) else None
        else:
            row |= _content(options)(decoded.text, page)
    except Exception as error:  # any page may hold anything; the row says what it was
        row |= {
            table.DROP: f"{table.ERROR_PREFIX}{type(error).__name__}",
            table.DROP_DETAIL: str(error)[:300],
        }
    return row


def _lines(text: str) -> str:
    """The text with line ends as everywhere, without blank lines at its ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")


def _rights(html: str, page: warc.Page) -> dict[str, Any]:
    """What a page and its headers say of its use, where nothing else is read from its markup by ourselves."""
    found = content.extract(html, headers=page.rights)
    return {name: getattr(found, name) for name in ("noindex", "noai", "tdm_reserved", "train_ai_disallowed")}


def _identity(record_id: str, url: str, place: str) -> bytes:
    # Writers that repeat record ids (or write none) exist, hence the address beside it.
    return table.doc_id(f"{record_id} {url}" if record_id else place)


def gated(dropped: pa.RecordBatch, name: str) -> pa.Table:
    """Rows of records that never became pages."""
    urls, ids = dropped.column("url").to_pylist(), dropped.column("record_id").to_pylist()
    places = [f"{name}:{offset}" for offset in dropped.column("offset").to_pylist()]
    # A page that is kept in part and the row that says where its file was cut have one place.
    named = [
        f"{place} {detail}" if reason == "malformed_record" else place
        for place, reason, detail in zip(
            places, dropped.column("reason").to_pylist(), dropped.column("detail").to_pylist(), strict=True
        )
    ]
    columns = {
        "doc_id": pa.array(
            [_identity(i, u, p) for i, u, p in zip(ids, urls, named, strict=True)], pa.binary(16)
        ),
        "url": dropped.column("url"),
        "fetched_at": dropped.column("fetched_at"),
        "source": pa.array(places, pa.string()),
        table.DROP: dropped.column("reason"),
        table.DROP_DETAIL: dropped.column("detail"),
    }
    schema = empty().schema
    return pa.table(
        [columns[f.name] if f.name in columns else pa.nulls(dropped.num_rows, f.type) for f in schema],
        schema=schema,
    )


def _repaired(rows: pa.Table, repairs: Repair) -> pa.Table:
    """The same rows with texts, titles and authors repaired, and the counts of each repair of the text."""
    texts, counts = repair_column(rows.column("text"), repairs)
    rows = rows.set_column(rows.column_names.index("text"), rows.schema.field("text"), texts)
    for name in ("title", "author"):
        stated, _ = repair_column(rows.column(name), repairs)
        field = rows.schema.field(name)
        rows = rows.set_column(rows.column_names.index(name), field, stated.cast(field.type))
    for column in counts.schema:
        rows = rows.append_column(column, counts.column(column.name))
    return rows
