"""Neighbouring word classes and their table: part of the oracle of rust_ext/crates/quality."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence

from tests.oracles.quality_lexicon import fnv
from tests.oracles.quality_lines import Line, ratio
from tests.oracles.quality_tokens import Word, line_words

_CLASSES: dict[str, int] = {}


def class_of(word: Word) -> int:
    """The class of a token in the table of neighbours."""
    if word.text not in _CLASSES:
        if not word.is_word:
            name = word.text[0]
        elif not word.has_letter:
            name = "0"
        elif not word.cyrillic:
            name = "L"
        elif word.function:
            name = word.lower
        else:
            name = "-" + word.lower[-3:]
        _CLASSES[word.text] = fnv(name.encode())
    return _CLASSES[word.text]


def pair_slot(first: int, second: int) -> int:
    mixed = ((first * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF) ^ second
    return ((mixed * 0xD6E8FEB86659FD93) & 0xFFFFFFFFFFFFFFFF) >> 46


UNSEEN = -32


def grammar(lines: list[Line], table: bytes) -> dict[str, float]:
    scores, unseen = [], 0
    for line in lines:
        for first, second in itertools.pairwise(line.tokens):
            value = table[pair_slot(class_of(first), class_of(second))]
            unseen += value == 0
            scores.append(value - 128 if value else UNSEEN)
    windows = [scores[at : at + 32] for at in range(0, len(scores) - 31, 16)] or [scores]
    lowest = min(windows, key=lambda w: ratio(sum(w), len(w)))
    return {
        "pair_score": ratio(sum(scores), 16 * len(scores)),
        "pair_unseen": ratio(unseen, len(scores)),
        "pair_lowest": ratio(sum(lowest), 16 * len(lowest)),
    }


def neighbours(texts: Sequence[str], least: int) -> bytes:
    """The table of neighbours: 0, or 128 + 16 log(pairs met / pairs expected by chance), by slot."""
    classes: Counter[int] = Counter()
    pairs: Counter[tuple[int, int]] = Counter()
    for text in texts:
        for raw in text.split("\n"):
            line = [class_of(word) for word in line_words(raw)]
            classes.update(line)
            pairs.update(itertools.pairwise(line))
    total = sum(pairs.values())
    met: Counter[int] = Counter()
    expected: dict[int, float] = {}
    for (first, second), count in sorted(pairs.items()):
        if count >= least:
            slot = pair_slot(first, second)
            met[slot] += count
            expected[slot] = expected.get(slot, 0.0) + classes[first] * classes[second] / total
    table = bytearray(1 << 18)
    for slot, count in met.items():
        value = 128.0 + _round(16.0 * math.log(count / expected[slot]))
        table[slot] = int(min(max(value, 1.0), 255.0))
    return bytes(table)


def _round(value: float) -> float:
    """To the nearest whole number, halves away from 0."""
    return math.copysign(math.floor(abs(value) + 0.5), value)
