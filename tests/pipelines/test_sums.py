"""`bukvar status` from one small file, and from receipts where that file can't be relied on."""

from pathlib import Path

import pytest

from corpus import receipts
from corpus.receipts import Receipt
from pipelines import sums
from pipelines.commands.status import read_status
from pipelines.engine import Job, run_stage
from pipelines.execute import run_inline
from pipelines.lease import lease
from pipelines.progress import Silent
from pipelines.sums import Tally, read_sums
from tests.pipelines.stages import Shorten, inputs_of, write_texts


@pytest.fixture
def done(tmp_path: Path) -> Path:
    """The folder of a stage that is done: two shards, of three documents each one is dropped."""
    for n in range(2):
        write_texts(tmp_path / f"in/{n}.parquet", ["слово", "ещё слово", "-"])
    out = tmp_path / "out"
    run_stage(Job(Shorten(), inputs_of((tmp_path / "in").glob("*")), str(out)), run_inline, Silent())
    return out


def no_receipts(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> None:
        raise AssertionError("receipts are read")

    monkeypatch.setattr(receipts, "read_receipts", refuse)


def test_a_folder_that_is_done_is_told_without_its_receipts(
    done: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from_receipts = sums.summarize("clean", str(done), receipts.read_receipts(str(done)))
    no_receipts(monkeypatch)
    (status,) = read_status(str(done))
    assert (status.state, status.tasks_done, status.rows_in, status.rows_out) == ("done", 2, 6, 4)
    assert status.dropped == from_receipts.dropped == {"too_few_words": 2}


def test_while_its_driver_works_the_last_sums_count_and_when_it_was_killed_receipts_do(
    done: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tally = Tally("clean", str(done))
    tally.write(ended=False)
    assert read_sums(str(done)) is None
    assert read_status(str(done))[0].tasks_done == 2
    with lease(str(done)):
        assert read_sums(str(done)) is not None
        no_receipts(monkeypatch)
        assert read_status(str(done))[0].tasks_done == 0


def test_the_file_is_renewed_while_tasks_are_done(done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = receipts.read_receipts(str(done))
    monkeypatch.setattr(sums, "WRITE_EVERY", 0.0)
    monkeypatch.setattr(sums, "_SHARE", 0.0)
    tally = Tally("clean", str(done))
    with lease(str(done)):
        for receipt, count in ((first, 1), (second, 2), (second, 2)):
            assert isinstance(receipt, Receipt)
            tally.add(receipt)
            found = read_sums(str(done))
            assert found is not None
            assert (found.tasks, found.rows_in) == (count, 3 * count)


def test_a_damaged_file_is_as_none(done: Path) -> None:
    (done / "_sums.json").write_bytes(b"{")
    assert read_sums(str(done)) is None
    assert read_status(str(done))[0].tasks_done == 2
