"""A published dataset against its manifest: every file, every row, every doc_id."""

from __future__ import annotations

import functools
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus import storage
from corpus.errors import one_line
from pipelines.contents import TextDigest
from pipelines.manifest import FileEntry, read_manifest

_READ_ROWS: Final = 4_000
_ID: Final = "doc_id"
#: Hexadecimal digits of a doc_id.
_HEX: Final = 32
#: Odd numbers, fractions of the golden ratio and of square roots, by which eight digits each are mixed.
_MIX: Final = np.array(
    [0x9E3779B97F4A7C15, 0x6A09E667F3BCC909, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B], np.uint64
)


def verify(target: str) -> list[str]:
    """Faults of a published dataset against its manifest; an empty list means that all is as written.

    Every file is read whole: its bytes against size and SHA-256, its rows against count, schema and digest of
    the texts; and no doc_id stands twice in the dataset. Holds 16 bytes a document; where an id stands twice,
    ids are read once more. Raises UsageError where there is no manifest.
    """
    manifest = read_manifest(target)
    faults: list[str] = []
    numbers: list[NDArray[np.uint64]] = []
    read: list[str] = []
    for entry in manifest.files:
        before = len(numbers)
        faults += _faults(target, entry, manifest.columns, numbers)
        read += [storage.join(target, entry.path)] if len(numbers) > before else []
    if manifest.sample is not None:  # of documents that are in the files too
        faults += _faults(target, manifest.sample, manifest.columns, [])
    if twice := _twice(numbers, read):
        others = f", and {len(twice) - 1:,} others" if len(twice) > 1 else ""
        faults.append(f"doc_id {twice[0]} stands more than once{others}: the published documents had it so")
    known = {storage.join(target, entry.path) for entry in manifest.files}
    listed = storage.list_files(storage.join(target, "data"))
    return faults + [f"data/{storage.base_name(f)}: not in the manifest" for f in listed if f not in known]


def _faults(
    target: str, entry: FileEntry, columns: dict[str, str], numbers: list[NDArray[np.uint64]]
) -> list[str]:
    """Faults of a file, each with its name; numbers of its doc_ids are added to `numbers`."""
    location = storage.join(target, entry.path)
    fault = _file_fault(location, entry)
    found = [fault] if fault else _row_faults(location, entry, columns, numbers)
    return [f"{entry.path}: {one}" for one in found]


def _file_fault(location: str, entry: FileEntry) -> str:
    if not storage.exists(location):
        return "missing"
    digest, size = storage.sha256(location)
    if size != entry.bytes:
        return f"{size} bytes, the manifest says {entry.bytes}"
    return "" if digest == entry.sha256 else "content differs from the manifest's SHA-256"


def _row_faults(
    location: str, entry: FileEntry, columns: dict[str, str], numbers: list[NDArray[np.uint64]]
) -> list[str]:
    """Faults of a file's rows; adds to `numbers` as `_faults` does."""

    def read(stream: Any) -> tuple[list[str], list[NDArray[np.uint64]]]:
        file = pq.ParquetFile(stream, pre_buffer=False)
        if {f.name: str(f.type) for f in file.schema_arrow} != columns:
            return ["its columns are not those of the manifest"], []
        digest, rows, found = TextDigest(), 0, []
        wanted = [name for name in (_ID, "text") if name in columns]
        for batch in file.iter_batches(_READ_ROWS, columns=wanted, use_threads=False):
            part = pa.Table.from_batches([batch])
            rows += part.num_rows
            if "text" in wanted:
                digest.add(part.column("text"))
            if _ID in wanted:
                found += [_numbers(ids) for ids in _plain(part.column(_ID))]
        faults = [] if rows == entry.rows else [f"{rows} rows, the manifest says {entry.rows}"]
        if entry.text and "text" in columns and digest.hex() != entry.text:
            faults.append("its texts are not those of the manifest")
        return faults, found

    try:
        with storage.translated(location):
            faults, found = storage.reading(location, read)
    except pa.ArrowException as error:
        return [f"not readable as Parquet ({one_line(error)})"]
    numbers.extend(found)
    return faults


def _plain(column: pa.ChunkedArray) -> Iterator[pa.Array]:
    """Identities as bytes, without those of documents that have none."""
    for chunk in column.chunks:
        yield chunk.drop_null().cast(pa.string()).cast(pa.binary())


def _numbers(ids: pa.Array) -> NDArray[np.uint64]:
    """64 bits of each identity; different ones have the same once in 2**64 pairs."""
    try:
        fixed = ids.cast(pa.binary(_HEX))
    except pa.ArrowInvalid:  # of somebody else
        digests = (hashlib.blake2b(one, digest_size=8).digest() for one in ids.to_pylist())
        return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)
    if not len(fixed):
        return np.empty(0, np.uint64)
    data = np.frombuffer(fixed.buffers()[1], "<u8")[4 * fixed.offset : 4 * (fixed.offset + len(fixed))]
    words = data.reshape(-1, 4) * _MIX
    words ^= words >> np.uint64(32)
    mixed: NDArray[np.uint64] = np.bitwise_xor.reduce(words * _MIX[::-1], axis=1)
    return mixed


def _twice(numbers: list[NDArray[np.uint64]], files: Iterable[str]) -> list[str]:
    """Identities that stand more than once in the files, in their order."""
    every = np.concatenate([*numbers, np.empty(0, np.uint64)])
    every.sort()
    often = np.unique(every[1:][every[1:] == every[:-1]])
    if not len(often):
        return []
    counts: Counter[bytes] = Counter()
    for file in files:
        counts.update(storage.reading(file, functools.partial(_named, often)))
    return sorted(one.decode("utf-8", "replace") for one, count in counts.items() if count > 1)


def _named(often: NDArray[np.uint64], stream: Any) -> list[bytes]:
    """The identities of a file whose numbers are among these."""
    file = pq.ParquetFile(stream, pre_buffer=False)
    found: list[bytes] = []
    for batch in file.iter_batches(_READ_ROWS, columns=[_ID], use_threads=False):
        for ids in _plain(pa.chunked_array([batch.column(_ID)])):
            found += ids.filter(pa.array(np.isin(_numbers(ids), often))).to_pylist()
    return found
