"""Take documents out of a published dataset: rewrite the files that hold them, and no others."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import storage
from corpus.errors import StageError
from corpus.inputs import SHARD
from corpus.receipts import DROPPED, INDEX, RECEIPTS, WORK
from corpus.writing import TableWriter, text_bytes
from pipelines.beside import write_beside
from pipelines.contents import Contents, TextDigest, add_up, less
from pipelines.lease import lease
from pipelines.manifest import Change, FileEntry, Manifest, read_manifest, write_manifest
from pipelines.tombstones import Tombstone, Tombstones, read_tombstones, write_tombstones

_READ_ROWS = 4_000


def take_down(dataset: str, stones: Sequence[Tombstone], reason: str = "") -> Change:
    """Remove the documents that tombstones name, and keep the tombstones. The new version's change.

    The tombstones are written first: a takedown that was killed goes on with the same command. Raises
    UsageError where the folder is no published dataset, and StageError, when all else is done, where the
    dataset's columns don't show which documents are meant.
    """
    wanted = Tombstones(tuple(stones))
    storage.check_writable(dataset)
    read_manifest(dataset)
    with lease(dataset):
        manifest = read_manifest(dataset)  # as it is now: another takedown may have ended meanwhile
        write_tombstones(dataset, [*read_tombstones(dataset).stones, *stones])
        _forget(dataset, wanted)
        change = _remove(dataset, manifest, wanted, reason)
        if hidden := wanted.hidden_from(manifest.columns):
            _let_publish_anew(dataset)
            raise StageError(
                f"{dataset}: its columns don't show which documents are meant by {' and '.join(hidden)}; the "
                "request is kept: publish into it once more, from documents with all columns"
            )
    return change


def _remove(dataset: str, manifest: Manifest, wanted: Tombstones, reason: str) -> Change:
    """Rewrite the files that hold what is meant, then what lies beside them and the manifest."""
    left = [_without(dataset, entry, wanted) for entry in manifest.files]
    sample = _without(dataset, manifest.sample, wanted).entry if manifest.sample else None
    fewer = manifest.rows - sum(one.entry.rows for one in left)
    rewritten = sum(one.entry != old for one, old in zip(left, manifest.files, strict=True))
    if not fewer:
        return Change(manifest.version, 0, 0, reason)
    change = Change(manifest.version + 1, fewer, rewritten, reason)
    made = dataclasses.replace(
        manifest,
        version=change.version,
        rows=manifest.rows - fewer,
        text_bytes=_text_left(dataset, manifest.text_bytes, left),
        files=tuple(one.entry for one in left),
        sample=sample,
        contents=less(manifest.contents, add_up(one.gone for one in left if one.gone)),
        changes=(*manifest.changes, change),
    )
    write_beside(dataset, made)
    write_manifest(dataset, made)
    return change


def _forget(dataset: str, stones: Tombstones) -> None:
    """Delete what publishing left beside the dataset with texts of what is meant: offers for the sample, and
    dropped rows. Publishing again makes them anew."""
    for folder, ending in ((WORK, "/sample"), (DROPPED, SHARD)):
        for path in storage.list_tree(storage.join(dataset, folder)):
            location = storage.join(dataset, folder, path)
            if f"/{path}".endswith(ending) and storage.reading(location, functools.partial(_look, stones))[0]:
                storage.delete(location)


def _let_publish_anew(dataset: str) -> None:
    """Forget that the shards are published: the next publish makes all of them, by the tombstones."""
    for path in storage.list_tree(storage.join(dataset, RECEIPTS)):
        storage.delete(storage.join(dataset, RECEIPTS, path))
    storage.delete(storage.join(dataset, INDEX))


class _Left(NamedTuple):
    """A file as it is without what is taken down; the bytes of text that went, None where that is not known;
    and what went, counted as publish counts (`Contents.encode`)."""

    entry: FileEntry
    went: int | None = 0
    gone: bytes = b""


def _without(dataset: str, entry: FileEntry, stones: Tombstones) -> _Left:
    """A file without what is taken down. It is rewritten only if it holds some, or if a takedown that was
    killed had rewritten it: how much text went is not known then."""
    location = storage.join(dataset, entry.path)
    holds, rows = storage.reading(location, functools.partial(_look, stones))
    if not holds and rows == entry.rows:
        return _Left(entry)
    made = storage.patiently(location, lambda: _rewrite(location, entry, stones), plain=True)
    return made if rows == entry.rows else made._replace(went=None)


def _text_left(dataset: str, before: int, left: Sequence[_Left]) -> int:
    """Bytes of text that the files hold now; counted anew where it is not known how much went."""
    went = [one.went for one in left if one.went is not None]
    if len(went) == len(left):
        return before - sum(went)
    locations = [storage.join(dataset, one.entry.path) for one in left]
    return sum(storage.reading(location, _text_in) for location in locations)


def _text_in(stream: Any) -> int:
    file = pq.ParquetFile(stream, pre_buffer=False)
    batches = file.iter_batches(_READ_ROWS, columns=["text"], use_threads=False)
    return sum(text_bytes(pa.Table.from_batches([batch])) for batch in batches)


def _rewrite(location: str, entry: FileEntry, stones: Tombstones) -> _Left:
    writer = TableWriter(location, chunked=True)
    digest, went, counted = TextDigest(), 0, Contents()
    try:
        with storage.open_input(location) as stream:
            file = pq.ParquetFile(stream, pre_buffer=False)
            writer.write(file.schema_arrow.empty_table())
            for batch in file.iter_batches(_READ_ROWS, use_threads=False):
                rows = pa.Table.from_batches([batch])
                places = set(stones.places(rows))
                stays = pa.array([n not in places for n in range(rows.num_rows)])
                kept = rows.filter(stays)
                went += text_bytes(rows) - text_bytes(kept)
                if "text" in kept.column_names:
                    digest.add(kept.column("text"))
                    counted.add(entry.path, rows.filter(pc.invert(stays)))
                writer.write(kept)
        closed = writer.close()
    except BaseException:
        writer.abandon()
        raise
    assert closed is not None  # noqa: S101 - a schema was written
    return _Left(FileEntry(entry.path, *closed, digest.hex()), went, counted.encode())


def _look(stones: Tombstones, stream: Any) -> tuple[bool, int]:
    """Whether a file holds something that is taken down, and its rows."""
    file = pq.ParquetFile(stream, pre_buffer=False)
    columns = [name for name in ("doc_id", "url", "host", "text") if name in file.schema_arrow.names]
    batches = file.iter_batches(_READ_ROWS, columns=columns, use_threads=False)
    holds = any(stones.places(pa.Table.from_batches([batch])) for batch in batches)
    return holds, file.metadata.num_rows
