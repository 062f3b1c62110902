"""One large file serves all workers: files above a size become parts of about that size.

Parquet is cut between row groups; JSONL and plain text at line ends; crawl files (WARC, ARC) at records: in
gzip at members, in zstd at frames. Where the cuts lie depends on the file and the size alone, so the bytes
that come out do not depend on the number of workers. Of crawl files no cut is looked for: a part is a range
of offsets, and its reader finds the first record in it (`rust_ext/crates/warc/src/part.rs`). What can't be
cut (`uncut` says what and why) is done by one worker: files packed as a whole, and Parquet of one row group.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from corpus import storage
from corpus.documents import is_parquet
from corpus.extract.warc import CUTTABLE
from corpus.inputs import Input, Part

#: Endings of files of lines that are not packed.
_LINES: Final = (".jsonl", ".ndjson", ".json", ".txt")
_BLOCK: Final = 4 << 20


def cut(
    inputs: Sequence[Input], part_bytes: int, reads_parts: Callable[[Input], bool] | None = None
) -> list[Input]:
    """Inputs with each file above `part_bytes` in place cut into parts; others stay whole, and so do those of
    which a part alone can't be read (`reads_parts`)."""
    with ThreadPoolExecutor(16) as pool:

        def parts_of(source: Input) -> list[Input]:
            return _parts(source, part_bytes) if reads_parts is None or reads_parts(source) else [source]

        return [part for parts in pool.map(parts_of, inputs) for part in parts]


def uncut(inputs: Sequence[Input], part_bytes: int) -> str:
    """What a person should know of inputs, as `cut` returned them, that stayed whole although they are large;
    empty where there are none."""
    found = [i for i in inputs if i.part is None and i.size > part_bytes and not is_parquet(i.path)]
    if not found:
        return ""
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    why = (
        "one gzip member or zstd frame holds many records"
        if found[0].shape == "whole"
        else "packed as a whole"
    )
    hint = "; pack a record a member (`warcio recompress`)" if found[0].shape == "whole" else ""
    return f"{found[0].name}{more} ({why}): one worker reads each{hint}"


def _parts(source: Input, part_bytes: int) -> list[Input]:
    if source.part is not None or source.size <= part_bytes:
        return [source]
    if is_parquet(source.path):
        spans = _row_groups(source, part_bytes)
    elif storage.path_part(source.path).lower().endswith(_LINES):
        spans = _lines(source, part_bytes)
    elif source.shape in CUTTABLE:
        spans = _offsets(source, part_bytes)
    else:
        return [source]
    if len(spans) < 2:
        return [source]
    return [
        dataclasses.replace(
            source, part=Part(index, span.start, span.stop, span.first), rows=span.rows, size=span.size
        )
        for index, span in enumerate(spans)
    ]


class _Span(NamedTuple):
    """One part: what `Part` says, rows where they are known, and bytes."""

    start: int
    stop: int
    first: int
    rows: int | None
    size: int


def _offsets(source: Input, part_bytes: int) -> list[_Span]:
    count = -(-source.size // part_bytes)
    ends = [source.size * number // count for number in range(count + 1)]
    return [_Span(start, stop, 0, None, stop - start) for start, stop in itertools.pairwise(ends)]


def _row_groups(source: Input, part_bytes: int) -> list[_Span]:
    try:
        footer = storage.reading(source.path, pq.read_metadata)
    except (pa.ArrowException, OSError):
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
            spans.append(_Span(start, number + 1, first, rows, int(size)))
            start, first, rows, size = number + 1, first + rows, 0, 0.0
    return spans


def _lines(source: Input, part_bytes: int) -> list[_Span]:
    """Parts end at the first line end at or after each multiple of `part_bytes`. Lines are counted on
    the way, since a document without an id is known by the number of its line."""

    def read(stream: Any) -> list[_Span]:
        spans: list[_Span] = []
        start = first = lines = position = 0
        while block := stream.read(_BLOCK):
            offset = 0
            while (end := _cut_in(block, offset, start + part_bytes - 1 - position)) >= 0:
                lines += block.count(b"\n", offset, end)
                spans.append(_Span(start, position + end, first, None, position + end - start))
                start, first, offset = position + end, lines, end
            lines += block.count(b"\n", offset)
            position += len(block)
        if start < position:
            spans.append(_Span(start, position, first, None, position - start))
        return spans

    with storage.translated(source.path):
        return storage.reading(source.path, read)


def _cut_in(block: bytes, offset: int, wanted: int) -> int:
    """Place in a block after the first line end from `wanted` on; -1 where there is none."""
    return block.find(b"\n", max(offset, wanted)) + 1 or -1 if wanted < len(block) else -1
