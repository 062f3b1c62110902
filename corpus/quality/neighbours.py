"""Fit the table of neighbours: how much oftener than by chance classes of words stand side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.quality.signals import function_words, topics
from rust_ext import quality_neighbours
from rust_ext.arrow import text_buffers

#: Pairs of classes met less often are left out: they would fill the table with accidents.
LEAST: Final = 3


def fit_neighbours(paths: Sequence[Path], most: int) -> bytes:
    """The table of neighbours fitted to at most `most` characters of each file, in the order of the rows."""
    texts: list[str] = []
    for path in paths:
        taken = 0
        for batch in pq.ParquetFile(path).iter_batches(256, columns=["text"]):
            for text in batch.column(0).to_pylist():
                if text and taken < most:
                    texts.append(text[:100_000])
                    taken += len(texts[-1])
    buffers = text_buffers(pa.array(texts, pa.large_string()))
    return quality_neighbours(buffers, function_words(), topics(), LEAST)
