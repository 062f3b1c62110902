"""A whole run: the stages of a recipe, one after another, each over the folder of the one before.

What lies where in a run's folder is in `pipelines.layout`. The whole recipe is planned before any work, so
that a mistake in the last stage shows in the first seconds; the report is written also where a stage fails.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from corpus import storage
from corpus.errors import BukvarError, UsageError
from corpus.inputs import Input
from corpus.receipts import Receipt
from corpus.stage import Stage
from pipelines import funnel, registry
from pipelines.account import Run, StageResult
from pipelines.claims import has_files
from pipelines.digests import Digests
from pipelines.engine import Reporter, outputs_of, run_stage, shards_in
from pipelines.execute import Executor
from pipelines.finishing import finish
from pipelines.inputs import inputs_of
from pipelines.layout import RECIPE, REPORT, stage_folder
from pipelines.lease import lease
from pipelines.log import logged
from pipelines.planning import MADE_UP, Job, Plan, columns_of, plan_tasks_of
from pipelines.plans import StagePlan, done_of, stage_plan
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


def plan_recipe(
    recipe: Recipe, folder: str, inputs: Sequence[Input], *, look: bool = False
) -> list[StagePlan]:
    """Plan all stages of a recipe over its first inputs without doing any. Raises UsageError for whatever is
    wrong with any. With `look`, receipts are read, and the plan says what of it is done."""
    columns = columns_of(recipe.sections[recipe.run.stages[0]], inputs)
    planned = []
    finished: set[str] = set()
    for name in recipe.run.stages:
        row = registry.row_of(name)
        stage, later = with_made(recipe, folder, name)
        job = _job(recipe, stage, inputs, stage_folder(folder, name))
        later = tuple(one for one in later if row.takes[one].partition("/")[0] not in finished)
        plan = plan_tasks_of(job, later, columns)
        done = done_of(plan) if look else {}
        if len(done) == len(plan.tasks):
            finished.add(name)
        made = tuple(dict.fromkeys([*(columns or sorted(MADE_UP)), *stage.adds.names]))
        planned.append(stage_plan(plan, made, done))
        if row.documents:
            columns = made
            inputs = _to_come(plan, done)
    return planned


def _to_come(plan: Plan, done: Mapping[str, Receipt]) -> list[Input]:
    """The shards of a planned stage: of tasks that are done as they lie there, of the others without a digest
    and as large as what they are made from."""
    folder = plan.job.folder
    _, tasks = next((phase, tasks) for phase, tasks in plan.phases if phase.documents)
    found: list[Input] = []
    for task in tasks:
        if task.record in done:
            found += shards_in(folder, done[task.record])
        else:
            name = f"{task.name}.parquet"
            size = sum(source.size for source in task.inputs)
            found.append(Input(storage.join(folder, name), name, "", size))
    return sorted(found, key=lambda source: source.name)


def with_made(recipe: Recipe, folder: str, name: str) -> tuple[Stage, tuple[str, ...]]:
    """A stage of a recipe with the side inputs that other stages of the run make, and their parameters."""
    stage: Any = recipe.sections[name]
    later: dict[str, Any] = {}
    for parameter, made in registry.row_of(name).takes.items():
        maker, _, part = made.partition("/")
        if maker not in recipe.run.stages or getattr(stage, parameter):
            continue
        where = storage.join(stage_folder(folder, maker), part) if part else stage_folder(folder, maker)
        if not part or storage.exists(where):
            later[parameter] = (where,) if isinstance(getattr(stage, parameter), tuple) else where
    return dataclasses.replace(stage, **later), tuple(later)


def _job(recipe: Recipe, stage: Stage, inputs: Sequence[Input], folder: str) -> Job:
    run = recipe.run
    return Job(
        stage,
        tuple(inputs),
        folder,
        redo=True,
        fail_if_empty=run.fail_if_empty,
        part_bytes=run.part_mb * 1_000_000,
        scratch=run.scratch,
    )


def run_recipe(
    recipe: Recipe, folder: str, executor: Executor, reporter: Reporter, *, redo: bool
) -> RunResult:
    """Do a recipe into a folder. Raises the errors of `run_stage`; what was done stays done."""
    storage.check_writable(folder)
    with storage.impatient():
        digests = Digests(folder)
        notes: list[str] = []
        inputs = first_inputs(recipe, folder, digests, notes)
        plan_recipe(recipe, folder, inputs)
        _check_run(recipe, folder, redo=redo)
    results: list[StageResult] = []
    with storage.patient(), lease(folder):
        storage.write_bytes(storage.join(folder, RECIPE), _identity(recipe).encode())
        digests.save()
        with logged(reporter, folder) as logging:
            for note in notes:
                logging.note(note)
            try:
                mended = _run_stages(recipe, folder, inputs, executor, logging, results)
            except BukvarError:
                with suppress(Exception):  # what stopped the run comes first
                    write_report(folder, storage.join(folder, REPORT))
                raise
        return _result(recipe, folder, results, mended)


def _run_stages(
    recipe: Recipe,
    folder: str,
    inputs: Sequence[Input],
    executor: Executor,
    reporter: Reporter,
    results: list[StageResult],
) -> int:
    """How many stages came to their end now whose tasks were done before. `results` gets what stages did."""
    mended = 0
    for name in recipe.run.stages:
        row = registry.row_of(name)
        if (
            not row.documents
            and results
            and not results[-1].rows_out
            and _documents(results)[-1:] == results[-1:]
        ):
            reporter.note("no document is left: nothing to publish, to train on or to evaluate")
            break
        stage, _ = with_made(recipe, folder, name)
        job = _job(recipe, stage, inputs, stage_folder(folder, name))
        result = run_stage(job, executor, reporter)
        title = recipe.description or recipe.name
        before = Run(title, tuple(results), recipe.to_toml("input", "run"))
        results.append(result)
        mended += finish(row, stage, job.folder, before)
        if row.documents:
            inputs = outputs_of(job.folder)
    return mended


def _documents(results: Sequence[StageResult]) -> list[StageResult]:
    return [r for r in results if registry.row_of(r.stage).documents]


def first_inputs(
    recipe: Recipe, folder: str, digests: Digests | None = None, notes: list[str] | None = None
) -> list[Input]:
    """The files that a recipe names, less those in the run's folder; `notes` gets what is left out of
    folders. Raises UsageError for none."""
    if not recipe.input.paths:
        raise UsageError("the recipe names no input; add --set input.paths=FOLDER")
    first = registry.row_of(recipe.run.stages[0])
    return inputs_of(first.reads, recipe.input.paths, recipe.input.text_column, digests, folder, notes)


def _check_run(recipe: Recipe, folder: str, *, redo: bool) -> None:
    """Refuse a folder that another recipe made, unless what changed is to be redone."""
    location = storage.join(folder, RECIPE)
    if storage.exists(location):
        text = _identity(recipe)
        old = storage.read_bytes(location).decode("utf-8", "replace")
        if old != text and not redo:
            raise UsageError(
                f"{folder}: made by another recipe ({_first_difference(old, text)}); "
                "choose another --out, or redo what changed with --redo"
            )
    elif has_files(folder):
        raise UsageError(f"{folder}: the folder has files that bukvar did not write; choose a new --out")


def _identity(recipe: Recipe) -> str:
    """The recipe as saved: without where it runs, which does not change what comes out."""
    plain = dataclasses.replace(
        recipe.run, executor="ray", address="", workers=0, out="", scratch="", metrics="", fail_if_empty=False
    )
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


def _result(recipe: Recipe, folder: str, results: Sequence[StageResult], mended: int) -> RunResult:
    funnel.check(_documents(results))
    made = {r.stage: r.folder for r in results if not registry.row_of(r.stage).documents}
    worked = sum(r.worked for r in results) + mended
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
