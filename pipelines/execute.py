"""Executors: functions from tasks to what became of them. The only module that imports ray.

An executor takes independent tasks and yields a `Receipt` or a `Failure` for each, in any order; the outputs
are the same bytes whichever it is. `run_ray` is what people run; `run_inline` serves debugging and tests.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import socket
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from corpus import storage
from corpus.errors import BukvarError, RunError, UsageError, one_line
from corpus.receipts import FAILED, RUNNING, Receipt
from corpus.stage import Task, run_task
from corpus.writing import Progress

#: Tasks in flight per processor: one runs, one waits, so no processor idles and nothing piles up.
WINDOW_PER_CPU: Final = 2
#: Seconds between heartbeats of a running task: a small file each, also where that is an object.
BEAT_EVERY: Final = 5.0
#: How often Ray runs a task again whose worker died (killed, out of memory, its machine gone).
RETRIES: Final = 3
#: How often Ray is started here before giving up: its node dies where its agent takes longer than 15 s to
#: come up (fixed in Ray), which happens under heavy load; a later try finds the files in memory.
STARTS: Final = 4


@dataclass(frozen=True)
class Failure:
    """A task that failed: `fatal` where nothing else can succeed either (the disk is full, say)."""

    folder: str
    name: str
    inputs: tuple[str, ...]
    kind: str
    message: str
    trace: str = ""
    fatal: bool = False


Outcome = Receipt | Failure
Executor = Callable[[Sequence[Task]], Generator[Outcome, None, None]]


def attempt(task: Task) -> Outcome:
    """Run a task and turn an error into a Failure. A heartbeat says who does it and how far it is."""
    with _heartbeat(task) as progress:
        try:
            return run_task(task, progress)
        except KeyboardInterrupt:
            raise
        except MemoryError:
            return _failed(task, RunError("out of memory; use fewer --workers or a larger machine"))
        except Exception as error:
            return _failed(task, error)


@contextlib.contextmanager
def _heartbeat(task: Task) -> Iterator[Progress]:
    """Writes, every `BEAT_EVERY` seconds, who does the task and which share of it is done. A task that takes
    less writes nothing."""
    location = storage.join(task.folder, RUNNING, f"{task.record}.json")
    note = {"host": socket.gethostname(), "pid": os.getpid(), "started": round(time.time())}
    done = 0.0
    ended = threading.Event()
    written = False

    def beat() -> None:
        nonlocal written
        while not ended.wait(BEAT_EVERY):
            written = True
            with contextlib.suppress(BukvarError):  # a full disk is reported by the task itself
                beats = note | {"done": round(done, 4), "seen": round(time.time())}
                storage.write_bytes(location, msgspec.json.encode(beats))

    def progress(share: float) -> None:
        nonlocal done
        done = share

    writer = threading.Thread(target=beat, daemon=True)
    writer.start()
    try:
        yield progress
    finally:
        ended.set()
        writer.join()
        if written:
            with contextlib.suppress(BukvarError):
                storage.delete(location)


def _failed(task: Task, error: Exception) -> Failure:
    failure = Failure(
        folder=task.folder,
        name=task.record,
        inputs=tuple(i.name for i in task.inputs),
        kind=type(error).__name__,
        message=one_line(error),
        trace="".join(traceback.format_exception(error)),
        fatal=isinstance(error, RunError),
    )
    with contextlib.suppress(BukvarError):
        storage.write_bytes(
            storage.join(task.folder, FAILED, f"{task.record}.json"),
            msgspec.json.format(msgspec.json.encode(failure)) + b"\n",
        )
    return failure


def run_inline(tasks: Sequence[Task]) -> Generator[Outcome, None, None]:
    """One after the other in this process."""
    for task in tasks:
        yield attempt(task)


class RayExecutor:
    """Raw Ray tasks, paths in and paths out, in a bounded window.

    The cluster is started (in this process) or joined at the first task, so a run with nothing to do starts
    none. Use as a context manager: leaving it shuts down what it started, and only that. So does an end
    before all tasks are done (ctrl-C, `close()`), and before anybody cleans up behind the tasks that still
    run: Ray kills the workers of a driver that has left, here and on a cluster.
    (Cancelling them first, with force, makes Ray abort this process where one finishes at that moment.)
    """

    def __init__(self, address: str | None = None, workers: int | None = None) -> None:
        self._address, self._workers = address, workers
        self._ray: Any = None

    def __enter__(self) -> RayExecutor:
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    def _leave(self) -> None:
        if self._ray is not None:
            self._ray.shutdown()
            self._ray = None

    def __call__(self, tasks: Sequence[Task]) -> Generator[Outcome, None, None]:
        if not tasks:
            return
        ray = self._start()
        remote = ray.remote(max_retries=RETRIES)(attempt)
        waiting = list(reversed(tasks))
        running: dict[Any, Task] = {}
        try:
            while waiting or running:
                while waiting and len(running) < self._window():
                    task = waiting.pop()
                    takes = self._resources(task)
                    running[remote.options(**takes).remote(_anywhere(task))] = task
                done, _ = ray.wait(list(running), num_returns=1, timeout=1.0)
                for reference in done:
                    yield self._outcome(reference, running.pop(reference))
        except BaseException:  # also GeneratorExit: the caller wants no more
            self._leave()
            raise

    def _resources(self, task: Task) -> dict[str, float]:
        """Processors and memory of a task, at most what the largest machine has: it runs there alone then."""
        machines = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        cpus = max((machine.get("CPU", 0.0) for machine in machines), default=1.0)
        memory = max((machine.get("memory", 0.0) for machine in machines), default=0.0)
        taken = {"num_cpus": max(1.0, min(task.phase.cpus, cpus))}
        if task.phase.memory and memory:
            taken["memory"] = min(task.phase.memory, int(memory))
        return taken

    def _outcome(self, reference: Any, task: Task) -> Outcome:
        try:
            outcome: Outcome = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            gone = RunError if isinstance(error, self._ray.exceptions.RaySystemError) else BukvarError
            kind = type(error).__name__
            text = f"worker died {RETRIES + 1} times ({kind}); memory may be short: use fewer --workers"
            return _failed(task, gone(text))
        return outcome

    def _window(self) -> int:
        # Asked anew each time: a machine that joins the cluster gets work at once.
        return WINDOW_PER_CPU * max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def _start(self) -> Any:
        if self._ray is not None:
            return self._ray
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        if self._address:
            os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "error")  # its 20 retries are one error of ours
            if _has_token():  # since 2.60 `ray start` asks for it, and `ray.init(address)` does not send it
                os.environ.setdefault("RAY_AUTH_MODE", "token")
        import ray

        options: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
        if self._address:
            options["address"] = self._address
        else:  # "local": else Ray would join a cluster that somebody started on this machine
            count = self._workers or os.cpu_count()
            options |= {"address": "local", "num_cpus": count, "include_dashboard": False}
        try:
            self._init(ray, options)
        except Exception as error:  # Ray raises bare Exception where a node does not come up
            if self._address:
                raise UsageError(
                    f"no Ray cluster answers at {self._address} ({one_line(error)[:120]}); "
                    "start one with `ray start --head` (if it runs on another machine, copy its "
                    "~/.ray/auth_token here), or leave --address out"
                ) from error
            raise RunError(
                f"Ray did not start: {one_line(error)[:200]}; `--executor inline` runs without it"
            ) from error
        # Ray prints its notices ("a worker died ...") to stdout, which is data here, even with log_to_driver
        # off; it has no public switch. A test kills workers and reads stdout.
        ray._private.worker._worker_logs_enabled = False
        self._ray = ray
        return ray

    def _init(self, ray: Any, options: dict[str, Any]) -> None:
        for last in [False] * (STARTS - 1) + [True]:
            try:
                ray.init(**options)
            except Exception:
                with contextlib.suppress(Exception):
                    ray.shutdown()  # what did come up
                if last or self._address:
                    raise
            else:
                return


def _has_token() -> bool:
    """Whether Ray would find a token, in the places that its manual names."""
    if os.environ.get("RAY_AUTH_TOKEN"):
        return True
    path = os.environ.get("RAY_AUTH_TOKEN_PATH")
    return (Path(path) if path else Path.home() / ".ray" / "auth_token").is_file()


def _anywhere(task: Task) -> Task:
    """The task with whole paths: a worker's current folder need not be ours."""
    inputs = tuple(dataclasses.replace(i, path=storage.absolute(i.path)) for i in task.inputs)
    return dataclasses.replace(task, inputs=inputs, folder=storage.absolute(task.folder))


@contextlib.contextmanager
def open_executor(name: str, address: str | None, workers: int | None) -> Iterator[Executor]:
    """The executor of that name ("ray" or "inline"). Raises UsageError for another."""
    if name == "inline":
        yield run_inline
    elif name == "ray":
        with RayExecutor(address, workers) as executor:
            yield executor
    else:
        raise UsageError(f"--executor {name}: there are `ray` and `inline`")
