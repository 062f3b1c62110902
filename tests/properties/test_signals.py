"""The compiled signals agree with their oracle on any text of the scripts that they know."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.quality.signals import measure
from rust_ext import SIGNAL_NAMES, text_tokens
from tests.oracles.signals import signals as slow_signals
from tests.oracles.signals import tokens as slow_tokens

STOP_WORDS = ("и", "в", "не", "на")
LETTERS = "абвеёийъяАЯЁѣіїўқabzZéß中あ"
SYMBOLS = " \n\t\r\x0b\x1c\u0085\u00a0\u2028.,:;!?…•-–—'’\"«»#{}_|/\\0123456789½Ⅷ\u0301\u0306\u200b\u00ad🙂"
CHARACTERS = st.sampled_from(LETTERS + SYMBOLS)
WORDS = st.sampled_from(
    [
        "и",
        "в",
        "Не",
        "на",
        "дом",
        "лес",
        "lorem ipsum",
        "JavaScript",
        "use cookies",
        "...",
        "…",
        "\n",
        "\n\n",
        "#",
    ]
)
TEXTS = st.one_of(
    st.text(CHARACTERS, max_size=120),
    st.lists(WORDS, max_size=80).map(" ".join),
    st.lists(st.lists(WORDS, max_size=4).map(" ".join), max_size=30).map("\n".join),
)


@given(st.lists(TEXTS, min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_fast_and_slow_signals_agree(texts: list[str]) -> None:
    fast = measure(pa.array(texts, pa.large_string()), STOP_WORDS)
    for row, text in enumerate(texts):
        assert {name: fast[name][row].as_py() for name in SIGNAL_NAMES} == slow_signals(text, STOP_WORDS)


@given(TEXTS)
@settings(max_examples=150, deadline=None)
def test_fast_and_slow_tokens_agree(text: str) -> None:
    assert text_tokens(text) == slow_tokens(text)
