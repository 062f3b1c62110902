"""What a person sees: whole tasks, and the share of running ones."""

import json
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.documents import read_documents
from corpus.inputs import Input
from corpus.stage import Task, run_task
from corpus.writing import Output, Progress
from pipelines import execute, progress
from pipelines.execute import attempt
from pipelines.pace import Pace
from pipelines.progress import Lines, running_share
from tests.pipelines.stages import Shorten, inputs_of, tasks_of, write_texts


def beat(folder: Path, name: str, **note: object) -> None:
    (folder / "_running").mkdir(parents=True, exist_ok=True)
    (folder / "_running" / f"{name}.json").write_text(json.dumps(note))


def test_running_share_adds_what_the_heartbeats_say(tmp_path: Path) -> None:
    beat(tmp_path, "00000", done=0.25)
    beat(tmp_path, "00001", done=0.5)
    beat(tmp_path, "00002", pid=1)
    (tmp_path / "_running" / "00003.json").write_text("{")
    assert running_share(str(tmp_path)) == 0.75
    assert running_share(str(tmp_path / "nowhere")) == 0.0


def test_a_long_task_s_heartbeats_say_its_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute, "BEAT_EVERY", 0.01)
    source = write_texts(tmp_path / "a.parquet", ["слово"] * 1500)
    seen: list[float] = []

    def look(task: Task, report: Progress) -> object:
        def both(done: float) -> None:
            report(done)
            end = time.monotonic() + 60
            while abs(running_share(str(tmp_path / "out")) - done) > 0.0001 and time.monotonic() < end:
                time.sleep(0.01)
            seen.append(running_share(str(tmp_path / "out")))

        return run_task(task, both)

    monkeypatch.setattr(execute, "run_task", look)
    attempt(tasks_of(Shorten(), inputs_of([source]), tmp_path / "out")[0])
    assert seen == sorted(seen)
    assert len(seen) == 3
    assert seen[-1] == 1.0
    assert not list((tmp_path / "out/_running").glob("*"))


def test_reading_reports_its_progress(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"text": "слово " * 300}) + "\n" for _ in range(4000))
    (tmp_path / "a.jsonl").write_text(lines)
    pq.write_table(pa.table({"text": ["слово"] * 100}), tmp_path / "a.parquet")
    for name in ("a.jsonl", "a.parquet"):
        path = tmp_path / name
        reported: list[float] = []
        out = Output(str(tmp_path), "x", progress=reported.append)
        for _ in read_documents(Input(str(path), name, "", path.stat().st_size), 30, progress=out.progress):
            pass
        assert reported == sorted(reported)
        assert 0 < reported[0] < reported[-1] <= 1.0


class TestLines:
    def test_one_large_task_shows_its_share_and_the_time_left(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(progress, "LINE_EVERY", 0.0)
        monkeypatch.setattr(progress, "LOOK_EVERY", 0.01)
        beat(tmp_path, "00000", done=0.5)
        lines = Lines()
        lines.begin("identify", "map", 1, 0, str(tmp_path))
        for _ in range(1000):
            said = capsys.readouterr().err
            if said:
                break
            time.sleep(0.01)
        lines.end()
        assert said.startswith("identify: 0 of 1 tasks (50%), about ")

    def test_what_is_shown_before_the_first_heartbeat_has_no_estimate(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(progress, "LINE_EVERY", 0.0)
        lines = Lines()
        lines.begin("identify", "map", 1, 0, str(tmp_path))
        lines._show()
        lines.end()
        assert capsys.readouterr().err == "identify: 0 of 1 tasks\n"


class TestPace:
    def test_a_task_that_stands_adds_no_time(self) -> None:
        pace = Pace(started=100.0, total=1.0)
        assert pace.left(105.0) is None
        pace.update(0.5, 110.0)
        assert pace.left(110.0) == 10.0
        for now in range(111, 120):
            pace.update(0.5, float(now))
            assert pace.left(float(now)) == 120 - now
        assert pace.left(120.0) is None
        assert pace.left(1000.0) is None
        pace.update(0.8, 1000.0)
        assert pace.left(1000.0) == pytest.approx(225.0)

    def test_what_was_done_before_does_not_count_as_speed(self) -> None:
        pace = Pace(started=0.0, total=100.0, at_start=90.0)
        pace.update(92.0, 10.0)
        assert pace.left(10.0) == 40.0

    def test_equal_tasks_give_the_true_time_throughout(self) -> None:
        pace = Pace(started=0.0, total=10.0)
        for now in range(1, 100):
            pace.update(float(now // 10), float(now))
            if now >= 10:
                assert pace.left(float(now)) == pytest.approx(100 - now)
