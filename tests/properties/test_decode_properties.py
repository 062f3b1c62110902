"""Decoding agrees with its oracle, and undoes every Cyrillic charset."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.extract.decode import decode
from tests.oracles.decode import CHARSETS, best_text

# fmt: off
WORDS = [
    "и", "в", "не", "на", "он", "я", "что", "тот", "быть", "с", "а", "весь", "это", "как", "она", "по",
    "но", "они", "к", "у", "ты", "из", "мы", "за", "вы", "так", "же", "от", "сказать", "этот",
    "который", "мочь", "человек", "о", "один", "ещё", "бы", "такой", "только", "себя", "своё", "какой",
    "когда", "уже", "для", "вот", "кто", "да", "говорить", "год", "знать", "мой", "до", "или", "если",
    "время", "рука", "нет", "самый", "ни", "стать", "большой", "даже", "другой", "наш", "свой", "под",
    "где", "дело", "есть", "сам", "раз", "чтобы", "два", "там", "чем", "глаз", "жизнь", "первый",
    "день", "тут", "во", "ничто", "потом", "очень", "со", "хотеть", "ли", "при", "голова", "надо",
    "без", "видеть", "идти", "теперь", "тоже", "стоять", "друг",
]
# fmt: on
# Every word once, in any order: prose in the sense of its letters. Text all in capitals is without Ё, by
# which alone cp866 and MacCyrillic differ there.
RUSSIAN = st.builds(
    lambda words, capitals: " ".join(
        word.upper().replace("Ё", "Е")
        if capitals == 7
        else word.capitalize()
        if number % 7 == capitals
        else word
        for number, word in enumerate(words)
    ),
    st.permutations(WORDS),
    st.integers(0, 7),
)
MARKUP = st.sampled_from(["<p>", "<br>\n", "<!-- x -->", "<a href='/x?y=1&z=2'>ABC</a> ", ""])


@settings(deadline=None)
@given(text=RUSSIAN, before=MARKUP, after=MARKUP, codec=st.sampled_from(list(CHARSETS.values())))
def test_russian_is_read_right_in_every_charset(text: str, before: str, after: str, codec: str) -> None:
    page = before + text + after
    assert decode(page.encode(codec)).text == page


@settings(deadline=None)
@given(text=RUSSIAN, codec=st.sampled_from(list(CHARSETS.values())), wrong=st.sampled_from(list(CHARSETS)))
def test_the_choice_is_that_of_the_oracle(text: str, codec: str, wrong: str) -> None:
    body = text.encode(codec)
    assert decode(body, wrong).text == best_text(body)


@settings(deadline=None)
@given(body=st.binary(max_size=300), charset=st.none() | st.text(max_size=12))
def test_any_bytes_decode_to_text_that_utf8_can_hold(body: bytes, charset: str | None) -> None:
    decoded = decode(body, charset)
    assert decoded.text.encode().decode() == decoded.text
    assert decoded.replaced <= decoded.text.count("\ufffd")


@settings(deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_utf8_comes_back_without_its_mark(text: str) -> None:
    assert decode(text.encode()).text == text.removeprefix("\ufeff")
