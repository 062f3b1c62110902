"""The words of a dropped text that decided: spans of it that the signals in `drop_detail` count."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

from corpus.quality.signals import topics

#: A piece of text, and whether it decided.
Piece = tuple[str, bool]
_Spans = Iterator[tuple[int, int]]

_SIGNAL: Final = re.compile(r"([a-z_][a-z0-9_]*)=[-+.\de]+ >")
_WORD: Final = re.compile(r"\w+")
#: Signal, up to its first match here -> what of a text it counts.
_PATTERNS: Final = {
    r"phone": r"(?<!\d)(?:\+?\d[\d() \-–]{5,}\d)",
    r"link": r"https?://\S+|www\.\S+|\S+@\S+\.\w+",
    r"price": r"\d[\d  ]*(?:[.,]\d+)?\s?(?:руб\w*|р\.|₽|\$|€|грн)",
    r"mixed_(?:script|word)|homoglyph": r"\b(?=\w*[а-яёА-ЯЁ])(?=\w*[a-zA-Z])\w+\b",
    r"latin_word": r"\b[A-Za-z]+\b",
    r"broken_case|inner_capital": r"\b\w*[а-яёa-z][А-ЯЁA-Z]\w*\b",
    r"upper_(?:word|line)": r"\b[А-ЯЁA-Z]{2,}\b",
    r"number|digit_line": r"\b\d[\d.,]*\b",
    r"letter_digit": r"\b(?=\w*\d)(?=\w*[^\W\d_])\w+\b",
    r"long_word|mean_word_length": r"\b\w{21,}\b",
    r"no_vowel": r"\b(?=[^\W\d_]{2,}\b)[^аеёиоуыэюяaeiouyАЕЁИОУЫЭЮЯAEIOUY\W\d_]+\b",
    r"ellipsis|teaser": r"\.{3}|…",
    r"hash_ratio": r"#",
    r"bullet": r"(?m)^\s*[•\-–*].*$",
    r"exclamation": r"!+",
    r"inner_question": r"\w+\?\w+",
    r"curly": r"[{}]",
    r"lorem": r"(?i)lorem ipsum",
    r"emoji": "[\U0001f300-\U0001faff☀-➿]",
    r"address": r"(?i)\b(?:ул|д|кв|стр|корп|просп|пр|пер|пл|г|обл|офис|оф)\.\s?[\w\-]+",
    r"odd_letter|foreign_letter": r"[^\W\d_А-Яа-яЁёA-Za-z]+",
}


def pieces(text: str, detail: str) -> list[Piece]:
    """`text` cut into pieces, those marked that a signal above its limit counts; joined they are `text`.

    `detail` names signals as in "phone_ratio=0.21 > 0.06"; what there is too little of can't be shown.
    """
    marked = bytearray(len(text))
    for name in dict.fromkeys(_SIGNAL.findall(detail)):
        for start, end in _spans(name, text):
            marked[start:end] = b"\1" * (end - start)
    found: list[Piece] = []
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or marked[at] != marked[start]:
            found.append((text[start:at], bool(marked[start])))
            start = at
    return found


def _spans(signal: str, text: str) -> _Spans:
    for key, pattern in _PATTERNS.items():
        if re.search(key, signal):
            yield from (match.span() for match in re.finditer(pattern, text))
            return
    topic = re.fullmatch(r"(?:topic|excess)_(\w+)", signal)
    if topic:
        words = _topic_words().get(topic.group(1))
        yield from (match.span() for match in words.finditer(text.lower().replace("ё", "е"))) if words else ()
        return
    gram = re.fullmatch(r"(top|dup)_(\d+)_gram\w*", signal)
    if gram:
        yield from _grams(text, int(gram.group(2)), top=gram.group(1) == "top")
    elif re.match(r"dup_(line|para)|char_dup|template_line", signal):
        yield from _repeated(text, re.compile(r"[^\n]+"))
    elif re.match(r"dup_sentence|same_start", signal):
        yield from _repeated(text, re.compile(r"[^.!?\n]+"))
    elif signal == "top_word_ratio":
        yield from _grams(text, 1, top=True)


@cache
def _topic_words() -> dict[str, re.Pattern[str]]:
    """Topic -> pattern of its words in lower case with ё as е: `stem*`, `word`, `a + b`."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in topics().splitlines():
        if line.startswith("["):
            name = line.strip("[] ")
        elif name and not line.startswith("#"):
            found.setdefault(name, []).extend(re.sub(r"\s\+\s", "+", line).split())
    return {
        name: re.compile(r"(?<!\w)(?:" + "|".join(map(_word_pattern, words)) + r")(?!\w)")
        for name, words in found.items()
    }


def _word_pattern(item: str) -> str:
    return r"\W{1,3}".join(re.escape(word).replace(r"\*", r"[\w\-]*") for word in item.split("+"))


def _repeated(text: str, unit: re.Pattern[str]) -> _Spans:
    seen: Counter[str] = Counter(match.group().strip() for match in unit.finditer(text))
    for match in unit.finditer(text):
        if match.group().strip() and seen[match.group().strip()] > 1:
            yield match.span()


def _grams(text: str, size: int, *, top: bool) -> _Spans:
    """Spans of the most frequent n-gram of words, or of all that occur twice."""
    words = [(match.group().lower(), match.span()) for match in _WORD.finditer(text)]
    grams = [tuple(word for word, _ in words[at : at + size]) for at in range(len(words) - size + 1)]
    seen = Counter(grams)
    best = max(seen, key=lambda gram: (seen[gram], sum(map(len, gram)))) if seen else ()
    chosen: Callable[[tuple[str, ...]], bool] = (
        (lambda gram: gram == best and seen[gram] > 1) if top else (lambda gram: seen[gram] > 1)
    )
    for at, gram in enumerate(grams):
        if chosen(gram):
            yield words[at][1][0], words[at + size - 1][1][1]
