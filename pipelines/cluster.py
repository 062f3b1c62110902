"""The executor on Ray, on this machine or on a cluster. The only module that imports ray.

Raw tasks, paths in and paths out, in a bounded window. Small tasks are sent in packs, one call for many;
each keeps its shard, its receipt and its outcome. What dies is counted here, not by Ray: a task whose worker
or machine is gone, or that ran out of memory, is done again a few times, each time said, and then set aside
as a failure; the others go on.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
import signal
import statistics
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from corpus import storage
from corpus.errors import BukvarError, RunError, ShardError, UsageError, one_line
from corpus.receipts import PROBE, RUNNING, Receipt, read_receipt
from corpus.stage import Task
from pipelines.execute import Failure, Notice, Outcome, attempts, failed

#: Tasks in flight per processor: one runs, one waits, so no processor idles and nothing piles up.
WINDOW_PER_CPU: Final = 2
#: How often a task is done again whose worker died (killed, out of memory, its machine gone).
RETRIES: Final = 3
#: How often Ray is started here before giving up: its node dies where its agent takes longer than 15 s to
#: come up (fixed in Ray), which happens under heavy load; a later try finds the files in memory.
STARTS: Final = 4
#: A task that runs this many times as long as the median, and at least so many seconds, when nothing else is
#: left to begin, is begun a second time elsewhere; the first result counts.
STRAGGLES: Final = 3.0
STRAGGLES_AFTER: Final = 30.0
#: Bytes of input in one pack of tasks at most, and bytes that a task counts for beside its input: what it
#: costs to write its files (20 ms at 25 MB/s).
PACK_BYTES: Final = 128 << 20
TASK_BYTES: Final = 500_000
#: Packs that the remaining work is cut into for each processor: packs get smaller towards the end of a phase,
#: so that no processor has much left when the others are done.
PACKS_PER_CPU: Final = 4


@dataclass
class _Try:
    """A task with how often its worker died, and memory beyond its phase's, in bytes."""

    task: Task
    tries: int = 0
    memory: float = 0.0

    @property
    def cost(self) -> int:
        return TASK_BYTES + sum(source.size for source in self.task.inputs)


@dataclass
class _Pack:
    """Tasks that Ray has as one call, in order, and since when."""

    tries: list[_Try]
    started: float = 0.0


class _Queue:
    """Tasks that wait, the next one last, and what they cost together."""

    def __init__(self, tries: Iterable[_Try]) -> None:
        self._tries = list(tries)
        self._cost = sum(one.cost for one in self._tries)

    def __bool__(self) -> bool:
        return bool(self._tries)

    def push(self, one: _Try) -> None:
        self._tries.append(one)
        self._cost += one.cost

    def _pop(self) -> _Try:
        one = self._tries.pop()
        self._cost -= one.cost
        return one

    def take(self, cpus: int) -> _Pack:
        """What is to be sent as one call: at most `PACK_BYTES`, and of what remains a part of each
        processor's. A task that was tried before goes alone: it may kill its worker again."""
        room = min(PACK_BYTES, self._cost // (PACKS_PER_CPU * cpus))
        pack = [self._pop()]
        room -= pack[0].cost
        while self._tries and not pack[0].tries and not self._tries[-1].tries:
            room -= self._tries[-1].cost
            if room < 0:
                break
            pack.append(self._pop())
        return _Pack(pack)


class RayExecutor:
    """Runs tasks on Ray, which is started in this process, or joined by address, at the first task.

    Use as a context manager: leaving it shuts down what it started, and only that. So does an end before all
    tasks are done (ctrl-C, `close()`), and before anybody cleans up behind the tasks that still run: Ray
    kills the workers of a driver that has left, here and on a cluster.
    (Cancelling them first, with force, makes Ray abort this process where one finishes at that moment.)
    `say` gets a line when Ray starts, which takes some seconds.
    """

    def __init__(
        self,
        address: str | None = None,
        workers: int | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self._address, self._workers, self._say = address, workers, say
        #: What tasks can use, as last seen (pipelines.execute.processors).
        self.processors = 1 if address else workers or os.cpu_count() or 1
        self._ray: Any = None
        self._seen: set[tuple[str, str]] = set()
        self._durations: list[float] = []

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
        self._start()
        self._check_nodes(tasks[0])
        waiting = _Queue(_Try(_anywhere(task)) for task in reversed(tasks))
        running: dict[Any, _Pack] = {}
        done: set[str] = set()
        self._durations = []
        try:
            while waiting or any(_is_wanted(pack, done) for pack in running.values()):
                while waiting and len(running) < self._window():
                    pack = waiting.take(self._cpus())
                    running[self._begin(pack)] = pack
                if not waiting:
                    self._double_stragglers(running, done)
                ready, _ = self._ray.wait(list(running), num_returns=1, timeout=1.0)
                for reference in ready:
                    yield from self._received(running.pop(reference), reference, waiting, done)
            for reference in running:  # copies of what is done: they stop by themselves at the next chance
                self._ray.cancel(reference, force=False)
        except BaseException:  # also GeneratorExit: the caller wants no more
            self._leave()
            raise

    def _begin(self, pack: _Pack) -> Any:
        pack.started = time.monotonic()
        # A list, not a generator: of one whose worker died ray.wait may never say a word.
        remote = self._ray.remote(max_retries=0)(attempts)
        return remote.options(**self._resources(pack.tries)).remote([one.task for one in pack.tries])

    def _resources(self, tries: Sequence[_Try]) -> dict[str, float]:
        """Processors and memory of a pack, at most what the largest machine has: it runs there alone then."""
        machines = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        cpus = max((machine.get("CPU", 0.0) for machine in machines), default=1.0)
        memory = max((machine.get("memory", 0.0) for machine in machines), default=0.0)
        taken = {"num_cpus": max(1.0, min(max(one.task.phase.cpus for one in tries), cpus))}
        wanted = max(max(one.memory, one.task.phase.memory) for one in tries)
        if wanted and memory:
            taken["memory"] = min(wanted, int(memory))
        return taken

    def _received(self, pack: _Pack, reference: Any, waiting: _Queue, done: set[str]) -> Iterator[Outcome]:
        """The outcomes of a pack, each task's first; of one whose worker died see `_lost`."""
        try:
            outcomes: list[Receipt | Failure] = self._ray.get(reference)
        except self._ray.exceptions.RaySystemError as error:
            raise RunError(f"Ray itself failed: {one_line(error)[:200]}") from error
        except self._ray.exceptions.RayError as error:
            yield from self._lost(error, pack, waiting, done)
            return
        self._durations += [(time.monotonic() - pack.started) / len(outcomes)] * len(outcomes)
        for one, outcome in zip(pack.tries, outcomes, strict=True):
            if one.task.record not in done:
                done.add(one.task.record)
                yield outcome

    def _lost(self, error: Exception, pack: _Pack, waiting: _Queue, done: set[str]) -> Iterator[Outcome]:
        """What a pack had done when its worker died, by its receipts; the first of the others is to blame,
        and all of them go back to those that wait."""
        left = []
        for one in pack.tries:
            if one.task.record in done:
                continue  # the copy of a task that is done
            receipt = _receipt_of(one.task) if len(pack.tries) > 1 else None
            if receipt is None:
                left.append(one)
            else:
                done.add(one.task.record)
                yield receipt
        for one in reversed(left[1:]):
            waiting.push(one)
        if left:
            yield self._died(error, left[0], waiting, done)

    def _died(self, error: Exception, one: _Try, waiting: _Queue, done: set[str]) -> Outcome:
        memory = isinstance(error, self._ray.exceptions.OutOfMemoryError)
        why = "ran out of memory" if memory else f"lost its worker ({type(error).__name__})"
        names = ", ".join(i.name for i in one.task.inputs[:3]) or one.task.record
        place = f"{names}{_how_far(one.task)}"
        one.tries += 1
        if one.tries > RETRIES:
            done.add(one.task.record)
            text = f"{place}: {why} {one.tries} times and is set aside; "
            text += (
                "give it a machine with more memory, or leave it out" if memory else "see the machine's log"
            )
            return failed(one.task, ShardError(text))
        if memory:  # alone with twice the memory, a task that shared its machine may pass
            one.memory = 2 * max(one.memory, one.task.phase.memory, 1 << 30)
        waiting.push(one)
        return Notice(f"{place}: {why}; done again ({one.tries} of {RETRIES})")

    def _double_stragglers(self, running: dict[Any, _Pack], done: set[str]) -> None:
        """Begin a second time what takes far longer than the others, where a processor is free."""
        records = [one.task.record for pack in running.values() for one in pack.tries]
        if len(self._durations) < 4 or len(running) >= self._cpus():
            return
        limit = max(STRAGGLES_AFTER, STRAGGLES * statistics.median(self._durations))
        for pack in list(running.values()):
            left = [one for one in pack.tries if one.task.record not in done]
            slow = time.monotonic() - pack.started > limit * len(pack.tries)
            if slow and left and records.count(left[0].task.record) == 1:
                copy = _Pack([dataclasses.replace(one) for one in left])
                running[self._begin(copy)] = copy
                return

    def _window(self) -> int:
        return WINDOW_PER_CPU * self._cpus()

    def _cpus(self) -> int:
        # Asked anew each time: a machine that joins the cluster gets work at once.
        self.processors = max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        return self.processors

    def _check_nodes(self, task: Task) -> None:
        """Before the first task of a folder: a task on each machine of a cluster reads what is written here.

        Raises UsageError that names a machine which does not see the folder, or has another bukvar.
        """
        nodes = {n["NodeID"]: n for n in self._ray.nodes() if n["Alive"] and n["Resources"].get("CPU")}
        new = [node for node in nodes if (node, task.folder) not in self._seen]
        if len(nodes) < 2 or not new:
            return
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        token = secrets.token_hex(8)
        location = storage.join(storage.absolute(task.folder), f"{PROBE}{token}")
        storage.write_bytes(location, token.encode())
        try:
            remote = self._ray.remote(num_cpus=0, max_retries=RETRIES)(probe)
            answers = {
                node: remote.options(
                    scheduling_strategy=NodeAffinitySchedulingStrategy(node_id=node, soft=False)
                ).remote(location, token)
                for node in new
            }
            for node, reference in answers.items():
                with contextlib.suppress(self._ray.exceptions.RayError):  # the machine left meanwhile
                    fault = self._ray.get(reference)
                    if fault:
                        raise UsageError(f"machine {nodes[node]['NodeManagerHostname']}: {fault}")
        finally:
            storage.delete(location)
        self._seen |= {(node, task.folder) for node in new}

    def _start(self) -> None:
        if self._ray is not None:
            return
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        if self._address:
            os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "error")  # its 20 retries are one error of ours
            if _has_token():  # since 2.60 `ray start` asks for it, and `ray.init(address)` does not send it
                os.environ.setdefault("RAY_AUTH_MODE", "token")
        if self._say is not None:
            here = "starting Ray on this machine (--executor inline does without it)"
            self._say(f"joining the Ray cluster at {self._address}" if self._address else here)
        import ray

        options: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
        if self._address:
            options["address"] = self._address
        else:  # "local": else Ray would join a cluster that somebody started on this machine
            count = self._workers or os.cpu_count()
            options |= {"address": "local", "num_cpus": count, "include_dashboard": False}
        try:
            with _own_sigterm():
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


@contextlib.contextmanager
def _own_sigterm() -> Iterator[None]:
    """Puts this process's handler of SIGTERM back after the block: `ray.init` sets one that exits at once,
    and one in C++ that aborts after three seconds, in the middle of a clean end."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if handler is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)


def _is_wanted(pack: _Pack, done: set[str]) -> bool:
    """Whether a pack has a task that is not done."""
    return any(one.task.record not in done for one in pack.tries)


def probe(location: str, token: str) -> str:
    """What is wrong with the machine that this runs on, for a run into the folder of `location`; empty where
    nothing is."""
    folder = storage.parent(location)
    try:
        found = storage.read_bytes(location).decode()
    except BukvarError:
        found = ""
    if found != token:
        return (
            f"does not see {folder} as the driver does; give --out a folder that all machines share, "
            "or an object store (s3://)"
        )
    try:
        mark = storage.join(folder, f"{storage.base_name(location)}.back")
        storage.write_bytes(mark, b"")
        storage.delete(mark)
    except BukvarError as error:
        return f"can't write to {folder} ({one_line(error)})"
    return ""


def _receipt_of(task: Task) -> Receipt | None:
    """The receipt of a task, where it is done."""
    with contextlib.suppress(BukvarError):
        receipt = read_receipt(task.folder, task.record)
        return receipt if receipt is not None and receipt.key == task.key() else None
    return None


def _how_far(task: Task) -> str:
    """How far a task was, as its last heartbeat says."""
    with contextlib.suppress(BukvarError, msgspec.MsgspecError):
        location = storage.join(task.folder, RUNNING, f"{task.record}.json")
        note = msgspec.json.decode(storage.read_bytes(location), type=dict[str, Any])
        size = sum(i.size for i in task.inputs)
        share = float(note.get("done", 0.0))
        return f" (at {share:.0%}, about byte {int(share * size)})"
    return ""


def _has_token() -> bool:
    """Whether Ray would find a token, in the places that its manual names."""
    if os.environ.get("RAY_AUTH_TOKEN"):
        return True
    path = os.environ.get("RAY_AUTH_TOKEN_PATH")
    return (Path(path) if path else Path.home() / ".ray" / "auth_token").is_file()


def _anywhere(task: Task) -> Task:
    """The task with whole paths: a worker's current folder need not be ours."""
    inputs = tuple(dataclasses.replace(i, path=storage.absolute(i.path)) for i in task.inputs)
    scratch = task.scratch and storage.absolute(task.scratch)
    return dataclasses.replace(task, inputs=inputs, folder=storage.absolute(task.folder), scratch=scratch)
