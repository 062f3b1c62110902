"""What is known of a token from its characters alone: part of the oracle of rust_ext/crates/quality."""

from __future__ import annotations

import itertools
import unicodedata
from dataclasses import dataclass

from tests.oracles.quality_lexicon import FUNCTION, SINGLE, patterns_of
from tests.oracles.signals import _is_letter_or_digit, _is_mark, tokens

DASHES = "—–-―−‒"
ENDS = ".!?…‼⁇⁈⁉"
CLOSING = "»”\"'’)]“"
CODE = "{};=<>\\|_@#$%^&*~+/"
LOOKALIKES = dict(zip("aeopcxykmtbhi", "аеорсхукмтвні", strict=True)) | {"ё": "е"}
VOWELS = set("аеиоуыэюяіїєѣ")


@dataclass(frozen=True)
class Word:
    """What is known of a token from its characters alone."""

    text: str
    start: int
    end: int
    is_word: bool
    has_letter: bool
    lower: str
    function: bool
    cyrillic: bool
    latin: bool
    mixed: bool
    digit: bool
    capital: bool
    upper: bool
    broken_case: bool
    no_vowel: bool
    lower_start: bool
    topics: int


def is_letter(c: str) -> bool:
    return c.isalpha() and not _is_mark(c)


def cyrillic_letter(c: str) -> bool:
    return "\u0400" <= c <= "\u052f" and is_letter(c)


def latin_letter(c: str) -> bool:
    return c <= "\u024f" and is_letter(c)


_KNOWN: dict[str, Word] = {}


def word_of(text: str, start: int) -> Word:
    if text not in _KNOWN:
        _KNOWN[text] = _word_of(text)
    known = _KNOWN[text]
    return Word(**{**known.__dict__, "start": start, "end": start + len(text)})


def _word_of(text: str) -> Word:
    is_word = any(map(_is_letter_or_digit, text))
    letters = [c for c in text if is_letter(c)]
    cyrillic = any(map(cyrillic_letter, text))
    latin = any(map(latin_letter, text))
    pairs = list(itertools.pairwise(text))
    mixed = any(
        (cyrillic_letter(a) and latin_letter(b)) or (latin_letter(a) and cyrillic_letter(b)) for a, b in pairs
    )
    lower = text.lower()
    if cyrillic:
        lower = "".join(LOOKALIKES.get(c, c) for c in lower)
    folded = [c for c in lower if cyrillic_letter(c)]
    upper = len(letters) >= 2 and not any(c.islower() for c in letters) and any(c.isupper() for c in letters)
    topics = 0
    for pattern in patterns_of(lower):
        topics |= SINGLE.get(pattern, 0)
    return Word(
        text=text,
        start=0,
        end=0,
        is_word=is_word,
        has_letter=bool(letters),
        lower=lower,
        function=lower in FUNCTION,
        cyrillic=cyrillic,
        latin=latin,
        mixed=mixed,
        digit=any(unicodedata.category(c).startswith("N") for c in text),
        capital=bool(letters) and letters[0].isupper(),
        upper=upper,
        broken_case=any(
            cyrillic_letter(a) and a.islower() and cyrillic_letter(b) and b.isupper() for a, b in pairs
        ),
        no_vowel=len(folded) >= 3 and not upper and not any(c in VOWELS for c in folded),
        lower_start=bool(letters) and text[0] == letters[0] and letters[0].islower(),
        topics=topics,
    )


def line_words(line: str) -> list[Word]:
    result, at = [], 0
    for token in tokens(line):
        at = line.index(token, at)
        result.append(word_of(token, at))
        at += len(token)
    return result
