"""Texts as the buffers that counting takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rust_ext import split_safe_cut
from tokenizer.split import DEFAULT, splitter

if TYPE_CHECKING:
    import os

    import numpy as np
    import pyarrow as pa

    Texts = Iterable[str | bytes | pa.Array | pa.ChunkedArray]

BATCH: Final = 4 << 20
"""Bytes of an Arrow array handed over at once: time for a look at Ctrl-C."""

BLOCK: Final = 1 << 20
"""Bytes that `read_text` reads at once. Half as many, of small documents, are handed over at once: a
millisecond's work."""


def read_text(path: str | os.PathLike[str], pattern: str = DEFAULT) -> Iterator[bytes]:
    """A text file as one document, in blocks of about a megabyte, cut where no pretoken is.

    There is such a place before most spaces for the patterns written out by hand; for other patterns, and for
    a file without such places, a block is as long as it must be, up to the whole file.
    """
    by_hand = splitter(pattern).by_hand
    waiting: list[bytes | memoryview] = []
    with Path(path).open("rb") as file:
        while block := file.read(BLOCK):
            cut = split_safe_cut(block) if by_hand else 0
            view = memoryview(block)
            if cut:
                yield b"".join([*waiting, view[:cut]])
                waiting = []
            waiting.append(view[cut:])
    if waiting:
        yield b"".join(waiting)


def buffers(
    texts: Texts,
) -> Iterator[list[bytes] | tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    """Documents a megabyte or more at a time: a list of them, or of an Arrow array, without a copy, (bytes,
    offsets)."""
    waiting: list[bytes] = []
    size = 0
    for text in texts:
        if isinstance(text, str | bytes):
            waiting.append(text.encode() if isinstance(text, str) else text)
            size += len(waiting[-1])
            if size >= BLOCK // 2:
                yield waiting
                waiting, size = [], 0
        else:
            # Texts that are str or bytes need no numpy, which takes as long to import as all the rest.
            from rust_ext.arrow import text_buffers

            for chunk in getattr(text, "chunks", [text]):
                yield from _batches(*text_buffers(chunk))
    if waiting:
        yield waiting


def _batches(
    data: np.ndarray[Any, Any], offsets: np.ndarray[Any, Any]
) -> Iterator[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    """Cuts offsets into runs of about `BATCH` bytes, so that counting stays interruptible."""
    import numpy as np

    start, last = 0, len(offsets) - 1
    while start < last:
        end = max(start + 1, int(np.searchsorted(offsets, offsets[start] + BATCH, side="right")) - 1)
        yield data, offsets[start : end + 1]
        start = end
