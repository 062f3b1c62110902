"""What `favor` and `comments` change, on pages with gold text.

    python -m tests.bench.bench_content_options PAGES.parquet... [--folds 4]

PAGES are files as for `scripts.fit.content`. By cross-validation: every page is extracted by a model that saw
no page of its host. Prints precision, recall and F1 (means over pages) for each setting, by source and by
kind of page; then the same for the pages, forums aside, with a section of comments of at least 20 words.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rust_ext import ContentModel
from scripts.fit import content as fit

Marks = dict[tuple[str, str], list[tuple[float, float, float]]]
SETTINGS: dict[str, dict[str, str]] = {
    "balanced, comments dropped": {},
    "favor precision": {"favor": "precision"},
    "favor recall": {"favor": "recall"},
    "comments kept": {"comments": "keep"},
    "comments only": {"comments": "only"},
}
WITH_COMMENTS = "with comments, no forum"
LEAST_WORDS = 20


def mark(pages: Sequence[fit.Page], model: ContentModel, marks: Marks) -> None:
    """Adds the marks of some pages under every setting to `marks`, by setting and group."""
    for page in pages:
        texts = {
            name: str(model.extract(page.html, url=page.url, **s)["text"]) for name, s in SETTINGS.items()
        }
        groups = [page.source, *([str(page.kind)] if page.source == "wcxb" else [])]
        if page.kind != "forum" and len(texts["comments only"].split()) >= LEAST_WORDS:
            groups.append(WITH_COMMENTS)
        for name, text in texts.items():
            for group in groups:
                marks[name, group].append(fit.word_f1(text, page.gold))


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--folds", type=int, default=4)
    options = parser.parse_args(argv)
    pages = list(fit.read_pages(options.pages))
    everything, rows = fit.material(pages)
    of_page = [fit.fold_of(page.url, options.folds) for page in everything]
    marks: Marks = defaultdict(list)
    for fold in range(options.folds):
        train = [at for at, of in enumerate(of_page) if of != fold]
        data = fit.fit([everything[at] for at in train], [rows[at] for at in train], fit.Parameters(), {})
        mark([p for p, of in zip(pages, of_page, strict=False) if of == fold], ContentModel(data), marks)
    groups = sorted({group for _, group in marks}, key=lambda group: (group == WITH_COMMENTS, group))
    print("| setting | " + " | ".join(f"{g} ({len(marks['comments only', g])})" for g in groups) + " |")
    print("|---" * (len(groups) + 1) + "|")
    for name in SETTINGS:
        means = [np.mean(marks[name, group], axis=0) for group in groups]
        print(
            f"| {name} | " + " | ".join(" ".join(f"{value:.3f}" for value in mean) for mean in means) + " |"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
