"""Where the things of a run lie, and how a run's folder is read back.

RUN/_recipe.toml    the resolved recipe        RUN/_log.jsonl    what happened, as JSON lines (in an
                                               object store: files of RUN/_log/)
RUN/extract ... RUN/dedup                      a folder a stage
RUN/dataset         the published dataset      RUN/tokenizer     tokenizer.json and the rest
RUN/evaluation      figures of the tokenizer   RUN/report.html   the report
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from corpus import storage
from corpus.inputs import SHARD
from corpus.receipts import PLAN, read_receipts
from pipelines import registry
from pipelines.account import StageResult, summarize

RECIPE: Final = "_recipe.toml"
LOG: Final = "_log.jsonl"
LOGS: Final = "_log"
REPORT: Final = "report.html"


def stage_folder(run: str, stage: str) -> str:
    """Where a stage of a run writes."""
    return storage.join(run, registry.row_of(stage).folder or stage)


def stages_of(run: str) -> list[str]:
    """Stages that a run's folder has, in order; a stage's own folder has that one."""
    return [s for s in registry.names() if storage.exists(storage.join(stage_folder(run, s), PLAN))]


def planned_stages(run: str, begun: Sequence[str]) -> list[str]:
    """The stages that a run's recipe names, begun or not, and others that the folder has, in order."""
    named: list[str] = []
    with suppress(tomllib.TOMLDecodeError, storage.NotFoundError):
        recipe = tomllib.loads(storage.read_bytes(storage.join(run, RECIPE)).decode("utf-8", "replace"))
        named = list(recipe.get("run", {}).get("stages", ()))
    return [stage for stage in registry.names() if stage in named or stage in begun]


def shards_of(folder: str) -> list[str]:
    """Parquet files of a stage's folder."""
    return [f for f in storage.list_files(folder) if storage.path_part(f).endswith(SHARD)]


def results_of(run: str) -> list[StageResult]:
    """A run's stages from their receipts alone."""
    folders = [(s, stage_folder(run, s)) for s in stages_of(run)]
    return [summarize(stage, folder, read_receipts(folder)) for stage, folder in folders]
