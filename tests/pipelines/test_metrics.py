"""`--metrics FILE`: the format by a strict parser, the numbers by the receipts; the utilisation of a run."""

import dataclasses
import json
import math
import re
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import receipts as records
from corpus.errors import UsageError
from pipelines import cli
from pipelines.engine import Job, StageFailedError, run_stage
from pipelines.execute import run_inline
from pipelines.metrics import Metered, Utilisation, render, served
from pipelines.progress import Silent
from tests.pipelines.stages import Shorten, inputs_of, write_texts

ROOT = Path(__file__).parent.parent.parent
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parse(text: str) -> Samples:
    """Samples of the text exposition format 0.0.4, strictly: every line is HELP, TYPE or a sample; a name's
    HELP and TYPE come before its samples, once, and its samples stand together; no sample comes twice;
    counters end in _total and hold a number of at least zero."""
    assert text.endswith("\n")
    samples: Samples = {}
    kinds: dict[str, str] = {}
    helped: list[str] = []
    current = ""
    for line in text.splitlines():
        if help_of := re.fullmatch(rf"# HELP ({NAME}) (.+)", line):
            assert help_of[1] not in helped
            helped.append(help_of[1])
            current = help_of[1]
        elif type_of := re.fullmatch(rf"# TYPE ({NAME}) (counter|gauge)", line):
            assert type_of[1] == current
            assert type_of[1] not in kinds
            kinds[type_of[1]] = type_of[2]
        else:
            sample = SAMPLE.fullmatch(line)
            assert sample, line
            name, inner, number = sample[1], sample[2] or "", float(sample[3])
            assert name == current
            assert "".join(m[0] for m in LABEL.finditer(inner)) == inner, line
            labels = {
                m[1]: re.sub(r"\\(.)", lambda e: "\n" if e[1] == "n" else e[1], m[2])
                for m in LABEL.finditer(inner)
            }
            key = (name, frozenset(labels.items()))
            assert key not in samples, line
            assert not math.isnan(number)
            assert kinds[name] == "gauge" or (name.endswith("_total") and number >= 0), line
            samples[key] = number
    assert set(kinds) == set(helped)
    return samples


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for n in range(4):
        write_texts(tmp_path / f"in/{n:02d}.parquet", ["слово " * 30, f"текст номер {n} " * 20, "а"])
    return tmp_path / "in"


def test_the_file_says_what_the_receipts_say(source: Path, tmp_path: Path) -> None:
    metered = Metered(Silent(), lambda: 1, str(tmp_path / "run.prom"))
    job = Job(Shorten(), inputs_of(source.glob("*")), str(tmp_path / "out"))
    with metered.written():
        before = parse((tmp_path / "run.prom").read_text("utf-8"))
        run_stage(job, run_inline, metered)
    assert value(before, "bukvar_run_ended") == 0
    found = parse((tmp_path / "run.prom").read_text("utf-8"))
    done = list(records.read_receipts(str(tmp_path / "out")))
    place = {"stage": "clean", "phase": "map"}
    assert value(found, "bukvar_run_ended") == 1
    assert value(found, "bukvar_tasks_planned", **place) == 4
    assert value(found, "bukvar_tasks_done_total", **place) == 4
    assert value(found, "bukvar_tasks_failed_total", **place) == 0
    assert value(found, "bukvar_tasks_running", **place) == 0
    for name, field in [
        ("documents_in", "rows_in"),
        ("documents_out", "rows_out"),
        ("bytes_in", "bytes_in"),
        ("bytes_out", "bytes_out"),
    ]:
        assert value(found, f"bukvar_{name}_total", stage="clean") == sum(getattr(r, field) for r in done)
    dropped = {reason: sum(r.dropped.get(reason, 0) for r in done) for r in done for reason in r.dropped}
    assert dropped
    for reason, count in dropped.items():
        assert value(found, "bukvar_documents_dropped_total", stage="clean", reason=reason) == count
    assert value(found, "bukvar_task_seconds_total", **place) == pytest.approx(sum(r.seconds for r in done))
    peak = max(r.peak_memory_mb for r in done) << 20
    assert value(found, "bukvar_task_peak_memory_bytes", stage="clean") == peak
    assert not list(tmp_path.glob(".run.prom*"))


def test_a_second_command_counts_from_zero_and_says_what_was_done_before(
    source: Path, tmp_path: Path
) -> None:
    job = Job(Shorten(), inputs_of(source.glob("*")), str(tmp_path / "out"))
    run_stage(job, run_inline, Silent())
    metered = Metered(Silent(), lambda: 1)
    run_stage(job, run_inline, metered)
    found = parse(metered.text())
    assert value(found, "bukvar_tasks_done_before", stage="clean", phase="map") == 4
    assert value(found, "bukvar_tasks_done_total", stage="clean", phase="map") == 0


def test_failures_are_counted_and_the_file_is_written_when_a_run_fails(source: Path, tmp_path: Path) -> None:
    (source / "02.parquet").write_bytes(b"junk")
    metered = Metered(Silent(), lambda: 1, str(tmp_path / "run.prom"))
    job = Job(Shorten(), inputs_of(source.glob("*")), str(tmp_path / "out"))
    with pytest.raises(StageFailedError), metered.written():
        run_stage(job, run_inline, metered)
    found = parse((tmp_path / "run.prom").read_text("utf-8"))
    assert value(found, "bukvar_tasks_failed_total", stage="clean", phase="map") == 1
    assert value(found, "bukvar_tasks_done_total", stage="clean", phase="map") == 3
    assert value(found, "bukvar_run_ended") == 1


@given(st.text(), st.text(), st.floats(0, allow_nan=False, allow_infinity=False) | st.integers(0, 1 << 50))
def test_labels_of_any_text_come_back(stage: str, reason: str, count: float) -> None:
    labels = (("stage", stage), ("reason", reason))
    text = render({("bukvar_documents_dropped_total", labels): count})
    lines = text.split("\n")
    assert len(lines) == 4
    inner = SAMPLE.fullmatch(lines[2])
    assert inner
    plain = [
        re.sub(r"\\(.)", lambda e: "\n" if e[1] == "n" else e[1], m[2]) for m in LABEL.finditer(inner[2])
    ]
    assert plain == [stage, reason]
    assert float(inner[3]) == count


@pytest.mark.parametrize("wrong", [
    "x 1\n", "# HELP a b\n# TYPE a counter\na 1\n", "# HELP a b\n# TYPE a gauge\na 1\na 1\n",
    '# HELP a b\n# TYPE a gauge\na{x="1"y="2"} 1\n', '# HELP a b\n# TYPE a gauge\na{x="\\t"} 1\n',
])  # fmt: skip
def test_the_parser_refuses(wrong: str) -> None:
    with pytest.raises((AssertionError, KeyError)):
        parse(wrong)


def test_utilisation_is_integrated_over_a_cluster_that_grows(
    monkeypatch: pytest.MonkeyPatch, source: Path, tmp_path: Path
) -> None:
    clock, workers = [100.0], [1]
    monkeypatch.setattr("pipelines.metrics.time.monotonic", lambda: clock[0])
    metered = Metered(Silent(), lambda: workers[0])
    run_stage(Job(Shorten(), inputs_of(source.glob("*")), str(tmp_path / "out")), run_inline, Silent())
    receipt = dataclasses.replace(
        next(iter(records.read_receipts(str(tmp_path / "out")))), seconds=25.0, cpu_seconds=20.0
    )
    metered.begin("clean", "map", 2, 0, "")
    clock[0] += 10
    metered.advance(receipt)
    workers[0] = 4
    clock[0] += 10
    metered.end()
    assert metered.utilisation() == Utilisation(20.0, 50.0, 25.0, 20.0)
    assert metered.utilisation().line().startswith("20 s on 2.5 processors: 40% computing, 10% waiting")
    assert ", 50% idle" in metered.utilisation().line()


def bukvar(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipelines.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)


class TestCommand:
    def test_a_run_writes_the_file_and_says_what_its_processors_did(self, tmp_path: Path) -> None:
        crawl = ROOT / "tests/data/crawl/crawl-00000.warc.gz"
        common = [
            "run", "ru-web", "--set", f"input.paths={crawl}", "--set", 'run.stages=["extract", "identify"]',
            "--set", f"run.metrics={tmp_path / 'run.prom'}", "--out", str(tmp_path / "out"),
            "--executor", "inline", "-q",
        ]  # fmt: skip
        done = bukvar(*common)
        assert done.returncode == 0, done.stderr
        assert re.search(r"^time +\S+ s on 1 processor: \d+% computing", done.stdout, re.MULTILINE)
        found = parse((tmp_path / "run.prom").read_text("utf-8"))
        kept = value(found, "bukvar_documents_out_total", stage="extract")
        assert value(found, "bukvar_documents_in_total", stage="identify") == kept > 0
        again = bukvar(*common, "--metrics", str(tmp_path / "other.prom"), "--json")
        assert again.returncode == 0, again.stderr
        assert json.loads(again.stdout)["utilisation"]["task_seconds"] == 0
        assert (tmp_path / "other.prom").exists()

    def test_a_place_that_cannot_be_written_is_a_usage_error_before_work(
        self, source: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "file").touch()
        out = tmp_path / "out"
        done = bukvar(
            "clean",
            str(source),
            "--out",
            str(out),
            "--executor",
            "inline",
            "--metrics",
            str(tmp_path / "file/x.prom"),
        )
        assert done.returncode == 2
        assert done.stderr.startswith("bukvar: --metrics ")
        assert not out.exists()


class TestServed:
    def get(self, address: str, path: str) -> tuple[int, str, str]:
        connection = HTTPConnection(urlsplit(address).netloc, timeout=20)
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read().decode()

    def test_a_collector_gets_the_state_while_the_command_runs(self) -> None:
        with served("http://localhost:0", lambda: render({("bukvar_workers", ()): 2})) as address:
            status, kind, text = self.get(address, "/metrics")
            assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
            assert parse(text) == {("bukvar_workers", frozenset()): 2.0}
            assert self.get(address, "/else")[0] == 404
        with pytest.raises(OSError, match="refused"):
            self.get(address, "/metrics")

    def test_a_stage_serves_and_says_where(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        write_texts(tmp_path / "in/a.parquet", ["слово и ещё одно слово"])
        stage = ["clean", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--executor", "inline"]
        assert cli.run([*stage, "--metrics", "http://localhost:0"]) == 0
        assert re.search(r"metrics at http://localhost:\d+/metrics", capsys.readouterr().err)

    @pytest.mark.parametrize(
        ("location", "says"),
        [
            ("http://localhost", "HOST:PORT"),
            ("http://localhost:99999", "HOST:PORT"),
            ("http://a.invalid:1", "--metrics"),
        ],
    )
    def test_what_can_t_be_served_is_an_error_before_any_work(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], location: str, says: str
    ) -> None:
        write_texts(tmp_path / "in/a.parquet", ["слово"])
        stage = ["clean", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--executor", "inline"]
        assert cli.run([*stage, "--metrics", location]) == 2
        assert says in capsys.readouterr().err
        assert list((tmp_path / "out").glob("*.parquet")) == []

    def test_a_port_that_is_taken_is_named(self) -> None:
        with (
            served("http://localhost:0", str) as address,
            pytest.raises(UsageError, match="in use"),
            served(address, str),
        ):
            pass
