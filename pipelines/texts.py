"""Running text for the tokenizer: documents of Parquet and JSONL, or plain text files, as tables.

A plain text file has no documents; it is cut at line ends into pieces of some kilobytes, each of which
counts as one, with a doc_id of its content, so that the file's name decides nothing. A line longer than
`LONG_LINE` is cut at a space, so that no line fills the memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from corpus import storage, table
from corpus.documents import TEXT_ENDINGS, ReadProgress, done_of, read_documents, unpacked
from corpus.errors import ShardError
from corpus.inputs import Input
from corpus.judging import BATCH_ROWS

#: Bytes after which a plain text is cut at the next line end: about a long article.
PIECE: Final = 16 << 10
#: Bytes after which a line is cut at a space.
LONG_LINE: Final = 16 << 20
_BATCH_BYTES: Final = 8 << 20
_SCHEMA: Final = pa.schema([table.DOCUMENT.field("doc_id"), table.DOCUMENT.field("text")])


def read_texts(
    source: Input, progress: ReadProgress | None = None, group_column: str = ""
) -> Iterator[pa.Table]:
    """Batches with doc_id and text, and `group`, the text of `group_column` (of a field, in JSONL; "" where a
    document has none), where that is asked for.

    Raises ShardError for what can't be read as text, or has no such column.
    """
    if storage.path_part(source.path).lower().endswith(TEXT_ENDINGS):
        if group_column:
            raise ShardError(f"{source.name}: plain text has no column {group_column!r}")
        yield from _plain(source, progress)
        return
    also = (group_column,) if group_column else ()
    for batch in read_documents(source, BATCH_ROWS, text_only=True, also=also, progress=progress):
        if table.DROP in batch.column_names:
            batch = batch.filter(batch.column(table.DROP).is_null())
        if batch.num_rows:
            found = batch.select(["doc_id", "text"])
            yield found.append_column("group", _groups(batch, group_column, source)) if also else found


def _groups(batch: pa.Table, column: str, source: Input) -> pa.Array:
    if column in batch.column_names:
        values = batch.column(column).to_pylist()
    elif "extra" in batch.column_names:  # JSONL
        fields = [msgspec.json.decode(one) if one else {} for one in batch.column("extra").to_pylist()]
        values = [one.get(column) for one in fields]
    else:
        raise ShardError(f"{source.name}: no column {column!r} that names a document's group")
    return pa.array(["" if value is None else str(value) for value in values], pa.string())


def split_held_out(batch: pa.Table, share: float, keep_first: bool = False) -> tuple[pa.Table, pa.Table]:
    """A batch's documents for training, and those held out: whose doc_id, read as a fraction of one, lies
    below `share`. A document is held out in every run and whatever the shards. With `keep_first` the batch's
    first document is for training in any case: the only document of a job is not held out."""
    ids = np.array([int.from_bytes(i[:6], "big") for i in batch.column("doc_id").to_pylist()], np.uint64)
    below = ids < share * 2.0**48
    if keep_first:
        below[:1] = False
    out = pa.array(below)
    return batch.filter(pa.compute.invert(out)), batch.filter(out)


def _plain(source: Input, progress: ReadProgress | None) -> Iterator[pa.Table]:
    with (
        storage.translated(source.name),
        storage.open_input(source.path) as raw,
        unpacked(raw, source.path) as stream,
    ):
        pieces: list[str] = []
        size = number = 0
        if source.part is not None and source.part.start:
            stream.seek(source.part.start)
        most = source.part.stop - source.part.start if source.part else None
        for piece in _pieces(stream, most):
            try:
                pieces.append(piece.decode())
            except UnicodeDecodeError as error:
                raise ShardError(
                    f"{source.name}: piece {number + len(pieces)} is not UTF-8 ({error.reason}); convert the "
                    "file, for example with iconv -f cp1251 -t utf-8"
                ) from error
            size += len(piece)
            if size >= _BATCH_BYTES:
                yield _table(pieces)
                number, pieces, size = number + len(pieces), [], 0
                if progress is not None:
                    progress(*done_of(raw, source))
        if pieces:
            yield _table(pieces)


def _pieces(stream: Any, most: int | None) -> Iterator[bytes]:
    """Whole lines of about `PIECE` bytes, up to `most` bytes, which end at a line end."""
    waiting: list[bytes] = []
    size = read = 0
    while (most is None or read < most) and (line := stream.readline(LONG_LINE)):
        if not line.endswith(b"\n") and len(line) == LONG_LINE:
            line = _to_space(line, stream)
        waiting.append(line)
        size += len(line)
        read += len(line)
        if size >= PIECE:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


def _to_space(line: bytes, stream: Any) -> bytes:
    """Prolong a piece of a line up to the next space or line end, at most by another kilobyte or so."""
    more = bytearray(line)
    while len(more) < len(line) + 4096 and (byte := stream.read(1)):
        more += byte
        if byte.isspace():
            break
    while (ahead := stream.peek(1)[:1]) and ahead[0] & 0xC0 == 0x80:  # the rest of a letter
        more += stream.read(1)
    return bytes(more)


def _table(pieces: list[str]) -> pa.Table:
    ids = [table.doc_id(piece) for piece in pieces]
    return pa.table([pa.array(ids, pa.binary(16)), pa.array(pieces, pa.large_string())], schema=_SCHEMA)
