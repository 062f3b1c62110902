"""Pages to WARC, ARC and WET bytes that are the same on every run.

Record ids are uuid5 of the address and place, dates count on from a fixed one, gzip headers carry no time.
"""

from __future__ import annotations

import io
import uuid
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from .page import Page, digest

FIRST_DAY = datetime(2024, 5, 18, tzinfo=UTC)
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "bukvar:tests/data/crawl")
SERVERS = ("nginx", "Apache/2.2.15 (CentOS)", "nginx/1.14.2", "Apache", "Microsoft-IIS/6.0")


@dataclass(frozen=True)
class Record:
    kind: str
    url: str
    block: bytes
    content_type: str


def fetched(url: str) -> datetime:
    """A time within eleven days, by the address."""
    return FIRST_DAY + timedelta(seconds=digest(url, "time") % 950_400)


def http_block(page: Page) -> bytes:
    lines = [f"HTTP/1.1 {page.status}", f"Server: {SERVERS[digest(page.url.split('/')[2]) % len(SERVERS)]}"]
    lines += [f"Content-Type: {page.content_type}", f"Content-Length: {len(page.body)}"]
    lines += [f"{name}: {value}" for name, value in page.headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + page.body


def response(page: Page) -> Record:
    return Record("response", page.url, http_block(page), "application/http; msgtype=response")


def request(page: Page) -> Record:
    path = "/" + page.url.split("/", 3)[3]
    head = f"GET {path} HTTP/1.1\r\nHost: {page.url.split('/')[2]}\r\nUser-Agent: example-crawler/1.0\r\n\r\n"
    return Record("request", page.url, head.encode(), "application/http; msgtype=request")


def record_bytes(record: Record) -> bytes:
    """One WARC record, not compressed, written by warcio."""
    headers = StatusAndHeaders("", [], protocol="WARC/1.0")
    headers.add_header("WARC-Type", record.kind)
    identity = uuid.uuid5(NAMESPACE, f"{record.kind} {record.url} {zlib.crc32(record.block)}")
    headers.add_header("WARC-Record-ID", f"<urn:uuid:{identity}>")
    if record.url:
        headers.add_header("WARC-Target-URI", record.url)
    headers.add_header("WARC-Date", fetched(record.url).strftime("%Y-%m-%dT%H:%M:%SZ"))
    # Given to warcio without parsed HTTP headers, a block is written as it is, odd or not.
    made = ArcWarcRecord(
        "warc", record.kind, headers, io.BytesIO(record.block), None, record.content_type, len(record.block)
    )
    made.payload_length = -1
    out = io.BytesIO()
    WARCWriter(out, gzip=False).write_record(made)
    return out.getvalue()


def gzip_member(raw: bytes) -> bytes:
    """One gzip member without a time stamp."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS + 16)
    return packer.compress(raw) + packer.flush()


def warcinfo(filename: str) -> Record:
    text = (
        f"software: warcio\r\nformat: WARC File Format 1.0\r\ndescription: bundled test crawl, {filename}\r\n"
    )
    return Record("warcinfo", "", text.encode(), "application/warc-fields")


def warc_gz(filename: str, records: Iterable[Record]) -> bytes:
    return b"".join(gzip_member(record_bytes(r)) for r in [warcinfo(filename), *records])


def arc_gz(filename: str, pages: Sequence[Page]) -> bytes:
    """An ARC 1.0 file, as the Internet Archive wrote before WARC."""
    note = b"1 0 Example\nURL IP-address Archive-date Content-type Archive-length\n"
    stamp = FIRST_DAY.strftime("%Y%m%d%H%M%S")
    head = f"filedesc://{filename} 0.0.0.0 {stamp} text/plain {len(note)}\n".encode() + note + b"\n"
    members = [gzip_member(head)]
    for page in pages:
        block = http_block(page)
        when = fetched(page.url).strftime("%Y%m%d%H%M%S")
        mime = page.content_type.split(";")[0]
        line = f"{page.url} 192.0.2.7 {when} {mime} {len(block)}\n".encode()
        members.append(gzip_member(line + block + b"\n"))
    return b"".join(members)


def conversion(url: str, text: str) -> Record:
    """A WET record: the page's text as somebody else extracted it."""
    return Record("conversion", url, text.encode(), "text/plain")


def resource(url: str, body: bytes, content_type: str) -> Record:
    """A record of the bytes alone, without HTTP, as uploads to archives have."""
    return Record("resource", url, body, content_type)
