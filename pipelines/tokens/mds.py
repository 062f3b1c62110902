"""MosaicML streaming's shards (MDS, version 2): a sample a document, with one column, `tokens`.

A shard: number of samples, byte offsets of samples, a description as JSON, samples; all numbers uint32. A
sample is the size of its array, a byte that says "one axis, in a uint32", the length, ids. `index.json` of a
folder lists its shards. As mosaicml-streaming 0.13 writes and reads them (streaming/base/format/mds).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ids = npt.NDArray[np.uint32]
Lengths = npt.NDArray[np.int64]

INDEX: Final = "index.json"
#: Tokens of a shard at most: readers fetch whole ones, 64 MiB by custom; offsets are uint32.
MOST_TOKENS: Final = 1 << 24
#: Size, shape byte and length before the ids of a sample.
_HEAD: Final = 9
_SHAPE: Final = 1 << 2 | 2


class MdsWriter:
    """Samples beside the shard until it is closed: its offsets come first."""

    def __init__(self, stem: Path, kind: str) -> None:
        self._kind = kind
        self._path = stem.with_name(stem.name + ".mds")
        self._samples = stem.with_name(stem.name + ".samples")
        self._stream = self._samples.open("wb")
        self._sizes: list[Lengths] = []

    def add(self, ids: Ids, lengths: Lengths, doc_ids: pa.Array) -> None:  # noqa: ARG002 - samples have none
        width = np.dtype(self._kind).itemsize
        heads = np.zeros(len(lengths), [("size", "<u4"), ("shape", "u1"), ("length", "<u4")])
        heads["size"], heads["shape"], heads["length"] = lengths * width + _HEAD - 4, _SHAPE, lengths
        sizes = lengths * width + _HEAD
        starts = np.cumsum(sizes) - sizes
        found = np.empty(int(sizes.sum()), np.uint8)
        raw = np.ascontiguousarray(ids, np.dtype(self._kind).newbyteorder("<")).view(np.uint8)
        found[(starts[:, None] + np.arange(_HEAD)).reshape(-1)] = heads.view(np.uint8)
        shift = _HEAD * np.arange(1, len(lengths) + 1)
        found[np.arange(len(raw)) + np.repeat(shift, lengths * width)] = raw
        found.tofile(self._stream)
        self._sizes.append(sizes)

    def close(self) -> list[Path]:
        self._stream.close()
        sizes = np.concatenate(self._sizes) if self._sizes else np.empty(0, np.int64)
        about = json.dumps(description(self._kind), sort_keys=True).encode()
        offsets = np.concatenate([[0], np.cumsum(sizes)]) + 4 + 4 * (len(sizes) + 1) + len(about)
        with self._path.open("wb") as stream, self._samples.open("rb") as samples:
            stream.write(np.array([len(sizes), *offsets], "<u4").tobytes() + about)
            shutil.copyfileobj(samples, stream, 1 << 20)
        self._samples.unlink()
        return [self._path]


def description(kind: str) -> dict[str, Any]:
    """What a shard and the index say of the samples."""
    return {
        "column_encodings": [f"ndarray:{kind}"],
        "column_names": ["tokens"],
        "column_sizes": [None],
        "compression": None,
        "format": "mds",
        "hashes": [],
        "size_limit": None,
        "version": 2,
    }


def index_json(shards: Iterable[tuple[str, int, int]], kind: str) -> bytes:
    """index.json of shards: base name, samples and bytes of each."""
    entries = [
        description(kind)
        | {
            "raw_data": {"basename": name, "bytes": size, "hashes": {}},
            "samples": samples,
            "zip_data": None,
        }
        for name, samples, size in shards
    ]
    return (json.dumps({"shards": entries, "version": 2}, sort_keys=True) + "\n").encode()


def tokens_of(path: Path, kind: str, start: int, count: int) -> npt.NDArray[Any]:
    """`count` ids of a shard from the one with number `start` on, heads left out."""
    width = np.dtype(kind).itemsize
    with path.open("rb") as stream:
        samples = int(np.fromfile(stream, "<u4", 1)[0])
        offsets = np.fromfile(stream, "<u4", samples + 1).astype(np.int64)
        ends = np.cumsum((np.diff(offsets) - _HEAD) // width)
        first = int(np.searchsorted(ends, start, side="right"))
        last = min(int(np.searchsorted(ends, start + count)), samples - 1)
        found = []
        for sample in range(first, last + 1):
            stream.seek(int(offsets[sample]) + _HEAD)
            size = (int(offsets[sample + 1] - offsets[sample]) - _HEAD) // width
            found.append(np.fromfile(stream, np.dtype(kind).newbyteorder("<"), size))
    before = int(ends[first - 1]) if first else 0
    return np.concatenate(found)[start - before : start - before + count]
