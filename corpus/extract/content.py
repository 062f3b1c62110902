"""Main text of a page: `extract(html) -> Content`.

One learned classifier of a page's blocks, in Rust (`rust_ext/crates/content`); docs/measured/content.md says
what it looks at, how it was fitted and how it compares. Linear in the page's size; no page makes it fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from corpus.extract.decode import decode
from rust_ext import ContentModel

Favor = Literal["precision", "recall"]
Comments = Literal["drop", "keep", "only"]
Kind = Literal["article", "forum", "collection", "listing", "product", "service", "documentation"]
KINDS: tuple[Kind, ...] = get_args(Kind)

MODEL = Path(__file__).parent.parent / "assets" / "content.model"
"""The model in the package; corpus/assets/README.md says what it was fitted to."""


@dataclass(frozen=True, slots=True)
class Content:
    """The main text of a page and what the page states of itself."""

    text: str
    """Paragraphs are lines; items begin with "- ", cells of a table's row are joined by " | ". "" where the
    page has no text."""
    title: str | None
    """og:title, else JSON-LD's headline, else the title element."""
    author: str | None
    date: str | None
    """Day of publication as YYYY-MM-DD."""
    language: str | None
    """As declared, in lower case; nothing is guessed."""
    canonical_url: str | None
    kind: Kind
    """The likeliest kind of page."""
    confidence: float
    """The model's own estimate of the text's F1, 0 to 1."""
    embedded: bool
    """Whether the text was found in the page's data (JSON-LD, Discourse, Next.js), not in its markup."""
    noindex: bool
    """robots: noindex or none, in the page or the X-Robots-Tag header; rules for one robot do not count."""
    noai: bool
    """robots: noai, noimageai or noml; noindex or none for a robot that gathers training data."""
    train_ai_disallowed: bool
    """Content-Usage (train-ai=n) or Content-Signal (ai-train=no)."""
    tdm_reserved: bool
    """tdm-reservation: 1, in the page or the header."""


@cache
def load(path: Path = MODEL) -> ContentModel:
    """The model of a file, read once a process. Raises ValueError where it is damaged or does not fit."""
    return ContentModel(path.read_bytes())


def extract(
    html: str | bytes,
    *,
    url: str | None = None,
    favor: Favor | None = None,
    comments: Comments = "drop",
    headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
    model: Path = MODEL,
) -> Content:
    """Extract the main text of a page.

    html: the page, decoded or as bytes (then read by `corpus.extract.decode`).
    url: its address, if known; it helps to tell the kind of page.
    favor: "precision" keeps only what is surely text, "recall" also what may be.
    comments: readers' comments are dropped, kept with the text, or alone. A forum's posts are its text.
    headers: HTTP headers of the response, as a mapping or as pairs, for what they say of the page's use:
    X-Robots-Tag, tdm-reservation, Content-Usage, Content-Signal.
    model: a file written by `python -m scripts.fit.content`.

    Raises ValueError for an unknown `favor` or `comments`, never for a page.
    """
    if isinstance(html, bytes):
        html = decode(html).text
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    found = load(model).extract(html, url=url, favor=favor, comments=comments, headers=list(pairs))
    return Content(**found)


@dataclass(frozen=True, slots=True)
class Block:
    """A run of a page's text without a block boundary inside, and what `extract` does with it."""

    text: str
    chance: float
    """Probability of being main text."""
    kept: bool


def blocks(
    html: str, *, url: str | None = None, favor: Favor | None = None, comments: Comments = "drop"
) -> list[Block]:
    """All blocks of a page in their order, those that `extract` with the same options takes among them.

    Where `extract` found the text in the page's data (`Content.embedded`), the blocks kept are those that it
    would have taken otherwise. Raises ValueError as `extract` does.
    """
    decided = load().decide(html, url=url, favor=favor, comments=comments)
    return [Block(text, chance, kept) for text, chance, kept in decided]
