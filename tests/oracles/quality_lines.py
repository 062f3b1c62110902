"""Lines, their shapes and sentences, and signals of both: part of the oracle of rust_ext/crates/quality."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.oracles.quality_tokens import CLOSING, CODE, DASHES, ENDS, Word, line_words

#: Words added to those of a text where a few words would make a large share.
FEW = 20
BULLETS = "•·▪►●■□◦‣✓✔✅☑★☆➤→*+"
MORE = {"подробнее", "далее", "полностью", "more", "дальше"}


@dataclass
class Line:
    """A line that has tokens."""

    text: str
    tokens: list[Word]
    words: int = 0
    functions: int = 0
    letters: int = 0
    numbers: int = 0
    code: int = 0
    solid: int = 0
    closed: bool = False
    ends_in_mark: bool = False
    shape: str = ""

    @property
    def is_open(self) -> bool:
        """Short and without an end of sentence."""
        return not self.closed and self.words <= 12


def lines_of(text: str) -> list[Line]:
    found = []
    for raw in text.split("\n"):
        words = line_words(raw)
        if words:
            found.append(_line(raw, words))
    return found


def _line(raw: str, words: list[Word]) -> Line:
    line = Line(raw, words)
    line.words = sum(w.is_word for w in words)
    line.functions = sum(w.function for w in words)
    line.letters = sum(w.has_letter for w in words)
    line.numbers = sum(w.is_word and not w.has_letter for w in words)
    line.solid = sum(len(w.text) for w in words)
    line.code = sum(len(w.text) for w in words if w.text[0] in CODE)
    behind = [w for w in words if not (not w.is_word and w.text[0] in CLOSING)]
    line.closed = bool(behind) and not behind[-1].is_word and behind[-1].text[0] in ENDS
    line.ends_in_mark = line.closed or (
        not words[-1].is_word and words[-1].text[0] in ",;:" + DASHES + CLOSING
    )
    return line


def shapes(lines: list[Line]) -> None:
    """The shape of each line: what it is by itself, then runs of verse."""
    times = Counter(line.text.strip() for line in lines)
    for line in lines:
        line.shape = _shape(line, times[line.text.strip()])
    for start, end in runs([line.shape == "verse" for line in lines]):
        run = lines[start:end]
        if len(run) < 4 or 2 * sum(line.ends_in_mark for line in run) < len(run):
            for line in run:
                line.shape = "prose" if line.closed else "label"


def runs(flags: Sequence[bool]) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(flags):
        if not flags[start]:
            start += 1
            continue
        end = start
        while end < len(flags) and flags[end]:
            end += 1
        yield start, end
        start = end


def _shape(line: Line, times: int) -> str:
    first, last = line.tokens[0], line.tokens[-1]
    second = line.tokens[1] if len(line.tokens) > 1 else None
    if line.code >= 3 and 8 * line.code >= line.solid:
        return "code"
    if (line.words >= 3 and 2 * line.numbers >= line.words) or "\t" in line.text.strip():
        return "table"
    if first.text[0] in DASHES + "-" and second and second.is_word:
        return "dialogue" if line.closed or (line.words >= 7 and line.functions) else "list"
    if not first.is_word and first.text[0] in BULLETS:
        return "list"
    if first.is_word and not first.has_letter and second and second.text in (".", ")"):
        return "list"
    if first.text == "(" and last.text[0] in ").":
        return "play"
    if first.capital and line.words <= 4 and times >= 2 and line.functions == 0:
        return "play"
    if first.upper and second and second.text in (".", ":") and line.words >= 2:
        return "play"
    if 2 <= line.words <= 12 and len(line.text.strip()) <= 70:
        return "verse"
    return "prose" if line.closed or line.words >= 12 else "label"


def sentences_of(line: Line) -> list[list[Word]]:
    """The tokens of each sentence of a line that holds a word."""
    found: list[list[Word]] = []
    current: list[Word] = []
    for at, token in enumerate(line.tokens):
        current.append(token)
        after = line.tokens[at + 1] if at + 1 < len(line.tokens) else None
        if not token.is_word and token.text[0] in ENDS and not (after and after.lower_start):
            found.append(current)
            current = []
    found.append(current)
    return [sentence for sentence in found if any(w.is_word for w in sentence)]


def ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def spread(sizes: Sequence[int]) -> float:
    """Mean distance from the mean, over the mean."""
    n, total = len(sizes), sum(sizes)
    return ratio(sum(abs(size * n - total) for size in sizes), total * n)


def sentences(lines: list[Line]) -> dict[str, float]:
    """Signals of sentences."""
    sizes, bare, words, repeated, starts, doubled = [], 0, 0, 0, 0, 0
    seen: set[tuple[str, str]] = set()
    texts: set[str] = set()
    for line in lines:
        for sentence in sentences_of(line):
            size = sum(w.is_word for w in sentence)
            sizes.append(size)
            words += size
            if size >= 3 and not any(w.function for w in sentence):
                bare += size
            if size >= 4:
                starts += 1
                first, second = [w.lower for w in sentence if w.is_word][:2]
                repeated += (first, second) in seen
                seen.add((first, second))
            if size >= 5:
                text = line.text[sentence[0].start : sentence[-1].end]
                doubled += size if text in texts else 0
                texts.add(text)
    return {
        "sentence_words": ratio(words, len(sizes)),
        "sentence_spread": spread(sizes),
        "bare_sentence_ratio": ratio(bare, words),
        "same_start_ratio": ratio(repeated, starts),
        "dup_sentence_ratio": ratio(doubled, words),
    }


def line_signals(lines: list[Line]) -> dict[str, float]:
    """Signals of lines and their shapes."""
    words = sum(line.words for line in lines)
    open_runs = list(runs([line.is_open for line in lines]))
    in_runs = sum(end - start for start, end in open_runs if end - start >= 5)
    by_shape = Counter[str]()
    for line in lines:
        by_shape[line.shape] += line.words
    n = len(lines)
    return {
        "open_line_ratio": ratio(sum(line.words for line in lines if not line.closed), words),
        "line_words": ratio(words, n),
        "line_spread": spread([line.words for line in lines]),
        "tiny_line_ratio": ratio(sum(line.words <= 3 for line in lines), n),
        "open_run_ratio": ratio(in_runs, n),
        "longest_open_run": max((end - start for start, end in open_runs), default=0),
        "menu_ratio": ratio(_menu_words(lines), words),
        "lower_line_ratio": ratio(sum(line.tokens[0].lower_start for line in lines), n),
        "digit_line_ratio": ratio(sum(line.tokens[0].is_word and line.tokens[0].digit for line in lines), n),
        "upper_line_ratio": ratio(sum(line.letters > 0 and _shouts(line) for line in lines), n),
        "teaser_line_ratio": ratio(sum(map(_teases, lines)), n),
        "verse_ratio": ratio(by_shape["verse"], words),
        "play_ratio": ratio(by_shape["play"], words),
        "dialogue_ratio": ratio(by_shape["dialogue"], words),
        "code_line_ratio": ratio(by_shape["code"], words),
        "table_ratio": ratio(by_shape["table"], words),
        "list_ratio": ratio(by_shape["list"], words),
        "label_ratio": ratio(by_shape["label"], words),
        "prose_ratio": ratio(by_shape["prose"], words),
        "headline_ratio": ratio(_headline_words(lines), words),
    }


def _menu_words(lines: list[Line]) -> int:
    """Words of short lines without an end of sentence and without numbers, four or more in a row."""
    menus = runs([line.shape == "label" and not line.numbers for line in lines])
    return sum(line.words for start, end in menus if end - start >= 4 for line in lines[start:end])


def _headline_words(lines: list[Line]) -> int:
    """Words of headlines where four or more stand in a run of lines that end no sentence and do not go on."""
    total = 0
    for start, end in runs([_stands_alone(line) for line in lines]):
        found = [
            line.words
            for line in lines[start:end]
            if line.shape in ("label", "prose") and not line.code
            if 4 <= line.words <= 20 and line.letters >= 3
        ]
        total += sum(found) if len(found) >= 4 else 0
    return total


def _stands_alone(line: Line) -> bool:
    last = line.tokens[-1]
    ends = last.is_word or last.text[0] in CLOSING
    return not line.tokens[0].lower_start and not line.closed and ends


def _shouts(line: Line) -> bool:
    return all(w.upper or len(w.text) == 1 for w in line.tokens if w.has_letter) and any(
        w.upper for w in line.tokens
    )


def _teases(line: Line) -> bool:
    last = line.tokens[-1]
    return last.text[0] == "…" or last.text == "..." or (last.is_word and last.lower in MORE)
