"""Words -> morpheme boundaries: a fitted model for Russian, and whatever else cuts words.

A segmenter is a function from a word in small letters to the letters, by number from 1, before which it is
cut: `сказка` -> (4,) is сказ|ка. `RussianSegmenter` is one; `own_segmenter` makes one of a person's file.
`tokenizer.train.learn` takes them, or the file that `segment_counts` writes.

The model's features and file format are described in `rust_ext/crates/morphemes`; its oracle is
tests/oracles/morphemes.py, and `scripts/fit/morphemes.py` fits it to the lemmas of `assets/lemmas_ru.tsv`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Protocol

from rust_ext import MorphemeSegmenter

PathLike = str | os.PathLike[str]

ASSETS: Final = Path(__file__).parent / "assets"
LEMMAS: Final = ASSETS / "lemmas_ru.tsv"
MODEL: Final = ASSETS / "morphemes_ru.bin"
AFFIXES: Final = ASSETS / "affixes_ru.txt"
WHOLE: Final = ASSETS / "whole_words_ru.txt"

MORPHS: Final = ("PREF", "ROOT", "LINK", "SUFF", "END", "POSTFIX")
"""The types of morphs in `lemmas_ru.tsv`: prefix, root, linking vowel, suffix, ending, postfix."""

MAX_LETTERS: Final = 48


class Segmenter(Protocol):
    """Cuts a word in small letters; see the module's first lines."""

    def __call__(self, word: str, /) -> Sequence[int]: ...


@dataclass(frozen=True)
class Lemma:
    """A lemma cut by hand: its morphs with their types."""

    morphs: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """The lemma in one word."""
        return "".join(morph for morph, _ in self.morphs)

    @property
    def cuts(self) -> tuple[int, ...]:
        """The letters, by number, before which a morph begins."""
        return morph_cuts([morph for morph, _ in self.morphs])


def morph_cuts(morphs: Sequence[str]) -> tuple[int, ...]:
    """The cuts of a word given as its morphs."""
    cuts, at = [], 0
    for morph in morphs[:-1]:
        at += len(morph)
        cuts.append(at)
    return tuple(cuts)


def read_lemmas(path: PathLike = LEMMAS) -> list[Lemma]:
    """Reads lines `lemma<TAB>morph:TYPE|morph:TYPE|...`; lines that begin with # are passed over.

    Raises ValueError with the line's number if morphs do not make up the lemma, a type is unknown, or a
    lemma occurs twice.
    """
    lemmas, seen = [], set()
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        text, _, rest = line.partition("\t")
        pairs = [pair.partition(":") for pair in rest.split("|")]
        lemma = Lemma(tuple((morph, kind) for morph, _, kind in pairs))
        if lemma.text != text or text in seen or not all(m and k in MORPHS for m, k in lemma.morphs):
            raise ValueError(f"{path}:{number}: {line!r} is no new lemma with its morphs and their types")
        seen.add(text)
        lemmas.append(lemma)
    return lemmas


def whole_words(path: PathLike = WHOLE) -> list[str]:
    """Words that are never cut: function words (н|е and н|а would make letters of them)."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return [word for line in lines if not line.startswith("#") for word in line.split()]


class RussianSegmenter:
    """The built-in segmenter: at most `MAX_LETTERS` Russian letters, or no cut; function words have none."""

    def __init__(self, model: PathLike = MODEL, whole: Iterable[str] | None = None) -> None:
        """Loads a model; raises OSError if there is none, ValueError if it is damaged."""
        self._native = MorphemeSegmenter(
            Path(model).read_bytes(), list(whole_words() if whole is None else whole)
        )

    def __call__(self, word: str, /) -> tuple[int, ...]:
        return tuple(self._native.cuts(word))

    def cut_all(self, words: Sequence[str]) -> list[tuple[int, ...]]:
        """Cuts many words at once."""
        return [tuple(cuts) for cuts in self._native.cut_all(words)]

    def segment_counts(self, counts_path: PathLike, out_path: PathLike) -> tuple[int, int]:
        """Writes the boundaries file of all words of a counts file, which `tokenizer.train.learn` takes;
        returns how many words there are and how many are cut. Words without a cut are left out.
        Deterministic; `out_path` appears when it is whole."""
        return self._native.segment_counts(counts_path, out_path)


@cache
def russian() -> RussianSegmenter:
    """The built-in segmenter, loaded once."""
    return RussianSegmenter()


def segment_counts(counts_path: PathLike, out_path: PathLike) -> tuple[int, int]:
    """`RussianSegmenter.segment_counts` with the built-in model."""
    return russian().segment_counts(counts_path, out_path)


def own_segmenter(path: PathLike, fallback: Segmenter | None = None) -> Segmenter:
    """A segmenter of a person's file of lines `word<TAB>morph|morph|...` (the first of a word counts);
    words that are not in it go to `fallback`, or stay whole.

    Raises OSError, or ValueError with the line's number for a line of another form.
    """
    known: dict[str, tuple[int, ...]] = {}
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        word, _, rest = line.partition("\t")
        morphs = rest.split("|")
        if "".join(morphs) != word or "" in morphs:
            raise ValueError(f"{path}:{number}: {line!r} is not word<TAB>morph|morph|...")
        known.setdefault(word.lower(), morph_cuts(morphs))

    def segment(word: str, /) -> Sequence[int]:
        cuts = known.get(word)
        if cuts is None:
            return fallback(word) if fallback else ()
        return cuts

    return segment
