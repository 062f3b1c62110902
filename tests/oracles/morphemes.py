"""The oracle of `MorphemeSegmenter`: the features of a word's gaps, and the file of their weights.

`scripts/fit_morphemes.py` computes its features here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Final

from tokenizer.morphemes import MAX_LETTERS, Segmenter

MAGIC: Final = b"BUKVMRP1"
LONGEST: Final = 7
CROSSED: Final = 4
AFFIX: Final = 6
LEFT: Final = 0x6A09E667F3BCC909
RIGHT: Final = 0xBB67AE8584CAA73B
ROLL_LEFT: Final = 0x9E3779B97F4A7C15
ROLL_RIGHT: Final = 0xC2B2AE3D27D4EB4F
SPREAD: Final = 0xD6E8FEB86659FD93
WORD: Final = (1 << 64) - 1


def letter_code(letter: str) -> int | None:
    """а..я are 1..32, ё is 33; None for anything else."""
    if "а" <= letter <= "я":
        return ord(letter) - ord("а") + 1
    return 33 if letter == "ё" else None


def letter_codes(word: str) -> list[int] | None:
    """The codes of a word's letters with 0 at both ends; None if one of them is no Russian letter."""
    codes = [letter_code(letter) for letter in word]
    known = [code for code in codes if code is not None]
    return [0, *known, 0] if len(known) == len(codes) else None


def _place(left: int, right: int, bits: int) -> int:
    return ((left + right) * SPREAD & WORD) >> 64 - bits


def letter_places(codes: Sequence[int], gap: int, bits: int) -> list[int]:
    """Where the weights stand of the n-grams beside a gap of a word, given as `letter_codes`."""
    at = gap + 1
    left, right = [LEFT], [RIGHT]
    for n in range(1, min(at, LONGEST) + 1):
        left.append((left[-1] ^ codes[at - n]) * ROLL_LEFT & WORD)
    for n in range(min(len(codes) - at, LONGEST)):
        right.append((right[-1] ^ codes[at + n]) * ROLL_RIGHT & WORD)
    pairs = [(before, RIGHT) for before in left[1:]] + [(LEFT, after) for after in right[1:]]
    pairs += [(before, after) for before in left[1 : CROSSED + 1] for after in right[1 : CROSSED + 1]]
    return [_place(before, after, bits) for before, after in pairs]


class Affixes:
    """The rules: what lists of affixes (lines of a type and affixes) say of a word's gaps."""

    def __init__(self, text: str) -> None:
        kinds: dict[str, set[str]] = {"PREF": set(), "SUFF": set(), "END": set(), "POSTFIX": set()}
        for line in text.splitlines():
            kind, *words = line.split() or [""]
            kinds.get(kind, set()).update(word for word in words if len(word) <= AFFIX)
        self.prefixes, self.suffixes = kinds["PREF"], kinds["SUFF"]
        self.endings, self.postfixes = kinds["END"], kinds["POSTFIX"]

    def before(self, word: str) -> list[int]:
        """For each gap, bit n - 1: a prefix of n letters ends here, and prefixes lead up to it."""
        found = [0] * len(word)
        for gap in range(1, len(word)):
            for n in range(1, min(gap, AFFIX) + 1):
                if (gap == n or found[gap - n]) and word[gap - n : gap] in self.prefixes:
                    found[gap] |= 1 << n - 1
        return found

    def after(self, word: str) -> list[int]:
        """For each gap, bit n - 1: a suffix of n letters begins here, and affixes lead from it to the end;
        bit 6: a postfix begins here, bit 7: an ending."""
        found = [0] * len(word)
        for gap in range(len(word) - 1, 0, -1):
            rest = word[gap:]
            if rest in self.postfixes:
                found[gap] |= 1 << 6
            if rest in self.endings or (rest[-2:] in self.postfixes and rest[:-2] in self.endings):
                found[gap] |= 1 << 7
            for n in range(1, min(len(rest), AFFIX) + 1):
                if (n == len(rest) or found[gap + n]) and rest[:n] in self.suffixes:
                    found[gap] |= 1 << n - 1
        return found

    def places(self, word: str, bits: int) -> list[list[int]]:
        """Where the weights of the rules' features stand, for the gaps 1, 2, ... of a word."""
        before, after = self.before(word), self.after(word)
        first = max((gap for gap in range(1, len(word)) if before[gap]), default=0)
        last = min((gap for gap in range(1, len(word)) if after[gap]), default=len(word))
        found = []
        for gap in range(1, len(word)):
            end = min(len(word) - gap, 7)
            head, tail = before[gap] != 0, after[gap] != 0
            values = [
                1 << 56 | head << 24 | tail << 16 | min(gap, 7) << 8 | end,
                2 << 56 | after[gap],
                3 << 56 | before[gap] << 8 | min(end, 5),
                4 << 56 | after[gap] << 16 | head << 8 | _near(gap, last, 3),
                5 << 56 | before[gap] << 8 | after[gap],
                6 << 56 | _near(gap, first, 4) << 8 | _near(gap, last, 5),
                7 << 56 | after[gap] << 8 | (letter_code(word[gap - 1]) or 0),
                8 << 56 | before[gap] << 8 | (letter_code(word[gap]) or 0),
            ]
            found.append([_place((value + 1) * ROLL_RIGHT & WORD, LEFT, bits) for value in values])
        return found


def _near(gap: int, to: int, most: int) -> int:
    """gap - to, held to -most..most, moved to 0..2 * most."""
    return min(max(gap - to + most, 0), 2 * most)


def places(word: str, bits: int, affixes: Affixes) -> list[list[int]]:
    """Where the weights of all features stand, for the gaps 1, 2, ... of a word of Russian letters."""
    codes = letter_codes(word) or []
    rules = affixes.places(word, bits)
    return [letter_places(codes, gap, bits) + rules[gap - 1] for gap in range(1, len(word))]


def model_bytes(bits: int, bias: int, affixes: str, weights: bytes) -> bytes:
    """A model file; its format: rust_ext/crates/morphemes/src/lib.rs."""
    spelt = affixes.encode()
    return MAGIC + struct.pack("<IiI", bits, bias, len(spelt)) + spelt + weights


def segmenter(model: bytes, whole: Iterable[str]) -> Segmenter:
    """The oracle of `MorphemeSegmenter`."""
    bits, bias, length = struct.unpack_from("<IiI", model, len(MAGIC))
    start = len(MAGIC) + 12
    affixes = Affixes(model[start : start + length].decode())
    weights = memoryview(model)[start + length :].cast("b")
    never = frozenset(whole)

    def segment(word: str, /) -> Sequence[int]:
        if not 2 <= len(word) <= MAX_LETTERS or word in never or letter_codes(word) is None:
            return ()
        scores = [bias + sum(weights[p] for p in each) for each in places(word, bits, affixes)]
        return tuple(gap for gap, score in enumerate(scores, 1) if score > 0)

    return segment
