"""Contacts and topics: part of the oracle of rust_ext/crates/quality."""

from __future__ import annotations

import itertools
import math

from tests.oracles.quality_lexicon import PAIRS, SPAM, TOPICS, patterns_of
from tests.oracles.quality_lines import FEW, Line, ratio
from tests.oracles.quality_tokens import Word

MONEY = {"руб", "рублей", "рубля", "рубль", "р", "грн", "евро", "долларов", "usd", "eur"}
STREET = {"ул", "д", "пр", "пер", "пл", "кв", "г", "обл", "корп", "наб", "бул", "аллея", "ш", "тел"}


def is_phone(text: str) -> bool:
    """Seven to twelve digits in three parts, but eight, a date; or ten to twelve as telephones begin."""
    digits, hyphens = sum(c in "0123456789" for c in text), text.count("-")
    if digits + hyphens != len(text):
        return False
    starts = {10: "03489", 11: "78", 12: "39"}.get(digits, "")
    return text[0] in starts or (hyphens >= 2 and 7 <= digits <= 12 and digits != 8)


def contacts(lines: list[Line], every: list[Word]) -> dict[str, float]:
    """Links, telephones, prices and addresses, a word."""
    words = sum(w.is_word for w in every)
    links = phones = prices = places = 0
    for line in lines:
        for at, w in enumerate(line.tokens):
            left = line.tokens[at - 1] if at else None
            right = line.tokens[at + 1] if at + 1 < len(line.tokens) else None
            number = w.is_word and not w.has_letter
            links += w.lower in ("http", "https", "www") or w.text[0] == "@"
            links += (
                w.text == "." and left is not None and left.has_letter and left.end == w.start
                and right is not None and right.latin and right.start == w.end
            )  # fmt: skip
            goes_on = right is not None and (right.text == "(" or (right.is_word and not right.has_letter))
            plus = left is not None and left.text == "+" and left.end == w.start
            phones += number and (is_phone(w.text) or (plus and goes_on))
            prices += number and right is not None and (right.lower in MONEY or right.text[0] in "₽$€")
            counted = left is not None and left.is_word and not left.has_letter
            initial = w.capital and len(w.lower) == 1
            places += (
                w.lower in STREET and not initial
                and right is not None and right.text == "." and not counted
            )  # fmt: skip
    return {
        "link_ratio": ratio(links, words),
        "phone_ratio": ratio(phones, words),
        "price_ratio": ratio(prices, words),
        "address_ratio": ratio(places, words),
    }


def topics(lines: list[Line], every: list[Word]) -> dict[str, float]:
    """Signals of words by topic."""
    words = sum(w.is_word for w in every)
    hits = [0] * (len(TOPICS) + len(SPAM))
    for w in every:
        _add(hits, w.topics, 1)
    for line in lines:
        row = [w for w in line.tokens if w.is_word]
        for first, second in itertools.pairwise(row):
            mask = 0
            for a in patterns_of(first.lower):
                for b in patterns_of(second.lower):
                    mask |= PAIRS.get((a, b), 0)
            _add(hits, mask, 2)
    for at in range(len(SPAM)):
        hits[at] += min(2 * hits[at], hits[len(TOPICS) + at])
    reporting = hits[TOPICS.index("reporting")]
    most = max(hits[: len(SPAM)])
    root = math.sqrt(sum(w.has_letter for w in every) + FEW)
    return {
        **{f"topic_{name}": ratio(hits[at], words) for at, name in enumerate(TOPICS)},
        **{
            f"excess_{name}": ratio(max(hits[at] - reporting, 0), words)
            for at, name in enumerate(TOPICS[: len(SPAM)])
        },
        "spam_topic": ratio(most, words),
        "spam_excess": ratio(max(most - reporting, 0), words),
        "navigation_kinds": _kinds(every, every),
        "menu_kinds": _kinds([w for line in lines if line.is_open for w in line.tokens], every),
        "service_kinds": len({w.lower for w in every if w.topics >> TOPICS.index("service") & 1}) / root,
        "spam_kinds": max(_spam_kinds(lines)) / root,
    }


def _kinds(of: list[Word], every: list[Word]) -> float:
    """Different words of navigation, over the root of the number of words."""
    letters = sum(w.has_letter for w in every)
    kinds = {w.lower for w in of if w.topics >> TOPICS.index("navigation") & 1}
    return len(kinds) / math.sqrt(letters) if letters else 0.0


def _spam_kinds(lines: list[Line]) -> list[int]:
    """Different words of each spam topic in short lines that are no verse, words of other meanings too."""
    short = [w for line in lines if line.is_open and line.shape != "verse" for w in line.tokens]
    masks = [(w.lower, w.topics | w.topics >> len(TOPICS)) for w in short]
    return [len({lower for lower, mask in masks if mask >> at & 1}) for at in range(len(SPAM))]


def _add(hits: list[int], mask: int, weight: int) -> None:
    for at in range(len(hits)):
        hits[at] += weight if mask >> at & 1 else 0
