"""The oracle of how repair reads a line: what it costs as it stands, or with a mistake undone
(rust_ext/crates/repair/src/single.rs, rust_ext/crates/letters). What follows for a document is in
`repair_lines`.

The model is read from the source tree, which a wheel does not have.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scripts.fit.letters import (
    CLASSES,
    FIRST_CHARACTER,
    FIRST_LETTER,
    RUSSIAN,
    STEP,
    classes_of,
)

MODEL: Final = Path(__file__).parents[2] / "rust_ext/crates/letters/src"

#: (read as, written in); both may undefine bytes, which then show as the control of the same number.
ONCE: Final = (
    *(("latin", "cp1251"), ("latin", "koi8_u"), ("latin", "cp866"), ("cp1251", "koi8_u"), ("koi8", "cp1251")),
    *(("cp1251", "cp866"), ("cp866", "cp1251"), ("koi8", "cp866"), ("cp866", "koi8_r")),
)
_READERS: Final = {"latin": ("latin-1", "cp1252"), "koi8": ("koi8_u", "koi8_r"), "cp1251": ("cp1251",)}


@dataclass(frozen=True)
class Mistake:
    """The way back from a misreading, and which characters it can have made."""

    back: dict[str, str]
    made: frozenset[str]

    def undo(self, line: str) -> str:
        return "".join(self.back.get(char, char) for char in line)


def shown(byte: int, charset: str) -> str:
    """The character of a byte; an undefined byte shows as the control of the same number."""
    if charset == "koi8_u" and byte in (0xAE, 0xBE):  # WHATWG's has the letters of Belarusian there
        return "ўЎ"[byte >> 4 == 0xB]
    try:
        return bytes([byte]).decode(charset)
    except UnicodeDecodeError:
        return chr(byte)


@functools.cache
def mistakes() -> tuple[list[Mistake], list[Mistake]]:
    """Every mistake, and every two of them on top of each other (of the last six)."""
    once = []
    for read_as, written_in in ONCE:
        back = {
            shown(byte, charset): shown(byte, written_in)
            for charset in _READERS.get(read_as, (read_as,))
            for byte in range(0x80, 0x100)
        }
        once.append(Mistake(back, frozenset(back)))
    twice = [
        Mistake(
            {char: first.undo(between) for char, between in last.back.items()} | _rest(last, first), last.made
        )
        for last in once[3:]
        for first in once[3:]
    ]
    return once, twice


def _rest(last: Mistake, first: Mistake) -> dict[str, str]:
    return {char: meant for char, meant in first.back.items() if char not in last.back}


@functools.cache
def costs() -> tuple[list[list[int]], list[list[int]], list[list[int]], dict[str, list[int]]]:
    """Of class pairs, of case pairs, of triples, of gaps: tenths of a nat."""

    def lines(name: str) -> list[str]:
        return [x for x in (MODEL / name).read_text(encoding="utf-8").splitlines() if not x.startswith("#")]

    pairs = [[int(cost) for cost in line.split()] for line in lines("pairs.txt")]
    triples = [[(ord(c) - FIRST_CHARACTER) * STEP for c in line] for line in lines("triples.txt")]
    gaps = [[int(cost) for cost in line.split()] for line in lines("gaps.txt")]
    return pairs[:CLASSES], pairs[CLASSES:], triples, {chr(row[0]): row[1:] for row in gaps}


@dataclass(frozen=True)
class Text:
    """A line with the class and the case of each character, a gap before it."""

    chars: str
    classes: list[int]
    cases: list[int]

    @classmethod
    def of(cls, line: str) -> Text:
        classes, cases = classes_of("  " + line)
        return cls("  " + line, classes.tolist(), cases.tolist())

    def is_letter(self, at: int) -> bool:
        return 0 <= at < len(self.chars) and self.cases[at] > 0

    def cost(self, at: int, word_start: int = 0) -> int:
        """-log P(the character at `at` | the two before it); what lies before `word_start` is a gap."""
        of_class, of_case, triples, _ = costs()
        places = [self._place(n) if n >= word_start else 0 for n in (at - 2, at - 1, at)]
        cls, case = self.classes[at], self.cases[at]
        case_cost = of_case[self.cases[at - 1]][case] if case else 0
        first, second, third = places
        if second is None or third is None or (second == 0 and third == 0):
            return of_class[self.classes[at - 1]][cls] + case_cost
        first = 0 if first is None or second == 0 else first
        return triples[first * RUSSIAN + second][third] + case_cost

    def _place(self, at: int) -> int | None:
        cls = self.classes[at]
        russian = FIRST_LETTER <= cls < FIRST_LETTER + RUSSIAN - 1
        return 0 if cls == 0 else cls - FIRST_LETTER + 1 if russian else None


def is_accented(char: str) -> bool:
    return "\u00c0" <= char <= "\u00ff"


def is_artefact(char: str) -> bool:
    """Box drawing and controls, which text has no use for."""
    return re.match("[\u0080-\u009f\u2219-\u2265\u2320\u2321\u2500-\u25ff]", char) is not None


@dataclass
class Reading:
    """How a line reads: cost in tenths of a nat, and what it was counted on."""

    cost: int = 0
    pairs: int = 0
    letters: int = 0
    inside_words: int = 0
    changed: int = 0


def read(line: str, mistake: Mistake | None) -> Reading:
    """Cost of a line as it stands, or with a mistake undone."""
    raw = "  " + line + "\n"
    text = Text.of((mistake.undo(line) if mistake else line) + "\n")
    found = Reading()
    for at in range(2, len(text.chars)):
        char, before = text.chars[at], text.chars[at - 1]
        if char.isascii() and before.isascii():
            continue
        found.pairs += 1
        if is_accented(char) and is_accented(before):
            found.cost += 80 if is_accented(text.chars[at - 2]) else 60
        else:
            found.cost += text.cost(at)
        found.cost += 80 if is_artefact(char) else 0
        if text.is_letter(at) and char != before:
            found.letters += 1
            found.changed += char != raw[at] and raw[at] != "\u00a0"
            found.inside_words += text.is_letter(at - 1)
    return found
