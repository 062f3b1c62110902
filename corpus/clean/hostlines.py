"""Stage `hostlines`: lines that stand on many pages of one host go.

Menus, disclaimers and boxes about the author say the same on every page of a site, in words that no list of
boilerplate knows. A line is one of the text's lines without spaces at its ends; a page counts once for it.
Exact: lines are known by 128-bit digests of host and line. Phases: `lines` writes the digests of each input,
cut into buckets; `count` keeps, of a bucket, those of more than `pages` pages; `strip` takes these lines out.
No task holds more than a bucket. The work is done in Rust (rust_ext/crates/hostlines).
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

import pyarrow as pa
import pyarrow.compute as pc

from corpus import table
from corpus.documents import read_documents
from corpus.inputs import Input
from corpus.judging import BATCH_ROWS, map_documents
from corpus.stage import Phase, Task, local_copies, local_copy
from corpus.writing import Output
from rust_ext import HostLinesStripper, HostLinesWriter, hostlines_count
from rust_ext.arrow import Buffers, edited, text_buffers

#: Lines of a bucket: 16 bytes each, so that a task of `count` holds about 512 MB.
_BUCKET_LINES: Final = 32_000_000
#: Bytes of a Parquet file (zstd) for each line of its texts, roughly: 80 letters, compressed to a third.
_LINE_BYTES: Final = 40


@dataclass(frozen=True)
class HostLines:
    """Take lines out that stand on many pages of one host."""

    name: ClassVar[str] = "hostlines"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("text", pa.large_string()),
            pa.field("host_lines_dropped", pa.int32()),
            pa.field("host_chars_dropped", pa.int64()),
        ]
    )
    reasons: ClassVar[Mapping[str, str]] = {
        "only_host_lines": "nothing was left after lines that many pages of the host have went",
    }

    pages: int = field(default=10, metadata={"help": "a line on more pages of a host than this goes"})

    def __post_init__(self) -> None:
        if self.pages < 1:
            raise ValueError("hostlines.pages is 1 or more: the pages of a host that may share a line")

    def check(self, inputs: Sequence[Input], columns: Collection[str]) -> None:
        """Any documents will do; the lines of one without a host stay."""

    def phases(self, inputs: Sequence[Input]) -> tuple[Phase, ...]:
        """lines of each input; count each bucket; strip each input."""
        lines = sum(source.size for source in inputs) // _LINE_BYTES
        buckets = max(1, -(-lines // _BUCKET_LINES))
        return (
            Phase("lines", options=(("buckets", buckets),)),
            Phase("count", fan=buckets, inputs=False, reads=("lines",), memory=2 * 16 * _BUCKET_LINES),
            Phase("strip", reads=("lines", "count"), documents=True),
        )

    def run(self, task: Task, out: Output) -> None:
        """Do a task of any phase."""
        match task.phase.name:
            case "lines":
                with out.work() as path:
                    writer = HostLinesWriter(path, task.options["buckets"])
                    _write(writer, task.inputs[0], out)
                    writer.close()
            case "count":
                files = local_copies(task.files("lines"), out)
                with out.work() as path:
                    hostlines_count(files, task.number, self.pages, path)
            case "strip":
                own = local_copy(task.files("lines")[task.reads["lines"].index(task.name)], out)
                counted = local_copies(task.files("count"), out)
                strip = functools.partial(_strip, HostLinesStripper(own, counted))
                map_documents(strip, self.adds, task.inputs[0], out)


def _write(writer: HostLinesWriter, source: Input, out: Output) -> None:
    read = read_documents(source, BATCH_ROWS, text_only=True, also=("host",), progress=out.progress)
    for batch in read:
        good = (
            batch.filter(pc.is_null(batch.column(table.DROP))) if table.DROP in batch.column_names else batch
        )
        writer.add(*_columns(good))


def _columns(batch: pa.Table) -> tuple[Buffers, Buffers]:
    hosts = batch.column("host") if "host" in batch.column_names else pa.nulls(batch.num_rows, pa.string())
    return text_buffers(hosts), text_buffers(batch.column("text"))


def _strip(stripper: HostLinesStripper, batch: pa.Table) -> pa.Table:
    stripped, lines, chars = stripper.rows(*_columns(batch))
    texts = edited(batch.column("text"), stripped)
    empty = pc.utf8_is_space(texts).to_numpy(zero_copy_only=False)
    empty = empty | (pc.binary_length(texts).to_numpy(zero_copy_only=False) == 0)
    gone = [bool(e) and n > 0 for e, n in zip(empty.tolist(), lines.tolist(), strict=True)]
    columns = {
        "text": texts,
        "host_lines_dropped": pa.array(lines),
        "host_chars_dropped": pa.array(chars),
        table.DROP: pa.array(["only_host_lines" if g else None for g in gone], pa.string()),
        table.DROP_DETAIL: pa.array(
            [f"host_lines_dropped={n}" if g else None for g, n in zip(gone, lines.tolist(), strict=True)],
            pa.string(),
        ),
    }
    return table.with_columns(batch, columns)
