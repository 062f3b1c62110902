"""Rows that a person asks for: SQL conditions that choose rows and do nothing else, hosts, samples."""

from __future__ import annotations

import contextlib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus import table
from corpus.errors import UsageError
from pipelines import hosts
from pipelines.query import BATCH_ROWS, Wanted, count_rows, read_rows, sample_rows

ROWS = pa.table(
    {
        "n": [0, 1, 2, 3],
        "words": [5, 50, 500, None],
        "lang": ["ru", "uk", None, "ru"],
        "score": [0.1, 0.5, 0.9, 1.0],
        "doc_id": pa.array([bytes([n]) * 16 for n in (0xA0, 0xA1, 0xB2, 0xC3)], pa.binary(16)),
        "fetched_at": pa.array(
            [datetime(2020 + n, 3, 1, tzinfo=UTC) for n in range(4)], pa.timestamp("ms", "UTC")
        ),
        "date": ["2019-12-31", None, "2021-05-09", "no date"],
        "title": ["Море и люди", "O'Brien", "море", None],
    }
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("query") / "a.parquet"
    pq.write_table(ROWS, path)
    return str(path)


def select(file: str, where: str) -> list[int]:
    """Numbers of the rows that match."""
    return [row["n"] for row in read_rows([file], Wanted(where=where))]


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ("words < 100", [0, 1]),
        ("words >= 50 and lang == 'uk'", [1]),
        ("words = 5 OR score > 0.8", [0, 2, 3]),
        ("not words == 5", [1, 2]),
        ("lang in ('ru', 'uk')", [0, 1, 3]),
        ("lang not in ('ru')", [1]),
        ("words BETWEEN 6 AND 500", [1, 2]),
        ("words * 2 + 1 == 101", [1]),
        ("lang IS NULL", [2]),
        ("lang IS NOT NULL AND words IS NOT NULL", [0, 1]),
        ("coalesce(words, 0) < 10", [0, 3]),
        ("title LIKE '%море%'", [2]),
        ("title ILIKE '%МОРЕ%'", [0, 2]),
        ("title = 'O''Brien'", [1]),
        ("title = '= NULL, None'", []),
        ("fetched_at >= DATE '2022-01-01'", [2, 3]),
        ("year(fetched_at) = 2021", [1]),
        ("date >= '2020'", [2, 3]),
        ("try_cast(date AS DATE) >= DATE '2020-01-01'", [2]),
        ("doc_id LIKE 'a%'", [0, 1]),
        ("  words < 100 -- few\n", [0, 1]),
    ],
)
def test_selects_what_sql_says(file: str, where: str, rows: list[int]) -> None:
    assert select(file, where) == rows
    assert count_rows([file], Wanted(where=where)) == len(rows)


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("wrods < 3", "no column 'wrods'; did you mean 'words'?"),
        ("zzzz < 3", "there are n, words, lang, score, doc_id, fetched_at, date, title"),
        ('lang = "ru"', "texts stand in single quotes: 'ru'"),
        ("lang == None", "write COLUMN IS NULL"),
        ("lang is None", "write COLUMN IS NULL"),
        ("lang = NULL", "write COLUMN IS NULL"),
        ("NULL <> lang", "write COLUMN IS NULL"),
        ("words <", "write it like: words < 100"),
        ("words < 'a'", "Could not convert string 'a'"),
        ("date::DATE > DATE '2020-01-01'", "try_cast(COLUMN AS DATE)"),
        ("count(*) > 1", "aggregates"),
        ("words = 1) OR (true", "syntax error"),
        ("true; DROP TABLE documents", "write it like"),
        ("true ORDER BY n", "write it like"),
        ("true, true", "single expression"),
        ("(SELECT count(*) FROM read_csv('/etc/passwd')) > 0", "the columns of the rows and nothing else"),
        ("(SELECT count(*) FROM '/etc/passwd') > 0", "reads the columns of the rows and nothing else"),
        ("(SELECT count(*) FROM ROWS) > 0", "reads the columns of the rows and nothing else"),
        ("(SELECT count(*) FROM glob('/*')) > 0", "reads the columns of the rows and nothing else"),
        ("(" * 90_000 + "words" + ")" * 90_000 + " < 3", "--where"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_a_usage_error_of_one_line(file: str, where: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        select(file, where)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(where=st.text("nwords<>=() '\"nul,;-*1a", min_size=1, max_size=30))
def test_any_other_condition_selects_rows_or_is_a_usage_error(file: str, where: str) -> None:
    with contextlib.suppress(UsageError):
        assert set(select(file, where)) <= {0, 1, 2, 3}


def test_a_condition_changes_no_file_and_no_setting(file: str, tmp_path: Path) -> None:
    for where in (
        f"(COPY documents TO '{tmp_path}/x.csv') = 1",
        "(SET enable_external_access = true) = 1",
        "(ATTACH 'x.db') = 1",
    ):
        with pytest.raises(UsageError):
            select(file, where)
    assert list(tmp_path.iterdir()) == []


class TestHosts:
    URLS = (
        "http://e.ru/1",
        "https://a.E.ru:8080/",
        "http://be.ru/e.ru",
        "http://me@e.ru?x",
        "http://e.ru.com/",
    )

    @pytest.mark.parametrize("column", ["url", "host"])
    def test_a_host_and_those_below_it_by_either_column(self, tmp_path: Path, column: str) -> None:
        values = self.URLS if column == "url" else ("e.ru", "a.E.ru", "be.ru", "e.ru.", "e.ru.com")
        pq.write_table(pa.table({"n": range(5), column: values}), tmp_path / "a.parquet")
        rows = read_rows([str(tmp_path / "a.parquet")], Wanted(hosts=("E.ru",)))
        assert [row["n"] for row in rows] == [0, 1, 3]

    def test_cyrillic_names_in_both_spellings(self) -> None:
        assert hosts.forms("Пример.РФ") == hosts.forms("xn--e1afmkfd.xn--p1ai")

    @pytest.mark.parametrize("host", ["", "http://e.ru/", "e.ru/x", "a b"])
    def test_what_is_no_host_is_refused(self, host: str) -> None:
        with pytest.raises(ValueError, match="write it like example"):
            hosts.forms(host)

    def test_joins_an_sql_condition(self, tmp_path: Path) -> None:
        pq.write_table(pa.table({"n": range(5), "url": self.URLS}), tmp_path / "a.parquet")
        wanted = Wanted(hosts=("e.ru",), where="n > 0")
        assert [row["n"] for row in read_rows([str(tmp_path / "a.parquet")], wanted)] == [1, 3]


class TestSample:
    def write(self, folder: Path, name: str, numbers: range, *, ids: bool = True) -> str:
        columns = {"n": list(numbers), "text": [f"текст {n}" for n in numbers]}
        if ids:
            columns["doc_id"] = [table.doc_id(str(n)) for n in numbers]
        folder.mkdir(exist_ok=True)
        pq.write_table(pa.table(columns), folder / name, row_group_size=700)
        return str(folder / name)

    def test_a_seed_takes_the_same_documents_whatever_the_shards(self, tmp_path: Path) -> None:
        one = [self.write(tmp_path, "a.parquet", range(3000))]
        two = [self.write(tmp_path, f"b{n}.parquet", range(n, n + 1000)) for n in (0, 1000, 2000)]
        drawn = [[row["n"] for row in sample_rows(files, Wanted(), 20, 7)] for files in (one, two)]
        assert drawn[0] == drawn[1] == sorted(drawn[0])
        assert len(drawn[0]) == 20

    @pytest.mark.parametrize("ids", [True, False])
    def test_seeds_differ_and_each_row_is_drawn_as_often_as_any(self, tmp_path: Path, ids: bool) -> None:
        files = [self.write(tmp_path, f"{n}.parquet", range(n, n + 50), ids=ids) for n in (0, 50)]
        drawn = Counter(row["n"] for seed in range(200) for row in sample_rows(files, Wanted(), 10, seed))
        # 200 draws at a chance of .1: mean 20, standard deviation 4.2; five of them either way.
        assert len(drawn) == 100
        assert 20 - 21 <= min(drawn.values()) <= max(drawn.values()) <= 20 + 21

    def test_of_the_rows_that_match(self, tmp_path: Path) -> None:
        files = [self.write(tmp_path, "a.parquet", range(4 * BATCH_ROWS))]
        found = list(sample_rows(files, Wanted(where="n % 10 = 3"), 15, 0))
        assert {row["n"] % 10 for row in found} == {3}
        assert all(row["text"] == f"текст {row['n']}" for row in found)

    def test_fewer_than_asked_are_all(self, tmp_path: Path) -> None:
        files = [self.write(tmp_path, "a.parquet", range(3))]
        assert [row["n"] for row in sample_rows(files, Wanted(), 9, 0)] == [0, 1, 2]


def test_rows_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    pq.write_table(pa.table({"n": range(200_000)}), tmp_path / "a.parquet", row_group_size=1000)
    found = [row["n"] for row in read_rows([str(tmp_path / "a.parquet")], Wanted(where="n % 3 = 0"))]
    assert found == list(range(0, 200_000, 3))
