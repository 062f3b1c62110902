"""What a person sees while work goes on: bars with ETA on a terminal, plain lines elsewhere. On stderr."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Final

import structlog

from corpus.shard import Receipt
from pipelines.execute import Failure

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

#: Seconds between plain lines where stderr is no terminal: often enough to see life, rare enough for a log.
LINE_EVERY: Final = 10.0
#: Tasks done before an ETA is told.
ETA_FROM: Final = 4


def make_console(*, stderr: bool = False) -> Console:
    """A rich console that honours NO_COLOR and stays plain where the stream is no terminal."""
    from rich.console import Console

    return Console(stderr=stderr, no_color=True if os.environ.get("NO_COLOR") else None, highlight=False)


class Silent:
    """Tells nobody (`--quiet`, tests)."""

    def begin(self, stage: str, phase: str, total: int, done: int) -> None: ...

    def advance(self, receipt: Receipt) -> None: ...

    def fail(self, failure: Failure) -> None: ...

    def end(self) -> None: ...


class Lines(Silent):
    """Plain lines: one when a phase ends, one every `LINE_EVERY` seconds before, one per failure."""

    def __init__(self) -> None:
        self._title, self._total, self._done, self._at_start = "", 0, 0, 0
        self._started = self._told = time.monotonic()

    def begin(self, stage: str, phase: str, total: int, done: int) -> None:
        self._title = stage if phase == "map" else f"{stage} ({phase})"
        self._total, self._done, self._at_start = total, done, done
        self._started = self._told = time.monotonic()

    def advance(self, receipt: Receipt) -> None:  # noqa: ARG002 - the protocol's signature
        self._done += 1
        now = time.monotonic()
        if now - self._told >= LINE_EVERY:
            self._told = now
            worked = self._done - self._at_start
            left = (now - self._started) / worked * (self._total - self._done)
            # The first tasks wait for workers to start and tell nothing of the others.
            eta = f", about {duration(left)} left" if worked >= ETA_FROM else ""
            self._say(f"{self._title}: {self._done} of {self._total} tasks{eta}")

    def fail(self, failure: Failure) -> None:
        self._say(f"{self._title}: {failure.message}")

    def end(self) -> None:
        worked = self._done - self._at_start
        if worked:
            spent = duration(time.monotonic() - self._started)
            before = f", {self._at_start} were done before" if self._at_start else ""
            self._say(f"{self._title}: {worked} of {self._total} tasks in {spent}{before}")

    def _say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


class Bars(Lines):
    """A bar for the current phase: done, time spent, time left; a line remains of each phase."""

    def __init__(self) -> None:
        super().__init__()
        self._console = make_console(stderr=True)
        self._progress: Progress | None = None
        self._bar: TaskID | None = None

    def begin(self, stage: str, phase: str, total: int, done: int) -> None:
        super().begin(stage, phase, total, done)
        if done == total:
            return
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._progress = Progress(
            TextColumn("{task.description:<18}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TextColumn("shards"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._progress.start()
        self._bar = self._progress.add_task(self._title, total=total, completed=done)

    def advance(self, receipt: Receipt) -> None:  # noqa: ARG002 - the protocol's signature
        self._done += 1
        if self._progress is not None and self._bar is not None:
            self._progress.advance(self._bar)

    def end(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
        super().end()

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False)


class Logged:
    """Passes everything on to another watch and writes it down as JSON lines (`_log.jsonl`)."""

    def __init__(self, watch: Silent, log: structlog.typing.FilteringBoundLogger) -> None:
        self._watch, self._log = watch, log

    def begin(self, stage: str, phase: str, total: int, done: int) -> None:
        self._log.info("phase_begun", stage=stage, phase=phase, tasks=total, done_before=done)
        self._watch.begin(stage, phase, total, done)

    def advance(self, receipt: Receipt) -> None:
        self._log.info(
            "task_done",
            stage=receipt.stage,
            task=receipt.name,
            rows_in=receipt.rows_in,
            rows_out=receipt.rows_out,
            seconds=receipt.seconds,
            peak_memory_mb=receipt.peak_memory_mb,
        )
        self._watch.advance(receipt)

    def fail(self, failure: Failure) -> None:
        self._log.error("task_failed", task=failure.name, kind=failure.kind, message=failure.message)
        self._watch.fail(failure)

    def end(self) -> None:
        self._log.info("phase_ended")
        self._watch.end()


def make_watch(*, quiet: bool) -> Silent:
    """Bars on a terminal, lines elsewhere, nothing when quiet."""
    if quiet:
        return Silent()
    return Bars() if sys.stderr.isatty() else Lines()


def duration(seconds: float) -> str:
    """Seconds as a person says them: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def size(count: float) -> str:
    """Bytes as a person says them, in powers of ten: 512 B, 3.4 MB."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 1000 or unit == "TB":
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError("unreachable: TB takes everything")
