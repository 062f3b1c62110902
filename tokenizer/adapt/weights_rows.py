"""Rows of new tokens, made of the rows of their old pieces.

A model that reads " прав", "итель", "ство" and then predicts is, for the layers above the embedding, at the
last piece: so the input row of the new token " правительство" is to look like its last piece, with less of
those before. A model that is about to write it scored the first piece: so the output row is the first
piece's. But that score is of all words that begin so; the new token's share of them is a constant to add to
its logit, log(uses of the token / uses of the first piece), the *prior shift*. A row without a bias holds a
constant as far as the hidden states point one way: c * h / (h.h) adds c to the logit wherever the state is h.

`Hidden` estimates such an h from the matrix itself: a language model's mean logits follow the frequencies of
its tokens, so h points where rows vary together with log(uses of the token in the base), over the tokens that
the training text uses, and is as long as makes log frequencies rise by `SLOPE` where logits rise by 1. In our
experiment that is better than the mean hidden state measured by running the model
(docs/measured/adapt-model.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]
Take = Callable[[Ids], Floats]
"""Old ids, rising -> their rows as float32, [ids, columns]."""

#: Of `Hidden`: chosen on one seed of tests/bench/bench_adapt_model.py, measured on others. Bits per character
#: move by .02 from 1.2 to 1.7.
SLOPE: Final = 1.3

#: How pieces are weighted: the share of the piece at place k of n, before they are made to sum to 1.
WEIGHTS: Final[dict[str, Callable[[Ids, Ids], Doubles]]] = {
    "mean": lambda place, count: np.ones(len(place)),  # noqa: ARG005 - one signature for all
    "last": lambda place, count: np.exp2(place - count + 1.0),
    "first": lambda place, count: np.exp2(-place.astype(np.float64)),  # noqa: ARG005 - one signature for all
    "only-first": lambda place, count: (place == 0).astype(np.float64),  # noqa: ARG005 - one signature
}


@dataclass(frozen=True)
class Rule:
    """How rows of one matrix are made. weights: a name of `WEIGHTS`; rescale: to the pieces' mean norm, by
    the same weights, since a mean of vectors is shorter than they are; shift: add the prior shift."""

    weights: str
    rescale: bool = False
    shift: bool = False


@dataclass(frozen=True)
class Pieces:
    """Old ids of new tokens: token i is made of flat[starts[i]:starts[i + 1]] (the last to the end)."""

    flat: Ids
    starts: Ids

    @classmethod
    def of(cls, pieces: Sequence[Sequence[int] | Ids]) -> Pieces:
        """Pieces from a list of ids for each token."""
        lengths = np.fromiter(map(len, pieces), np.int64, len(pieces))
        flat = np.concatenate([np.asarray(one, np.int64) for one in pieces]) if pieces else lengths
        return cls(flat, np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)[: len(pieces)])

    @property
    def lengths(self) -> Ids:
        """The number of pieces of each token."""
        return np.diff(np.append(self.starts, len(self.flat)))

    @property
    def first(self) -> Ids:
        """The first piece of each token."""
        return self.flat[self.starts]

    def __len__(self) -> int:
        return len(self.starts)

    def part(self, low: int, high: int) -> Pieces:
        """Tokens low..high-1."""
        begin = int(self.starts[low]) if low < len(self) else len(self.flat)
        end = int(self.starts[high]) if high < len(self) else len(self.flat)
        return Pieces(self.flat[begin:end], self.starts[low:high] - begin)

    def weights(self, name: str) -> Doubles:
        """The weight of each piece; those of a token sum to 1."""
        lengths = self.lengths
        place = np.arange(len(self.flat)) - np.repeat(self.starts, lengths)
        raw = WEIGHTS[name](place, np.repeat(lengths, lengths))
        sums = np.add.reduceat(raw, self.starts)
        shares: Doubles = raw / np.repeat(sums, lengths)
        return shares


def combine(take: Take, pieces: Pieces, rule: Rule) -> Floats:
    """[tokens, columns] float32: each token's row by `rule`, without the shift."""
    if not len(pieces):
        return take(np.zeros(0, np.int64))
    ids, places = np.unique(pieces.flat, return_inverse=True)
    rows = take(ids)
    weights = pieces.weights(rule.weights)
    parts = rows[places] * weights[:, None].astype(np.float32)
    out = np.add.reduceat(parts, pieces.starts, axis=0)
    if rule.rescale:
        norms = row_norms(rows)[places]
        wanted = np.add.reduceat(norms * weights, pieces.starts)
        out *= _ratio(wanted, row_norms(out))[:, None]
    return out


def row_norms(rows: Floats) -> Doubles:
    """Euclidean norms of rows."""
    norms: Doubles = np.sqrt(np.einsum("ij,ij->i", rows, rows)).astype(np.float64)
    return norms


def _ratio(wanted: Doubles, norms: Doubles) -> Floats:
    return np.divide(wanted, norms, out=np.ones_like(norms), where=norms > 0).astype(np.float32)


def clip_norms(rows: Floats, low: float, high: float) -> int:
    """Scale rows in place whose norm lies outside low..high to the nearer bound; returns how many."""
    norms = row_norms(rows)
    wanted = np.clip(norms, low, high)
    rows *= _ratio(wanted, norms)[:, None]
    return int(np.count_nonzero((norms < low) | (norms > high)))


def prior_shift(uses: Ids, first_uses: Ids) -> Doubles:
    """log(uses of each new token / uses of its first piece in the base), half a use added to both; at most 0,
    and 0 where one of them is not known (negative)."""
    known = (uses >= 0) & (first_uses >= 0)
    shift = np.log((np.maximum(uses, 0) + 0.5) / (np.maximum(first_uses, 0) + 0.5))
    return np.where(known, np.minimum(shift, 0.0), 0.0)


class Hidden:
    """Estimates the mean hidden state from an output matrix and the uses of its tokens, in two passes over
    the same blocks of rows: `add` them all, then `fit` them all, then read `state`."""

    def __init__(self, columns: int) -> None:
        self._products, self._rows = np.zeros(columns), np.zeros(columns)
        self._values, self._count = 0.0, 0
        self._direction: Doubles | None = None
        # Over the second pass: sums of logits, of their squares, of their products with log uses.
        self._sums = np.zeros(3)

    def add(self, rows: Floats, uses: Ids) -> None:
        """Rows of tokens that the training text uses `uses` times (at least once), [tokens, columns]."""
        values = np.log(uses.astype(np.float64))
        self._products += values.astype(np.float32) @ rows
        self._rows += rows.sum(axis=0, dtype=np.float64)
        self._values += float(values.sum())
        self._count += len(rows)

    def fit(self, rows: Floats, uses: Ids) -> None:
        """The same blocks again."""
        if self._direction is None:
            self._direction = self._products - self._rows * (self._values / max(1, self._count))
            self._direction /= np.linalg.norm(self._direction) or 1.0
        logits = (rows @ self._direction.astype(np.float32)).astype(np.float64)
        values = np.log(uses.astype(np.float64))
        self._sums += (logits.sum(), float(logits @ logits), float(logits @ values))

    @property
    def state(self) -> Doubles | None:
        """The vector; None where the rows do not vary with the uses."""
        if self._direction is None or not self._count:
            return None
        total, squares, products = self._sums
        spread = squares - total * total / self._count
        together = products - total * self._values / self._count
        if not (spread > 0 and together > 0):
            return None
        return self._direction * (together / spread / SLOPE)


@dataclass(frozen=True)
class Method:
    """Rules for the input matrix, the output matrix, and one that is both."""

    input: Rule
    output: Rule
    tied: Rule


#: The methods by name.
METHODS: Final[dict[str, Method]] = {
    "mean": Method(Rule("mean"), Rule("mean"), Rule("mean")),
    "weighted": Method(
        Rule("last", rescale=True),
        Rule("only-first", shift=True),
        Rule("first", rescale=True, shift=True),
    ),
}
DEFAULT: Final = "weighted"
