"""Crawl files to pages: WARC, WET and ARC, however compressed, in bounded memory.

The loop is Rust (`rust_ext.WarcReader`): it inflates, frames records, reads HTTP heads, undoes transfer and
content codings, and lets the gate judge the raw payload, so that of the many pages that are dropped only a
row in an Arrow table is left. ARC goes through warcio, record by record, into the same loop.

Owns: nothing. Reads: one file or binary stream. Errors: OSError of the source only; whatever is wrong with
the bytes is a dropped record with its offset and kind, and reading goes on at the next record found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any, Final, Literal, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from corpus import storage
from corpus.extract.arc import PEEK, ArcAsWarc, is_arc
from rust_ext import WARC_REASONS, WarcReader

#: Largest record block and largest decoded body. Crawls cut payloads at 1 MiB (Common Crawl, 5 MiB since
#: 2025) to some MiB; the longest pages measured, codes of law, have 6 MB.
MAX_RECORD_BYTES: Final = 32 << 20
#: Records of one batch: enough that a call vanishes, few enough that a batch of pages stays below 100 MB.
BATCH_RECORDS: Final = 4096
#: Bytes of pages after which a batch ends early.
BATCH_BYTES: Final = 64 << 20

#: Bytes of a record by which the gates "skim" and "quick" may drop it. With fewer, more pages have only
#: scripts in them and are read on; with more, more is decompressed (docs/extract.md has the figures).
LOOK_BYTES: Final = 16 << 10

Gate = Literal["russian", "skim", "quick", "off"]
#: Their names, for messages.
GATES: Final = ("russian", "skim", "quick", "off")


class Readable(Protocol):
    """The part of a binary stream that is asked for."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Page:
    """One page as the crawler got it.

    `fetched_at` is in seconds since 1970 UTC. `offset` is the way back: the compressed offset of the record's
    own member or frame or, where the record does not begin one (plain files, whole-file gzip), its offset
    among the decompressed bytes. `body` has transfer and content codings undone. `damage` names what cut the
    record short ("truncated", "chunks_cut", "length_too_large", ...), None for a sound one.
    """

    url: str
    host: str | None
    fetched_at: int | None
    record_id: str
    offset: int
    record_type: str
    status: int | None
    content_type: str
    http_charset: str | None
    robots: str | None
    damage: str | None
    body: bytes


#: Records that could have been pages and are none. `reason` is one of corpus.table.DROP_REASONS, `detail`
#: holds the values that decided or, for malformed_record, the kind of defect.
DROPPED: Final = pa.schema(
    [
        pa.field("url", pa.string(), nullable=False),
        pa.field("offset", pa.uint64(), nullable=False),
        pa.field("fetched_at", pa.timestamp("s", tz="UTC")),
        pa.field("record_id", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("detail", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some records in file order: records = len(pages) + dropped.num_rows + sum(skipped.values()).

    `skipped` counts, by type, records that are never pages: warcinfo, request, metadata, revisit, dns, ...
    `position` is how many bytes of the file have been read, None where the pages' offsets tell.
    """

    pages: list[Page]
    dropped: pa.RecordBatch
    skipped: Counter[str]
    records: int
    position: int | None = None


def read(
    source: str | PathLike[str] | Readable,
    *,
    gate: Gate = "russian",
    max_record_bytes: int = MAX_RECORD_BYTES,
    batch_records: int = BATCH_RECORDS,
    look_bytes: int = LOOK_BYTES,
) -> Iterator[Batch]:
    """Read a crawl file: a local path, a URL of an object store (s3://, gs://, ...), or a binary stream.

    With gate "off" every page comes out, whatever its language. With "skim" a page that the first
    `look_bytes` of its record (eight times as many where these are scripts only) show to be foreign is not
    decompressed but skimmed, where that shows that the rest holds no Cyrillic characters either; with "quick"
    not even that.
    Raises OSError where the source cannot be read, ValueError for parameters out of range.
    """
    check_gate(gate)
    if min(max_record_bytes, batch_records, look_bytes) < 1:
        raise ValueError("max_record_bytes, batch_records and look_bytes must be at least 1")
    look = look_bytes if gate in ("skim", "quick") else 0
    return _batches(source, (gate != "off", max_record_bytes, look, gate == "skim"), batch_records)


def check_gate(gate: str) -> None:
    """Raise ValueError where there is no such gate."""
    if gate not in GATES:
        raise ValueError(f"gate is {', '.join(GATES[:-1])} or {GATES[-1]}, not {gate!r}")


def _batches(
    source: str | PathLike[str] | Readable, limits: tuple[bool, int, int, bool], batch_records: int
) -> Iterator[Batch]:
    stream, owned = _open(source)
    try:
        start = _Rewound(stream)
        target: Any = start
        if is_arc(start.peek(PEEK)):
            target = ArcAsWarc(start)
        elif not hasattr(source, "read"):
            # Rust reads a local file itself.
            target = storage.local_path(fspath(source)) or start
        reader = WarcReader(target, *limits)
        while (fields := reader.next_batch(batch_records, BATCH_BYTES))["records"]:
            yield _batch(fields)
        reader.close()
    finally:
        if owned:
            stream.close()


def _open(source: str | PathLike[str] | Readable) -> tuple[Any, bool]:
    if hasattr(source, "read"):
        return source, False
    # Decompression is the reader's: pyarrow would hide the members' offsets.
    return storage.open_input(fspath(source)), True


def _batch(fields: dict[str, Any]) -> Batch:
    return Batch(
        pages=[Page(*page) for page in fields["pages"]],
        dropped=_dropped(fields),
        skipped=Counter(dict(fields["skipped"])),
        records=fields["records"],
    )


_NO_DATE: Final = -(2**63)


def _dropped(fields: dict[str, Any]) -> pa.RecordBatch:
    rows = len(fields["reason"])

    def strings(name: str) -> pa.Array:
        offsets, data = fields[name]
        if not rows:
            return pa.array([], pa.string())
        return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(data))

    def numbers(name: str, kind: pa.DataType) -> pa.Array:
        return pa.Array.from_buffers(kind, rows, [None, pa.py_buffer(fields[name])])

    dates = numbers("fetched_at", pa.int64())
    dated = pc.if_else(pc.equal(dates, _NO_DATE), pa.scalar(None, pa.int64()), dates)
    columns = [
        strings("url"),
        numbers("offset", pa.uint64()),
        dated.cast(pa.timestamp("s", tz="UTC")),
        strings("record_id"),
        pa.array(WARC_REASONS).take(numbers("reason", pa.uint8())),
        strings("detail"),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=DROPPED)


class _Rewound:
    """A stream that can be looked into once before it is read."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._ahead = b""

    def peek(self, size: int) -> bytes:
        while len(self._ahead) < size and (more := self._stream.read(size - len(self._ahead))):
            self._ahead += more
        return self._ahead

    def read(self, size: int = -1, /) -> bytes:
        if self._ahead:
            size = len(self._ahead) if size < 0 else size
            now, self._ahead = self._ahead[:size], self._ahead[size:]
            return now
        return self._stream.read(size)
