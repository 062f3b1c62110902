"""The slow, readable twin of three repairs of `rust_ext/src/repair`: entities, look-alikes, and whether a
line by itself proves to be text of one single-byte charset that was read in another.

It says what the fast code must say, one rule after another, and a property test holds the two together. Not
here: misread UTF-8, and what the lines of a document say about each other. Marks have their twin in
tests/properties/reference_repair.py. The model is read from the source tree, which a wheel does not have.
"""

from __future__ import annotations

import functools
import html.entities
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from corpus.extract.fit_letters import (
    CLASSES,
    FIRST_CHARACTER,
    FIRST_LETTER,
    RUSSIAN,
    STEP,
    classes_of,
)

MODEL: Final = Path(__file__).parents[2] / "rust_ext/src/letters"

# --- entities ---------------------------------------------------------------------------------------------

NAMES: Final = {**html.entities.name2codepoint, "apos": 39}
ABOUT_ENTITIES: Final = (
    *("html", "xml", "entit", "escap", "unicode", "сущност", "экранир", "мнемоник", "кодировк"),
)


def repair_entities(text: str) -> tuple[str, int]:
    """The text with its entities replaced, and their number; the text as it is where it is about entities."""
    out, count = [], 0
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        at = 0
        while (amp := line.find("&", at)) >= 0:
            found = _entity(line[amp:])
            out.append(line[at : amp + (found is None)])
            at = amp + 1
            if found is None:
                continue
            length, char = found
            if _is_about(line) or _is_shown(line[:amp][-1:], line[amp + length :][:1], char):
                return text, 0
            out.append(char)
            count += 1
            at = amp + length
        out.append(line[at:])
    return ("".join(out), count) if count else (text, 0)


def _entity(text: str) -> tuple[int, str] | None:
    """Length and character of an entity at the start of the text, however often its & was escaped."""
    start = 1
    while text.startswith("amp;", start) and _named(text[start + 4 :]):
        start += 4
    found = _named(text[start:])
    return (start + found[0], found[1]) if found else None


def _named(text: str) -> tuple[int, str] | None:
    name, semicolon, _ = text[:12].partition(";")
    if not semicolon:
        return None
    code = NAMES.get(name, 0)
    if match := re.fullmatch(r"#(?:[xX]([0-9a-fA-F]+)|([0-9]+))", name):
        code = int(match[1], 16) if match[1] else int(match[2])
        if not 0x20 <= code < 0x110000 or code in (0x7F, 0xFFFE, 0xFFFF) or 0xD800 <= code < 0xE000:
            return None
    return (len(name) + 1, chr(code)) if code else None


def _is_about(line: str) -> bool:
    return "<" in line or ">" in line or any(word in line.lower() for word in ABOUT_ENTITIES)


def _is_shown(before: str, after: str, char: str) -> bool:
    quoted = before != "" and before in "\"'`«“([{=/\\" and after != "" and after in "\"'`»”)]},/\\"
    tag = char == "<" and ((after.isascii() and after.isalpha()) or after in ("/", "!", "?"))
    return quoted or tag


# --- look-alikes ------------------------------------------------------------------------------------------

LOOK_ALIKES: Final = dict(zip("acekopxyABCEHKMOPTXY", "асекорхуАВСЕНКМОРТХУ", strict=True))
TO_LATIN: Final = {cyrillic: latin for latin, cyrillic in LOOK_ALIKES.items()}
WITH_I: Final = set("іїєґўѣѳѵқңғөұүәһІЇЄҐЎѢѲѴҚҢҒӨҰҮӘҺ")


def repair_homoglyphs(text: str) -> tuple[str, int]:
    """The text with look-alikes put right in words of both scripts, and their number."""
    to_cyrillic = LOOK_ALIKES | {"ë": "ё", "Ë": "Ё"}
    if WITH_I & set(text):
        to_cyrillic |= {"i": "і", "I": "І", "ï": "ї", "Ï": "Ї"}
    if "ј" in text or "Ј" in text:
        to_cyrillic |= {"j": "ј", "J": "Ј"}
    cyrillic = sum(_is_cyrillic_block(char) and char not in "јЈ" for char in text)
    mostly_cyrillic = cyrillic > sum(char.isascii() and char.isalpha() for char in text)
    count = 0

    def put_right(match: re.Match[str]) -> str:
        nonlocal count
        if text[: match.start()].endswith("\\"):  # `\\nС` in program text: the letter is the backslash's
            return match[0]
        before = re.search(f"({_LETTER}{_LETTER}?)(?!.*{_LETTER})", line_of(text, match.start())[0])
        after = re.search(f"{_LETTER}{_LETTER}?", line_of(text, match.end())[1])
        beside = [found[0] for found in (before, after) if found and len(found[0]) == 2]
        beside_latin = any(not any(map(_is_cyrillic_block, pair)) for pair in beside)
        meant = _word(match[0], to_cyrillic, mostly_cyrillic, beside_latin)
        count += sum(old != new for old, new in zip(match[0], meant, strict=True))
        return meant

    return re.sub(_LETTER + "+", put_right, text), count


_LETTER: Final = r"[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0400-\u0481\u048a-\u052f]"


def line_of(text: str, at: int) -> tuple[str, str]:
    """What stands before and after a place, in its line."""
    start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
    return text[start:at], text[at : end if end >= 0 else len(text)]


def _is_cyrillic_block(char: str) -> bool:
    return "\u0400" <= char < "\u0530"


def _word(word: str, to_cyrillic: dict[str, str], mostly_cyrillic: bool, beside_latin: bool) -> str:
    is_cyrillic = [_is_cyrillic_block(char) for char in word]
    cyrillic, latin = sum(is_cyrillic), len(word) - sum(is_cyrillic)
    if not cyrillic or not latin:
        return word
    own_cyrillic = any(char not in TO_LATIN for char in word if _is_cyrillic_block(char))
    own_latin = any(char not in to_cyrillic for char in word if not _is_cyrillic_block(char))
    if own_cyrillic and own_latin:
        return word
    if (own_cyrillic or own_latin) and _is_compound(word, is_cyrillic):
        return word
    if own_cyrillic or own_latin:
        becomes_cyrillic = own_cyrillic
    elif len(word) <= 3:
        becomes_cyrillic = mostly_cyrillic and not beside_latin
    else:
        becomes_cyrillic = mostly_cyrillic if cyrillic == latin else cyrillic > latin
    table = to_cyrillic if becomes_cyrillic else TO_LATIN
    return "".join(table.get(char, char) for char in word)


def _is_compound(word: str, is_cyrillic: list[bool]) -> bool:
    """Two words written as one: IPадрес, DOSе, ATTACHИмя, gloriamК."""
    meetings = [at for at in range(1, len(word)) if is_cyrillic[at] != is_cyrillic[at - 1]]
    if len(meetings) != 1:
        return False
    (at,) = meetings
    if word[at - 1].isupper() == word[at].isupper():
        return word[at].isupper() and word[at + 1 : at + 2].islower()
    return at >= 2


# --- one single-byte charset read in another --------------------------------------------------------------

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


def _shown(byte: int, charset: str) -> str:
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
            _shown(byte, charset): _shown(byte, written_in)
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
def _costs() -> tuple[list[list[int]], list[list[int]], list[list[int]], dict[str, list[int]]]:
    """Of class pairs, of case pairs, of triples, of gaps: tenths of a nat."""

    def lines(name: str) -> list[str]:
        return [x for x in (MODEL / name).read_text(encoding="utf-8").splitlines() if not x.startswith("#")]

    pairs = [[int(cost) for cost in line.split()] for line in lines("pairs.txt")]
    triples = [[(ord(c) - FIRST_CHARACTER) * STEP for c in line] for line in lines("triples.txt")]
    gaps = [[int(cost) for cost in line.split()] for line in lines("gaps.txt")]
    return pairs[:CLASSES], pairs[CLASSES:], triples, {chr(row[0]): row[1:] for row in gaps}


@dataclass(frozen=True)
class _Text:
    """A line with the class and the case of each character, a gap before it."""

    chars: str
    classes: list[int]
    cases: list[int]

    @classmethod
    def of(cls, line: str) -> _Text:
        classes, cases = classes_of("  " + line)
        return cls("  " + line, classes.tolist(), cases.tolist())

    def is_letter(self, at: int) -> bool:
        return 0 <= at < len(self.chars) and self.cases[at] > 0

    def cost(self, at: int, word_start: int = 0) -> int:
        """-log P(the character at `at` | the two before it); what lies before `word_start` is a gap."""
        of_class, of_case, triples, _ = _costs()
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
    text = _Text.of((mistake.undo(line) if mistake else line) + "\n")
    found = Reading()
    for at in range(2, len(text.chars)):
        char, before = text.chars[at], text.chars[at - 1]
        if char.isascii() and before.isascii():
            continue
        found.pairs += 1
        both_accented = "\u00c0" <= char <= "\u00ff" and "\u00c0" <= before <= "\u00ff"
        found.cost += 60 if both_accented else text.cost(at)
        found.cost += 80 if re.match("[\u0080-\u009f\u2219-\u2265\u2320\u2321\u2500-\u25ff]", char) else 0
        if text.is_letter(at) and char != before:
            found.letters += 1
            found.changed += char != raw[at] and raw[at] != "\u00a0"
            found.inside_words += text.is_letter(at - 1)
    return found


def costs_beside(line: str, mistake: Mistake | None) -> int:
    """Signs by their place, characters that the mistake can't have made, less what abbreviations save."""
    text = _Text.of(mistake.undo(line) if mistake else line)
    gaps = _costs()[3]
    foreign = sum(not char.isascii() and char not in mistake.made for char in line) if mistake else 0
    total = min(60 * foreign, 100)
    for at in range(2, len(text.chars)):
        place = 2 * text.is_letter(at - 1) + text.is_letter(at + 1)
        total += gaps[text.chars[at]][place] if text.chars[at] in gaps else 0
    starts = [at for at in range(2, len(text.chars)) if text.is_letter(at) and not text.is_letter(at - 1)]
    for start in starts:
        end = next(n for n in range(start, len(text.chars) + 1) if not text.is_letter(n))
        total -= _refund(text, start, end)
    return total


def _refund(text: _Text, start: int, end: int) -> int:
    capital = [case == 2 for case in text.cases]
    abbreviation = end - start <= 5 and all(capital[start:end])
    total = -30 if abbreviation and text.chars[start - 1] != "#" else 0
    for at in range(start + 1, end):
        if abbreviation or (capital[at] and not capital[at - 1]):
            total += max(0, text.cost(at, start) - (45 if abbreviation else 120))
    return max(0, total)


def _first_letter_cost(line: str, mistake: Mistake | None) -> int:
    """Even odds for the case of the line's first letter, in place of the model's."""
    text = mistake.undo(line) if mistake else line
    first = next((char for char in text if char.isalpha()), "")
    found = _Text.of(first)
    return int(-10 * math.log(0.5)) - _costs()[1][0][found.cases[-1]] if first and found.cases[-1] else 0


def undo_line(line: str) -> str | None:
    """The line with one mistake undone (or two at once), None where it does not prove to be broken."""
    stands = read(line, None)
    if stands.pairs <= 5 or stands.cost <= 38 * stands.pairs:
        return None
    for candidates in mistakes():
        gains = [(_proof(stands, read(line, mistake)), -n) for n, mistake in enumerate(candidates)]
        gain, n = max(gains)
        if gain:
            mistake = candidates[-n]
            costs = [read(line, m).cost + costs_beside(line, m) for m in (None, mistake)]
            if (
                abs(costs[0] - costs[1]) < 60
            ):  # not clear: judged as a line of a document of which nothing is known
                costs = [c + _first_letter_cost(line, m) for c, m in zip(costs, (None, mistake), strict=True)]
            undone = mistake.undo(line)
            return undone if costs[1] < costs[0] and undone != line else None
    return None


def _proof(stands: Reading, undone: Reading) -> int:
    gain = stands.cost - undone.cost
    holds = (
        undone.letters >= 5
        and undone.inside_words * 2 >= undone.letters
        and undone.letters * 10 >= undone.pairs * 6
        and undone.changed * 10 >= undone.letters * 6
        and undone.cost <= 42 * undone.pairs
    )
    return gain if holds and gain >= 200 else 0
