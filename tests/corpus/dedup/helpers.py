"""Run the four phases over texts in a folder, as an engine would."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from corpus.dedup import near
from tests.oracles.dedup import Fate


def doc_id(position: int) -> bytes:
    return hashlib.blake2b(str(position).encode(), digest_size=16).digest()


def documents(texts: Sequence[str | None], first: int = 0) -> pa.Table:
    ids = pa.array([doc_id(first + i) for i in range(len(texts))], pa.binary(16))
    return pa.table({"doc_id": ids, "text": pa.array(texts, pa.large_string())})


def shards_of(texts: Sequence[str | None], size: int) -> list[pa.Table]:
    return [documents(texts[i : i + size], i) for i in range(0, len(texts), size)]


def sign(params: near.Dedup, tables: Sequence[pa.Table], number: int, folder: Path) -> Path:
    """The signatures of a shard's tables, in a file of the folder."""
    path = folder / f"{number:05d}.sign"
    near.sign_tables(params, tables, path)
    return path


def resolve(signs: Sequence[Path], edges: Sequence[Path], folder: Path) -> tuple[near.Resolved, list[Path]]:
    """What came out, and the marks of each shard."""
    marks = [folder / f"{i:05d}.marks" for i in range(len(signs))]
    return near.resolve(signs, edges, marks), marks


def run(params: near.Dedup, shards: Sequence[pa.Table], folder: Path) -> list[pa.Table]:
    """Sign, group, resolve, mark: the judged shards."""
    signs = [sign(params, [shard], i, folder) for i, shard in enumerate(shards)]
    edges = [folder / f"{bucket:05d}.edges" for bucket in range(params.buckets)]
    for bucket, path in enumerate(edges):
        near.group_bucket(params, bucket, signs, path)
    _, marks = resolve(signs, edges, folder)
    return [near.mark_table(path)(shard) for path, shard in zip(marks, shards, strict=True)]


def fates(judged: Sequence[pa.Table]) -> list[Fate]:
    """What the judged shards say of each document, in the words of the reference."""
    rows = [row for shard in judged for row in shard.to_pylist()]
    position = {row["doc_id"].hex(): i for i, row in enumerate(rows)}
    found = []
    for i, row in enumerate(rows):
        kept = i
        if row["drop"]:
            kept = position[row["drop_detail"].partition("kept=")[2].partition(",")[0]]
        found.append(Fate(kept, row["cluster_size"], row["drop"]))
    return found
