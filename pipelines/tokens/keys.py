"""Numbers of documents that order them as if drawn: of their ids and a seed, the same on every machine."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import numpy as np
import pyarrow as pa

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)


def mixed(values: Any) -> Any:
    """splitmix64's finisher, of every value (uint64)."""
    with np.errstate(over="ignore"):
        values = values + _GOLDEN
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return values ^ (values >> np.uint64(31))


def keys_of(doc_ids: pa.Array, seed: int) -> Any:
    """A number of each document (uint64), of its doc_id (16 bytes) and the seed."""
    halves = np.frombuffer(b"".join(doc_ids.to_pylist()), "<u8").reshape(-1, 2)
    start = np.uint64(int.from_bytes(hashlib.blake2b(str(seed).encode(), digest_size=8).digest(), "little"))
    return mixed(mixed(halves[:, 0] ^ start) ^ halves[:, 1])


def salted(keys: Any, salt: int) -> Any:
    """Other numbers of the same documents."""
    with np.errstate(over="ignore"):
        return mixed(keys ^ (np.uint64(salt + 1) * _GOLDEN))


def range_of(keys: Any, ranges: int) -> Any:
    """Which of `ranges` equal parts of the numbers each lies in (int64)."""
    return (keys >> np.uint64(32)).astype(np.int64) * ranges >> 32
