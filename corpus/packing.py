"""What a packed file's own bytes hold, by the ending of its name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from typing import Any

import pyarrow as pa

from corpus import storage


def open_lines(location: str) -> Any:
    """A buffered binary stream of a plain, gzip, bzip2, xz or zstd file."""
    return unpacked(storage.open_input(location), location)


def unpacked(raw: Any, location: str) -> Any:
    """A buffered binary stream of what a file's own bytes hold, as the ending of its location says."""
    path = storage.path_part(location).lower()
    if path.endswith(".gz"):
        return gzip.open(raw, "rb")
    if path.endswith(".bz2"):
        return bz2.open(raw, "rb")
    if path.endswith(".xz"):
        return lzma.open(raw, "rb")
    if path.endswith(".zst"):
        return io.BufferedReader(pa.CompressedInputStream(raw, "zstd"), 1 << 20)
    return io.BufferedReader(raw, 1 << 20)
