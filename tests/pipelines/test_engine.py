"""One stage over its inputs: what is done stays done, what changed is redone, nobody's folder is mixed."""

import os
import re
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus import receipts, storage
from corpus.dedup.near import Dedup
from corpus.errors import RunError, StageError, UsageError
from corpus.inputs import Input
from corpus.receipts import Folder, Receipt, read_receipts
from corpus.stage import Stage, Task
from corpus.writing import Progress
from pipelines import execute, lease, settling
from pipelines.account import StageResult, summarize
from pipelines.engine import Job, StageFailedError, outputs_of, run_stage
from pipelines.execute import Failure, Outcome, run_inline
from pipelines.lease import Lease
from pipelines.progress import Silent
from tests.pipelines.stages import Shorten, contents, inputs_of, name_of, receipt_times, texts_of, write_texts

#: Stems of the shards of 0.parquet to 4.parquet.
NAMES = [name_of(f"{n}.parquet") for n in range(5)]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Five files of documents; each has a short text, which Shorten drops."""
    for n in range(5):
        write_texts(tmp_path / f"in/{n}.parquet", [f"слово {n} {k}" for k in range(4)] + ["-"])
    return tmp_path / "in"


def go(source: Path, out: Path, stage: object | None = None, *, redo: bool = False) -> StageResult:
    job = Job(stage or Shorten(), inputs_of(source.glob("*")), str(out), redo=redo)  # type: ignore[arg-type]
    return run_stage(job, run_inline, Silent())


class TestAccounting:
    def test_sums_are_over_all_shards(self, source: Path, tmp_path: Path) -> None:
        result = go(source, tmp_path / "out")
        assert (result.rows_in, result.rows_out, result.dropped) == (25, 20, {"too_few_words": 5})
        assert (result.tasks, result.worked) == (5, 5)

    def test_the_folder_opens_as_a_dataset_of_the_kept_rows(self, source: Path, tmp_path: Path) -> None:
        go(source, tmp_path / "out")
        assert pq.read_table(tmp_path / "out").num_rows == 20

    def test_receipts_alone_give_the_same_sums(self, source: Path, tmp_path: Path) -> None:
        result = go(source, tmp_path / "out")
        again = summarize("clean", str(tmp_path / "out"), read_receipts(str(tmp_path / "out")))
        assert (again.rows_in, again.rows_out, again.dropped) == (25, 20, result.dropped)

    def test_outputs_are_inputs_of_the_next_with_rows_and_digests(self, source: Path, tmp_path: Path) -> None:
        go(source, tmp_path / "out")
        found = outputs_of(str(tmp_path / "out"))
        assert [i.name for i in found] == [f"{NAMES[n]}.parquet" for n in range(5)]
        assert [i.rows for i in found] == [4] * 5
        assert {i.path: i.digest for i in found} == {
            i.path: i.digest for i in inputs_of_shards(tmp_path / "out")
        }

    def test_a_stage_that_leaves_nothing_says_so_and_why(self, source: Path, tmp_path: Path) -> None:
        (said,) = go(source, tmp_path / "out", Shorten(least=99)).remarks()
        assert re.search(r"none of 25 documents is left \(too_few_words 25\).*inspect", said)

    def test_that_is_an_error_on_demand(self, source: Path, tmp_path: Path) -> None:
        job = Job(Shorten(least=99), inputs_of(source.glob("*")), str(tmp_path / "out"), fail_if_empty=True)
        with pytest.raises(StageError, match=r"none of 25 documents is left.*fail_if_empty is set"):
            run_stage(job, run_inline, Silent())

    def test_an_input_without_any_record_is_named(self, source: Path, tmp_path: Path) -> None:
        write_texts(source / "void.parquet", [])
        (source / "void.jsonl").touch()
        result = go(source, tmp_path / "out")
        assert result.remarks() == ["clean: no record in void.jsonl, void.parquet"]
        noted = replace(result, notes={"a-void.jsonl: odd": "so", "void.parquet: empty": "no record in it"})
        assert noted.remarks()[-1] == "clean: no record in void.jsonl"

    def test_records_of_kinds_that_hold_no_document_are_counted_where_there_is_nothing_else(self) -> None:
        skipped = {"revisit": 3, "warcinfo": 1}
        nothing = StageResult("extract", "out", 1, 0, 0, 0, {}, skipped)
        assert nothing.remarks() == [
            "extract: no documents: all records are of kinds that hold none (revisit 3, warcinfo 1)"
        ]
        assert StageResult("extract", "out", 1, 0, 5, 5, {}, skipped).remarks() == []


def inputs_of_shards(folder: Path) -> list[Input]:
    return list(inputs_of(folder.glob("*.parquet")))


class TestResuming:
    def test_a_second_run_does_no_work(self, source: Path, tmp_path: Path) -> None:
        first = go(source, tmp_path / "out")
        times, files = receipt_times(tmp_path / "out"), contents(tmp_path / "out")
        second = go(source, tmp_path / "out")
        assert second.worked == 0
        assert (receipt_times(tmp_path / "out"), contents(tmp_path / "out")) == (times, files)
        assert (second.rows_in, second.rows_out) == (first.rows_in, first.rows_out)

    @pytest.mark.parametrize(
        "file", [f"{NAMES[2]}.parquet", f"_dropped/{NAMES[2]}.parquet", f"_receipts/{NAMES[2]}.json"]
    )
    @pytest.mark.parametrize("damage", ["deleted", "truncated"])
    def test_what_is_damaged_is_redone_and_nothing_else(
        self, source: Path, tmp_path: Path, file: str, damage: str
    ) -> None:
        out = tmp_path / "out"
        go(source, out)
        times, files = receipt_times(out), contents(out)
        data = (out / file).read_bytes()
        (out / file).unlink()
        if damage == "truncated":
            (out / file).write_bytes(data[: len(data) // 2])
        assert go(source, out).worked == 1
        assert contents(out) == files
        assert {n for n, t in receipt_times(out).items() if t != times[n]} == {f"{NAMES[2]}.json"}

    def test_a_changed_input_is_redone_and_nothing_else(self, source: Path, tmp_path: Path) -> None:
        go(source, tmp_path / "out")
        times = receipt_times(tmp_path / "out")
        write_texts(source / "3.parquet", ["другое слово"])
        assert go(source, tmp_path / "out").worked == 1
        changed = {n for n, t in receipt_times(tmp_path / "out").items() if t != times[n]}
        assert changed == {f"{NAMES[3]}.json"}
        assert "другое слово" in texts_of(tmp_path / "out")
        assert not (tmp_path / f"out/_dropped/{NAMES[3]}.parquet").exists()  # it drops nothing now

    def test_an_input_that_comes_last_is_done_beside_the_others(self, source: Path, tmp_path: Path) -> None:
        go(source, tmp_path / "out")
        write_texts(source / "9.parquet", ["ещё слово"])
        result = go(source, tmp_path / "out")
        assert (result.worked, result.tasks) == (1, 6)

    def test_shards_of_inputs_that_are_gone_are_removed(self, source: Path, tmp_path: Path) -> None:
        go(source, tmp_path / "out")
        (source / "4.parquet").unlink()
        (source / "3.parquet").unlink()
        go(source, tmp_path / "out")
        fresh = tmp_path / "fresh"
        go(source, fresh)
        names = (
            set(contents(fresh))
            | {f"_receipts/{n}.json" for n in NAMES[:3]}
            | {"_receipts.jsonl", "_sums.json"}
        )
        assert {str(p.relative_to(tmp_path / "out")) for p in files(tmp_path / "out")} == names
        assert contents(tmp_path / "out") == contents(fresh)

    def test_leftovers_of_a_killed_writer_are_removed(self, source: Path, tmp_path: Path) -> None:
        go(source, tmp_path / "out")
        (
            tmp_path / f"out/{storage.partial_name('x.parquet').replace(str(os.getpid()), '4194305')}"
        ).write_bytes(b"half")
        go(source, tmp_path / "out")
        assert not list((tmp_path / "out").rglob("*.partial"))

    def test_heartbeats_of_killed_workers_are_removed(self, source: Path, tmp_path: Path) -> None:
        """Also where the task is done again in less time than it takes to write one."""
        out = tmp_path / "out"
        heartbeat = out / f"_running/{NAMES[0]}.json"

        def leave(_: Receipt) -> None:
            heartbeat.parent.mkdir(exist_ok=True)
            heartbeat.write_text("{}")

        def be_killed(receipt: Receipt) -> None:
            leave(receipt)
            raise KeyboardInterrupt

        def look(receipt: Receipt) -> None:
            assert not heartbeat.exists()
            leave(receipt)

        job = Job(Shorten(), inputs_of(source.glob("*")), str(out))
        with pytest.raises(KeyboardInterrupt):
            run_and(job, be_killed)
        assert heartbeat.exists()
        run_and(job, look)
        assert not heartbeat.exists()

    def test_files_that_are_no_shards_of_ours_are_left_alone(self, source: Path, tmp_path: Path) -> None:
        go(source, tmp_path / "out")
        (tmp_path / "out/notes.txt").write_text("mine")
        go(source, tmp_path / "out")
        assert (tmp_path / "out/notes.txt").read_text() == "mine"


def files(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file()]


class TestRedo:
    def test_another_parameter_is_refused_and_named(self, source: Path, tmp_path: Path) -> None:
        go(source, tmp_path / "out")
        before = contents(tmp_path / "out")
        with pytest.raises(UsageError, match=r"other parameters \(least 3 -> 2\).*--redo"):
            go(source, tmp_path / "out", Shorten(least=2))
        assert contents(tmp_path / "out") == before

    def test_when_asked_gives_what_a_fresh_folder_gives(self, source: Path, tmp_path: Path) -> None:
        go(source, tmp_path / "out")
        go(source, tmp_path / "out", Shorten(least=0), redo=True)  # drops nothing: no _dropped stays
        go(source, tmp_path / "fresh", Shorten(least=0))
        assert contents(tmp_path / "out") == contents(tmp_path / "fresh")

    def test_redoes_only_what_must_be(self, source: Path, tmp_path: Path) -> None:
        go(source, tmp_path / "out")
        assert go(source, tmp_path / "out", redo=True).worked == 0

    def test_goes_on_where_it_was_when_it_is_stopped(self, source: Path, tmp_path: Path) -> None:
        """Files of two parameter sets are never taken for one another."""
        out = tmp_path / "out"
        go(source, out)
        stop = (n for n in (True, True, False))

        def two(tasks: object) -> object:
            for outcome in run_inline(tasks):  # type: ignore[arg-type]
                yield outcome
                if not next(stop):
                    raise KeyboardInterrupt

        job = Job(Shorten(least=0), inputs_of(source.glob("*")), str(out), redo=True)
        with pytest.raises(KeyboardInterrupt):
            run_stage(job, two, Silent())  # type: ignore[arg-type]
        assert go(source, out, Shorten(least=0)).worked == 2
        go(source, tmp_path / "fresh", Shorten(least=0))
        assert contents(out) == contents(tmp_path / "fresh")

    def test_dedup_with_another_seed_uses_no_signature_of_the_first(self, tmp_path: Path) -> None:
        """Signatures of two seeds have equal sizes, so sizes can't tell them apart: keys must."""
        for n in range(3):
            write_texts(
                tmp_path / f"in/{n}.parquet", [f"текст номер {k} и довольно длинный" for k in range(9)]
            )
        go(tmp_path / "in", tmp_path / "out", Dedup())
        go(tmp_path / "in", tmp_path / "out", Dedup(seed=7), redo=True)
        go(tmp_path / "in", tmp_path / "fresh", Dedup(seed=7))
        assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


class TestClaims:
    def test_a_folder_with_other_files_is_refused(self, source: Path, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out/thesis.tex").touch()
        with pytest.raises(UsageError, match="files that bukvar did not write"):
            go(source, tmp_path / "out")
        assert [p.name for p in files(tmp_path / "out")] == ["thesis.tex"]

    def test_a_folder_whose_driver_was_killed_before_its_plan_stood_is_taken(
        self, source: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / storage.partial_name("_plan.json")).touch()
        assert go(source, tmp_path / "out").worked == 5

    def test_a_file_in_place_of_the_folder_is_refused(self, source: Path, tmp_path: Path) -> None:
        (tmp_path / "out").touch()
        with pytest.raises(UsageError, match="choose another --out"):
            go(source, tmp_path / "out")

    def test_a_folder_of_another_stage_is_refused(self, source: Path, tmp_path: Path) -> None:
        go(source, tmp_path / "out", Dedup())
        with pytest.raises(UsageError, match="holds the output of `dedup`, not of `clean`"):
            go(source, tmp_path / "out")

    def test_a_folder_made_from_wholly_other_inputs_is_refused(self, source: Path, tmp_path: Path) -> None:
        go(source, tmp_path / "out")
        write_texts(tmp_path / "elsewhere/x.parquet", ["слово"])
        with pytest.raises(UsageError, match="made from other inputs"):
            go(tmp_path / "elsewhere", tmp_path / "out")

    def test_an_empty_folder_is_taken(self, source: Path, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        assert go(source, tmp_path / "out").rows_out == 20

    def test_a_damaged_plan_says_how_to_mend_it(self, source: Path, tmp_path: Path) -> None:
        go(source, tmp_path / "out")
        (tmp_path / "out/_plan.json").write_text("{")
        with pytest.raises(UsageError, match="delete it to make the folder anew"):
            go(source, tmp_path / "out")


def dead_driver(out: Path) -> None:
    """The claim of a driver that was killed."""
    dead = Lease("elsewhere", 7, "", "token", 0.0, 0.0)
    (out / "_driver.json").write_bytes(msgspec.json.encode(dead))


def run_and(job: Job, after_first: Callable[[Receipt], object]) -> StageResult:
    """Run a stage and do something when its first task is done."""

    first = True

    def executor(tasks: Sequence[Task]) -> Generator[Outcome, None, None]:
        nonlocal first
        for outcome in run_inline(tasks):
            if first:
                assert isinstance(outcome, Receipt)
                after_first(outcome)
            first = False
            yield outcome

    return run_stage(job, executor, Silent())


class TestTwoWriters:
    """A driver that was killed, or silent for too long, may have tasks that still write."""

    def damage(self, out: Path, receipt: Receipt) -> None:
        """Another content of the same size."""
        path = out / receipt.outputs[-1].path
        path.write_bytes(bytes(reversed(path.read_bytes())))

    @pytest.mark.parametrize("stage", [Shorten(least=0), Dedup(seed=7)], ids=["map", "phases"])
    def test_of_other_keys_and_equal_sizes_are_told_apart_by_digests(
        self, source: Path, tmp_path: Path, stage: Stage
    ) -> None:
        out = tmp_path / "out"
        go(source, out, Dedup() if stage.name == "dedup" else Shorten())
        dead_driver(out)
        job = Job(stage, inputs_of(source.glob("*")), str(out), redo=True)
        with pytest.raises((RunError, StageFailedError)):
            run_and(job, lambda receipt: self.damage(out, receipt))
        assert go(source, out, stage, redo=True).worked > 0
        go(source, tmp_path / "fresh", stage)
        assert contents(out) == contents(tmp_path / "fresh")
        assert go(source, out, stage).worked == 0

    def test_the_message_says_what_happened(self, source: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        go(source, out)
        dead_driver(out)
        job = Job(Shorten(least=0), inputs_of(source.glob("*")), str(out), redo=True)
        with pytest.raises(RunError, match=r"files of 1 of 5 tasks were written by .* with other"):
            run_and(job, lambda receipt: self.damage(out, receipt))

    def test_a_doubt_outlives_the_command_that_has_it(self, source: Path, tmp_path: Path) -> None:
        """One that is stopped before it looked at the digests leaves it to the next."""
        out = tmp_path / "out"
        go(source, out)
        dead_driver(out)

        def stop(receipt: Receipt) -> None:
            self.damage(out, receipt)
            raise KeyboardInterrupt

        job = Job(Shorten(least=0), inputs_of(source.glob("*")), str(out), redo=True)
        with pytest.raises(KeyboardInterrupt):
            run_and(job, stop)
        assert go(source, out, Shorten(least=0)).worked == 5
        go(source, tmp_path / "fresh", Shorten(least=0))
        assert contents(out) == contents(tmp_path / "fresh")

    def test_of_the_same_keys_cost_no_reading(
        self, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        go(source, tmp_path / "out")
        dead_driver(tmp_path / "out")
        monkeypatch.setattr(receipts, "intact", None)
        assert go(source, tmp_path / "out").worked == 0

    def test_who_was_taken_over_stops_and_removes_nothing(self, source: Path, tmp_path: Path) -> None:
        """The other driver's shards have no receipts yet: to us they are files of nobody."""
        out = tmp_path / "out"
        theirs = [out / "theirs-0123456789.parquet", out / ".theirs.elsewhere.7.00000000.partial"]

        def take_over(_: Receipt) -> None:
            now = time.time()
            claim = Lease("elsewhere", 7, "", "token", now, now)
            (out / "_driver.json").write_bytes(msgspec.json.encode(claim))
            for path in theirs:
                path.write_bytes(b"theirs")
                os.utime(path, (0, 0))
            (held,) = lease._OWN.values()
            held.look()  # as the thread does that renews our claim

        with pytest.raises(RunError, match="taken over by another bukvar"):
            run_and(Job(Shorten(), inputs_of(source.glob("*")), str(out)), take_over)
        assert len(receipt_times(out)) == 1
        assert all(path.exists() for path in theirs)


class TestStorageIsCompared:
    """After each phase, with what its tasks returned."""

    @pytest.fixture(autouse=True)
    def at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settling, "LATE", ())

    @pytest.mark.parametrize("stage", [Shorten(), Dedup()], ids=["map", "phases"])
    def test_receipts_that_lie_elsewhere_are_an_error(
        self, source: Path, tmp_path: Path, stage: Stage
    ) -> None:
        out = tmp_path / "out"
        job = Job(stage, inputs_of(source.glob("*")), str(out))

        def hide(receipt: Receipt) -> None:
            (out / "_receipts" / f"{receipt.name}.json").unlink()

        with pytest.raises(RunError, match=r"1 of 5 tasks were done elsewhere .* do not share this folder"):
            run_and(job, hide)
        assert len(receipt_times(out)) == 4  # and the next phase did not begin

    @pytest.mark.parametrize("stage", [Shorten(), Dedup()], ids=["map", "phases"])
    def test_files_that_are_gone_are_an_error_and_done_again(
        self, source: Path, tmp_path: Path, stage: Stage
    ) -> None:
        out = tmp_path / "out"
        job = Job(stage, inputs_of(source.glob("*")), str(out))
        with pytest.raises(RunError, match=r"files of 1 of 5 tasks are gone or changed"):
            run_and(job, lambda receipt: (out / receipt.outputs[-1].path).unlink())
        go(source, out, stage)
        go(source, tmp_path / "fresh", stage)
        assert contents(out) == contents(tmp_path / "fresh")

    def test_a_disk_that_shows_files_late_is_waited_for(
        self, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out = tmp_path / "out"
        monkeypatch.setattr(settling, "LATE", (0.0,))
        real, hidden = settling.read_folder, tmp_path / "hidden"

        def read(location: str, known: Mapping[str, Receipt] | None = None) -> Folder:
            found = real(location, known)
            if known and hidden.exists():
                hidden.rename(out / "_receipts" / f"{NAMES[0]}.json")
            return found

        monkeypatch.setattr(settling, "read_folder", read)
        job = Job(Shorten(), inputs_of(source.glob("*")), str(out))
        assert run_and(job, lambda r: (out / "_receipts" / f"{r.name}.json").rename(hidden)).worked == 5
        assert not hidden.exists()


class TestFailures:
    def test_a_failed_shard_does_not_stop_the_others(self, source: Path, tmp_path: Path) -> None:
        (source / "1.parquet").write_bytes(b"junk")
        with pytest.raises(
            StageFailedError, match=r"1 shard failed \(1\.parquet: not a readable Parquet"
        ) as caught:
            go(source, tmp_path / "out")
        assert caught.value.exit_code == 1
        assert str(caught.value).endswith("; mend it and run the same command again")
        assert sorted(receipt_times(tmp_path / "out")) == sorted(f"{NAMES[n]}.json" for n in (0, 2, 3, 4))
        assert not (tmp_path / f"out/{NAMES[1]}.parquet").exists()

    def test_mended_it_goes_on_and_the_failure_is_forgotten(self, source: Path, tmp_path: Path) -> None:
        good = (source / "1.parquet").read_bytes()
        (source / "1.parquet").write_bytes(b"junk")
        with pytest.raises(StageFailedError):
            go(source, tmp_path / "out")
        assert (tmp_path / f"out/_failed/{NAMES[1]}.json").exists()
        (source / "1.parquet").write_bytes(good)
        assert go(source, tmp_path / "out").worked == 1
        assert not list((tmp_path / "out/_failed").iterdir())

    def test_a_full_disk_stops_the_run_at_once(self, source: Path, tmp_path: Path) -> None:
        tried = []

        def full(tasks: list[object]) -> object:
            for n, _ in enumerate(tasks):
                tried.append(n)
                yield Failure(str(tmp_path), "00000", (), "RunError", "the disk is full", fatal=True)

        job = Job(Shorten(), inputs_of(source.glob("*")), str(tmp_path / "out"))
        with pytest.raises(RunError, match="the disk is full"):
            run_stage(job, full, Silent())  # type: ignore[arg-type]
        assert tried == [0]

    def test_a_missing_column_is_named_before_any_work(self, source: Path, tmp_path: Path) -> None:
        class NeedsWords(Shorten):
            needs = ("words",)

        with pytest.raises(UsageError, match=r"clean needs the column words, which 0\.parquet lacks"):
            go(source, tmp_path / "out", NeedsWords())
        assert not (tmp_path / "out").exists()

    def test_an_input_that_takes_too_much_memory_is_named_and_the_others_go_on(
        self, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = execute.run_task

        def exhaust(task: Task, progress: Progress) -> Receipt:
            if task.inputs[0].name == "1.parquet":
                raise pa.ArrowMemoryError("malloc of size 17179869184 failed")
            return real(task, progress)

        monkeypatch.setattr(execute, "run_task", exhaust)
        with pytest.raises(StageFailedError, match=r"1\.parquet: out of memory \(malloc .* fewer --workers"):
            go(source, tmp_path / "out")
        assert len(receipt_times(tmp_path / "out")) == 4

    def test_no_memory_for_the_plan_is_an_error_with_the_estimate_before_work(
        self, source: Path, tmp_path: Path
    ) -> None:
        with pytest.raises(StageError, match=r"needs .* GiB of memory for 25 documents, .* allowed"):
            go(source, tmp_path / "out", Dedup(memory_gb=1e-6))
        assert not list((tmp_path / "out").rglob("*.parquet"))
