"""Stage `mask`: personal data and secrets in the text give way to placeholders.

What is a number of a register is decided by its check digits (ИНН, СНИЛС, ОГРН, cards by Luhn, accounts
together with the БИК), what has none by the words before it (passports, licences, КПП, local telephones);
e-mails, keys and passwords by their form. Letters that look like digits, odd spaces, numbers broken over
lines and read aloud are seen through. The work is done in Rust (rust_ext/crates/pii), one pass a text.

What is masked is a preset's choice, changed by `also` and `without`; docs/mask.md says what each kind is.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import numpy as np
import pyarrow as pa

from corpus import storage, table
from corpus.errors import UsageError
from corpus.surrogates import without_halves
from rust_ext import PII_KINDS, PII_PLACEHOLDERS, PiiMask
from rust_ext.arrow import edited, text_buffers

#: Every kind that can be masked.
KINDS: Final = tuple(PII_KINDS)
_SECRETS: Final = ("cookie", "token", "private_key", "password")
#: Kinds that a recipe has to ask for: they stand in much text that is no leak.
_BY_CHOICE: Final = ("phone_office", "handle", "address", "address_house", "birth_date")
#: preset -> kinds.
PRESETS: Final[Mapping[str, tuple[str, ...]]] = {
    "none": (),
    "secrets": _SECRETS,
    "identifiers": tuple(k for k in KINDS if k not in _BY_CHOICE),
    "152-fz": tuple(k for k in KINDS if k not in ("phone_office", "address_house", "ogrn", "kpp")),
    "all": KINDS,
}
STYLES: Final = ("type", "stars", "pseudonym")
#: One mask: the column, the characters `start` to `end` of the *masked* text, and the kind.
SPAN: Final = pa.struct(
    [
        pa.field("column", pa.string()),
        pa.field("start", pa.int32()),
        pa.field("end", pa.int32()),
        pa.field("kind", pa.string()),
    ]
)
#: Levels of JSON that are masked string by string; deeper than data ever lies, well within Python's stack.
_DEEPEST: Final = 100
_COUNTS: Final = ("masked", *(f"masked_{kind}" for kind in KINDS))


@dataclass(frozen=True)
class Mask:
    """Mask personal data and secrets in the text."""

    name: ClassVar[str] = "mask"
    version: ClassVar[int] = 5
    needs: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("text", pa.large_string()),
            *(pa.field(name, pa.int32()) for name in _COUNTS),
            pa.field("masks", pa.list_(SPAN)),
        ]
    )
    reasons: ClassVar[Mapping[str, str]] = {}

    preset: str = field(
        default="identifiers",
        metadata={"help": f"what is masked: {', '.join(PRESETS)} (docs/mask.md)"},
    )
    also: tuple[str, ...] = field(
        default=(), metadata={"help": f"kinds masked beside the preset's: {', '.join(KINDS)}"}
    )
    without: tuple[str, ...] = field(default=(), metadata={"help": "kinds of the preset that stay"})
    style: str = field(
        default="type",
        metadata={
            "help": "type: <ТЕЛЕФОН>; stars: ***; pseudonym: <ТЕЛЕФОН_kfoabc...>, equal for equal values"
        },
    )
    key_file: str = field(
        default="",
        metadata={
            "help": "file that holds the key of pseudonyms, 1 to 64 bytes; keep it as you keep passwords",
            "input": True,
        },
    )
    columns: tuple[str, ...] = field(
        default=("text", "title", "extra"),
        metadata={
            "help": "columns that are masked, where a document has them; extra: its strings, one by one"
        },
    )
    spans: bool = field(
        default=False, metadata={"help": "say in the column `masks` where each mask stands and what it is"}
    )

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise ValueError(f'mask.preset: "{self.preset}" is unknown; choose from {", ".join(PRESETS)}')
        for name, kinds in (("also", self.also), ("without", self.without)):
            if unknown := [k for k in kinds if k not in KINDS]:
                raise ValueError(f'mask.{name}: "{unknown[0]}" is unknown; choose from {", ".join(KINDS)}')
        if self.style not in STYLES:
            raise ValueError(f'mask.style: "{self.style}" is unknown; choose from {", ".join(STYLES)}')
        if (self.style == "pseudonym") != bool(self.key_file):
            raise ValueError("mask.style = pseudonym and mask.key_file go together: name both or neither")
        if not self.columns:
            raise ValueError("mask.columns names no column; name at least text")

    def kinds(self) -> tuple[str, ...]:
        """What is masked, in the order of columns."""
        wanted = {*PRESETS[self.preset], *self.also} - set(self.without)
        return tuple(k for k in KINDS if k in wanted)

    def open(self) -> Callable[[pa.Table], pa.Table]:
        """The function that masks a batch. Raises ValueError for an empty key."""
        key = _read_key(self.key_file) if self.key_file else None
        return functools.partial(mask, self, PiiMask(self.kinds(), self.style, key))


def _read_key(path: str) -> bytes:
    key = storage.read_bytes(path).strip()
    if not 1 <= len(key) <= 64:
        raise UsageError(f"mask.key_file: {path} holds {len(key)} bytes; a key has 1 to 64")
    return key


def mask(stage: Mask, masker: PiiMask, batch: pa.Table) -> pa.Table:
    """The rows of `batch` with masked columns, counts by kind and, where asked for, the masks' places."""
    counts = np.zeros((batch.num_rows, len(KINDS)), np.int32)
    places: list[list[dict[str, Any]]] = [[] for _ in range(batch.num_rows)]
    columns: dict[str, Any] = {}
    for name in stage.columns:
        if name not in batch.column_names:
            continue
        column = batch.column(name)
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            raise UsageError(f"mask.columns: {name} holds {column.type}, not text")
        if name == "extra":
            columns[name], found = mask_json(column, masker)
            counts += found
            continue
        columns[name], found, spans = _masked(column, masker)
        counts += found
        if stage.spans:
            _add_places(places, name, spans)
    columns |= {"masked": pa.array(counts.sum(axis=1, dtype=np.int32))}
    columns |= {f"masked_{k}": pa.array(np.ascontiguousarray(counts[:, n])) for n, k in enumerate(KINDS)}
    listed = pa.array(places if stage.spans else [None] * batch.num_rows, pa.list_(SPAN))
    nothing = pa.nulls(batch.num_rows, pa.string())
    columns |= {"masks": listed, table.DROP: nothing, table.DROP_DETAIL: nothing}
    return table.with_columns(batch, columns)


Spans = tuple[Any, Any, Any, Any]


def _masked(column: pa.ChunkedArray, masker: PiiMask) -> tuple[Any, Any, Spans]:
    """The masked column (nulls stay), finds by row and kind, and where the masks stand."""
    masked, counts, spans = masker.rows(text_buffers(column))
    return edited(column, masked).cast(column.type), counts.reshape(-1, len(KINDS)), spans


def mask_json(column: pa.ChunkedArray, masker: PiiMask) -> tuple[Any, Any]:
    """A column of JSON with its strings and long numbers masked one by one, and finds by row and kind.

    A row in which nothing is found keeps its bytes; one that is no JSON, is nested too deep or names a field
    twice is masked as a text. Halves of surrogate pairs become U+FFFD in what is written anew.
    """
    values: list[str] = []
    rows = column.to_pylist()
    trees, ends = [], []
    for row in rows:
        start = len(values)
        try:
            tree = json.loads(row, object_pairs_hook=_fields) if row else None
            _strings(tree, values, _DEEPEST)
        except (ValueError, RecursionError):
            tree, values[start:] = None, [row]
        trees.append(tree)
        ends.append(len(values))
    masked, found, _ = _masked(pa.chunked_array([pa.array(values, pa.large_string())]), masker)
    texts = masked.to_pylist()
    counts = np.zeros((len(rows), len(KINDS)), np.int32)
    for n, (start, end) in enumerate(itertools.pairwise([0, *ends])):
        if not found[start:end].any():
            continue
        counts[n] = found[start:end].sum(axis=0)
        replaced = iter(zip(values[start:end], texts[start:end], strict=True))
        whole = trees[n] is None
        rows[n] = next(replaced)[1] if whole else _dumped(_replaced(trees[n], replaced))
    return pa.chunked_array([pa.array(rows, column.type)]), counts


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The fields of an object. Raises ValueError where one is named twice: the first would go unmasked."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a field is named twice")
    return found


def _dumped(tree: Any) -> str:
    return without_halves(json.dumps(tree, ensure_ascii=False, separators=(",", ":")))


def _strings(tree: Any, out: list[str], deepest: int) -> None:
    """Strings and whole numbers of a JSON value, in order; names of fields are none. Raises RecursionError
    for one that is nested deeper than `deepest`."""
    if isinstance(tree, dict | list):
        if not deepest:
            raise RecursionError("nested too deep")
        for value in tree.values() if isinstance(tree, dict) else tree:
            _strings(value, out, deepest - 1)
    elif isinstance(tree, str | int) and not isinstance(tree, bool):
        out.append(without_halves(str(tree)))


def _replaced(tree: Any, values: Iterator[tuple[str, str]]) -> Any:
    """The same value with its strings as they are masked; a number in which nothing was found stays one."""
    if isinstance(tree, dict):
        return {name: _replaced(value, values) for name, value in tree.items()}
    if isinstance(tree, list):
        return [_replaced(value, values) for value in tree]
    if isinstance(tree, str | int) and not isinstance(tree, bool):
        before, after = next(values)
        return tree if before == after else after
    return tree


def _add_places(places: list[list[dict[str, Any]]], column: str, spans: Spans) -> None:
    offsets, starts, ends, kinds = (values.tolist() for values in spans)
    for row, (first, last) in enumerate(itertools.pairwise(offsets)):
        places[row] += [
            {"column": column, "start": starts[n], "end": ends[n], "kind": KINDS[kinds[n]]}
            for n in range(first, last)
        ]


@functools.cache
def _for_samples() -> PiiMask:
    return PiiMask(PRESETS["identifiers"])


def mask_samples(rows: pa.Table) -> pa.Table:
    """Dropped rows with the identifiers in text and title masked, whatever the recipe masks elsewhere.

    A sample is kept to be read by people who judge why a row went: it needs nobody's number.
    """
    for name in ("text", "title", "extra"):
        if name in rows.column_names and rows.column(name).null_count < rows.num_rows:
            masked = mask_json if name == "extra" else _masked
            texts = masked(rows.column(name), _for_samples())[0]
            rows = rows.set_column(rows.column_names.index(name), rows.schema.field(name), texts)
    return rows


def mask_text(text: str) -> str:
    """A text with the identifiers masked, for reports."""
    masked = _for_samples().mask(text)
    return text if masked is None else masked


def mask_texts(texts: Sequence[str]) -> list[str]:
    """Texts that follow one another on a page, with the identifiers masked that stand in them one by one or
    across them."""
    starts = [0, *itertools.accumulate(len(text) + 1 for text in texts)]
    found = _for_samples().find("\n".join(texts))
    masked = []
    for start, text in zip(starts, texts, strict=False):
        shown, at = [], 0
        for first, last, kind, _ in found:
            left, right = max(first - start, at), min(last - start, len(text))
            if left < right:
                shown += [text[at:left], placeholder(kind)]
                at = right
        masked.append("".join([*shown, text[at:]]))
    return masked


def placeholder(kind: str) -> str:
    """What stands in the text for a find of a kind, in style `type`."""
    return f"<{PII_PLACEHOLDERS[KINDS.index(kind)]}>"
