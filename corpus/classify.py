"""Classifiers of one's own: texts that are wanted against others, by hashed words and pairs of words.

`train` learns a model from two sets of texts and measures it on a tenth that it did not see. Stage
`classify` gives each document the probability that it is of the first kind (`class_score`) and drops what
lies outside the limits.
"""

from __future__ import annotations

import functools
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus import table
from corpus.table import with_columns
from rust_ext import LinearClassifier, linear_train
from rust_ext.arrow import Buffers, text_array, text_buffers

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


class Texts(Sequence[str]):
    """Texts one after the other in one buffer, as the kernels take them; strings are made when read."""

    def __init__(self, data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> None:
        self.buffers: Buffers = (data, offsets)

    @classmethod
    def joined(cls, columns: list[pa.Array]) -> Texts:
        """The texts of columns of large_string, which leave the list as they are copied."""
        parts = [text_buffers(column)[1] for column in columns]
        ends = np.cumsum(np.concatenate([np.zeros(1, np.int64), *(np.diff(part) for part in parts)]))
        data = np.empty(int(ends[-1]), np.uint8)
        at = 0
        while columns:
            text, offsets = text_buffers(columns.pop(0))
            size = int(offsets[-1] - offsets[0])
            data[at : at + size] = text[offsets[0] : offsets[-1]]
            at += size
        return cls(data, ends)

    def behind(self, first: int) -> Texts:
        """The texts from a number on, in the same memory."""
        data, offsets = self.buffers
        return Texts(data, offsets[first:])

    def __len__(self) -> int:
        return len(self.buffers[1]) - 1

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        data, offsets = self.buffers
        return data[offsets[at] : offsets[at + 1]].tobytes().decode("utf-8", "replace")


def train(
    positive: Iterable[pa.Array], negative: Iterable[pa.Array], training: Training
) -> tuple[LinearClassifier, Report]:
    """A classifier of the texts of some columns against others, and its report. ValueError where too few.

    A text is held out by its digest: the same texts in every run, and equal texts are never on both sides.
    All texts are in memory once.
    """
    sides = [_dealt(side) for side in (positive, negative)]
    counts = np.array([[sum(map(len, part)) for part in side] for side in sides])
    if not counts.all():
        few, many = counts.sum(axis=1)
        raise ValueError(f"{few} texts against {many} are too few: give some tens of each")
    seen = int(counts[:, 0].sum())
    labels = np.repeat([True, False, True, False], counts.T.ravel())
    columns = [column for part in zip(*sides, strict=True) for side in part for column in side]
    del sides
    texts = Texts.joined(columns)
    model = linear_train(
        texts.buffers,
        labels,
        seen,
        bits=training.bits,
        epochs=training.epochs,
        rate=training.rate,
        decay=training.decay,
        seed=training.seed,
    )
    return model, _report(model, texts.behind(seen), labels[seen:], seen, training.threshold)


def _dealt(columns: Iterable[pa.Array]) -> tuple[list[pa.Array], list[pa.Array]]:
    """Columns of large_string: what a model learns from, and what it is measured on."""
    seen, held = [], []
    for column in columns:
        texts = text_array(column)
        mask = pa.array([is_held(text) for text in texts.to_pylist()], pa.bool_())
        seen.append(texts.filter(pc.invert(mask)))
        held.append(texts.filter(mask))
    return seen, held


def is_held(text: str) -> bool:
    """Whether a text is of the part that a model is measured on: by its digest, so in every run."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) < HELD * 2**32


def _report(
    model: LinearClassifier, texts: Texts, labels: npt.NDArray[np.bool_], trained: int, threshold: float
) -> Report:
    scores = model.scores(texts.buffers)
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
        trained=trained,
        held=len(texts),
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
