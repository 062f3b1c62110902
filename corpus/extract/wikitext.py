"""MediaWiki markup to plain text: what a reader sees of an article's sentences, and nothing of its apparatus.

Templates, tables, references, files, categories and comments go; links leave their words; headings and list
items become lines. One pass each, so that unbalanced brackets cost no more than balanced ones.
"""

from __future__ import annotations

import html
import re
from typing import Final

#: Elements whose content is no prose.
_HIDDEN: Final = re.compile(
    r"<(ref|math|gallery|timeline|syntaxhighlight|source|score|chem|imagemap|graph|noinclude|hiero|templatestyles)"
    r"\b[^<>]*?(?:/>|>)|</(ref|math|gallery|timeline|syntaxhighlight|source|score|chem|imagemap|graph|noinclude"
    r"|hiero|templatestyles)\s*>",
    re.IGNORECASE,
)
_TAG: Final = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>")
_EXTERNAL: Final = re.compile(
    r"\[(?:https?:|ftp:|mailto:)?//?[^\s\[\]]*[ \t]*([^\[\]\n]*)\]|\[mailto:\S+ ([^\[\]\n]*)\]"
)
_HEADING: Final = re.compile(r"^(={1,6})[ \t]*(.*?)[ \t]*=*[ \t]*$", re.MULTILINE)
_LIST: Final = re.compile(r"^[*#:;]+[ \t]*", re.MULTILINE)
_MAGIC: Final = re.compile(r"__[A-ZА-ЯЁ_]+__")
_BLANK: Final = re.compile(r"\n{3,}")
#: Link targets whose words are no part of the text: files and categories, in English and Russian.
_APPARATUS: Final = (
    "file:",
    "image:",
    "category:",
    "media:",
    "файл:",
    "изображение:",
    "категория:",
    "медиа:",
)


def plain_text(wikitext: str) -> str:
    """Plain text of an article's markup. Redirects give an empty string."""
    start = wikitext.lstrip()[:20].lower()
    if start.startswith(("#redirect", "#перенаправление")):
        return ""
    text = _without_spans(wikitext, "<!--", "-->")
    text = _without_hidden(text)
    text = _without_braces(text)
    text = _links(text)
    text = _EXTERNAL.sub(r"\1", text)
    text = _LIST.sub("", text)
    text = _MAGIC.sub("", text).replace("'''''", "").replace("'''", "").replace("''", "")
    text = html.unescape(_TAG.sub("", text))
    lines = (_line(line) for line in text.splitlines())
    return _BLANK.sub("\n\n", "\n".join(lines)).strip()


def _line(line: str) -> str:
    line = " ".join(line.split())
    return line.strip("=").strip() if line.startswith("=") and line.endswith("=") else line


def _without_spans(text: str, opening: str, closing: str) -> str:
    kept, at = [], 0
    while (begin := text.find(opening, at)) >= 0:
        end = text.find(closing, begin + len(opening))
        if end < 0:
            break
        kept.append(text[at:begin])
        at = end + len(closing)
    return "".join([*kept, text[at:]])


def _without_hidden(text: str) -> str:
    """Drop elements of `_HIDDEN` with their content; an element that never closes loses its tag only."""
    tags = list(_HIDDEN.finditer(text))
    closings = [match for match in tags if match[2]]
    kept, at, next_closing = [], 0, 0
    for match in tags:
        if match.start() < at or match[2]:
            continue
        kept.append(text[at : match.start()])
        at = match.end()
        if match[0].endswith("/>"):
            continue
        while next_closing < len(closings) and closings[next_closing].start() < match.end():
            next_closing += 1
        if next_closing < len(closings) and closings[next_closing][2].lower() == match[1].lower():
            at = closings[next_closing].end()
    return "".join([*kept, text[at:]])


_BRACES: Final = re.compile(r"\{\{|\}\}|\{\||\|\}")


def _without_braces(text: str) -> str:
    """Drop templates and tables, nested ones too; an opening that never closes stays as text."""
    spans: list[tuple[int, int]] = []
    stack: list[tuple[str, int]] = []
    for match in _BRACES.finditer(text):
        brace = match[0]
        if brace in ("{{", "{|"):
            stack.append((brace, match.start()))
            continue
        opening = "{{" if brace.startswith("}") else "{|"
        if stack and stack[-1][0] == opening:
            begin = stack.pop()[1]
            while spans and spans[-1][0] >= begin:
                spans.pop()
            spans.append((begin, match.end()))
    kept, at = [], 0
    for begin, end in spans:
        kept.append(text[at:begin])
        at = end
    return "".join([*kept, text[at:]])


_BRACKETS: Final = re.compile(r"\[\[|\]\]")


def _links(text: str) -> str:
    """[[target|words]] -> words; links to files and categories go with whatever they hold."""
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
    if link.lstrip(": ").lower().startswith(_APPARATUS):
        return ""
    target, _, words = link.rpartition("|")
    return words if target else link.lstrip(":")
