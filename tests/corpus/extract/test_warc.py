"""Reading crawl files: what warcio reads we read, and damage costs its own record only."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli
import pyarrow as pa
import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from corpus.errors import UsageError
from corpus.extract.stage import Extract
from corpus.extract.warc import Batch, Page, read

DATA = Path(__file__).parents[2] / "data"
SAMPLES = DATA / "warc"
PAGE = "<html><body><p>Страница, которую стоит прочесть до конца, и ещё раз.</p></body></html>"


def samples() -> list[Path]:
    """The bundled files and, where BUKVAR_DATA names the folder of development data, all its samples too."""
    bundled = sorted(p for folder in (SAMPLES, DATA / "crawl", DATA / "ugly") for p in folder.glob("*arc*"))
    if more := os.environ.get("BUKVAR_DATA"):
        bundled += sorted(p for p in (Path(more) / "warc_samples").rglob("*arc*") if p.is_file())
    return bundled


def everything(source: Any, **options: Any) -> tuple[list[Page], list[dict[str, Any]], Counter[str]]:
    pages: list[Page] = []
    dropped: list[dict[str, Any]] = []
    skipped: Counter[str] = Counter()
    for batch in read(source, **options):
        assert batch.records == len(batch.pages) + batch.dropped.num_rows + batch.skipped.total()
        pages += [*batch.pages, *batch.sites]
        dropped += batch.dropped.to_pylist()
        skipped += batch.skipped
    return pages, dropped, skipped


def warcio_records(path: Path) -> Iterator[tuple[str, str, str | None, bytes]]:
    """(type, URL, HTTP status, decoded body) of each record that warcio reads before it gives up."""
    with path.open("rb") as stream:
        try:
            for record in ArchiveIterator(stream):
                field = record.rec_headers.get_header
                url = (field("WARC-Target-URI") or field("uri") or "").replace(" ", "%20")
                status = record.http_headers.get_statuscode() if record.http_headers else None
                yield record.rec_type, url, status, record.content_stream().read()
        except ArchiveLoadFailed:
            return


@pytest.mark.parametrize("path", samples(), ids=lambda path: path.name)
def test_what_warcio_reads_we_read(path: Path) -> None:
    """Record by record: each page with its body, each other record as dropped or skipped."""
    pages, dropped, skipped = everything(path, gate="off")
    bodies = Counter((page.url, page.body) for page in pages)
    refused = Counter(row["url"] for row in dropped)
    types = Counter("warcinfo" if kind == "arc_header" else kind for kind, *_ in warcio_records(path))
    for kind, url, status, body in warcio_records(path):
        if kind not in ("response", "resource", "conversion") or url.startswith("dns:"):
            continue
        if bodies[url, body]:
            bodies[url, body] -= 1
        elif not (refused[url] or any(p.url == url and _read_better(body, p) for p in pages)):
            pytest.fail(f"{kind} {url} ({status}, {len(body)} bytes) is neither a page nor dropped")
    for kind, count in types.items():
        if kind not in ("response", "resource", "conversion"):
            assert skipped[kind] >= count


@pytest.mark.parametrize("path", samples(), ids=lambda path: path.name)
@pytest.mark.parametrize("look_bytes", [2_000, 16_384])
@pytest.mark.parametrize("gate", ["quick", "skim"])
def test_passing_over_pages_finds_the_same_records(path: Path, look_bytes: int, gate: str) -> None:
    pages, dropped, skipped = everything(path)
    quick_pages, quick_dropped, quick_skipped = everything(path, gate=gate, look_bytes=look_bytes)
    assert quick_skipped == skipped
    assert gate == "quick" or quick_pages == pages
    passed = [row for row in quick_dropped if "first_bytes" in row["detail"]]
    lost = [page for page in pages if page not in quick_pages]
    assert all(page in pages for page in quick_pages)
    assert sorted((page.url, page.offset) for page in (*quick_pages, *lost)) == sorted(
        (page.url, page.offset) for page in pages
    )
    places = {(row["url"], row["offset"], row["fetched_at"], row["record_id"]) for row in passed}
    assert {(page.url, page.offset) for page in lost} <= {place[:2] for place in places}
    assert [row for row in quick_dropped if row not in passed] == [
        row
        for row in dropped
        if (row["url"], row["offset"], row["fetched_at"], row["record_id"]) not in places
    ]
    assert len(pages) + len(dropped) == len(quick_pages) + len(quick_dropped)


def test_quick_reading_drops_foreign_pages_by_their_first_bytes() -> None:
    def page(url: str, text: str) -> bytes:
        noise = "".join(f"<b>{number * 7919 % 10_007:x}</b>" for number in range(3_000))
        return gzip.compress(response(f"<p>{text}</p>{noise}".encode(), url=url))

    english = "Plain words of English. " * 9
    crawl = b"".join(
        [
            page("http://a.example/1", english),
            page("http://a.example/2", PAGE * 9),
            page("http://a.example/3", english + "x" * 200_000 + PAGE * 9),
            page("http://a.example.ru/4", english + PAGE * 9),
        ]
    )
    pages, dropped, _ = everything(io.BytesIO(crawl), gate="quick")
    assert [page.url[-1] for page in pages] == ["2", "4"]
    assert [row["url"][-1] for row in dropped] == ["1", "3"]
    assert all("first_bytes=" in row["detail"] and row["reason"] == "not_cyrillic" for row in dropped)
    assert [page.url[-1] for page in everything(io.BytesIO(crawl))[0]] == ["2", "3", "4"]
    pages, dropped, _ = everything(io.BytesIO(crawl), gate="skim")
    assert [page.url[-1] for page in pages] == ["2", "3", "4"]
    assert [row["url"][-1] for row in dropped] == ["1"]
    assert "first_bytes=" in dropped[0]["detail"]


@pytest.mark.parametrize("text", ["Plain words of English. " * 9, PAGE * 9])
def test_only_of_foreign_pages_skimming_does_not_look_at_the_checksum(text: str) -> None:
    noise = "".join(f"<b>{number * 7919 % 10_007:x}</b>" for number in range(3_000))
    member = bytearray(gzip.compress(response(f"<p>{text}</p>{noise}".encode(), url="http://a.example/1")))
    member[-8] ^= 1
    for gate in ("russian", "skim"):
        _, (row,), _ = everything(io.BytesIO(bytes(member)), gate=gate)
        skimmed = gate == "skim" and "English" in text
        assert row["reason"] == ("not_cyrillic" if skimmed else "malformed_record")


def _read_better(body: bytes, page: Page) -> bool:
    """Where we differ on purpose: at the first wrong chunk, warcio leaves the size line in the text and loses
    the two bytes behind the chunk; where a body is cut that is not chunked as it says, it gives nothing."""
    begin = page.body[:500]
    return not body or (begin in body[:520] and 0 <= abs(len(body) - len(page.body)) < 16)


def response(body: bytes, *headers: str, url: str = "http://a.example.ru/", status: str = "200 OK") -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status}", *(headers or ("Content-Type: text/html",))])
    return record("response", head.encode() + b"\r\n\r\n" + body, url)


def record(kind: str, block: bytes, url: str = "http://a.example.ru/", content_type: str = "") -> bytes:
    content_type = content_type or "application/http; msgtype=response"
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2024-05-18T01:58:10Z\r\n"
        f"WARC-Record-ID: <urn:x:1>\r\nContent-Type: {content_type}\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def one(warc: bytes, **options: Any) -> Page:
    pages, dropped, _ = everything(io.BytesIO(warc), **options)
    assert not dropped, dropped
    assert len(pages) == 1
    return pages[0]


def test_a_page_says_where_it_came_from() -> None:
    warc = record("warcinfo", b"software: x", "") + response(
        PAGE.encode("cp1251"), "Content-Type: text/html; charset=Windows-1251", "X-Robots-Tag: noai"
    )
    pages, _, skipped = everything(io.BytesIO(warc))
    assert skipped == {"warcinfo": 1}
    page = pages[0]
    assert (page.url, page.host) == ("http://a.example.ru/", "a.example.ru")
    assert page.fetched_at == 1_715_997_490
    assert (page.record_id, page.record_type, page.status) == ("urn:x:1", "response", 200)
    assert (page.http_charset, page.rights) == ("windows-1251", [("x-robots-tag", "noai")])
    assert warc[page.offset :].startswith(b"WARC/1.0\r\nWARC-Type: response")
    assert page.body.decode("cp1251") == PAGE


def test_the_offset_of_a_gzip_record_is_that_of_its_member() -> None:
    first, second = gzip.compress(response(b"<p>1" + PAGE.encode())), gzip.compress(response(PAGE.encode()))
    pages, _, _ = everything(io.BytesIO(first + second))
    assert [page.offset for page in pages] == [0, len(first)]


def chunked(body: bytes) -> bytes:
    parts = [body[i : i + 20] for i in range(0, len(body), 20)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def raw_deflate(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(body) + compressor.flush()


@pytest.mark.parametrize(
    ("coding", "encode"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("br", brotli.compress),
        ("zstd", lambda body: pa.compress(body, "zstd", asbytes=True)),
        ("gzip, br", lambda body: brotli.compress(gzip.compress(body))),
        ("identity", lambda body: body),
    ],
)
def test_bodies_come_out_decoded(coding: str, encode: Any) -> None:
    body = PAGE.encode()
    for transfer, wrap in (("chunked", chunked), ("identity", lambda b: b)):
        warc = response(
            wrap(encode(body)),
            "Content-Type: text/html",
            f"Content-Encoding: {coding}",
            f"Transfer-Encoding: {transfer}",
        )
        assert one(warc).body == body


@pytest.mark.parametrize("headers", [("Content-Encoding: gzip",), ("Transfer-Encoding: chunked",)])
def test_a_header_that_the_body_belies_is_ignored(headers: tuple[str, ...]) -> None:
    assert one(response(PAGE.encode(), "Content-Type: text/html", *headers)).body == PAGE.encode()


def test_a_decompression_bomb_stops_at_the_record_limit() -> None:
    bomb = gzip.compress(PAGE.encode() + b" " * 5_000_000)
    warc = response(bomb, "Content-Type: text/html", "Content-Encoding: gzip")
    pages, dropped, _ = everything(io.BytesIO(warc), max_record_bytes=1_000_000)
    assert not pages
    assert dropped[0]["reason"] == "page_too_large"
    assert dropped[0]["detail"] == "decoded_bytes > 1000000"


@pytest.mark.parametrize(
    ("warc", "reason"),
    [
        (response(PAGE.encode(), status="404 Not Found"), "http_status"),
        (response(PAGE.encode(), "Content-Type: image/png"), "not_html"),
        (response(b"%PDF-1.4 " + PAGE.encode()), "not_html"),
        (response(b" \r\n"), "empty_payload"),
        (record("response", b""), "empty_payload"),
        (response(b"<p>An English page, and nothing else.</p>"), "not_cyrillic"),
        (record("response", b"Server: x\r\n\r\n" + PAGE.encode()), "malformed_record"),
        (record("", PAGE.encode()), "malformed_record"),
    ],
)
def test_a_record_that_is_no_page_says_why(warc: bytes, reason: str) -> None:
    pages, dropped, _ = everything(io.BytesIO(warc))
    assert not pages
    assert [row["reason"] for row in dropped] == [reason]
    assert dropped[0]["reason"] in Extract.reasons
    assert dropped[0]["url"] == "http://a.example.ru/"


def test_types_that_are_never_pages_are_counted() -> None:
    kinds = ["warcinfo", "request", "metadata", "revisit", "strange"]
    warc = b"".join(record(kind, PAGE.encode()) for kind in kinds)
    warc += record("response", b"93.184.216.34", "dns:example.ru", "text/dns")
    assert everything(io.BytesIO(warc)) == ([], [], Counter([*kinds, "dns"]))


def test_what_a_browser_based_crawler_made_of_a_page_is_no_page() -> None:
    made = [f"urn:{kind}:https://a.example.ru/" for kind in ("text", "textFinal", "pageinfo", "fullPage")]
    warc = b"".join(record("resource", PAGE.encode(), url, "text/plain") for url in made)
    assert everything(io.BytesIO(warc))[2] == Counter(
        ["urn:text", "urn:textFinal", "urn:pageinfo", "urn:fullPage"]
    )
    others = b"".join(
        record(kind, PAGE.encode(), url, "text/html; charset=utf-8")
        for kind, url in (("resource", "urn:isbn:5-02-013850-9"), ("conversion", made[0]))
    )
    assert len(everything(io.BytesIO(others))[0]) == 2


def test_resource_and_conversion_records_are_pages() -> None:
    warc = record("resource", PAGE.encode(), content_type="text/html; charset=utf-8")
    warc += record("conversion", PAGE.encode(), content_type="text/plain")
    pages, _, _ = everything(io.BytesIO(warc))
    kinds = [(page.record_type, page.status, page.http_charset) for page in pages]
    assert kinds == [("resource", None, "utf-8"), ("conversion", None, None)]


def test_damage_costs_its_own_record_and_says_where_it_was() -> None:
    members = [gzip.compress(response(PAGE.encode(), url=f"http://a.example.ru/{i}")) for i in range(5)]
    damaged = bytearray(members[2])
    damaged[len(damaged) // 2] ^= 0xFF
    file = b"".join([*members[:2], bytes(damaged), *members[3:]])
    pages, dropped, _ = everything(io.BytesIO(file))
    assert [page.url[-1] for page in pages] == ["0", "1", "3", "4"]
    assert [(row["reason"], row["offset"]) for row in dropped] == [
        ("malformed_record", len(members[0]) + len(members[1]))
    ]
    assert dropped[0]["detail"].startswith("bad_gzip")


def test_a_file_that_ends_early_gives_what_it_has() -> None:
    member = gzip.compress(response(PAGE.encode() + os.urandom(3000).hex().encode()))
    pages, _, _ = everything(io.BytesIO(member[:-500]), gate="off")
    assert pages[0].damage == "truncated_gzip"
    assert pages[0].body.startswith(PAGE.encode())


def test_the_bundled_broken_files_lose_only_what_is_broken() -> None:
    found = {}
    for path in sorted((DATA / "crawl").glob("broken-*")):
        pages, dropped, _ = everything(path, gate="off")
        details = Counter(row["detail"] for row in dropped if row["reason"] == "malformed_record")
        found[path.name] = (len(pages), sorted(details))
    assert found["broken-empty.warc.gz"] == (0, [])
    assert found["broken-one-member.warc.gz"][1] == []
    assert len(found["broken-member.warc.gz"][1]) == 1
    assert found["broken-length.warc"][1] == ["bad_content_length", "not_a_record"]
    assert found["broken-truncated.warc.gz"][1] == ["truncated_gzip"]


class Trickle:
    """A stream that gives seven bytes at a time."""

    def __init__(self, data: bytes) -> None:
        self._stream = io.BytesIO(data)

    def read(self, size: int, /) -> bytes:
        return self._stream.read(min(size, 7))


def test_a_path_a_url_and_a_stream_give_the_same(tmp_path: Path) -> None:
    path = tmp_path / "copy.warc.gz"
    shutil.copy(DATA / "crawl" / "broken-member.warc.gz", path)
    by_path = everything(path)
    assert everything(path.as_uri()) == by_path
    assert everything(Trickle(path.read_bytes())) == by_path
    assert everything(str(path), batch_records=1) == by_path


def test_an_error_of_the_source_is_raised_not_swallowed() -> None:
    class Broken:
        def __init__(self) -> None:
            self.calls = 0

        def read(self, size: int, /) -> bytes:
            self.calls += 1
            if self.calls > 1:
                raise ConnectionError("gone")
            return gzip.compress(response(PAGE.encode()))[:size]

    with pytest.raises(ConnectionError, match="gone"):
        everything(Broken())
    with pytest.raises(UsageError, match="no such file"):
        everything("/nowhere/at/all.warc.gz")


def test_arc_files_come_out_as_warc_files_do() -> None:
    arc = everything(SAMPLES / "example.arc.gz", gate="off")
    plain = everything(SAMPLES / "example.arc", gate="off")
    assert len(arc[0]) == len(plain[0]) == 1
    page = arc[0][0]
    assert (page.url, page.status, page.record_type) == ("http://example.com/", 200, "response")
    assert page.body == plain[0][0].body
    assert (SAMPLES / "example.arc").read_bytes()[plain[0][0].offset :].startswith(b"http://example.com/ ")
    assert page.fetched_at == plain[0][0].fetched_at is not None


@pytest.mark.parametrize(
    "options", [{"gate": "english"}, {"max_record_bytes": 0}, {"batch_records": 0}, {"look_bytes": 0}]
)
def test_parameters_out_of_range_are_named(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options)).split("_")[0]):
        read(SAMPLES / "example.warc", **options)


def test_batches_hold_what_they_are_asked_for() -> None:
    batches: list[Batch] = list(read(SAMPLES / "example.warc", batch_records=2))
    assert [batch.records for batch in batches] == [2, 2, 2]
