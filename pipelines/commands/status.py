"""`bukvar status RUN`: done, running, failed; drops by reason."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import Any, Final

import click

from pipelines.commands import common

#: Seconds without a heartbeat after which a task of another machine counts as interrupted.
SILENT_AFTER: Final = 60.0
#: Notes read at a time: an object store answers each in tens of milliseconds.
_READERS: Final = 32


@dataclass(frozen=True)
class StageStatus:
    """One stage, as its folder shows it."""

    stage: str
    state: str
    tasks_done: int
    #: Tasks of its plan; None where no plan is there yet.
    tasks: int | None
    running: tuple[str, ...]
    interrupted: tuple[str, ...]
    failed: dict[str, str]
    rows_in: int
    rows_out: int
    dropped: dict[str, int]
    seconds: float


@click.command(
    "status",
    help="Say what of a run (or of one stage's folder) is done, running and failed, and what was dropped.",
    epilog=common.examples("bukvar status out/demo"),
)
@click.argument("folder", metavar="RUN")
@common.output_options
def status(folder: str, **options: Any) -> None:
    stages = read_status(folder)
    if options["as_json"]:
        common.print_json(stages)
        return
    from rich.text import Text

    from pipelines.progress import make_console
    from pipelines.terminal import harmless

    console = make_console()
    width = max(9, *(len(stage.stage) for stage in stages))
    for stage in stages:
        about = f" {stage.state:<11} {_figures(stage)}".rstrip()
        console.print(Text.assemble((f"{stage.stage:<{width}}", "bold"), about), soft_wrap=True)
        for reason, count in sorted(stage.dropped.items(), key=lambda item: -item[1]):
            console.print(f"    {count:>9,}  {reason}", style="dim", soft_wrap=True)
        for name in stage.running:
            console.print(f"    running      {name}", soft_wrap=True)
        for name in stage.interrupted:
            console.print(
                f"    interrupted  {name} (run the same command again)", style="yellow", soft_wrap=True
            )
        for name, message in stage.failed.items():
            console.print(harmless(f"    failed       {name}: {message}"), style="red", soft_wrap=True)


def _figures(stage: StageStatus) -> str:
    """Documents, tasks and time of a stage that has begun."""
    from pipelines.progress import duration

    if stage.state == "planned":
        return ""
    rows = f"{stage.rows_in:>7,} in {stage.rows_out:>7,} out" if stage.rows_in else " " * 22
    of = f" of {stage.tasks:,}" if stage.tasks is not None and stage.tasks != stage.tasks_done else ""
    tasks = "task" if (stage.tasks or stage.tasks_done) == 1 else "tasks"
    return f"{rows}  {stage.tasks_done:,}{of} {tasks}, {duration(stage.seconds)}"


def read_status(folder: str) -> list[StageStatus]:
    """Status of each stage of a run, or of the one stage whose folder this is. Raises UsageError."""
    from corpus import storage
    from corpus.errors import UsageError
    from corpus.receipts import PLAN
    from pipelines.claims import read_plan
    from pipelines.layout import planned_stages, stage_folder, stages_of

    if storage.exists(storage.join(folder, PLAN)):
        return [_stage_status(read_plan(folder)["stage"], folder)]
    begun = stages_of(folder)
    if not begun:
        raise UsageError(f"{folder}: neither a run nor a stage's folder; name what --out named")
    return [
        _stage_status(stage, stage_folder(folder, stage)) if stage in begun else _planned(stage)
        for stage in planned_stages(folder, begun)
    ]


def _planned(stage: str) -> StageStatus:
    return StageStatus(stage, "planned", 0, None, (), (), {}, 0, 0, {}, 0.0)


def _stage_status(stage: str, location: str) -> StageStatus:
    from corpus import storage
    from corpus.receipts import FAILED, RUNNING, read_receipts
    from pipelines.account import summarize
    from pipelines.claims import read_plan
    from pipelines.sums import has_ended, is_worked_on, read_sums

    result = read_sums(location) or summarize(stage, location, read_receipts(location))
    running: list[str] = []
    interrupted: list[str] = []
    for name, note in _notes(storage.join(location, RUNNING)):
        (running if _alive(note) else interrupted).append(_described(name, note))
    failed = {name: str(note.get("message", "")) for name, note in _notes(storage.join(location, FAILED))}
    if running or is_worked_on(location):
        state = "running"
    elif failed:
        state = "failed"
    else:
        state = "interrupted" if interrupted or not has_ended(location) else "done"
    return StageStatus(
        stage=stage,
        state=state,
        tasks_done=result.tasks,
        tasks=read_plan(location).get("tasks"),
        running=tuple(running),
        interrupted=tuple(interrupted),
        failed=failed,
        rows_in=result.rows_in,
        rows_out=result.rows_out,
        dropped=result.dropped,
        seconds=result.seconds,
    )


def _notes(folder: str) -> list[tuple[str, dict[str, Any]]]:
    """The notes of tasks in a folder, by the tasks' names; what ends while we look is passed over."""
    from concurrent.futures import ThreadPoolExecutor

    from corpus import storage

    with ThreadPoolExecutor(_READERS) as pool:
        read = pool.map(_note, storage.list_files(folder))
        return [found for found in read if found is not None]


def _note(location: str) -> tuple[str, dict[str, Any]] | None:
    import msgspec

    from corpus import storage

    name = storage.base_name(location).removesuffix(".json")
    try:
        return name, msgspec.json.decode(storage.read_bytes(location), type=dict[str, Any])
    except storage.NotFoundError:
        return None
    except msgspec.MsgspecError:
        return name, {}


def _alive(note: dict[str, Any]) -> bool:
    """Whether the process of a heartbeat lives; of another machine, whether it has said so lately."""
    if note.get("host") != socket.gethostname():
        return time.time() - float(note.get("seen", 0.0)) < SILENT_AFTER
    from corpus.leftovers import is_alive

    try:
        return is_alive(int(note["pid"]))
    except (KeyError, ValueError):
        return False


def _described(name: str, note: dict[str, Any]) -> str:
    since = int(time.time() - note["started"]) if "started" in note else 0
    done = f", {note['done']:.0%} done" if "done" in note else ""
    return f"{name} on {note.get('host', '?')} for {since} s{done}"
