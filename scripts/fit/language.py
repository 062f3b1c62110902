"""Fits the language model of stage `identify` to the sources of `scripts.fit.language_sources`.

    python -m scripts.fit.language SOURCES OUT [--half 0]

SOURCES is a folder that holds the sources, one folder each (docs/measured/language.md says where they are
from). With --half only the texts of that half are learned from, so that figures can be measured on the other.
The same texts give the same bytes. Needs 6 GB of memory.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import random
import struct
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.langid.tags import CYRILLIC, LATIN, names
from rust_ext import LanguageModel, langid_checksum, langid_features, langid_fit
from scripts.fit.language_augment import (
    civil_script,
    lacinka,
    old_spelling,
    other_letters,
    tatar_latin,
    transliterated,
)
from scripts.fit.language_sources import SOURCES, Text, texts

SEED = 20261129

#: Labels that are made, not read: Russian in old spelling, and languages in Latin letters.
OLD_RUSSIAN = "ru-petr1708"
MADE_LATIN = ("ru-Latn", "uk-Latn", "bg-Latn", "be-Latn")

#: Pieces of a label that scores are calibrated on.
CALIBRATED = 400

#: Share of the texts of which a part of two to four words is learned from as well.
SHORT = 0.8

#: Words of the longest piece that is learned from.
LONGEST = 40


@dataclass(frozen=True)
class Plan:
    """What a section is fitted with; cross-validated in docs/measured/language.md."""

    script: str
    labels: tuple[str, ...]
    candidates: int
    rows: int
    epochs: int = 3
    rate: float = 0.3
    length: float = 0.5
    decay: float = 0.0


CYRL = Plan(
    "Cyrl", ("ru", OLD_RUSSIAN, *sorted(CYRILLIC - {"ru"})), candidates=300_000, rows=96_000, epochs=6
)
LATN = Plan("Latn", (*sorted(LATIN), *MADE_LATIN), candidates=50_000, rows=20_000)

Piece = tuple[str, str]

#: How often languages are expected, as multiples of an ordinary one: it decides where the letters of a short
#: text do not. Beside the languages that many sites are written in, those of few pages must show themselves.
OFTEN = {
    "ru": 1.5,
    **dict.fromkeys(names("uk be bg sr mk kk ky tt ba mn tg uz-Cyrl sah cv mhr os en de ru-Latn"), 1.0),
}
SELDOM = 0.3
RARE = dict.fromkeys(
    names("abq eve evn gld nio niv oaa ykg cjs tk-Cyrl kaa yrk ckt crh-Cyrl kum av rsk tab nog"), 0.1
)

#: Letters that the alphabets of Russian's neighbours lack. Word lists of names weigh much and look alike in
#: all of them; a letter outside the alphabet is to weigh more.
LACKING = {
    "uk": "ыэёъ",
    "be": "щиъї",
    "bg": "ыэёєіїјўґђѓљњћќџғқңүһәө",
    "mk": "ыэёєіїйщъыьюяўґђћ",
    "sr": "ыэёєіїйщъыьюяўґ",
}
#: Of the features of a one-letter word the one that is the letter without the word's edges.
LETTER_ALONE = 2

#: The least weight, in units of the file.
LEAST_WEIGHT = -127

#: Added to Russian's bias: most texts that reach the stage are Russian. Chosen with `LACKING` on the unseen
#: half (docs/measured/language.md).
RUSSIAN_BIAS = 0.35


def expected(label: str) -> float:
    return OFTEN.get(label, RARE.get(label, SELDOM))


def pieces(found: Iterable[Text], draw: random.Random) -> Iterator[Piece]:
    """(tag, text) to learn from: each text, a part of every other one, and what is made from some."""
    for item in found:
        words = item.text.split()
        at = draw.randrange(max(1, len(words) - LONGEST + 1))
        whole = " ".join(words[at : at + LONGEST])
        yield item.lang, whole
        if len(words) > 4 and draw.random() < 0.6:
            size = draw.choice((2, 3, 4, 5, 6, 8, 10))
            at = draw.randrange(max(1, len(words) - size + 1))
            yield item.lang, " ".join(words[at : at + size])
        if len(words) > 3 and draw.random() < SHORT:
            size = draw.choice((2, 3, 4))
            at = draw.randrange(max(1, len(words) - size + 1))
            yield item.lang, " ".join(words[at : at + size])
        yield from made(item.lang, whole, draw)


def made(lang: str, text: str, draw: random.Random) -> Iterator[Piece]:
    """Pieces in another spelling or script, from some of the texts."""
    chance = draw.random()
    if lang == "ru" and chance < 0.25:
        yield OLD_RUSSIAN, old_spelling(text, draw)
    elif lang in ("ru", "uk", "bg") and chance < 0.45:
        yield f"{lang}-Latn", transliterated(text, lang, draw)
    elif lang == "be" and chance < 0.3:
        yield "be-Latn", lacinka(text)
    elif lang == "tt" and chance < 0.1:
        yield "tt-Latn", tatar_latin(text)
    elif lang == "orv" and chance < 0.5:
        yield "orv", other_letters(text, draw)
    elif lang == "cu" and chance < 0.4:
        yield "cu", civil_script(text, draw)


def fitted(plan: Plan, learned: Sequence[Piece]) -> tuple[bytes, float]:
    """A section's bytes (keys, bias, weights) and the unit of its weights."""
    numbers = {label: number for number, label in enumerate(plan.labels)}
    rows = [(text, numbers[tag]) for tag, text in learned if tag in numbers]
    sizes = collections.Counter(number for _, number in rows)
    whole = len(rows) / sum(expected(label) for label in plan.labels)
    weight = {
        number: min(8.0, expected(plan.labels[number]) * whole / size) for number, size in sizes.items()
    }
    keys, bias, weights, scale = langid_fit(
        [text for text, _ in rows],
        [number for _, number in rows],
        [weight[number] for _, number in rows],
        script=plan.script,
        label_count=len(plan.labels),
        candidates=plan.candidates,
        rows=plan.rows,
        epochs=plan.epochs,
        rate=plan.rate,
        length=plan.length,
        decay=plan.decay,
    )
    return keys + bias + weights, scale


def decided(plan: Plan, body: bytes) -> bytes:
    """A section's bytes with what is known beside the texts: `RUSSIAN_BIAS`, and `LACKING` letters."""
    count = len(plan.labels)
    size = (len(body) - 4 * count) // (4 + count)
    keys = np.frombuffer(body, "<u4", size)
    bias = np.frombuffer(body, "<f4", count, 4 * size).copy()
    weights = np.frombuffer(body, np.int8, size * count, 4 * (size + count)).reshape(size, count).copy()
    if "ru" in plan.labels:
        bias[plan.labels.index("ru")] += RUSSIAN_BIAS
    for label in LACKING.keys() & set(plan.labels):
        column = plan.labels.index(label)
        alone = {langid_features(letter)[LETTER_ALONE] for letter in LACKING[label]}
        rows = np.isin(keys, np.array(sorted(alone), np.uint32))
        weights[rows, column] = LEAST_WEIGHT
    return keys.tobytes() + bias.tobytes() + weights.tobytes()


def model_bytes(parts: Sequence[tuple[Plan, bytes, float, float, float]], made_from: Sequence[str]) -> bytes:
    """The file, from (plan, bytes, scale, sharpness, slope) of each section."""
    lines = ["bukvar-langid 1", *(f"made {line}" for line in made_from)]
    for plan, body, scale, sharpness, slope in parts:
        rows = (len(body) - 4 * len(plan.labels)) // (4 + len(plan.labels))
        lines.append(
            f"section {plan.script} {rows} {scale:.9g} {plan.length:.9g} {sharpness:.9g} {slope:.9g}"
        )
        lines.append("labels " + " ".join(plan.labels))
    data = ("\n".join(lines) + "\n\n").encode() + b"".join(body for _, body, *_ in parts)
    return data + struct.pack("<Q", langid_checksum(data))


def calibrated(model: LanguageModel, section: int, plan: Plan, held: Sequence[Piece]) -> tuple[float, float]:
    """(sharpness, slope): scores of n words are to be multiplied by exp(sharpness + slope ln min(n, 64)).

    The pair of a grid with the least negative log-likelihood of held-out pieces, Russian and the rest of the
    languages given equal weight each.
    """
    numbers = {label: number for number, label in enumerate(plan.labels)}
    count: collections.Counter[str] = collections.Counter()
    rows = []
    for tag, text in held:
        count[tag] += 1
        if tag in numbers and count[tag] <= CALIBRATED:
            rows.append((text, numbers[tag]))
    scores, words = model.scores([text for text, _ in rows], section)
    right = np.array([number for _, number in rows])
    sizes = np.bincount(right, minlength=len(plan.labels))
    weight = 1 / sizes[right]
    keep = words > 0
    scores, words, right, weight = scores[keep], words[keep], right[keep], weight[keep]
    length = np.log(np.minimum(words, 64))
    best = (np.inf, 0.0, 0.0)
    for sharpness in np.arange(-1.5, 1.01, 0.1):
        for slope in np.arange(-0.4, 0.81, 0.1):
            loss = _loss(scores * np.exp(sharpness + slope * length)[:, None], right, weight)
            best = min(best, (loss, float(sharpness), float(slope)))
    return best[1], best[2]


def _loss(scores: NDArray[np.float32], right: NDArray[np.int64], weight: NDArray[np.float64]) -> float:
    top = scores.max(1, keepdims=True)
    chance = scores[np.arange(len(right)), right] - top[:, 0] - np.log(np.exp(scores - top).sum(1))
    return float(-(chance * weight).sum() / weight.sum())


def fit(found: Sequence[Text], held: Sequence[Text], plans: Sequence[Plan] = (CYRL, LATN)) -> bytes:
    """The model file learned from `found`, calibrated on `held`."""
    draw = random.Random(SEED)  # noqa: S311 - a sample, drawn again in the same way
    learned = list(pieces((text for text in found for _ in range(text.times)), draw))
    unseen = list(pieces(held, draw))
    parts = [(plan, *fitted(plan, learned), 0.0, 0.0) for plan in plans]
    raw = LanguageModel(model_bytes(parts, ()))
    sharp = [calibrated(raw, number, plan, unseen) for number, plan in enumerate(plans)]
    digest = hashlib.sha256("\n".join(f"{tag}\t{text}" for tag, text in learned).encode()).hexdigest()
    names = sorted({text.source for text in found})
    made_from = [f"of {len(learned)} pieces, sha256 {digest}", *(f"from {name}" for name in names)]
    return model_bytes(
        [
            (plan, decided(plan, body), scale, *pair)
            for (plan, body, scale, *_), pair in zip(parts, sharp, strict=True)
        ],
        made_from,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.fit.language", description=__doc__)
    parser.add_argument("sources", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--half", type=int, choices=(0, 1), help="learn from this half of the texts only")
    options = parser.parse_args(arguments)
    found = list(texts(options.sources, SOURCES))
    learned = [text for text in found if options.half in (None, text.half)]
    other = 1 - (options.half or 0)
    held = [text for text in found if text.half == other]
    data = fit(learned, held)
    options.out.write_bytes(data)
    print(f"{options.out}: {len(data):,} bytes from {len(learned):,} texts", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
