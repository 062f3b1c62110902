"""The oracle of how repair judges the lines of a document together: which of them are text of
one single-byte charset that was read in another (rust_ext/crates/repair: single.rs, context.rs, words.rs).

Costs are -log of probabilities in tenths of a nat. Where the limits come from stands beside them in Rust.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from scripts.fit.words import digest, read_back
from tests.oracles.repair_single import (
    MODEL,
    Mistake,
    Reading,
    Text,
    costs,
    is_accented,
    is_artefact,
    mistakes,
    read,
)

Costs = list[int]


def undo_lines(text: str) -> str | None:
    """The text with one layer undone in the lines that are broken, None where none proves to be."""
    lines = text.split("\n")
    readings = [(line, read(line, None)) for line in lines]
    suspects = [row for row in readings if row[1].pairs > 5 and row[1].cost > 38 * row[1].pairs]
    once, twice = mistakes()
    longest = sorted(suspects, key=lambda row: (-row[1].pairs, len(row[0].encode())))[:3]
    found = _proven(once, suspects) or _proven(twice, longest)
    if not found:
        return None
    undone = [
        line if state == 0 else found[state - 1].undo(line)
        for line, state in zip(lines, _states(lines, found), strict=True)
    ]
    return "\n".join(undone) if undone != lines else None


def _proven(candidates: list[Mistake], suspects: list[tuple[str, Reading]]) -> list[Mistake]:
    """The mistakes that restore a line best and prove it broken, up to four, the best proven first."""
    gains = [0] * len(candidates)
    for line, stands in suspects:
        gain, at = max((_proof(line, stands, mistake), -at) for at, mistake in enumerate(candidates))
        gains[-at] += gain
    order = sorted(range(len(candidates)), key=lambda at: -gains[at])
    return [candidates[at] for at in order if gains[at]][:4]


def _proof(line: str, stands: Reading, mistake: Mistake) -> int:
    """What the line gains where that proves it broken, else 0."""
    undone = read(line, mistake)
    gain = stands.cost - undone.cost
    holds = (
        undone.inside_words * 2 >= undone.letters
        and undone.letters * 10 >= undone.pairs * 6
        and undone.changed * 10 >= undone.letters * 6
        and undone.cost <= 42 * undone.pairs
        and (undone.letters >= 5 or (undone.letters == 4 and _all_known(mistake.undo(line))))
    )
    return gain if holds and gain >= 200 else 0


# --- what stands beside letters -----------------------------------------------------------------------------


def _ascii_letter(text: Text, at: int) -> bool:
    return at < len(text.chars) and text.chars[at].isascii() and text.chars[at].isalpha()


def costs_beside(line: str, mistake: Mistake | None) -> int:
    """Signs by their place, characters that the mistake can't have made, letters that touch letters of
    another kind, less what abbreviations save."""
    text = _meant(line, mistake)
    gaps = costs()[3]
    foreign = sum(not char.isascii() and char not in mistake.made for char in line) if mistake else 0
    total = min(60 * foreign, 100)
    for at in range(2, len(text.chars) - 1):
        char = text.chars[at]
        total += gaps[char][2 * text.is_letter(at - 1) + text.is_letter(at + 1)] if char in gaps else 0
        before, after = _ascii_letter(text, at - 1), _ascii_letter(text, at + 1)
        total += 50 if text.is_letter(at) and (before or after) else 0
        total += 60 if is_artefact(char) and before and after else 0
        beside_accent = is_accented(text.chars[at - 1]) or is_accented(text.chars[at + 1])
        total += 30 if is_accented(char) and beside_accent and not (before or after) else 0
    return total - sum(_refund(text, *word) for word in _words(text))


def _meant(line: str, mistake: Mistake | None) -> Text:
    """The line, undone, with two gaps before it and one after it."""
    return Text.of((mistake.undo(line) if mistake else line) + "\n")


def _words(text: Text) -> Iterator[tuple[int, int]]:
    """Start and end of the runs of Cyrillic letters."""
    for start in range(2, len(text.chars)):
        if text.is_letter(start) and not text.is_letter(start - 1):
            yield start, next(at for at in range(start, len(text.chars)) if not text.is_letter(at))


def _refund(text: Text, start: int, end: int) -> int:
    """By how much the letters cost more than those of an abbreviation or of words written as one."""
    capital = [case == 2 for case in text.cases]
    abbreviation = end - start <= 5 and all(capital[start:end])
    total = -30 if abbreviation and not _is_tag(text, start) else 0
    for at in range(start + 1, end):
        if abbreviation or (capital[at] and not capital[at - 1]):
            total += max(0, text.cost(at, start) - (45 if abbreviation else 120))
    return max(0, total)


def _is_tag(text: Text, start: int) -> bool:
    return text.chars[start - 1] == "#"


# --- words --------------------------------------------------------------------------------------------------


@functools.cache
def lexicon() -> tuple[Costs, dict[int, int], set[int]]:
    """Cost of not being there by length; costs by digest; digests of abbreviations."""

    def lines(name: str) -> list[str]:
        return [x for x in (MODEL / name).read_text(encoding="utf-8").splitlines() if not x.startswith("#")]

    unknown, *tiers = lines("words.txt")
    found: dict[int, int] = {}
    for cost, differences in (tier.split(" ") for tier in tiers):
        for word in read_back(differences):
            found.setdefault(word, int(cost))
    short = {digest(word) for line in lines("abbreviations.txt") for word in line.split(" ")}
    for word in short:
        found.setdefault(word, 100)
    return [int(cost) for cost in unknown.split(" ")], found, {word for word in short if found[word] >= 100}


def _all_known(line: str) -> bool:
    """True where the lexicon has every word, one of five letters and more among them."""
    text = _meant(line, None)
    words = list(_words(text))
    known = [_cost_of_known(text, start, end) is not None for start, end in words]
    return all(known) and any(end - start >= 5 for start, end in words)


def _cost_of_known(text: Text, start: int, end: int) -> int | None:
    """What a word of the lexicon costs, by its case; None where it has none such."""
    _, tiers, abbreviations = lexicon()
    word = digest(text.chars[start:end])
    if word not in tiers:
        return None
    cases = text.cases[start:end]
    if word not in abbreviations:
        before = [0, *cases]
        return tiers[word] + sum(costs()[1][a][b] for a, b in zip(before, cases, strict=False))
    in_domain = text.chars[start - 1] in ".@#" or (text.chars[end] == "." and text.is_letter(end + 1))
    capitals = cases.count(2)
    if capitals == len(cases):
        return tiers[word]
    return tiers[word] + (60 if capitals else 7 if in_domain else 40)


def _cost_of_letters(text: Text, start: int, end: int) -> int:
    return sum(text.cost(at) for at in range(start, end + 1)) - _refund(text, start, end)


def _cost_of_compound(text: Text, start: int, end: int) -> int | None:
    """A tag, or a word with a capital inside, as words of the lexicon written as one."""
    inner = any(text.cases[at - 1] == 1 and text.cases[at] == 2 for at in range(start + 1, end))
    if end - start > 24 or not (inner or _is_tag(text, start)):
        return None

    @functools.cache
    def least(at: int) -> int | None:
        if at == end:
            return 0
        found = []
        for stop in range(at + 2, end + 1):
            word, rest = _cost_of_known(text, at, stop), least(stop)
            if word is not None and rest is not None:
                found.append(word + rest + (30 if at > start else 0))
        return min(found, default=None)

    return least(start)


def _cost_of_end(text: Text, end: int) -> int | None:
    """The end of a word whose beginning was cut off, at the beginning of a text."""
    if text.cases[2] == 2:
        return None
    pair = costs()[0][text.classes[2]][text.classes[3]]
    pair += costs()[1][text.cases[2]][text.cases[3]] if text.cases[3] else 0
    return 65 + pair + sum(text.cost(at) for at in range(4, end + 1))


@dataclass
class Vocabulary:
    """The words of the lines that are clear."""

    exact: set[str] = field(default_factory=set)

    def learn(self, text: Text) -> None:
        self.exact |= {text.chars[start:end] for start, end in _words(text) if end - start >= 2}

    @functools.cached_property
    def stems(self) -> set[str]:
        return {stem for word in self.exact for stem in _stems(word)}

    def cost_of(self, word: str) -> int | None:
        cost = max(int(math.log(max(1, len(self.exact))) * 10.0) + 7, 40)
        if len(word) >= 2 and word in self.exact:
            return cost
        return cost + 30 if self.exact and self.stems & _stems(word) else None


def _stems(word: str) -> set[str]:
    """The word without up to two letters at its end; at least four stay."""
    return {word[:length] for length in range(max(4, len(word) - 2), len(word) + 1)}


def _cost_of_words(text: Text, is_first_line: bool, vocabulary: Vocabulary) -> int:
    """By how much the words of a line cost more or less than their letters."""
    total = 0
    for start, end in _words(text):
        letters = _cost_of_letters(text, start, end)
        by_length = lexicon()[0]
        readings = [
            letters + (by_length[end - start] if end - start < len(by_length) else 0),
            _cost_of_known(text, start, end),
            vocabulary.cost_of(text.chars[start:end]),
            _cost_of_compound(text, start, end),
            _cost_of_end(text, end) if is_first_line and start == 2 else None,
        ]
        total += min(cost for cost in readings if cost is not None) - letters
    return total


# --- the document -------------------------------------------------------------------------------------------


def _lead(line: Costs) -> int:
    best, second = sorted(line)[:2]
    return second - best


def _first_case(text: Text) -> int:
    """1 where the first letter of a line is a small Cyrillic one, 2 for a capital, else 0."""
    return next((text.cases[at] for at in range(2, len(text.chars)) if text.chars[at].isalpha()), 0)


def _has_lone_accent(line: str) -> bool:
    """An accented letter that no letter of ASCII is beside."""
    letter = "(?![×÷])[\u00c0-\u00ff]"
    return re.search(f"(?<![A-Za-z]){letter}(?![A-Za-z])", line) is not None


def _tenths(probability: float) -> int:
    return int(-10.0 * math.log(probability))


def _states(lines: list[str], found: list[Mistake]) -> list[int]:
    """For each line 0 (clean) or the number of its mistake, counted from 1: the likeliest sequence."""
    hypotheses: list[Mistake | None] = [None, *found]
    texts = [[_meant(line, mistake) for mistake in hypotheses] for line in lines]
    by_letters = [
        [0 if line.isascii() else read(line, m).cost + costs_beside(line, m) for m in hypotheses]
        for line in lines
    ]
    unsure = [
        number for number, line in enumerate(lines) if not line.isascii() and _lead(by_letters[number]) < 250
    ]

    def with_words(number: int, vocabulary: Vocabulary) -> Costs:
        rows = zip(by_letters[number], texts[number], strict=True)
        return [cost + _cost_of_words(text, number == 0, vocabulary) for cost, text in rows]

    costs_of = [
        with_words(number, Vocabulary()) if number in unsure else row for number, row in enumerate(by_letters)
    ]
    # What the clear lines say of the document.
    clear = [(n, row.index(min(row))) for n, row in enumerate(costs_of) if _lead(row) >= 60]
    vocabulary = Vocabulary()
    seen, begins = [0.5] * len(hypotheses), [0.0, 1.0, 1.0]
    for number, state in clear:
        vocabulary.learn(texts[number][state])
        seen[state] += 1.0
        begins[_first_case(texts[number][state])] += 1.0
    has_accents = any(state == 0 and _has_lone_accent(lines[number]) for number, state in clear)
    changes = 0.5 + sum(before[1] != after[1] for before, after in itertools.pairwise(clear))
    share = changes / max(1.0, float(len(clear)))
    for number in unsure:
        costs_of[number] = with_words(number, vocabulary)
        for state, text in enumerate(texts[number]):
            if case := _first_case(text):
                of_case = _tenths(begins[case] / (begins[1] + begins[2]))
                costs_of[number][state] += of_case - costs()[1][0][case]
        if not has_accents and _has_lone_accent(lines[number]):
            costs_of[number][0] += 60

    def step(before: int, after: int) -> int:
        if before == after:
            return _tenths(1.0 - share)
        return _tenths(share * seen[after] / (sum(seen) - seen[before]))

    # The cheapest way to each state: its cost, and the states passed. Of equals the same, then the lower.
    numbers = range(len(hypotheses))
    ways: list[tuple[int, list[int]]] = [(0, []) for _ in numbers]
    for row in costs_of:
        best = [
            min(numbers, key=lambda origin: (ways[origin][0] + step(origin, state), origin != state, origin))
            for state in numbers
        ]
        ways = [
            (ways[origin][0] + step(origin, state) + row[state], [*ways[origin][1], state])
            for state, origin in enumerate(best)
        ]
    return min(ways, key=lambda way: (way[0], way[1][-1]))[1]
