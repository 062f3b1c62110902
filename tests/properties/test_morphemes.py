"""The fast segmenter equals its oracle on any word."""

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles import morphemes as oracle
from tokenizer import morphemes
from tokenizer.morphemes import MODEL, Segmenter, russian, whole_words

LETTERS = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
MORPHS = ["пере", "не", "по", "вод", "каз", "о", "ыва", "тель", "ниц", "ова", "ни", "ть", "ся", "ами", "ё"]
words = (
    st.lists(st.sampled_from(MORPHS), max_size=14).map("".join)
    | st.text(LETTERS, max_size=52)
    | st.sampled_from(sorted(lemma.text for lemma in morphemes.read_lemmas()))
    | st.text(max_size=6)
)


@cache
def slow() -> Segmenter:
    return oracle.segmenter(MODEL.read_bytes(), whole_words())


@settings(max_examples=200, deadline=None)
@given(words)
def test_both_cut_alike(word: str) -> None:
    assert tuple(russian()(word)) == tuple(slow()(word))


@settings(max_examples=50, deadline=None)
@given(st.lists(words, max_size=5))
def test_many_words_are_cut_as_one(several: list[str]) -> None:
    assert russian().cut_all(several) == [russian()(word) for word in several]


@settings(max_examples=100, deadline=None)
@given(words)
def test_cuts_rise_inside_the_word(word: str) -> None:
    cuts = russian()(word)
    assert list(cuts) == sorted(set(cuts))
    assert all(0 < cut < len(word) for cut in cuts)
