"""What a packed file's own bytes hold, by the ending of its name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from typing import Any, Final

import pyarrow as pa

from corpus import storage

#: Bytes read ahead where a file is read from front to end: of an object store each read is a request.
AHEAD: Final = 8 << 20


def open_lines(location: str) -> Any:
    """A buffered binary stream of a plain, gzip, bzip2, xz or zstd file."""
    return unpacked(storage.open_input(location), location)


def ahead(raw: Any, location: str) -> Any:
    """A file's stream to read from front to end: one of an object store's in large pieces, where
    decompressors ask for 8 kB each time. What is in memory or on a disk stays as it is."""
    if isinstance(raw, pa.BufferReader) or storage.local_path(location) is not None:
        return raw
    return io.BufferedReader(raw, AHEAD)


def unpacked(raw: Any, location: str) -> Any:
    """A buffered binary stream of what a file's own bytes hold, as the ending of its location says."""
    path = storage.path_part(location).lower()
    stream = ahead(raw, location)
    if path.endswith(".gz"):
        return gzip.open(stream, "rb")
    if path.endswith(".bz2"):
        return bz2.open(stream, "rb")
    if path.endswith(".xz"):
        return lzma.open(stream, "rb")
    if path.endswith(".zst"):
        return io.BufferedReader(pa.CompressedInputStream(stream, "zstd"), 1 << 20)
    return stream if stream is not raw else io.BufferedReader(raw, 1 << 20)
