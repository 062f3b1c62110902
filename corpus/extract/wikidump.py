"""MediaWiki dumps (XML) page by page, in memory bounded by the largest page.

A page is found by its tags and parsed by itself, so that broken XML costs one page. Of several revisions the
last one in the page counts. Redirects and pages of other namespaces (talk, templates, files) are reported
with a reason, like whatever else gives no text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote
from xml.etree import ElementTree

from corpus.extract.packed import Packed
from corpus.extract.wikitext import plain_text

#: What is read at a time.
_CHUNK: Final = 1 << 20
_BEGIN: Final = b"<page>"
_END: Final = b"</page>"


@dataclass(frozen=True, slots=True)
class WikiPage:
    """A page of a dump as plain text, or the reason why there is none."""

    number: int
    url: str = ""
    title: str | None = None
    text: str = ""
    timestamp: str | None = None
    identity: str = ""
    reason: str = ""
    detail: str = ""


def read_dump(stream: Packed, max_bytes: int) -> Iterator[WikiPage]:
    """Every page of a decompressed dump, in order. `max_bytes` bounds a page's text; its XML may have four
    times as many (escapes, more than one revision)."""
    base = ""
    for number, (head, page) in enumerate(_elements(stream, 4 * max_bytes + _CHUNK)):
        if b"<base>" in head:
            address = head.split(b"<base>", 1)[1].split(b"</base>", 1)[0].decode("utf-8", "replace")
            base = address.rpartition("/")[0] + "/"
        if page is None:
            yield WikiPage(number, reason="malformed_record", detail="page_too_long")
        else:
            yield _article(page, number, base)


def _elements(stream: Packed, limit: int) -> Iterator[tuple[bytes, bytes | None]]:
    """(what stands before, the element) of each <page>; None for one above the limit."""
    held, at = b"", 0
    skipping = False  # inside a page above the limit
    searched = 0
    while True:
        end = held.find(_END, max(at, searched))
        if end >= 0:
            # A page that lost its end runs into the next one's beginning: it is broken, not the next.
            begin = held.rfind(_BEGIN, at, end)
            after = end + len(_END)
            if begin >= 0:
                lost = held.find(_BEGIN, at, begin)
                if lost >= 0 and not skipping:
                    yield held[at:lost], held[lost:begin]
                yield held[at:begin], held[begin:after]
            elif not skipping:
                yield b"", held[end:after]  # an end without a beginning: broken XML
            skipping, at = False, after
            continue
        searched = max(at, len(held) - len(_END))
        if len(held) - at > limit:
            if not skipping and held.find(_BEGIN, at) >= 0:
                yield b"", None
                skipping = True
            at = len(held) - len(_END)
        more = stream.read_some(_CHUNK)
        if not more:
            if not skipping and held.find(_BEGIN, at) >= 0:
                yield b"", held[held.rfind(_BEGIN, at) :]
            return
        searched -= at
        held, at = held[at:] + more, 0


def _article(page: bytes, number: int, base: str) -> WikiPage:
    try:
        # expat expands no entity here: a <page> cut out of its document has no DTD.
        element = ElementTree.fromstring(page)  # noqa: S314 - see above
    except ElementTree.ParseError as error:
        return WikiPage(number, reason="malformed_record", detail=f"bad_xml: {error}")
    title = element.findtext("title") or ""
    url = base + quote(title.replace(" ", "_"), safe="/:(),!*'")
    revisions = element.findall("revision")
    revision = revisions[-1] if revisions else None
    identity = f"{element.findtext('id')}:{revision.findtext('id')}" if revision is not None else ""
    namespace = (element.findtext("ns") or "0").strip()
    reason, detail = "", ""
    if namespace != "0":
        reason, detail = "not_an_article", f"namespace={namespace}"
    elif element.find("redirect") is not None:
        reason = "redirect_page"
    elif revision is None:
        reason, detail = "malformed_record", "no_revision"
    if reason or revision is None:
        return WikiPage(number, url, title, identity=identity, reason=reason, detail=detail)
    text = plain_text(revision.findtext("text") or "")
    return WikiPage(number, url, title, text, revision.findtext("timestamp"), identity)
