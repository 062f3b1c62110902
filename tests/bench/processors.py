"""Processor seconds of a command with all of its processes, those too that nobody waits for.

A control group counts them (version 1 or 2; it takes the right to make one). Where none can be made, only the
processes that were waited for count, and `Measured.whole` says so: of Ray that is little.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

#: Seconds for which processes that outlive the command are waited for before they are ended.
_LINGER = 20.0


@dataclass(frozen=True)
class Measured:
    """What a command took, by the clock and of all processors, and what it wrote."""

    wall: float
    processor: float
    whole: bool
    code: int
    out: str
    err: str

    def __str__(self) -> str:
        which = "" if self.whole else " (only of what was waited for)"
        return f"{self.wall:7.1f} s, {self.processor:7.1f} s of processors{which}"


class _Group:
    """A control group of its own."""

    def __init__(self) -> None:
        name = f"bukvar-bench-{os.getpid()}-{time.monotonic_ns()}"
        for root, figure in (("cpuacct", "cpuacct.usage"), ("unified", "cpu.stat"), (".", "cpu.stat")):
            self.path = Path("/sys/fs/cgroup") / root / name
            self._figure = figure
            with suppress(OSError):
                self.path.mkdir()
                if (self.path / figure).exists():
                    return
                self.path.rmdir()
        raise OSError("no control group can be made here")

    def enter(self) -> None:
        (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def processes(self) -> list[int]:
        return [int(line) for line in (self.path / "cgroup.procs").read_text().split()]

    def seconds(self) -> float:
        text = (self.path / self._figure).read_text()
        if self._figure == "cpuacct.usage":
            return int(text) / 1e9
        return int(text.split("usage_usec")[1].split()[0]) / 1e6

    def close(self) -> None:
        """Wait for what is left, end it, and remove the group."""
        end = time.monotonic() + _LINGER
        while self.processes() and time.monotonic() < end:
            time.sleep(0.1)
        for process in self.processes():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        while self.processes():
            time.sleep(0.1)


def measure(command: Sequence[str], cwd: Path, environment: dict[str, str] | None = None) -> Measured:
    """Run a command to its end and count what it took."""
    try:
        group: _Group | None = _Group()
    except OSError:
        group = None
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False,
        preexec_fn=group.enter if group else None,
    )  # fmt: skip
    wall = time.monotonic() - began
    if group is None:
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    else:
        group.close()
        seconds = group.seconds()
        group.path.rmdir()
    return Measured(wall, seconds, group is not None, done.returncode, done.stdout, done.stderr)
