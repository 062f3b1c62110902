"""The table of known words: what it holds, and what the signal says by it."""

from __future__ import annotations

import pyarrow as pa

from corpus.quality.signals import QUALITY, measure
from scripts.fit import known_words
from tests.oracles.quality_lexicon import is_known


def test_the_commonest_plain_words_are_taken_once() -> None:
    groups = [["на", "Москва", "ёлка"], [], ["елка", "дома", "co-op", "мимо"]]
    assert list(known_words.commonest(groups, 2)) == ["елка", "дома"]


def test_the_table_holds_all_it_was_given_and_few_others() -> None:
    given = [f"слов{chr(1072 + a)}{chr(1072 + b)}" for a in range(30) for b in range(30)]
    bits = known_words.table(given)
    assert len(bits) == known_words.BYTES == len((QUALITY / "known_words.bin").read_bytes())
    held = [all(bits[at // 8] >> at % 8 & 1 for at in known_words.places(word)) for word in given]
    others = [all(bits[at // 8] >> at % 8 & 1 for at in known_words.places(f"{word}щщ")) for word in given]
    assert all(held)
    assert sum(others) < 5


def test_russian_of_today_and_of_old_spelling_is_known_and_broken_endings_are_not() -> None:
    assert all(map(is_known, ("говорили", "зеленый", "человекъ", "домъ")))
    good = "Вечером они долго сидели у окна и молчали, потому что говорить было совсем не о чем. " * 3
    old = "Вечеромъ онъ долго сидитъ одинъ передъ окномъ, потому что говорить было совсем не о чемъ. " * 3
    broken = "Вечеромость они долгами сиделицу у окнением и молчалость, потомуться говоритеми. " * 3
    values = measure(pa.array([good, old, broken]), ())["unknown_word_ratio"].to_pylist()
    assert values[0] == 0
    assert values[1] < 0.05
    assert values[2] > 0.3
