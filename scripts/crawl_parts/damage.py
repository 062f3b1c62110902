"""Records and files that break rules, each in the way real archives do.

A defect lies in a file of its own where it ends the reading of a simple reader, and among healthy
records otherwise.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence

from .page import Page
from .write import Record, gzip_member, http_block, record_bytes, response


def chunked(body: bytes, size: int) -> bytes:
    parts = [body[i : i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def odd_responses(pages: Sequence[Page]) -> list[tuple[Record, Page, str]]:
    """Whole records in which HTTP itself is odd; `pages` gives each one a body."""
    made: list[tuple[Record, Page, str]] = []

    def add(what: str, head: str, body: bytes) -> None:
        page = pages[len(made)]
        block = head.encode("latin-1") + body
        made.append((Record("response", page.url, block, "application/http; msgtype=response"), page, what))

    def body() -> bytes:
        return pages[len(made)].body

    kind = "Content-Type: text/html\r\n"
    add("no HTTP status line", f"{kind}\r\n", body())
    add("status line without a code", f"HTTP/1.1\r\n{kind}\r\n", body())
    add("empty payload", f"HTTP/1.1 200 OK\r\n{kind}\r\n", b"")
    add("empty block", "", b"")
    add("chunked", f"HTTP/1.1 200 OK\r\n{kind}Transfer-Encoding: chunked\r\n\r\n", chunked(body(), 900))
    add("says chunked but is not", f"HTTP/1.1 200 OK\r\n{kind}Transfer-Encoding: chunked\r\n\r\n", body())
    add(
        "chunk sizes too large",
        f"HTTP/1.1 200 OK\r\n{kind}Transfer-Encoding: chunked\r\n\r\n",
        chunked(body(), 900).replace(b"384\r\n", b"fff\r\n"),
    )
    add(
        "last chunk missing",
        f"HTTP/1.1 200 OK\r\n{kind}Transfer-Encoding: chunked\r\n\r\n",
        chunked(body(), 900)[: len(body()) // 2],
    )
    add(
        "gzip content encoding",
        f"HTTP/1.1 200 OK\r\n{kind}Content-Encoding: gzip\r\n\r\n",
        gzip.compress(body(), mtime=0),
    )
    add(
        "gzip content encoding, cut off",
        f"HTTP/1.1 200 OK\r\n{kind}Content-Encoding: gzip\r\n\r\n",
        gzip.compress(body(), mtime=0)[:-200],
    )
    add("says gzip but is plain", f"HTTP/1.1 200 OK\r\n{kind}Content-Encoding: gzip\r\n\r\n", body())
    add("HTTP Content-Length too small", f"HTTP/1.1 200 OK\r\n{kind}Content-Length: 100\r\n\r\n", body())
    add("bare LF line ends in HTTP", f"HTTP/1.1 200 OK\n{kind[:-2]}\n\n", body())
    add("header line without a colon", f"HTTP/1.1 200 OK\r\nX-Broken\r\n{kind}\r\n", body())
    add("NUL bytes in the page", f"HTTP/1.1 200 OK\r\n{kind}\r\n", body()[:500] + b"\0" * 50 + body()[500:])
    return made


def truncated_member(pages: Sequence[Page]) -> bytes:
    """The file ends inside the last gzip member, as an interrupted download does."""
    members = [gzip_member(record_bytes(response(page))) for page in pages]
    return b"".join(members[:-1]) + members[-1][: len(members[-1]) // 2]


def broken_member(pages: Sequence[Page]) -> bytes:
    """The second member's deflate data is overwritten; the members after it are whole."""
    members = [gzip_member(record_bytes(response(page))) for page in pages]
    middle = len(members[1]) // 2
    members[1] = members[1][:middle] + b"\xff" * 64 + members[1][middle + 64 :]
    return b"".join(members)


def bad_length(pages: Sequence[Page]) -> bytes:
    """Not compressed; the second record's Content-Length is 200 too small, the third's no number."""
    records = [record_bytes(response(page)) for page in pages]

    def relabel(raw: bytes, value: bytes) -> bytes:
        head, rest = raw.split(b"\r\n\r\n", 1)
        lines = [
            b"Content-Length: " + value if x.startswith(b"Content-Length:") else x
            for x in head.split(b"\r\n")
        ]
        return b"\r\n".join(lines) + b"\r\n\r\n" + rest

    block = http_block(pages[1])
    records[1] = relabel(records[1], str(len(block) - 200).encode())
    records[2] = relabel(records[2], b"many")
    return b"".join(records)


def one_member(pages: Sequence[Page]) -> bytes:
    """All records in a single gzip member, against the recommendation of one a record."""
    return gzip_member(b"".join(record_bytes(response(page)) for page in pages))


def hostile_pages(html: str) -> dict[str, bytes]:
    """Pages on which extractors stumble; `html` is a sound page that holds the mark %CHARSET%."""
    page = html.replace("%CHARSET%", '<meta charset="utf-8">')
    middle = page.index("<p>")
    deep = page[:middle] + "<div>" * 5_000 + page[middle:]
    flat = page[:middle] + "<p>одна строка, две строки и три.</p>\n" * 135_000 + page[middle:]
    return {
        "nested-5000-divs": deep.encode(),
        "flat-8-megabytes": flat.encode(),
        "links-50000": (page[:middle] + '<a href="/x">ссылка</a> ' * 50_000).encode(),
        "unclosed-everything": re.sub("</[a-z]+>", "", page).encode(),
        "attribute-without-end": (page[:middle] + '<p title="' + page[middle:]).encode(),
        "comment-without-end": (page[:middle] + "<!-- " + page[middle:]).encode(),
        "no-text-at-all": b"<html><body><script>var x = 1;</script></body></html>",
        "only-whitespace": b" \n\t \n",
        "undeclared-cp1251": html.replace("%CHARSET%", "").encode("cp1251", "xmlcharrefreplace"),
        "undeclared-koi8-r": html.replace("%CHARSET%", "").encode("koi8-r", "xmlcharrefreplace"),
        "utf-8-cut-inside-a-letter": page.encode()[: page.encode().index("о".encode(), 4_000) + 1],
        "lone-bytes-in-utf-8": page.encode().replace(b". ", b".\xff\xc0 "),
    }
