"""The slow, readable definition of the signals of rust_ext/crates/quality: what each is, in plain Python.

A text is read by lines (cut at "\\n") and each line by tokens (tests/oracles/signals.py). Sums are of whole
numbers and each signal is one division, so that the compiled kernel agrees to the last bit.
"""

from __future__ import annotations

import itertools
import math
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.oracles.signals import _is_letter_or_digit, _is_mark, tokens

ASSETS = Path(__file__).parents[2] / "corpus" / "assets" / "quality"
#: Bytes of a text that are read.
READ = 1 << 20
TOPICS = (
    *("casino", "betting", "escort", "essay_mill", "loan", "pharmacy", "occult", "earnings"),
    *("shop", "navigation", "service", "reporting", "law", "science", "recipe", "manual", "review"),
    *("question", "encyclopedia", "news"),
)
SPAM = TOPICS[:8]
DASHES = "—–-―−‒"
ENDS = ".!?…‼⁇⁈⁉"
CLOSING = "»”\"'’)]“"
BULLETS = "•·▪►●■□◦‣✓✔✅☑★☆➤→*+"
QUOTES = '«»“”„"‟'
BRACKETS = "()[]"
CODE = "{};=<>\\|_@#$%^&*~+/"
LOOKALIKES = dict(zip("aeopcxykmtbhi", "аеорсхукмтвні", strict=True)) | {"ё": "е"}
VOWELS = set("аеиоуыэюяіїєѣ")
MONEY = {"руб", "рублей", "рубля", "рубль", "р", "грн", "евро", "долларов", "usd", "eur"}
STREET = {"ул", "д", "пр", "пер", "пл", "кв", "г", "обл", "корп", "наб", "бул", "аллея", "ш", "тел"}
ROLES = {
    "past": ("л", "ла", "ло", "ли", "лся", "лась", "лось", "лись"),
    "infinitive": ("ть", "ться", "ти", "тись", "чь"),
    "imperative": ("йте", "ите", "йтесь", "итесь"),
    "adjective": (
        "ый",
        "ий",
        "ая",
        "яя",
        "ое",
        "ее",
        "ые",
        "ие",
        "ого",
        "его",
        "ому",
        "ему",
        "ых",
        "их",
        "ыми",
        "ими",
        "ой",
    ),
    "abstract": (
        "ние",
        "ния",
        "нию",
        "нием",
        "ний",
        "ниях",
        "ция",
        "ции",
        "цию",
        "цией",
        "ций",
        "ость",
        "ости",
        "остью",
        "ство",
        "ства",
        "ством",
    ),
    "patronymic": ("ович", "евич", "овна", "евна", "ична", "овича", "евича", "овны", "евны", "ичны"),
    "surname": ("ов", "ова", "ев", "ева", "ин", "ина", "ский", "ская", "енко"),
}
FIRST = {
    "я", "мне", "меня", "мной", "мы", "нас", "нам", "нами", "мой", "моя", "мое", "мои", "моего", "моей",
    "моему", "моим", "моих", "мою", "наш", "наша", "наше", "наши", "нашего", "нашей", "нашему", "нашим",
    "наших", "нашу",
}  # fmt: skip
SECOND = {
    "ты", "тебя", "тебе", "тобой", "вы", "вас", "вам", "вами", "твой", "твоя", "твое", "твои", "твоего",
    "твоей", "ваш", "ваша", "ваше", "ваши", "вашего", "вашей", "вашему", "вашим", "ваших", "вашу",
}  # fmt: skip
THIRD = {
    "он", "она", "оно", "они", "его", "ее", "ей", "ему", "им", "ими", "их", "него", "нее", "ней",
    "нему", "ним", "ними", "них", "нем",
}  # fmt: skip
MORE = {"подробнее", "далее", "полностью", "more", "дальше"}


@dataclass(frozen=True)
class Word:
    """What is known of a token from its characters alone."""

    text: str
    start: int
    end: int
    is_word: bool
    has_letter: bool
    lower: str
    function: bool
    cyrillic: bool
    latin: bool
    mixed: bool
    digit: bool
    capital: bool
    upper: bool
    broken_case: bool
    no_vowel: bool
    lower_start: bool
    topics: int


def read_lexicon() -> tuple[set[str], dict[str, dict[str, int]], dict[tuple[str, str], int]]:
    """Function words; words and stems with the topics they belong to; pairs of patterns with theirs."""
    function: set[str] = set()
    for line in (ASSETS / "function_words_ru.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            function |= {word.replace("ё", "е") for word in line.split()}
    single: dict[str, int] = {}
    pairs: dict[tuple[str, str], int] = {}
    topic, weak = 0, 0
    for line in (ASSETS / "topics_ru.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            place = TOPICS.index(line.strip("[] "))
            topic, weak = 1 << place, 1 << (len(TOPICS) + place)
            continue
        if line.startswith("#"):
            continue
        items = line.split()
        at = 0
        while at < len(items):
            bit = weak if items[at].startswith("?") else topic
            items[at] = items[at].removeprefix("?")
            if at + 2 < len(items) and items[at + 1] == "+":
                pair = (items[at], items[at + 2])
                pairs[pair] = pairs.get(pair, 0) | bit
                at += 3
            else:
                single[items[at]] = single.get(items[at], 0) | bit
                at += 1
    return function, {"single": single}, pairs


FUNCTION, _SINGLE, PAIRS = read_lexicon()
SINGLE = _SINGLE["single"]
PATTERNS = set(SINGLE) | {p for pair in PAIRS for p in pair}


def patterns_of(lower: str) -> list[str]:
    """The patterns of the lists that a word matches: itself, or a beginning with a star."""
    found = [lower] if lower in PATTERNS else []
    return found + [lower[:n] + "*" for n in range(1, len(lower) + 1) if lower[:n] + "*" in PATTERNS]


def _is_letter(c: str) -> bool:
    return c.isalpha() and not _is_mark(c)


def _cyrillic(c: str) -> bool:
    return "\u0400" <= c <= "\u052f" and _is_letter(c)


def _latin(c: str) -> bool:
    return c <= "\u024f" and _is_letter(c)


_KNOWN: dict[str, Word] = {}


def word_of(text: str, start: int) -> Word:
    if text not in _KNOWN:
        _KNOWN[text] = _word_of(text)
    known = _KNOWN[text]
    return Word(**{**known.__dict__, "start": start, "end": start + len(text)})


def _word_of(text: str) -> Word:
    is_word = any(map(_is_letter_or_digit, text))
    letters = [c for c in text if _is_letter(c)]
    cyrillic = any(map(_cyrillic, text))
    latin = any(map(_latin, text))
    pairs = list(itertools.pairwise(text))
    mixed = any((_cyrillic(a) and _latin(b)) or (_latin(a) and _cyrillic(b)) for a, b in pairs)
    lower = text.lower()
    if cyrillic:
        lower = "".join(LOOKALIKES.get(c, c) for c in lower)
    folded = [c for c in lower if _cyrillic(c)]
    upper = len(letters) >= 2 and not any(c.islower() for c in letters) and any(c.isupper() for c in letters)
    topics = 0
    for pattern in patterns_of(lower):
        topics |= SINGLE.get(pattern, 0)
    return Word(
        text=text,
        start=0,
        end=0,
        is_word=is_word,
        has_letter=bool(letters),
        lower=lower,
        function=lower in FUNCTION,
        cyrillic=cyrillic,
        latin=latin,
        mixed=mixed,
        digit=any(unicodedata.category(c).startswith("N") for c in text),
        capital=bool(letters) and letters[0].isupper(),
        upper=upper,
        broken_case=any(_cyrillic(a) and a.islower() and _cyrillic(b) and b.isupper() for a, b in pairs),
        no_vowel=len(folded) >= 3 and not upper and not any(c in VOWELS for c in folded),
        lower_start=bool(letters) and text[0] == letters[0] and letters[0].islower(),
        topics=topics,
    )


def line_words(line: str) -> list[Word]:
    result, at = [], 0
    for token in tokens(line):
        at = line.index(token, at)
        result.append(word_of(token, at))
        at += len(token)
    return result


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
    for start, end in _runs([line.shape == "verse" for line in lines]):
        run = lines[start:end]
        if len(run) < 4 or 2 * sum(line.ends_in_mark for line in run) < len(run):
            for line in run:
                line.shape = "prose" if line.closed else "label"


def _runs(flags: Sequence[bool]) -> Iterator[tuple[int, int]]:
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


def compressed_bits(data: bytes) -> int:
    """Bits of a greedy LZ77 of one entry a hash of four bytes: 9 a literal, 24 a match."""
    table: dict[int, int] = {}
    at = bits = 0
    while at + 4 <= len(data):
        key = (int.from_bytes(data[at : at + 4], "little") * 2654435761 & 0xFFFFFFFF) >> 17
        before = table.get(key, -1)
        table[key] = at
        if before < 0 or data[before : before + 4] != data[at : at + 4]:
            bits, at = bits + 9, at + 1
            continue
        end = at + 4
        while end < len(data) and data[end] == data[before + end - at]:
            end += 1
        bits, at = bits + 24, end
    return bits + 9 * (len(data) - at)


def fnv(data: bytes) -> int:
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


_CLASSES: dict[str, int] = {}


def class_of(word: Word) -> int:
    """The class of a token in the table of neighbours."""
    if word.text not in _CLASSES:
        if not word.is_word:
            name = word.text[0]
        elif not word.has_letter:
            name = "0"
        elif not word.cyrillic:
            name = "L"
        elif word.function:
            name = word.lower
        else:
            name = "-" + word.lower[-3:]
        _CLASSES[word.text] = fnv(name.encode())
    return _CLASSES[word.text]


def pair_slot(first: int, second: int) -> int:
    mixed = ((first * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF) ^ second
    return ((mixed * 0xD6E8FEB86659FD93) & 0xFFFFFFFFFFFFFFFF) >> 46


UNSEEN = -32


def grammar(lines: list[Line], table: bytes) -> dict[str, float]:
    scores, unseen = [], 0
    for line in lines:
        for first, second in itertools.pairwise(line.tokens):
            value = table[pair_slot(class_of(first), class_of(second))]
            unseen += value == 0
            scores.append(value - 128 if value else UNSEEN)
    windows = [scores[at : at + 32] for at in range(0, len(scores) - 31, 16)] or [scores]
    lowest = min(windows, key=lambda w: ratio(sum(w), len(w)))
    return {
        "pair_score": ratio(sum(scores), 16 * len(scores)),
        "pair_unseen": ratio(unseen, len(scores)),
        "pair_lowest": ratio(sum(lowest), 16 * len(lowest)),
    }


def ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def spread(sizes: Sequence[int]) -> float:
    """Mean distance from the mean, over the mean."""
    n, total = len(sizes), sum(sizes)
    return ratio(sum(abs(size * n - total) for size in sizes), total * n)


def signals(text: str, table: bytes) -> dict[str, float]:
    """All signals of one text, by name."""
    data = text.encode()[:READ]
    text = data.decode(errors="ignore")
    lines = lines_of(text)
    shapes(lines)
    every = [w for line in lines for w in line.tokens]
    return {
        **_words(every),
        **_runs_of_words(lines),
        **_marks(lines, every),
        **_sentences(lines),
        **_lines(lines),
        **_repeats(lines, every),
        "compression": ratio(compressed_bits(data[: 1 << 16]), 8 * len(data[: 1 << 16])),
        **grammar(lines, table),
        **_roles(every),
        **_contacts(lines, every),
        **_topics(lines, every),
    }


def _words(every: list[Word]) -> dict[str, float]:
    words = [w for w in every if w.is_word]
    lettered = [w for w in words if w.has_letter]
    dashes = sum(not w.is_word and w.text[0] in DASHES + "-" for w in every)
    kinds = len({w.lower for w in words if w.function})
    count = len(lettered)
    letters = [c for w in lettered for c in w.text if _is_letter(c)]
    odd = sum(not ("а" <= c.lower() <= "я" or c in "ёЁ" or c < "\u0080") for c in letters)
    return {
        "letter_word_ratio": ratio(count, len(every) - dashes),
        "function_word_ratio": ratio(sum(w.function for w in words), count),
        "function_word_kinds": kinds / math.sqrt(count) if count else 0.0,
        "latin_word_ratio": ratio(sum(w.latin and not w.cyrillic for w in words), count),
        "mixed_script_ratio": ratio(sum(w.mixed for w in words), count),
        "broken_case_ratio": ratio(sum(w.broken_case for w in words), count),
        "no_vowel_ratio": ratio(sum(w.no_vowel for w in words), count),
        "upper_word_ratio": ratio(sum(w.upper for w in words), count),
        "number_ratio": ratio(len(words) - count, len(words)),
        "letter_digit_ratio": ratio(sum(w.digit for w in lettered), len(words)),
        "lone_letter_ratio": ratio(sum(len(w.text) == 1 and not w.function for w in lettered), count),
        "long_word_ratio": ratio(sum(len(w.text) > 20 for w in lettered), count),
        "odd_letter_ratio": ratio(odd, len(letters)),
        "word_variety": _variety([w.lower for w in words]),
        "top_word_ratio": ratio(
            max(Counter(w.lower for w in lettered if not w.function).values(), default=0), len(words)
        ),
    }


def _variety(words: list[str]) -> float:
    windows = [words[at : at + 100] for at in range(0, len(words) - 99, 100)] or [words]
    return ratio(sum(len(set(w)) for w in windows), sum(map(len, windows)))


def _runs_of_words(lines: list[Line]) -> dict[str, float]:
    longest = run = bare = count = inner = 0
    for line in lines:
        bare += 0 if line.functions else line.letters
        before: Word | None = None
        for w in line.tokens:
            if w.has_letter:
                count += 1
                run = 0 if w.function else run + 1
                longest = max(longest, run)
                inner += w.capital and before is not None and before.is_word
            before = w
    return {
        "bare_line_ratio": ratio(bare, count),
        "longest_bare_run": longest,
        "inner_capital_ratio": ratio(inner, count),
    }


def _emoji(c: str) -> bool:
    return "\U0001f000" <= c <= "\U0001faff" or "\u2600" <= c <= "\u27bf"


def _marks(lines: list[Line], every: list[Word]) -> dict[str, float]:
    words = sum(w.is_word for w in every)
    first = [w.text[0] for w in every if not w.is_word]
    dots = sum(not w.is_word and w.text in (".",) for w in every)
    inner = glued = after = stops = 0
    for line in lines:
        for at, w in enumerate(line.tokens):
            if w.is_word:
                continue
            left = line.tokens[at - 1] if at else None
            right = line.tokens[at + 1] if at + 1 < len(line.tokens) else None
            touches = (
                left is not None and left.has_letter and left.end == w.start
                and right is not None and right.has_letter and right.start == w.end
            )  # fmt: skip
            cyrillic = touches and ((left and left.cyrillic) or (right and right.cyrillic))
            inner += touches and (w.text[0] == "\ufffd" or (w.text[0] == "?" and bool(cyrillic)))
            glued += touches and w.text in (".", "!", ",") and right is not None and right.capital
            if w.text == ".":
                stops += 1
                long = left is not None and left.has_letter and len(left.text) >= 4
                after += long and right is not None and right.lower_start and right.start > w.end
    return {
        "comma_ratio": ratio(sum(c == "," for c in first), words),
        "stop_ratio": ratio(dots, words),
        "exclamation_ratio": ratio(sum(c == "!" for c in first), words),
        "question_ratio": ratio(sum(c == "?" for c in first), words),
        "dash_ratio": ratio(sum(c in DASHES for c in first), words),
        "colon_ratio": ratio(sum(c in ":;" for c in first), words),
        "quote_ratio": ratio(sum(c in QUOTES for c in first), words),
        "bracket_ratio": ratio(sum(c in BRACKETS for c in first), words),
        "code_ratio": ratio(sum(c in CODE for c in first), words),
        "emoji_ratio": ratio(sum(_emoji(c) for c in first), words),
        "inner_question_ratio": ratio(inner, words),
        "glued_ratio": ratio(glued, words),
        "lower_after_stop": ratio(after, stops),
    }


def _sentences(lines: list[Line]) -> dict[str, float]:
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


def _lines(lines: list[Line]) -> dict[str, float]:
    words = sum(line.words for line in lines)
    open_runs = list(_runs([line.is_open for line in lines]))
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
    }


def _menu_words(lines: list[Line]) -> int:
    """Words of short lines without an end of sentence and without numbers, four or more in a row."""
    runs = _runs([line.shape == "label" and not line.numbers for line in lines])
    return sum(line.words for start, end in runs if end - start >= 4 for line in lines[start:end])


def _shouts(line: Line) -> bool:
    return all(w.upper or len(w.text) == 1 for w in line.tokens if w.has_letter) and any(
        w.upper for w in line.tokens
    )


def _teases(line: Line) -> bool:
    last = line.tokens[-1]
    return last.text[0] == "…" or last.text == "..." or (last.is_word and last.lower in MORE)


def _template(line: Line) -> tuple[str, ...]:
    def kind(w: Word) -> str:
        if not w.is_word:
            return w.text[0]
        if not w.has_letter:
            return "0"
        return w.lower if w.function else "A" if w.capital else "a"

    return tuple(map(kind, line.tokens))


def _repeats(lines: list[Line], every: list[Word]) -> dict[str, float]:
    words = [w.lower for w in every if w.is_word]
    seen: set[tuple[str, ...]] = set()
    repeated = 0
    for line in lines:
        if len(line.tokens) < 3:
            continue
        template = _template(line)
        repeated += line.words if template in seen else 0
        seen.add(template)
    grams: set[tuple[str, ...]] = set()
    again = 0
    for at in range(len(words) - 2):
        gram = tuple(words[at : at + 3])
        again += gram in grams
        grams.add(gram)
    return {
        "template_line_ratio": ratio(repeated, len(words)),
        "dup_3_gram_ratio": ratio(again, max(len(words) - 2, 0)),
    }


def _ends(word: str, role: str) -> bool:
    return len(word) >= 4 and word.endswith(ROLES[role])


def _roles(every: list[Word]) -> dict[str, float]:
    lettered = [w for w in every if w.has_letter]
    plain = [w for w in lettered if w.cyrillic and not w.function]
    n = len(lettered)
    result = {
        f"{role}_ratio": ratio(sum(_ends(w.lower, role) for w in plain), n)
        for role in ("past", "infinitive", "imperative", "adjective", "abstract")
    }
    named = [w for w in plain if w.capital]
    result["name_ratio"] = ratio(
        sum(_ends(w.lower, "patronymic") or _ends(w.lower, "surname") for w in named), n
    )
    for name, words in (("first_person", FIRST), ("second_person", SECOND), ("third_person", THIRD)):
        result[f"{name}_ratio"] = ratio(sum(w.lower in words for w in lettered), n)
    return result


def is_phone(text: str) -> bool:
    """Seven to twelve digits in three parts, or ten to twelve; no date (eight) and no pair of years."""
    digits, hyphens = sum(c in "0123456789" for c in text), text.count("-")
    parts = hyphens >= 2 or digits >= 10
    return digits + hyphens == len(text) and 7 <= digits <= 12 and digits != 8 and parts


def _contacts(lines: list[Line], every: list[Word]) -> dict[str, float]:
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
            phones += number and is_phone(w.text)
            phones += number and left is not None and left.text == "+" and left.end == w.start
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


def _topics(lines: list[Line], every: list[Word]) -> dict[str, float]:
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
    }


def _kinds(of: list[Word], every: list[Word]) -> float:
    """Different words of navigation, over the root of the number of words."""
    letters = sum(w.has_letter for w in every)
    kinds = {w.lower for w in of if w.topics >> TOPICS.index("navigation") & 1}
    return len(kinds) / math.sqrt(letters) if letters else 0.0


def _add(hits: list[int], mask: int, weight: int) -> None:
    for at in range(len(hits)):
        hits[at] += weight if mask >> at & 1 else 0


def neighbours(texts: Sequence[str], least: int) -> bytes:
    """The table of neighbours: 0, or 128 + 16 log(pairs met / pairs expected by chance), by slot."""
    classes: Counter[int] = Counter()
    pairs: Counter[tuple[int, int]] = Counter()
    for text in texts:
        for raw in text.split("\n"):
            line = [class_of(word) for word in line_words(raw)]
            classes.update(line)
            pairs.update(itertools.pairwise(line))
    total = sum(pairs.values())
    met: Counter[int] = Counter()
    expected: dict[int, float] = {}
    for (first, second), count in sorted(pairs.items()):
        if count >= least:
            slot = pair_slot(first, second)
            met[slot] += count
            expected[slot] = expected.get(slot, 0.0) + classes[first] * classes[second] / total
    table = bytearray(1 << 18)
    for slot, count in met.items():
        value = 128.0 + _round(16.0 * math.log(count / expected[slot]))
        table[slot] = int(min(max(value, 1.0), 255.0))
    return bytes(table)


def _round(value: float) -> float:
    """To the nearest whole number, halves away from 0."""
    return math.copysign(math.floor(abs(value) + 0.5), value)
