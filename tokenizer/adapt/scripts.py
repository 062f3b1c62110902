"""Writing systems by their Unicode names, and the tokens that belong to those given up."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from tokenizer.adapt.base import Base
from tokenizer.split import splitter

#: Names for several scripts at once.
GROUPS: Final = {
    "CJK": ("Han", "Hiragana", "Katakana", "Bopomofo"),
    "Indic": (
        "Devanagari", "Bengali", "Gurmukhi", "Gujarati", "Oriya", "Tamil", "Telugu", "Kannada", "Malayalam",
        "Sinhala",
    ),
}  # fmt: skip
#: Characters of every language, and what the adaptation is for.
NEVER: Final = ("Common", "Inherited", "Latin", "Cyrillic", "Unknown")

Flags = npt.NDArray[np.bool_]
_SURROGATES: Final = range(0xD800, 0xE000)


def named(scripts: Iterable[str]) -> tuple[str, ...]:
    """The scripts that names and group names stand for. ValueError for a name that no script has, and for
    those that cannot be given up."""
    found: dict[str, None] = {}
    for name in scripts:
        for one in GROUPS.get(name, (name,)):
            if one in NEVER:
                raise ValueError(f"{one} cannot be given up: ASCII, marks, Latin and Cyrillic stay")
            _check_script(one)
            found[one] = None
    return tuple(found)


@lru_cache(maxsize=64)
def _check_script(name: str) -> None:
    try:
        if not name.replace("_", "").isalpha():
            raise ValueError(name)
        splitter(f"\\p{{Script={name}}}")
    except ValueError as error:
        raise ValueError(
            f"there is no script {name!r}; names are Unicode's (Hangul, Thai, Han) and {', '.join(GROUPS)}"
        ) from error


@lru_cache(maxsize=4)
def characters(scripts: tuple[str, ...]) -> Flags:
    """By code point, whether a character is of one of the scripts (Unicode's property, in the tables of the
    splitter)."""
    inside = "".join(f"\\p{{Script={name}}}" for name in scripts)
    split = splitter(f"[{inside}]+|[^{inside}]+")
    points = [point for point in range(sys.maxunicode + 1) if point not in _SURROGATES]
    pieces = split.split("".join(map(chr, points)))
    flags = np.zeros(sys.maxunicode + 1, dtype=np.bool_)
    # The first character, U+0000, is of no script; pieces inside and outside take turns.
    at = 0
    for place, piece in enumerate(pieces):
        if place % 2:
            flags[points[at : at + len(piece)]] = True
        at += len(piece)
    return flags


@lru_cache(maxsize=1)
def assigned() -> Flags:
    """By code point, whether it is a character, of private use too."""
    import unicodedata

    flags = np.zeros(sys.maxunicode + 1, dtype=np.bool_)
    for point in range(sys.maxunicode + 1):
        flags[point] = unicodedata.category(chr(point)) not in ("Cn", "Cs")
    return flags


def whole_and_rest(token: bytes) -> tuple[bytes, str, bytes]:
    """(bytes before the first whole character, whole characters, bytes after the last) of a token cut out of
    UTF-8; text "" and all bytes first where nothing is whole or the bytes are no UTF-8."""
    start = 0
    while start < len(token) and 0x80 <= token[start] < 0xC0:
        start += 1
    body = token[start:]
    try:
        return token[:start], body.decode(), b""
    except UnicodeDecodeError as error:
        if error.end == len(body):
            return token[:start], body[: error.start].decode(), body[error.start :]
        return token, "", b""


def beginnings(rest: bytes) -> range:
    """The code points whose UTF-8 begins with `rest`; an empty range where none does."""
    if not rest:
        return range(0)
    lead, length = rest[0], 0
    for first, last, size, bits in ((0xC2, 0xDF, 2, 5), (0xE0, 0xEF, 3, 4), (0xF0, 0xF4, 4, 3)):
        if first <= lead <= last:
            length, value = size, lead & ((1 << bits) - 1)
            break
    else:
        return range(0)
    for byte in rest[1:]:
        value = value << 6 | byte & 0x3F
    missing = 6 * (length - len(rest))
    low, high = value << missing, (value + 1) << missing
    least = {2: 0x80, 3: 0x800, 4: 0x10000}[length]
    return range(max(low, least), min(high, sys.maxunicode + 1))


def given_up(base: Base, scripts: Sequence[str]) -> set[int]:
    """Ranks of the tokens that hold a character of `scripts`, whole or begun: of a beginning every assigned
    character that it may become is of them. Single bytes and ASCII never."""
    if not scripts:
        return set()
    flags = characters(tuple(scripts))
    known = assigned()
    found: set[int] = set()
    for rank, token in enumerate(base.tokens[256:], start=256):
        if token.isascii():
            continue
        _, text, rest = whole_and_rest(token)
        if any(flags[ord(char)] for char in text):
            found.add(rank)
            continue
        span = beginnings(rest)
        if len(span):
            inside = known[span.start : span.stop]
            if inside.any() and flags[span.start : span.stop][inside].all():
                found.add(rank)
    return found
