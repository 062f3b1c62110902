"""One large file serves all workers: files above a size become parts of about that size.

Parquet is cut between row groups; JSONL and plain text at line ends. Where the cuts lie depends on the file
and the size alone, so the bytes that come out do not depend on the number of workers. A packed file
(.gz, .zst, .bz2) can't be cut, nor can a Parquet file of one row group: one worker does it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from corpus import storage
from corpus.documents import is_parquet
from corpus.inputs import Input, Part

#: Endings of files of lines that are not packed.
_LINES: Final = (".jsonl", ".ndjson", ".json", ".txt")
_BLOCK: Final = 4 << 20


def cut(inputs: Sequence[Input], part_bytes: int) -> list[Input]:
    """Inputs with each file above `part_bytes` in place cut into parts; others stay whole."""
    with ThreadPoolExecutor(16) as pool:
        return [part for parts in pool.map(lambda one: _parts(one, part_bytes), inputs) for part in parts]


def _parts(source: Input, part_bytes: int) -> list[Input]:
    if source.part is not None or source.size <= part_bytes:
        return [source]
    if is_parquet(source.path):
        spans = _row_groups(source, part_bytes)
    elif storage.path_part(source.path).lower().endswith(_LINES):
        spans = _lines(source, part_bytes)
    else:
        return [source]
    if len(spans) < 2:
        return [source]
    return [
        dataclasses.replace(source, part=Part(index, *span[:3]), rows=span[3], size=span[4])
        for index, span in enumerate(spans)
    ]


#: Of one part: start and stop, number of its first row or line, rows where they are known, bytes.
_Span = tuple[int, int, int, int | None, int]


def _row_groups(source: Input, part_bytes: int) -> list[_Span]:
    try:
        with storage.open_input(source.path) as stream:
            footer = pq.read_metadata(stream)
    except pa.ArrowException:
        return []  # a corrupt file fails by itself, as a task
    groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    # A group's own figure is that of its columns unpacked; its share of the file is what counts here.
    scale = source.size / max(1, sum(group.total_byte_size for group in groups))
    spans: list[_Span] = []
    start = first = rows = 0
    size = 0.0
    for number, group in enumerate(groups):
        rows += group.num_rows
        size += group.total_byte_size * scale
        if size >= part_bytes or number == len(groups) - 1:
            spans.append((start, number + 1, first, rows, int(size)))
            start, first, rows, size = number + 1, first + rows, 0, 0.0
    return spans


def _lines(source: Input, part_bytes: int) -> list[_Span]:
    """Parts end at the first line end at or after each multiple of `part_bytes`. Lines are counted on
    the way, since a document without an id is known by the number of its line."""
    spans: list[_Span] = []
    start = first = lines = position = 0
    with storage.open_input(source.path) as stream, storage.translated(source.path):
        while block := stream.read(_BLOCK):
            offset = 0
            while (end := _cut_in(block, offset, start + part_bytes - 1 - position)) >= 0:
                lines += block.count(b"\n", offset, end)
                spans.append((start, position + end, first, None, position + end - start))
                start, first, offset = position + end, lines, end
            lines += block.count(b"\n", offset)
            position += len(block)
    if start < position:
        spans.append((start, position, first, None, position - start))
    return spans


def _cut_in(block: bytes, offset: int, wanted: int) -> int:
    """Place in a block after the first line end from `wanted` on; -1 where there is none."""
    return block.find(b"\n", max(offset, wanted)) + 1 or -1 if wanted < len(block) else -1
