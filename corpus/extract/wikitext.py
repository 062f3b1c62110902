"""MediaWiki markup to plain text: what a reader sees of an article's sentences, and nothing of its apparatus.

Templates (but those that set words of a sentence), tables, references, files, categories, links to other
languages and comments go; links leave their words, formulas their TeX; headings and list items become lines.
Time is linear: unbalanced brackets cost no more than balanced ones.
"""

from __future__ import annotations

import html
import re
from typing import Final

from corpus.extract.wikilanguages import LANGUAGES
from corpus.extract.wikitemplates import without_templates

#: Elements whose content is no prose.
_HIDDEN_NAMES: Final = (
    "ref|references|gallery|timeline|syntaxhighlight|source|score|imagemap|graph|noinclude|hiero|templatestyles"
    "|templatedata|mapframe|maplink|inputbox|categorytree|style|script"
)
_HIDDEN: Final = re.compile(rf"<({_HIDDEN_NAMES})\b[^<>]*+>|</({_HIDDEN_NAMES})\s*+>", re.IGNORECASE)
#: Elements that no markup is read in, and comments: (beginning, end, what it says).
_RAW: Final = re.compile(r"<!--|<nowiki\s*+/>|<(nowiki|pre|math|chem|ce)\b([^<>]*+)>", re.IGNORECASE)
_BREAK: Final = re.compile(r"<(?:br|hr)\b[^<>]*+>|</br\s*+>", re.IGNORECASE)
#: Elements whose text stands on lines of its own.
_BLOCK: Final = re.compile(
    r"(?:</?(?:center|div|p|blockquote|poem|h[1-6]|ul|ol|li|dl|dt|dd|table|tr|td|th|caption)\b[^<>]*+>)++",
    re.IGNORECASE,
)
_SCRIPT: Final = re.compile(r"(?<=[\w)])<(sup|sub)\b[^<>]*+>([^<>\n]{1,12}+)</\1\s*+>", re.IGNORECASE)
_TAG: Final = re.compile(r"</?[a-zA-Z][^<>]*+>")
_EXTERNAL: Final = re.compile(
    r"\[(?:(?:https?|ftps?|irc|news|gopher)://|//|mailto:)[^\s\[\]<>]*+[ \t]*+([^\[\]\n]*+)\]", re.IGNORECASE
)
_LIST: Final = re.compile(r"^[*#:;]+[ \t]*", re.MULTILINE)
_MAGIC: Final = re.compile(r"__[A-ZА-ЯЁ_]{3,40}__")
_BLANK: Final = re.compile(r"\n{3,}")
#: What is left of a note in brackets whose templates are gone: "( )", "(; )".
_EMPTY: Final = re.compile(r"(?:[ \u00a0]|^)\((?:[ \u00a0,;:—–-]|&nbsp;)*+\)", re.MULTILINE)
_OPENED: Final = re.compile(r"\((?:[ \u00a0]*[,;])++[ \u00a0]*+")
#: Link targets whose words are no part of the text: files and categories, English and East Slavic.
_APPARATUS: Final = (
    *("file:", "image:", "category:", "media:", "special:", "файл:", "изображение:", "категория:", "медиа:"),
    *("служебная:", "зображення:", "категорія:", "катэгорыя:", "выява:"),
)


def plain_text(wikitext: str) -> str:
    """Plain text of an article's markup. Redirects give an empty string."""
    start = wikitext.lstrip()[:20].lower()
    if start.startswith(("#redirect", "#перенаправление")):
        return ""
    kept: list[str] = []
    text = _without_raw(wikitext.replace("\0", ""), kept)
    text = _without_hidden(text)
    text = without_templates(text)
    text = _without_tables(text)
    text = _links(text)
    text = _EXTERNAL.sub(r"\1", text)
    text = _EMPTY.sub("", _OPENED.sub("(", text))
    text = _LIST.sub("", text)
    text = _MAGIC.sub("", text).replace("'''''", "").replace("'''", "").replace("''", "")
    text = _SCRIPT.sub(_script, text)
    text = _BLOCK.sub("\n", _BREAK.sub("\n", text))
    text = html.unescape(_TAG.sub("", text))
    lines = (_line(line) for line in text.splitlines())
    text = _BLANK.sub("\n\n", "\n".join(lines)).strip()
    return _KEPT.sub(lambda match: kept[int(match[1])], text)


#: Stands for raw text until everything else is read; no XML has this character.
_KEPT: Final = re.compile("\0([0-9]+)\0")


def _line(line: str) -> str:
    line = " ".join(line.split())
    return line.strip("=").strip() if line.startswith("=") and line.endswith("=") else line


def _without_raw(text: str, kept: list[str]) -> str:
    """Drop comments; put aside what `nowiki`, `pre` and formulas hold, in which nothing else is markup."""
    pieces, at = [], 0
    unclosed: set[str] = set()
    while match := _RAW.search(text, at):
        pieces.append(text[at : match.start()])
        at = match.end()
        name = (match[1] or "").lower()
        if match[0].startswith("<nowiki") and not name:
            continue
        closing = f"</{name}>" if name else "-->"
        end = -1 if closing in unclosed or match[0].endswith("/>") else _find(text, closing, at)
        if end < 0:
            unclosed.add(closing)
            pieces.append("" if name else match[0])
            continue
        inner = text[at:end]
        at = end + len(closing)
        if name:
            said = _formula(inner, name) if name in ("math", "chem", "ce") else html.unescape(inner)
            pieces.append(f"\0{len(kept)}\0")
            kept.append(said)
    pieces.append(text[at:])
    return "".join(pieces)


def _find(text: str, closing: str, at: int) -> int:
    """Where a closing tag stands; they are written in small letters but for a few."""
    end = text.find(closing, at)
    return end if end >= 0 else text.find(closing.upper(), at)


_SIZE: Final = re.compile(r"\{?\\(?:display|text)style\b\s*")


def _formula(tex: str, name: str) -> str:
    tex = " ".join(html.unescape(tex).split())
    if size := _SIZE.match(tex):
        rest = tex[size.end() :]
        tex = rest[:-1].strip() if size[0].startswith("{") and rest.endswith("}") else rest
    if not tex:
        return ""
    return f"${tex}$" if name == "math" else f"$\\ce{{{tex}}}$"


def _without_hidden(text: str) -> str:
    """Drop elements of `_HIDDEN` with their content; an element that never closes loses its tag only."""
    tags = [
        (match.start(), match.end(), (match[1] or match[2]).lower(), match)
        for match in _HIDDEN.finditer(text)
    ]
    # Of each name the next tag, to know whether an element closes before another one opens.
    following: dict[str, int] = {}
    ends: list[int] = [-1] * len(tags)
    for index in range(len(tags) - 1, -1, -1):
        _, _, name, match = tags[index]
        if match[1] and not match[0].endswith("/>"):
            after = following.get(name, -1)
            ends[index] = tags[after][1] if after >= 0 and tags[after][3][2] else -1
        if not match[0].endswith("/>"):
            following[name] = index
    kept, at = [], 0
    for index, (begin, end, _, _match) in enumerate(tags):
        if begin < at:
            continue
        kept.append(text[at:begin])
        at = max(end, ends[index])
    return "".join([*kept, text[at:]])


#: A table begins on a line of its own, or where what follows can only be a table's attributes.
_TABLE: Final = re.compile(
    r"^[ \t:*#]*+\{\||\{\|(?=\s*+(?:\n|class|style|width|border|align|cell|id\b))|^[ \t:*#]*+\|\}(?!\})",
    re.MULTILINE,
)


def _without_tables(text: str) -> str:
    """Drop tables, nested ones too; of one that never closes, every line that is a table's markup."""
    if "{|" not in text:
        return text
    spans: list[tuple[int, int]] = []
    opened: list[int] = []
    for match in _TABLE.finditer(text):
        if match[0].endswith("{|"):
            opened.append(match.start())
        elif opened:
            begin = opened.pop()
            while spans and spans[-1][0] >= begin:
                spans.pop()
            spans.append((begin, match.end()))
    kept, at = [], 0
    for begin, end in spans:
        kept.append((at, text[at:begin]))
        at = end
    kept.append((at, text[at:]))
    if not opened:
        return "".join(piece for _, piece in kept)
    first = opened[0]
    before = "".join(piece[: max(0, first - at)] for at, piece in kept)
    after = "".join(piece[max(0, first - at) :] for at, piece in kept)
    lines = (line for line in after.split("\n") if not line.lstrip(" \t:").startswith(("{|", "|", "!")))
    return before + "\n".join(lines)


_BRACKETS: Final = re.compile(r"\[\[|\]\]")


def _links(text: str) -> str:
    """[[target|words]] -> words; links to files, categories, other languages go with what they hold."""
    pieces: list[list[str]] = [[]]
    at = 0
    for match in _BRACKETS.finditer(text):
        pieces[-1].append(text[at : match.start()])
        at = match.end()
        if match[0] == "[[":
            pieces.append([])
        elif len(pieces) > 1:
            inner = "".join(pieces.pop())
            pieces[-1].append(_words_of(inner))
    pieces[-1].append(text[at:])
    return "".join("".join(piece) for piece in pieces)


def _words_of(link: str) -> str:
    target, _, words = link.partition("|")
    target = target.strip()
    if not target.startswith(":"):
        if target.lower().startswith(_APPARATUS):
            return ""
        prefix, colon, _title = target.partition(":")
        if colon and prefix.strip().lower() in LANGUAGES:
            return ""
    shown = words.rpartition("|")[2]
    if shown.strip():
        return shown
    target = target.lstrip(":")
    # `[[Город (фильм)|]]` shows "Город", `[[:Категория:Праздники|]]` "Праздники".
    return re.sub(r" \([^()]*+\)$", "", target.rpartition(":")[2]) if "|" in link else target


_RAISED: Final = str.maketrans("0123456789+-−–=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁼⁽⁾ⁿⁱ")
_LOWERED: Final = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_POWER: Final = re.compile(r"[A-Za-z0-9+\-−–*/.,()αβγδλμπωθ ]+")


def _script(match: re.Match[str]) -> str:
    """A power set apart from its base (10⁶), a subscript where it would lengthen a number (101₂)."""
    said, before = match[2].strip(), match.string[match.start() - 1]
    if match[1].lower() == "sub":
        return said.translate(_LOWERED) if said.isascii() and said.isdigit() and before.isdigit() else said
    return superscript(said, before)


def superscript(said: str, before: str) -> str:
    """A superscript as text, by what stands before it: the same rules as in rust_ext/crates/content."""
    if all(ord(char) in _RAISED for char in said):
        return said.translate(_RAISED)
    letters = sum(char.isalpha() for char in said)
    has_sign = any(char in "+-−–*/" for char in said)
    has_digit = any(char.isdigit() for char in said)
    only_letters = letters == len(said)
    ordinal = before.isdigit() and only_letters and (letters > 1 or said in "aeorsnтйя")
    if not _POWER.fullmatch(said) or ordinal or (letters > 1 and not has_sign and not has_digit):
        return said
    plain = said.replace("−", "-").replace("–", "-")
    inner = plain.removeprefix("-")
    return f"^{plain}" if inner.isalnum() or inner.startswith("(") else f"^({plain})"
