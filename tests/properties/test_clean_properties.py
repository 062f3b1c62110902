"""The compiled list of boilerplate agrees with its oracle, line by line and text by text."""

from __future__ import annotations

import re

import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from corpus.clean.lines import NOTICES, PATTERNS, Clean, category, clean_text
from tests.corpus.clean.test_lines import BOILERPLATE, PROSE
from tests.oracles.boilerplate import category as slow_category
from tests.oracles.boilerplate import clean_text as slow_clean_text

#: Pieces of the patterns: what stands between two marks of their grammar.
PIECES = sorted(
    {p for p in re.split(r"[][(){}|?*+.\\^$]+", PATTERNS.read_text(encoding="utf-8")) if p.strip()}
)
EDGES = ' \t\u00a0|•·«»>-–—:…*.?!,;"()©1823+\r\x0b\x1c\u2028'
#: Letters with a Unicode life of their own in small letters; marks that follow letters are left out: to Rust
#: they belong to words, to Python's re they do not.
LETTERS = "абвгдеёЁЙйъяАЯСсІіѣabcXYZſßİΣςÉ中あ_0²Ⅷ"
LINES = st.one_of(
    st.sampled_from([line for lines in BOILERPLATE.values() for line in lines] + PROSE),
    st.text(st.sampled_from(EDGES + LETTERS), max_size=40),
    st.lists(
        st.one_of(st.sampled_from(PIECES), st.text(st.sampled_from(EDGES + LETTERS), max_size=4)), max_size=8
    ).map(" ".join),
    st.lists(st.sampled_from(PIECES), max_size=40).map("".join),
)
CASED = st.tuples(LINES, st.sampled_from([str, str.upper, str.title])).map(lambda pair: pair[1](pair[0]))


@given(CASED)
@example("—\x1cВойти.")
@example("ПОДЕЛИТЬСЯ Σ")
def test_lines_are_judged_alike(line: str) -> None:
    line = line.replace("\n", " ")
    assert category(line) == slow_category(line)


@given(st.lists(st.one_of(CASED, st.just("")), max_size=8).map("\n".join))
def test_texts_are_cleaned_alike(text: str) -> None:
    assert clean_text(text) == slow_clean_text(text)
    assert clean_text(text, ("share", "table_rest")) == slow_clean_text(text, ("share", "table_rest"))


@given(st.lists(st.lists(CASED, max_size=5).map("\n".join), min_size=1, max_size=4))
def test_notices_are_the_lines_of_their_kinds_in_order(texts: list[str]) -> None:
    found = Clean().open()(pa.table({"text": texts}))["notices"].to_pylist()
    kept = [[line.strip() for line in text.split("\n") if slow_category(line) in NOTICES] for text in texts]
    assert [[line.strip() for line in lines or []] for lines in found] == kept
