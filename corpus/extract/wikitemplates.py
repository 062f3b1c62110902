"""Templates and parameters of MediaWiki markup: which of them stand for words of the sentence around them.

Braces are paired as MediaWiki's preprocessor pairs them, runs of three and of two; a template gives the words
that `SPOKEN` says, or nothing.
"""

from __future__ import annotations

import re
from typing import Final

#: Templates that set words of the sentence in some way, and which parameter holds the words (1 is the first;
#: a second number is taken where the first is empty). Names in lower case, of Russian and English Wikipedia.
SPOKEN: Final[dict[str, tuple[int, ...]]] = {
    **dict.fromkeys(("s", "nobr", "nowrap", "нобр", "без переносов", "nbhyph", "sp", "пробел"), (1,)),
    **dict.fromkeys(("цитата", "цитата2", "quote", "cquote", "blockquote", "цитата в рамке"), (1,)),
    **dict.fromkeys(
        ("small", "мелкий", "big", "smaller", "larger", "sc", "smallcaps", "u", "em", "strong"), (1,)
    ),
    **dict.fromkeys(
        ("strike", "del", "ins", "mono", "code", "курсив", "разрядка", "sup", "sub", "center"), (1,)
    ),
    **dict.fromkeys(
        ("num", "formatnum", "число", "comment", "подсказка", "abbr", "tooltip", "аббр", "сокр"), (1,)
    ),
    **dict.fromkeys(
        ("флагификация", "флаг", "flag", "flagcountry", "флагификация/п", "нет аи", "нет аи 2"), (1,)
    ),
    **dict.fromkeys(("не переведено", "не переведено 2", "не переведено 3", "не переведено 4"), (2, 1)),
    **dict.fromkeys(("не переведено 5", "нп", "нп1", "нп2", "нп3", "нп4", "нп5", "iw", "нет статьи"), (2, 1)),
    **dict.fromkeys(("ill", "interlanguage link", "link-interwiki"), (1,)),
    **dict.fromkeys(("lang", "langi", "transl", "цвет", "color", "font color", "цвет текста"), (2,)),
    **dict.fromkeys(("poemx", "стих", "стихи"), (2, 1)),
}
#: Templates that stand for a sign.
SIGNS: Final = {
    "!": "|",
    "=": "=",
    "nbsp": "\u00a0",
    "спс": "\u00a0",
    "тире": " — ",
    "—": " — ",
    "--": " — ",
    "·": " · ",
    "•": " • ",
    "dot": " · ",
}
_BRACES: Final = re.compile(r"\{\{+|\}\}+")
#: Deeper templates give nothing: no article sets words into words into words.
_DEEPEST: Final = 40
_NAMED: Final = re.compile(r"\s*([\w \-]{1,40}?)\s*=(?![^\[]*\]\])")


class _Open:
    """A run of opening braces: how many are not closed yet, and what has been said since."""

    __slots__ = ("braces", "pieces")

    def __init__(self, braces: int) -> None:
        self.braces = braces
        self.pieces: list[str] = []


def without_templates(text: str) -> str:
    """The text with templates and parameters replaced by what they say; braces that pair with none go."""
    stack = [_Open(0)]
    at = 0
    for match in _BRACES.finditer(text):
        stack[-1].pieces.append(text[at : match.start()])
        at = match.end()
        if match[0][0] == "{":
            stack.append(_Open(len(match[0])))
        else:
            _close(stack, len(match[0]))
    stack[-1].pieces.append(text[at:])
    while len(stack) > 1:
        unclosed = stack.pop()
        stack[-1].pieces.extend(unclosed.pieces)
    return "".join(stack[0].pieces)


def _close(stack: list[_Open], braces: int) -> None:
    """Pair a run of closing braces with the innermost runs of opening ones."""
    while braces >= 2 and len(stack) > 1:
        top = stack[-1]
        count = 3 if braces >= 3 and top.braces >= 3 else 2
        inner = "".join(top.pieces) if len(stack) <= _DEEPEST else ""
        said = _parameter(inner) if count == 3 else _template(inner)
        top.braces -= count
        braces -= count
        if top.braces >= 2:
            top.pieces = [said]
            continue
        stack.pop()
        # `{{{!}}` and `{{!}}}` are how a template writes the beginning and the end of a table.
        before = "{" if said == "|" and top.braces == 1 else ""
        after = "}" if said == "|" and braces == 1 else ""
        stack[-1].pieces.append(f"{before}{said}{after}")


def _parameter(inner: str) -> str:
    """`{{{name|default}}}`: the default."""
    return inner.partition("|")[2]


def _template(inner: str) -> str:
    name, *parameters = _split(inner)
    name = " ".join(name.replace("_", " ").lower().split()).removeprefix("шаблон:").removeprefix("template:")
    if name in SIGNS and not parameters:
        return SIGNS[name]
    if name.startswith("formatnum:"):
        return name.removeprefix("formatnum:").strip()
    wanted = SPOKEN.get(name)
    if wanted is None:
        return ""
    given = _numbered(parameters)
    return next((given[number] for number in wanted if given.get(number)), "")


def _split(inner: str) -> list[str]:
    """Name and parameters; a bar inside a link parts none."""
    if "[[" not in inner:
        return inner.split("|")
    parts, depth = [""], 0
    for piece in re.split(r"(\[\[|\]\]|\|)", inner):
        if piece == "|" and depth == 0:
            parts.append("")
            continue
        depth = max(0, depth + (piece == "[[") - (piece == "]]"))
        parts[-1] += piece
    return parts


def _numbered(parameters: list[str]) -> dict[int, str]:
    """The parameters that have a number, given or by their place."""
    given: dict[int, str] = {}
    place = 0
    for parameter in parameters:
        named = _NAMED.match(parameter) if "=" in parameter else None
        if named and not named[1].isdigit():
            if named[1].lower() in ("text", "текст", "цитата", "quote"):
                given[1] = parameter[named.end() :].strip()
            continue
        if named:
            given[int(named[1])] = parameter[named.end() :].strip()
        else:
            place += 1
            given[place] = parameter.strip()
    return given
