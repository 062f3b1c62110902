"""The kernel `pii` finds what its oracle finds, on injections, on pieces thrown together, on mutated ones."""

from __future__ import annotations

import random
import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from rust_ext import PII_KINDS, PiiMask
from tests.oracles import pii
from tests.oracles.pii_numbers import LABELS, NUMERALS
from tests.pii_bench.forms import FORMS
from tests.pii_bench.generate import inject

MASK = PiiMask(PII_KINDS)
WORDS = (
    [word for word, _ in LABELS]
    + list(NUMERALS)
    + ["плюс", "собака", "точка", "dot", "[at]", "ул. Ленина, д. "]
)
WORDS += [
    "кв. ",
    "г.р.",
    "родился ",
    "12 мая 1980",
    "пароль: ",
    "логин ",
    "t.me/",
    "vk.com/id",
    "sk-",
    "eyJ",
    ".ru",
]
WORDS += ["А123ВЕ77", "2001:db8::", "fe80::1", "192.168.", "5.61.37.209", "044525225", "30101810400000000225"]
WORDS += ["Школа № 5", "Иванов Иван, ", "Cookie: ", "PHPSESSID=", "-----BEGIN RSA PRIVATE KEY-----\n"]
EDGES = " \t\n\r\u00a0\u2009-–—.,:;/()[]*_~•·|\\+№@\"'«»=<>%$#!?…\u00ad\u200b\ufeff\u20e3"
DIGITS = "0123456789０９𝟎𝟗"
LETTERS = "ОоOolIіZЗЧбSВBgqабвгАНКрстухabcdefXYZxyzяЯёЁ"
PIECES = st.one_of(
    st.sampled_from(WORDS),
    st.text(st.sampled_from(DIGITS), min_size=1, max_size=12),
    st.text(st.sampled_from(EDGES), min_size=1, max_size=3),
    st.text(st.sampled_from(LETTERS + DIGITS[:10]), min_size=1, max_size=6),
    st.text(st.sampled_from(EDGES + DIGITS + LETTERS), max_size=12),
)
TEXTS = st.lists(PIECES, max_size=24).map("".join)


@st.composite
def injected(draw: st.DrawFn) -> str:
    """A sentence with an injection, a few of its characters changed."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    text = inject(rng, "Он пришёл в 12 часов, и она сказала: приходи завтра.", rng.choice(list(FORMS))).text
    for place in draw(st.lists(st.integers(0, len(text)), max_size=4)):
        text = text[:place] + draw(PIECES) + text[place + draw(st.integers(0, 2)) :]
    return text


@given(st.one_of(TEXTS, injected()))
@example("8 900\r\n\n123-45-67")
@example("+7(900)123-45-67,+7(900)123-45-68")
@example("тел89161234567звоните")
@example("плюс семь девятьсот пятьсот сорок два двадцать семь")
@example("о" * 60 + "1")
@example("1 " * 1200)
@example("")
@settings(max_examples=400, deadline=None)
def test_the_kernel_finds_what_the_oracle_finds(text: str) -> None:
    assert MASK.find(text) == pii.find(text)


@given(st.one_of(TEXTS, injected()))
@settings(max_examples=150, deadline=None)
def test_a_masked_text_holds_its_masks_and_nothing_of_what_they_hide(text: str) -> None:
    """What stands between finds is kept as it is, and each find gives way to the name of its kind."""
    parts, done = [], 0
    for start, end, _, _ in MASK.find(text):
        parts.append(re.escape(text[done:start]))
        done = end
    pattern = "<[А-ЯЁA-Z_]+>".join([*parts, re.escape(text[done:])])
    masked = MASK.mask(text)
    assert (masked is None) == (not parts)
    assert re.fullmatch(pattern, text if masked is None else masked)
