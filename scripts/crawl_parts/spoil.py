"""Real texts with the defects of real pages: broken encodings, look-alike letters, copies that differ."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from .page import Page, digest, paragraphs, pick
from .sources import in_charset
from .texts import BLOG, LIBRARY, MAGAZINE, layout, title_of, wrap

Text = tuple[str, list[str]]

#: (written in, wrongly read as): the mix-ups that ftfy's users and ours report.
MOJIBAKE = (
    ("utf-8", "cp1251"),
    ("cp1251", "latin-1"),
    ("koi8-r", "cp1251"),
    ("utf-8", "latin-1"),
    ("cp866", "cp1251"),
)

LOOKALIKES = str.maketrans("асеорхАСЕОРХТМКВ", "aceopxACEOPXTMKB")


def misread(text: str, written: str, read: str) -> str:
    """What an editor keeps that opens `written` bytes as `read` and saves them: bytes it lacks are lost."""
    raw = text.encode(written, errors="replace")
    return raw.decode(read, errors="replace")


def broken(texts: list[Text]) -> Iterator[Page]:
    for place, (name, lines) in enumerate(texts):
        written, read = MOJIBAKE[place % len(MOJIBAKE)]
        spoiled = [misread(line, written, read) for line in lines]
        html = layout(BLOG, title_of(spoiled), paragraphs(spoiled), name)
        what = f"mojibake: {written} read as {read}"
        yield Page(
            f"http://blog.example.ru/{name}.html", in_charset(html, "utf-8", True), "rus", "ruslit", what
        )


def lookalikes(texts: list[Text]) -> Iterator[Page]:
    """Every third word or so has Latin letters for Cyrillic ones."""
    for name, lines in texts:
        spoiled = [
            " ".join(w.translate(LOOKALIKES) if digest(name, w) % 3 == 0 else w for w in line.split(" "))
            for line in lines
        ]
        html = layout(MAGAZINE, title_of(lines), paragraphs(spoiled), name)
        yield Page(
            f"http://kopipast.example.ru/{name}.html", in_charset(html, "utf-8", True), "rus", "ruslit",
            "Latin look-alikes inside words",
        )  # fmt: skip


def stressed(texts: list[Text]) -> Iterator[Page]:
    """A combining acute on the second vowel of longer words, as readers for learners print it."""
    for name, lines in texts:
        marked = [re.sub(r"\b(\w*?[аеиоуыэюя]\w*?[аеиоуыэюя])(?=\w)", "\\1\u0301", line) for line in lines]
        html = layout(BLOG, title_of(lines), paragraphs(marked), name)
        yield Page(
            f"http://uchebnik.example.ru/{name}.html", in_charset(html, "utf-8", True), "rus", "ruslit",
            "stress marks (U+0301)",
        )  # fmt: skip


def old_spelling(texts: list[Text]) -> Iterator[Page]:
    for name, lines in texts:
        html = layout(LIBRARY, title_of(lines), paragraphs(lines), name)
        yield Page(
            f"http://dorev.example.ru/{name}.html", in_charset(html, "utf-8", True), "rus", "rusdracor",
            "pre-reform spelling",
        )  # fmt: skip


def mirrors(texts: list[Text]) -> Iterator[Page]:
    """The very page of its site again under another address."""
    for name, lines in texts:
        page = wrap(lines, name, "ruslit")
        host = page.url.split("/")[2]
        what = "; ".join(filter(None, ["exact duplicate", page.what]))
        yield replace(page, url=page.url.replace(host, f"mirror{digest(name) % 3}.example.ru"), what=what)


def copies(texts: list[Text]) -> Iterator[Page]:
    """The same story on another site: another frame, an edited word here and there, the end missing."""
    for name, lines in texts:
        kept = lines[: max(3, len(lines) - 1 - digest(name) % 3)]
        edited = [
            line.replace(" и ", " да ", 1) if digest(name, place) % 11 == 0 else line
            for place, line in enumerate(kept)
        ]
        template = pick((BLOG, LIBRARY, MAGAZINE), name, "copy")
        html = layout(template, title_of(lines), paragraphs([*edited, "(Окончание следует.)"]), name)
        yield Page(
            f"http://kopilka.example.ru/texts/{name}.html", in_charset(html, "utf-8", True), "rus", "ruslit",
            "near duplicate",
        )  # fmt: skip


def misdeclared(texts: list[Text]) -> Iterator[Page]:
    """The page says one charset and is written in another."""
    pairs = (
        ("cp1251", "utf-8"),
        ("koi8-r", "windows-1251"),
        ("utf-8", "windows-1251"),
        ("cp1251", "iso-8859-1"),
    )
    for place, (name, lines) in enumerate(texts):
        charset, declared = pairs[place % len(pairs)]
        html = layout(LIBRARY, title_of(lines), paragraphs(lines), name)
        html = html.replace("%CHARSET%", f'<meta charset="{declared}">')
        yield Page(
            f"http://zona.example.ru/{name}.html", in_charset(html, charset, False), "rus", "ruslit",
            f"declares {declared}", charset,
        )  # fmt: skip
