"""The runner: same rows in and out, dropped rows accounted for, one bad document never costs another."""

import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import receipts, storage, table, writing
from corpus.errors import DocumentError, RunError, ShardError
from corpus.inputs import Input, Part
from corpus.judging import judge
from corpus.stage import MAP, Side, Task, local_copies, run_task
from corpus.writing import Output
from tests.pipelines.stages import Shorten, inputs_of, name_of, tasks_of, write_texts

#: Of the shard made from a.parquet.
NAME = name_of("a.parquet")
REASONS = ["not_russian", "too_few_words", "error:KeyError"]


@dataclass(frozen=True)
class Verdicts:
    """Says of row n what verdicts[n] says; the text is the row's number."""

    name: ClassVar[str] = "filter"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[pa.Schema] = pa.schema([pa.field("number", pa.int64())])
    reasons: ClassVar[Mapping[str, str]] = {"too_few_words": "fewer words", "not_russian": "another language"}

    verdicts: tuple[str | None, ...] = ()

    def open(self) -> Callable[[pa.Table], pa.Table]:
        def function(batch: pa.Table) -> pa.Table:
            numbers = [int(t) for t in batch["text"].to_pylist()]
            drop = pa.array([self.verdicts[n] for n in numbers], pa.string())
            batch = batch.append_column("number", pa.array(numbers, pa.int64()))
            return batch.append_column(table.DROP, drop).append_column(table.DROP_DETAIL, drop)

        return function


def run(stage: object, source: Path, folder: Path) -> receipts.Receipt:
    (task,) = tasks_of(stage, inputs_of([source]), folder)
    return run_task(task)


class TestAccounting:
    @settings(max_examples=40)
    @given(st.lists(st.sampled_from([None, *REASONS[:2]]), max_size=1200))
    def test_rows_in_are_rows_out_plus_dropped_whatever_the_verdicts(
        self, verdicts: list[str | None]
    ) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            source = write_texts(folder / "in/a.parquet", [str(n) for n in range(len(verdicts))])
            receipt = run(Verdicts(tuple(verdicts)), source, folder / "out")
            assert receipt.rows_in == len(verdicts)
            assert receipt.rows_in == receipt.rows_out + sum(receipt.dropped.values())
            assert receipt.dropped == dict(Counter(v for v in verdicts if v))
            kept = pq.read_table(folder / f"out/{NAME}.parquet")
            assert kept["number"].to_pylist() == [n for n, v in enumerate(verdicts) if v is None]
            dropped = folder / f"out/_dropped/{NAME}.parquet"
            gone = pq.read_table(dropped)["drop"].to_pylist() if dropped.exists() else []
            assert gone == [v for v in verdicts if v]

    def test_bytes_in_and_out_are_those_of_the_texts(self, tmp_path: Path) -> None:
        source = write_texts(tmp_path / "a.parquet", ["слово", "ab", "abc"])
        receipt = run(Shorten(), source, tmp_path / "out")
        assert (receipt.bytes_in, receipt.bytes_out) == (15, 13)

    def test_an_empty_input_gives_an_empty_shard_with_every_column(self, tmp_path: Path) -> None:
        source = write_texts(tmp_path / "a.parquet", [])
        receipt = run(Shorten(), source, tmp_path / "out")
        assert (receipt.rows_in, receipt.rows_out) == (0, 0)
        assert pq.read_schema(tmp_path / f"out/{NAME}.parquet").names == [*table.DOCUMENT.names, "letters"]

    def test_null_texts_are_rows_like_others(self, tmp_path: Path) -> None:
        source = write_texts(tmp_path / "a.parquet", [None, "слово"])
        assert run(Shorten(), source, tmp_path / "out").dropped == {"too_few_words": 1}


class TestBadDocuments:
    @given(st.sets(st.integers(0, 29)))
    def test_halving_finds_exactly_the_documents_at_fault(self, bad: set[int]) -> None:
        texts = ["raise" if n in bad else f"text {n}" for n in range(30)]
        judged = judge(Shorten().open(), pa.table({"text": pa.array(texts, pa.large_string())}))
        assert judged.num_rows == 30
        assert judged["text"].to_pylist() == texts
        found = {n for n, reason in enumerate(judged[table.DROP].to_pylist()) if reason == "error:ValueError"}
        assert found == bad

    def test_the_others_are_judged_as_if_it_were_not_there(self) -> None:
        judged = judge(Shorten(3).open(), pa.table({"text": ["a", "raise", "abc"]}))
        assert judged[table.DROP].to_pylist() == ["too_few_words", "error:ValueError", None]
        assert judged["letters"].to_pylist() == [1, None, 3]

    def test_a_document_error_costs_the_document(self) -> None:
        def function(_: pa.Table) -> pa.Table:
            raise DocumentError("odd")

        judged = judge(function, pa.table({"text": ["a"]}))
        assert judged[table.DROP].to_pylist() == ["error:DocumentError"]
        assert judged[table.DROP_DETAIL].to_pylist() == ["odd"]

    @pytest.mark.parametrize("error", [MemoryError(), OSError("disk"), ShardError("a"), RunError("b")])
    def test_an_error_that_is_no_document_s_is_passed_on(self, error: Exception) -> None:
        def function(_: pa.Table) -> pa.Table:
            raise error

        with pytest.raises(type(error)):
            judge(function, pa.table({"text": ["a", "b"]}))

    def test_rows_that_the_reader_judged_keep_its_verdict(self, tmp_path: Path) -> None:
        source = tmp_path / "a.jsonl"
        source.write_text('{"text": "слово"}\nnot json\n{"text": "а"}\n{"text": 3}\n')
        receipt = run(Shorten(), source, tmp_path / "out")
        assert receipt.dropped == {"malformed_row": 2, "too_few_words": 1}
        assert receipt.rows_in == 4

    def test_too_many_errors_fail_the_shard_and_leave_nothing(self, tmp_path: Path) -> None:
        source = write_texts(tmp_path / "a.parquet", ["raise"] * (writing.ERROR_FLOOR + 1))
        with pytest.raises(ShardError, match="21 of 21 documents failed, most with error:ValueError"):
            run(Shorten(), source, tmp_path / "out")
        assert not [p for p in (tmp_path / "out").rglob("*") if p.is_file()]


class TestBytes:
    def test_same_input_gives_the_same_files(self, tmp_path: Path) -> None:
        source = write_texts(tmp_path / "a.parquet", [f"слово {n}" for n in range(3000)] + ["a", "raise"])
        first, second = (run(Shorten(), source, tmp_path / name) for name in ("one", "two"))
        assert first.outputs == second.outputs
        assert first.key == second.key

    def test_a_file_elsewhere_with_the_same_name_and_content_is_the_same_input(self, tmp_path: Path) -> None:
        one = run(Shorten(), write_texts(tmp_path / "x/a.parquet", ["слово"]), tmp_path / "one")
        two = run(Shorten(), write_texts(tmp_path / "y/a.parquet", ["слово"]), tmp_path / "two")
        assert (one.key, one.outputs) == (two.key, two.outputs)


class TestKey:
    task = Task(Shorten(), MAP, "x", 0, (Input("/a/x", "x", "d"),), "/out")

    def test_depends_on_parameters_options_phase_names_and_digests(self) -> None:
        others = [
            replace(self.task, stage=Shorten(least=4)),
            replace(self.task, inputs=(Input("/a/x", "x", "d", text_column="body"),)),
            replace(self.task, inputs=(Input("/a/x", "x", "d", part=Part(1, 2, 3)),)),
            replace(self.task, phase=replace(MAP, name="mark")),
            replace(self.task, phase=replace(MAP, options=(("buckets", 2),))),
            replace(self.task, extra=(("rows", 2),)),
            replace(self.task, reads_key="k"),
            replace(self.task, sides=(Side("least", (Input("/s", "s", "1"),)),)),
            replace(self.task, sides=(Side("least", (Input("/s", "s", "2"),)),)),
            replace(self.task, inputs=(Input("/a/x", "y", "d"),)),
            replace(self.task, inputs=(Input("/a/x", "x", "e"),)),
        ]
        assert len({t.key() for t in [self.task, *others]}) == 12

    def test_does_not_depend_on_places_or_numbers(self) -> None:
        others = [
            replace(self.task, number=7),
            replace(self.task, scratch="/fast"),
            replace(self.task, folder="/elsewhere"),
            replace(self.task, inputs=(Input("/b/x", "x", "d", 5, 6),)),
        ]
        assert {t.key() for t in [self.task, *others]} == {self.task.key()}

    def test_another_version_of_a_stage_is_another_task(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = self.task.key()
        monkeypatch.setattr(Shorten, "version", 2)
        assert self.task.key() != before


def test_a_store_s_file_is_copied_once_for_a_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = f"mock://stores/{tmp_path.name}"
    locations = [f"{root}-a-b", f"{root}-a-c", f"{root}-a-b"]
    for location in locations[:2]:
        storage.write_bytes(location, location.encode())
    with Output(str(tmp_path / "out"), "task") as out:
        copies = local_copies(locations[:2], out)
        monkeypatch.setattr(storage, "open_input", None)
        assert local_copies([locations[2]], out) == [copies[0]]
        assert [copy.read_bytes() for copy in copies] == [location.encode() for location in locations[:2]]
        assert [copy.name for copy in copies] == [f"{tmp_path.name}-a-b", f"{tmp_path.name}-a-c"]
