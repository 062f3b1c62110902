"""What is in a published shard: counts that the card and the manifest add up, and a digest of its texts."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rust_ext.arrow import text_buffers

#: Columns whose values are counted, and how many different ones of each a dataset's contents keep.
COUNTED: Final = ("lang", "orthography", "register", "page_kind", "charset", "truncated", "host")
MOST: Final = 1_000
#: Flags counted where they are set, in what is published.
FLAGS: Final = ("noindex", "noai", "tdm_reserved", "train_ai_disallowed", "robots_disallowed")


class TextDigest:
    """SHA-256 of a column of texts, whatever the batches: of their bytes, and of their lengths."""

    def __init__(self) -> None:
        self._bytes, self._lengths = hashlib.sha256(), hashlib.sha256()

    def add(self, column: pa.ChunkedArray) -> None:
        """The next texts; a null counts as a length of -1."""
        data, offsets = text_buffers(column)
        lengths = np.diff(offsets).astype("<i8")
        lengths[column.is_null().to_numpy(zero_copy_only=False)] = -1
        self._bytes.update(data.tobytes())
        self._lengths.update(lengths.tobytes())

    def hex(self) -> str:
        return hashlib.sha256(self._bytes.digest() + self._lengths.digest()).hexdigest()


@dataclass
class Contents:
    """Counts of one shard, or of many added up. `texts`: file -> digest of its texts."""

    rows: int = 0
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    years: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    sums: Counter[str] = field(default_factory=Counter)
    first: str = ""
    last: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    _digests: dict[str, TextDigest] = field(default_factory=dict)

    def add(self, path: str, rows: pa.Table) -> None:
        """Count rows that go to a file."""
        self._digests.setdefault(path, TextDigest()).add(rows.column("text"))
        if not rows.num_rows:
            return
        self.rows += rows.num_rows
        for name in COUNTED:
            if name in rows.column_names:
                self.counts.setdefault(name, Counter()).update(_values(rows.column(name)))
        for name in rows.column_names:
            if name in FLAGS:
                self.flags[name] += int(pc.sum(rows.column(name)).as_py() or 0)
            elif name == "masked" or name.startswith("masked_"):
                self.sums[name] += int(pc.sum(rows.column(name)).as_py() or 0)
        if "fetched_at" in rows.column_names and pa.types.is_timestamp(rows.schema.field("fetched_at").type):
            self._add_dates(rows.column("fetched_at").drop_null())

    def _add_dates(self, dates: pa.ChunkedArray) -> None:
        if not len(dates):
            return
        self.years.update(_values(pc.year(dates).cast(pa.string())))
        low, high = (pc.strftime(d, "%Y-%m-%d").as_py() for d in pc.min_max(dates).values())
        self.first = min(filter(None, (self.first, low)))
        self.last = max(self.last, high)

    def encode(self) -> bytes:
        """As JSON, sorted: the same rows give the same bytes."""
        plain: dict[str, Any] = {
            "rows": self.rows,
            "counts": {name: dict(sorted(counts.items())) for name, counts in sorted(self.counts.items())},
            "years": dict(sorted(self.years.items())),
            "flags": dict(sorted(self.flags.items())),
            "sums": dict(sorted(self.sums.items())),
            "first": self.first,
            "last": self.last,
            "texts": {path: digest.hex() for path, digest in sorted(self._digests.items())},
        }
        return msgspec.json.encode(plain)


def add_up(encoded: Iterable[bytes]) -> Contents:
    """The contents of several shards together."""
    found = Contents()
    for one in encoded:
        data = msgspec.json.decode(one)
        found.rows += data["rows"]
        for name, counts in data["counts"].items():
            found.counts.setdefault(name, Counter()).update(counts)
        found.years.update(data["years"])
        found.flags.update(data["flags"])
        found.sums.update(data["sums"])
        found.first = min(filter(None, (found.first, data["first"])), default="")
        found.last = max(found.last, data["last"])
        found.texts |= data["texts"]
    return found


def _values(column: pa.ChunkedArray) -> dict[str, int]:
    counts = column.value_counts().to_pylist()
    return {str(one["values"]): one["counts"] for one in counts if one["values"] is not None}
