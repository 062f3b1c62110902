"""Executors: functions from tasks to what became of them.

An executor takes independent tasks and yields a `Receipt` or a `Failure` for each, in any order, and a
`Notice` of what a person should know on the way; the outputs are the same bytes whichever it is. Ray's (in
`pipelines.cluster`) is what people run; `run_inline` serves debugging and tests.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import socket
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from corpus import storage
from corpus.credentials import Keys, learn
from corpus.errors import BukvarError, RunError, ShardError, TransientError, one_line
from corpus.receipts import FAILED, RUNNING, Receipt
from corpus.stage import Task, run_task
from corpus.writing import Progress

#: Seconds between heartbeats of a running task: a small file each, also where that is an object.
BEAT_EVERY: Final = 5.0
#: Seconds for which a task is tried again where a server does not answer, the number of tries that it has in
#: any case, and the longest pause between.
PATIENCE: Final = 600.0
TRIES: Final = 4
_LONGEST_WAIT: Final = 60.0


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


@dataclass(frozen=True)
class Notice:
    """What happened to a task that goes on: its worker died and it is done again, say."""

    text: str


Outcome = Receipt | Failure | Notice
Executor = Callable[[Sequence[Task]], Generator[Outcome, None, None]]


def processors(executor: Executor) -> int:
    """Processors that the tasks of an executor can use now; 0 where that is not known yet."""
    return int(getattr(executor, "processors", 1))


def threads_a_task(executor: Executor, tasks: int) -> int:
    """Processors for each of so many tasks: several where there are more than tasks at a time. One where it
    is not known how many there are: those of this machine say nothing of a cluster's."""
    known = processors(executor)
    if not known:
        return 1
    return max(known, os.cpu_count() or 1) // max(1, min(known, tasks))


def attempt(task: Task) -> Receipt | Failure:
    """Run a task and turn an error into a Failure. A heartbeat says who does it and how far it is.

    Where a server does not answer the task is done again, with growing pauses, for `PATIENCE` seconds from
    then on, and `TRIES` times in any case: a task may take longer than that.
    """
    end = 0.0
    wait = 1.0
    with _heartbeat(task) as progress:
        for tries in itertools.count(1):
            try:
                return run_task(task, progress)
            except TransientError as error:
                end = end or time.monotonic() + PATIENCE
                if tries >= TRIES and time.monotonic() + wait > end:
                    return failed(task, error)
            except MemoryError as error:  # of this input alone, perhaps: a length in it that is a lie
                names = ", ".join(i.name for i in task.inputs[:3]) or task.record
                text = f"{names}: out of memory ({one_line(error)}); use fewer --workers or a larger machine"
                return failed(task, ShardError(text))
            except Exception as error:
                return failed(task, error)
            time.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311 - spreads requests, keeps no secret
            wait = min(2 * wait, _LONGEST_WAIT)
        raise AssertionError("unreachable: it counts without end")


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


def failed(task: Task, error: Exception) -> Failure:
    """The failure of a task, noted in its folder for `bukvar status`."""
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


def attempts(tasks: Sequence[Task], keys: Sequence[Keys] = ()) -> list[Receipt | Failure]:
    """`attempt` of each task, one after the other: several small tasks are sent to a worker as one. `keys`:
    of stores, as the driver's command names them."""
    learn(keys)
    return [attempt(task) for task in tasks]


def run_inline(tasks: Sequence[Task]) -> Generator[Outcome, None, None]:
    """One after the other in this process."""
    for task in tasks:
        yield attempt(task)
