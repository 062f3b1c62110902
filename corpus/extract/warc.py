"""Crawl files to pages: WARC, WET and ARC, however compressed, and in WACZ, in bounded memory.

The loop is Rust (`rust_ext.WarcReader`): it inflates, frames records, reads HTTP heads, undoes transfer and
content codings, and lets the gate judge the raw payload, so that of the many pages that are dropped only a
row in an Arrow table is left.

Owns: nothing. Reads: one file or binary stream. Errors: OSError of the source only; whatever is wrong with
the bytes is a dropped record with its offset and kind, and reading goes on at the next record found.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from os import PathLike, fspath
from typing import Any, Final, Literal, Protocol, cast

import pyarrow as pa
import pyarrow.compute as pc

from corpus import storage
from corpus.errors import one_line
from corpus.extract import containers
from corpus.inputs import Part
from corpus.packing import ahead
from rust_ext import WARC_REASONS, WarcReader, warc_layout

#: Largest record block and largest decoded body. Crawls cut payloads at 1 MiB (Common Crawl, 5 MiB since
#: 2025) to some MiB; the longest pages measured, codes of law, have 6 MB.
MAX_RECORD_BYTES: Final = 32 << 20
#: Records of one batch: enough that a call vanishes, few enough that a batch of pages stays below 100 MB.
BATCH_RECORDS: Final = 4096
#: Bytes of pages after which a batch ends early.
BATCH_BYTES: Final = 64 << 20

#: Bytes of a record by which the gates "skim" and "quick" may drop it. With fewer, more pages have only
#: scripts in them and are read on; with more, more is decompressed (docs/measured/extract.md has the
#: figures).
LOOK_BYTES: Final = 16 << 10

#: `Page.record_type` of the files in which sites speak of all their pages.
SITE: Final = "site"

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
    among the decompressed bytes. `body` has transfer and content codings undone; `is_text` says that it is
    plain text. `damage` names what is wrong with the record ("truncated", "chunks_cut", "length_too_large",
    ...), None for a sound one. `truncated` says why only a part of the page is here (`TRUNCATED`), joined by
    commas; None for a whole one. `rights` are the HTTP headers by which the server says what the page may be
    used for.
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
    rights: list[tuple[str, str]]
    damage: str | None
    body: bytes
    truncated: str | None = None
    is_text: bool = False


#: Signs that a page is here in part only. What WARC-Truncated says stands beside these as it is (`length`,
#: `time`, `disconnect`, `unspecified`).
TRUNCATED: Final[dict[str, str]] = {
    "segment": "the record is one of several segments",
    "file": "the archive, or a member of it, ends inside of the record",
    "record": "the record's length is wrong: another record begins in it, or it went on",
    "range": "status 206, and no Content-Range that covers the page",
    "http_length": "fewer bytes than the HTTP head's Content-Length",
    "chunks": "the last chunk is missing, or a part of one",
    "coding": "the content coding (gzip, ...) is cut or damaged",
}


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

    `skipped` counts, by type, records that are never pages: warcinfo, request, metadata, revisit, dns, ...;
    and the files in which sites speak of all their pages, robots.txt and tdmrep.json, which are in `sites`.
    `position` is how many bytes of the file have been read, None where the pages' offsets say it. `within` is
    the path of the crawl file inside of a container (WACZ); the offsets are its own.
    """

    pages: list[Page]
    dropped: pa.RecordBatch
    skipped: Counter[str]
    records: int
    position: int | None = None
    within: str = ""
    sites: tuple[Page, ...] = ()


def read(
    source: str | PathLike[str] | Readable,
    *,
    gate: Gate = "russian",
    max_record_bytes: int = MAX_RECORD_BYTES,
    batch_records: int = BATCH_RECORDS,
    look_bytes: int = LOOK_BYTES,
    part: Part | None = None,
) -> Iterator[Batch]:
    """Read a crawl file: a local path, a URL of an object store (s3://, gs://, ...), or a binary stream.

    With gate "off" every page comes out, whatever its language. With "skim" a page that the first
    `look_bytes` of its record (eight times as many where these are scripts only) show to be foreign is not
    decompressed but skimmed, where that shows that the rest holds no Cyrillic characters either; with "quick"
    not even that. With `part`, a range of offsets of a file that `layout_of` says can be cut, the records of
    that part come out: all parts together give what the file gives.
    Raises OSError where the source cannot be read, ValueError for parameters out of range.
    """
    check_gate(gate)
    if min(max_record_bytes, batch_records, look_bytes) < 1:
        raise ValueError("max_record_bytes, batch_records and look_bytes must be at least 1")
    how = _How(gate, max_record_bytes, look_bytes, batch_records)
    return _batches(source, how) if part is None else _part(source, how, part)


#: Layouts of crawl files that can be cut: records as they are, or each in a gzip member or zstd frame.
CUTTABLE: Final = frozenset({"plain", "members"})
#: First bytes by which `layout_of` knows a file: more than a first record has.
HEAD_BYTES: Final = 1 << 20


def layout_of(head: bytes) -> str:
    """How the records of a crawl file lie in it, by its first `HEAD_BYTES` bytes: one of `CUTTABLE`, "whole"
    (several in one gzip member or zstd frame), or "" (no crawl file, or packed otherwise)."""
    return warc_layout(head) or ""


def check_gate(gate: str) -> None:
    """Raise ValueError where there is no such gate."""
    if gate not in GATES:
        raise ValueError(f"gate is {', '.join(GATES[:-1])} or {GATES[-1]}, not {gate!r}")


@dataclass(frozen=True, slots=True)
class _How:
    """Parameters of `read`."""

    gate: Gate
    max_record_bytes: int
    look_bytes: int
    batch_records: int

    def reader(self, source: Any, part: Part | None) -> WarcReader:
        """The reader in Rust."""
        return WarcReader(
            source,
            gate=self.gate != "off",
            max_record_bytes=self.max_record_bytes,
            look=self.look_bytes if self.gate in ("skim", "quick") else 0,
            skim=self.gate == "skim",
            part=(part.start, part.stop) if part else None,
        )


def _batches(source: str | PathLike[str] | Readable, how: _How) -> Iterator[Batch]:
    stream, owned = _open(source)
    try:
        start, layers = containers.unwrap(stream)
        if containers.is_zip(start.peek(containers.PEEK)) and owned and not layers:
            yield from _zip(fspath(cast("str | PathLike[str]", source)), start, how)
            return
        target: Any = start
        if owned and not layers:
            # Rust reads a local file itself.
            target = storage.local_path(fspath(cast("str | PathLike[str]", source))) or start
        yield from _records(target, how)
        for layer in layers:
            if layer.damage:
                yield _malformed(f"file_cut_short: {layer.damage}")
    finally:
        if owned:
            stream.close()


def _part(source: str | PathLike[str] | Readable, how: _How, part: Part) -> Iterator[Batch]:
    stream, owned = _open(source)
    try:
        local = storage.local_path(fspath(cast("str | PathLike[str]", source))) if owned else None
        yield from _records(local or stream, how, part)
    finally:
        if owned:
            stream.close()


def _records(target: Any, how: _How, part: Part | None = None) -> Iterator[Batch]:
    reader = how.reader(target, part)
    while (fields := reader.next_batch(how.batch_records, BATCH_BYTES))["records"]:
        yield _batch(fields)
    reader.close()


def _zip(location: str, start: Any, how: _How) -> Iterator[Batch]:
    """The crawl files in a ZIP (WACZ), each as it would be read alone. Where its directory is damaged, those
    are found that lie in it as they are."""
    found = 0
    try:
        with storage.open_input(location) as file:
            for path, stream, problem in containers.crawl_files(file):
                found += 1
                if stream is None:
                    yield replace(_malformed(f"bad_zip: {problem}"), within=path)
                    continue
                for batch in _batches(stream, how):
                    yield replace(batch, within=path)
                if stream.damage:
                    yield replace(_malformed(f"file_cut_short: {stream.damage}"), within=path)
    except (zipfile.BadZipFile, ValueError) as error:  # pyarrow will not seek before a small file
        yield _malformed(f"bad_zip: {one_line(error)}")
        yield from _records(start, how)
        return
    if not found:
        yield _malformed("zip_without_crawl_files")


def _malformed(detail: str) -> Batch:
    row = {"url": "", "offset": 0, "record_id": "", "reason": "malformed_record", "detail": detail}
    return Batch([], pa.RecordBatch.from_pylist([row], schema=DROPPED), Counter(), 1)


def _open(source: str | PathLike[str] | Readable) -> tuple[Any, bool]:
    if hasattr(source, "read"):
        return source, False
    # Decompression is the reader's: pyarrow would hide the members' offsets.
    return ahead(storage.open_input(fspath(source)), fspath(source)), True


def _batch(fields: dict[str, Any]) -> Batch:
    found = [Page(**page) for page in fields["pages"]]
    sites = tuple(page for page in found if page.record_type == SITE)
    skipped = Counter(dict(fields["skipped"]))
    skipped.update(page.url.rpartition("/")[2] for page in sites)
    return Batch(
        pages=[page for page in found if page.record_type != SITE] if sites else found,
        dropped=_dropped(fields),
        skipped=skipped,
        records=fields["records"],
        sites=sites,
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
