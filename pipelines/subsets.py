"""Subsets of a dataset that are configurations of their own, its sample, and the quality that they go by."""

from __future__ import annotations

import heapq
import math
import re
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from corpus import table

#: Columns by whose values a dataset may be cut into configurations.
CHOICES: Final = ("lang", "register", "quality")
#: Buckets of quality: name -> least probability that the document is good.
QUALITIES: Final = (("high", 0.9), ("middle", 0.5), ("low", 0.0))
QUALITY: Final = "quality"
#: The log of the odds that a document is junk, from which its quality follows.
_MARGIN: Final = "junk_margin"
SAMPLE: Final = "sample/sample-00000-of-00001.parquet"
#: The least that a task offers for the sample, and how many times its even share.
_LEAST, _TIMES = 64, 4


def with_quality(rows: pa.Table) -> pa.Table:
    """Rows with the column `quality`, the probability that a document is good, where the filter's margin says
    it and it is not there yet."""
    if QUALITY in rows.column_names or _MARGIN not in rows.column_names:
        return rows
    margins = rows.column(_MARGIN).to_numpy().astype(np.float64)
    good = 1.0 / (1.0 + np.exp(np.clip(margins, -700, 700)))
    return table.with_columns(rows, {QUALITY: pa.array(good.astype(np.float32), from_pandas=True)})


def labels(rows: pa.Table, by: str) -> list[str]:
    """The subset of each row, as it stands in names of files: letters, digits and low lines."""
    if by not in rows.column_names:
        return ["none"] * rows.num_rows
    values = rows.column(by).to_pylist()
    if by == QUALITY:
        return [_bucket(value) for value in values]
    return [re.sub(r"\W+", "_", str(value)) if value else "none" for value in values]


def _bucket(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "none"
    return next((name for name, least in QUALITIES if value >= least), QUALITIES[-1][0])


def parts(rows: pa.Table, by: str) -> Iterator[tuple[str, pa.Table]]:
    """The rows of each subset, by name, in the order of names; all of them as "" where there are none."""
    if not by:
        yield "", rows
        return
    names = np.array(labels(rows, by), dtype=object)
    for name in sorted(set(names)):
        yield str(name), rows.filter(pa.array(names == name))


class Offer:
    """The rows of one task that may be in the sample: those with the lowest numbers."""

    def __init__(self, wanted: int, rows: int, total: int) -> None:
        share = math.ceil(rows * wanted / total) if total else wanted
        self._most = min(wanted, _TIMES * share + _LEAST)
        self._kept: pa.Table | None = None

    def add(self, rows: pa.Table, numbers: list[int]) -> None:
        """The next rows, with the number of each."""
        more = rows.append_column(NUMBER, pa.array(numbers, pa.uint64()))
        self._kept = lowest([more] if self._kept is None else [self._kept, more], self._most)

    def rows(self) -> pa.Table | None:
        """Those of the rows so far that may be in the sample; None where there were none."""
        return self._kept


#: Column of offered rows that decides which are in the sample.
NUMBER: Final = "_number"


def lowest(tables: Iterable[pa.Table], most: int) -> pa.Table:
    """The rows with the lowest numbers, in their order."""
    rows = pa.concat_tables(tables)
    numbers = rows.column(NUMBER).to_numpy()
    chosen = heapq.nsmallest(most, range(len(numbers)), key=lambda place: (int(numbers[place]), place))
    return rows.take(pa.array(chosen, pa.int64()))


def numbers(keys: Iterable[str]) -> list[int]:
    """A number below 2**64 of each document's identity, always the same."""
    return [int.from_bytes(table.doc_id(f"sample {key}")[:8], "big") for key in keys]
