"""Queries on columns: Python's syntax, Arrow's work, nothing run."""

import contextlib

import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import UsageError
from pipelines.query import parse

ROWS = pa.table(
    {"words": [5, 50, 500, None], "lang": ["ru", "uk", None, "ru"], "score": [0.1, 0.5, 0.9, 1.0]}
)


def select(query: str) -> list[int]:
    """Numbers of the rows that match."""
    data = ROWS.append_column("n", pa.array(range(ROWS.num_rows)))
    found: list[int] = ds.dataset(data).to_table(filter=parse(query, ROWS.schema))["n"].to_pylist()
    return found


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("words < 100", [0, 1]),
        ("words >= 50 and lang == 'uk'", [1]),
        ("words == 5 or score > 0.8", [0, 2, 3]),
        ("not words == 5", [1, 2]),
        ("not (words == 5 or words == 50)", [2]),
        ("lang in ('ru', 'uk')", [0, 1, 3]),
        ("lang in ['ru']", [0, 3]),
        ("lang not in ['ru']", [1, 2]),
        ("5 < words <= 500", [1, 2]),
        ("words * 2 + 1 == 101", [1]),
        ("words - 4.5 < score * 10", [0]),
        ("lang is None", [2]),
        ("words == None", [3]),
        ("lang is not None and words != None", [0, 1]),
        ("score != 0.5", [0, 2, 3]),
        ("words > -1", [0, 1, 2]),
        ("-words < -40", [1, 2]),
        ("  words < 100\n", [0, 1]),
    ],
)
def test_selects_what_it_says(query: str, rows: list[int]) -> None:
    assert select(query) == rows


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("wrods < 3", "no column 'wrods'; did you mean 'words'?"),
        ("zzz < 3", "there are words, lang, score"),
        ("words <", "write it like: words < 100"),
        ("words = 3", "write it like"),
        ("", "write it like"),
        ("__import__('os').system('true')", "is not understood"),
        ("words.real < 3", "is not understood"),
        ("[w for w in words]", "is not understood"),
        ("words ** 2 > 3", "is not understood"),
        ("words is 3", "is not understood"),
        ("lang in words", "after `in` write a list"),
        ("lang in 3", "after `in` write a list"),
        ("words < -'a'", "write it like"),
        ("words < 'a'", "write it like"),
        ("words", "write it like"),
        ("3", "write it like"),
        ("words and lang", "write it like"),
        ("words in ('a', 3)", "write it like"),
        ("(" * 500 + "words" + ")" * 500 + " < 3", "write it like"),
        ("words < " + "1 + " * 3000 + "1", "write it like"),
        ("not " * 900 + "words < 3", "--where"),
    ],
)
def test_what_is_wrong_is_a_usage_error_of_one_line(query: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        select(query)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=30))
def test_anything_else_is_a_usage_error_too(query: str) -> None:
    with contextlib.suppress(UsageError):
        parse(query, ROWS.schema)
