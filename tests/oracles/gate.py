"""The gate's oracle: is there Russian-looking text in these bytes?

What `corpus.extract.gate` says (rust_ext/crates/gate/src/), in plain Python. What decides, and the figures
behind the constants: docs/measured/extract.md.
"""

from __future__ import annotations

import html.entities
import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, Literal

from corpus.extract.gate import ENOUGH, Verdict
from rust_ext import gate_tables

#: See rust_ext/crates/gate/src/ for each.
FEW: Final = 10
SHARE: Final = 8
BROKEN: Final = 16
FIRST_TRIAL: Final = 512
MAX_PAIRS: Final = 4096
PIECE: Final = 256
MAX_COST: Final = 50
MAX_COST_DECLARED: Final = 56
NO_LETTERS: Final = 80
HEAD: Final = 4096
MAX_WIDE: Final = 8 << 20

#: Labels of Cyrillic single-byte charsets in the WHATWG's Encoding Standard.
_LABELS: Final = frozenset(
    [
        "866",
        "cp866",
        "csibm866",
        "ibm866",
        "csisolatincyrillic",
        "cyrillic",
        "iso-8859-5",
        "iso-ir-144",
        "iso8859-5",
        "iso88595",
        "iso_8859-5",
        "iso_8859-5:1988",
        "cskoi8r",
        "koi",
        "koi8",
        "koi8-r",
        "koi8_r",
        "koi8-ru",
        "koi8-u",
        "cp1251",
        "windows-1251",
        "x-cp1251",
        "x-mac-cyrillic",
        "x-mac-ukrainian",
    ]
)


def judge(body: bytes, http_charset: str | None = None) -> Verdict:
    """Whether a payload may hold Russian text, by its raw bytes."""
    if wide := wide_text(body):
        charset, text = wide
        narrow = b"".join(c.encode() if c.isascii() or is_cyrillic(ord(c)) else b"\x80" for c in text)
        return _decide(*count_utf8(narrow, True), charset, narrow, http_charset)
    high, cyrillic, broken = survey(body)
    is_utf8 = broken * BROKEN <= high
    pairs_count = is_utf8 or cyrillic >= broken
    verdict = Verdict(False, 0, 0, "utf-8")
    entities = any(is_cyrillic(e) for e in _entities(body))
    if (pairs_count and cyrillic >= FEW) or entities or _ESCAPE.search(body):
        verdict = _decide(*count_utf8(body, pairs_count), "utf-8", body, http_charset)
    if not verdict.keep and not is_utf8 and high >= FEW:
        single = single_byte(body, http_charset)
        if single.keep or single.cyrillic >= verdict.cyrillic:
            return single
    return verdict


def _decide(cyrillic: int, latin: int, charset: str, body: bytes, http_charset: str | None) -> Verdict:
    some = cyrillic >= FEW and (cyrillic * SHARE >= latin or declares_russian(body, http_charset))
    return Verdict(cyrillic >= ENOUGH or some, cyrillic, latin, charset)


def survey(body: bytes) -> tuple[int, int, int]:
    """Bytes above ASCII, pairs that are UTF-8 Cyrillic, pairs that UTF-8 forbids."""
    high = sum(byte >= 0x80 for byte in body)
    cyrillic = broken = 0
    for first, second in itertools.pairwise(body):
        continuation = 0x80 <= second < 0xC0
        cyrillic += first in (0xD0, 0xD1) and continuation
        broken += (first < 0x80 and continuation) or (first >= 0xC0 and not continuation)
    return high, cyrillic, broken


#: What the beginning of a page says: see rust_ext/crates/gate/src/beginning.rs.
ENOUGH_FOREIGN: Final = 100
_TOP_LEVEL: Final = ["ru", "su", "by", "kz", "ua", "kg", "uz", "tj", "tm", "md", "am", "moscow", "tatar"]
_NAMES: Final = frozenset(["ru", "rus", "russian", "ru-ru", "ru_ru"])
_TRACE: Final = re.compile(rb"\\u04|%[Dd][01]%|ru[_-]RU")
_META: Final = re.compile(rb"(?=(<meta[^>]*)>)")
_CONTENT: Final = re.compile(rb"""content=(["'])(.*?)(?:\1|\Z)""", re.DOTALL)
_LETTER: Final = re.compile(rb"[a-zA-Z\xc0-\xff]")


def judge_beginning(beginning: bytes, url: str = "", http_charset: str | None = None) -> Verdict | None:
    """The verdict on a page that its beginning shows to be foreign; None where more of it has to be read."""
    _, cyrillic, broken = survey(beginning)
    entities = any(is_cyrillic(e) for e in _entities(beginning))
    if cyrillic or broken or entities or _TRACE.search(beginning) or names_russian(url):
        return None
    if declares_russian(beginning, http_charset) or _wide_charset(beginning):
        return None
    letters = sum(len(_LETTER.findall(text)) for text in _descriptions(beginning))
    for text, is_data in outside_tags(beginning, cut=True):
        if is_data:
            continue
        letters += len(_LETTER.findall(text))
        if letters >= ENOUGH_FOREIGN:
            break
    return Verdict(False, 0, letters, "utf-8") if letters >= ENOUGH_FOREIGN else None


def _descriptions(beginning: bytes) -> Iterator[bytes]:
    for tag in _META.findall(beginning):
        content = _CONTENT.search(tag) if b"description" in tag or b"title" in tag else None
        if content and content.start() == tag.find(b"content="):
            yield content[2]


def names_russian(url: str) -> bool:
    """Whether a page's address says that it may be Russian."""
    rest = url.split("://", 1)[-1]
    authority, path = [*re.split(r"(?=[/?#])", rest, maxsplit=1), ""][:2]
    host = _lower(authority.rsplit("@", 1)[-1].split(":")[0].rstrip("."))
    top = host.rsplit(".", 1)[-1]
    parts = {*host.split("."), *re.split("[/?#&=]", _lower(path))}
    return (
        top in _TOP_LEVEL
        or top.startswith("xn--")
        or not top.isascii()
        or not parts.isdisjoint(_NAMES)
        or bool(_TRACE.search(path.encode()))
    )


def _lower(text: str) -> str:
    return text.encode().lower().decode()  # ASCII only


#: Code points of the Cyrillic letters that have names (`&rcy;`).
_NAMED: Final = {
    name.encode(): ord(text)
    for name, text in html.entities.html5.items()
    if name.endswith("cy;") and len(text) == 1
}
_ENTITY: Final = re.compile(rb"&(?:#[xX]([0-9a-fA-F]{1,8});?|#([0-9]{1,8});?|([A-Za-z]{1,4}cy;))")


def _code(hexadecimal: bytes, decimal: bytes, name: bytes) -> int:
    if name:
        return _NAMED.get(name, 0)
    return int(hexadecimal, 16) if hexadecimal else int(decimal)


def _entities(body: bytes) -> Iterator[int]:
    for groups in _ENTITY.findall(body):
        yield _code(*groups)


def is_cyrillic(code: int) -> bool:
    return 0x400 <= code < 0x480


_TOKEN: Final = re.compile(_ENTITY.pattern + rb"|([a-zA-Z])|([\xd0\xd1][\x80-\xbf])")


def count_utf8(body: bytes, pairs_count: bool) -> tuple[int, int]:
    """Cyrillic and ASCII letters outside tags; stops after the run of text that brings ENOUGH."""
    cyrillic = latin = 0
    for text, is_data in outside_tags(body):
        if is_data:
            letters = _DATA_LETTER.findall(text)
            cyrillic += sum(bool(escape) or pairs_count for escape, _ in letters)
            if cyrillic >= ENOUGH:
                break
            continue
        at = 0
        while match := _TOKEN.search(text, at):
            hexadecimal, decimal, name, letter, pair = (group or b"" for group in match.groups())
            at = match.end()
            if letter:
                latin += 1
            elif pair:
                cyrillic += pairs_count
            elif name and name not in _NAMED:
                at = match.start() + 1  # an ampersand before letters
            else:
                cyrillic += is_cyrillic(_code(hexadecimal, decimal, name))
        if cyrillic >= ENOUGH:
            break
    return cyrillic, latin


#: Cyrillic letters of JSON.
_ESCAPE: Final = re.compile(rb"\\u04[0-7][0-9a-fA-F]")
_DATA_LETTER: Final = re.compile(rb"(\\u04[0-7][0-9a-fA-F])|([\xd0\xd1][\x80-\xbf])")
#: Scripts that hold a page's text as data.
_DATA: Final = re.compile(rb"(?s)[^>]*(?:__NEXT_DATA__|(?i:ld\+json))[^>]*>(.+)")

_TAG: Final = re.compile(rb"<(?=[a-zA-Z/!?])")
_HIDDEN: Final = {
    b"<!--": rb"(?:(?<=<!--)-?>|--!?>)",
    b"<script": rb"(?=</script)",
    b"<style": rb"(?=</style)",
}


def outside_tags(body: bytes, *, cut: bool = False) -> Iterator[tuple[bytes, bool]]:
    """Runs of bytes outside tags, comments, scripts and styles and, with True, what stands in scripts that
    hold text as data. What never closes is a tag only, but ends the beginning of a page, which is `cut`."""
    at = 0
    while at < len(body):
        tag = _TAG.search(body, at)
        begin = tag.start() if tag else len(body)
        if begin > at:
            yield body[at:begin], False
        if not tag:
            return
        at, is_script = _end_of_tag(body, begin, cut)
        if is_script and (data := _DATA.match(body[begin:at])):
            yield data[1], True


def _end_of_tag(body: bytes, begin: int, cut: bool) -> tuple[int, bool]:
    for opening, closing in _HIDDEN.items():
        if body[begin : begin + len(opening)].lower() == opening:
            # `<!-->` and `<!--->` are whole comments.
            found = re.compile(closing, re.IGNORECASE).search(body, begin + len(opening))
            if found or cut:
                return found.end() if found else len(body), opening == b"<script"
    end = body.find(b">", begin)
    return len(body) if end < 0 else end + 1, False


def wide_text(body: bytes) -> tuple[str, str] | None:
    """Charset and text of a payload in UTF-16 or UTF-32."""
    charset = _wide_charset(body)
    if charset is None:
        return None
    body = body[:MAX_WIDE]
    width = 2 if charset.startswith("utf-16") else 4
    order: Literal["little", "big"] = "little" if charset.endswith("le") else "big"
    codes = (int.from_bytes(body[i : i + width], order) for i in range(0, len(body) - width + 1, width))
    valid = (c if c < 0xD800 or 0xE000 <= c < 0x110000 else 0xFFFD for c in codes)
    return charset, "".join(map(chr, valid))


def _wide_charset(body: bytes) -> str | None:
    marks = {
        b"\xff\xfe\0\0": "utf-32le",
        b"\0\0\xfe\xff": "utf-32be",
        b"\xff\xfe": "utf-16le",
        b"\xfe\xff": "utf-16be",
    }
    for mark, charset in marks.items():
        if body.startswith(mark):
            return charset
    sample = body[:HEAD]
    if 0 not in sample[:256] or len(sample) < 4:
        return None
    quarter = len(sample) // 4
    zero_or_four = [sum(b in (0, 4) for b in sample[i::4]) * 10 >= quarter * 8 for i in range(4)]
    zero = [sum(b == 0 for b in sample[i::4]) * 10 >= quarter * 8 for i in range(4)]
    if all(zero_or_four[1:]) and zero[2] and zero[3]:
        return "utf-32le"
    if all(zero_or_four[:3]) and zero[0] and zero[1]:
        return "utf-32be"
    if zero_or_four[1] and zero_or_four[3]:
        return "utf-16le"
    if zero_or_four[0] and zero_or_four[2]:
        return "utf-16be"
    return None


class _Reading:
    """What was seen of a page so far: pairs of bytes above ASCII, their costs by charset, and all bytes."""

    def __init__(self) -> None:
        self.charsets, self.first_letter, self.size, self.cost_of = gate_tables()
        self.costs = [0] * len(self.charsets)
        self.counts = [0] * 256
        self.pairs = 0

    def add(self, before: int, byte: int) -> None:
        self.counts[byte] += 1
        if byte < 0x80 or before < 0x80:
            return
        self.pairs += 1
        for index, (_, symbols) in enumerate(self.charsets):
            a, b = symbols[before], symbols[byte]
            letters = a >= self.first_letter and b >= self.first_letter
            self.costs[index] += self.cost_of[a * self.size + b] if letters else NO_LETTERS

    def best(self) -> tuple[str, int, int, bool]:
        """Charset, its letters, mean cost of a pair, and whether the bytes above ASCII look like words."""
        best = min(range(len(self.charsets)), key=lambda index: (self.costs[index], index))
        charset, symbols = self.charsets[best]
        cyrillic = sum(self.counts[b] for b in range(0x80, 256) if symbols[b] >= self.first_letter)
        like_words = self.pairs > 0 and cyrillic * 2 >= sum(self.counts[0x80:]) and self.pairs * 2 >= cyrillic
        return charset, cyrillic, self.costs[best] // max(self.pairs, 1), like_words

    def certain(self) -> bool:
        _, cyrillic, cost, like_words = self.best()
        return cost < MAX_COST and cyrillic >= ENOUGH and like_words


def single_byte(body: bytes, http_charset: str | None) -> Verdict:
    """Letters in the single-byte charset of Russian whose letter pairs cost least.

    Text is looked at in pieces; from FIRST_TRIAL pairs on, each doubling asks whether the reading is certain.
    """
    reading, trial = _Reading(), FIRST_TRIAL
    pieces = (
        (text[i - 1] if i else 0x20, text[i : i + PIECE], is_data)
        for text, is_data in outside_tags(body)
        for i in range(0, len(text), PIECE)
    )
    for before, piece, is_data in pieces:
        ascii_counts = reading.counts[:0x80]
        for first, second in itertools.pairwise([before, *piece]):
            reading.add(first, second)
        if is_data:
            reading.counts[:0x80] = ascii_counts
        if reading.pairs >= trial:
            if reading.pairs >= MAX_PAIRS or reading.certain():
                break
            while trial <= reading.pairs:
                trial *= 2
    charset, cyrillic, pair_cost, like_words = reading.best()
    latin = sum(reading.counts[b] for b in range(0x80) if chr(b).isalpha())
    declared = pair_cost < MAX_COST_DECLARED and declares_russian(body, http_charset)
    if not like_words or not (pair_cost < MAX_COST or declared):
        return Verdict(False, 0, latin, "none", pair_cost)
    return replace(_decide(cyrillic, latin, charset, body, http_charset), pair_cost=pair_cost)


_CHARSET: Final = re.compile(rb"""charset=(?=[ \t\n\x0c\r]*["']?([a-z0-9_-]*))""")
_LANG: Final = re.compile(rb"""lang=(?=[ \t\n\x0c\r]*["']?([a-z0-9_-]*))""")


def declares_russian(body: bytes, http_charset: str | None) -> bool:
    """Whether the HTTP head or the first bytes declare a Cyrillic charset or Russian as the language."""
    head = body[:HEAD].lower()
    labels = [http_charset or "", *(label.decode() for label in _CHARSET.findall(head))]
    languages = _LANG.findall(head)
    return any(map(_is_cyrillic_label, labels)) or any(re.match(rb"ru($|[-_])", v) for v in languages)


def _is_cyrillic_label(label: str) -> bool:
    return label.strip(" \t\n\x0c\r").lower() in _LABELS
