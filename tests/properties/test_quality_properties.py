"""The compiled signals of quality agree with their readable definition, to the last bit."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.quality.signals import QUALITY, function_words, quality_signals, topics
from rust_ext import QUALITY_NAMES, quality_neighbours
from rust_ext.arrow import text_buffers
from tests.oracles import quality as oracle

TABLE = (QUALITY / "neighbours.bin").read_bytes()
FAST = quality_signals()
CHARACTERS = st.sampled_from('абвеёийАБЕЁabzBZ 中é \n\t.,:;!?…•-—«»"()[]{}#@+/0123456789½\u0301\u200b🙂₽%')
WORDS = st.sampled_from(
    [
        "и",
        "в",
        "не",
        "на",
        "он",
        "дом",
        "Лес",
        "казино",
        "Кaзинo",
        "рабочее",
        "зеркало",
        "курсовую",
        "на",
        "заказ",
        "Иванович",
        "Петровой",
        "ул",
        ".",
        ",",
        "—",
        "-",
        "…",
        "...",
        "купить",
        "350",
        "руб",
        "+",
        "79001234567",
        "http",
        "www",
        "сказала",
        "читать",
        "подробнее",
        "Главная",
        "ЯНВАРЯ",
        "МГУ",
        "ПрИвЕт",
        "(",
        ")",
        ":",
        "•",
        "1",
        "2",
        "«да»",
        "что-то?",
        "a.ru",
        "x=1;",
        "{код}",
        "суд",
        "по",
        "данным",
        "домость",
        "домъ",
        "человекъ",
        "сказал",
        "Когда",
        "Вы",
        "8-495-123-45-67",
        "100",
        "%",
        "сайт",
        "страница",
        "бонус",
        "вулкан",
        "ставки",
        "|",
    ]
)
HEADLINES = st.lists(st.lists(WORDS, min_size=4, max_size=8).map(" ".join), min_size=4, max_size=12)
LINES = st.lists(st.lists(WORDS, max_size=9).map(" ".join), max_size=14).map("\n".join)
VERSE = st.lists(st.lists(WORDS, min_size=2, max_size=5).map(" ".join), min_size=4, max_size=8)
TEXTS = st.one_of(
    st.text(CHARACTERS, max_size=150),
    LINES,
    HEADLINES.map("\n".join),
    st.tuples(VERSE.map(",\n".join), LINES).map(",\n".join),
    st.lists(WORDS, max_size=150).map(" ".join),
)


@given(st.lists(TEXTS, min_size=1, max_size=4))
@settings(max_examples=120, deadline=None)
def test_fast_and_slow_signals_agree(texts: list[str]) -> None:
    buffers = text_buffers(pa.array(texts, pa.large_string()))
    fast = FAST.measure(buffers)
    assert (FAST.measure_all(buffers, ["в"])[-len(fast) :] == fast).all()
    for column, text in enumerate(texts):
        slow = oracle.signals(text, TABLE)
        assert list(slow) == QUALITY_NAMES
        assert dict(zip(QUALITY_NAMES, fast[:, column].tolist(), strict=True)) == slow


@given(st.lists(LINES, min_size=1, max_size=3))
@settings(max_examples=40, deadline=None)
def test_the_table_counts_what_the_oracle_counts(texts: list[str]) -> None:
    table = quality_neighbours(
        text_buffers(pa.array(texts, pa.large_string())), function_words(), topics(), 1
    )
    assert table == oracle.neighbours(texts, 1)
