"""The slow readable oracle of an adapted checkpoint's rows: a token at a time, in plain Python numbers."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

Row = list[float]


def weights(name: str, count: int) -> Row:
    """The weights of `count` pieces, summing to 1."""
    halves = [0.5**place for place in range(count)]
    raw = {
        "mean": [1.0] * count,
        "last": halves[::-1],
        "first": halves,
        "only-first": [1.0] + [0.0] * (count - 1),
    }[name]
    return [one / sum(raw) for one in raw]


def norm(row: Sequence[float]) -> float:
    return math.sqrt(sum(one * one for one in row))


def combined(rows: Sequence[Sequence[float]], name: str, rescale: bool) -> Row:
    """One token's row of its pieces' rows, first to last."""
    shares = weights(name, len(rows))
    out = [
        sum(share * row[column] for share, row in zip(shares, rows, strict=True))
        for column in range(len(rows[0]))
    ]
    if rescale and norm(out) > 0:
        wanted = sum(share * norm(row) for share, row in zip(shares, rows, strict=True))
        out = [one * wanted / norm(out) for one in out]
    return out


def bfloat16(value: float) -> bytes:
    """A float32 as the nearest bfloat16 (ties to even), little endian, by trying both neighbours."""
    bits = struct.unpack("<I", struct.pack("<f", value))[0]
    below = bits >> 16 << 16
    above = below + 0x10000
    down = bits - below
    if down < 0x8000 or (down == 0x8000 and not below >> 16 & 1):
        return struct.pack("<H", below >> 16)
    return struct.pack("<H", above >> 16)
