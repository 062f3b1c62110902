"""The oracle of two repairs of `rust_ext/crates/repair/src`: entities and look-alikes.

It says what the fast code must say, one rule after another, and a property test holds the two together.
Text of one single-byte charset that was read in another has its oracle in `repair_lines`, misread UTF-8 in
`repair_utf8`, MacCyrillic in `repair_mac`, marks in `repair_marks`.
"""

from __future__ import annotations

import html.entities
import itertools
import re
from typing import Final

from scripts.fit.words import digest
from tests.oracles.repair_lines import lexicon

# --- entities ---------------------------------------------------------------------------------------------

NAMES: Final = {name[:-1]: text for name, text in html.entities.html5.items() if name.endswith(";")}
HTML4: Final = {*html.entities.name2codepoint, "apos"}
ABOUT_ENTITIES: Final = (
    *("html", "xml", "entit", "escap", "unicode", "сущност", "экранир", "мнемоник", "кодировк"),
)


def repair_entities(text: str) -> tuple[str, int]:
    """The text with its entities replaced, and their number; the text as it is where it is about entities."""
    out, count = [], 0
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        at = 0
        while (amp := line.find("&", at)) >= 0:
            found = _entity(line[amp:])
            out.append(line[at : amp + (found is None)])
            at = amp + 1
            if found is None:
                continue
            length, meant, is_common = found
            is_address = not is_common and line[:amp].rstrip(" ").endswith(("=", "(", ","))
            is_shown = _is_shown(line[:amp][-1:], line[amp + length :][:1], meant[0])
            if _is_about(line) or is_address or is_shown:
                return text, 0
            out.append(meant)
            count += 1
            at = amp + length
        out.append(line[at:])
    return ("".join(out), count) if count else (text, 0)


def _entity(text: str) -> tuple[int, str, bool] | None:
    """An entity at the start of the text, however often its & was escaped: its length, the characters that it
    stands for, and whether it is a number or a name of HTML 4.01."""
    start = 1
    while text.startswith("amp;", start) and _named(text[start + 4 :]):
        start += 4
    found = _named(text[start:])
    return (start + found[0], *found[1:]) if found else None


def _named(text: str) -> tuple[int, str, bool] | None:
    name, semicolon, _ = text[:32].partition(";")
    if not semicolon:
        return None
    if name in NAMES:
        return len(name) + 1, NAMES[name], name in HTML4
    code = 0
    if match := re.fullmatch(r"#(?:[xX]([0-9a-fA-F]+)|([0-9]+))", name):
        code = int(match[1], 16) if match[1] else int(match[2])
        if not 0x20 <= code < 0x110000 or code in (0x7F, 0xFFFE, 0xFFFF) or 0xD800 <= code < 0xE000:
            return None
    return (len(name) + 1, chr(code), True) if code else None


def _is_about(line: str) -> bool:
    return "<" in line or ">" in line or any(word in line.lower() for word in ABOUT_ENTITIES)


def _is_shown(before: str, after: str, char: str) -> bool:
    quoted = before != "" and before in "\"'`«“([{=/\\" and after != "" and after in "\"'`»”)]},/\\"
    tag = char == "<" and ((after.isascii() and after.isalpha()) or after in ("/", "!", "?"))
    return quoted or tag


# --- look-alikes ------------------------------------------------------------------------------------------

LOOK_ALIKES: Final = dict(zip("acekopxyABCEHKMOPTXY", "асекорхуАВСЕНКМОРТХУ", strict=True))
TO_LATIN: Final = {cyrillic: latin for latin, cyrillic in LOOK_ALIKES.items()}
WITH_I: Final = set("іїєґўѣѳѵқңғөұүәһІЇЄҐЎѢѲѴҚҢҒӨҰҮӘҺ")


def repair_homoglyphs(text: str) -> tuple[str, int]:
    """The text with look-alikes put right in words of both scripts, and their number."""
    to_cyrillic = LOOK_ALIKES | {"ë": "ё", "Ë": "Ё"}
    if WITH_I & set(text):
        to_cyrillic |= {"i": "і", "I": "І", "ï": "ї", "Ï": "Ї"}
    if "ј" in text or "Ј" in text:
        to_cyrillic |= {"j": "ј", "J": "Ј"}
    cyrillic = sum(_is_cyrillic_block(char) and char not in "јЈ" for char in text)
    mostly_cyrillic = cyrillic > sum(char.isascii() and char.isalpha() for char in text)
    count = 0

    def put_right(match: re.Match[str]) -> str:
        nonlocal count
        if text[: match.start()].endswith(
            ("\\", "~")
        ):  # `\\nС` in program text: the letter is the backslash's
            return match[0]
        before = re.search(f"({_LETTER}{_LETTER}?)(?!.*{_LETTER})", line_of(text, match.start())[0])
        after = re.search(f"{_LETTER}{_LETTER}?", line_of(text, match.end())[1])
        beside = [found[0] for found in (before, after) if found and len(found[0]) == 2]
        beside_latin = any(not any(map(_is_cyrillic_block, pair)) for pair in beside)
        meant = _word(match[0], to_cyrillic, mostly_cyrillic, beside_latin)
        count += sum(old != new for old, new in zip(match[0], meant, strict=True))
        return meant

    return re.sub(_LETTER + "+", put_right, text), count


_LETTER: Final = r"[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0400-\u0481\u048a-\u052f]"


def line_of(text: str, at: int) -> tuple[str, str]:
    """What stands before and after a place, in its line."""
    start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
    return text[start:at], text[at : end if end >= 0 else len(text)]


def _is_cyrillic_block(char: str) -> bool:
    return "\u0400" <= char < "\u0530"


def _word(word: str, to_cyrillic: dict[str, str], mostly_cyrillic: bool, beside_latin: bool) -> str:
    is_cyrillic = [_is_cyrillic_block(char) for char in word]
    cyrillic, latin = sum(is_cyrillic), len(word) - sum(is_cyrillic)
    if not cyrillic or not latin:
        return word
    own_cyrillic = any(char not in TO_LATIN for char in word if _is_cyrillic_block(char))
    own_latin = any(char not in to_cyrillic for char in word if not _is_cyrillic_block(char))
    if own_cyrillic and own_latin:
        return word
    if (own_cyrillic or own_latin) and _is_compound(word, is_cyrillic):
        return word
    if own_cyrillic or own_latin:
        becomes_cyrillic = own_cyrillic
    elif len(word) <= 3:
        becomes_cyrillic = mostly_cyrillic and not beside_latin
    elif mostly_cyrillic and digest("".join(to_cyrillic.get(char, char) for char in word)) in lexicon()[1]:
        becomes_cyrillic = True
    else:
        becomes_cyrillic = mostly_cyrillic if cyrillic == latin else cyrillic > latin
    table = to_cyrillic if becomes_cyrillic else TO_LATIN
    repaired = "".join(table.get(char, char) for char in word)
    return word if becomes_cyrillic and _is_glued(word, repaired) else repaired


def _is_glued(word: str, repaired: str) -> bool:
    """A Cyrillic word and one of look-alikes written as one (ВЛЕВОHOME), and no known word as a whole."""
    blocks = [list(block) for _, block in itertools.groupby(word, _is_cyrillic_block)]
    if len(blocks) != 2 or digest(repaired) in lexicon()[1]:
        return False
    latin, cyrillic = sorted(blocks, key=lambda block: _is_cyrillic_block(block[0]))
    if len(latin) >= 4 and len(cyrillic) >= 4:
        return True
    return len(latin) >= 2 and len(cyrillic) >= 3 and digest("".join(cyrillic)) in lexicon()[1]


def _is_compound(word: str, is_cyrillic: list[bool]) -> bool:
    """Two words written as one: IPадрес, DOSе, ATTACHИмя, gloriamК."""
    meetings = [at for at in range(1, len(word)) if is_cyrillic[at] != is_cyrillic[at - 1]]
    if len(meetings) != 1:
        return False
    (at,) = meetings
    if word[at - 1].isupper() == word[at].isupper():
        return word[at].isupper() and word[at + 1 : at + 2].islower()
    return at >= 2
