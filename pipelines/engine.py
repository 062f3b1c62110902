"""Run one stage over its inputs: claim the folder, plan tasks, skip what is done, run the rest, account.

A folder belongs to one stage with one set of parameters (`_plan.json`); a command that would mix another
one in is refused unless `redo` is asked for. Receipts decide what is done, so a killed run goes on where it
was, on any number of workers. What an earlier plan left and this one does not make is removed at the end.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
import pyarrow as pa

from corpus import shard, storage
from corpus.documents import check_text_column, parquet_schema
from corpus.errors import RunError, ShardError, StageError, UsageError
from corpus.shard import Input, Receipt
from corpus.stage import SHARD_PHASES, FileStage, PhasedStage, Stage, TableStage, Task, parameters
from pipelines.execute import Executor, Failure


class Watch(Protocol):
    """Who is told of progress (pipelines.progress)."""

    def begin(self, stage: str, phase: str, total: int, done: int, folder: str) -> None: ...

    def advance(self, receipt: Receipt) -> None: ...

    def fail(self, failure: Failure) -> None: ...

    def end(self) -> None: ...


@dataclass(frozen=True)
class StageResult:
    """What a stage did, this time and in all: the sums are over all receipts, done now or before."""

    stage: str
    folder: str
    tasks: int
    done_before: int
    rows_in: int
    rows_out: int
    dropped: dict[str, int]
    skipped: dict[str, int] = field(default_factory=dict)
    bytes_in: int = 0
    bytes_out: int = 0
    seconds: float = 0.0

    @property
    def worked(self) -> int:
        return self.tasks - self.done_before


class StageFailedError(StageError):
    """Some tasks failed; the others are done and stay done."""

    def __init__(self, stage: str, failures: Sequence[Failure]) -> None:
        self.failures = tuple(failures)
        shown = "; ".join(f"{', '.join(f.inputs[:1]) or f.name}: {_tail(f)}" for f in failures[:5])
        more = f" and {len(failures) - 5} more" if len(failures) > 5 else ""
        count = f"{len(failures)} shard{'s' if len(failures) > 1 else ''}"
        super().__init__(f"{stage}: {count} failed ({shown}{more}); mend them and run the same command again")


def _tail(failure: Failure) -> str:
    first = failure.inputs[0] if failure.inputs else ""
    return failure.message.removeprefix(f"{first}: ")


@dataclass(frozen=True)
class Job:
    """A stage over inputs into a folder."""

    stage: Stage
    inputs: tuple[Input, ...]
    folder: str
    text_column: str = "text"
    redo: bool = False

    def phases(self) -> Iterator[list[Task]]:
        if isinstance(self.stage, PhasedStage):
            yield from self.stage.phases(self.inputs, self.folder, self.text_column)
            return
        options: tuple[tuple[str, Any], ...] = ()
        if isinstance(self.stage, TableStage) and self.text_column != "text":
            options = (("text_column", self.text_column),)
        shares: list[tuple[Input, ...]] = [(source,) for source in self.inputs]
        if isinstance(self.stage, FileStage):
            shares = self.stage.shares(self.inputs)
        yield [
            Task(self.stage, index, share, self.folder, options=options) for index, share in enumerate(shares)
        ]


def run_stage(job: Job, executor: Executor, watch: Watch) -> StageResult:
    """Do what is not done. Raises StageFailedError after the other tasks are done, StageError when nothing
    is left of the documents, RunError when nothing can go on, UsageError before any work."""
    check_inputs(job)
    claim(job)
    storage.clean_leftovers(job.folder)
    receipts: list[Receipt] = []
    before = total = 0
    try:
        for tasks in job.phases():
            finished = [r for r in (_receipt_if_done(task) for task in tasks) if r is not None]
            names = {r.name for r in finished}
            pending = [task for task in tasks if task.name not in names]
            before, total = before + len(finished), total + len(tasks)
            done = _run_phase(job, tasks, pending, executor, watch)
            receipts = [*receipts, *finished, *done]
    finally:
        storage.clean_leftovers(job.folder)  # of workers that died on the way
    _remove_stale(job.folder, {r.name for r in receipts})
    result = summarize(job.stage.name, job.folder, receipts, total, before)
    if result.rows_in and not result.rows_out:
        raise StageError(_nothing_left(result))
    return result


def _run_phase(
    job: Job, tasks: Sequence[Task], pending: Sequence[Task], executor: Executor, watch: Watch
) -> list[Receipt]:
    phase = tasks[0].phase if tasks else "map"
    watch.begin(job.stage.name, phase, len(tasks), len(tasks) - len(pending), job.folder)
    receipts, failures = [], []
    try:
        with closing(executor(pending)) as outcomes:
            for outcome in outcomes:
                if isinstance(outcome, Receipt):
                    receipts.append(outcome)
                    watch.advance(outcome)
                    continue
                watch.fail(outcome)
                if outcome.fatal:
                    raise RunError(outcome.message)
                failures.append(outcome)
    finally:
        watch.end()
    if failures:
        raise StageFailedError(job.stage.name, sorted(failures, key=lambda f: f.name))
    return receipts


def _receipt_if_done(task: Task) -> Receipt | None:
    if shard.is_done(task.folder, task.name, task.key()):
        return shard.read_receipt(task.folder, task.name)
    return None


def _nothing_left(result: StageResult) -> str:
    worst = sorted(result.dropped.items(), key=lambda item: -item[1])[:3]
    why = ", ".join(f"{reason} {count}" for reason, count in worst)
    return (
        f"{result.stage}: none of {result.rows_in} documents is left ({why}); "
        f"read them with `bukvar inspect {result.folder} --dropped`"
    )


def check_inputs(job: Job) -> None:
    """Refuse inputs that the stage can't read before any work: a missing text column, missing columns."""
    if isinstance(job.stage, FileStage):
        job.stage.check(job.inputs)
        return
    if not job.inputs:
        return
    first = next((i for i in job.inputs if i.path.partition("?")[0].endswith((".parquet", ".pq"))), None)
    if first is None:
        return
    try:
        schema = parquet_schema(first.path)
    except ShardError:
        return  # a corrupt file fails by itself, as a shard; the others go on
    try:
        check_text_column(schema, job.text_column, first.name)
    except ShardError as error:
        raise UsageError(str(error)) from error
    check_columns(job.stage, schema, first.name)


def check_columns(stage: Stage, schema: pa.Schema, where: str) -> None:
    """Raise UsageError where a stage needs a column that nothing before it makes."""
    made_up = {"doc_id", "url", "host", "fetched_at", "source", "text"}
    missing = [c for c in stage.needs if c not in schema.names and c not in made_up]
    if missing:
        names = ", ".join(missing)
        raise UsageError(
            f"{stage.name} needs the column {names}, which {where} lacks; run the stage that adds it"
        )


def _plan_of(job: Job) -> dict[str, Any]:
    plain = msgspec.json.decode(msgspec.json.encode(parameters(job.stage)))
    return {
        "stage": job.stage.name,
        "version": job.stage.version,
        "parameters": plain,
        "inputs": [i.name for i in job.inputs],
    }


def claim(job: Job) -> None:
    """Make the folder this job's. Raises UsageError where it holds something else and `redo` is not set."""
    location = storage.join(job.folder, shard.PLAN)
    plan = _plan_of(job)
    if storage.exists(location):
        if not job.redo:
            _check_same(job.folder, read_plan(job.folder), plan)
    elif storage.list_files(job.folder):
        raise UsageError(
            f"{job.folder}: the folder has files that bukvar did not write; choose an empty or new --out"
        )
    elif _is_file(job.folder):
        raise UsageError(f"{job.folder}: a file, not a folder; choose another --out")
    encoded = msgspec.json.format(msgspec.json.encode(plan), indent=1) + b"\n"
    storage.write_bytes(location, encoded)


def _is_file(location: str) -> bool:
    path = storage.local_path(location)
    return path is not None and path.is_file()


def read_plan(folder: str) -> dict[str, Any]:
    """The plan that a stage's folder belongs to. Raises UsageError where the folder is none of ours."""
    location = storage.join(folder, shard.PLAN)
    if not storage.exists(location):
        raise UsageError(f"{folder}: not a folder that a bukvar stage wrote (no {shard.PLAN})")
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


def _remove_stale(folder: str, names: set[str]) -> None:
    """Remove shards, dropped rows and receipts of tasks that this plan does not have, and shards that a task
    killed before its receipt left and the one that did its work did not write again."""
    for receipt in list(shard.read_receipts(folder)):
        if receipt.name not in names:
            shard.retract(folder, receipt.name, key="")
    written = {output.path for receipt in shard.read_receipts(folder) for output in receipt.outputs}
    for part in ("", shard.DROPPED, "data"):
        for location in storage.list_files(storage.join(folder, part) if part else folder):
            base = storage.base_name(location)
            if shard.SHARD_NAME.fullmatch(base) and posixpath.join(part, base) not in written:
                storage.delete(location)


def summarize(
    stage: str, folder: str, receipts: Iterable[Receipt], tasks: int = 0, before: int = 0
) -> StageResult:
    """Fold receipts into sums: documents by the phases that write shards, seconds by all."""
    dropped: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    sums = Counter[str]()
    seconds, count = 0.0, 0
    for receipt in receipts:
        count += 1
        seconds += receipt.seconds
        if receipt.phase not in SHARD_PHASES:
            continue
        dropped.update(receipt.dropped)
        skipped.update(receipt.skipped)
        sums.update(
            rows_in=receipt.rows_in,
            rows_out=receipt.rows_out,
            bytes_in=receipt.bytes_in,
            bytes_out=receipt.bytes_out,
        )
    return StageResult(
        stage=stage,
        folder=folder,
        tasks=tasks or count,
        done_before=before,
        dropped=dict(sorted(dropped.items())),
        skipped=dict(sorted(skipped.items())),
        seconds=round(seconds, 3),
        rows_in=sums["rows_in"],
        rows_out=sums["rows_out"],
        bytes_in=sums["bytes_in"],
        bytes_out=sums["bytes_out"],
    )


def outputs_of(folder: str) -> list[Input]:
    """A stage's shards as inputs of the next: digests from the receipts, names without folders."""
    found = []
    for receipt in shard.read_receipts(folder):
        for output in receipt.outputs:
            if "/" not in output.path and output.path.endswith(".parquet"):
                path = storage.join(folder, output.path)
                found.append(Input(path, output.path, output.digest, output.bytes, output.rows))
    return sorted(found, key=lambda i: i.name)
