"""What the executor on Ray makes of answers, deaths and silence; Ray itself is played by a few lines here."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from corpus.errors import ShardError, UsageError
from corpus.receipts import Receipt, versions
from corpus.stage import Task
from pipelines import cluster
from pipelines.cluster import RayExecutor
from pipelines.execute import Failure, Notice, Outcome, attempts, failed
from pipelines.machines import probe
from tests.pipelines.stages import Shorten, inputs_of, tasks_of, write_texts


class RayError(Exception):
    """As Ray's."""


class RaySystemError(RayError):
    """As Ray's."""


class OutOfMemoryError(RayError):
    """As Ray's."""


class RayTaskError(RayError):
    """As Ray's."""


class RuntimeEnvSetupError(RayError):
    """As Ray's."""


class GetTimeoutError(RayError):
    """As Ray's."""


def node_id(name: str) -> str:
    """A number of a node as Ray has them."""
    return name.encode().hex().ljust(56, "0")


class FakeRay:
    """Calls are answered in the order in which they were made, except for those that `answer` keeps silent
    until nothing else is left: it gives outcomes or an error for the tasks of a call and its number among
    the calls for the first of them."""

    exceptions = SimpleNamespace(
        RayError=RayError,
        RaySystemError=RaySystemError,
        OutOfMemoryError=OutOfMemoryError,
        RayTaskError=RayTaskError,
        RuntimeEnvSetupError=RuntimeEnvSetupError,
        GetTimeoutError=GetTimeoutError,
    )

    def __init__(self, answer: Callable[[Sequence[Task], int], Any], cpus: int = 2) -> None:
        self._answer, self._cpus = answer, cpus
        self._calls: Counter[str] = Counter()
        self._answers: dict[int, Any] = {}
        self.options: list[dict[str, float]] = []
        #: The first task's record of each call.
        self.records: list[str] = []
        self.cancelled: list[int] = []
        #: Whether calls go on when they are told to stop, and whether Ray was ended here.
        self.deaf = self.ended = False
        #: Machines beside the head, which has no processor for tasks then, by what a probe says there.
        self.machines: dict[str, Any] = {}

    def remote(self, **_: object) -> Any:
        return lambda function: SimpleNamespace(options=lambda **given: self._with(function, given))

    def _with(self, function: object, given: dict[str, float]) -> Any:
        if function is probe:
            return SimpleNamespace(remote=lambda *_: ("probe", given["scheduling_strategy"].node_id))
        assert function is attempts
        return SimpleNamespace(remote=lambda tasks, _: self._call(tasks, given))

    def _call(self, tasks: Sequence[Task], given: dict[str, float]) -> int:
        self.options.append(given)
        self.records.append(tasks[0].record)
        number = len(self.options)
        self._answers[number] = self._answer(tasks, self._calls[tasks[0].record])
        self._calls[tasks[0].record] += 1
        return number

    def wait(self, references: list[int], *, num_returns: int, timeout: float) -> tuple[list[int], list[int]]:
        ended = () if self.deaf else self.cancelled
        ready = [r for r in references if self._answers[r] is not None or r in ended][:num_returns]
        assert ready or timeout == cluster.ENDS_WITHIN, "the executor waits for ever"
        return ready, [r for r in references if r not in ready]

    def _probed(self, _: str, node: str) -> Any:
        return next(answer for name, answer in self.machines.items() if node_id(name) == node)

    def get(self, reference: Any, **_: float) -> Any:
        answer = self._answers[reference] if isinstance(reference, int) else self._probed(*reference)
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer

    def release(self, reference: int, answer: Any) -> None:
        self._answers[reference] = answer

    def cancel(self, reference: int, *, force: bool) -> None:
        assert not force
        self.cancelled.append(reference)

    def nodes(self) -> list[dict[str, Any]]:
        resources = {"CPU": float(self._cpus), "memory": float(8 << 30)}
        head = {"NodeID": "head", "Alive": True, "Resources": {} if self.machines else resources}
        return [head] + [
            {"NodeID": node_id(name), "Alive": True, "Resources": resources, "NodeManagerHostname": name}
            for name in self.machines
        ]

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": float(self._cpus)}

    def shutdown(self) -> None:
        self.ended = True


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever runs when nothing waits is a straggler."""
    monkeypatch.setattr(cluster, "STRAGGLES", 0.0)
    monkeypatch.setattr(cluster, "STRAGGLES_AFTER", 0.0)


@pytest.fixture
def tasks(tmp_path: Path) -> list[Task]:
    paths = [write_texts(tmp_path / f"in/{n}.parquet", [f"слово {n}"]) for n in range(8)]
    return tasks_of(Shorten(), inputs_of(paths), tmp_path / "out")


def outcomes(ray: FakeRay, tasks: Sequence[Task]) -> list[Outcome]:
    executor = RayExecutor(workers=2)
    executor._ray = ray
    return list(executor(tasks))


def names(found: Sequence[Outcome], kind: type) -> list[str]:
    return sorted(o.name for o in found if isinstance(o, kind) and isinstance(o, Receipt | Failure))


def test_a_straggler_is_begun_again_and_the_first_result_counts(tasks: list[Task]) -> None:
    slow = tasks[3].record
    ray = FakeRay(lambda of, call: None if (of[0].record, call) == (slow, 0) else attempts(of))
    found = outcomes(ray, tasks)
    assert names(found, Receipt) == sorted(t.record for t in tasks)
    assert len(ray.options) == len(tasks) + 1
    assert ray.cancelled == [4]  # the first copy of the fourth task
    assert not ray.ended


def test_a_copy_that_does_not_stop_is_ended_with_all_workers(tasks: list[Task]) -> None:
    slow = tasks[3].record
    ray = FakeRay(lambda of, call: None if (of[0].record, call) == (slow, 0) else attempts(of))
    ray.deaf = True
    assert len(outcomes(ray, tasks)) == len(tasks)
    assert ray.ended


def test_the_copy_of_a_straggler_may_fail_where_the_first_does_not(tasks: list[Task], tmp_path: Path) -> None:
    """On a machine that can't do it, say. The note of its failure goes too."""
    slow = tasks[3]

    def answer(of: Sequence[Task], call: int) -> Any:
        if of[0].record != slow.record:
            return attempts(of)
        if call == 0:
            return None

        def fail() -> list[Failure]:
            ray.release(4, lambda: attempts([slow]))
            return [failed(slow, ShardError("this machine lacks something"))]

        return fail

    ray = FakeRay(answer)
    found = outcomes(ray, tasks)
    assert names(found, Receipt) == sorted(t.record for t in tasks)
    assert not names(found, Failure)
    assert not list((tmp_path / "out/_failed").iterdir())


def test_where_both_copies_fail_the_task_does(tasks: list[Task], tmp_path: Path) -> None:
    slow = tasks[3]

    def answer(of: Sequence[Task], call: int) -> Any:
        if of[0].record != slow.record:
            return attempts(of)

        def fail() -> list[Failure]:
            ray.release(4, lambda: [failed(slow, ShardError("broken"))])
            return [failed(slow, ShardError("broken"))]

        return fail if call else None

    ray = FakeRay(answer)
    assert names(outcomes(ray, tasks), Failure) == [slow.record]
    (note,) = (tmp_path / "out/_failed").iterdir()
    assert msgspec.json.decode(note.read_bytes())["message"] == "broken"


def test_a_copy_whose_worker_dies_is_not_begun_again_while_the_other_runs(tasks: list[Task]) -> None:
    slow = tasks[3]

    def answer(of: Sequence[Task], call: int) -> Any:
        if of[0].record != slow.record:
            return attempts(of)

        def die() -> None:
            ray.release(4, lambda: attempts([slow]))
            raise RayError("died")

        return die if call else None

    ray = FakeRay(answer)
    found = outcomes(ray, tasks)
    assert not [o for o in found if isinstance(o, Notice)]
    assert names(found, Receipt) == sorted(t.record for t in tasks)
    assert len(ray.options) == len(tasks) + 1


def test_what_was_done_when_its_worker_died_is_not_done_again(tasks: list[Task]) -> None:
    """The worker may die after the receipt was written: each time, where its end takes memory."""
    last = tasks[3].record

    def answer(of: Sequence[Task], _: int) -> Any:
        done = attempts(of)
        return OutOfMemoryError() if of[0].record == last else done

    ray = FakeRay(answer)
    found = outcomes(ray, tasks)
    assert names(found, Receipt) == sorted(t.record for t in tasks)
    assert ray.records.count(last) == 1


def test_memory_that_tasks_were_seen_to_take_is_stated_for_the_next(tasks: list[Task]) -> None:
    def answer(of: Sequence[Task], _: int) -> Any:
        return [with_peak(outcome, 700) for outcome in attempts(of)]

    ray = FakeRay(answer, cpus=1)
    outcomes(ray, tasks)
    assert "memory" not in ray.options[0]
    assert ray.options[-1]["memory"] == 768 << 20


def with_peak(outcome: Receipt | Failure, megabytes: int) -> Receipt | Failure:
    return replace(outcome, peak_memory_mb=megabytes) if isinstance(outcome, Receipt) else outcome


def test_a_task_that_ran_out_of_memory_asks_for_more_and_is_set_aside_in_the_end(
    tasks: list[Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "STRAGGLES_AFTER", 1000.0)
    hungry = tasks[3].record
    ray = FakeRay(lambda of, _: OutOfMemoryError() if of[0].record == hungry else attempts(of))
    found = outcomes(ray, tasks)
    said = [o.text for o in found if isinstance(o, Notice)]
    assert said == [f"3.parquet: ran out of memory; done again ({n} of 3)" for n in (1, 2, 3)]
    (failure,) = [o for o in found if isinstance(o, Failure)]
    assert "3.parquet: ran out of memory 4 times and is set aside; give it a machine" in failure.message
    calls = zip(ray.records, ray.options, strict=True)
    asked = [options.get("memory", 0) for record, options in calls if record == hungry]
    assert asked[1:] == [2 << 30, 4 << 30, 8 << 30]


class TestMachines:
    """A task on each machine before any work; also where there is one beside a head without processors."""

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            ("does not see the folder", "machine worker: does not see the folder"),
            (RayTaskError("No module named 'pipelines'"), "machine worker: can't run tasks .*'pipelines'"),
            (GetTimeoutError(), "machine worker: no task began there within 600 s"),
        ],
    )
    def test_the_first_that_can_t_do_it_is_named(self, tasks: list[Task], answer: Any, said: str) -> None:
        ray = FakeRay(lambda of, _: attempts(of))
        ray.machines["worker"] = answer
        with pytest.raises(UsageError, match=said):
            outcomes(ray, tasks)
        assert not ray.options

    @pytest.mark.parametrize("answer", ["", RayError("the node died")])
    def test_one_that_can_or_that_left_meanwhile_is_no_error(self, tasks: list[Task], answer: Any) -> None:
        ray = FakeRay(lambda of, _: attempts(of))
        ray.machines["worker"] = answer
        assert len(outcomes(ray, tasks)) == len(tasks)

    def test_a_probe_compares_versions_and_reads_and_writes(self, tmp_path: Path) -> None:
        location = tmp_path / "_probe-1"
        location.write_text("token")
        other = versions() | {"bukvar": "0.0.1"}
        assert probe(str(location), "token", versions()) == ""
        assert [path.name for path in tmp_path.iterdir()] == ["_probe-1"]
        assert "does not see" in probe(str(location), "another", versions())
        assert "the driver 0.0.1; install the same wheel" in probe(str(location), "token", other)
