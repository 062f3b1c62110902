"""The executor on Ray, on this machine or on a cluster. The only module that imports ray.

Raw tasks, paths in and paths out, in a bounded window. Small tasks are sent in packs (`pipelines.packs`);
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
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from corpus import credentials, storage
from corpus.errors import RunError, ShardError, UsageError, one_line
from corpus.receipts import PROBE, Receipt, versions
from corpus.stage import Task
from pipelines.execute import Failure, Notice, Outcome, attempts, failed
from pipelines.machines import anywhere, forget_failure, has_token, how_far, probe, receipt_of
from pipelines.packs import Pack, Queue, Try

#: Tasks in flight per processor: one runs, one waits, so no processor idles and nothing piles up.
WINDOW_PER_CPU: Final = 2
#: How often a task is done again whose worker died (killed, out of memory, its machine gone).
RETRIES: Final = 3
#: Seconds within which a machine of a cluster has to begin its first task.
SILENCE: Final = 600.0
#: How often Ray is started here before giving up: its node dies where its agent takes longer than 15 s to
#: come up (fixed in Ray), which happens under heavy load; a later try finds the files in memory.
STARTS: Final = 4
#: A task that runs this many times as long as the median, and at least so many seconds, when nothing else is
#: left to begin, is begun a second time elsewhere; the first result counts.
STRAGGLES: Final = 3.0
STRAGGLES_AFTER: Final = 30.0
#: Seconds that the copy of a task which is done elsewhere has to end by itself.
ENDS_WITHIN: Final = 10.0
#: Receipts from which the memory that a phase's tasks take is known, and the bytes that it is rounded up to.
_MEASURED: Final = 4
_STEP: Final = 256 << 20
#: Tasks by which the next ones are judged: looked at for each call, so not all of a hundred thousand.
_RECENT: Final = 1000


@dataclass
class _Flow:
    """The tasks of one call of the executor: those that wait, packs that run by Ray's references, names of
    those whose outcome is known and of those that were begun twice, and what the last `_RECENT` took:
    seconds, and bytes of memory at most."""

    waiting: Queue
    running: dict[Any, Pack] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    durations: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT))
    peaks: deque[int] = field(default_factory=lambda: deque(maxlen=_RECENT))

    def wants(self, pack: Pack) -> bool:
        """Whether a pack has a task that is not done."""
        return any(one.task.record not in self.done for one in pack.tries)

    def runs(self, task: Task) -> bool:
        """Whether a pack that runs has a copy of the task."""
        return any(one.task.record == task.record for pack in self.running.values() for one in pack.tries)

    @property
    def goes_on(self) -> bool:
        return bool(self.waiting) or any(self.wants(pack) for pack in self.running.values())

    @property
    def usual_memory(self) -> int:
        """Bytes that a task of this phase takes as measured, rounded up: each figure is a queue of Ray's."""
        return -(-int(statistics.median(self.peaks)) // _STEP) * _STEP if len(self.peaks) >= _MEASURED else 0


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
        #: What tasks can use, as last seen (pipelines.execute.processors); 0 before a cluster is joined.
        self.processors = 0 if address else workers or os.cpu_count() or 1
        self._ray: Any = None
        self._seen: set[tuple[str, str]] = set()

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
        flow = _Flow(Queue(Try(anywhere(task)) for task in reversed(tasks)))
        try:
            while flow.goes_on:
                while flow.waiting and len(flow.running) < self._window():
                    self._begin(flow, flow.waiting.take(self._cpus()))
                if not flow.waiting:
                    self._double_stragglers(flow)
                ready, _ = self._ray.wait(list(flow.running), num_returns=1, timeout=1.0)
                for reference in ready:
                    yield from self._received(flow, flow.running.pop(reference), reference)
            self._stop_copies(list(flow.running))
        except BaseException:  # also GeneratorExit: the caller wants no more
            self._leave()
            raise

    def _begin(self, flow: _Flow, pack: Pack) -> None:
        pack.started = time.monotonic()
        # A list, not a generator: of one whose worker died ray.wait may never say a word.
        remote = self._ray.remote(max_retries=0)(attempts).options(**self._resources(flow, pack.tries))
        flow.running[remote.remote([one.task for one in pack.tries], credentials.known())] = pack

    def _resources(self, flow: _Flow, tries: Sequence[Try]) -> dict[str, float]:
        """Processors and memory of a pack, at most what the largest machine has: it runs there alone then.
        Memory is what its phase states, or what its tasks were seen to take."""
        machines = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        cpus = max((machine.get("CPU", 0.0) for machine in machines), default=1.0)
        memory = max((machine.get("memory", 0.0) for machine in machines), default=0.0)
        taken = {"num_cpus": max(1.0, min(max(one.task.phase.cpus for one in tries), cpus))}
        wanted = max(max(one.memory, one.task.phase.memory or flow.usual_memory) for one in tries)
        if wanted and memory:
            taken["memory"] = min(wanted, int(memory))
        return taken

    def _received(self, flow: _Flow, pack: Pack, reference: Any) -> Iterator[Outcome]:
        """The outcomes of a pack, each task's first; of one whose worker died see `_lost`. A failure counts
        where no other copy of the task runs."""
        try:
            outcomes: list[Receipt | Failure] = self._ray.get(reference)
        except self._ray.exceptions.RaySystemError as error:
            raise RunError(f"Ray itself failed: {one_line(error)[:200]}") from error
        except self._ray.exceptions.RayError as error:
            yield from self._lost(flow, error, pack)
            return
        flow.durations.extend([(time.monotonic() - pack.started) / len(outcomes)] * len(outcomes))
        for one, outcome in zip(pack.tries, outcomes, strict=True):
            if isinstance(outcome, Receipt):
                flow.peaks.append(outcome.peak_memory_mb << 20)
            elif one.task.record in flow.done or (not outcome.fatal and flow.runs(one.task)):
                forget_failure(one.task)
                continue
            if one.task.record not in flow.done:
                flow.done.add(one.task.record)
                yield outcome

    def _lost(self, flow: _Flow, error: Exception, pack: Pack) -> Iterator[Outcome]:
        """What a pack had done when its worker died, by its receipts; the first of the others is to blame,
        and all of them go back to those that wait, but for those of which another copy runs."""
        left = []
        for one in pack.tries:
            if one.task.record in flow.done or flow.runs(one.task):
                continue
            receipt = receipt_of(one.task)
            if receipt is None:
                left.append(one)
            else:
                flow.done.add(one.task.record)
                yield receipt
        for one in reversed(left[1:]):
            flow.waiting.push(one)
        if left:
            yield self._died(flow, error, left[0])

    def _died(self, flow: _Flow, error: Exception, one: Try) -> Outcome:
        memory = isinstance(error, self._ray.exceptions.OutOfMemoryError)
        why = "ran out of memory" if memory else f"lost its worker ({type(error).__name__})"
        names = ", ".join(i.name for i in one.task.inputs[:3]) or one.task.record
        place = f"{names}{how_far(one.task)}"
        one.tries += 1
        if one.tries > RETRIES:
            flow.done.add(one.task.record)
            text = f"{place}: {why} {one.tries} times and is set aside; "
            text += (
                "give it a machine with more memory, or leave it out" if memory else "see the machine's log"
            )
            return failed(one.task, ShardError(text))
        if memory:  # alone with twice the memory, a task that shared its machine may pass
            one.memory = 2 * max(one.memory, one.task.phase.memory, 1 << 30)
        flow.waiting.push(one)
        return Notice(f"{place}: {why}; done again ({one.tries} of {RETRIES})")

    def _double_stragglers(self, flow: _Flow) -> None:
        """Begin a second time, and no third, what takes far longer than the others, where a processor is
        free."""
        if len(flow.durations) < 4 or len(flow.running) >= self._cpus():
            return
        limit = max(STRAGGLES_AFTER, STRAGGLES * statistics.median(flow.durations))
        for pack in list(flow.running.values()):
            left = [one for one in pack.tries if one.task.record not in flow.done]
            slow = time.monotonic() - pack.started > limit * len(pack.tries)
            if slow and left and left[0].task.record not in flow.doubled:
                flow.doubled |= {one.task.record for one in left}
                self._begin(flow, Pack([dataclasses.replace(one) for one in left]))
                return

    def _stop_copies(self, references: list[Any]) -> None:
        """Stop copies of tasks that are done, and wait for them: whoever cleans up next must find no writer.
        One that does not stop in `ENDS_WITHIN` seconds is killed, with all workers of this driver."""
        for reference in references:
            self._ray.cancel(reference, force=False)
        if references:
            _, left = self._ray.wait(references, num_returns=len(references), timeout=ENDS_WITHIN)
            if left:
                self._leave()

    def _window(self) -> int:
        return WINDOW_PER_CPU * self._cpus()

    def _cpus(self) -> int:
        # Asked anew each time: a machine that joins the cluster gets work at once.
        self.processors = max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        return self.processors

    def _check_nodes(self, task: Task) -> None:
        """Before the first task of a folder: a task on each machine of a cluster reads what is written here.

        Raises UsageError that names a machine which does not see the folder, or has another bukvar or none.
        """
        machines = {n["NodeID"]: n for n in self._ray.nodes() if n["Alive"]}
        new = [
            node
            for node, known in machines.items()
            if known["Resources"].get("CPU") and (node, task.folder) not in self._seen
        ]
        if len(machines) < 2 or not new:
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
                ).remote(location, token, versions(), credentials.known())
                for node in new
            }
            for node, reference in answers.items():
                fault = self._answer(reference)
                if fault:
                    raise UsageError(f"machine {machines[node]['NodeManagerHostname']}: {fault}")
        finally:
            storage.delete(location)
        self._seen |= {(node, task.folder) for node in new}

    def _answer(self, reference: Any) -> str:
        """What is wrong with a machine, by the probe that was sent there; nothing where it left meanwhile."""
        errors = self._ray.exceptions
        try:
            return str(self._ray.get(reference, timeout=SILENCE))
        except errors.GetTimeoutError:
            return f"no task began there within {SILENCE:.0f} s; see its log, or take it out of the cluster"
        except (errors.RayTaskError, errors.RaySystemError, errors.RuntimeEnvSetupError) as error:
            return f"can't run tasks ({one_line(error)[-200:]}); install the same wheel there as here"
        except errors.RayError:
            return ""

    def _start(self) -> None:
        if self._ray is not None:
            return
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        if self._address:
            os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "error")  # its 20 retries are one error of ours
            if has_token():  # since 2.60 `ray start` asks for it, and `ray.init(address)` does not send it
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
