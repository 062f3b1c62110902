"""Signals of words, marks and roles: part of the oracle of rust_ext/crates/quality."""

from __future__ import annotations

import math
import re
from collections import Counter

from tests.oracles.quality_lexicon import is_known
from tests.oracles.quality_lines import FEW, Line, ratio
from tests.oracles.quality_tokens import CODE, DASHES, Word, is_letter

QUOTES = '«»“”„"‟'
BRACKETS = "()[]"
#: What the table of known words is asked for.
PLAIN = re.compile("[а-яё]{4,}")
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


def words(every: list[Word]) -> dict[str, float]:
    """Signals of words by themselves."""
    found = [w for w in every if w.is_word]
    lettered = [w for w in found if w.has_letter]
    dashes = sum(not w.is_word and w.text[0] in DASHES + "-" for w in every)
    kinds = len({w.lower for w in found if w.function})
    count = len(lettered)
    letters = [c for w in lettered for c in w.text if is_letter(c)]
    odd = sum(not ("а" <= c.lower() <= "я" or c in "ёЁ" or c < "\u0080") for c in letters)
    plain = [w for w in found if PLAIN.fullmatch(w.text)]
    return {
        "letter_word_ratio": ratio(count, len(every) - dashes),
        "function_word_ratio": ratio(sum(w.function for w in found), count),
        "function_word_kinds": kinds / math.sqrt(count) if count else 0.0,
        "latin_word_ratio": ratio(sum(w.latin and not w.cyrillic for w in found), count),
        "mixed_script_ratio": ratio(sum(w.mixed for w in found), count),
        "broken_case_ratio": ratio(sum(w.broken_case for w in found), count),
        "no_vowel_ratio": ratio(sum(w.no_vowel for w in found), count),
        "upper_word_ratio": ratio(sum(w.upper for w in found), count),
        "number_ratio": ratio(len(found) - count, len(found)),
        "letter_digit_ratio": ratio(sum(w.digit for w in lettered), len(found)),
        "lone_letter_ratio": ratio(sum(len(w.text) == 1 and not w.function for w in lettered), count),
        "long_word_ratio": ratio(sum(len(w.text) > 20 for w in lettered), count),
        "odd_letter_ratio": ratio(odd, len(letters)),
        "word_variety": _variety([w.lower for w in found]),
        "top_word_ratio": ratio(
            max(Counter(w.lower for w in lettered if not w.function).values(), default=0), len(found)
        ),
        "unknown_word_ratio": ratio(sum(not is_known(w.lower) for w in plain), len(plain) + FEW),
    }


def _variety(words: list[str]) -> float:
    windows = [words[at : at + 100] for at in range(0, len(words) - 99, 100)] or [words]
    return ratio(sum(len(set(w)) for w in windows), sum(map(len, windows)))


def runs_of_words(lines: list[Line]) -> dict[str, float]:
    """Signals of words by what stands beside them."""
    longest = run = bare = count = inner = functions = starts = 0
    for line in lines:
        bare += 0 if line.functions else line.letters
        before: Word | None = None
        for w in line.tokens:
            if w.has_letter:
                count += 1
                run = 0 if w.function else run + 1
                longest = max(longest, run)
                inner += w.capital and before is not None and before.is_word
                if w.function and w.lower not in SECOND:
                    functions += 1
                    inside = before is not None and (before.is_word or before.text[0] == ",")
                    starts += w.capital and not w.upper and inside
            before = w
    return {
        "bare_line_ratio": ratio(bare, count),
        "longest_bare_run": longest,
        "inner_capital_ratio": ratio(inner, count),
        "inner_start_ratio": ratio(starts, functions),
    }


def _emoji(c: str) -> bool:
    return "\U0001f000" <= c <= "\U0001faff" or "\u2600" <= c <= "\u27bf"


def marks(lines: list[Line], every: list[Word]) -> dict[str, float]:
    """Signals of punctuation and other symbols."""
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


def _ends(word: str, role: str) -> bool:
    return len(word) >= 4 and word.endswith(ROLES[role])


def roles(every: list[Word]) -> dict[str, float]:
    """Shares of words by what their endings suggest, and of pronouns."""
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
