"""What a person sees while work goes on: bars with ETA on a terminal, plain lines elsewhere. On stderr."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec

from corpus import storage
from corpus.errors import BukvarError
from corpus.receipts import RUNNING, Receipt
from pipelines import command_log
from pipelines.execute import Failure
from pipelines.pace import Pace
from pipelines.terminal import harmless

if TYPE_CHECKING:
    import structlog
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from pipelines.engine import Reporter

#: Seconds between plain lines where stderr is no terminal: often enough to see life, rare enough for a log.
LINE_EVERY: Final = 10.0
#: Tasks done before an ETA is given, or the share of all work that running tasks have done.
ETA_FROM: Final = 4
ETA_SHARE: Final = 0.02
#: Seconds between looks at the heartbeats of running tasks: half of what lies between two.
LOOK_EVERY: Final = 2.5
#: Rest between looks in times of what one takes: on an object store each running task is a request.
LOOK_REST: Final = 10.0


def make_console(*, stderr: bool = False) -> Console:
    """A rich console that honours NO_COLOR and stays plain where the stream is no terminal. Square brackets
    mean themselves."""
    from rich.console import Console

    no_color = True if os.environ.get("NO_COLOR") else None
    return Console(stderr=stderr, no_color=no_color, highlight=False, markup=False)


class Silent:
    """Reports nothing (tests)."""

    def begin(self, stage: str, phase: str, total: int, done: int, folder: str) -> None: ...

    def advance(self, receipt: Receipt) -> None: ...

    def fail(self, failure: Failure) -> None: ...

    def note(self, text: str) -> None: ...

    def end(self) -> None: ...


class Quiet(Silent):
    """Reports no progress, but what a person should know (`--quiet`)."""

    def note(self, text: str) -> None:
        print(harmless(text), file=sys.stderr, flush=True)


class Lines(Silent):
    """Plain lines: one when a phase ends, one every `LINE_EVERY` seconds before, one per failure.

    A thread looks every `LOOK_EVERY` seconds at the heartbeats of running tasks, so that one large file shows
    progress too.
    """

    def __init__(self) -> None:
        self._title, self._total, self._done, self._at_start = "", 0, 0, 0
        self._partial = 0.0
        self._started = self._said = time.monotonic()
        self._pace = Pace(self._started, 0)
        self._ended = threading.Event()
        self._looker: threading.Thread | None = None

    def begin(self, stage: str, phase: str, total: int, done: int, folder: str) -> None:
        self._title = stage if phase == "map" else f"{stage} ({phase})"
        self._total, self._done, self._at_start, self._partial = total, done, done, 0.0
        self._started = self._said = time.monotonic()
        self._pace = Pace(self._started, total, done)
        if done < total:
            self._ended = threading.Event()
            self._looker = threading.Thread(target=self._look, args=(folder, self._ended), daemon=True)
            self._looker.start()

    def _look(self, folder: str, ended: threading.Event) -> None:
        took = 0.0
        while not ended.wait(max(LOOK_EVERY, LOOK_REST * took)):
            began = time.monotonic()
            self._partial = running_share(folder)
            took = time.monotonic() - began
            self._show()

    def _show(self) -> None:
        """Print, when it is time to, how far the phase is."""
        now = time.monotonic()
        left = self._left(now)
        if now - self._said < LINE_EVERY:
            return
        self._said = now
        share = f" ({(self._done + self._partial) / self._total:.0%})" if self._partial else ""
        about = f", about {duration(left)} left" if left is not None else ""
        self._say(f"{self._title}: {self._done} of {self._total} tasks{share}{about}")

    def _left(self, now: float) -> float | None:
        """Seconds left. The first tasks wait for workers to start and say nothing of the others."""
        self._pace.update(self._done + self._partial, now)
        enough = self._done - self._at_start >= ETA_FROM or self._partial >= ETA_SHARE * self._total
        return self._pace.left(now) if enough else None

    def advance(self, receipt: Receipt) -> None:  # noqa: ARG002 - the protocol's signature
        self._done += 1
        self._partial = max(0.0, self._partial - 1.0)  # until the next look; never backwards
        self._show()

    def fail(self, failure: Failure) -> None:
        self._say(f"{self._title}: {failure.message}")

    def note(self, text: str) -> None:
        self._say(text)

    def end(self) -> None:
        if self._looker is not None:
            self._ended.set()
            self._looker.join()
            self._looker = None
        worked = self._done - self._at_start
        if worked:
            spent = duration(time.monotonic() - self._started)
            before = f", {self._at_start} done before" if self._at_start else ""
            self._say(f"{self._title}: {worked} of {self._total} tasks in {spent}{before}")

    def _say(self, text: str) -> None:
        print(harmless(text), file=sys.stderr, flush=True)


class Bars(Lines):
    """A bar for the current phase: done, time spent, time left; a line remains of each phase."""

    def __init__(self) -> None:
        super().__init__()
        self._console = make_console(stderr=True)
        self._progress: Progress | None = None
        self._bar: TaskID | None = None

    def begin(self, stage: str, phase: str, total: int, done: int, folder: str) -> None:
        super().begin(stage, phase, total, done, folder)
        if done == total:
            return
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
        )

        self._progress = Progress(
            TextColumn("{task.description:<18}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("shards"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=self._console,
            transient=True,
        )
        self._progress.start()
        self._bar = self._progress.add_task(self._title, total=total, completed=done, left="")

    def _show(self) -> None:
        left = self._left(time.monotonic())
        if self._progress is not None and self._bar is not None:
            about = f"{duration(left)} left" if left is not None else ""
            self._progress.update(self._bar, completed=self._done + self._partial, left=about)

    def end(self) -> None:
        progress, self._progress = self._progress, None
        if progress is not None:
            progress.stop()
        super().end()

    def _say(self, text: str) -> None:
        self._console.print(harmless(text))


class Logged:
    """Passes everything on to another reporter and writes it down as JSON lines (`_log.jsonl`)."""

    def __init__(self, reporter: Reporter, log: structlog.typing.FilteringBoundLogger) -> None:
        self._reporter, self._log = reporter, log

    def begin(self, stage: str, phase: str, total: int, done: int, folder: str) -> None:
        self._log.info("phase_begun", stage=stage, phase=phase, tasks=total, done_before=done)
        self._reporter.begin(stage, phase, total, done, folder)

    def advance(self, receipt: Receipt) -> None:
        self._log.info(
            "task_done",
            stage=receipt.stage,
            task=receipt.name,
            rows_in=receipt.rows_in,
            rows_out=receipt.rows_out,
            dropped=receipt.dropped,
            seconds=receipt.seconds,
            peak_memory_mb=receipt.peak_memory_mb,
        )
        self._reporter.advance(receipt)

    def fail(self, failure: Failure) -> None:
        self._log.error("task_failed", task=failure.name, kind=failure.kind, message=failure.message)
        self._log.debug("task_trace", task=failure.name, trace=failure.trace)
        self._reporter.fail(failure)

    def note(self, text: str) -> None:
        self._log.warning("note", text=text)
        self._reporter.note(text)

    def end(self) -> None:
        self._log.info("phase_ended")
        self._reporter.end()


def running_share(folder: str) -> float:
    """Sum of the shares that a folder's running tasks say they have done: 1.5 for a half and a whole task."""
    total = 0.0
    with suppress(BukvarError):
        for location in storage.list_files(storage.join(folder, RUNNING)):
            with suppress(BukvarError, msgspec.MsgspecError):  # the task may end while we look
                note = msgspec.json.decode(storage.read_bytes(location), type=dict[str, Any])
                total += float(note.get("done", 0.0))
    return total


def make_reporter(*, quiet: bool) -> Reporter:
    """Bars on a terminal, lines elsewhere, nothing when quiet; with --log the same as JSON lines too, with
    `--log -` these alone."""
    shown: Reporter = Quiet() if quiet else Bars() if sys.stderr.isatty() else Lines()
    log = command_log.current()
    if log is None:
        return shown
    return Logged(Silent() if log.on_stderr else shown, log.log)


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
