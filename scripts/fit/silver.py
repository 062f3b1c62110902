"""Labels without gold text: `python -m scripts.fit.silver PAGES... --out FILE.parquet`.

Two extractors that are not ours read each page. Blocks that both take are its text, blocks that neither
takes are not, and the others weigh nothing when `scripts.fit.content` reads FILE; a page on which they agree
too little is left out. PAGES are whatever `bukvar extract` reads: crawls, HTML in Parquet or JSONL, HTML
files.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.extract import inputs
from corpus.extract.content import KINDS
from corpus.extract.decode import decode
from rust_ext import content_blocks
from scripts.fit.augment import draw
from scripts.fit.labels import shares
from scripts.fit.marks import word_f1

Extractor = Callable[[str], str | None]

BOTH = 0.5
"""Share of a block's words that an extractor must give for it to have taken the block."""
LIMIT = 0.8
"""Least F1 of one extractor's words against the other's."""
WEIGHT = 0.3
LEAST_WORDS = 50
"""Of text that both give: shorter pages agree by chance."""
PARTS = 1000
ROWS = 64

SCHEMA = pa.schema(
    [
        ("url", pa.string()),
        ("html", pa.string()),
        ("gold_text", pa.string()),
        ("unsure_text", pa.string()),
        ("page_type", pa.string()),
        ("weight", pa.float64()),
        ("source", pa.string()),
        ("license", pa.string()),
    ]
)


@dataclass(frozen=True)
class Verdict:
    """What two extractors say of a page."""

    agreement: float
    """F1 of the words of one against the other's."""
    text: str
    """Blocks that both take, a line each."""
    unsure: str
    """Blocks that one of them takes."""


def extractor(name: str) -> Extractor:
    """One of `EXTRACTORS`. Raises ImportError where its package is not installed."""
    return EXTRACTORS[name]()


def _trafilatura(*, precision: bool = False) -> Extractor:
    from corpus.extract.child import trafilatura_extractor

    extract = trafilatura_extractor("precision" if precision else "")
    return lambda html: extract(html, None)


def _justext() -> Extractor:
    import justext  # type: ignore[import-untyped]  # it has no stubs

    stops = justext.get_stoplist("Russian") | justext.get_stoplist("English")
    return lambda html: "\n".join(p.text for p in justext.justext(html, stops) if not p.is_boilerplate)


def _resiliparse() -> Extractor:
    from resiliparse.extract.html2text import extract_plain_text

    def extract(html: str) -> str:
        return str(extract_plain_text(html, main_content=True))

    return extract


EXTRACTORS: dict[str, Callable[[], Extractor]] = {
    "trafilatura": _trafilatura,
    "trafilatura_precision": lambda: _trafilatura(precision=True),
    "justext": _justext,
    "resiliparse": _resiliparse,
}


def compare(html: str, first: Extractor, second: Extractor) -> Verdict:
    """What the two say of a page; one that fails on it has said nothing."""
    given = [_text(extract, html) for extract in (first, second)]
    texts, _, _ = content_blocks(html)
    one, two = (shares(texts, text) >= BOTH for text in given)
    lines = [text.replace("\n", " ") for text in texts]
    both = "\n".join(line for line, taken in zip(lines, one & two, strict=True) if taken)
    unsure = "\n".join(line for line, taken in zip(lines, one != two, strict=True) if taken)
    return Verdict(word_f1(given[0], given[1])[2], both, unsure)


def _text(extract: Extractor, html: str) -> str:
    try:
        return extract(html) or ""
    except Exception:  # whatever a foreign extractor raises on a strange page
        return ""


def label(
    pages: Iterator[tuple[str, str]], pair: tuple[Extractor, Extractor], limit: float, counts: Counter[str]
) -> Iterator[dict[str, Any]]:
    """Rows for pages (address, HTML) on which the pair agrees; `counts` says what became of the others."""
    for url, html in pages:
        verdict = compare(html, *pair)
        if verdict.agreement < limit:
            counts["they agree too little"] += 1
        elif len(verdict.text.split()) < LEAST_WORDS:
            counts["too short"] += 1
        else:
            counts["kept"] += 1
            yield {"url": url, "html": html, "gold_text": verdict.text, "unsure_text": verdict.unsure}


def read(locations: Sequence[str], share: float) -> Iterator[tuple[str, str]]:
    """Addresses and decoded HTML of a share of the pages, chosen by address."""
    for location in locations:
        for batch in inputs.read_any(location, gate="off"):
            for page in batch.pages:
                if draw(page.url, "silver") % PARTS < share * PARTS:
                    yield page.url, decode(page.body, http_charset=page.http_charset).text


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.fit.silver", description=__doc__.split("\n")[0])
    parser.add_argument("pages", nargs="+", help="what `bukvar extract` reads")
    parser.add_argument("--out", type=Path, required=True, help="Parquet file for scripts.fit.content")
    parser.add_argument(
        "--by", nargs=2, choices=EXTRACTORS, default=("trafilatura", "justext"), help="the two extractors"
    )
    parser.add_argument("--limit", type=float, default=LIMIT, help="least F1 of their agreement")
    parser.add_argument("--share", type=float, default=1.0, help="part of the pages, chosen by address")
    parser.add_argument(
        "--weight", type=float, default=WEIGHT, help="weight of a page; one of gold text has 1"
    )
    parser.add_argument("--kind", choices=KINDS, help="kind of all pages, where known")
    parser.add_argument("--source", default="silver", help="name of the source, stated in the model's header")
    parser.add_argument("--license", default="not stated", help="licence of the pages, stated there too")
    options = parser.parse_args(argv)
    if options.by[0] == options.by[1]:
        parser.error("--by takes two different extractors: one agrees with itself")
    counts: Counter[str] = Counter()
    try:
        pair = (extractor(options.by[0]), extractor(options.by[1]))
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        parser.error(f"{package} is not installed; choose others with --by, or pip install {package}")
    same = {"page_type": options.kind, "weight": options.weight, "source": options.source}
    same["license"] = f"{options.license}; labels by agreement of {options.by[0]} and {options.by[1]}"
    with pq.ParquetWriter(options.out, SCHEMA) as writer:
        held: list[dict[str, Any]] = []
        for row in label(read(options.pages, options.share), pair, options.limit, counts):
            held.append(row | same)
            if len(held) == ROWS:
                writer.write_table(pa.Table.from_pylist(held, SCHEMA))
                held = []
        writer.write_table(pa.Table.from_pylist(held, SCHEMA))
    print(f"{options.out}: {dict(counts)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
