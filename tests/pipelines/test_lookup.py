"""Rows by the value of one column: both readers give the same, whatever the names and values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus.errors import ShardError
from pipelines import lookup
from pipelines.lookup import rows_with

Reader = Callable[..., Iterator[tuple[str, dict[str, object]]]]
ADDRESSES = ["http://a.ru/1", "http://a.ru/o'b", "http://a.ru/%27?x=$1", "Кот.рф/а", "", "a\\'b", "'; --"]


@pytest.fixture(scope="module", params=["plain", "it's a *?[1] folder"])
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("x") / request.param
    folder.mkdir()
    for number in range(3):
        ids = [bytes([number, n]) * 8 for n in range(len(ADDRESSES))]
        rows = pa.table(
            {"doc_id": pa.array(ids, pa.binary(16)), "url": ADDRESSES, "n": [number] * len(ADDRESSES)}
        )
        pq.write_table(rows, folder / f"{number}.parquet", row_group_size=2)
    return sorted(map(str, folder.iterdir()))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(value=st.sampled_from(ADDRESSES) | st.text("'a\\;-$1%*", max_size=8))
def test_both_readers_find_the_same_rows_by_address(files: list[str], value: str) -> None:
    found = list(lookup._by_duckdb(files, "url", value, ("doc_id", "n", "missing")))
    assert found == list(lookup._by_arrow(files, "url", value, ("doc_id", "n", "missing")))
    assert len(found) == (3 if value in ADDRESSES else 0)


@pytest.mark.parametrize("identity", [bytes([1, 2]) * 8, b"\xff" * 16])
def test_both_readers_find_the_same_row_by_id(files: list[str], identity: bytes) -> None:
    found = list(lookup._by_duckdb(files, "doc_id", identity, ("url", "n")))
    assert found == list(lookup._by_arrow(files, "doc_id", identity, ("url", "n")))
    assert [row["n"] for _, row in found] == ([1] if identity[0] == 1 else [])


@pytest.mark.parametrize("reader", [lookup._by_duckdb, lookup._by_arrow])
def test_ids_that_are_text_are_found_too(tmp_path: Path, reader: Reader) -> None:
    pq.write_table(pa.table({"doc_id": ["ab" * 16, "cd" * 16], "n": [1, 2]}), tmp_path / "a.parquet")
    found = reader([str(tmp_path / "a.parquet")], "doc_id", b"\xcd" * 16, ("n",))
    assert [row for _, row in found] == [{"n": 2}]


def test_files_without_the_column_have_no_such_rows(files: list[str]) -> None:
    assert list(rows_with(files, "source", "x", ("url",))) == []
    assert list(rows_with([], "url", "x", ("url",))) == []


@pytest.mark.parametrize("reader", [lookup._by_duckdb, lookup._by_arrow])
def test_a_damaged_file_is_an_error_of_one_line(tmp_path: Path, reader: Reader) -> None:
    (tmp_path / "a.parquet").write_bytes(b"junk junk junk")
    with pytest.raises(ShardError, match="not a readable Parquet file") as caught:
        list(reader([str(tmp_path / "a.parquet")], "url", "x", ("url",)))
    assert "\n" not in str(caught.value)
