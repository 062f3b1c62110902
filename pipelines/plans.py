"""What is going to be done, as data and as a table on a terminal (`--dry-run`)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from pipelines.planning import Plan
from pipelines.progress import make_console, size


@dataclass(frozen=True)
class PhasePlan:
    """One phase of a stage that is to run: tasks, processors and bytes of memory of each (0: not known)."""

    name: str
    tasks: int
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


def stage_plan(plan: Plan, columns: Sequence[str]) -> StagePlan:
    """A plan without its tasks."""
    phases = tuple(PhasePlan(p.name, len(tasks), p.cpus, p.memory) for p, tasks in plan.phases)
    total = sum(source.size for source in plan.inputs)
    return StagePlan(plan.stage.name, plan.job.folder, len(plan.inputs), total, phases, tuple(columns))


def print_plan(stages: Sequence[StagePlan], *, as_json: bool) -> None:
    """Print stages and phases on stdout."""
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(stages), indent=2).decode() + "\n")
        return
    from rich.table import Table

    grid = Table(box=None, padding=(0, 2, 0, 0))
    for title, side in (
        ("stage", "left"),
        ("phase", "left"),
        ("tasks", "right"),
        ("reads", "right"),
        ("memory a task", "right"),
        ("columns", "right"),
    ):
        grid.add_column(title, justify=side)  # type: ignore[arg-type]  # a literal, read as str
    for number, stage in enumerate(stages):
        for place, phase in enumerate(stage.phases):
            first = not place
            about = "" if number == 0 else "at most "
            grid.add_row(
                stage.stage if first else "",
                phase.name,
                f"{phase.tasks:,}",
                about + size(stage.bytes_in) if first else "",
                size(phase.memory) if phase.memory else "",
                str(len(stage.columns)) if first and stage.columns else "",
            )
    make_console().print(grid)
