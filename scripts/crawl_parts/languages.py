"""Pages in other languages: sentences and declarations of the langid material as plain pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from .page import Page, digest, escape, paragraphs, pick
from .sources import in_charset

#: Single-byte encodings in which pages of these languages were really written.
LEGACY = {
    "ukr": ("cp1251", "koi8-u"),
    "bel": ("cp1251",),
    "bul": ("cp1251",),
    "mkd": ("cp1251",),
    "srp": ("cp1251",),
}
COUNTRY = {
    "ukr": "ua",
    "bel": "by",
    "bul": "bg",
    "mkd": "mk",
    "srp": "rs",
    "kaz": "kz",
    "kir": "kg",
    "mon": "mn",
    "tgk": "tj",
    "tat": "ru",
    "bak": "ru",
    "mhr": "ru",
    "orv": "ru",
    "rus": "ru",
}

#: Sentences a page; NTREX keeps the order of its news stories, so a page reads as running text.
NEWS_SENTENCES = 30
#: Tatoeba's are short and unrelated: a page of them is a phrase list.
PHRASES = 60

LAYOUT = """<!DOCTYPE html>
<html lang="{lang}"><head>%CHARSET%<title>{title}</title>
<link rel="stylesheet" href="/css/main.css"><script src="/js/counter.js"></script></head>
<body><div id="header"><a href="/">{host}</a> | <a href="/rss">RSS</a> | <a href="/en/">EN</a></div>
<div id="content"><h1>{title}</h1>
<div class="date">{date}</div>
{body}
</div>
<div id="footer">&copy; 2003-2019 {host} <img src="/counter.gif" width="88" height="31" alt=""></div>
</body></html>
"""


def page(lang: str, name: str, body: str, source: str, what: str) -> Page:
    host = f"{name.split('/')[0]}.example.{COUNTRY.get(lang, 'org')}"
    title = escape(re.sub("<[^>]+>", "", body.split("</p>")[0])[:60].rsplit(" ", 1)[0])
    date = f"{1 + digest(name) % 28:02}.{1 + digest(name, 'm') % 12:02}.2018"
    html = LAYOUT.format(lang=lang[:2], title=title, host=host, date=date, body=body)
    charset = pick(LEGACY[lang], name) if lang in LEGACY and digest(name, "legacy") % 2 else "utf-8"
    declare = charset == "utf-8" or digest(name, "declare") % 2 == 0
    if not declare:
        what = "; ".join(filter(None, [what, "undeclared charset"]))
    url = f"http://{host}/{name.split('/', 1)[1]}.html"
    return Page(url, in_charset(html, charset, declare), lang, source, what, charset)


def sentences(data: Path) -> Iterator[Page]:
    rows = pq.read_table(data / "langid" / "sentences.parquet").to_pylist()
    groups: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        groups.setdefault((row["lang"], row["source"]), []).append(" ".join(row["text"].split()))
    for (lang, origin), texts in sorted(groups.items()):
        if lang == "rus":
            continue
        if origin.startswith("NTREX"):
            for start in range(0, len(texts), NEWS_SENTENCES):
                part = texts[start : start + NEWS_SENTENCES]
                body = paragraphs([" ".join(part[i : i + 3]) for i in range(0, len(part), 3)])
                yield page(lang, f"news/{lang}/{start // NEWS_SENTENCES + 1}", body, "ntrex", "")
        else:
            for start in range(0, min(len(texts), 5 * PHRASES), PHRASES):
                body = "<p>" + "<br>\n".join(map(escape, texts[start : start + PHRASES])) + "</p>"
                yield page(lang, f"phrases/{lang}/{start // PHRASES + 1}", body, "tatoeba", "phrase list")


def declarations(data: Path, parts: int) -> Iterator[Page]:
    """The Universal Declaration in Cyrillic-script languages, cut into a few pages each."""
    for row in pq.read_table(data / "langid" / "udhr_cyrillic.parquet").sort_by("name").to_pylist():
        lang = row["name"].split("_")[0]
        units = re.split(r"(?<=[.;:]) (?=[^\W\d_])", " ".join(row["text"].split()))
        size = -(-len(units) // parts)
        for part in range(parts):
            piece = units[part * size : (part + 1) * size]
            if piece:
                name = f"udhr/{row['name']}/{part + 1}"
                yield page(lang, name, paragraphs(piece), "udhr", "")
