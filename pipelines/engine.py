"""Run one stage over its inputs: plan (planning.py), claim the folder (claims.py, lease.py), skip what is
done, run the rest, account.

Receipts decide what is done, so a killed run goes on where it was, on any number of workers. What an earlier
plan left and this one does not make is removed at the end.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Protocol

from corpus import receipts as records
from corpus import storage
from corpus.errors import BukvarError, RunError, StageError
from corpus.faults import stopping
from corpus.inputs import Input
from corpus.leftovers import clean_leftovers
from corpus.receipts import Folder, Receipt, read_folder
from corpus.stage import Task
from corpus.uploads import end_open_uploads
from pipelines import lineage
from pipelines.account import StageResult, summarize
from pipelines.claims import check_folder, claim, settle
from pipelines.cutting import uncut
from pipelines.execute import Executor, Failure, Notice, threads_a_task
from pipelines.lease import Held, lease
from pipelines.planning import Job as Job
from pipelines.planning import Plan, planned
from pipelines.planning import plan_job as plan_job
from pipelines.settling import (
    check_intact,
    check_stored,
    forget_failures,
    forget_heartbeats,
    remove_stale,
)
from pipelines.sums import Tally


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
        shown = "; ".join(f"{_one(f)}: {_tail(f)}" if _one(f) else f.message for f in failures[:5])
        more = f" and {len(failures) - 5} more" if len(failures) > 5 else ""
        count = f"{len(failures)} shard{'s' if len(failures) > 1 else ''}"
        then = f"mend {'them' if len(failures) > 1 else 'it'} and run the same command again"
        super().__init__(f"{stage}: {count} failed ({shown}{more}); {then}")
        names = ", ".join(_one(f) or f.name for f in failures[:5])
        self._closing = f"{stage}: {count} failed, for the reasons above: {names}{more}; {then}"

    def closing(self) -> str:
        return self._closing


def _one(failure: Failure) -> str:
    """The input of a task that has one; nothing for a task over several, or over other tasks' work."""
    return failure.inputs[0] if len(failure.inputs) == 1 else ""


def _tail(failure: Failure) -> str:
    return failure.message.removeprefix(f"{_one(failure)}: ")


def run_stage(job: Job, executor: Executor, reporter: Reporter) -> StageResult:
    """Do what is not done. Raises StageFailedError after all other tasks are done, StageError where nothing
    is left and `fail_if_empty` is set, RunError when nothing can go on, UsageError before any work."""
    storage.check_writable(job.folder)
    with storage.impatient():
        plan = plan_job(job)
        check_folder(plan)
    with storage.patient(), lease(job.folder) as held:
        work = _Work(held, Tally(job.stage.name, job.folder), claim(plan, held), executor, reporter)
        job.digests.save()
        folder = read_folder(job.folder)
        _clean_up(held)
        forget_heartbeats(folder)
        try:
            worked, failures = _run_phases(plan, folder, work)
        except KeyboardInterrupt:
            stopping.set()  # a store that does not answer holds nobody up from here on
            raise
        finally:
            _clean_up(held)  # of workers that died on the way
        held.check()
        result = _finish(plan, folder, work, worked, failures)
    if whole := uncut(plan.inputs, job.part_bytes):
        result.notes["not cut"] = whole
    for text in result.remarks():
        reporter.note(text)
    if failures:
        raise StageFailedError(job.stage.name, sorted(failures, key=lambda f: f.name))
    makes = any(phase.documents for phase, _ in plan.phases)
    if job.fail_if_empty and makes and not result.rows_out:
        raise StageError(f"{result.empty()}; run.fail_if_empty is set")
    return result


@dataclass(frozen=True)
class _Work:
    """What the phases of a stage share: the folder's lease, all receipts so far (of earlier runs too),
    whether files are in doubt (`claim`), and who does tasks and shows them."""

    held: Held
    tally: Tally
    in_doubt: bool
    executor: Executor
    reporter: Reporter


def _clean_up(held: Held) -> None:
    """Remove what killed writers left half-written; nobody else writes there while we hold the lease. What
    can't be removed now costs nothing, and is tried again by the next command: why a run ends comes first."""
    with suppress(BukvarError):
        held.look()
        if held.is_ours:
            clean_leftovers(held.folder)
            end_open_uploads(held.folder)


def _run_phases(plan: Plan, folder: Folder, work: _Work) -> tuple[int, list[Failure]]:
    """Run the phases in order: number of tasks done now, and failures.

    An input whose task fails is left out of the later phases; the others go on.
    """
    tally = work.tally
    failures: list[Failure] = []
    worked = 0
    for number in range(len(plan.phases)):
        _, tasks = plan.phases[number]
        finished = [folder.receipts[t.record] for t in tasks if folder.is_done(t.record, plan.keys[t.record])]
        if work.in_doubt:
            finished = records.intact(folder.location, finished)
        names = {r.name for r in finished}
        pending = [task for task in tasks if task.record not in names]
        stale = [folder.receipts[t.record] for t in pending if t.record in folder.receipts]
        if pending:
            _unseal(plan, folder)
        records.retract(plan.job.folder, stale)
        tally.receipts |= {r.name: r for r in finished}
        if pending and records.SUMS in folder.files:
            tally.write(ended=False)
        done, failed = _run_phase(plan, (tasks, pending), work)
        forget_failures(folder, done)
        failures += failed
        worked += len(done)
        if number + 1 == len(plan.phases):
            break
        if done:
            check_stored(folder, tally.receipts)
        if failed:
            plan = _without(plan, {f.name for f in failed}, number)
            if not plan.inputs:
                break
    return worked, failures


def _unseal(plan: Plan, folder: Folder) -> None:
    """Before a file of a folder changes, delete the one that says that it is whole (`seal` of the stage),
    which the end of the stage writes."""
    seal = getattr(plan.stage, "seal", "")
    if seal in folder.files:
        storage.delete(storage.join(folder.location, seal))


def _without(plan: Plan, failed: set[str], number: int) -> Plan:
    """The plan without the inputs of the failed tasks of a phase; of one over all inputs, nothing is left."""
    _, tasks = plan.phases[number]
    gone = {source for task in tasks if task.record in failed for source in task.inputs}
    inputs = tuple(source for source in plan.inputs if source not in gone) if gone else ()
    return (
        planned(plan.job, plan.stage, inputs, plan.sides) if inputs else dataclasses.replace(plan, inputs=())
    )


def _run_phase(
    plan: Plan, of_phase: tuple[Sequence[Task], Sequence[Task]], work: _Work
) -> tuple[list[Receipt], list[Failure]]:
    """Run the tasks of a phase that are to be done; `of_phase` are all of them and those. Raises RunError
    where an outcome is fatal, or another driver took the folder over, StageError where the one
    task of a phase found that the stage can't succeed."""
    tasks, pending = of_phase
    reporter = work.reporter
    phase = tasks[0].phase.name if tasks else "map"
    reporter.begin(plan.stage.name, phase, len(tasks), len(tasks) - len(pending), plan.job.folder)
    receipts, failures = [], []
    threads = threads_a_task(work.executor, len(pending))
    largest_first = sorted(pending, key=lambda task: -sum(i.size for i in task.inputs))
    largest_first = [dataclasses.replace(task, threads=threads) for task in largest_first]
    try:
        with closing(work.executor(largest_first)) as outcomes:
            for outcome in outcomes:
                work.held.check()
                if isinstance(outcome, Notice):
                    reporter.note(outcome.text)
                    continue
                if isinstance(outcome, Receipt):
                    receipts.append(outcome)
                    work.tally.add(outcome)
                    reporter.advance(outcome)
                    continue
                if outcome.kind == StageError.__name__ and len(tasks) == 1:  # no shard is to blame
                    raise StageError(f"{plan.stage.name}: {outcome.message}")
                reporter.fail(outcome)
                if outcome.fatal:
                    raise RunError(outcome.message)
                failures.append(outcome)
    finally:
        reporter.end()
    return receipts, failures


def _finish(plan: Plan, before: Folder, work: _Work, worked: int, failures: Sequence[Failure]) -> StageResult:
    """Remove what this plan does not make, check that storage holds what was returned, write the index."""
    location, receipts = plan.job.folder, work.tally.receipts
    changed = (
        bool(worked or failures) or set(before.receipts) != set(receipts) or records.INDEX not in before.files
    )
    if changed:
        failed = {f.name for f in failures}
        stale = [r for name, r in before.receipts.items() if name not in receipts and name not in failed]
        _unseal(plan, before)
        records.retract(location, stale)
        after = check_stored(before, receipts)
        if work.in_doubt:
            check_intact(location, receipts)
        remove_stale(after)
        forget_failures(after, receipts.values())
        forget_heartbeats(after)
        records.write_index(after)
        work.tally.write(ended=True)
    if work.in_doubt and not failures:
        settle(plan)
    result = summarize(plan.stage.name, location, receipts.values(), len(plan.tasks), len(receipts) - worked)
    if changed and not failures:
        own = lineage.entry_of(plan.stage, plan.sides, result)
        before_it = lineage.before(plan.inputs)
        own = own if before_it else lineage.with_sources(own, plan.job.inputs)
        lineage.write(location, (*before_it, own))
    return result


def outputs_of(folder: str) -> list[Input]:
    """A stage's shards as inputs of the next: digests from the receipts, names without folders."""
    found = [shard for receipt in records.read_receipts(folder) for shard in shards_in(folder, receipt)]
    return sorted(found, key=lambda i: i.name)


def shards_in(folder: str, receipt: Receipt) -> list[Input]:
    """The shards that a task wrote, as inputs of the next stage."""
    return [
        Input(storage.join(folder, one.path), one.path, one.digest, one.bytes, one.rows)
        for one in receipt.outputs
        if "/" not in one.path and one.path.endswith(".parquet")
    ]
