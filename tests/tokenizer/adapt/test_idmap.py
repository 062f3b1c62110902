from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tokenizer.adapt.idmap import FILE, IdMap, Row

ROWS = [
    Row(4, None, "да".encode(), pieces=[1, 2], uses=7),
    Row(0, 0, b"a", base_uses=3),
    Row(3, 3, b"<|end|>", special=True),
    Row(2, 1, b"\xd0"),
    Row(None, 2, b"\xb4"),
]


def test_a_map_names_what_was_kept_moved_made_and_freed() -> None:
    made = IdMap.of(ROWS, "digest")
    new, old = made.kept()
    assert (new.tolist(), old.tolist()) == ([0, 2, 3], [0, 1, 3])
    ids, pieces = made.new()
    assert (ids.tolist(), [one.tolist() for one in pieces]) == ([4], [[1, 2]])
    assert made.freed().tolist() == [2]
    assert (made.base_rows, made.rows) == (4, 5)


def test_a_map_comes_back_from_its_file(tmp_path: Path) -> None:
    made = IdMap.of(ROWS, "digest")
    made.write(tmp_path / FILE)
    read = IdMap.read(tmp_path / FILE)
    assert read.table.equals(made.table)
    assert (read.base_rows, read.rows, read.base) == (made.base_rows, made.rows, "digest")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([Row(0, 0, b"a"), Row(0, 1, b"b")], "a new_id occurs twice"),
        ([Row(0, 0, b"a"), Row(1, 0, b"b")], "a old_id occurs twice"),
        ([Row(0, 0, b"a"), Row(1, None, b"ab")], "have pieces"),
        ([Row(0, 0, b"a", pieces=[0])], "have pieces"),
        ([Row(0, 0, b"a"), Row(1, None, b"aa", pieces=[0, 5])], "outside the base's 1 rows"),
        ([Row(None, None, b"a", pieces=[0])], "names no id"),
        ([Row(-1, 0, b"a")], "outside"),
    ],
)
def test_a_map_that_contradicts_itself_is_refused(rows: list[Row], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        IdMap.of(rows, "digest")


def test_another_parquet_file_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["а"]}), tmp_path / FILE)
    with pytest.raises(ValueError, match="is not an id map"):
        IdMap.read(tmp_path / FILE)
    (tmp_path / FILE).write_bytes(b"PAR1")
    with pytest.raises(ValueError, match="is not an id map"):
        IdMap.read(tmp_path / FILE)
