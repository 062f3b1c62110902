"""A mix as jobs of the engine: the plan alone, then all of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from corpus import storage
from corpus.errors import UsageError
from corpus.receipts import read_folder
from pipelines.digests import Digests
from pipelines.inputs import inputs_of
from pipelines.mix.planning import PLAN
from pipelines.mix.recipe import MixRecipe, Plan, read
from pipelines.mix.stage import Mix
from pipelines.planning import Job, job_with, plan_job
from tokenizer import named


def job_of(path: str, folder: str, options: Mapping[str, Any], *, plan_only: bool = False) -> Job:
    """The job of a recipe. Locations in it are as seen from the recipe's folder. Raises UsageError."""
    recipe = read(path)
    base = Path(path).parent
    digests = Digests(folder)
    inputs = []
    for name, source in recipe.sources.items():
        locations = [_from(base, one) for one in source.inputs]
        found = inputs_of("documents", locations, options["text_column"], digests)
        inputs += [dataclasses.replace(one, name=f"{name}/{one.name}") for one in found]
    tokenizer = recipe.tokenizer
    if tokenizer and not named.is_named(tokenizer):
        tokenizer = _from(base, tokenizer)
    stage = Mix(_key(recipe), tokenizer, plan_only)
    return job_with(stage, inputs, folder, options, digests)


def _from(base: Path, location: str) -> str:
    return location if storage.is_url(location) else str(base / location)


def _key(recipe: MixRecipe) -> str:
    """The recipe as JSON, less the places of files: their contents stand in the keys of tasks."""
    sources = {name: dataclasses.replace(one, inputs=(name,)) for name, one in recipe.sources.items()}
    return msgspec.json.encode(dataclasses.replace(recipe, sources=sources, tokenizer="")).decode()


def finished(job: Job) -> bool:
    """Whether the plan of this very job lies in its folder."""
    if not storage.exists(storage.join(job.folder, PLAN)):
        return False
    folder = read_folder(job.folder)
    tasks = next(tasks for phase, tasks in plan_job(job).phases if phase.name == "plan")
    return all(folder.is_done(task.record, task.key()) for task in tasks)


def plan_of(folder: str) -> Plan:
    """The plan that a mix has written. Raises UsageError where there is none."""
    location = storage.join(folder, PLAN)
    if not storage.exists(location):
        raise UsageError(f"{folder}: no mix (no {PLAN})")
    return msgspec.json.decode(storage.read_bytes(location), type=Plan)
