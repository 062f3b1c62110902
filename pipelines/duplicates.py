"""Duplicates beside the documents that were kept in their place, for the report."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import storage
from corpus.errors import ShardError
from corpus.mask import mask_text
from corpus.receipts import DROPPED
from corpus.table import DROP, DROP_DETAIL
from pipelines.account import StageResult
from pipelines.fates import rows_with_ids
from pipelines.findings import reading_shard
from pipelines.highlight import Piece
from pipelines.layout import shards_of

#: Pairs shown, at most one of each size of cluster, and words of each text that are compared.
PAIRS: Final = 4
_WORDS: Final = 160
_KEPT: Final = re.compile(r"\bkept=([0-9a-f]{32})")
_SIZE: Final = re.compile(r"\bcluster_size=(\d+)")
_TOKEN: Final = re.compile(r"\S+\s*|\s+")


@dataclass(frozen=True)
class Pair:
    """A dropped document and the one kept in its place; pieces that only one of them has are apart."""

    reason: str
    size: int
    kept_url: str
    dropped_url: str
    kept: tuple[Piece, ...]
    dropped: tuple[Piece, ...]


def pairs_of_duplicates(dedup: StageResult) -> list[Pair]:
    """Pairs from a stage's dropped rows that name the document kept and have a text: near duplicates first,
    of as many sizes of clusters as there are."""
    rows = _candidates(dedup)
    kept = rows_with_ids(dedup.folder, [row["kept"] for row in rows], ("url", "text"))
    found = []
    for row in rows:
        other = kept.get(row["kept"])
        if other and other.get("text"):
            texts = [_start(other["text"]), _start(row["text"])]
            left, right = compared(*texts)
            found.append(
                Pair(row[DROP], row["size"], str(other.get("url") or ""), row["url"] or "", left, right)
            )
    return found


def _candidates(dedup: StageResult) -> list[dict[str, Any]]:
    """Rows by reason and size of the cluster, one of each; names of files decide which."""
    by_size: dict[tuple[str, int], dict[str, Any]] = {}
    for file in shards_of(storage.join(dedup.folder, DROPPED)):
        for row in _with_texts(file):
            kept, size = (pattern.search(row[DROP_DETAIL] or "") for pattern in (_KEPT, _SIZE))
            if kept and row["text"]:
                row |= {"kept": kept.group(1), "size": int(size.group(1)) if size else 2}
                by_size.setdefault((row[DROP], row["size"]), row)
        if len(by_size) >= 4 * PAIRS:
            break
    return sorted(by_size.values(), key=lambda row: (row[DROP] == "exact_duplicate", -row["size"]))[:PAIRS]


def _with_texts(file: str) -> Iterator[dict[str, Any]]:
    names = ["url", "text", DROP, DROP_DETAIL]

    def read(parquet: pq.ParquetFile) -> Any:
        return parquet.read(columns=names) if set(names) <= set(parquet.schema_arrow.names) else None

    try:
        rows = reading_shard(file, read)
    except ShardError:
        return
    if rows is None:
        return
    yield from rows.filter(pc.is_valid(rows.column("text"))).to_pylist()


def _start(text: str) -> list[str]:
    return _TOKEN.findall(mask_text(text))[:_WORDS]


def compared(one: list[str], other: list[str]) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Two texts as pieces; those that the other has not are set apart."""
    matcher = difflib.SequenceMatcher(
        None, [w.strip() for w in one], [w.strip() for w in other], autojunk=False
    )
    left: list[Piece] = []
    right: list[Piece] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        for side, words in ((left, one[a:b]), (right, other[c:d])):
            if words:
                side.append(("".join(words), kind != "equal"))
    return tuple(left), tuple(right)
