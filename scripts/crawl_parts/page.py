"""One page of the bundled crawl, and the seeded choices by which pages are picked.

Nothing here draws random numbers: a choice is a digest of a name, so that it stays the same on every
machine and when other pages are added.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")

#: Part of every digest; another seed gives another crawl.
SEED = "bukvar-crawl-1"


@dataclass(frozen=True)
class Page:
    """A response as a crawler would have met it, with what we know to be true about it."""

    url: str
    body: bytes
    lang: str  # ISO 639-3 of the running text, "und" where there is none
    source: str  # a name from the table in tests/data/crawl/README.md
    what: str  # what is particular about it, "" for an ordinary page
    charset: str = "utf-8"  # the encoding the bytes are really in
    content_type: str = "text/html"
    status: str = "200 OK"
    headers: tuple[tuple[str, str], ...] = field(default=())


def digest(*parts: object) -> int:
    """A 64-bit number that depends on the parts and the seed alone."""
    name = "\x1f".join([SEED, *map(str, parts)]).encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big")


def pick(options: Sequence[T], *parts: object) -> T:
    """One of the options, by the digest of the parts."""
    return options[digest(*parts) % len(options)]


def sample(items: Sequence[T], count: int, *parts: object) -> list[T]:
    """`count` of the items in their own order, chosen by the digest of their place."""
    ranked = sorted(range(len(items)), key=lambda i: (digest(*parts, i), i))
    return [items[i] for i in sorted(ranked[:count])]


def encode(text: str, charset: str) -> bytes:
    """Encode as an author's editor would: what the charset lacks becomes a character reference."""
    return text.encode(charset, errors="xmlcharrefreplace")


def escape(text: str) -> str:
    return html.escape(text, quote=False)


def paragraphs(lines: Sequence[str]) -> str:
    return "\n".join(f"<p>{escape(line)}</p>" for line in lines)
