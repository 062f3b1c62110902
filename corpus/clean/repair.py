"""Repair text that was damaged on its way: read in the wrong charset, escaped twice, sprinkled with
characters that nobody sees, spelt with look-alikes of another script. Clean text comes back as it is.

`repair` takes a string, `repair_column` an Arrow column; both do the same (rust_ext/crates/repair/src).
docs/measured/extract.md, "Repair", says what is repaired and how well.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
import pyarrow as pa

from rust_ext import repair_rows, repair_text
from rust_ext.arrow import edited, text_buffers


@dataclass(frozen=True, slots=True)
class Repair:
    """Which repairs to make. In the order of `REPAIR_COLUMNS`."""

    mojibake: bool = field(
        default=True, metadata={"help": "restore text that was decoded in the wrong charset"}
    )
    entities: bool = field(
        default=True, metadata={"help": "replace entities that were escaped twice (&amp;nbsp;)"}
    )
    controls: bool = field(default=True, metadata={"help": "remove control characters, make line ends \\n"})
    zero_width: bool = field(
        default=True, metadata={"help": "remove zero-width spaces, joiners, direction marks"}
    )
    soft_hyphens: bool = field(default=True, metadata={"help": "remove soft hyphens"})
    stress: bool = field(default=True, metadata={"help": "remove stress marks (U+0301) from Cyrillic vowels"})
    nfc: bool = field(default=True, metadata={"help": "compose letters (Unicode NFC), й and ё among them"})
    homoglyphs: bool = field(default=True, metadata={"help": "replace look-alikes in words of two scripts"})


KINDS = tuple(kind.name for kind in fields(Repair))

REPAIR_COLUMNS = pa.schema([pa.field(f"repaired_{kind}", pa.int32(), nullable=False) for kind in KINDS])
"""How often each repair was applied to a row: characters restored (mojibake), removed or replaced (controls,
zero_width, soft_hyphens, stress, homoglyphs), composed (nfc), entities replaced (entities)."""

EVERYTHING = Repair()


def _wanted(options: Repair) -> int:
    return sum(1 << bit for bit, kind in enumerate(KINDS) if getattr(options, kind))


def repair(text: str, options: Repair = EVERYTHING) -> tuple[str, dict[str, int]]:
    """Return the repaired text and, for every kind of repair, how often it was applied.

    The counts are explained at `REPAIR_COLUMNS`. Lone surrogates, which no UTF-8 text has, become U+FFFD.
    """
    try:
        repaired, counts = repair_text(text, _wanted(options))
    except UnicodeEncodeError:
        paired = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        repaired, counts = repair_text(paired, _wanted(options))
    return repaired, dict(zip(KINDS, counts, strict=True))


def repair_column(
    array: pa.Array | pa.ChunkedArray, options: Repair = EVERYTHING
) -> tuple[pa.Array, pa.Table]:
    """Repair a column of string or large_string.

    Returns the column as large_string, nulls kept, and a table of `REPAIR_COLUMNS` with as many rows (zeros
    where the text is null). A column in which nothing is repaired is returned without a copy. Raises
    pa.ArrowInvalid on other types and ValueError on rows that are not UTF-8.
    """
    if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        raise pa.ArrowInvalid(f"repair_column takes strings, not {array.type}")
    repaired, counts = repair_rows(text_buffers(array), _wanted(options))
    columns = [pa.array(column) for column in np.ascontiguousarray(counts.reshape(-1, len(KINDS)).T)]
    table = pa.Table.from_arrays(columns, schema=REPAIR_COLUMNS)
    return edited(array, repaired), table
