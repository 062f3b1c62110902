"""What is going to be done, as data and as a table on a terminal (`--dry-run`)."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec

from corpus.receipts import Receipt, read_folder
from pipelines.funnel import WIDE
from pipelines.planning import Plan
from pipelines.progress import make_console, size


@dataclass(frozen=True)
class PhasePlan:
    """One phase of a stage that is to run: tasks, those of them that are done, processors and bytes of memory
    of each (0: not known)."""

    name: str
    tasks: int
    done: int
    cpus: int
    memory: int


@dataclass(frozen=True)
class StagePlan:
    """One stage as it is planned: inputs and their bytes (of what an earlier stage is yet to make, at most
    what that reads), its phases, and the columns of what comes out (none: not known)."""

    stage: str
    folder: str
    inputs: int
    bytes_in: int
    phases: tuple[PhasePlan, ...]
    columns: tuple[str, ...]


def done_of(plan: Plan) -> dict[str, Receipt]:
    """Receipts of the tasks that were done before and stay done, by name. The folder is listed and its
    receipts are read; files are known by their sizes."""
    folder = read_folder(plan.job.folder)
    return {
        name: folder.receipts[name]
        for name in folder.receipts
        if name in plan.keys and folder.is_done(name, plan.keys[name])
    }


def stage_plan(plan: Plan, columns: Sequence[str], done: Collection[str] = ()) -> StagePlan:
    """A plan without its tasks. `done` are the names of the receipts of those that are done."""
    phases = tuple(
        PhasePlan(p.name, len(tasks), sum(t.record in done for t in tasks), p.cpus, p.memory)
        for p, tasks in plan.phases
    )
    total = sum(source.size for source in plan.inputs)
    return StagePlan(plan.stage.name, plan.job.folder, len(plan.inputs), total, phases, tuple(columns))


def print_plan(stages: Sequence[StagePlan], *, as_json: bool) -> None:
    """Print stages and phases on stdout."""
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(stages), indent=2).decode() + "\n")
        return
    from rich.table import Table

    console = make_console()
    grid = Table(box=None, padding=(0, 1 if console.width < WIDE else 2, 0, 0), pad_edge=False)
    for title in ("stage", "phase"):
        grid.add_column(title, no_wrap=True)
    for title in ("tasks", "to do", "reads", "memory a task", "columns"):
        grid.add_column(title, justify="right", no_wrap=title != "memory a task")
    for number, stage in enumerate(stages):
        for place, phase in enumerate(stage.phases):
            first = not place
            about = "" if number == 0 else "at most "
            grid.add_row(
                stage.stage if first else "",
                phase.name,
                f"{phase.tasks:,}",
                f"{phase.tasks - phase.done:,}",
                about + size(stage.bytes_in) if first else "",
                size(phase.memory) if phase.memory else "",
                str(len(stage.columns)) if first and stage.columns else "",
            )
    console.print(grid)
