"""The page beside the text: sampled documents taken from the crawl again, with each block of the page and
what extraction decided on it.

Nothing of this is kept by a run. The record is found by the document's `source` below the inputs that the
recipe names; where they are not in reach any more, the report says so.
"""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from corpus import globs, storage
from corpus.errors import BukvarError, UsageError
from corpus.extract import content
from corpus.extract.decode import decode
from corpus.extract.inputs import Columns, read_any
from corpus.extract.records import copy_records, split_place
from corpus.extract.warc import Page
from corpus.mask import mask_texts
from corpus.receipts import read_receipts
from pipelines.layout import RECIPE, stage_folder

#: Pages shown, and bytes up to which a file is searched in which a record can't be jumped to.
PAGES: Final = 6
_SEARCHED: Final = 64 << 20
#: Characters of a block and blocks of a page in the report: enough to see where the text begins and ends.
_BLOCK: Final = 240
_BLOCKS: Final = 120


@dataclass(frozen=True)
class Block:
    """A block of a page, masked and cut to length. `chance`: of being main text, by the model."""

    text: str
    kept: bool
    chance: float


@dataclass(frozen=True)
class PageBesideText:
    """A page's blocks and its text. `left_out`: blocks of the page that are not shown."""

    url: str
    source: str
    kind: str
    embedded: bool
    blocks: tuple[Block, ...]
    left_out: int
    text: str


def pages_beside_texts(
    run: str, places: Iterable[tuple[str, str]], crawl: Sequence[str] = ()
) -> tuple[list[PageBesideText], list[str]]:
    """Pages of documents (address, source), at most `PAGES`, and the sources that are not in reach.

    crawl: files, folders or globs that hold the crawl now; those that the recipe names where empty.
    """
    arguments, columns = _inputs(run)
    options = _options(run)
    shown: list[PageBesideText] = []
    missing: list[str] = []
    for url, source in places:
        if len(shown) == PAGES:
            break
        page = None
        with suppress(BukvarError, ValueError, OSError):
            page = _page_at(crawl or arguments, source, columns)
        if page is None or page.url != url:  # another crawl may have a file of that name
            missing.append(source)
        elif not page.is_text and page.body:
            shown.append(_beside(url, source, page, options))
    return shown, missing


def _inputs(run: str) -> tuple[list[str], Columns]:
    """What the recipe names as the crawl, and where pages are in tables."""
    location = storage.join(run, RECIPE)
    if not storage.exists(location):
        return [], Columns()
    try:
        recipe = tomllib.loads(storage.read_bytes(location).decode("utf-8", "replace"))
    except tomllib.TOMLDecodeError:  # changed by hand: the pages are out of reach
        return [], Columns()
    extract = recipe.get("extract", {})
    columns = Columns(extract.get("url_column", "url"), extract.get("html_column", "html"))
    return [str(path) for path in recipe.get("input", {}).get("paths", [])], columns


def _options(run: str) -> dict[str, Any]:
    """What `content.extract` was asked for: parameters of the stage, in a run's folder or its own."""
    for folder in (stage_folder(run, "extract"), run):
        for receipt in read_receipts(folder):
            if receipt.stage == "extract":
                favor = receipt.parameters.get("favor", "balanced")
                return {
                    "favor": None if favor == "balanced" else favor,
                    "comments": receipt.parameters.get("comments", "drop"),
                }
    return {"favor": None, "comments": "drop"}


def find_input(arguments: Sequence[str], name: str) -> str | None:
    """The file that has a name (its path below what was named) among files, folders and globs; None where it
    is not there. No folder is listed."""
    parts = name.split("/")
    for argument in arguments:
        for path in globs.expand(argument):
            tails = ["", *("/".join(parts[n:]) for n in range(len(parts)))]
            for candidate in (storage.join(path, tail) if tail else path for tail in tails):
                if f"/{storage.path_part(candidate)}".endswith(f"/{name}") and _is_file(candidate):
                    return candidate
    return None


def _is_file(location: str) -> bool:
    return bool(storage.info(location).is_file)


def _page_at(arguments: Sequence[str], source: str, columns: Columns) -> Page | None:
    """The page of a document as extraction got it; None where its file is missing or too large to search."""
    name, offset = split_place(source)
    location = find_input(arguments, name)
    if location is not None:
        with suppress(BukvarError, OSError):
            return _by_jump(location, offset)
    within = ""
    while location is None and "/" in name:  # a file in a package (WACZ)
        name, _, last = name.rpartition("/")
        within = f"{last}/{within}" if within else last
        location = find_input(arguments, name)
    if location is None or storage.file(location).size > _SEARCHED:
        return None
    for batch in read_any(location, name=name, gate="off", columns=columns):
        for page in batch.pages:
            if page.offset == offset and batch.within == within:
                return page
    return None


def _by_jump(location: str, offset: int) -> Page:
    """The page of the record that begins at an offset. Raises UsageError where none begins there, or one that
    is no page."""
    with tempfile.TemporaryDirectory(prefix="bukvar-") as folder:
        few = str(Path(folder) / "one.warc.gz")
        copy_records([f"{location}:{offset}"], few)
        for batch in read_any(few, gate="off"):
            if batch.pages:
                return batch.pages[0]
    raise UsageError(f"{location}:{offset}: the record is no page")


def _beside(url: str, source: str, page: Page, options: dict[str, Any]) -> PageBesideText:
    html = decode(page.body, page.http_charset).text
    found = content.extract(html, url=page.url, **options)
    decided = content.blocks(html, url=page.url, **options)
    first = next((n for n, block in enumerate(decided) if block.kept), 0)
    # A menu of hundreds of links would hide where the text begins.
    start = max(0, min(first - _BLOCKS // 3, len(decided) - _BLOCKS))
    few = decided[start : start + _BLOCKS]
    texts = mask_texts([block.text for block in few])
    return PageBesideText(
        url=url,
        source=source,
        kind=found.kind,
        embedded=found.embedded,
        blocks=tuple(
            Block(_cut(text, _BLOCK), block.kept, round(block.chance, 3))
            for text, block in zip(texts, few, strict=True)
        ),
        left_out=len(decided) - len(few),
        text=_cut("\n".join(mask_texts(found.text.splitlines()[:_BLOCKS])), _BLOCK * 20),
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]} …"
