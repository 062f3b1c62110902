"""Shuffling documents (or sequences) of token ids over all inputs, on disk.

Each input is spooled as row groups of one Parquet file, a row group of one split and one range of the order;
of each range a task reads its row groups, sorts them, and writes shards. Memory: a spool of 64 MiB, then a
range.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal, cast

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus import storage
from corpus.inputs import Input
from corpus.stage import Task, local_copy
from corpus.writing import Output
from pipelines.tokens.keys import keys_of, mixed, range_of
from pipelines.tokens.shards import SPLITS, Documents
from pipelines.tokens.spool import RowSpool

#: Text of one range, of which a task holds the ids; and bytes of rows that a spool holds.
RANGE_BYTES: Final = 256 << 20
SPOOL_BYTES: Final = 64 << 20
#: Documents that go into a shard at a time.
_STEP: Final = 4_096
#: How much larger text is than the packed file that holds it (text_ru: 6, with its repetitions).
_RATIO: Final = 5
_ROWS: Final = pa.schema(
    [
        pa.field("order", pa.uint64()),
        pa.field("doc_id", pa.binary(16)),
        pa.field("ids", pa.large_list(pa.uint32())),
        pa.field("whole", pa.int64()),
        pa.field("digest", pa.binary(32)),
    ]
)


def ranges_of(inputs: Sequence[Input]) -> int:
    """Into how many ranges the order is parted; from sizes alone."""
    size = sum(map(text_bytes_of, inputs))
    return min(9_999, max(1, -(-size // RANGE_BYTES)))


def text_bytes_of(source: Input) -> int:
    """About how much text an input holds, by its size."""
    plain = storage.path_part(source.path).lower().endswith((".jsonl", ".ndjson", ".json", ".txt"))
    return source.size * (1 if plain else _RATIO)


class Spool:
    """The documents of one input, by split and range."""

    def __init__(self, path: Path, seed: int, ranges: int) -> None:
        self._writer = pq.ParquetWriter(path, _ROWS, compression="lz4", use_dictionary=False)
        self._spool = RowSpool(self._writer, SPOOL_BYTES)
        self._seed, self._ranges = seed, ranges
        self._count = 0

    @property
    def groups(self) -> list[int]:
        """Of each row group split x ranges + range."""
        return [place for place, _ in self._spool.groups]

    def add(self, split: str, documents: Documents) -> None:
        """Write documents of a split into the ranges that they fall in."""
        count = len(documents)
        numbers = np.arange(self._count, self._count + count, dtype=np.uint64)
        self._count += count
        order = mixed(keys_of(documents.doc_ids, self._seed) ^ mixed(numbers))
        offsets = np.concatenate([[0], np.cumsum(documents.lengths)])
        wholes = documents.lengths if documents.wholes is None else documents.wholes
        rows = pa.table(
            [
                pa.array(order),
                documents.doc_ids,
                pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(documents.ids)),
                pa.array(wholes),
                pa.array(list(_digests(documents, wholes)), pa.binary(32)),
            ],
            schema=_ROWS,
        )
        self._spool.add(rows, range_of(order, self._ranges) + SPLITS.index(split) * self._ranges)

    def close(self) -> None:
        """Write what waits, and end the file."""
        self._spool.flush()
        self._writer.close()


def _digests(documents: Documents, wholes: Any) -> Iterator[bytes | None]:
    """SHA-256 of the text of each document that is whole, by which `verify` checks samples."""
    form = cast(Literal["NFC"], documents.normalization)
    for text, whole in zip(documents.texts.to_pylist(), wholes.tolist(), strict=True):
        given = unicodedata.normalize(form, text) if form and whole else text
        yield hashlib.sha256(given.encode()).digest() if whole else None


def gathered(task: Task, out: Output) -> Iterator[tuple[str, Documents]]:
    """The documents of one range in their order, by split."""
    ranges = int(task.options["ranges"])
    files = list(zip(task.files("encode", "rows"), task.files("encode", "groups"), strict=True))
    groups = [msgspec.json.decode(storage.read_bytes(file), type=list[int]) for _, file in files]
    for number, split in enumerate(SPLITS):
        found = []
        for (file, _), places in zip(files, groups, strict=True):
            mine = [at for at, place in enumerate(places) if place == number * ranges + task.number]
            if mine:
                found.append(pq.ParquetFile(local_copy(file, out)).read_row_groups(mine))
        rows = pa.concat_tables(found) if found else _ROWS.empty_table()
        rows = rows.sort_by([("order", "ascending"), ("doc_id", "ascending")])
        for start in range(0, len(rows), _STEP):
            yield split, _documents(rows.slice(start, _STEP).combine_chunks())


def _documents(rows: pa.Table) -> Documents:
    lists = rows["ids"].combine_chunks()
    lists = lists.chunk(0) if isinstance(lists, pa.ChunkedArray) else lists
    return Documents(
        lists.flatten().to_numpy(),
        lists.value_lengths().to_numpy().astype(np.int64),
        _whole(rows["doc_id"]),
        pa.nulls(len(rows), pa.string()),
        wholes=rows["whole"].to_numpy(),
        digests=_whole(rows["digest"]),
    )


def _whole(column: pa.ChunkedArray) -> pa.Array:
    found = column.combine_chunks()
    return found.chunk(0) if isinstance(found, pa.ChunkedArray) else found
