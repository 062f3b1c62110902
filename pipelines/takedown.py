"""Take documents out of a published dataset: rewrite the files that hold them, and no others."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpus import storage
from corpus.writing import TableWriter, text_bytes
from pipelines.beside import write_beside
from pipelines.contents import TextDigest
from pipelines.lease import lease
from pipelines.manifest import Change, FileEntry, read_manifest, write_manifest
from pipelines.tombstones import Tombstone, Tombstones, read_tombstones, write_tombstones

_READ_ROWS = 4_000


def take_down(dataset: str, stones: Sequence[Tombstone], reason: str = "") -> Change:
    """Remove the documents that tombstones name, and keep the tombstones. The new version's change.

    The tombstones are written first: a takedown that was killed goes on with the same command. Raises
    UsageError where the folder is no published dataset.
    """
    storage.check_writable(dataset)
    manifest = read_manifest(dataset)
    with lease(dataset):
        write_tombstones(dataset, [*read_tombstones(dataset).stones, *stones])
        wanted = Tombstones(tuple(stones))
        entries = [_without(dataset, entry, wanted) for entry in manifest.files]
        sample = _without(dataset, manifest.sample, wanted)[0] if manifest.sample else None
        gone = manifest.rows - sum(entry.rows for entry, _ in entries)
        rewritten = sum(new != old for (new, _), old in zip(entries, manifest.files, strict=True))
        if not gone:
            return Change(manifest.version, 0, 0, reason)
        change = Change(manifest.version + 1, gone, rewritten, reason)
        made = dataclasses.replace(
            manifest,
            version=change.version,
            rows=manifest.rows - gone,
            text_bytes=_text_left(dataset, manifest.text_bytes, entries),
            files=tuple(entry for entry, _ in entries),
            sample=sample,
            changes=(*manifest.changes, change),
        )
        write_beside(dataset, made)
        write_manifest(dataset, made)
    return change


def _without(dataset: str, entry: FileEntry, stones: Tombstones) -> tuple[FileEntry, int | None]:
    """A file without what is taken down, and the bytes of text that went. It is rewritten only if it holds
    some, or if a takedown that was killed had rewritten it: how much text went is not known then (None)."""
    location = storage.join(dataset, entry.path)
    holds, rows = storage.reading(location, functools.partial(_look, stones))
    if not holds and rows == entry.rows:
        return entry, 0
    made, went = storage.patiently(location, lambda: _rewrite(location, entry, stones), plain=True)
    return made, went if rows == entry.rows else None


def _text_left(dataset: str, before: int, entries: Sequence[tuple[FileEntry, int | None]]) -> int:
    """Bytes of text that the files hold now; counted anew where it is not known how much went."""
    went = [size for _, size in entries if size is not None]
    if len(went) == len(entries):
        return before - sum(went)
    locations = [storage.join(dataset, entry.path) for entry, _ in entries]
    return sum(storage.reading(location, _text_in) for location in locations)


def _text_in(stream: Any) -> int:
    file = pq.ParquetFile(stream, pre_buffer=False)
    batches = file.iter_batches(_READ_ROWS, columns=["text"], use_threads=False)
    return sum(text_bytes(pa.Table.from_batches([batch])) for batch in batches)


def _rewrite(location: str, entry: FileEntry, stones: Tombstones) -> tuple[FileEntry, int]:
    writer = TableWriter(location, chunked=True)
    digest, went = TextDigest(), 0
    try:
        with storage.open_input(location) as stream:
            file = pq.ParquetFile(stream, pre_buffer=False)
            writer.write(file.schema_arrow.empty_table())
            for batch in file.iter_batches(_READ_ROWS, use_threads=False):
                rows = pa.Table.from_batches([batch])
                places = set(stones.places(rows))
                kept = rows.filter(pa.array([n not in places for n in range(rows.num_rows)]))
                went += text_bytes(rows) - text_bytes(kept)
                if "text" in kept.column_names:
                    digest.add(kept.column("text"))
                writer.write(kept)
        closed = writer.close()
    except BaseException:
        writer.abandon()
        raise
    assert closed is not None  # noqa: S101 - a schema was written
    return FileEntry(entry.path, *closed, digest.hex()), went


def _look(stones: Tombstones, stream: Any) -> tuple[bool, int]:
    """Whether a file holds something that is taken down, and its rows."""
    file = pq.ParquetFile(stream, pre_buffer=False)
    columns = [name for name in ("doc_id", "url", "host", "text") if name in file.schema_arrow.names]
    batches = file.iter_batches(_READ_ROWS, columns=columns, use_threads=False)
    holds = any(stones.places(pa.Table.from_batches([batch])) for batch in batches)
    return holds, file.metadata.num_rows
