"""The language model in Rust agrees with its slow, readable form, and with itself however it is called."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpus.language import MODEL
from rust_ext import LANGUAGE_COUNTS, LanguageModel, langid_features, langid_words
from rust_ext.arrow import text_buffers
from tests.oracles import langid

DATA = MODEL.read_bytes()
NATIVE = LanguageModel(DATA)
SECTIONS = langid.sections(DATA)

letters = st.sampled_from(
    [
        *"абвеёжиіїйклмнопрстуфцьъэюяѣѳқғҳөүһӏӀАБИІЇЪI",
        *"abcdehilmopstxyzæöăç",
        *"'’ʼ-1.!?\n \u0301\u0306\u0308\xad",
        *"ßΩשعあ한漢",
    ]
)
texts = st.one_of(
    st.text(letters, max_size=60),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x52F), max_size=40),
    st.lists(
        st.sampled_from(["Привет", "як", "справи", "the", "қазақ", "лѣсъ", "Ещё", "гIадан", "\n", ". "]),
        max_size=30,
    ).map(" ".join),
)

#: Two lines that show a document to be Russian, so that lines after them may be proved so; two foreign ones.
START = "Кошка сидела у окна и смотрела на снег.\nДальше она пошла по дороге к дому\n"
UKRAINIAN = "Його батько працював у лікарні\nВона чекала на лист від сестри"


def read(rows: list[str], **options: int) -> Any:
    return NATIVE.read(text_buffers(pa.array(rows, pa.large_string())), cyrillic=0.3, wanted=[], **options)


@settings(max_examples=300, deadline=None)
@given(texts)
@example("Oвo је гeниjaлaн")
@example("г1адан и\u0306од Iван вăл")
@example("а" * 40 + "\u0306")
def test_words_are_the_same(text: str) -> None:
    assert langid_words(text) == langid.words(text)


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(categories=["Ll"]), min_size=1, max_size=24))
def test_features_are_the_same(word: str) -> None:
    assert langid_features(word) == langid.features(word)


@settings(max_examples=100, deadline=None)
@given(texts)
@example("\n".join(f"Утеплитель {n} | шт. | под заказ\nШвеллер {n} | шт. | в наличии" for n in range(20)))
@example("Кошка сидела у окна и смотрела на снег. " * 3 + "\nПредставители министерства образования\nне то")
@example(
    "Кошка сидела у окна и смотрела на снег. " * 3
    + "\n"
    + "достопримечательность " * 5
    + "министерствовать " * 4
)
@example("Кошка сидела у окна и смотрела на снег. " * 3 + "\nКотката беше до прозореца и гледаше снега навън")
@example(
    "Кошка сидела у окна и смотрела на снег.\nДальше она пошла по дороге к дому\n" * 3
    + "Потом все вместе вернулись, і кіт\nон пришёл в царскій домъ\nДальше hier она пошла ѣ по дороге"
)
@example(START + "Завтра будет хорошая погода\nВечером пришли гости с подарками\n" + UKRAINIAN)
@example(START + "Завтра будет хорошая погода, є\nВечером пришли гости с подарками, і їли\n" + UKRAINIAN)
@example(START + "Завтра будет хорошая погода\n" * 15 + UKRAINIAN)
@example("Кошка сидела у окна и смотрела на снег.\n" * 14 + "не\nto be и не to be\nwarum деньги")
@example("як справи " * 30 + "\nПривет " * 15 + "достопримечательность " * 12)
def test_chances_are_the_same(text: str) -> None:
    rows = read([text])
    label = int(rows["labels"][0, 0])
    if label < 0:
        assert not langid.words(text)
        return
    name = NATIVE.labels[label]
    kind = next((k for k, part in enumerate(SECTIONS) if name in part.labels), None)
    if kind is not None:
        expected = langid.chances(SECTIONS, text, kind)
        assert (
            rows["chances"][0, 0] == np.float32(expected[name])
            or abs(rows["chances"][0, 0] - expected[name]) < 1e-3
        )
        assert max(expected.values()) <= expected[name] + 1e-3


@settings(max_examples=60, deadline=None)
@given(st.lists(texts, min_size=1, max_size=6))
def test_a_row_does_not_depend_on_the_others(rows: list[str]) -> None:
    together = read(rows)
    for at, text in enumerate(rows):
        alone = read([text])
        assert np.array_equal(together["counts"][:, at], alone["counts"][:, 0])
        assert np.array_equal(together["labels"][:, at], alone["labels"][:, 0])
        assert np.array_equal(together["chances"][:, at], alone["chances"][:, 0])


@settings(max_examples=150, deadline=None)
@given(texts)
def test_units_cover_the_text_and_shares_add_up(text: str) -> None:
    units = NATIVE.units(text)
    rows = read([text])
    counts = dict(zip(LANGUAGE_COUNTS, rows["counts"][:, 0].tolist(), strict=True))
    assert counts["letters"] == sum(letters for _, _, letters, _ in units)
    if units:
        assert units[0][0] == 0
        assert units[-1][1] == len(text.encode())
        assert all(before[1] == after[0] for before, after in itertools.pairwise(units))
        assert abs(float(rows["shares"].sum()) - 1) < 1e-4
    assert counts["words"] == len(langid.words(text))


@settings(max_examples=100, deadline=None)
@given(texts, st.integers(1, 200))
def test_trimming_leaves_no_foreign_passage_and_no_new_letter(text: str, fewest: int) -> None:
    russian = [n for n, label in enumerate(NATIVE.labels) if label.startswith("ru")]
    column = text_buffers(pa.array([text], pa.large_string()))
    rows = NATIVE.read(column, cyrillic=0.3, wanted=russian, trim_letters=fewest)
    (trimmed,) = rows["trimmed"]
    whole = sum(letters for _, _, letters, _ in NATIVE.units(text))
    left = int(rows["counts"][0, 0])
    assert whole == left + int(rows["trimmed_letters"][0])
    if trimmed is not None:
        assert int(rows["trimmed_letters"][0]) >= fewest
