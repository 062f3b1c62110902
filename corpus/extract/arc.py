"""ARC files as a stream of WARC records, by warcio, so that one reader judges both."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, Final

from warcio.archiveiterator import ARCIterator

#: Bytes of a file that are enough to tell an ARC.
PEEK: Final = 4096


def is_arc(start: bytes) -> bool:
    """Whether a file that begins with these bytes, gzipped or not, is an ARC."""
    if start[:2] == b"\x1f\x8b":
        try:
            start = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(start, PEEK)
        except zlib.error:
            return False
    line = start.split(b"\n", 1)[0].split()
    dated = len(line) == 5 and b":" in line[0] and line[2].isdigit() and len(line[2]) >= 8
    return start.startswith(b"filedesc:") or dated


class ArcAsWarc:
    """A binary stream of WARC records made from an ARC's.

    Each carries its offset in the ARC. Where warcio gives up, the rest of the file is one malformed record.
    """

    def __init__(self, stream: Any) -> None:
        self._records = _records(stream)
        self._ahead = b""

    def read(self, size: int, /) -> bytes:
        while not self._ahead:
            record = next(self._records, None)
            if record is None:
                return b""
            self._ahead = record
        now, self._ahead = self._ahead[:size], self._ahead[size:]
        return now


def _records(stream: Any) -> Iterator[bytes]:
    archive = ARCIterator(stream, no_record_parse=True)
    try:
        for record in archive:
            block = record.raw_stream.read()
            yield _warc_record(record, block, archive.get_record_offset())
    except OSError:
        raise
    except Exception:
        # warcio's ArchiveLoadFailed and, on worse input, whatever its parsing trips over.
        yield b"bad ARC\n"


def _warc_record(record: Any, block: bytes, offset: int) -> bytes:
    field = record.rec_headers.get_header
    is_http = block.startswith(b"HTTP/")
    content_type = "application/http; msgtype=response" if is_http else field("content-type") or ""
    kind = "warcinfo" if record.rec_type == "arc_header" else "response"
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {field('uri') or ''}\r\n"
        f"WARC-Date: {field('archive-date') or ''}\r\nContent-Type: {content_type}\r\n"
        f"X-Bukvar-Offset: {offset}\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode("utf-8", "surrogateescape") + block + b"\r\n\r\n"
