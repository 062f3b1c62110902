"""Run one stage over its inputs: claim the folder, plan tasks, skip what is done, run the rest, account.

A folder belongs to one stage with one set of parameters (`_plan.json`) and to one driver at a time
(`_driver.json`); a command that would mix another stage in is refused unless `redo` is asked for. Receipts
decide what is done, so a killed run goes on where it was, on any number of workers. What an earlier plan left
and this one does not make is removed at the end.
"""

from __future__ import annotations

import dataclasses
import posixpath
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import msgspec
import pyarrow as pa

from corpus import receipts as records
from corpus import storage
from corpus.documents import check_text_column, is_parquet, parquet_schema, unify
from corpus.errors import RunError, ShardError, StageError, UsageError
from corpus.inputs import Input, is_shard
from corpus.receipts import Folder, Receipt, read_folder
from corpus.stage import FileStage, PhasedStage, Side, Stage, Task, parameters, plan_tasks
from corpus.uploads import end_open_uploads
from pipelines import lineage
from pipelines.account import StageResult, summarize
from pipelines.cutting import cut, uncut
from pipelines.digests import Digests
from pipelines.execute import Executor, Failure, Notice
from pipelines.inputs import sides_of
from pipelines.lease import lease

#: Bytes from which a file that can be cut is cut: two minutes of work at 1 MB/s, five seconds at 25.
PART_BYTES: Final = 128 << 20


class Reporter(Protocol):
    """Where progress goes (pipelines.progress)."""

    def begin(self, stage: str, phase: str, total: int, done: int, folder: str) -> None: ...

    def advance(self, receipt: Receipt) -> None: ...

    def fail(self, failure: Failure) -> None: ...

    def note(self, text: str) -> None: ...

    def end(self) -> None: ...


class StageFailedError(StageError):
    """Some tasks failed; the others are done and stay done."""

    def __init__(self, stage: str, failures: Sequence[Failure]) -> None:
        self.failures = tuple(failures)
        shown = "; ".join(f"{', '.join(f.inputs[:1]) or f.name}: {_tail(f)}" for f in failures[:5])
        more = f" and {len(failures) - 5} more" if len(failures) > 5 else ""
        count = f"{len(failures)} shard{'s' if len(failures) > 1 else ''}"
        super().__init__(f"{stage}: {count} failed ({shown}{more}); mend them and run the same command again")
        names = ", ".join(", ".join(f.inputs[:1]) or f.name for f in failures[:5])
        self._closing = (
            f"{stage}: {count} failed, as said above: {names}{more}; mend them and run the same command again"
        )

    def closing(self) -> str:
        return self._closing


def _tail(failure: Failure) -> str:
    first = failure.inputs[0] if failure.inputs else ""
    return failure.message.removeprefix(f"{first}: ")


@dataclass(frozen=True)
class Job:
    """A stage over inputs into a folder."""

    stage: Stage
    inputs: tuple[Input, ...]
    folder: str
    redo: bool = False
    #: Whether it is an error that no document comes out.
    fail_if_empty: bool = False
    part_bytes: int = PART_BYTES
    #: Folder for temporary files on the machines that do the tasks.
    scratch: str = ""
    #: Where digests of the inputs are remembered.
    digests: Digests = field(default_factory=Digests, compare=False)


@dataclass(frozen=True)
class Plan:
    """What a job is going to do: its tasks by phase, in order. Made before any work, from inputs alone."""

    job: Job
    stage: Stage
    inputs: tuple[Input, ...]
    sides: tuple[Side, ...]
    phases: tuple[tuple[Any, tuple[Task, ...]], ...]

    @property
    def tasks(self) -> list[Task]:
        return [task for _, tasks in self.phases for task in tasks]


def plan_job(job: Job) -> Plan:
    """Plan a job and check all that can be checked. Raises UsageError, or StageError where the plan can't
    fit."""
    stage, sides = sides_of(job.stage)
    inputs = _cut(stage, with_one_schema(job.inputs) if not isinstance(stage, FileStage) else job.inputs, job)
    check_inputs(stage, inputs, columns_of(stage, inputs))
    return _planned(job, stage, inputs, sides)


def plan_tasks_of(job: Job, later: Collection[str], columns: Sequence[str], *, exists: bool) -> Plan:
    """Plan a job of a run before the stages ahead of it have run: `later` are the parameters that name what
    others are yet to make, `columns` those of its documents; its inputs lie there or are yet to come."""
    stage, sides = sides_of(job.stage, later)
    inputs = _cut(stage, job.inputs, job) if exists else job.inputs
    check_inputs(stage, inputs, columns)
    return _planned(job, stage, inputs, sides)


def _cut(stage: Stage, inputs: Sequence[Input], job: Job) -> tuple[Input, ...]:
    return tuple(cut(inputs, job.part_bytes, stage.reads_parts if isinstance(stage, FileStage) else None))


def _planned(job: Job, stage: Stage, inputs: tuple[Input, ...], sides: tuple[Side, ...]) -> Plan:
    try:
        phases = plan_tasks(stage, inputs, job.folder, sides, job.scratch)
    except ValueError as error:
        raise UsageError(str(error)) from error
    return Plan(job, stage, inputs, sides, tuple((phase, tuple(tasks)) for phase, tasks in phases))


def run_stage(job: Job, executor: Executor, reporter: Reporter) -> StageResult:
    """Do what is not done. Raises StageFailedError after all other tasks are done, StageError where nothing
    is left and `fail_if_empty` is set, RunError when nothing can go on, UsageError before any work."""
    storage.check_writable(job.folder)
    with storage.impatient():
        plan = plan_job(job)
        _check_folder(plan)
    with lease(job.folder):
        claim(plan)
        job.digests.save()
        folder = read_folder(job.folder)
        _clean_up(job.folder)
        try:
            receipts, worked, failures = _run_phases(plan, folder, executor, reporter)
        finally:
            _clean_up(job.folder)  # of workers that died on the way
        result = _finish(plan, folder, receipts, worked, failures)
    whole = uncut(plan.inputs, job.part_bytes)
    for text in (*([f"{plan.stage.name}: {whole}"] if whole else ()), *result.remarks()):
        reporter.note(text)
    if failures:
        raise StageFailedError(job.stage.name, sorted(failures, key=lambda f: f.name))
    makes = any(phase.documents for phase, _ in plan.phases)
    if job.fail_if_empty and makes and not result.rows_out:
        raise StageError(f"{result.empty()}; run.fail_if_empty is set")
    return result


def _clean_up(folder: str) -> None:
    """Remove what killed writers left half-written; nobody else writes there while we hold the lease."""
    storage.clean_leftovers(folder)
    end_open_uploads(folder)


def _run_phases(
    plan: Plan, folder: Folder, executor: Executor, reporter: Reporter
) -> tuple[dict[str, Receipt], int, list[Failure]]:
    """Run the phases in order: receipts by name, of earlier runs too, tasks done now, and failures.

    An input whose task fails is left out of the later phases; the others go on.
    """
    receipts: dict[str, Receipt] = {}
    failures: list[Failure] = []
    worked = 0
    for number in range(len(plan.phases)):
        _, tasks = plan.phases[number]
        finished = [folder.receipts[t.record] for t in tasks if folder.is_done(t.record, t.key())]
        names = {r.name for r in finished}
        pending = [task for task in tasks if task.record not in names]
        stale = [folder.receipts[t.record] for t in pending if t.record in folder.receipts]
        records.retract(plan.job.folder, stale)
        done, failed = _run_phase(plan, tasks, pending, executor, reporter)
        receipts |= {r.name: r for r in (*finished, *done)}
        _forget_failures(plan.job.folder, folder, done)
        failures += failed
        worked += len(done)
        if failed and number + 1 < len(plan.phases):
            plan = _without(plan, {f.name for f in failed}, number)
            if not plan.inputs:
                break
    return receipts, worked, failures


def _without(plan: Plan, failed: set[str], number: int) -> Plan:
    """The plan without the inputs of the failed tasks of a phase; of one over all inputs, nothing is left."""
    _, tasks = plan.phases[number]
    gone = {source for task in tasks if task.record in failed for source in task.inputs}
    inputs = tuple(source for source in plan.inputs if source not in gone) if gone else ()
    return (
        _planned(plan.job, plan.stage, inputs, plan.sides) if inputs else dataclasses.replace(plan, inputs=())
    )


def _run_phase(
    plan: Plan, tasks: Sequence[Task], pending: Sequence[Task], executor: Executor, reporter: Reporter
) -> tuple[list[Receipt], list[Failure]]:
    phase = tasks[0].phase.name if tasks else "map"
    reporter.begin(plan.stage.name, phase, len(tasks), len(tasks) - len(pending), plan.job.folder)
    receipts, failures = [], []
    largest_first = sorted(pending, key=lambda task: -sum(i.size for i in task.inputs))
    try:
        with closing(executor(largest_first)) as outcomes:
            for outcome in outcomes:
                if isinstance(outcome, Notice):
                    reporter.note(outcome.text)
                    continue
                if isinstance(outcome, Receipt):
                    receipts.append(outcome)
                    reporter.advance(outcome)
                    continue
                reporter.fail(outcome)
                if outcome.fatal:
                    raise RunError(outcome.message)
                failures.append(outcome)
    finally:
        reporter.end()
    return receipts, failures


def _forget_failures(location: str, folder: Folder, done: Iterable[Receipt]) -> None:
    """Delete the records of earlier failures of tasks that are done now."""
    for receipt in done:
        failure = f"{records.FAILED}/{receipt.name}.json"
        if failure in folder.files:
            storage.delete(storage.join(location, failure))


def _finish(
    plan: Plan, before: Folder, receipts: dict[str, Receipt], worked: int, failures: Sequence[Failure]
) -> StageResult:
    """Remove what this plan does not make, check that storage holds what was returned, write the index."""
    location = plan.job.folder
    changed = (
        bool(worked or failures) or set(before.receipts) != set(receipts) or records.INDEX not in before.files
    )
    if changed:
        failed = {f.name for f in failures}
        stale = [r for name, r in before.receipts.items() if name not in receipts and name not in failed]
        records.retract(location, stale)
        after = read_folder(location, receipts)
        _remove_stale(after)
        lost = sorted(set(receipts) - set(after.receipts))
        if lost:
            raise RunError(
                f"{location}: {len(lost)} of {len(receipts)} tasks were done elsewhere ({lost[0]} ...): the "
                "machines do not share this folder; give an --out that all of them see"
            )
        records.write_index(after)
    result = summarize(plan.stage.name, location, receipts.values(), len(plan.tasks), len(receipts) - worked)
    if changed and not failures:
        own = lineage.entry_of(plan.stage, plan.sides, result)
        before_it = lineage.before(plan.inputs)
        own = own if before_it else lineage.with_sources(own, plan.job.inputs)
        lineage.write(location, (*before_it, own))
    return result


def _remove_stale(folder: Folder) -> None:
    """Remove shards, dropped rows and work files that no receipt states: of a plan that is no more, or of a
    task that was killed before its receipt and did not write them again."""
    written = {output.path for receipt in folder.receipts.values() for output in receipt.outputs}
    for path in folder.files:
        part = posixpath.dirname(path).partition("/")[0]
        ours = part in (records.DROPPED, records.WORK, records.SITES) or (
            part in ("", "data", "sample") and path.endswith(".parquet")
        )
        if ours and path not in written:
            storage.delete(storage.join(folder.location, path))


def with_one_schema(inputs: Sequence[Input]) -> Sequence[Input]:
    """Inputs that are to be read in one schema, where files of others differ. Raises UsageError where their
    types conflict."""
    theirs = [i for i in inputs if is_parquet(i.path) and not is_shard(i.name)]
    if len({i.shape for i in theirs}) < 2 and all(i.shape for i in theirs):
        return inputs
    with ThreadPoolExecutor(16) as pool:
        read = pool.map(_schema_or_none, theirs)
        schemas = [(i.name, schema) for i, schema in zip(theirs, read, strict=True) if schema is not None]
    if len(schemas) < 2:
        return inputs
    try:
        unified = unify(schemas)
    except ValueError as error:
        raise UsageError(str(error)) from error
    return [replace(i, schema=unified) if is_parquet(i.path) else i for i in inputs] if unified else inputs


def _schema_or_none(source: Input) -> pa.Schema | None:
    try:
        schema = parquet_schema(source.path)
    except (ShardError, UsageError):
        return None  # fails by itself, as a task
    return schema if len(set(schema.names)) == len(schema.names) else None


def columns_of(stage: Stage, inputs: Sequence[Input]) -> tuple[str, ...]:
    """Columns of the documents, by the first Parquet file; none where that can't be known.

    Raises UsageError where the file has no text column.
    """
    first = next((i for i in inputs if is_parquet(i.path)), None)
    if first is None or isinstance(stage, FileStage):
        return ()
    try:
        schema = parquet_schema(first.path)
    except ShardError:
        return ()  # a corrupt file fails by itself, as a shard; the others go on
    try:
        check_text_column(schema, first.text_column, first.name)
    except ShardError as error:
        raise UsageError(str(error)) from error
    return tuple(schema.names)


def check_inputs(stage: Stage, inputs: Sequence[Input], columns: Sequence[str]) -> None:
    """Raise UsageError for what the stage can't work with: inputs, parameters, missing columns."""
    if isinstance(stage, FileStage):
        stage.check(inputs)
        return
    if isinstance(stage, PhasedStage):
        stage.check(inputs, columns)
    if columns:
        check_columns(stage, columns, inputs[0].name)


#: Columns that reading documents makes up where they are absent.
MADE_UP: Final = frozenset({"doc_id", "url", "host", "fetched_at", "source", "text"})


def check_columns(stage: Stage, known: Iterable[str], where: str) -> None:
    """Raise UsageError where a stage needs a column that nothing before it makes."""
    missing = [c for c in stage.needs if c not in MADE_UP.union(known)]
    if missing:
        names = ", ".join(missing)
        raise UsageError(
            f"{stage.name} needs the column {names}, which {where} lacks; run the stage that adds it"
        )


def _plan_of(plan: Plan) -> dict[str, Any]:
    plain = msgspec.json.decode(msgspec.json.encode(parameters(plan.stage, plan.sides)))
    return {
        "stage": plan.stage.name,
        "version": plan.stage.version,
        "parameters": plain,
        "inputs": [i.name for i in plan.job.inputs],
    }


def _check_folder(plan: Plan) -> None:
    """Raise UsageError where the folder holds something else and `redo` is not set. Writes nothing."""
    folder = plan.job.folder
    if storage.exists(storage.join(folder, records.PLAN)):
        if not plan.job.redo:
            _check_same(folder, read_plan(folder), _plan_of(plan))
    elif storage.list_files(folder):
        raise UsageError(
            f"{folder}: the folder has files that bukvar did not write; choose an empty or new --out"
        )
    elif _is_file(folder):
        raise UsageError(f"{folder}: a file, not a folder; choose another --out")


def claim(plan: Plan) -> None:
    """Make the folder this job's."""
    encoded = msgspec.json.format(msgspec.json.encode(_plan_of(plan)), indent=1) + b"\n"
    location = storage.join(plan.job.folder, records.PLAN)
    if not storage.exists(location) or storage.read_bytes(location) != encoded:
        storage.write_bytes(location, encoded)


def _is_file(location: str) -> bool:
    path = storage.local_path(location)
    return path is not None and path.is_file()


def read_plan(folder: str) -> dict[str, Any]:
    """The plan that a stage's folder belongs to. Raises UsageError where the folder is none of ours."""
    location = storage.join(folder, records.PLAN)
    if not storage.exists(location):
        raise UsageError(f"{folder}: not a folder that a bukvar stage wrote (no {records.PLAN})")
    try:
        return msgspec.json.decode(storage.read_bytes(location), type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise UsageError(f"{location}: damaged ({error}); delete it to make the folder anew") from error


def _check_same(folder: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    if old["stage"] != new["stage"]:
        raise UsageError(
            f"{folder}: holds the output of `{old['stage']}`, not of `{new['stage']}`; choose another --out"
        )
    changed = [
        f"{key} {old['parameters'].get(key)!r} -> {new['parameters'].get(key)!r}"
        for key in sorted({*old["parameters"], *new["parameters"]})
        if old["parameters"].get(key) != new["parameters"].get(key)
    ]
    if changed:
        raise UsageError(
            f"{folder}: made with other parameters ({'; '.join(changed[:3])}); "
            "choose another --out, or redo what changed with --redo"
        )
    if old["inputs"] and not set(old["inputs"]) & set(new["inputs"]):
        raise UsageError(
            f"{folder}: made from other inputs ({old['inputs'][0]} ...); "
            "choose another --out, or replace it with --redo"
        )


def outputs_of(folder: str) -> list[Input]:
    """A stage's shards as inputs of the next: digests from the receipts, names without folders."""
    found = []
    for receipt in records.read_receipts(folder):
        for output in receipt.outputs:
            if "/" not in output.path and output.path.endswith(".parquet"):
                path = storage.join(folder, output.path)
                found.append(Input(path, output.path, output.digest, output.bytes, output.rows))
    return sorted(found, key=lambda i: i.name)
