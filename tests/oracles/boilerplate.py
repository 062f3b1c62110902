"""What stage clean does: the oracle of rust_ext/crates/boilerplate, with Python's own expressions."""

from __future__ import annotations

import functools
import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from corpus.clean.lines import CATEGORIES, PATTERNS

#: Taken off both ends of a line before matching: table rows, bullets, arrows, dashes.
EDGE: Final = " \t\u00a0|•·●▪■►▶→←»«>-–—:…*"
SPACES: Final = re.compile(r"\s+")
HEADER: Final = re.compile(r"\[(\w+) (whole|within) (\d+)\]")
#: Characters above which a line is prose without being read: three times the longest limit of the list.
LONGEST: Final = 2_100
#: A line of dialogue: «— Вход?» is somebody speaking.
SPEECH: Final = re.compile(r"\s*[—–-]\s+\w.*[.?!,;…»\"]\s*$")
#: Kinds that are captions and buttons; a whole sentence is none, whatever its words.
CAPTIONS: Final = frozenset({"read_also", "share", "counter", "login"})
SENTENCE_END: Final = re.compile(r"(?<!пароль)[.?!,;…]$")
#: Three line ends or more, as dropping a line between blank ones leaves them.
GAP: Final = re.compile(r"\n{3,}")


@dataclass(frozen=True)
class Pattern:
    """One section of the list as one expression."""

    category: str
    whole: bool
    limit: int
    expression: re.Pattern[str]

    def matches(self, line: str) -> bool:
        if len(line) > self.limit:
            return False
        if not self.whole:
            return self.expression.search(line) is not None
        if self.category in CAPTIONS and SENTENCE_END.search(line):
            return False
        return self.expression.fullmatch(line) is not None


@functools.cache
def load_patterns() -> tuple[Pattern, ...]:
    """The sections of assets/boilerplate_ru.txt."""
    patterns: list[Pattern] = []
    sections: list[tuple[re.Match[str], list[str]]] = []
    for line in PATTERNS.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if header := HEADER.fullmatch(line):
            sections.append((header, []))
        else:
            sections[-1][1].append(line)
    for header, lines in sections:
        expression = re.compile("|".join(f"(?:{line})" for line in lines))
        patterns.append(Pattern(header[1], header[2] == "whole", int(header[3]), expression))
    return tuple(patterns)


def normalise(line: str) -> str:
    """A line as the patterns expect it."""
    return SPACES.sub(" ", line.lower().replace("ё", "е")).strip(EDGE)


def category(line: str) -> str | None:
    """The kind of boilerplate that `line` is, or None."""
    if len(line) > LONGEST or not line or line.isspace():
        return None
    if SPEECH.match(line):
        return None
    plain = normalise(line)
    if not plain:
        # Nothing but edges: the rest of a table's row, a lone bullet. A row of dashes or stars is the
        # author's way to part chapters.
        return "table_rest" if "|" in line else None
    for pattern in load_patterns():
        if pattern.matches(plain):
            return pattern.category
    return None


def clean_text(text: str, categories: tuple[str, ...] = CATEGORIES) -> tuple[str, Counter[str], int]:
    """The text without boilerplate lines, lines dropped by category, and characters dropped."""
    kept: list[str] = []
    dropped: Counter[str] = Counter()
    for line in text.split("\n"):
        kind = category(line)
        if kind is None or kind not in categories:
            kept.append(line)
        else:
            dropped[kind] += 1
    if not dropped:
        return text, dropped, 0
    result = GAP.sub("\n\n", "\n".join(kept)).strip("\n")
    return result, dropped, len(text) - len(result)
