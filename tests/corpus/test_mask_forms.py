"""Personal data as people write it, and what looks like it: the lines of tests/data/pii."""

from __future__ import annotations

from collections import Counter

import pytest

from rust_ext import PII_KINDS, PiiMask
from tests.oracles import pii
from tests.pii_bench.slots import filled

MASK = PiiMask(PII_KINDS)
CARRIERS = [
    "{}",
    "В тот вечер они вышли к реке, {} и никто не ответил.",
    "Всё было готово к 12 часам.\n{}\nВ 2012 году пришли 15 человек.",
    "Справка ({})",
]
#: Letters can stand for all digits of a short number: then nothing says that it is one.
SURE = 0.99


def missed(text: str, spans: list[tuple[int, int]]) -> bool:
    """Whether a letter or digit of a span lies in no find."""
    found = MASK.find(text)
    bare = [n for start, end in spans for n in range(start, end) if text[n].isalnum()]
    return not all(any(start <= n < end for start, end, *_ in found) for n in bare)


def test_forms_of_every_kind_are_covered() -> None:
    seen: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    examples = []
    for section, line, text, spans in filled("forms.txt", seed=11, times=3):
        for carrier in CARRIERS:
            at = carrier.index("{}")
            seen[section] += 1
            if missed(carrier.replace("{}", text), [(s + at, e + at) for s, e in spans]):
                lost[section] += 1
                examples.append((section, line, text))
    assert set(seen) == set(PII_KINDS)
    assert all(lost[section] <= (1 - SURE) * seen[section] for section in seen), examples
    assert lost.total() <= 0.002 * seen.total(), examples


@pytest.mark.parametrize("carrier", CARRIERS)
def test_nothing_of_clean_lines_is_masked(carrier: str) -> None:
    texts = [carrier.replace("{}", text) for _, _, text, _ in filled("clean.txt", seed=11, times=1)]
    found = {text: finds for text in texts if (finds := MASK.find(text))}
    assert not found


def test_the_kernel_finds_in_forms_what_the_oracle_finds() -> None:
    for _, line, text, _ in filled("forms.txt", seed=12, times=1):
        assert MASK.find(text) == pii.find(text), line
