"""A compressed stream that ends where it is damaged, and says so, instead of raising."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from typing import Any

from corpus import storage
from corpus.errors import one_line


class Packed:
    """A binary stream, read up to a defect: `damage` is then the decompressor's message.

    Errors of the system (a disk, a network) are raised as ever.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.damage: str | None = None

    def read_some(self, size: int) -> bytes:
        """At most `size` bytes, as many as come at once; none at the end."""
        # read() would lose what it had gathered before the defect.
        return self._try(self._stream.read1, size)

    def read(self, size: int) -> bytes:
        """`size` bytes, fewer at the end only."""
        pieces, missing = [], size
        while missing > 0 and (piece := self.read_some(missing)):
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def readline(self, limit: int) -> bytes:
        """A line with its end, or `limit` bytes of it. A line that a defect cuts is lost."""
        return self._try(self._stream.readline, limit)

    def _try(self, read: Any, size: int) -> bytes:
        if self.damage:
            return b""
        try:
            return bytes(read(size))
        except (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
            if isinstance(error, OSError) and storage.is_system_error(error):
                raise
            self.damage = one_line(error)
            return b""
