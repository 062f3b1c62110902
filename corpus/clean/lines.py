"""Stage `clean`: take the Russian web's boilerplate lines out of the text.

Main-text extraction leaves lines that are not the author's: consent under the personal-data act (152-ФЗ),
cookie banners, «Читайте также», buttons, counters, login forms, age marks, disclaimers, copyright. Each is
known by a pattern of assets/boilerplate_ru.txt for the whole line, or for a line of bounded length; a long
line is prose and stays. What goes is counted by category; nothing else of the text changes.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

import pyarrow as pa

from corpus import table
from corpus.language import with_columns

PATTERNS: Final = Path(__file__).parent.parent / "assets" / "boilerplate_ru.txt"

#: Categories of boilerplate, in the order in which a line is tried.
CATEGORIES: Final = (
    "consent",
    "cookies",
    "policy",
    "javascript",
    "read_also",
    "share",
    "subscribe",
    "age_mark",
    "foreign_agent",
    "counter",
    "login",
    "copyright",
    "table_rest",
)

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
class Clean:
    """Drop boilerplate lines; a document of nothing else is dropped."""

    name: ClassVar[str] = "clean"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("text", pa.large_string()),
            pa.field("lines_dropped", pa.int32()),
            pa.field("chars_dropped", pa.int64()),
            *(pa.field(f"lines_dropped_{category}", pa.int32()) for category in CATEGORIES),
        ]
    )

    categories: tuple[str, ...] = field(
        default=CATEGORIES,
        metadata={"help": f"kinds of boilerplate that go: {', '.join(CATEGORIES)}"},
    )

    def __post_init__(self) -> None:
        unknown = [c for c in self.categories if c not in CATEGORIES]
        if unknown:
            raise ValueError(f'categories: "{unknown[0]}" is unknown; choose from {", ".join(CATEGORIES)}')

    def open(self) -> Callable[[pa.Table], pa.Table]:
        load_patterns()
        return functools.partial(clean, self)


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


def clean(stage: Clean, batch: pa.Table) -> pa.Table:
    """The rows of `batch` with cleaned text, counts, and the verdict."""
    texts: list[str] = []
    counts: list[Counter[str]] = []
    chars: list[int] = []
    reasons: list[str | None] = []
    for text in batch.column("text").to_pylist():
        result, dropped, gone = clean_text(text or "", stage.categories)
        texts.append(result)
        counts.append(dropped)
        chars.append(gone)
        reasons.append(None if result and not result.isspace() else "empty_after_clean")
    details = [
        f"lines_dropped={count.total()}" if reason else None
        for reason, count in zip(reasons, counts, strict=True)
    ]
    columns = {
        "text": pa.array(texts, pa.large_string()),
        "lines_dropped": pa.array([count.total() for count in counts], pa.int32()),
        "chars_dropped": pa.array(chars, pa.int64()),
        **{f"lines_dropped_{c}": pa.array([count[c] for count in counts], pa.int32()) for c in CATEGORIES},
        table.DROP: pa.array(reasons, pa.string()),
        table.DROP_DETAIL: pa.array(details, pa.string()),
    }
    return with_columns(batch, columns)
