"""Texts made from texts: old spelling, transliteration, civil script."""

from __future__ import annotations

import random
import re

import pytest

from scripts.fit.language_augment import civil_script, old_spelling, transliterated


class Chosen(random.Random):
    """Draws what a test asks for: the first choice that is `wanted`, and always the likely branch."""

    def __init__(self, wanted: object) -> None:
        super().__init__(0)
        self.wanted = wanted

    def choice(self, seq):  # type: ignore[no-untyped-def]
        return (
            self.wanted
            if self.wanted in seq
            else seq[self.wanted]
            if isinstance(self.wanted, int)
            else seq[0]
        )

    def random(self) -> float:
        return 0.0


def test_old_spelling_has_yat_dotted_i_and_hard_signs() -> None:
    text = old_spelling("Белый снег лежал в лесу, и дети из России видели следы.", Chosen("all"))
    assert text == "бѣлый снѣгъ лежалъ въ лѣсу, и дѣти изъ россіи видѣли слѣды."


@pytest.mark.parametrize(
    ("parts", "has", "lacks"), [("hard", "ъ", "ѣі"), ("letters", "ѣі", "ъ"), ("no yat", "іъ", "ѣ")]
)
def test_copies_that_lost_some_of_the_old_letters(parts: str, has: str, lacks: str) -> None:
    text = old_spelling("Белый снег лежал в лесах России.", Chosen(parts))
    assert all(letter in text for letter in has)
    assert not any(letter in text for letter in lacks)


def test_old_endings() -> None:
    assert old_spelling("доброго", Chosen("letters")) == "добраго"
    assert old_spelling("новые", Chosen("letters")) == "новыя"


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        (0, "shchuka ezdit v yaponiyu"),
        (3, "ŝuka ezdit v âponiû"),
    ],
)
def test_russian_in_latin_letters(scheme: int, expected: str) -> None:
    assert transliterated("Щука ездит в Японию", "ru", Chosen(scheme)) == expected


def test_ukrainian_and_bulgarian_have_letters_of_their_own() -> None:
    assert transliterated("Київ, голова", "uk", Chosen(0)) == "kyyiv, holova"
    assert transliterated("ъгъл", "bg", Chosen(0)) == "agal"


def test_every_letter_of_russian_has_a_latin_one_in_every_scheme() -> None:
    alphabet = "".join(chr(code) for code in range(0x430, 0x450)) + "ё"
    for scheme in range(6):
        assert not re.search("[а-яё]", transliterated(alphabet, "ru", Chosen(scheme)))


def test_civil_script_has_the_letters_of_russian_alone() -> None:
    text = civil_script("Ѻ҆́тче на́шъ, и҆́же на нб҃сѣ́хъ, да свѧти́тсѧ и҆́мѧ", random.Random(0))
    assert not re.search(r"[^а-яё ,]", text.replace("ъ", ""))
    assert text.startswith("отче наш")
