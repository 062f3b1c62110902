"""Fits the built-in segmenter to the lemmas cut by hand: `python -m scripts.fit.morphemes`.

Inflected forms of the lemmas come from pymorphy3's dictionary (extra `morphology`);
`form_cuts` (paradigms.py) carries the cuts of a lemma over to a form by rules. The model is a logistic
one per gap (its features: tests/oracles/morphemes.py, `places`), fitted by AdaGrad in a fixed order and
rounded to bytes. Only operations that IEEE 754 rounds exactly are used, in a fixed order of summation, so
that every machine with the same dictionary writes the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from scripts.fit.paradigms import form_cuts
from tests.oracles import morphemes as oracle
from tokenizer import morphemes
from tokenizer.morphemes import AFFIXES, MODEL, Lemma

Sample = tuple[str, frozenset[int], float]
"""A word, its cuts and its weight."""

RULES: Final = 8
"""Features of the rules for a gap."""

Floats = npt.NDArray[np.float64]


def _help(text: str, default: Any) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class FitParameters:
    """How to fit. Chosen by F1 on lemmas that are not among those cut by hand
    (docs/measured/tokenizer.md)."""

    bits: int = _help("2^bits weights of one byte", 20)
    forms: int = _help("forms of each lemma beside itself", 5)
    form_weight: float = _help("weight of a form; a lemma weighs 1", 0.3)
    epochs: int = _help("times over all words", 8)
    rate: float = _help("AdaGrad's step", 0.15)
    decay: float = _help("L2 decay of a weight for each time it is met", 2e-5)
    batch: int = _help("gaps a step", 1024)
    bias: float = _help("added to the score of every gap: above 0 cuts more", 1.0)


def paradigm(lemma: Lemma, forms: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """At most `forms` forms of a lemma with their cuts, spread evenly over those in alphabetical order."""
    cuts = form_cuts(lemma)
    others = sorted(cuts)
    step = max(1.0, len(others) / forms) if forms else 1.0
    for index in range(min(forms, len(others))):
        form = others[int(index * step)]
        yield form, cuts[form]


def samples(lemmas: Iterable[Lemma], parameters: FitParameters) -> list[Sample]:
    """The words to fit: each lemma, and forms of it that are no lemmas themselves."""
    lemmas = list(lemmas)
    heads = {lemma.text for lemma in lemmas}
    found: dict[str, Sample] = {x.text: (x.text, frozenset(x.cuts), 1.0) for x in lemmas}
    for lemma in lemmas:
        for form, cuts in paradigm(lemma, parameters.forms):
            if form not in heads:
                found.setdefault(form, (form, frozenset(cuts), parameters.form_weight))
    return sorted(found.values(), key=lambda sample: (hashlib.sha256(sample[0].encode()).digest(), sample[0]))


def matrix(
    words: Sequence[Sample], bits: int, affixes: oracle.Affixes
) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
    """The places of each gap's features (padded with 2^bits, whose weight stays 0), whether it is cut, its
    weight."""
    width = 2 * oracle.LONGEST + oracle.CROSSED**2 + RULES
    rows, labels, weights = [], [], []
    for word, cuts, weight in words:
        for gap, places in enumerate(oracle.places(word, bits, affixes), 1):
            rows.append(places + [1 << bits] * (width - len(places)))
            labels.append(float(gap in cuts))
            weights.append(weight)
    return np.array(rows, np.int64), np.array(labels), np.array(weights)


def logistic(x: Floats) -> Floats:
    """1 / (1 + e^-x) by e^x = (1 + x / 1024)^1024, of exactly rounded operations alone."""
    power = 1.0 + np.clip(-x, -30.0, 30.0) / 1024.0
    for _ in range(10):
        power = power * power
    return np.asarray(1.0 / (1.0 + power))


def _step(
    weights: Floats, squares: Floats, rows: npt.NDArray[np.int64], push: Floats, p: FitParameters
) -> None:
    """One step of AdaGrad for the weights that the rows name."""
    named, inverse = np.unique(rows, return_inverse=True)
    inverse = inverse.reshape(rows.shape)
    # bincount adds up in the order given: the same on every machine.
    sums = np.bincount(inverse.ravel(), np.repeat(push, rows.shape[1]), len(named))
    met = np.bincount(inverse.ravel(), minlength=len(named)).astype(np.float64)
    gradient = sums + p.decay * weights[named] * met
    squares[named] += gradient * gradient
    weights[named] -= p.rate * gradient / np.sqrt(squares[named] + 1e-6)


def fit(words: Sequence[Sample], affixes: str, parameters: FitParameters) -> bytes:
    """The model file."""
    rows, labels, sizes = matrix(words, parameters.bits, oracle.Affixes(affixes))
    weights = np.zeros((1 << parameters.bits) + 1)
    squares = np.zeros_like(weights)
    total = np.zeros_like(weights)
    bias = np.zeros(1)
    bias_squares = np.zeros(1)
    for epoch in range(parameters.epochs):
        for start in range(0, len(rows), parameters.batch):
            part = slice(start, start + parameters.batch)
            score = np.full(len(labels[part]), bias[0])
            for column in range(rows.shape[1]):
                score += weights[rows[part, column]]
            push = (logistic(score) - labels[part]) * sizes[part]
            _step(weights, squares, rows[part], push, parameters)
            weights[-1] = 0.0
            slope = np.bincount(np.zeros(len(push), np.int64), push)
            bias_squares += slope * slope
            bias -= parameters.rate * slope / np.sqrt(bias_squares + 1e-6)
        if epoch >= parameters.epochs // 2:
            total += weights
    mean = total[:-1] / (parameters.epochs - parameters.epochs // 2)
    # The largest weights lie far out; four spreads of those in use fill a byte.
    used = mean[mean != 0.0]
    scale = 127.0 / np.sort(np.abs(used))[int(0.999 * (len(used) - 1))]
    bytes_ = np.clip(np.rint(mean * scale), -127, 127).astype(np.int8).tobytes()
    level = round(float((bias[0] + parameters.bias) * scale))
    return oracle.model_bytes(parameters.bits, level, affixes, bytes_)


def main() -> None:
    """Fits the model anew and writes it to its place."""
    parameters = FitParameters()
    words = samples(morphemes.read_lemmas(), parameters)
    model = fit(words, AFFIXES.read_text(encoding="utf-8"), parameters)
    MODEL.write_bytes(model)
    print(f"{len(words)} words, {len(model)} bytes, sha256 {hashlib.sha256(model).hexdigest()}")


if __name__ == "__main__":
    main()
