"""Classifiers of one's own: texts that are wanted against others, by hashed words and pairs of words.

`train` learns a model from two sets of texts and measures it on a tenth that it did not see. Stage
`classify` gives each document the probability that it is of the first kind (`class_score`) and drops what
lies outside the limits.
"""

from __future__ import annotations

import functools
import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus import table
from corpus.table import with_columns
from rust_ext import LinearClassifier, linear_train
from rust_ext.arrow import text_buffers

SCORE: Final = "class_score"
#: Share of the texts that a model is measured and calibrated on.
HELD: Final = 0.1
#: Texts of the held part from which the words that weigh most are gathered, and how many are named.
WORDS_FROM, WORDS_NAMED = 400, 40
#: Documents next to the threshold that a report shows.
EDGES: Final = 6

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Classify:
    """Score documents by a classifier of one's own, and drop those outside the limits.

    `bukvar classify train` makes the model.
    """

    name: ClassVar[str] = "classify"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[pa.Schema] = pa.schema([(SCORE, pa.float32())])
    reasons: ClassVar[Mapping[str, str]] = {
        "low_class_score": "the classifier's score is below the limit",
        "high_class_score": "the classifier's score is above the limit",
    }

    model: str = field(default="", metadata={"help": "file of the classifier", "input": True})
    min_score: float = field(default=0.0, metadata={"help": "least probability of the first kind"})
    max_score: float = field(default=1.0, metadata={"help": "largest probability of the first kind"})

    def __post_init__(self) -> None:
        if not 0 <= self.min_score <= self.max_score <= 1:
            raise ValueError(
                f"min_score is {self.min_score} and max_score {self.max_score}; set them from 0 to 1"
            )

    def open(self) -> Callable[[pa.Table], pa.Table]:
        """The function that scores a batch. Raises ValueError without a model, or for a damaged one."""
        if not self.model:
            raise ValueError("no classifier: set model to a file of `bukvar classify train`")
        return functools.partial(_judge, self, LinearClassifier(Path(self.model).read_bytes()))


def _judge(stage: Classify, model: LinearClassifier, batch: pa.Table) -> pa.Table:
    scores = model.scores(text_buffers(batch.column("text")))
    reasons = [
        "low_class_score" if low else "high_class_score" if high else None
        for low, high in zip(scores < stage.min_score, scores > stage.max_score, strict=True)
    ]
    details = [
        f"{SCORE}={score:.3g} {'<' if reason.startswith('low') else '>'} "
        f"{stage.min_score if reason.startswith('low') else stage.max_score:g}"
        if reason
        else None
        for score, reason in zip(scores, reasons, strict=True)
    ]
    return with_columns(
        batch,
        {
            SCORE: pa.array(scores, pa.float32()),
            table.DROP: pa.array(reasons, pa.string()),
            table.DROP_DETAIL: pa.array(details, pa.string()),
        },
    )


@dataclass(frozen=True)
class Bin:
    """Texts whose score lies in a tenth: how many, their mean score, the share that is of the first kind."""

    texts: int
    score: float
    positive: float


@dataclass(frozen=True)
class Edge:
    """A text next to the threshold: whether it is of the first kind, its score, its beginning."""

    positive: bool
    score: float
    text: str


@dataclass(frozen=True)
class Report:
    """What a model is worth, on texts that it did not see."""

    trained: int
    held: int
    threshold: float
    precision: float
    recall: float
    auc: float
    calibration: tuple[Bin, ...]
    words_for: tuple[tuple[str, float], ...]
    words_against: tuple[tuple[str, float], ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True)
class Training:
    """How a model is learnt."""

    bits: int = 20
    epochs: int = 5
    rate: float = 0.3
    decay: float = 1e-5
    seed: int = 1
    threshold: float = 0.5


def train(
    positive: Sequence[str], negative: Sequence[str], training: Training
) -> tuple[LinearClassifier, Report]:
    """A classifier of `positive` against `negative` and its report. ValueError where texts are too few.

    A text is held out by its digest: the same texts in every run, and equal texts are never on both sides.
    """
    rows = [(text, True) for text in positive] + [(text, False) for text in negative]
    held = [row for row in rows if is_held(row[0])]
    seen = [row for row in rows if not is_held(row[0])]
    for part in (held, seen):
        if len({label for _, label in part}) < 2:
            raise ValueError(
                f"{len(positive)} texts against {len(negative)} are too few: give some tens of each"
            )
    texts = [text for text, _ in seen + held]
    labels = np.array([label for _, label in seen + held], np.bool_)
    model = linear_train(
        text_buffers(pa.array(texts, pa.large_string())),
        labels,
        len(seen),
        bits=training.bits,
        epochs=training.epochs,
        rate=training.rate,
        decay=training.decay,
        seed=training.seed,
    )
    return model, _report(model, seen, held, training.threshold)


def is_held(text: str) -> bool:
    """Whether a text is of the part that a model is measured on: by its digest, so in every run."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) < HELD * 2**32


def _report(
    model: LinearClassifier,
    seen: Sequence[tuple[str, bool]],
    held: Sequence[tuple[str, bool]],
    threshold: float,
) -> Report:
    texts = [text for text, _ in held]
    labels = np.array([label for _, label in held], np.bool_)
    scores = model.scores(text_buffers(pa.array(texts, pa.large_string())))
    chosen = scores >= threshold
    right = int((chosen & labels).sum())
    bins = []
    for tenth in range(10):
        inside = np.minimum(scores * 10, 9).astype(int) == tenth
        if inside.any():
            bins.append(Bin(int(inside.sum()), float(scores[inside].mean()), float(labels[inside].mean())))
    words = _words(model, texts)
    order = np.argsort(np.abs(scores - threshold), kind="stable")[:EDGES]
    return Report(
        trained=len(seen),
        held=len(held),
        threshold=threshold,
        precision=right / max(int(chosen.sum()), 1),
        recall=right / max(int(labels.sum()), 1),
        auc=auc(scores, labels),
        calibration=tuple(bins),
        words_for=tuple(words[:WORDS_NAMED]),
        words_against=tuple(reversed(words[-WORDS_NAMED:])),
        edges=tuple(Edge(bool(labels[at]), float(scores[at]), texts[at][:300]) for at in order),
    )


def _words(model: LinearClassifier, texts: Sequence[str]) -> list[tuple[str, float]]:
    """Words and pairs by what they add to margins, over all texts; those for the first kind come first."""
    sums: dict[str, float] = defaultdict(float)
    for text in texts[:: max(1, len(texts) // WORDS_FROM)]:
        for term, weight in model.terms(text):
            sums[term] += weight
    return sorted(
        ((term, float(weight)) for term, weight in sums.items()), key=lambda item: (-item[1], item[0])
    )


def auc(scores: Scores, labels: npt.NDArray[np.bool_]) -> float:
    """How often a text of the first kind scores higher than another; equal scores count half."""
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    _, start, counts = np.unique(ordered, return_index=True, return_counts=True)
    ranks = np.empty(len(scores))
    ranks[order] = np.repeat(start + (counts + 1) / 2, counts)
    positives, negatives = int(labels.sum()), int((~labels).sum())
    return float((ranks[labels].sum() - positives * (positives + 1) / 2) / (positives * negatives))
