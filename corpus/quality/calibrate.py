"""What thresholds would do to a corpus: distributions of signals, shares dropped, documents at the edges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from corpus.quality.rules import Rule

#: Shares of the distribution that are shown.
QUANTILES: Final = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
#: Shares of documents for which a threshold is worked out.
TAILS: Final = (0.001, 0.005, 0.01, 0.02, 0.05)
#: Bars of a histogram.
BARS: Final = 40
#: Characters of a document at an edge that are shown.
SHOWN: Final = 300

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Edge:
    """A document near a threshold: its value and the beginning of its text."""

    value: float
    text: str


@dataclass(frozen=True)
class Threshold:
    """A threshold, the share of documents it drops, and the documents next to it on either side."""

    rule: Rule
    dropped: float
    inside: tuple[Edge, ...]
    outside: tuple[Edge, ...]


@dataclass(frozen=True)
class Signal:
    """The distribution of a signal: `QUANTILES`, and counts of `BARS` equal parts from `low` to `high`."""

    name: str
    meaning: str
    quantiles: tuple[float, ...]
    low: float
    high: float
    bars: tuple[int, ...]
    thresholds: tuple[Threshold, ...]


def describe(
    name: str, meaning: str, values: Values, texts: Sequence[str], rules: Sequence[Rule], edges: int = 2
) -> Signal:
    """The distribution of one signal, with the thresholds of `rules` or, without any, those of `TAILS`."""
    chosen = list(rules) or [rule for tail in TAILS if (rule := at_share(name, values, tail)) is not None]
    # The outermost hundredths would flatten the rest of the histogram.
    low, high = (float(x) for x in np.quantile(values, (0.005, 0.995)))
    counts, _ = np.histogram(np.clip(values, low, high), BARS, (low, high if high > low else low + 1))
    return Signal(
        name,
        meaning,
        tuple(float(x) for x in np.quantile(values, QUANTILES)),
        low,
        high,
        tuple(int(count) for count in counts),
        tuple(_threshold(rule, values, texts, edges) for rule in chosen),
    )


def at_share(name: str, values: Values, share: float, *, least: bool = False) -> Rule | None:
    """The threshold that drops at most `share` of the documents; None where equal values allow none but 0."""
    limit = float(np.quantile(values, share if least else 1 - share, method="lower" if least else "higher"))
    rule = Rule(name, limit, least)
    return rule if rule.fails(values).any() else None


def _threshold(rule: Rule, values: Values, texts: Sequence[str], edges: int) -> Threshold:
    fails = rule.fails(values)
    order = np.argsort(np.abs(values - rule.limit), kind="stable")

    def nearest(failing: bool) -> tuple[Edge, ...]:
        near: dict[str, Edge] = {}  # duplicates are shown once
        for at in order:
            if fails[at] == failing and len(near) < edges:
                near.setdefault(texts[at][:SHOWN], Edge(float(values[at]), texts[at][:SHOWN]))
        return tuple(near.values())

    return Threshold(rule, float(fails.mean()) if len(values) else 0.0, nearest(False), nearest(True))


def fitted(rules: Sequence[Rule], columns: dict[str, Values], share: float) -> list[Rule]:
    """The rules with thresholds that drop at most `share` of the documents each, never stricter ones."""
    result = []
    for rule in rules:
        values = columns[rule.signal]
        if rule.fails(values).mean() > share:
            tail, side = (share, "lower") if rule.least else (1 - share, "higher")
            limit = float(np.quantile(values, tail, method=side))  # type: ignore[call-overload]  # a str, not a literal
            rule = Rule(rule.signal, _outwards(limit, least=rule.least), rule.least)
        result.append(rule)
    return result


def _outwards(limit: float, *, least: bool) -> float:
    """The threshold with four digits, rounded to the side on which it drops no more."""
    if limit == 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(limit))) - 3)
    rounded = math.floor(limit / step) * step if least else math.ceil(limit / step) * step
    return float(f"{rounded:.6g}")
