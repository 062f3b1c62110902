"""Chunks of litdata (Lightning) for its TokensLoader, which litGPT's data module LitData reads.

A chunk: number of items, byte offsets of items and of the end, ids; numbers before the ids are uint32. The
loader cuts the ids of a chunk into blocks whatever the items, so that a chunk here is one item. `index.json`
of a folder lists its chunks with their tokens. As litdata 0.2.76 writes and reads them (streaming/writer.py,
streaming/item_loader.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

INDEX: Final = "index.json"
#: Bytes before the ids: one item, where it begins, where it ends.
HEAD: Final = 12
#: Numbers of types in `litdata.constants._TORCH_DTYPES_MAPPING`.
_CODES: Final = {"int32": 16, "uint16": 20}
#: An item is one leaf: what torch's `treespec_dumps` says of it.
_LEAF: Final = '[1, {"type": null, "context": null, "children_spec": []}]'


class ChunkWriter:
    """Ids behind room for the head, which is filled when their number is known."""

    def __init__(self, stem: Path, kind: str) -> None:
        self._type = np.dtype(kind).newbyteorder("<")
        self._path = stem.with_name(stem.name + ".bin")
        self._stream = self._path.open("wb")
        self._stream.write(bytes(HEAD))

    def add(self, ids: npt.NDArray[np.uint32], lengths: Any, doc_ids: pa.Array) -> None:  # noqa: ARG002 - it has none
        """Append ids; blocks are cut without regard to documents."""
        self._stream.write(np.ascontiguousarray(ids, self._type).data.cast("B"))

    def close(self) -> list[Path]:
        """Fill the head."""
        end = self._stream.tell()
        self._stream.seek(0)
        self._stream.write(np.array([1, HEAD, end], "<u4").tobytes())
        self._stream.close()
        return [self._path]


def index_json(chunks: Iterable[tuple[str, int]], kind: str) -> bytes:
    """index.json of chunks: base name and tokens of each."""
    width = np.dtype(kind).itemsize
    sizes = [(name, tokens, HEAD + tokens * width) for name, tokens in chunks]
    entries = [
        {"chunk_bytes": size, "chunk_size": 1, "dim": tokens, "filename": name}
        for name, tokens, size in sizes
    ]
    config = {
        "chunk_bytes": max((size for *_, size in sizes), default=0),
        "chunk_size": None,
        "compression": None,
        "data_format": [f"no_header_tensor:{_CODES[kind]}"],
        "data_spec": _LEAF,
        "encryption": None,
        "item_loader": "TokensLoader",
    }
    return (json.dumps({"chunks": entries, "config": config}, sort_keys=True) + "\n").encode()
