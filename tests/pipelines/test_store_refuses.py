"""Commands that read shards outside of tasks, where a store refuses in the middle of every file."""

from __future__ import annotations

import io
import itertools
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from corpus import faults, storage
from corpus.errors import TransientError
from corpus.stage import local_copy
from corpus.writing import Output
from pipelines import fates, query
from pipelines.compare import compare
from pipelines.engine import Job, run_stage
from pipelines.execute import Failure, attempt, run_inline
from pipelines.progress import Silent
from pipelines.query import Wanted, count_rows, read_rows
from pipelines.report import write_report
from pipelines.takedown import take_down
from pipelines.tombstones import Tombstone
from pipelines.verification import verify
from tests.pipelines.published import publish, write_source
from tests.pipelines.stages import Shorten, inputs_of, tasks_of, write_texts


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


def test_keys_that_expire_in_the_middle_of_a_file_end_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is not taken for a broken one, nor each of the others after it."""
    write_texts(tmp_path / "a.parquet", ["слово"] * 100)
    inputs = inputs_of([tmp_path / "a.parquet"])
    real = storage.open_input

    class Expired(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() == 4:  # where the first column begins
                raise OSError("AWS Error EXPIRED_TOKEN during GetObject operation: The token has expired.")
            return super().read(size)

    def expiring(location: str) -> Any:
        with real(location) as stream:
            return pa.PythonFile(Expired(stream.read()), "r")

    monkeypatch.setattr(storage, "open_input", expiring)
    outcome = attempt(tasks_of(Shorten(), inputs, tmp_path / "out")[0])
    assert isinstance(outcome, Failure)
    assert outcome.fatal
    assert "a.parquet: the store refuses access" in outcome.message


def test_a_local_copy_is_begun_anew(
    tmp_path: Path, opened: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the whole task, which may have computed for an hour."""
    data = random.Random(1).randbytes(3 << 20)
    (tmp_path / "work.parquet").write_bytes(data)
    monkeypatch.setattr(storage, "local_path", lambda _: None)
    with Output(str(tmp_path / "out"), "x", scratch=str(tmp_path)) as out:
        copy = local_copy(str(tmp_path / "work.parquet"), out)
        assert copy.read_bytes() == data
        assert [p.name for p in copy.parent.iterdir()] == [copy.name]
    assert list(opened.values()) == [2]


@pytest.fixture
def scanned(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """From now on a scanner that opens a Parquet file for its footer, and again for its rows, is refused the
    rows the first time; how often each was opened."""
    local = pytest.importorskip("fsspec.implementations.local")
    times = Counter[str]()

    class Store(local.LocalFileSystem):  # type: ignore[misc]
        cachable = False

        def _open(self, path: str, *_: Any, **_more: Any) -> Any:
            times[path] += 1
            return Refusing(Path(path).read_bytes(), refuses=times[path] % 7 == 2)

    store = fs.PyFileSystem(fs.FSSpecHandler(Store()))
    monkeypatch.setattr(storage, "open_filesystem", lambda location: (store, str(Path(location).absolute())))
    monkeypatch.setattr(faults.time, "sleep", lambda _: None)
    return times


def write_many(path: Path) -> list[str]:
    """A file of several row groups; the texts."""
    texts = [f"текст номер {n}" for n in range(3000)]
    ids = pa.array([n.to_bytes(16, "big") for n in range(3000)], pa.binary(16))
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"text": texts, "doc_id": ids}), path, row_group_size=250)
    return texts


@pytest.mark.parametrize("where", ["", "text LIKE 'текст%'"], ids=["all rows", "by a condition"])
def test_rows_are_inspected_again(tmp_path: Path, scanned: Counter[str], where: str) -> None:
    texts = write_many(tmp_path / "a.parquet")
    file, wanted = str(tmp_path / "a.parquet"), Wanted(where=where)
    assert [row["text"] for row in read_rows([file], wanted)] == texts
    assert scanned[file] == 4
    scanned.clear()
    assert count_rows([file], wanted) == 3000
    assert scanned[file] == 4


@pytest.mark.usefixtures("scanned")
def test_what_a_store_says_is_no_fault_of_the_condition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_many(tmp_path / "a.parquet")
    clock = itertools.count(0, 1000)
    monkeypatch.setattr(faults.time, "monotonic", lambda: next(clock))
    with pytest.raises(TransientError, match="the server does not answer as it should"):
        list(read_rows([str(tmp_path / "a.parquet")], Wanted(where="text LIKE 'текст%'")))


@pytest.mark.parametrize("after", [0, 1, 5])
def test_rows_that_were_given_are_not_given_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    texts = write_many(tmp_path / "a.parquet")
    real, begun = query._read, itertools.count()

    def refusing(*arguments: Any) -> Iterator[pa.RecordBatch]:
        batches = real(*arguments)
        if next(begun) < 2:
            yield from itertools.islice(batches, after)
            raise OSError("AWS Error SLOW_DOWN (HTTP status 503) during GetObject operation")
        yield from batches

    monkeypatch.setattr(query, "_read", refusing)
    monkeypatch.setattr(faults.time, "sleep", lambda _: None)
    files = [str(tmp_path / "a.parquet")] * 2
    assert [row["text"] for row in read_rows(files, Wanted())] == 2 * texts
    assert next(begun) == 4


def test_two_runs_are_compared_as_where_nothing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    texts = [f"текст номер {n}" for n in range(1000)] + ["а"] * 1000
    ids = pa.array([n.to_bytes(16, "big") for n in range(2000)], pa.binary(16))
    write_texts(tmp_path / "in/a.parquet", texts, doc_id=ids)
    inputs = inputs_of((tmp_path / "in").iterdir())
    for name, least in (("one", 1), ("other", 3)):
        run_stage(Job(Shorten(least=least), inputs, str(tmp_path / name)), run_inline, Silent())
    folders = [str(tmp_path / name) for name in ("one", "other")]
    smooth = compare(*folders).plain()
    assert smooth["kept_in_first_alone"] == 1000
    scanned = request.getfixturevalue("scanned")
    monkeypatch.setattr(storage, "local_path", Path)
    assert compare(*folders).plain() == smooth
    assert max(scanned.values()) > 4


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
