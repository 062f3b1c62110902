"""Fit the content model: `python -m scripts.fit.content PAGES.parquet... --out MODEL`.

PAGES have `url`, `html` (string or binary), `gold_text`, and, where known, `page_type` (one of
`corpus.extract.content.KINDS`), `weight` (how much a page counts, 1 by default), `unsure_text` (lines that
count neither way: `scripts.fit.silver`), `source` and `license` (stated in the model's header). The same
pages in the same order give the same file, byte for byte. `--folds 4`
measures instead: each host's pages are extracted by a model that never saw that host.

LightGBM comes with the extra `fit`; nothing else needs it.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.extract.content import KINDS
from corpus.extract.decode import decode
from corpus.trees import Ensemble, TreeFile, from_lightgbm, mean
from rust_ext import ContentModel, content_blocks, content_feature_names
from scripts.fit import augment
from scripts.fit.content_model import PAGES, to_bytes
from scripts.fit.labels import Floats, shares, weights
from scripts.fit.marks import word_f1 as word_f1

UNSURE = 0.5
"""Share of a block's words in `Page.unsure` from which on it weighs nothing."""


@dataclass(frozen=True)
class Page:
    """A page with its gold text."""

    url: str
    data: bytes
    """The page in UTF-8: a string of Python may take four times the room."""
    gold: str
    kind: str | None
    weight: float
    source: str
    licence: str
    unsure: str = ""
    """Lines that weigh nothing: nobody knows whether they are text (`scripts.fit.silver`)."""

    @property
    def html(self) -> str:
        """The decoded page."""
        return self.data.decode()


@dataclass(frozen=True)
class Parameters:
    """How the trees are grown; the defaults are those of the study in docs/measured/content.md."""

    trees: int = 170
    """Of each of two kinds: with the best splits, and with splits drawn at random."""
    leaves: int = 31
    depth: int = 9
    rate: float = 0.08
    drawn_rate: float = 0.1
    expert_trees: int = 0
    kind_rounds: int = 80
    seed: int = 1
    selection: dict[str, float] = field(
        default_factory=lambda: {
            "article.floor": 0.62,
            "embedded.below": 100.0,
            "repeat.documentation": 0.3,
            "cut.documentation": 0.7,
            "cut.service": 0.7,
            "cut.product": 1.3,
        }
    )


@dataclass(frozen=True)
class Rows:
    """What one page gives to the fit."""

    blocks: Floats
    labels: Floats
    weights: Floats
    page: Floats
    copy: bool = False
    """Whether they are of an altered copy of the page (`scripts.fit.augment`)."""


def read_pages(paths: Iterable[Path]) -> Iterator[Page]:
    """Pages with gold text, in the files' order; a page without any teaches nothing and is left out."""
    for path in paths:
        for row in _rows(path):
            html = row["html"]
            if isinstance(html, bytes):
                html = decode(html).text
            if not (row["gold_text"] or "").strip():
                continue
            yield Page(
                url=row["url"],
                data=html.encode("utf-8", "replace"),
                gold=row["gold_text"],
                kind=row.get("page_type"),
                weight=float(row.get("weight") or 1.0),
                source=row.get("source") or path.stem,
                licence=row.get("license") or "not stated",
                unsure=row.get("unsure_text") or "",
            )


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    for batch in pq.ParquetFile(path).iter_batches(64):
        yield from batch.to_pylist()


def rows_of(page: Page, html: str | None = None, part: float = 1.0) -> Rows:
    """Features, labels and weights of a page's blocks, or of an altered copy's that counts as part of it."""
    texts, blocks, row = content_blocks(page.html if html is None else html, url=page.url)
    labels = shares(texts, page.gold)
    words = np.array([len(re.findall(r"\w+", text)) for text in texts], np.int64)
    gold_words = len(re.findall(r"\w+", page.gold))
    weight = weights(labels, words, gold_words, part * page.weight)
    if page.unsure:
        weight[(shares(texts, page.unsure) >= UNSURE) & (labels < UNSURE)] = 0
    kept = weight > 0
    return Rows(blocks[kept], labels[kept], weight[kept], row, html is not None)


def material(pages: Sequence[Page]) -> tuple[list[Page], list[Rows]]:
    """What a model is fitted to: the pages and their rows, then those of altered copies of some of them."""
    rows = [rows_of(page) for page in pages]
    chosen = list(augment.copies(pages))
    rows += [rows_of(pages[at], html, part) for at, html, part in chosen]
    return [*pages, *(pages[at] for at, *_ in chosen)], rows


def fit(pages: Sequence[Page], rows: Sequence[Rows], parameters: Parameters, header: dict[str, Any]) -> bytes:
    """The model file fitted to `pages`, whose rows are `rows`."""
    ensembles = {"block": _fit_blocks(rows, parameters.trees, parameters)}
    if parameters.expert_trees:
        chosen = [r for p, r in zip(pages, rows, strict=True) if p.kind in (None, "article", "documentation")]
        ensembles["expert"] = _fit_blocks(chosen, parameters.expert_trees, parameters)
    known = [
        (KINDS.index(p.kind), r.page)
        for p, r in zip(pages, rows, strict=True)
        if p.kind in KINDS and not r.copy
    ]
    if known:
        ensembles |= _fit_kinds(known, parameters)
    model = TreeFile(header, ensembles, parameters.selection)
    return to_bytes(model, content_feature_names())


def _settings(parameters: Parameters) -> dict[str, Any]:
    return {
        "learning_rate": parameters.rate,
        "num_leaves": parameters.leaves,
        "max_depth": parameters.depth,
        "feature_fraction": 0.3,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "lambda_l2": 2.0,
        "max_bin": 127,
        "min_data_in_leaf": 40,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "seed": parameters.seed,
        "verbosity": -1,
    }


def _fit_blocks(rows: Sequence[Rows], trees: int, parameters: Parameters) -> Ensemble:
    """The mean of two ensembles: one grown with the best splits, one with splits drawn at random.

    Extremely randomised trees (of each feature one threshold is tried) err elsewhere than ordinary ones.
    """
    import lightgbm

    names = content_feature_names()
    data = lightgbm.Dataset(
        np.concatenate([r.blocks for r in rows]),
        np.concatenate([r.labels for r in rows]),
        weight=np.concatenate([r.weights for r in rows]),
        feature_name=[f"f{i}" for i in range(len(names))],
        params=_settings(parameters),
    )
    ordinary = _settings(parameters) | {"objective": "cross_entropy"}
    # By columns a drawn tree takes two thirds of the time.
    drawn = ordinary | {"force_row_wise": False, "force_col_wise": True}
    drawn |= {"extra_trees": True, "learning_rate": parameters.drawn_rate}
    boosters = [lightgbm.train(settings, data, num_boost_round=trees) for settings in (ordinary, drawn)]
    return mean([from_lightgbm(booster.dump_model()) for booster in boosters])


def _fit_kinds(known: Sequence[tuple[int, Floats]], parameters: Parameters) -> dict[str, Ensemble]:
    """Seven small ensembles; of thresholds drawn at random, because the pages are few."""
    import lightgbm

    settings = _settings(parameters) | {
        "objective": "multiclass",
        "num_class": len(KINDS),
        "num_leaves": 6,
        "min_data_in_leaf": 10,
        "feature_fraction": 0.5,
        "extra_trees": True,
        "learning_rate": parameters.drawn_rate,
    }
    data = lightgbm.Dataset(
        np.stack([row for _, row in known]), np.array([kind for kind, _ in known]), params=settings
    )
    booster = lightgbm.train(settings, data, num_boost_round=parameters.kind_rounds)
    dump = booster.dump_model()
    return {
        f"kind.{kind}": from_lightgbm(dump, source=PAGES, every=len(KINDS), offset=at)
        for at, kind in enumerate(KINDS)
    }


def fold_of(url: str, folds: int) -> int:
    """The fold of a page: all pages of a host share one, and it depends on nothing but the host's name."""
    return augment.host_number(url) % folds


def cross_validate(
    pages: Sequence[Page], rows: Sequence[Rows], parameters: Parameters, folds: int
) -> list[str]:
    """Texts of all pages, each by a model fitted to the pages of other hosts.

    pages, rows: as `material` gives them.
    """
    of_page = [fold_of(p.url, folds) for p in pages]
    texts = [""] * sum(not r.copy for r in rows)
    for fold in range(folds):
        train = [i for i, f in enumerate(of_page) if f != fold]
        data = fit([pages[i] for i in train], [rows[i] for i in train], parameters, {})
        model = ContentModel(data)
        for i in (i for i, f in enumerate(of_page[: len(texts)]) if f == fold):
            texts[i] = model.extract(pages[i].html, url=pages[i].url)["text"]
    return texts


def report(pages: Sequence[Page], texts: Sequence[str]) -> str:
    """Mean precision, recall and F1 by source and by kind."""
    groups: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for page, text in zip(pages, texts, strict=True):
        mark = word_f1(text, page.gold)
        groups[page.source].append(mark)
        if page.kind:
            groups[f"{page.source}/{page.kind}"].append(mark)
    lines = []
    for name, marks in sorted(groups.items()):
        p, r, f1 = np.mean(marks, axis=0)
        lines.append(f"{name:28} pages {len(marks):5}  P {p:.4f}  R {r:.4f}  F1 {f1:.4f}")
    return "\n".join(lines)


def _header(pages: Sequence[Page], parameters: Parameters) -> dict[str, Any]:
    digest = hashlib.sha256()
    for page in pages:
        digest.update(hashlib.sha256(page.data).digest())
        digest.update(hashlib.sha256(page.gold.encode()).digest())
    sources = Counter((page.source, page.licence) for page in pages)
    return {
        "what": "content model of bukvar: boosted trees over blocks of pages",
        "pages": [{"source": s, "annotations": a, "pages": n} for (s, a), n in sorted(sources.items())],
        "pages_sha256": digest.hexdigest(),
        "parameters": asdict(parameters),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.fit.content", description=__doc__.split("\n")[0])
    parser.add_argument("pages", nargs="+", type=Path, help="Parquet files with url, html, gold_text")
    parser.add_argument("--out", type=Path, help="where the model goes")
    parser.add_argument(
        "--folds", type=int, help="measure by cross-validation over hosts instead of writing a model"
    )
    parser.add_argument("--texts", type=Path, help="with --folds: a Parquet file for the texts (url, text)")
    parser.add_argument("--trees", type=int, default=Parameters.trees)
    parser.add_argument("--leaves", type=int, default=Parameters.leaves)
    parser.add_argument("--expert-trees", type=int, default=Parameters.expert_trees)
    parser.add_argument("--seed", type=int, default=Parameters.seed)
    options = parser.parse_args(argv)
    if (options.out is None) == (options.folds is None):
        parser.error("give either --out MODEL or --folds N")
    parameters = Parameters(
        trees=options.trees, leaves=options.leaves, expert_trees=options.expert_trees, seed=options.seed
    )
    pages = list(read_pages(options.pages))
    all_pages, rows = material(pages)
    if options.folds:
        texts = cross_validate(all_pages, rows, parameters, options.folds)
        print(report(pages, texts))
        if options.texts:
            pq.write_table(pa.table({"url": [p.url for p in pages], "text": texts}), options.texts)
        return 0
    data = fit(all_pages, rows, parameters, _header(pages, parameters))
    ContentModel(data)
    options.out.write_bytes(data)
    print(f"{options.out}: {len(data):,} bytes from {len(pages)} pages", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
