"""Documents to publish, and publishing them, for the tests of published datasets."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from corpus import table
from pipelines.account import Run
from pipelines.engine import Job, run_stage
from pipelines.execute import run_inline
from pipelines.manifest import Manifest
from pipelines.progress import Silent
from pipelines.publish import Publish, finish
from tests.pipelines.stages import inputs_of, write_texts

TEXTS = [f"Документ {n}: {letter}" for n, letter in enumerate("абвгдежзик" * 30)]


def publish(source: Path, target: str, stage: Publish | None = None, shards: int = 1) -> Manifest:
    """Publish into so many shards, by inputs that say they were as large as that takes."""
    stage = stage or Publish(shard_mb=1)
    found = inputs_of(source.glob("*.parquet"))
    rows = sum(i.rows or 0 for i in found)
    inputs = tuple(replace(i, size=shards * 1_000_000 * (i.rows or 0) // rows) for i in found)
    run_stage(Job(stage, inputs, target), run_inline, Silent())
    return finish(stage, target, Run("проба"))


def write_source(folder: Path) -> Path:
    """Three shards of documents with their base columns, of uneven sizes."""
    first = 0
    for n, count in enumerate((50, 10, 240)):
        texts = TEXTS[first : first + count]
        ids = pa.array([table.doc_id(t) for t in texts], pa.binary(16))
        write_texts(folder / f"{n}.parquet", texts, doc_id=ids, words=list(range(count)))
        first += count
    return folder
