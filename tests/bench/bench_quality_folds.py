"""Nested folds of the quality model: what `ru-web` keeps and drops of sources that nothing in it has seen.

    python tests/bench/bench_quality_folds.py DOCUMENTS.parquet...

DOCUMENTS are those of `python -m corpus.quality.fit`. In each of five folds the model is fitted, and rules
and margin are chosen, on the other four. Good sources are dealt out so that those of a genre lie in different
folds, a source with all that was made from it in one. Generated junk has one source a kind and is dealt out
by documents; junk that was found at several places, by place. A minute of CPU.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from corpus.quality import choose, fit, model

FOLDS: Final = 5
#: Kinds of junk whose sources are places, not generators.
FOUND: Final = ("escort", "escort_fullpage", "telegram_spam")


def stem(source: str) -> str:
    """The name that parts of a source share."""
    return source.removeprefix("text_ru_").split("_")[0]


def folds_of(documents: fit.Documents) -> npt.NDArray[np.int64]:
    """The fold of each document."""
    genre: dict[str, str] = {}
    for at in np.flatnonzero(documents.good):
        genre.setdefault(stem(str(documents.source[at])), str(documents.kind[at]))
    dealt = {name: at % FOLDS for at, name in enumerate(sorted(genre, key=lambda name: (genre[name], name)))}
    folds = np.zeros(len(documents.texts), np.int64)
    for at, text in enumerate(documents.texts):
        by_source = documents.good[at] or documents.made[at]
        digest = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])
        folds[at] = dealt[stem(str(documents.source[at]))] if by_source else digest % FOLDS
    for kind in FOUND:
        found = (documents.kind == kind) & ~documents.good
        for at, source in enumerate(sorted(set(documents.source[found]))):
            folds[found & (documents.source == source)] = at % FOLDS
    return folds


def part(documents: fit.Documents, mask: fit.Bools) -> fit.Documents:
    """The documents of a mask."""
    texts = [documents.texts[at] for at in np.flatnonzero(mask)]
    columns = (documents.good, documents.kind, documents.source, documents.fit, documents.made)
    return fit.Documents(texts, *(column[mask] for column in columns))  # type: ignore[arg-type]


def judged(documents: fit.Documents, rows: model.Rows, margins: fit.Floats, mask: fit.Bools) -> choose.Judged:
    """What thresholds are chosen and tried on: the documents of a mask."""
    columns = (documents.good, documents.kind, documents.source)
    return choose.Judged(rows[mask], margins[mask], *(column[mask] for column in columns))


def nested(documents: fit.Documents, rows: model.Rows) -> fit.Bools:
    """Which documents are dropped, each by a filter that was made without its fold."""
    parameters, folds = fit.Parameters(), folds_of(documents)
    dropped = np.zeros(len(folds), np.bool_)
    for fold in range(FOLDS):
        seen, held = folds != fold, (folds == fold) & ~documents.made
        others = part(documents, seen)
        margins = fit.out_of_fold(others, rows[seen], parameters)
        rules = choose.preset(judged(others, rows[seen], margins, ~others.made))
        may_fit = others.fit & ~np.isin(others.kind, sorted(choose.FLUENT))
        margin = fit._margin(fit.fit_junk(others, rows[seen], may_fit, parameters))
        every = np.zeros(len(folds))
        every[held] = margin(rows[held])
        dropped[held] = choose.failed(judged(documents, rows, every, held), rules)
        print(f"fold {fold}: {held.sum()} documents, {len(rules) - 1} rules, {rules[-1]}", flush=True)
    return dropped


def shares(values: fit.Bools, documents: fit.Documents, mask: fit.Bools) -> dict[str, float]:
    """The mean of `values` in each kind of the documents of a mask."""
    kinds = documents.kind
    return {str(kind): float(values[mask & (kinds == kind)].mean()) for kind in np.unique(kinds[mask])}


def main() -> None:
    documents = fit.with_made(fit.read_documents(map(Path, sys.argv[1:])), fit.Parameters())
    dropped = nested(documents, fit.rows_of(documents.texts))
    good, junk = documents.good & ~documents.made, ~documents.good & ~documents.made
    odd = np.isin(documents.source, sorted(choose.ODD))
    fluent = np.isin(documents.kind, sorted(choose.FLUENT))
    for title, values, mask in (
        ("kept", ~dropped, good & ~odd),
        ("kept with the sources that thresholds are chosen without", ~dropped, good),
        ("of those sources alone", ~dropped, good & odd),
        ("plain junk dropped", dropped, junk & ~fluent),
        ("fluent junk dropped", dropped, junk & fluent),
    ):
        found = shares(values, documents, mask)
        high = sum(share >= 0.95 for share in found.values())
        print(f"{title}: mean {np.mean(list(found.values())):.4f}, {high} of {len(found)} at .95 or more")
        print(*(f"  {kind:24} {share:.3f}" for kind, share in found.items()), sep="\n")


if __name__ == "__main__":
    main()
