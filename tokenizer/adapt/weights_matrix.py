"""One matrix read and written again, block by block: what its rows are like, and the new rows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tokenizer.adapt.weights_files import Bytes, Floats, Tensor, from_floats, read_at, row_blocks, to_floats
from tokenizer.adapt.weights_plan import NEW, PADDING, Plan
from tokenizer.adapt.weights_rows import (
    Doubles,
    Hidden,
    Ids,
    Rule,
    clip_norms,
    combine,
    prior_shift,
    row_norms,
)

#: Bytes of rows that are read or written at once; as float32 they take twice that.
BLOCK: Final = 32 << 20
#: Old ids that lie this close together are read in one go.
NEAR: Final = 8
#: Percentiles of the norms of old rows that bound those of new rows.
BOUNDS: Final = (1.0, 99.0)


class RowReader:
    """Rows of a tensor by number, through a file that is open as long as this is."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        self._file = os.open(tensor.path, os.O_RDONLY)

    def __enter__(self) -> RowReader:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def block(self, first: int, end: int) -> Bytes:
        """Rows first..end-1 as bytes, [rows, bytes of a row]."""
        size = self.tensor.row_size
        return read_at(self._file, self.tensor.begin + first * size, (end - first) * size).reshape(-1, size)

    def rows(self, ids: Ids) -> Bytes:
        """Rows by number, rising or not, as bytes, [ids, bytes of a row]."""
        out = np.empty((len(ids), self.tensor.row_size), np.uint8)
        order = np.argsort(ids, kind="stable")
        rising = ids[order]
        cuts = np.flatnonzero(np.diff(rising) > NEAR) + 1
        most = max(1, BLOCK // self.tensor.row_size)
        for run in np.split(np.arange(len(rising)), cuts):
            for low in range(0, len(run), most):
                part = run[low : low + most]
                if len(part):
                    first = int(rising[part[0]])
                    block = self.block(first, int(rising[part[-1]]) + 1)
                    out[order[part]] = block[rising[part] - first]
        return out

    def floats(self, ids: Ids) -> Floats:
        """The rows of these ids as float32, (ids, columns)."""
        return to_floats(self.rows(ids).reshape(-1), self.tensor.dtype, self.tensor.columns)


@dataclass(frozen=True)
class Statistics:
    """Of the rows that the base's tokens have: the bounds of norms, the mean row; and the mean hidden state
    (None: not wanted, or nothing to estimate it by)."""

    low: float
    high: float
    mean: Floats
    hidden: Doubles | None


def measure(reader: RowReader, plan: Plan, rule: Rule, hidden: Doubles | None) -> Statistics:
    """What rows are like. hidden: as measured on text; None: estimated where `rule` shifts.

    ValueError where a row that is kept or averaged holds numbers that are not finite.
    """
    tensor = reader.tensor
    norms, total = np.zeros(tensor.rows), np.zeros(tensor.columns)
    used = np.zeros(tensor.rows, bool)
    used[plan.source[plan.source >= 0]] = True
    used[plan.pieces.flat] = True
    used[len(plan.base_uses) :] = False
    if rule.shift and hidden is None and tensor.columns > 1:
        hidden = estimated(reader, plan.base_uses)
    for first, end in row_blocks(tensor.rows, tensor.row_size, BLOCK):
        rows = to_floats(reader.block(first, end).reshape(-1), tensor.dtype, tensor.columns)
        norms[first:end] = row_norms(rows)
        here = used[first:end]
        if not np.isfinite(norms[first:end][here]).all():
            bad = first + int(np.flatnonzero(here & ~np.isfinite(norms[first:end]))[0])
            raise ValueError(
                f"{tensor.path}: row {bad} of {tensor.name} is not finite; the checkpoint is damaged"
            )
        total += rows[here].sum(axis=0, dtype=np.float64)
    low, high = np.percentile(norms[used], BOUNDS) if used.any() else (0.0, 0.0)
    mean = (total / max(1, int(used.sum()))).astype(np.float32)
    return Statistics(float(low), float(high), mean, hidden)


def _used(reader: RowReader, base_uses: Ids) -> Iterator[tuple[Floats, Ids]]:
    """Rows of the tokens that the training text uses, and their uses, in blocks."""
    tensor = reader.tensor
    for first, end in row_blocks(len(base_uses), tensor.row_size, BLOCK):
        uses = base_uses[first:end]
        rows = to_floats(reader.block(first, end).reshape(-1), tensor.dtype, tensor.columns)
        yield rows[uses > 0], uses[uses > 0]


def estimated(reader: RowReader, base_uses: Ids) -> Doubles | None:
    """The mean hidden state as `weights_rows.Hidden` estimates it; None where nothing is known of uses."""
    estimate = Hidden(reader.tensor.columns)
    for rows, uses in _used(reader, base_uses):
        estimate.add(rows, uses)
    for rows, uses in _used(reader, base_uses):
        estimate.fit(rows, uses)
    return estimate.state


@dataclass
class MatrixWriter:
    """Yields the new matrix in blocks; counts rows whose norm was brought within bounds."""

    reader: RowReader
    plan: Plan
    rule: Rule
    statistics: Statistics
    padding: str
    clipped: int = 0

    def blocks(self) -> Iterator[Bytes]:
        """[rows, bytes of a row], in order, all rows of the new matrix."""
        tensor, plan = self.reader.tensor, self.plan
        for first, end in row_blocks(plan.rows, tensor.row_size, BLOCK):
            source = plan.source[first:end]
            out = np.empty((end - first, tensor.row_size), np.uint8)
            kept = np.flatnonzero(source >= 0)
            out[kept] = self.reader.rows(source[kept])
            out[source == PADDING] = self.padding_row()
            places = np.flatnonzero(source == NEW)
            if len(places):
                low, high = np.searchsorted(plan.new_ids, (first, end))
                self._new(int(low), int(high), out, places)
            yield out

    def padding_row(self) -> Bytes:
        """The bytes of a row that no token has."""
        mean = self.statistics.mean if self.padding == "mean" else np.zeros_like(self.statistics.mean)
        row: Bytes = from_floats(mean[None], self.reader.tensor.dtype)[0]
        return row

    def _new(self, low: int, high: int, out: Bytes, places: Ids) -> None:
        """New tokens low..high-1 into their places, so many at once that their pieces fit a block."""
        tensor = self.reader.tensor
        step = max(1, BLOCK // (tensor.columns * 4 * 4))
        for begin in range(low, high, step):
            end = min(high, begin + step)
            rows = self.new_rows(begin, end)
            out[places[begin - low : end - low]] = from_floats(rows, tensor.dtype)

    def new_rows(self, low: int, high: int) -> Floats:
        """Rows of the new tokens low..high-1 as float32."""
        pieces = self.plan.pieces.part(low, high)
        rows = combine(self.reader.floats, pieces, self.rule)
        if self.rule.shift:
            shift = prior_shift(self.plan.uses[low:high], self.plan.base_uses[pieces.first])
            if self.reader.tensor.columns == 1:
                return rows + shift[:, None].astype(np.float32)
            hidden = self.statistics.hidden
            known = (self.plan.uses[low:high] >= 0) & (self.plan.base_uses[pieces.first] >= 0)
            if hidden is None:
                known[:] = False
            else:
                rows += (shift[:, None] * (hidden / (hidden @ hidden))).astype(np.float32)
            if not known.all():
                # A first piece's row without the shift doubles that piece's share; the mean does less harm.
                rows[~known] = combine(self.reader.floats, pieces, Rule("mean"))[~known]
        if self.reader.tensor.columns > 1:
            self.clipped += clip_norms(rows, self.statistics.low, self.statistics.high)
        return rows

    def figures(self, role: str) -> dict[str, Any]:
        """What the report says of this matrix."""
        tensor, found = self.reader.tensor, self.statistics
        return {
            "name": tensor.name,
            "role": role,
            "dtype": tensor.dtype,
            "shape": [tensor.rows, *tensor.shape[1:]],
            "rows": self.plan.rows,
            "norm_p1": round(found.low, 6),
            "norm_p99": round(found.high, 6),
            "clipped": self.clipped,
        }
