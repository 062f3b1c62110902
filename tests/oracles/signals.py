"""The oracle of rust_ext/crates/text/src: every signal from its published definition.

For tests and for reading. Sources: Gopher: Rae et al. 2021, arXiv 2112.11446, section A1.1; C4: Raffel et
al. 2020, section 2.2; FineWeb: Penedo et al. 2024, arXiv 2406.17557; details (what a line is, what divides
what) as datatrove 0.10 settles them.

Agrees with Rust exactly, but for letters on which Python's `str.isalnum` and Unicode's Alphabetic differ
(some combining vowels of Indic scripts, circled letters).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence

JOINERS = "-‐‑'’_\u00ad\u200b\u200c\u200d\u2060\ufeff"
SENTENCE_TERMINAL = ".!?‼⁇⁈⁉。．！？؟"
C4_POLICY = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)
MARK_BLOCKS = (
    (0x300, 0x36F),
    (0x483, 0x489),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF),
    (0xFE20, 0xFE2F),
)


def tokens(text: str) -> list[str]:
    """Words (letters, digits, marks, joined by single joiners) and runs of one symbol."""
    result, at = [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        end = at + 1
        if _in_word(text[at]):
            while end < len(text) and (width := _continues(text, end)):
                end += width
        else:
            while end < len(text) and text[end] == text[at]:
                end += 1
        result.append(text[at:end])
        at = end
    return result


def _is_mark(c: str) -> bool:
    return any(first <= ord(c) <= last for first, last in MARK_BLOCKS)


def _is_letter_or_digit(c: str) -> bool:
    return not _is_mark(c) and (c.isalpha() or unicodedata.category(c).startswith("N"))


def _in_word(c: str) -> bool:
    return _is_mark(c) or _is_letter_or_digit(c)


def _continues(text: str, at: int) -> int:
    """Number of characters by which the word that ends before `at` goes on there."""
    if _in_word(text[at]):
        return 1
    if at + 1 == len(text):
        return 0
    before, c, after = text[at - 1], text[at], text[at + 1]
    if c in JOINERS and _is_letter_or_digit(after):
        return 2
    if c in ".,:" and before in "0123456789" and after in "0123456789":
        return 2
    return 0


def signals(text: str, stop_words: Collection[str]) -> dict[str, float]:
    """All signals of one text, by name."""
    words = tokens(text)
    return {
        **_sizes(text, words),
        **_gopher_quality(text, words, stop_words),
        **_gopher_repetition(text, words),
        **_fineweb(text, words),
        **_c4(text),
    }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _real_words(words: Sequence[str]) -> list[str]:
    return [word for word in words if any(map(_is_letter_or_digit, word))]


def _sizes(text: str, words: list[str]) -> dict[str, float]:
    lines = [line for line in text.split("\n") if line.strip()]
    return {"chars": len(text), "tokens": len(words), "words": len(_real_words(words)), "lines": len(lines)}


def _gopher_quality(text: str, words: list[str], stop_words: Collection[str]) -> dict[str, float]:
    real = _real_words(words)
    lines = [line.strip() for line in text.splitlines()]
    wanted = {word.lower() for word in stop_words}
    return {
        "mean_word_length": _ratio(sum(map(len, real)), len(real)),
        "hash_ratio": _ratio(text.count("#"), len(words)),
        "ellipsis_ratio": _ratio(text.count("...") + text.count("…"), len(words)),
        "bullet_line_ratio": _ratio(sum(line.startswith(("•", "-")) for line in lines), len(lines)),
        "ellipsis_line_ratio": _ratio(sum(line.endswith(("...", "…")) for line in lines), len(lines)),
        "alpha_word_ratio": _ratio(
            sum(any(c.isalpha() and not _is_mark(c) for c in word) for word in words), len(words)
        ),
        "stop_words": len(wanted & {word.lower() for word in words}),
    }


def _duplicates(pieces: list[str]) -> tuple[int, int]:
    """Number and characters of the pieces that occurred before."""
    again = [piece for at, piece in enumerate(pieces) if piece in set(pieces[:at])]
    return len(again), sum(map(len, again))


def _gopher_repetition(text: str, words: list[str]) -> dict[str, float]:
    lines = re.split("\n+", text)
    paragraphs = re.split("\n{2,}", text.strip())
    line_count, line_chars = _duplicates(lines)
    paragraph_count, paragraph_chars = _duplicates(paragraphs)
    result = {
        "dup_line_frac": _ratio(line_count, len(lines)) if text else 0.0,
        "dup_line_char_frac": _ratio(line_chars, len(text)),
        "dup_para_frac": _ratio(paragraph_count, len(paragraphs)) if text else 0.0,
        "dup_para_char_frac": _ratio(paragraph_chars, len(text)),
    }
    for n in (2, 3, 4):
        result[f"top_{n}_gram_frac"] = _ratio(_top_n_gram(words, n), len(text))
    for n in range(5, 11):
        result[f"dup_{n}_gram_frac"] = _ratio(_repeated_n_grams(words, n), len(text))
    return result


def _top_n_gram(words: list[str], n: int) -> int:
    """Length of the most frequent n-gram times its count; of equals, the first in the text."""
    grams = Counter(" ".join(words[at : at + n]) for at in range(len(words) - n + 1))
    return max((len(gram) * count for gram, count in grams.most_common(1)), default=0)


def _repeated_n_grams(words: list[str], n: int) -> int:
    """Characters of n-grams seen before, scanning on behind each that was."""
    seen: set[tuple[str, ...]] = set()
    chars = at = 0
    while at + n <= len(words):
        gram = tuple(words[at : at + n])
        if gram in seen:
            chars += sum(map(len, gram))
            at += n
        else:
            seen.add(gram)
            at += 1
    return chars


def _fineweb(text: str, words: list[str]) -> dict[str, float]:
    lines = [line for line in text.split("\n") if line.strip()]
    return {
        "line_punct_ratio": _ratio(
            sum(line.endswith(tuple(SENTENCE_TERMINAL)) for line in lines), len(lines)
        ),
        "short_line_ratio": _ratio(sum(len(line) <= 30 for line in lines), len(lines)),
        "char_dup_ratio": _ratio(_duplicates(lines)[1], len(text.replace("\n", ""))),
        "newline_ratio": _ratio(text.count("\n"), len(words)),
    }


def _c4(text: str) -> dict[str, float]:
    lines = text.splitlines()
    lower = [re.sub("[A-Z]", lambda m: m[0].lower(), line) for line in lines]
    ends = [line.strip() for line in lines]
    terminal = sum(line.endswith((".", "?", "!", '"', "'")) and not line.endswith("...") for line in ends)
    return {
        "c4_terminal_line_ratio": _ratio(terminal, len(lines)),
        "c4_lorem_ipsum": sum(line.count("lorem ipsum") for line in lower),
        "c4_curly_brackets": text.count("{"),
        "c4_javascript_lines": sum("javascript" in line for line in lower),
        "c4_policy_lines": sum(any(phrase in line for phrase in C4_POLICY) for line in lower),
    }
