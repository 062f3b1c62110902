"""Commands that read shards outside of tasks, where a store refuses in the middle of every file."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus import faults, storage
from pipelines import fates
from pipelines.engine import Job, run_stage
from pipelines.execute import run_inline
from pipelines.manifest import verify
from pipelines.progress import Silent
from pipelines.report import write_report
from pipelines.takedown import take_down
from pipelines.tombstones import Tombstone
from tests.pipelines.published import publish, write_source
from tests.pipelines.stages import Shorten, inputs_of, write_texts


class Refusing(io.BytesIO):
    """Bytes of a file; from the second read on it may be refused."""

    def __init__(self, data: bytes, *, refuses: bool) -> None:
        super().__init__(data)
        self.refuses = refuses
        self.reads = 0

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        if self.refuses and self.reads > 1:
            raise OSError("AWS Error SLOW_DOWN (HTTP status 503) during GetObject operation")
        return super().read(size)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """From now on a Parquet file is refused every other time; how often each was opened."""
    times = Counter[str]()
    real = storage.open_input

    def refusing(location: str) -> Any:
        if not location.endswith(".parquet"):
            return real(location)
        times[location] += 1
        with real(location) as stream:
            return pa.PythonFile(Refusing(stream.read(), refuses=times[location] % 2 == 1), "r")

    monkeypatch.setattr(storage, "open_input", refusing)
    monkeypatch.setattr(faults.time, "sleep", lambda _: None)
    return times


@pytest.fixture
def dataset(tmp_path: Path) -> str:
    publish(write_source(tmp_path / "in"), str(tmp_path / "set"), shards=2)
    return str(tmp_path / "set")


def test_verify_reads_each_file_again(dataset: str, opened: Counter[str]) -> None:
    assert verify(dataset) == []
    assert opened
    assert min(opened.values()) > 1


def test_a_takedown_reads_each_file_again(dataset: str, opened: Counter[str]) -> None:
    file = sorted(Path(dataset, "data").glob("*.parquet"))[0]
    identity = pq.read_table(file, columns=["doc_id"]).column("doc_id")[0].as_py()
    opened.clear()
    assert take_down(dataset, [Tombstone("id", identity)]).rows == 1
    assert min(opened.values()) > 1
    assert verify(dataset) == []


def test_a_report_leaves_no_shard_out(tmp_path: Path, opened: Counter[str]) -> None:
    write_texts(tmp_path / "in/a.parquet", ["Привет. " * 30, "а"], url=["http://a.ru/1", "http://a.ru/2"])
    inputs = inputs_of((tmp_path / "in").iterdir())
    run = tmp_path / "out"
    run_stage(Job(Shorten(), inputs, str(run)), run_inline, Silent())
    opened.clear()
    write_report(str(run), str(run / "report.html"))
    assert "not a readable Parquet file" not in (run / "report.html").read_text()
    assert max(opened[str(file)] for file in run.glob("*.parquet")) > 1


def test_rows_are_looked_up_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = "ab" * 16
    write_texts(tmp_path / "a.parquet", ["Привет", "а"], doc_id=[identity, "cd" * 16])
    real, calls = fates._dataset, []

    def refusing(files: list[str]) -> Any:
        calls.append(files)
        if len(calls) < 3:
            raise OSError("AWS Error SLOW_DOWN (HTTP status 503) during GetObject operation")
        return real(files)

    monkeypatch.setattr(fates, "_dataset", refusing)
    monkeypatch.setattr(faults.time, "sleep", lambda _: None)
    assert fates.rows_with_ids(str(tmp_path), [identity], ("text",)) == {identity: {"text": "Привет"}}
    assert len(calls) == 3
