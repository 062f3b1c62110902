"""A whole run: the stages of a recipe, one after another, each over the folder of the one before.

RUN/_recipe.toml    the resolved recipe        RUN/_log.jsonl    what happened, as JSON lines
RUN/extract ... RUN/dedup                      a folder a stage
RUN/dataset         the published dataset      RUN/tokenizer     tokenizer.json and the rest
RUN/evaluation      figures of the tokenizer   RUN/report.html   the report
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog

from corpus import shard, storage
from corpus.errors import UsageError
from corpus.shard import Input
from pipelines import funnel, publish, registry
from pipelines.engine import Job, StageResult, outputs_of, run_stage
from pipelines.evaluate import TOKENIZER
from pipelines.execute import Executor
from pipelines.inputs import inputs_of
from pipelines.layout import LOG, RECIPE, REPORT, stage_folder
from pipelines.progress import Logged, Silent
from pipelines.recipe import Recipe
from pipelines.report import write_report


@dataclass(frozen=True)
class RunResult:
    """What a run made."""

    name: str
    folder: str
    stages: tuple[StageResult, ...]
    dataset: str | None = None
    tokenizer: str | None = None
    evaluation: str | None = None
    report: str | None = None
    worked: int = field(default=0)


def run_recipe(recipe: Recipe, folder: str, executor: Executor, watch: Silent, *, redo: bool) -> RunResult:
    """Do a recipe into a folder. Raises the errors of `run_stage`; what was done stays done."""
    stages = recipe.run.stages
    inputs = _first_inputs(recipe)
    _claim_run(recipe, folder, redo=redo)
    results: list[StageResult] = []
    with _logged(watch, folder) as logged:
        for name in stages:
            stage = recipe.sections[name]
            column = recipe.input.text_column if not results else "text"
            taken = inputs
            if name == "evaluate":
                taken = [*tokenizer_of(stage_folder(folder, "train")), *inputs]
            job = Job(stage, tuple(taken), stage_folder(folder, name), column, redo=True)
            result = run_stage(job, executor, logged)
            results.append(result)
            if name == "publish":
                _finish_publish(recipe, job.folder, results)
            if registry.row_of(name).documents:
                inputs = outputs_of(job.folder)
    return _result(recipe, folder, results)


def tokenizer_of(folder: str) -> list[Input]:
    """The trained tokenizer of a run as an input."""
    for receipt in shard.read_receipts(folder):
        for output in receipt.outputs:
            if output.path == TOKENIZER:
                return [Input(storage.join(folder, TOKENIZER), TOKENIZER, output.digest, output.bytes)]
    raise UsageError("the stage evaluate needs train before it; add it to run.stages")


def _first_inputs(recipe: Recipe) -> list[Input]:
    if not recipe.input.paths:
        raise UsageError("the recipe names no input; add --set input.paths=FOLDER")
    first = registry.row_of(recipe.run.stages[0])
    return inputs_of(first.reads, recipe.input.paths)


def _claim_run(recipe: Recipe, folder: str, *, redo: bool) -> None:
    """Refuse a folder that another recipe made, unless what changed is to be redone."""
    location = storage.join(folder, RECIPE)
    text = _identity(recipe)
    if storage.exists(location):
        old = storage.read_bytes(location).decode("utf-8", "replace")
        if old != text and not redo:
            raise UsageError(
                f"{folder}: made by another recipe ({_first_difference(old, text)}); "
                "choose another --out, or redo what changed with --redo"
            )
    elif storage.list_files(folder):
        raise UsageError(f"{folder}: the folder has files that bukvar did not write; choose a new --out")
    storage.write_bytes(location, text.encode())


def _identity(recipe: Recipe) -> str:
    """The recipe as saved: without where it runs, which does not change what comes out."""
    plain = dataclasses.replace(recipe.run, executor="ray", address="", workers=0, out="")
    sections = {**recipe.sections, "run": plain}
    return dataclasses.replace(recipe, sections=sections).to_toml()


def _first_difference(old: str, new: str) -> str:
    """The first key, in the new recipe's order, whose value differs."""
    try:
        before, after = _flat(tomllib.loads(old)), _flat(tomllib.loads(new))
    except tomllib.TOMLDecodeError:
        return f"{RECIPE} there is damaged"
    for key in [*after, *before]:
        if before.get(key) != after.get(key):
            return f"{key}: {before.get(key, 'not set')} -> {after.get(key, 'not set')}"[:200]
    return "the order of its keys differs"


def _flat(data: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in data.items():
        flat |= {f"{name}.{k}": v for k, v in value.items()} if isinstance(value, dict) else {name: value}
    return flat


@contextmanager
def _logged(watch: Silent, folder: str) -> Iterator[Any]:
    path = storage.local_path(storage.join(folder, LOG))
    if path is None:  # an object store can't append; receipts hold the facts in any case
        yield watch
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with storage.translated(str(path)), path.open("a", encoding="utf-8") as stream:
        logger = structlog.wrap_logger(
            structlog.PrintLogger(stream),
            processors=[
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.add_log_level,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
        yield Logged(watch, logger)


def _finish_publish(recipe: Recipe, target: str, results: Sequence[StageResult]) -> None:
    title = recipe.description or recipe.name
    publish.finish(recipe.sections["publish"], target, title, results[:-1], recipe.to_toml("input", "run"))


def _result(recipe: Recipe, folder: str, results: Sequence[StageResult]) -> RunResult:
    funnel.check([r for r in results if registry.row_of(r.stage).documents])
    made = {r.stage: r.folder for r in results if not registry.row_of(r.stage).documents}
    worked = sum(r.worked for r in results)
    report = storage.join(folder, REPORT)
    if worked or not storage.exists(report):
        write_report(folder, report)
    return RunResult(
        name=recipe.name,
        folder=folder,
        stages=tuple(results),
        dataset=made.get("publish"),
        tokenizer=made.get("train"),
        evaluation=made.get("evaluate"),
        report=report,
        worked=worked,
    )
