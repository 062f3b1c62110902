"""More pages for the content model, made of those at hand, so that it learns no site by heart.

A copy of a page without class, id and role teaches to do without them; a copy with readers' comments under
its text, in the words of forum pages and in markup without telling names, teaches to drop them. Which pages
are copied, and how, follows from their addresses: the same pages always give the same copies.
"""

from __future__ import annotations

import hashlib
import html as entities
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol
from urllib.parse import urlsplit

from rust_ext import content_blocks
from scripts.fit.labels import shares

NAMED = re.compile(r"""\s(?:class|id|role|itemprop|data-[\w-]+)\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>"']+)""", re.I)
END = re.compile(r"</(?:p|div|section|article|td|li)\s*>", re.I)
TAIL = 30
"""Characters at a block's end by which its place in the source is found."""
REACH = 3_000
COMMENTS = range(3, 16)
POST_WORDS = range(12, 151)
SURE = 0.8
"""Share of a block's words in the gold text from which on the block is surely text."""
LEAST_WORDS = 8
UNNAMED_WEIGHT = 0.5
COMMENTED_WEIGHT = 0.3
BUCKETS = 12
"""Comments come from hosts of the page's bucket: with folds that divide 12, never from another fold."""
AUTHORS = (
    "Maria K.",
    "dave_77",
    "Guest",
    "JohnnyB",
    "old reader",
    "Ann Lee",
    "tomcat",
    "R. Stone",
    "lena",
    "Sam",
)
DATES = (
    "3 January 2024 at 10:42",
    "2 days ago",
    "12.03.2023, 09:15",
    "Mar 4, 2022",
    "2021-11-30 18:07",
    "1 year ago",
)
Template = Callable[[str, str, str], str]
TEMPLATES: tuple[Template, ...] = (
    lambda name, date, text: (
        f"<div><b>{name}</b> <span>{date}</span><p>{text}</p><a href='#'>Reply</a></div>"
    ),
    lambda name, date, text: f"<ul><li><a href='/u/{len(name)}'>{name}</a> - {date}<p>{text}</p></li></ul>",
    lambda name, date, text: f"<p><strong>{name} says:</strong><br>{date}</p><p>{text}</p>",
    lambda name, date, text: f"<table><tr><td>{name}<br>{date}</td><td>{text}</td></tr></table>",
    lambda name, date, text: f"<div><div>{date} {name}:</div><div>{text}</div></div>",
)
HEADS = (
    "<h3>{} comments</h3>",
    "<div>Comments ({})</div>",
    "",
    "<h2>{} responses</h2>",
    "<p><b>Discussion</b></p>",
)


class Page(Protocol):
    """What is asked of a page (`scripts.fit.content.Page`)."""

    @property
    def url(self) -> str: ...
    @property
    def gold(self) -> str: ...
    @property
    def kind(self) -> str | None: ...
    @property
    def weight(self) -> float: ...
    @property
    def html(self) -> str: ...


def host_number(url: str) -> int:
    """A number of the page's host, for dividing pages into parts that share no host."""
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    return int.from_bytes(hashlib.sha256(host.encode()).digest()[:8], "little")


def copies(pages: Sequence[Page]) -> Iterator[tuple[int, str, float]]:
    """Places of pages, their altered copies and what part of the page these weigh.

    One page in three loses its names (two in three of those that weigh more than one), one article in three
    gets comments, out of forums of its bucket.
    """
    pool = comment_pool(page for page in pages if page.kind == "forum")
    for at, page in enumerate(pages):
        which = draw(page.url, "which") % 3
        if which == 0 or (which == 1 and page.weight > 1):
            yield at, without_names(page.html), UNNAMED_WEIGHT
        elif which == 1 and page.kind == "article":
            texts, _, _ = content_blocks(page.html, url=page.url)
            ends = [
                text
                for text, share in zip(texts, shares(texts, page.gold), strict=True)
                if _is_text(text, share)
            ]
            bucket = host_number(page.url) % BUCKETS
            altered = with_comments(page.url, page.html, ends[-1], pool[bucket]) if ends else None
            if altered is not None:
                yield at, altered, COMMENTED_WEIGHT


def _is_text(text: str, share: float) -> bool:
    return share >= SURE and len(text.split()) >= LEAST_WORDS


def draw(url: str, purpose: str) -> int:
    """A number that depends on nothing but the address and what it is for."""
    return int.from_bytes(hashlib.sha256(f"{purpose} {url}".encode()).digest()[:8], "little")


def without_names(html: str) -> str:
    """The page without attributes that name the parts of it."""
    return NAMED.sub("", html)


def comment_pool(forums: Iterable[Page]) -> dict[int, list[str]]:
    """Posts of forum pages by bucket of their host: blocks of 12 to 150 words that are text."""
    pool: dict[int, list[str]] = defaultdict(list)
    for page in forums:
        texts, _, _ = content_blocks(page.html, url=page.url)
        posts = pool[host_number(page.url) % BUCKETS]
        for text, share in zip(texts, shares(texts, page.gold), strict=True):
            if share >= SURE and len(text.split()) in POST_WORDS:
                posts.append(text)
    return pool


def with_comments(url: str, html: str, last_block: str, pool: Sequence[str]) -> str | None:
    """The page with comments from `pool` behind the block that ends its text; None where it is not found."""
    tail = entities.escape(last_block[-TAIL:], quote=False)
    at = html.rfind(tail)
    if at < 0 or not pool:
        return None
    ends = [end.end() for end in END.finditer(html, at, at + REACH)]
    if not ends:
        return None
    number = draw(url, "comments")
    place = ends[min(number % 4, len(ends) - 1)]
    template = TEMPLATES[number // 4 % len(TEMPLATES)]
    count = COMMENTS[number // 32 % len(COMMENTS)]
    parts = [HEADS[number // 1024 % len(HEADS)].format(count)]
    for step in range(count):
        pick = draw(url, f"comment {step}")
        name, date = AUTHORS[pick % len(AUTHORS)], DATES[pick // 16 % len(DATES)]
        parts.append(template(name, date, entities.escape(pool[pick // 256 % len(pool)], quote=False)))
    return html[:place] + "".join(parts) + html[place:]
