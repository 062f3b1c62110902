"""The oracle of the kernel `pii`, first half: chains of digit groups and what their windows are.

As readable as it can be: every character is looked at, lists are built, nothing is remembered. Positions are
characters. The rules are those of rust_ext/crates/pii; docs/mask.md says them in words.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from pathlib import Path

CRATE = Path(__file__).parent.parent.parent / "rust_ext/crates/pii/src"
SPACE, HYPHEN, DOT, PAREN, SLASH = "space", "hyphen", "dot", "paren", "slash"
COMMA, ODD, LINE, PLUS, NUMBER = "comma", "odd", "line", "plus", "number"
Find = tuple[int, int, str, int]


def rows(name: str, file: str) -> list[tuple[str, str]]:
    """The pairs of a table of the crate: words are data, and both sides read the same."""
    body = (CRATE / file).read_text("utf-8").split(f"const {name}: ")[1].split("];")[0]
    return re.findall(r'\(\s*"((?:[^"\\]|\\.)*)",\s*([\w:]+),?\s*\)', body)


NUMERALS = {word: int(value) for word, value in rows("NUMERALS", "words.rs")}
LABELS = [(w.replace("\\\\", "\\"), c.split("::")[1].lower()) for w, c in rows("LABELS", "labels.rs")]
#: Latin letters that look like Russian ones.
SIMILAR = dict(zip("ABEKMHOPCTYXaeopcyxіІ", "авекмнорстухаеорсухii", strict=True))
SIMILAR |= dict.fromkeys("☏✆📞📱📲", "☎")
OFFICES = re.findall(r'"([а-я]+)"', (CRATE / "directory.rs").read_text("utf-8").split("];")[0])
_RULES = (CRATE / "phone.rs").read_text("utf-8")
PLACES, UNITS = (
    tuple(
        re.findall(r'"([^"]+)"', (CRATE / file).read_text("utf-8").split(f"const {name}: ")[1].split("];")[0])
    )
    for name, file in (("PLACES", "lists.rs"), ("UNITS", "phone.rs"))
)
TOWNS = set(re.findall(r"\b\d{3}\b", _RULES.split("const TOWNS")[1].split("];")[0].split("= [")[1]))
CODES = [
    re.sub(r"\D", "", c)
    for c in re.findall(r"&\[[\d, ]+\]", _RULES.split("const CODES")[1].split("= [", 1)[1].split("];")[0])
]
ALIKE = dict(zip("ОоOolIІіZzЗзЧчSsбВBgq", "0000111122334455688" + "99", strict=True))


def ignorable(c: str) -> bool:
    return c in "\xad\u2060\ufeff\ufe0f\u20e3" or "\u200b" <= c <= "\u200f"


def digit(c: str) -> str | None:
    if c in "0123456789":
        return c
    if "\uff10" <= c <= "\uff19":
        return str(ord(c) - 0xFF10)
    if "\U0001d7ce" <= c <= "\U0001d7ff":
        return str((ord(c) - 0x1D7CE) % 10)
    return None


def letter(c: str) -> bool:
    return bool(re.fullmatch("[A-Za-z\xc0-\u024f\u0370-\u03ff\u0400-\u052f]", c)) and c not in "×÷"


def space(c: str) -> bool:
    return c in " \t\xa0\u202f\u205f\u3000" or "\u2000" <= c <= "\u200a"


def hyphen(c: str) -> bool:
    return c in "-\u2212\uff0d" or "\u2010" <= c <= "\u2015"


def separator(c: str) -> str | None:
    table = {".": DOT, "．": DOT, ",": COMMA, "/": SLASH, "+": PLUS, "＋": PLUS, "№": NUMBER}
    table |= {"\n": LINE, "\r": LINE}
    table |= dict.fromkeys("()[]{}（）", PAREN) | dict.fromkeys("*_~•·…\\", ODD)
    return SPACE if space(c) and c != "\t" else HYPHEN if hyphen(c) else table.get(c)


def lower(text: str) -> str:
    return "".join(c.lower() if re.fullmatch("[A-ZА-ЯЁ]", c) else c for c in text).replace("ё", "е")


@dataclass
class Group:
    start: int
    end: int
    digits: str
    letters: int = 0
    words: bool = False
    before: frozenset[str] = frozenset()
    plus: bool = False
    glued_before: bool = False
    glued_after: bool = False
    slack: set[int] = field(default_factory=lambda: {0})

    def is_letters(self) -> bool:
        return self.letters == len(self.digits) and not self.words


def run_end(text: str, start: int) -> int:
    end = start
    while end < len(text) and (digit(text[end]) or letter(text[end]) or ignorable(text[end])):
        end += 1
    while end > start and ignorable(text[end - 1]):
        end -= 1
    return end


def run_start(text: str, at: int, floor: int) -> int:
    while at > floor and (digit(text[at - 1]) or letter(text[at - 1]) or ignorable(text[at - 1])):
        at -= 1
    lead = at - 2
    if lead >= floor and (space(text[at - 1]) or hyphen(text[at - 1])) and text[lead] in ALIKE:
        before = text[lead - 1] if lead > floor else " "
        if not (digit(before) or letter(before) or hyphen(before)):
            return lead
    return at


def values(text: str) -> str:
    return "".join(digit(c) or ALIKE.get(c, "") for c in text)[:41]


def plus_before(text: str, start: int) -> bool:
    before = [c for c in text[:start] if not ignorable(c)]
    for _ in range(3):
        if not before:
            return False
        c = before.pop()
        if c not in " \xa0(":
            last = before[-1] if before else " "
            return c in "+\uff0b" and not (digit(last) or letter(last) or last == "+")
    return False


def separators(text: str, start: int) -> tuple[frozenset[str], int]:
    """What stands from `start` on between two groups, and where the next begins; `start` where none does."""
    found: list[str] = []
    at, lines, previous, dots, run = start, 0, " ", 0, 1
    stop = (frozenset[str](), start)
    while at < len(text):
        c = text[at]
        if ignorable(c):
            at += 1
            continue
        kind = separator(c)
        word = re.match(r"[A-Za-zÀ-ÖØ-öø-ɏͰ-ϿЀ-ԯ]{1,6}", text[at:])
        if kind:
            if kind == LINE:
                lines += not (c == "\n" and previous == "\r")
            else:
                found.append(kind)
            run = run + 1 if kind == DOT and previous == c else 1
            dots += kind == DOT and (run == 1 or run > 3)
            if len(found) > 8 or lines > 1 or dots > 1:
                return stop
            previous = c
            at += 1
        elif word and lower(word[0]) in ("номер", "серия", "серии", "n", "no", "ном"):
            found.append(NUMBER)
            at += len(word[0])
            at += text[at : at + 1] in (".", ":")
        else:
            break
    if at == start or at >= len(text) or not (digit(text[at]) or letter(text[at])):
        return stop
    return frozenset(found) | ({LINE} if lines else set()), at


def room(value: int) -> int:
    if 100 <= value <= 900 and value % 100 == 0:
        return 100
    return 10 if 20 <= value <= 999 and value % 10 == 0 and value % 100 >= 20 else 0


def chain_from(text: str, start: int) -> tuple[list[Group], int]:  # noqa: C901 - one case a kind of run
    """The chain that begins at `start`, and where the search goes on."""
    groups: list[Group] = []
    at, before, plus, resume, plus_word = start, frozenset[str](), plus_before(text, start), start, None
    while len(groups) < 1000:
        end = run_end(text, at)
        resume = max(resume, end)
        if end == at:
            break
        run = text[at:end]
        plain = [c for c in run if not ignorable(c)]
        digits = [c for c in plain if digit(c)]
        others = [c for c in plain if not digit(c) and c not in ALIKE]
        word = lower("".join(plain)) if not digits and len(plain) <= 14 else None
        if word == "плюс" and not groups:
            plus_word = at
            _, at = separators(text, end)
            plus = True
            continue
        if word in NUMERALS:
            add_numeral(groups, Group(at, end, str(NUMERALS[word]), words=True, before=before, plus=plus))
        elif not others and (digits or (len(run) <= 4 and LINE not in before)):
            groups.append(Group(at, end, values(run), len(plain) - len(digits), before=before, plus=plus))
        elif not digits:
            break
        elif first := re.match(rf"(?:(?:{DIGITS})|{ZERO})*(?:{DIGITS})", run):
            groups.append(
                Group(at, at + first.end(), values(first[0]), before=before, plus=plus, glued_after=True)
            )
            break
        elif not groups:
            last = re.search(rf"(?:{DIGITS})(?:(?:{DIGITS})|{ZERO})*\Z", run)
            if not last:
                break
            groups.append(Group(at + last.start(), end, values(last[0]), before=before, glued_before=True))
        else:
            resume = at
            break
        if plus_word is not None and len(groups) == 1:
            groups[0].start = plus_word
        plus_word = None
        before, at = separators(text, end)
        plus = PLUS in before and before != {PLUS}
        if at == end:
            break
        resume = end
    return groups, resume


DIGITS = "[0-9\uff10-\uff19\U0001d7ce-\U0001d7ff]"
ZERO = "[\xad\u200b-\u200f\u2060\ufeff\ufe0f\u20e3]"


def add_numeral(groups: list[Group], new: Group) -> None:
    last = groups[-1] if groups and groups[-1].words else None
    if last and 0 < int(new.digits) < room(int(last.digits)) and new.before <= {SPACE, LINE, HYPHEN}:
        joined = str(int(last.digits) + int(new.digits))
        apart = len(last.digits) + len(new.digits) - len(joined)
        last.slack |= {n + apart for n in last.slack}
        last.digits, last.end = joined, new.end
    else:
        groups.append(new)


def fold(text: str) -> str:
    """A text as labels are looked for: a space for any, small letters, Russian for those that look so."""
    spaces = "".join(" " if space(c) or c in "\n\r" else "-" if hyphen(c) else c for c in text)
    return lower("".join(SIMILAR.get(c, c) for c in spaces))


@functools.cache
def written_so(word: str) -> set[str]:
    """A label in small letters, with a capital and in capitals, as it is looked for."""
    return {fold(w) for w in (word, word[:1].upper() + word[1:], word.upper())}


@dataclass(frozen=True)
class Labels:
    all: frozenset[str] = frozenset()
    nearest: str = ""
    distance: int = 0


def labels(text: str, start: int) -> Labels:
    begin = max(0, start - 56)
    seen = "".join(c for c in text[begin:start] if not ignorable(c))
    before = fold(seen)
    if seen and letter(seen[-1]):
        before += "."
    earlier = [c for c in text[:begin] if not ignorable(c)]
    cut = bool(earlier) and letter(earlier[-1])
    hits = []
    for row, (word, kind) in enumerate(LABELS):
        for written in written_so(word):
            at = before.find(written)
            while at >= 0:
                if not (letter(seen[at - 1]) if at else cut):
                    hits.append((at + len(word), row, kind))
                at = before.find(written, at + 1)
    if not hits:
        return Labels()
    end, _, nearest = max(hits)
    return Labels(frozenset(kind for _, _, kind in hits), nearest, len(before) - end)


def in_directory(text: str, start: int, end: int) -> bool:
    begin = max(0, start - 120)
    before = text[begin:start]
    if "\n" in before:
        line = before.rsplit("\n", 1)[1]
    elif begin == 0:
        line = before
    else:
        return False
    tail = text[end:].split("\n", 1)[0][:40]
    if sum(letter(c) for c in tail) >= 4:
        return False
    words = "".join(c if letter(c) else " " for c in line).split(" ")
    return any(lower(w).startswith(tuple(OFFICES)) for w in [w for w in words if w][:3])


def list_goes_on(between: str) -> bool:
    """A list of telephones goes on between two: «; », « и », «, дом. »."""
    words = "".join(" " if space(c) or c in ";,/.:" else c for c in between).split(" ")
    known = all(
        lower(w) in ("", "и", "или", "тел", "т", "факс", "ф") or lower(w).startswith(PLACES) for w in words
    )
    parted = bool(set(between) & set(";,")) or bool({lower(w) for w in words} & {"и", "или"})
    return known and parted and len(between.encode()) <= 32


def windows(text: str, chain: list[Group], phone_end: int | None) -> list[Find]:
    """What the windows of a chain are taken for; a telephone of the text before it ends at `phone_end`."""
    from tests.oracles.pii_windows import Window

    found = []
    phone_ends = 0
    for first in range(len(chain)):
        lines = 0
        for last in range(first, len(chain)):
            group = chain[last]
            if last > first:
                listed = COMMA in group.before and NUMBER not in group.before and not group.words
                sentence = DOT in group.before and NUMBER not in group.before
                sentence = sentence and bool(group.before & {SPACE, LINE})
                if group.plus or group.glued_before or listed or sentence:
                    break
                lines += LINE in group.before
            digits = "".join(g.digits for g in chain[first : last + 1])
            if len(digits) > 20 or lines > 1:
                break
            words = any(g.words for g in chain[first : last + 1])
            if len(digits) < 5 or (len(digits) == 8 and not words):
                continue
            listed = first > 0 and phone_ends == first and COMMA in chain[first].before
            if first == 0 and phone_end is not None and phone_end <= chain[0].start:
                listed = list_goes_on(text[phone_end : chain[0].start])
            if (
                find := Window.of(text, chain, (first, last), phone_ends == first, listed).find()
            ) is not None:
                found.append(find)
                if find[2].startswith("phone"):
                    phone_ends, phone_end = last + 1, find[1]
    return found
