"""Shards and receipts: equal rows give equal bytes, and nothing half-made has a final name."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import receipts, storage, table, writing
from corpus.errors import ShardError, one_line
from corpus.receipts import Receipt, read_folder
from corpus.writing import Output


def judged(texts: list[str | None], drops: list[str | None]) -> pa.Table:
    return pa.table(
        {
            "text": pa.array(texts, pa.large_string()),
            table.DROP: pa.array(drops, pa.string()),
            table.DROP_DETAIL: pa.array([d and "why" for d in drops], pa.string()),
        }
    )


def receipt(name: str = "00000", key: str = "k") -> Receipt:
    return Receipt("clean", 1, "map", name, key, {}, (), ())


def finish(out: Output, key: str = "k") -> Receipt:
    done = replace(receipt(key=key), outputs=out.close())
    receipts.write_receipt(out.folder, done)
    return done


def is_done(folder: Path, key: str = "k") -> bool:
    return read_folder(str(folder)).is_done("00000", key)


def publish(folder: Path, *batches: pa.Table, key: str = "k") -> Receipt:
    with Output(str(folder), "00000", reasons=("not_russian", "short_lines")) as out:
        for batch in batches:
            out.split(batch)
        return finish(out, key)


class TestSplit:
    def test_kept_rows_go_to_the_shard_and_the_others_beside_it_with_their_reason(
        self, tmp_path: Path
    ) -> None:
        publish(tmp_path, judged(["a", "b", "c"], [None, "not_russian", None]))
        assert pq.read_table(tmp_path / "00000.parquet")["text"].to_pylist() == ["a", "c"]
        (row,) = pq.read_table(tmp_path / "_dropped/00000.parquet").to_pylist()
        assert row == {"text": "b", "drop": "not_russian", "drop_detail": "why"}

    def test_text_of_dropped_rows_is_kept_for_a_sample_per_reason(self, tmp_path: Path) -> None:
        count = writing.SAMPLES + 5
        drops = ["not_russian", "short_lines"] * count
        publish(tmp_path, judged(["t"] * len(drops), [*drops]))
        rows = pq.read_table(tmp_path / "_dropped/00000.parquet").to_pylist()
        assert len(rows) == len(drops)
        for reason in ("not_russian", "short_lines"):
            assert sum(r["text"] is not None for r in rows if r["drop"] == reason) == writing.SAMPLES

    def test_a_reason_that_is_not_on_the_list_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(AssertionError, match="bad_mood"):
            publish(tmp_path, judged(["a"], ["bad_mood"]))
        assert not list(tmp_path.rglob("*.parquet"))

    def test_any_error_type_is_a_reason(self, tmp_path: Path) -> None:
        publish(tmp_path, judged(["a", "b"], ["error:KeyError", None]))
        assert (tmp_path / "_dropped/00000.parquet").is_file()
        with pytest.raises(AssertionError, match="errors"):
            publish(tmp_path, judged(["a"], ["errors"]))

    def test_a_column_may_come_later_and_is_null_before_but_not_change_its_type(self, tmp_path: Path) -> None:
        with Output(str(tmp_path), "00000") as out:
            out.write(pa.table({"n": [1], "m": ["x"]}))
            out.write(pa.table({"n": [2]}))
            with pytest.raises(ShardError, match="changes its type"):
                out.write(pa.table({"n": ["many"]}))
            finish(out)
        assert pq.read_table(tmp_path / "00000.parquet").to_pydict() == {"n": [1, 2], "m": ["x", None]}


class TestBytes:
    @given(st.lists(st.text(max_size=20), max_size=30), st.integers(1, 7))
    def test_of_the_same_rows_do_not_depend_on_how_they_were_batched(
        self, texts: list[str], size: int
    ) -> None:
        import tempfile

        whole = pa.table({"text": pa.array(texts, pa.large_string())})
        made = []
        for step in (size, max(len(texts), 1)):
            with tempfile.TemporaryDirectory() as folder:
                with Output(folder, "00000") as out:
                    out.write(whole.slice(0, 0))
                    for start in range(0, len(texts), step):
                        out.write(whole.slice(start, step))
                    finish(out)
                made.append((Path(folder) / "00000.parquet").read_bytes())
        assert made[0] == made[1]

    def test_metadata_of_the_source_s_schema_stays_out(self, tmp_path: Path) -> None:
        rows = pa.table({"text": ["a"]}).replace_schema_metadata({"made": "yesterday"})
        with Output(str(tmp_path), "00000") as out:
            out.write(rows)
            finish(out)
        assert not pq.read_schema(tmp_path / "00000.parquet").metadata

    def test_row_groups_hold_at_most_the_stated_rows(self, tmp_path: Path) -> None:
        count = 2 * writing.ROW_GROUP_ROWS + 1
        with Output(str(tmp_path), "00000") as out:
            out.write(pa.table({"text": pa.array(["a"] * count, pa.large_string())}))
            finish(out)
        data = pq.read_metadata(tmp_path / "00000.parquet")
        assert [data.row_group(n).num_rows for n in range(data.num_row_groups)] == [4000, 4000, 1]

    def test_a_receipt_states_digest_size_and_rows_of_each_output(self, tmp_path: Path) -> None:
        done = publish(tmp_path, judged(["a", "b"], [None, "not_russian"]))
        assert [o.path for o in done.outputs] == ["00000.parquet", "_dropped/00000.parquet"]
        for output in done.outputs:
            assert (output.digest, output.bytes) == storage.sha256(str(tmp_path / output.path))
            assert output.rows == 1


class TestAtomicity:
    def test_an_exception_in_the_middle_leaves_nothing(self, tmp_path: Path) -> None:
        def fail() -> None:
            with Output(str(tmp_path), "00000", reasons=("not_russian",)) as out:
                out.split(judged(["a", "b"], [None, "not_russian"]))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert not [p for p in tmp_path.rglob("*") if p.is_file()]

    def test_without_a_receipt_a_task_is_not_done(self, tmp_path: Path) -> None:
        publish(tmp_path, judged(["a"], [None]))
        assert is_done(tmp_path)
        (tmp_path / "_receipts/00000.json").unlink()
        assert not is_done(tmp_path)

    @pytest.mark.parametrize("damage", ["delete", "truncate", "append"])
    def test_with_an_output_gone_or_of_another_size_a_task_is_not_done(
        self, tmp_path: Path, damage: str
    ) -> None:
        publish(tmp_path, judged(["a"], [None]))
        file = tmp_path / "00000.parquet"
        data = file.read_bytes()
        file.unlink()
        if damage != "delete":
            file.write_bytes(data[:-1] if damage == "truncate" else data + b"x")
        assert not is_done(tmp_path)

    def test_a_damaged_receipt_means_not_done(self, tmp_path: Path) -> None:
        publish(tmp_path, judged(["a"], [None]))
        (tmp_path / "_receipts/00000.json").write_text('{"stage": ')
        assert receipts.read_receipt(str(tmp_path), "00000") is None
        assert not is_done(tmp_path)

    def test_another_key_is_another_task(self, tmp_path: Path) -> None:
        publish(tmp_path, judged(["a"], [None]))
        assert not is_done(tmp_path, "new")

    def test_what_is_retracted_goes_whole(self, tmp_path: Path) -> None:
        """Else dropped rows of the earlier try would outlive a try that drops nothing."""
        done = publish(tmp_path, judged(["a", "b"], [None, "not_russian"]))
        receipts.retract(str(tmp_path), [done])
        assert not [p for p in tmp_path.rglob("*") if p.is_file()]

    def test_receipts_name_no_place_of_the_machine(self, tmp_path: Path) -> None:
        publish(tmp_path, judged(["a"], [None]))
        assert str(tmp_path) not in (tmp_path / "_receipts/00000.json").read_text()


class TestIndex:
    """One file holds all receipts, so that two requests read a folder; the receipts themselves decide."""

    def test_gives_the_receipts_one_by_one_give(self, tmp_path: Path) -> None:
        publish(tmp_path, judged(["a", "b"], [None, "not_russian"]))
        before = read_folder(str(tmp_path))
        receipts.write_index(before)
        assert read_folder(str(tmp_path)).receipts == before.receipts

    def test_a_receipt_written_since_counts(self, tmp_path: Path) -> None:
        publish(tmp_path, judged(["a"], [None]))
        receipts.write_index(read_folder(str(tmp_path)))
        publish(tmp_path, judged(["a"], [None]), key="longer")
        assert is_done(tmp_path, "longer")

    def test_a_receipt_deleted_since_does_not(self, tmp_path: Path) -> None:
        publish(tmp_path, judged(["a"], [None]))
        receipts.write_index(read_folder(str(tmp_path)))
        (tmp_path / "_receipts/00000.json").unlink()
        assert not read_folder(str(tmp_path)).receipts

    def test_damaged_it_is_passed_over(self, tmp_path: Path) -> None:
        publish(tmp_path, judged(["a"], [None]))
        (tmp_path / "_receipts.jsonl").write_text("{")
        assert is_done(tmp_path)


class TestWorkFiles:
    def test_appear_under_their_name_when_they_are_whole(self, tmp_path: Path) -> None:
        with Output(str(tmp_path), "a", "sign") as out:
            with out.work() as path:
                path.write_bytes(b"12")
                assert not (tmp_path / "_work/sign/a").exists()
            found = out.close()
        assert [(o.path, o.bytes) for o in found] == [("_work/sign/a", 2)]

    def test_of_one_task_have_names_of_their_own(self, tmp_path: Path) -> None:
        with Output(str(tmp_path), "00000", "resolve") as out:
            for name in ("x", "y"):
                with out.work(name) as path:
                    path.write_text(name)
        assert (tmp_path / "_work/resolve/00000/y").read_text() == "y"

    def test_that_fail_leave_nothing(self, tmp_path: Path) -> None:
        def fail() -> None:
            with Output(str(tmp_path), "a", "sign") as out, out.work() as path:
                path.write_bytes(b"12")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert not [p for p in tmp_path.rglob("*") if p.is_file()]


class TestErrorBudget:
    @pytest.mark.parametrize(
        ("errors", "rows", "passes"),
        [(20, 20, True), (21, 21, False), (21, 420, True), (22, 420, False), (0, 0, True)],
    )
    def test_a_shard_fails_above_twenty_errors_and_five_percent(
        self, tmp_path: Path, errors: int, rows: int, *, passes: bool
    ) -> None:
        out = Output(str(tmp_path), "00000")
        out.rows_in = rows
        out.dropped["error:KeyError"] = errors
        if passes:
            out.check_errors()
        else:
            with pytest.raises(ShardError, match="error:KeyError"):
                out.check_errors()

    def test_rows_dropped_for_other_reasons_do_not_count(self, tmp_path: Path) -> None:
        out = Output(str(tmp_path), "00000")
        out.rows_in = 1000
        out.dropped["not_russian"] = 1000
        out.check_errors()
        out.dropped["error:KeyError"] = 1000
        with pytest.raises(ShardError, match="error:KeyError"):
            out.check_errors()


def test_digest_of_plain_data_does_not_depend_on_the_order_of_keys() -> None:
    assert receipts.digest_of({"a": 1, "b": [1]}) == receipts.digest_of({"b": [1], "a": 1})
    assert receipts.digest_of({"a": 1}) != receipts.digest_of({"a": 2})


def test_one_line_is_one_bounded_line() -> None:
    assert one_line(ValueError("a\n  b")) == "a b"
    assert one_line(KeyError()) == "KeyError"
    assert len(one_line(ValueError("x" * 9999))) == 300
