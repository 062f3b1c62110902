"""Stage `clean`: take the Russian web's boilerplate lines out of the text.

Main-text extraction leaves lines that are not the author's: consent under the personal-data act (152-ФЗ),
cookie banners, «Читайте также», buttons, counters, login forms, age marks, disclaimers, copyright. Each is
known by a pattern of assets/boilerplate_ru.txt for the whole line, or for a line of bounded length; a long
line is prose and stays. What goes is counted by category, and lines that say something of the text's rights
or readers go into the column `notices`; nothing else of the text changes. The work is done in Rust
(rust_ext/crates/boilerplate/src).
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from corpus import table
from corpus.table import with_columns
from rust_ext import Boilerplate
from rust_ext.arrow import edited, text_array, text_buffers

PATTERNS: Final = Path(__file__).parent.parent / "assets" / "boilerplate_ru.txt"

#: Categories of boilerplate, in the order in which a line is tried; the last: what remains of a table's row.
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
#: Kinds whose lines say something of the text's rights, author or readers (docs/clean.md).
NOTICES: Final = ("age_mark", "foreign_agent", "copyright")


@dataclass(frozen=True)
class Clean:
    """Remove boilerplate lines (consent texts, cookie banners, «Читайте также») from documents.

    A document of nothing else is dropped.
    """

    name: ClassVar[str] = "clean"
    version: ClassVar[int] = 4
    needs: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("text", pa.large_string()),
            pa.field("notices", pa.list_(pa.string())),
            pa.field("lines_dropped", pa.int32()),
            pa.field("chars_dropped", pa.int64()),
            *(pa.field(f"lines_dropped_{category}", pa.int32()) for category in CATEGORIES),
        ]
    )

    reasons: ClassVar[Mapping[str, str]] = {
        "empty_after_clean": "nothing was left after boilerplate lines went",
    }

    categories: tuple[str, ...] = field(
        default=CATEGORIES,
        metadata={"help": f"kinds of boilerplate that go: {', '.join(CATEGORIES)}"},
    )
    notices: tuple[str, ...] = field(
        default=NOTICES,
        metadata={"help": "of these kinds the lines that go are kept in the column notices"},
    )

    def __post_init__(self) -> None:
        unknown = [c for c in (*self.categories, *self.notices) if c not in CATEGORIES]
        if unknown:
            raise ValueError(f'categories: "{unknown[0]}" is unknown; choose from {", ".join(CATEGORIES)}')

    def open(self) -> Callable[[pa.Table], pa.Table]:
        """The function that cleans a batch."""
        load_patterns()
        return functools.partial(clean, self)


@functools.cache
def load_patterns() -> Boilerplate:
    """The sections of assets/boilerplate_ru.txt, read once a process."""
    return Boilerplate(PATTERNS.read_text(encoding="utf-8"), list(CATEGORIES))


def category(line: str) -> str | None:
    """The kind of boilerplate that `line` is, or None."""
    number = load_patterns().category(line)
    return None if number is None else CATEGORIES[number]


def clean_text(text: str, categories: tuple[str, ...] = CATEGORIES) -> tuple[str, Counter[str], int]:
    """The text without boilerplate lines, lines dropped by category, and characters dropped."""
    done = _cleaned(pa.array([text], pa.large_string()), categories)
    dropped = Counter({c: int(n) for c, n in zip(CATEGORIES, done.counts[0], strict=True) if n})
    return done.texts[0].as_py(), dropped, int(done.chars[0])


def clean(stage: Clean, batch: pa.Table) -> pa.Table:
    """The rows of `batch` with cleaned text, counts, and the verdict."""
    done = _cleaned(batch.column("text"), stage.categories, stage.notices)
    lines = done.counts.sum(axis=1, dtype=np.int32)
    empty = pc.utf8_is_space(done.texts).to_numpy(zero_copy_only=False) | (
        pc.binary_length(done.texts).to_numpy(zero_copy_only=False) == 0
    )
    columns = {
        "text": done.texts,
        "notices": done.notices,
        "lines_dropped": pa.array(lines),
        "chars_dropped": pa.array(done.chars),
        **{
            f"lines_dropped_{c}": pa.array(np.ascontiguousarray(done.counts[:, n]))
            for n, c in enumerate(CATEGORIES)
        },
        table.DROP: pa.array(["empty_after_clean" if e else None for e in empty], pa.string()),
        table.DROP_DETAIL: pa.array(
            [f"lines_dropped={n}" if e else None for e, n in zip(empty, lines.tolist(), strict=True)],
            pa.string(),
        ),
    }
    return with_columns(batch, columns)


class _Cleaned(NamedTuple):
    """Cleaned texts (a null becomes an empty one), lists of the lines kept as notices (null where there are
    none), lines dropped (rows x CATEGORIES), characters dropped."""

    texts: pa.Array
    notices: pa.Array
    counts: NDArray[np.int32]
    chars: NDArray[np.int64]


def _cleaned(
    column: pa.Array | pa.ChunkedArray, categories: tuple[str, ...], notices: tuple[str, ...] = ()
) -> _Cleaned:
    texts = text_array(column).fill_null("")
    wanted, noted = ([c in kinds for c in CATEGORIES] for kinds in (categories, notices))
    cleaned, counts, chars, (ends, data, offsets) = load_patterns().rows(text_buffers(texts), wanted, noted)
    lines = pa.Array.from_buffers(
        pa.large_string(), len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    ).cast(pa.string())
    lists = pa.ListArray.from_arrays(pa.array(ends), lines, mask=pa.array(np.diff(ends) == 0))
    return _Cleaned(edited(texts, cleaned), lists, counts.reshape(-1, len(CATEGORIES)), chars)
