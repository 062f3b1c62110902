"""Single records of crawl files, by warcio: the way back from a document's `source` to its bytes.

Owns: nothing. Reads: one record of a file. Writes: WARC files of records that were picked out.
"""

from __future__ import annotations

import logging
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from corpus import storage
from corpus.errors import UsageError

#: Bytes by which the beginning of a record is known: `WARC/1.0`, or an ARC record's address.
_HEAD: Final = 512
_BEGINS: Final = re.compile(rb"\s*(WARC/\d|[a-z][a-z0-9+.-]*:\S)", re.IGNORECASE)


@dataclass(frozen=True)
class Record:
    """One record: its headers, those of the HTTP response in it, and the payload as the server sent it."""

    kind: str
    url: str
    headers: tuple[tuple[str, str], ...]
    http: tuple[tuple[str, str], ...]
    payload: bytes


def split_place(place: str) -> tuple[str, int]:
    """The file and offset of a `source`. Raises UsageError for another form."""
    location, colon, offset = place.rpartition(":")
    if not colon or not offset.isdigit():
        raise UsageError(f"{place}: write it as FILE:OFFSET, as the column `source` has it")
    return location, int(offset)


def record_at(place: str) -> Record:
    """The record at FILE:OFFSET, WARC or ARC. Raises UsageError where none begins there."""
    location, offset = split_place(place)
    with storage.open_input(location) as stream:
        found = _read(stream, location, offset)
        http = found.http_headers.headers if found.http_headers else ()
        return Record(
            found.rec_type,
            found.rec_headers.get_header("WARC-Target-URI") or "",
            tuple(found.rec_headers.headers),
            tuple(http),
            found.content_stream().read(),
        )


def copy_records(places: Iterable[str], target: str) -> int:
    """Write the records at FILE:OFFSET into one WARC file, gzip a record; the number of records."""
    from warcio.warcwriter import WARCWriter

    count = 0
    with storage.write_atomic(target) as stream:
        writer = WARCWriter(stream, gzip=True)
        for place in places:
            location, offset = split_place(place)
            with storage.open_input(location) as source:
                writer.write_record(_read(source, location, offset))
            count += 1
    return count


def _read(stream: Any, location: str, offset: int) -> Any:
    from warcio.archiveiterator import ArchiveIterator
    from warcio.exceptions import ArchiveLoadFailed

    # It says what it mends in a record, with the record's bytes as they are.
    logging.getLogger("warcio").setLevel(logging.ERROR)
    try:
        stream.seek(offset)
        # Of other bytes it takes any line with spaces for the head of an ARC record.
        if not _BEGINS.match(_unpacked(stream.read(_HEAD))):
            raise ArchiveLoadFailed("other bytes")
        stream.seek(offset)
        try:
            return next(iter(ArchiveIterator(stream, arc2warc=True)))
        except AttributeError:  # of a response without an address, whose HTTP head it can't tell then
            stream.seek(offset)
            return next(iter(ArchiveIterator(stream, arc2warc=True, no_record_parse=True)))
    except (ArchiveLoadFailed, StopIteration, EOFError, OSError) as error:
        raise UsageError(
            f"{location}:{offset}: no WARC or ARC record begins there (where a file is packed whole, the "
            "offset counts unpacked bytes: unpack it first)"
        ) from error


def _unpacked(head: bytes) -> bytes:
    """The beginning of a record whose first bytes these are, maybe of a gzip member."""
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, _HEAD)
    except zlib.error:
        return head
