"""Whether Rust and Python score the pages of a fit alike.

    python -m tests.bench.bench_content_agreement PAGES.parquet...

PAGES are files as for `scripts.fit.content`. Every probability (of a block, of a kind) by the kernel is
compared, bit by bit, with that of the oracle, `tests.oracles.trees.score`; any difference is an error.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from corpus.extract.content import load
from scripts.fit import content as fit
from tests.corpus.extract.test_content_model import chances_in_python


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    paths = [Path(name) for name in (sys.argv[1:] if argv is None else argv)]
    if not paths:
        print(__doc__, file=sys.stderr)
        return 2
    pages = blocks = unlike = 0
    for page in fit.read_pages(paths):
        fast, slow = load().chances(page.html), chances_in_python(page.html)
        pages, blocks = pages + 1, blocks + len(fast[0])
        unlike += fast != slow
    print(f"{pages} pages, {blocks:,} blocks: {unlike} pages differ")
    return int(unlike > 0)


if __name__ == "__main__":
    raise SystemExit(main())
