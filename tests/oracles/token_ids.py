"""What the encoder's ids around texts come to, by numpy."""

from __future__ import annotations

from typing import Any

import numpy as np


def bounded(ids: Any, offsets: Any, start: int | None, end: int | None) -> tuple[Any, Any]:
    """The ids of texts with a start and an end token around each, where they are given, and new lengths."""
    lengths = np.diff(offsets)
    extra = (start is not None) + (end is not None)
    if not extra:
        return ids, lengths
    count = len(lengths)
    found = np.empty(len(ids) + count * extra, np.uint32)
    shift = np.arange(count) * extra + (start is not None)
    found[np.arange(len(ids)) + np.repeat(shift, lengths)] = ids
    lengths = lengths + extra
    ends = np.cumsum(lengths)
    if start is not None:
        found[ends - lengths] = start
    if end is not None:
        found[ends - 1] = end
    return found, lengths
