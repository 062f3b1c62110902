"""Run a stage over shards of documents as the engine does, and read what came out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpus import table
from pipelines.account import StageResult
from pipelines.engine import Job, run_stage
from pipelines.execute import run_inline
from pipelines.progress import Silent
from tests.pipelines.stages import inputs_of


def write_shards(folder: Path, shards: Sequence[Sequence[dict[str, Any]]]) -> None:
    """Documents of `host` and `text`; ids by place over all shards."""
    folder.mkdir(parents=True)
    number = 0
    for n, shard in enumerate(shards):
        rows = []
        for row in shard:
            rows.append({"doc_id": table.doc_id(str(row.get("id", number))), "source": f"{number}", **row})
            number += 1
        names = ["doc_id", "url", "host", "source", "text"]
        schema = pa.schema(
            [
                (k, pa.binary(16) if k == "doc_id" else pa.large_string() if k == "text" else pa.string())
                for k in names
            ]
        )
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / f"{n}.parquet")


def run(stage: Any, source: Path, out: Path) -> StageResult:
    return run_stage(Job(stage, inputs_of(source.glob("*.parquet")), str(out)), run_inline, Silent())


def kept(out: Path) -> list[dict[str, Any]]:
    return [row for file in sorted(out.glob("*.parquet")) for row in pq.read_table(file).to_pylist()]


def dropped(out: Path) -> list[dict[str, Any]]:
    files = sorted((out / "_dropped").glob("*.parquet"))
    return [row for file in files for row in pq.read_table(file).to_pylist()]
