"""Executors: the same bytes inline and on Ray, and after any process was killed at any time."""

import contextlib
import itertools
import os
import random
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from corpus.errors import TransientError, UsageError
from corpus.inputs import Input
from corpus.receipts import PLAN, Receipt
from corpus.stage import Task
from pipelines import cluster, execute, lineage
from pipelines.cluster import RayExecutor
from pipelines.engine import Job, StageFailedError, run_stage
from pipelines.execute import Failure, attempt, run_inline
from pipelines.executors import open_executor
from pipelines.packs import PACK_BYTES, TASK_BYTES, Queue, Try
from pipelines.progress import Silent
from tests.pipelines.stages import (
    Deadly,
    Shorten,
    Slow,
    contents,
    inputs_of,
    receipt_times,
    tasks_of,
    write_texts,
)

ROOT = Path(__file__).parent.parent.parent
SHARDS = 12

#: Ray leaves files and sockets to the interpreter's end, and Python says so of each when it is collected.
ray_s_own_warnings = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning:ray.*")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for n in range(SHARDS):
        write_texts(tmp_path / f"in/{n:02d}.parquet", [f"слово {n} {k}" for k in range(20)] + ["-", "raise"])
    return tmp_path / "in"


@pytest.fixture
def expected(source: Path, tmp_path: Path) -> dict[str, bytes]:
    """What an undisturbed run gives, in this process."""
    return contents(inline(source, tmp_path / "expected", pause=0.0))


def inline(source: Path, out: Path, pause: float) -> Path:
    run_stage(Job(Shorten(pause=pause), inputs_of(source.glob("*")), str(out)), run_inline, Silent())
    return out


def same(found: dict[str, bytes], expected: dict[str, bytes]) -> bool:
    """Equal but for the plan and the lineage, which hold the pause."""
    differ = (PLAN, lineage.FILE)
    return {k: v for k, v in found.items() if k not in differ} == {
        k: v for k, v in expected.items() if k not in differ
    }


class TestAttempt:
    def task(self, tmp_path: Path, **parameters: object) -> Task:
        source = write_texts(tmp_path / "a.parquet", ["слово"])
        return tasks_of(Shorten(**parameters), inputs_of([source]), tmp_path / "out")[0]  # type: ignore[arg-type]

    def test_gives_a_receipt_and_leaves_no_heartbeat(self, tmp_path: Path) -> None:
        outcome = attempt(self.task(tmp_path))
        assert isinstance(outcome, Receipt)
        assert not list((tmp_path / "out/_running").glob("*"))

    def test_a_heartbeat_names_host_and_process(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen = []
        real = execute.run_task

        def look(task: Task, _: object) -> Receipt:
            note = tmp_path / f"out/_running/{task.name}.json"
            end = time.monotonic() + 60
            while not note.exists():
                assert time.monotonic() < end
                time.sleep(0.01)
            seen.append(msgspec.json.decode(note.read_bytes()))
            return real(task)

        monkeypatch.setattr(execute, "run_task", look)
        monkeypatch.setattr(execute, "BEAT_EVERY", 0.01)
        attempt(self.task(tmp_path))
        assert seen[0]["pid"] == os.getpid()

    def test_turns_an_error_into_a_failure_with_its_trace_and_marks_it(self, tmp_path: Path) -> None:
        task = self.task(tmp_path)
        (tmp_path / "a.parquet").write_bytes(b"junk")
        outcome = attempt(task)
        assert isinstance(outcome, Failure)
        assert (outcome.kind, outcome.fatal) == ("ShardError", False)
        assert "Traceback" in outcome.trace
        noted = msgspec.json.decode((tmp_path / f"out/_failed/{task.name}.json").read_bytes())
        assert noted["message"] == outcome.message

    def test_lets_ctrl_c_through(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def stop(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(execute, "run_task", stop)
        with pytest.raises(KeyboardInterrupt):
            attempt(self.task(tmp_path))


def test_an_unknown_executor_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="choose from `ray` and `inline`"), open_executor("dask", None, None):
        pass


def test_nothing_to_do_starts_no_cluster() -> None:
    with open_executor("ray", None, 1) as run:
        assert list(run([])) == []
        assert run._ray is None  # type: ignore[attr-defined]


def start_cluster(nodes: int) -> Any:
    """A Ray cluster of so many nodes of one processor each, all on this machine.

    Like the executor's own start it is tried again: under load a node can be too slow for Ray's limits.
    """
    from ray.cluster_utils import Cluster

    for last in (False, False, False, True):
        cluster = Cluster()
        try:
            for _ in range(nodes):
                cluster.add_node(num_cpus=1, include_dashboard=False)
        except Exception:
            cluster.shutdown()
            if last:
                raise
        else:
            return cluster
    return None


@pytest.mark.slow
@pytest.mark.timeout(900)
@ray_s_own_warnings
class TestRay:
    def test_gives_the_bytes_of_inline(
        self, source: Path, expected: dict[str, bytes], tmp_path: Path
    ) -> None:
        job = Job(Shorten(), inputs_of(source.glob("*")), str(tmp_path / "out"))
        with open_executor("ray", None, 2) as run:
            result = run_stage(job, run, Silent())
        assert result.worked == SHARDS
        assert contents(tmp_path / "out") == expected

    def test_a_failed_shard_is_a_failure_as_inline(self, source: Path, tmp_path: Path) -> None:
        (source / "03.parquet").write_bytes(b"junk")
        tasks = [*tasks_of(Shorten(), inputs_of(source.glob("*")), tmp_path / "out")]
        with open_executor("ray", None, 2) as run:
            outcomes = list(run(tasks))
        (failure,) = [o for o in outcomes if isinstance(o, Failure)]
        assert failure.inputs == ("03.parquet",)
        assert len(outcomes) == SHARDS

    def test_two_nodes_with_other_current_folders_give_the_same_bytes(
        self, expected: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A second machine that joins by address, started here as a second node; paths are relative."""
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        monkeypatch.chdir("/")
        cluster = start_cluster(2)
        try:
            monkeypatch.chdir(tmp_path)
            inputs = inputs_of(Path("in").glob("*"))
            job = Job(Shorten(pause=0.3), inputs, "out")
            with open_executor("ray", cluster.address, None) as run:
                run_stage(job, run, Silent())
                hosts = {n["NodeID"] for n in run._ray.nodes() if n["Alive"]}  # type: ignore[attr-defined]
        finally:
            cluster.shutdown()
        assert len(hosts) == 2
        assert same(contents(tmp_path / "out"), expected)

    def test_a_cluster_that_somebody_runs_here_is_not_joined_unasked(
        self, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cluster = start_cluster(1)
        try:
            monkeypatch.setenv("RAY_ADDRESS", cluster.address)
            with open_executor("ray", None, 2) as run:
                tasks = tasks_of(Shorten(), inputs_of(source.glob("*"))[:1], tmp_path / "out")
                assert len(list(run(tasks))) == 1
                assert run._ray.get_runtime_context().gcs_address != cluster.address  # type: ignore[attr-defined]
        finally:
            cluster.shutdown()


def start(source: Path, out: Path, pause: float, executor: str = "ray") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.pipelines.driver", str(source), str(out), str(pause), executor]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def wait_for(out: Path, pattern: str, count: int, process: subprocess.Popen[str]) -> None:
    """Wait until so many files are there. Ray starts in five seconds, and in minutes on a busy machine."""
    end = time.monotonic() + 300
    while len(list(out.glob(pattern))) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


def descendants(parent: int) -> dict[int, str]:
    """Processes below one, with their command lines, as /proc tells."""
    children: dict[int, list[int]] = {}
    names: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
            if stat[0] != "Z":
                children.setdefault(int(stat[1]), []).append(int(folder.name))
                names[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
    found: dict[int, str] = {}
    waiting = [parent]
    while waiting:
        for child in children.get(waiting.pop(), []):
            found[child] = names[child]
            waiting.append(child)
    return found


def busy_worker(process: subprocess.Popen[str]) -> int:
    """A worker below a process that has a task now: between two tasks it has another name for a moment."""
    end = time.monotonic() + 60
    while not (busy := [pid for pid, name in descendants(process.pid).items() if "ray::attempts" in name]):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)
    return busy[0]


def gone(processes: dict[int, str], within: float) -> dict[int, str]:
    """Those that are still the same process after a while."""
    end = time.monotonic() + within
    left = processes
    while left and time.monotonic() < end:
        left = {p: n for p, n in left.items() if command_line(p) == n}
        time.sleep(0.1)
    return left


def command_line(process: int) -> str | None:
    with contextlib.suppress(OSError):
        if (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
            return (Path("/proc") / str(process) / "cmdline").read_text().replace("\0", " ")
    return None


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes of a test; what it leaves behind is killed with its session."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.slow
@pytest.mark.timeout(1200)
class TestKilled:
    """At points drawn by a seed; every point must do, so the seed is of no importance."""

    @pytest.mark.parametrize("seed", range(2))
    def test_a_worker_at_a_random_point_costs_nothing(
        self,
        source: Path,
        expected: dict[str, bytes],
        tmp_path: Path,
        started: list[subprocess.Popen[str]],
        seed: int,
    ) -> None:
        out, draw = tmp_path / "out", random.Random(seed)
        process = start(source, out, 1.0)
        started.append(process)
        for count in sorted(draw.sample(range(1, SHARDS - 3), 2)):
            wait_for(out, "_receipts/*.json", count, process)
            time.sleep(draw.uniform(0, 1.0))
            with contextlib.suppress(ProcessLookupError):
                os.kill(busy_worker(process), signal.SIGKILL)
        said, complaint = process.communicate(timeout=600)
        assert (process.returncode, said.strip()) == (0, str(SHARDS)), complaint
        assert same(contents(out), expected)

    @pytest.mark.parametrize("executor", ["ray", "inline"])
    def test_the_driver_at_random_points_then_the_same_command_gives_the_same_bytes(
        self,
        source: Path,
        expected: dict[str, bytes],
        tmp_path: Path,
        started: list[subprocess.Popen[str]],
        executor: str,
    ) -> None:
        """And what was finished is not done again: its receipts keep their times."""
        out, draw = tmp_path / "out", random.Random(executor)
        for count in (2, 6):
            process = start(source, out, 1.0, executor)
            started.append(process)
            wait_for(out, "_receipts/*.json", count, process)
            time.sleep(draw.uniform(0, 1.0))
            below = descendants(process.pid)
            process.kill()
            process.communicate()
            # Ray's own end with their driver; its agent, which writes nothing of ours, may take longer.
            assert not gone({p: n for p, n in below.items() if "Agent" not in n}, within=60)
            before = receipt_times(out)
            assert len(before) < SHARDS
        process = start(source, out, 1.0, executor)
        started.append(process)
        said, complaint = process.communicate(timeout=600)
        assert (process.returncode, said.strip()) == (0, str(SHARDS - len(before))), complaint
        after = receipt_times(out)
        assert {n: after[n] for n in before} == before
        assert same(contents(out), expected)
        assert not list(out.rglob("*.partial"))


class TestTransient:
    """What a server refuses for a while is done again, and not for ever."""

    def attempt(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusals: int) -> tuple[object, int]:
        real, calls = execute.run_task, 0

        def refuse(task: Task, _: object) -> Receipt:
            nonlocal calls
            calls += 1
            if calls <= refusals:
                raise TransientError("503")
            return real(task)

        monkeypatch.setattr(execute, "run_task", refuse)
        monkeypatch.setattr(execute, "PATIENCE", 60.0)
        monkeypatch.setattr(execute.time, "sleep", lambda _: None)
        source = write_texts(tmp_path / "a.parquet", ["слово"])
        (task,) = tasks_of(Shorten(), inputs_of([source]), tmp_path / "out")
        return attempt(task), calls

    def test_a_task_is_done_again(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        outcome, calls = self.attempt(tmp_path, monkeypatch, refusals=3)
        assert isinstance(outcome, Receipt)
        assert calls == 4

    def test_one_that_takes_longer_than_the_patience_has_some_tries_all_the_same(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = itertools.count(0, 1000)
        monkeypatch.setattr(execute.time, "monotonic", lambda: next(clock))
        outcome, _ = self.attempt(tmp_path, monkeypatch, refusals=execute.TRIES - 1)
        assert isinstance(outcome, Receipt)
        outcome, calls = self.attempt(tmp_path, monkeypatch, refusals=10**6)
        assert isinstance(outcome, Failure)
        assert calls == execute.TRIES

    def test_in_the_end_it_fails_and_does_not_stop_the_others(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = itertools.count(0, 7)
        monkeypatch.setattr(execute.time, "monotonic", lambda: next(clock))
        outcome, calls = self.attempt(tmp_path, monkeypatch, refusals=10**6)
        assert isinstance(outcome, Failure)
        assert not outcome.fatal
        assert calls < 20


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_machine_that_does_not_see_the_folder_is_named_before_any_work(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver runs where a file system of its own is mounted over the folder, which no node sees."""
    out = tmp_path / "out"
    out.mkdir()
    may_mount = subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "none", str(out)], capture_output=True, check=False
    )
    if may_mount.returncode:
        pytest.skip("mounting is not allowed here")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    cluster = start_cluster(2)
    try:
        driver = [sys.executable, "-m", "tests.pipelines.driver", str(source), str(out), "0", "ray"]
        script = f"mount -t tmpfs none {out} && exec {' '.join([*driver, cluster.address])}"
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
        )
    finally:
        cluster.shutdown()
    assert done.returncode == 1
    assert re.search(rf"machine \S+: does not see {out} as the driver does", done.stderr), done.stderr
    assert done.stdout == ""


def test_a_disk_that_is_full_ends_the_run_and_freed_it_goes_on(source: Path, tmp_path: Path) -> None:
    """A file system of one megabyte is mounted over the folder, and made larger for the second command."""
    out = tmp_path / "out"
    out.mkdir()
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    for n in range(4):
        write_texts(source / f"{n:02d}.parquet", [secrets.token_hex(400) for _ in range(1000)])
    driver = f"{sys.executable} -m tests.pipelines.driver {source} {out} 0 inline"
    script = f"""
mount -t tmpfs -o size=1m none {out} || exit 99
{driver} && exit 98
ls -A {out} | grep partial && exit 97
mount -o remount,size=64m {out}
{driver}
"""
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode == 99:
        pytest.skip("mounting is not allowed here")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the disk is full; free some space and run the same command again" in done.stderr
    assert 0 < int(done.stdout.split()[-1]) <= SHARDS  # tasks of the second command


@pytest.mark.slow
@pytest.mark.timeout(600)
@ray_s_own_warnings
def test_a_task_that_kills_its_worker_every_time_is_set_aside_and_the_others_go_on(
    source: Path, tmp_path: Path
) -> None:
    write_texts(source / "03.parquet", ["die"])
    job = Job(Deadly(), inputs_of(source.glob("*")), str(tmp_path / "out"))
    said: list[str] = []
    reporter = Silent()
    reporter.note = said.append  # type: ignore[method-assign]
    with open_executor("ray", None, 2, said.append) as run, pytest.raises(StageFailedError) as caught:
        run_stage(job, run, reporter)
    assert said[0] == "starting Ray on this machine (--executor inline does without it)"
    (failure,) = caught.value.failures
    assert "03.parquet" in failure.message
    assert "is set aside" in failure.message
    assert len([text for text in said if "lost its worker" in text and "03.parquet" in text]) == 3
    assert len(receipt_times(tmp_path / "out")) == SHARDS - 1


@pytest.mark.slow
@pytest.mark.timeout(280)
@ray_s_own_warnings
@pytest.mark.parametrize("deaf", [False, True], ids=["stops", "does not stop when told"])
def test_a_straggler_is_begun_again_elsewhere_and_the_first_result_counts(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deaf: bool
) -> None:
    """The first copy would take five minutes. It is stopped before anybody cleans up behind it."""
    monkeypatch.setattr(cluster, "STRAGGLES_AFTER", 2.0)
    monkeypatch.setattr(cluster, "ENDS_WITHIN", 2.0 if deaf else 60.0)
    write_texts(source / "03.parquet", ["slow", *[f"слово {k}" for k in range(20)]])
    calm = run_stage(
        Job(Shorten(), inputs_of(source.glob("*")), str(tmp_path / "calm")), run_inline, Silent()
    )
    stage = Slow(seen=str(tmp_path / "seen"), deaf=deaf)
    job = Job(stage, inputs_of(source.glob("*")), str(tmp_path / "out"))
    with open_executor("ray", None, 2) as run:
        result = run_stage(job, run, Silent())
    assert (tmp_path / "seen").exists()
    assert result.worked == calm.worked == SHARDS
    assert same(contents(tmp_path / "out"), contents(tmp_path / "calm"))
    assert not list((tmp_path / "out").rglob("*.partial"))


class TestPacks:
    """How tasks are put together for one call to a worker; the first of `sizes` is done first."""

    def taken(self, sizes: list[int], cpus: int, tried: Collection[int] = ()) -> list[list[int]]:
        tries = [
            Try(tasks_of(Shorten(), [Input(f"{n}", f"{n}.jsonl", "", size)], Path())[0], int(n in tried))
            for n, size in enumerate(sizes)
        ]
        queue = Queue(reversed(tries))
        packs = []
        while queue:
            packs.append([one.task.inputs[0].size for one in queue.take(cpus).tries])
        return packs

    def test_large_tasks_go_alone_and_small_ones_together_up_to_a_size(self) -> None:
        packs = self.taken([PACK_BYTES] * 3 + [1000] * 10_000, cpus=2)
        assert packs[:3] == [[PACK_BYTES]] * 3
        most = PACK_BYTES // (TASK_BYTES + 1000)
        assert max(map(len, packs)) == most
        assert list(itertools.chain(*packs)) == [PACK_BYTES] * 3 + [1000] * 10_000
        assert len(packs) < 100

    def test_packs_get_smaller_towards_the_end(self) -> None:
        lengths = [len(pack) for pack in self.taken([1000] * 1000, cpus=2)]
        assert lengths == sorted(lengths, reverse=True)
        assert lengths[0] == 125
        assert lengths[-8:] == [1] * 8

    def test_few_tasks_go_one_by_one(self) -> None:
        assert self.taken([1000] * 8, cpus=2) == [[1000]] * 8

    def test_what_was_tried_before_goes_alone(self) -> None:
        assert [1] in self.taken([2, 2, 1, *[2] * 400], cpus=1, tried=[2])


@pytest.mark.slow
@pytest.mark.timeout(600)
@ray_s_own_warnings
def test_many_small_tasks_take_few_calls_and_give_the_bytes_of_inline_also_where_one_kills_its_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 200
    for n in range(count):
        write_texts(tmp_path / f"in/{n:03d}.parquet", ["die" if n == 77 else f"слово {n}"])
    inputs = inputs_of((tmp_path / "in").glob("*"))
    without = tuple(i for i in inputs if i.name != "077.parquet")
    run_stage(Job(Deadly(), without, str(tmp_path / "expected")), run_inline, Silent())
    calls: list[int] = []
    begin = RayExecutor._begin
    monkeypatch.setattr(
        RayExecutor,
        "_begin",
        lambda self, flow, pack: calls.append(len(pack.tries)) or begin(self, flow, pack),
    )
    with open_executor("ray", None, 2) as run, pytest.raises(StageFailedError) as caught:
        run_stage(Job(Deadly(), inputs, str(tmp_path / "out")), run, Silent())
    assert [failure.inputs for failure in caught.value.failures] == [("077.parquet",)]
    assert len(calls) < count / 3
    assert calls.count(1) >= 3  # the deadly one alone, again and again
    written = [
        {k: v for k, v in contents(tmp_path / o).items() if not k.startswith("_")}
        for o in ("out", "expected")
    ]
    assert written[0] == written[1]
    assert len(receipt_times(tmp_path / "out")) == count - 1


@pytest.mark.slow
@pytest.mark.timeout(900)
class TestCtrlC:
    @pytest.mark.parametrize("executor", ["ray", "inline"])
    @pytest.mark.parametrize("whole_group", [False, True], ids=["kill", "terminal"])
    def test_stops_in_the_middle_says_how_to_go_on_and_leaves_no_process(
        self, tmp_path: Path, started: list[subprocess.Popen[str]], executor: str, *, whole_group: bool
    ) -> None:
        """A terminal sends the signal to every process of the group, `kill -INT` to one."""
        texts = [
            f"Это предложение номер {n} стоит здесь для пробы, и слова в нём русские." * 30
            for n in range(900)
        ]
        for n in range(40):
            write_texts(tmp_path / f"in/{n:02d}.parquet", texts)
        out = tmp_path / "out"
        command = [sys.executable, "-m", "pipelines.cli", "identify", str(tmp_path / "in"), "--out", str(out)]
        process = subprocess.Popen(
            [*command, "--executor", executor, "--workers", "1"], cwd=ROOT, text=True, start_new_session=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        wait_for(out, "_receipts/*.json", 2, process)
        below = descendants(process.pid)
        (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)
        said, complaint = process.communicate(timeout=300)
        assert process.returncode == 130, complaint
        assert said == ""
        assert (
            complaint.splitlines()[-1] == "bukvar: stopped; run the same command again to go on where it was"
        )
        assert "Traceback" not in complaint
        assert not gone(below, within=60)
        assert len(list((out / "_receipts").iterdir())) < 40
        assert not list(out.rglob("*.partial"))
        assert not list((out / "_failed").glob("*"))

    @pytest.mark.parametrize(("executor", "begun"), [("ray", "_receipts/*.json"), ("inline", "_plan.json")])
    def test_sigterm_is_as_clean_and_said(
        self, source: Path, tmp_path: Path, started: list[subprocess.Popen[str]], executor: str, begun: str
    ) -> None:
        """Ray puts a handler of its own in place when it starts, which aborts after three seconds."""
        write_texts(source / "04.parquet", ["Слово не воробей, вылетит, не поймаешь."] * 1_000_000)
        out = tmp_path / "out"
        command = [sys.executable, "-m", "pipelines.cli", "identify", str(source), "--out", str(out)]
        process = subprocess.Popen(
            [*command, "--executor", executor, "--set", "identify.keep=all"], cwd=ROOT, text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        wait_for(out, begun, 1, process)
        process.terminate()
        _, complaint = process.communicate(timeout=300)
        assert process.returncode == 143, complaint
        assert complaint.splitlines()[-1].startswith("bukvar: stopped by SIGTERM; run the same command again")
        assert not list(out.rglob("*.partial"))
        assert not (out / "_driver.json").exists()

    def test_on_a_cluster_ends_its_tasks_and_leaves_the_cluster(
        self, tmp_path: Path, short: Path, started: list[subprocess.Popen[str]]
    ) -> None:
        """A cluster as its users start one, by `ray start`, with a token in their home folder."""
        token = tmp_path / "home/.ray/auth_token"
        token.parent.mkdir(parents=True)
        token.write_text(secrets.token_hex(32))
        # What other tests' Ray left in this process's environment is not for this one.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
        environment |= {
            "PYTHONPATH": str(ROOT),
            "HOME": str(tmp_path / "home"),
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        head, address = start_head(environment, short, started)
        for n in range(SHARDS):
            write_texts(tmp_path / f"in/{n:02d}.parquet", ["Слово не воробей: вылетит, не поймаешь."])
        out = tmp_path / "out"
        command = [sys.executable, "-m", "tests.pipelines.driver", str(tmp_path / "in"), str(out), "2"]
        process = subprocess.Popen(
            [*command, "ray", address], cwd=ROOT, env=environment, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        wait_for(out, "_receipts/*.json", 1, process)
        worker = busy_worker(head)
        tasks = {p: n for p, n in descendants(head.pid).items() if p == worker or "attempts" in n}
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=300)
        assert not gone(tasks, within=60)
        assert head.poll() is None
        below = descendants(head.pid)
        os.killpg(head.pid, signal.SIGKILL)
        assert not gone(below, within=60)
        assert len(list((out / "_receipts").iterdir())) < SHARDS
        assert not list(out.rglob("*.partial"))


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder for a cluster's sockets: their paths have at most 107 characters."""
    folder = tempfile.mkdtemp(prefix="ray")
    yield Path(folder)
    shutil.rmtree(folder, ignore_errors=True)


def start_head(
    environment: dict[str, str], folder: Path, started: list[subprocess.Popen[str]]
) -> tuple[subprocess.Popen[str], str]:
    """A cluster of one node by `ray start`, which asks for a token, and its address. It is tried again, as
    `start_cluster` does."""
    command = [
        str(Path(sys.executable).parent / "ray"), "start", "--head", "--block", "--num-cpus=2", "--port=0",
        "--include-dashboard=false", f"--temp-dir={folder}",
    ]  # fmt: skip
    for _ in range(4):
        head = subprocess.Popen(
            command, env=environment, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        started.append(head)
        assert head.stdout is not None
        said = ""
        for line in head.stdout:
            said += line
            if "Ray runtime started" in said and (port := re.search(r"--address='[^']*:(\d+)'", line)):
                assert "Token authentication is enabled" in said
                return head, f"127.0.0.1:{port[1]}"
        os.killpg(head.pid, signal.SIGKILL)
    raise AssertionError(said)
