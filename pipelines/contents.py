"""What is in a published shard: counts that the card and the manifest add up, and a digest of its texts."""

from __future__ import annotations

import collections
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.quota import places
from rust_ext.arrow import text_buffers

#: Counts the tokens of a column of texts.
TokenCounter = Callable[[pa.ChunkedArray], int]
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
        """The digest so far: SHA-256 over those of the bytes and of the lengths, in hexadecimal digits."""
        return hashlib.sha256(self._bytes.digest() + self._lengths.digest()).hexdigest()


@dataclass
class Contents:
    """Counts of one shard, or of many added up. `texts`: file -> digest of its texts."""

    rows: int = 0
    counts: dict[str, collections.Counter[str]] = field(default_factory=dict)
    years: collections.Counter[str] = field(default_factory=collections.Counter)
    flags: collections.Counter[str] = field(default_factory=collections.Counter)
    sums: collections.Counter[str] = field(default_factory=collections.Counter)
    first: str = ""
    last: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    #: Bytes of text by registered domain, and tokens by the tokenizer that `count` is of.
    domain_bytes: collections.Counter[str] = field(default_factory=collections.Counter)
    tokens: int = 0
    count: TokenCounter | None = None
    _digests: dict[str, TextDigest] = field(default_factory=dict)

    def add(self, path: str, rows: pa.Table) -> None:
        """Count rows that go to a file."""
        self._digests.setdefault(path, TextDigest()).add(rows.column("text"))
        if not rows.num_rows:
            return
        self.rows += rows.num_rows
        for name in COUNTED:
            if name in rows.column_names:
                self.counts.setdefault(name, collections.Counter()).update(_values(rows.column(name)))
        for name in rows.column_names:
            if name in FLAGS:
                self.flags[name] += int(pc.sum(rows.column(name)).as_py() or 0)
            elif name == "masked" or name.startswith("masked_"):
                self.sums[name] += int(pc.sum(rows.column(name)).as_py() or 0)
        self._add_text(rows)
        if "fetched_at" in rows.column_names and pa.types.is_timestamp(rows.schema.field("fetched_at").type):
            self._add_dates(rows.column("fetched_at").drop_null())

    def _add_text(self, rows: pa.Table) -> None:
        """Tokens, and bytes by domain."""
        if self.count is not None:
            self.tokens += self.count(rows.column("text"))
        if "host" in rows.column_names or "url" in rows.column_names:
            sizes = pc.fill_null(pc.binary_length(rows.column("text")), 0).to_pylist()
            for (_, domain), size in zip(places(rows), sizes, strict=True):
                if domain:
                    self.domain_bytes[domain] += size

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
            "domain_bytes": dict(sorted(self.domain_bytes.items())),
            "tokens": self.tokens,
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
            found.counts.setdefault(name, collections.Counter()).update(counts)
        found.years.update(data["years"])
        found.flags.update(data["flags"])
        found.sums.update(data["sums"])
        found.domain_bytes.update(data["domain_bytes"])
        found.tokens += data["tokens"]
        found.first = min(filter(None, (found.first, data["first"])), default="")
        found.last = max(found.last, data["last"])
        found.texts |= data["texts"]
    return found


def less(summary: Mapping[str, Any], gone: Contents) -> dict[str, Any]:
    """What a manifest says of its documents (`manifest.summary`) without some of them. What is not counted in
    `gone`, since the published files do not hold the column, stays as it was."""
    found: dict[str, Any] = {**summary, "different": dict(summary.get("different", {}))}
    counts = {**summary.get("counts", {})}
    for name in counts.keys() & gone.counts.keys():
        counts[name] = by_count(_fewer(name, counts[name], gone.counts[name], found["different"]))
    found["counts"] = counts
    found["years"] = _fewer("years", summary.get("years", {}), gone.years, found["different"])
    domains = _fewer("domain_bytes", summary.get("domain_bytes", {}), gone.domain_bytes, found["different"])
    found["domain_bytes"] = by_count(domains)
    for name, sums in (("flags", gone.flags), ("masked", gone.sums)):
        found[name] = {key: count - sums[key] for key, count in summary.get(name, {}).items()}
    return found


def _fewer(
    name: str, counts: Mapping[str, int], gone: Mapping[str, int], different: dict[str, int]
) -> dict[str, int]:
    """Counts of values, in their order, without those that are nought; `different` is kept up."""
    left = {value: count - gone.get(value, 0) for value, count in counts.items()}
    if name in different:
        different[name] -= sum(count <= 0 for count in left.values())
    return {value: count for value, count in left.items() if count > 0}


def by_count(counts: Mapping[str, int]) -> dict[str, int]:
    """The most frequent values first, at most `MOST`; of equally frequent ones, in their order."""
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:MOST])


def _values(column: pa.ChunkedArray) -> dict[str, int]:
    counts = column.value_counts().to_pylist()
    return {str(one["values"]): one["counts"] for one in counts if one["values"] is not None}
