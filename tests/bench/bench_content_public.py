"""Main text on two public sets: test pages of mozilla/readability, evaluation of trafilatura.

    python -m tests.bench.bench_content_public --readability CHECKOUT --trafilatura CHECKOUT [--peers PROGRAM]
        [--seen PAGES.parquet...] [--worst N]

CHECKOUT are clones of the repositories (github.com/mozilla/readability, github.com/adbar/trafilatura);
PROGRAM as for bench_content. Of readability's pages the words of the expected article are the gold text
(word F1, mean over pages); they are what readability's own algorithm should give, so its port is at home
there. Some of these pages say "Lorem ipsum" many times, which an extractor for corpora takes once: "F1, lines
once" counts each line of both texts once. trafilatura's pages have pieces that must be in the text and pieces
that must not: precision, recall and F1 over all pieces, white space aside, by the rules of its own
evaluation. All read the same decoded text. Pages of hosts that --seen holds (files that a model was fitted
to) are left out.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pyarrow.parquet as pq

from corpus.extract.content import load
from corpus.extract.decode import decode
from scripts.fit import content as fit
from tests.bench.bench_content import RUST_PEERS, Job, python_peers, run_python, run_rust

Marks = dict[str, float]


@dataclass(frozen=True, slots=True)
class Pieces:
    """What trafilatura's evaluation asks of one page's text."""

    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]

    def found(self, text: str) -> tuple[int, int]:
        """How many wanted and how many unwanted pieces the text has."""
        flat = spaced(text)
        return sum(p in flat for p in self.wanted), sum(p in flat for p in self.unwanted)


def spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def host(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")


def page(url: str, body: bytes, gold: str) -> fit.Page:
    return fit.Page(url, decode(body).text.encode(), gold, None, 1.0, "public", "")


def readability_pages(checkout: Path) -> Iterator[fit.Page]:
    from resiliparse.extract.html2text import extract_plain_text

    for folder in sorted((checkout / "test" / "test-pages").iterdir()):
        gold = extract_plain_text(
            (folder / "expected.html").read_text("utf-8"), main_content=False, alt_texts=False, links=False
        )
        yield page(f"http://{folder.name}/", (folder / "source.html").read_bytes(), gold)


def trafilatura_pages(checkout: Path) -> Iterator[tuple[fit.Page, Pieces]]:
    tests = checkout / "tests"
    for url, item in json.loads((tests / "evaldata.json").read_text("utf-8")).items():
        files = [tests / folder / item["file"] for folder in ("cache", "eval")]
        body = next(path for path in files if path.is_file()).read_bytes()
        pieces = Pieces(*(tuple(spaced(p) for p in item[key]) for key in ("with", "without")))
        yield page(url, body, ""), pieces


def once(text: str) -> str:
    """The text's lines, each once."""
    return "\n".join(dict.fromkeys(map(spaced, text.splitlines())))


def by_words(pages: Sequence[fit.Page], texts: Sequence[str]) -> Marks:
    marks = np.array([fit.word_f1(t, p.gold) for p, t in zip(pages, texts, strict=True)]).mean(axis=0)
    distinct = [fit.word_f1(once(t), once(p.gold))[2] for p, t in zip(pages, texts, strict=True)]
    return dict(
        zip(("precision", "recall", "F1", "F1, lines once"), [*marks, np.mean(distinct)], strict=True)
    )


def by_pieces(pieces: Sequence[Pieces], texts: Sequence[str]) -> Marks:
    found = [p.found(t) for p, t in zip(pieces, texts, strict=True)]
    right, wrong = (sum(column) for column in zip(*found, strict=True))
    wanted = sum(len(p.wanted) for p in pieces)
    return {
        "precision": right / max(1, right + wrong),
        "recall": right / wanted,
        "F1": 2 * right / (wanted + right + wrong),
    }


def extractors(peers: Path | None) -> dict[str, Job]:
    jobs: dict[str, Job] = {
        "bukvar": partial(run_python, lambda html: str(load().extract(html)["text"])),
        "bukvar, recall": partial(run_python, lambda html: str(load().extract(html, favor="recall")["text"])),
    }
    jobs |= {name: partial(run_python, extract) for name, extract in python_peers().items()}
    if peers:
        jobs |= {name: partial(run_rust, peers, name) for name in RUST_PEERS}
    return jobs


def compare(
    title: str,
    pages: Sequence[fit.Page],
    jobs: dict[str, Job],
    judge: Callable[[Sequence[str]], Marks],
) -> dict[str, tuple[Marks, float, list[str]]]:
    """Run all on one set and print its table; name -> marks, pages per second, texts."""
    print(f"\n{title}: {len(pages)} pages\n")
    rows: dict[str, tuple[Marks, float, list[str]]] = {}
    for name, job in jobs.items():
        texts, seconds = job(pages)
        rows[name] = (judge(texts), len(pages) / seconds, texts)
        marks, speed, _ = rows[name]
        if len(rows) == 1:
            print("| extractor |", " | ".join(marks), "| pages/s |\n|" + "---|" * (len(marks) + 2))
        cells = " | ".join(f"{value:.3f}" for value in marks.values())
        print(f"| {name} | {cells} | {speed:.0f} |", flush=True)
    return rows


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--readability", type=Path, help="a clone of mozilla/readability")
    parser.add_argument("--trafilatura", type=Path, help="a clone of adbar/trafilatura")
    parser.add_argument("--peers", type=Path, help="program of the Rust peers")
    parser.add_argument(
        "--seen", type=Path, nargs="*", default=[], help="pages of a fit: their hosts are left out"
    )
    parser.add_argument("--worst", type=int, default=0, help="show ours on so many of readability's pages")
    options = parser.parse_args(argv)
    if not (options.readability or options.trafilatura):
        parser.error("give --readability or --trafilatura, or both")
    jobs = extractors(options.peers)
    if options.readability:
        pages = list(readability_pages(options.readability))
        rows = compare("mozilla/readability", pages, jobs, partial(by_words, pages))
        texts = rows["bukvar"][2]
        order = sorted(range(len(pages)), key=lambda i: fit.word_f1(texts[i], pages[i].gold)[2])
        for i in order[: options.worst]:
            p, r, f1 = fit.word_f1(texts[i], pages[i].gold)
            print(f"{f1:.2f} (P {p:.2f} R {r:.2f}) {pages[i].url}")
    if options.trafilatura:
        hosts = {host(url) for path in options.seen for url in pq.read_table(path)["url"].to_pylist()}
        both = [(p, q) for p, q in trafilatura_pages(options.trafilatura) if host(p.url) not in hosts]
        pages, pieces = [p for p, _ in both], [q for _, q in both]
        compare("trafilatura's evaluation", pages, jobs, partial(by_pieces, pieces))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
