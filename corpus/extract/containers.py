"""What a crawl file is wrapped in: compressions that the reader in Rust does not undo itself, and WACZ.

bzip2 and xz are undone here, and so is gzip that holds a compressed file once more; the last layer of gzip,
zstd or LZ4 is the reader's, which knows the members' offsets. WACZ (https://specs.webrecorder.net/wacz) is a
ZIP whose crawl files lie in `archive/`.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, Final

from corpus.errors import one_line
from corpus.extract.packed import Packed

#: Bytes at the head of a file that are read to identify its container.
PEEK: Final = 4096
#: Layers of compression that are undone, at most.
_LAYERS: Final = 4
_GZIP: Final = b"\x1f\x8b\x08"
_COMPRESSED: Final = (_GZIP, b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18")
_OPEN: Final[dict[bytes, Any]] = {b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open, _GZIP: gzip.open}
#: Names of crawl files.
CRAWL: Final = re.compile(r"\.(warc|wet|arc)(\.gz|\.zst|\.lz4|\.bz2|\.xz)?$", re.IGNORECASE)


class Rewound:
    """A stream that can be looked into before it is read."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._ahead = b""

    def peek(self, size: int) -> bytes:
        """The first `size` bytes that are not read yet, fewer at the end only."""
        while len(self._ahead) < size and (more := self._stream.read(size - len(self._ahead))):
            self._ahead += more
        return self._ahead

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; none at the end."""
        if self._ahead:
            size = len(self._ahead) if size < 0 else size
            now, self._ahead = self._ahead[:size], self._ahead[size:]
            return now
        return bytes(self._stream.read(size))


def unwrap(stream: Any) -> tuple[Rewound, list[Packed]]:
    """The stream inside of the outer layers of compression, and those layers, which report their damage."""
    rewound = Rewound(stream)
    layers: list[Packed] = []
    while len(layers) < _LAYERS and (layer := _outer(rewound.peek(PEEK))):
        layers.append(Packed(_OPEN[layer](rewound, "rb")))
        rewound = Rewound(layers[-1])
    return rewound, layers


def _outer(head: bytes) -> bytes | None:
    """The magic of a layer that is to be undone here."""
    layer = next((magic for magic in _OPEN if head.startswith(magic)), None)
    if layer != _GZIP:
        return layer
    try:
        inner = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, 16)
    except zlib.error:
        return None
    return layer if inner.startswith(_COMPRESSED) else None


def is_zip(head: bytes) -> bool:
    """Whether a file that begins so is a ZIP."""
    return head.startswith(b"PK\x03\x04")


def crawl_files(file: Any) -> Iterator[tuple[str, Packed | None, str]]:
    """Path, stream and, where there is none, what is wrong, of each crawl file in a ZIP.

    Raises zipfile.BadZipFile, or ValueError of the file, where the ZIP has no readable directory.
    """
    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            if not CRAWL.search(entry.filename):
                continue
            try:
                stream = archive.open(entry)
            except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
                yield entry.filename, None, one_line(error)
                continue
            with stream:
                yield entry.filename, Packed(stream), ""
