"""Run one stage over its inputs: plan (planning.py), claim the folder (claims.py, lease.py), skip what is
done, run the rest, account.

Receipts decide what is done, so a killed run goes on where it was, on any number of workers. What an earlier
plan left and this one does not make is removed at the end.
"""

from __future__ import annotations

import dataclasses
import posixpath
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Final, Protocol

from corpus import receipts as records
from corpus import storage
from corpus.errors import BukvarError, RunError, StageError
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
from pipelines.sums import Tally

#: Pauses in seconds between looks for files that were said to be there: NFS may hide them for half a minute.
LATE: Final = (1.0, 5.0, 30.0)


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
        super().__init__(f"{stage}: {count} failed ({shown}{more}); mend them and run the same command again")
        names = ", ".join(_one(f) or f.name for f in failures[:5])
        self._closing = (
            f"{stage}: {count} failed, as said above: {names}{more}; mend them and run the same command again"
        )

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
    with lease(job.folder) as held:
        work = _Work(held, Tally(job.stage.name, job.folder), claim(plan, held), executor, reporter)
        job.digests.save()
        folder = read_folder(job.folder)
        _clean_up(held)
        _forget_heartbeats(folder)
        try:
            worked, failures = _run_phases(plan, folder, work)
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
    """Remove what killed writers left half-written; nobody else writes there while we hold the lease."""
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
        records.retract(plan.job.folder, stale)
        tally.receipts |= {r.name: r for r in finished}
        if pending and records.SUMS in folder.files:
            tally.write(ended=False)
        done, failed = _run_phase(plan, (tasks, pending), work)
        _forget_failures(folder, done)
        failures += failed
        worked += len(done)
        if number + 1 == len(plan.phases):
            break
        if done:
            _check_stored(folder, tally.receipts)
        if failed:
            plan = _without(plan, {f.name for f in failed}, number)
            if not plan.inputs:
                break
    return worked, failures


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
    where an outcome is fatal, or another driver took the folder over."""
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
                reporter.fail(outcome)
                if outcome.fatal:
                    raise RunError(outcome.message)
                failures.append(outcome)
    finally:
        reporter.end()
    return receipts, failures


def _forget_failures(folder: Folder, done: Iterable[Receipt]) -> None:
    """Delete the records of earlier failures of tasks that are done now."""
    for receipt in done:
        failure = f"{records.FAILED}/{receipt.name}.json"
        if failure in folder.files:
            storage.delete(storage.join(folder.location, failure))


def _forget_heartbeats(folder: Folder) -> None:
    """Delete those of workers that were killed; while we hold the lease and no task runs, all are."""
    for path in folder.below(records.RUNNING):
        storage.delete(storage.join(folder.location, path))


def _check_stored(before: Folder, receipts: Mapping[str, Receipt]) -> Folder:
    """The folder as it is listed now. Raises RunError where storage does not hold what the tasks returned;
    a shared disk may show other machines' files some seconds late."""
    location = before.location
    for wait in (*LATE, None):
        folder = read_folder(location, {**before.receipts, **receipts})
        lost = [r for r in receipts.values() if not folder.is_done(r.name, r.key)]
        if not lost:
            return folder
        if wait is not None:
            time.sleep(wait)
    if lost[0].name not in folder.receipts:
        raise RunError(
            f"{location}: {len(lost)} of {len(receipts)} tasks were done elsewhere ({lost[0].name} ...): the "
            "machines do not share this folder; give an --out that all of them see"
        )
    raise RunError(
        f"{location}: files of {len(lost)} of {len(receipts)} tasks are gone or changed since they were "
        f"written ({lost[0].name} ...); see that nothing else writes there and run the same command again"
    )


def _finish(plan: Plan, before: Folder, work: _Work, worked: int, failures: Sequence[Failure]) -> StageResult:
    """Remove what this plan does not make, check that storage holds what was returned, write the index."""
    location, receipts = plan.job.folder, work.tally.receipts
    changed = (
        bool(worked or failures) or set(before.receipts) != set(receipts) or records.INDEX not in before.files
    )
    if changed:
        failed = {f.name for f in failures}
        stale = [r for name, r in before.receipts.items() if name not in receipts and name not in failed]
        records.retract(location, stale)
        after = _check_stored(before, receipts)
        if work.in_doubt:
            _check_intact(location, receipts)
        _remove_stale(after)
        _forget_failures(after, receipts.values())
        _forget_heartbeats(after)
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


def _check_intact(location: str, receipts: Mapping[str, Receipt]) -> None:
    """Raise RunError where another driver's tasks wrote over a file of ours since its receipt."""
    good = {receipt.name for receipt in records.intact(location, receipts.values())}
    bad = sorted(set(receipts) - good)
    if bad:
        raise RunError(
            f"{location}: files of {len(bad)} of {len(receipts)} tasks were written by a bukvar with other "
            f"parameters or inputs meanwhile ({bad[0]} ...); end it and run the same command again"
        )


def _remove_stale(folder: Folder) -> None:
    """Remove shards, dropped rows and work files that no receipt states: of a plan that is no more, or of a
    task that was killed before its receipt and did not write them again."""
    written = {output.path for receipt in folder.receipts.values() for output in receipt.outputs}
    for path in folder.files:
        part = posixpath.dirname(path).partition("/")[0]
        ours = part in (records.DROPPED, records.WORK, records.SITES) or (
            part in ("", "data", "sample") and path.endswith(".parquet")
        )
        ours |= path.startswith(records.PROBE)  # of a driver that was killed while machines looked for it
        if ours and path not in written:
            storage.delete(storage.join(folder.location, path))


def outputs_of(folder: str) -> list[Input]:
    """A stage's shards as inputs of the next: digests from the receipts, names without folders."""
    found = []
    for receipt in records.read_receipts(folder):
        for output in receipt.outputs:
            if "/" not in output.path and output.path.endswith(".parquet"):
                path = storage.join(folder, output.path)
                found.append(Input(path, output.path, output.digest, output.bytes, output.rows))
    return sorted(found, key=lambda i: i.name)
