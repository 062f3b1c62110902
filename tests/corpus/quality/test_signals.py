"""Signals: what is measured of a document."""

from __future__ import annotations

import pyarrow as pa
import pytest

from corpus.quality.signals import COUNTS, MEANING, SIGNALS, measure, russian_stop_words
from rust_ext import QUALITY_NAMES, SIGNAL_NAMES, text_tokens
from tests.oracles.signals import signals as slow_signals


def one(text: str, name: str) -> float:
    value: float = measure(pa.array([text]), russian_stop_words())[name][0].as_py()
    return value


def test_every_signal_has_a_meaning_and_a_column() -> None:
    assert list(MEANING) == SIGNAL_NAMES + QUALITY_NAMES == SIGNALS.names
    assert set(MEANING) >= COUNTS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Кто-нибудь был там в 17:46?", ["Кто-нибудь", "был", "там", "в", "17:46", "?"]),
        ("д'Артаньян, 3.14 и 1,5%", ["д'Артаньян", ",", "3.14", "и", "1,5", "%"]),
        ("«Да»... — сказал он!!!", ["«", "Да", "»", "...", "—", "сказал", "он", "!!!"]),
        ("за\u0301мок и замо\u0301к", ["за\u0301мок", "и", "замо\u0301к"]),
        ("конец.Начало a_b -- c", ["конец", ".", "Начало", "a_b", "--", "c"]),
        (" \t\n\u00a0", []),
    ],
)
def test_words_are_runs_of_letters_and_symbols_are_their_own(text: str, expected: list[str]) -> None:
    assert text_tokens(text) == expected


def test_a_stop_word_counts_once_and_in_any_case() -> None:
    assert one("И в лесу, и в поле, И ТАМ", "stop_words") == 2


def test_a_null_and_an_empty_text_measure_zero() -> None:
    result = measure(pa.array([None, ""], pa.large_string()), ())
    assert {name: column.to_pylist() for name, column in result.items()} == {
        name: [0, 0] for name in SIGNALS.names
    }


def test_chunks_slices_and_small_strings_are_read_alike() -> None:
    texts = ["Первый текст.", "Второй, подлиннее текст.", None, "Третий"]
    whole = measure(pa.array(texts, pa.large_string()), ())
    small = measure(pa.array(["x", *texts], pa.string()).slice(1), ())
    chunked = measure(pa.chunked_array([texts[:1], texts[1:]], pa.string()), ())
    assert whole == small == chunked
    assert measure(pa.chunked_array([], pa.string()), ())["words"].to_pylist() == []


def test_sentence_ends_are_unicodes_and_neither_ellipsis_nor_quote() -> None:
    assert one("Да.\nНет!\nЧто?\nНу…\n«Ах»", "line_punct_ratio") == 3 / 5


def test_a_repeated_passage_shows_in_n_grams() -> None:
    passage = "раз два три четыре пять шесть семь восемь девять десять "
    assert one(passage * 2, "dup_10_gram_frac") == len(passage.replace(" ", "")) / (2 * len(passage))
    assert one(passage, "dup_5_gram_frac") == 0


@pytest.mark.parametrize(
    "text",
    [
        "Обычный текст с несколькими словами. И ещё одно предложение!\nНовая строка…\n\n\n- пункт\n• пункт",
        "# заголовок #\nWe use cookies and javascript {code}\nLorem Ipsum lorem ipsum\r\nстрока\x0bстрока",
        "а\n" * 40 + "б в\n" * 7,
        " \n \n",
        "🙂🙂 emoji 🙂 и текст 🙂🙂",
        "1,2,3.4.5 -а- 'б' a-b-c --- ... ....",
    ],
)
def test_fast_and_slow_signals_agree(text: str) -> None:
    measured = measure(pa.array([text]), russian_stop_words())
    fast = {name: measured[name][0].as_py() for name in SIGNAL_NAMES}
    assert fast == slow_signals(text, russian_stop_words())
