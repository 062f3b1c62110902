"""Personal data as people write it, and what looks like it: the lines of tests/data/pii."""

from __future__ import annotations

from collections import Counter

import pytest

from corpus.mask import PRESETS
from rust_ext import PII_KINDS, PiiMask
from tests.oracles import pii
from tests.pii_bench.slots import filled

MASK = PiiMask(PII_KINDS)
DEFAULT = PiiMask(PRESETS["identifiers"])
CARRIERS = [
    "{}",
    "В тот вечер они вышли к реке, {} и никто не ответил.",
    "Всё было готово к 12 часам.\n{}\nВ 2012 году пришли 15 человек.",
    "Справка ({})",
]
#: Of each file, the share of forms of a kind, and of all, that may be missed. Letters can stand for all
#: digits of a short number: then nothing says that it is one. Of the lines of sentences.txt fifteen hold
#: forms that are not found.
LOST = {"forms.txt": (0.01, 0.002), "sentences.txt": (0.08, 0.02)}


def missed(text: str, spans: list[tuple[int, int]]) -> bool:
    """Whether a letter or digit of a span lies in no find."""
    found = MASK.find(text)
    bare = [n for start, end in spans for n in range(start, end) if text[n].isalnum()]
    return not all(any(start <= n < end for start, end, *_ in found) for n in bare)


@pytest.mark.parametrize("name", LOST)
def test_forms_of_every_kind_are_covered(name: str) -> None:
    seen: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    examples = []
    for section, line, text, spans in filled(name, seed=11, times=3):
        for carrier in CARRIERS:
            at = carrier.index("{}")
            seen[section] += 1
            if missed(carrier.replace("{}", text), [(s + at, e + at) for s, e in spans]):
                lost[section] += 1
                examples.append((section, line, text))
    assert set(seen) == set(PII_KINDS)
    of_kind, of_all = LOST[name]
    assert all(lost[section] <= of_kind * seen[section] for section in seen), examples
    assert lost.total() <= of_all * seen.total(), examples


@pytest.mark.parametrize("name", ["clean.txt", "lookalikes.txt"])
@pytest.mark.parametrize("carrier", CARRIERS)
def test_nothing_of_clean_lines_is_masked(name: str, carrier: str) -> None:
    """Telephones of institutions stand in lines of their own, and are masked by choice alone."""
    found = {}
    for section, _, text, _ in filled(name, seed=11, times=1):
        if section == "directories" and len(carrier.split("{}")[0].split("\n")[-1]) > 0:
            continue
        mask = DEFAULT if section == "directories" else MASK
        if finds := mask.find(carrier.replace("{}", text)):
            found[text] = finds
    assert not found


@pytest.mark.parametrize("name", ["forms.txt", "sentences.txt", "lookalikes.txt"])
def test_the_kernel_finds_in_forms_what_the_oracle_finds(name: str) -> None:
    for _, line, text, _ in filled(name, seed=12, times=1):
        assert MASK.find(text) == pii.find(text), line
