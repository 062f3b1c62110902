"""Registers by source: precision and recall of `register` on documents whose source its trees did not see.

    python tests/bench/bench_quality_registers.py DOCUMENTS.parquet...

DOCUMENTS are those of `python -m corpus.quality.fit`. Sources that may be fitted to are dealt out to six
folds; a register that one source alone teaches is dealt out by documents. All other documents are judged by
trees fitted to everything that may be fitted to. Sources count alike in a register, registers alike; the
lists of `choose.ODD` are left out. Two minutes of CPU.
"""

from __future__ import annotations

import hashlib
import itertools
import sys
from collections import Counter
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from corpus import trees
from corpus.quality import choose, fit, model, registers
from corpus.quality.signals import SIGNALS
from tests.bench.bench_quality_folds import part, stem

FOLDS: Final = 6
#: Of a document that trees of no fold may see.
NONE: Final = -1
#: Bounds of the probabilities that are counted apart.
BOUNDS: Final = (0.0, 0.4, 0.6, 0.8, 1.01)
#: A model needs trees of a margin; these say nothing.
_LEAF: Final = {
    name: trees.Ensemble((trees.Tree((), (), (), (), (value,)),))
    for name, value in (("junk", 0.0), ("junk.cover", 1.0))
}

Names = npt.NDArray[np.object_]


def folds_of(documents: fit.Documents, known: npt.NDArray[np.str_]) -> npt.NDArray[np.int64]:
    """The fold of each document; NONE where it may not be fitted to."""
    stems = np.array([stem(str(source)) for source in documents.source])
    dealt = {name: at % FOLDS for at, name in enumerate(sorted(set(stems[documents.fit])))}
    folds = np.array([dealt.get(name, NONE) for name in stems])
    taught = documents.fit & ~np.isin(documents.source, sorted(choose.ODD))
    for register in set(known[taught]) - {""}:
        own = taught & (known == register)
        if len(set(stems[own])) == 1:
            for at in np.flatnonzero(own):
                folds[at] = hashlib.sha256(documents.texts[at].encode()).digest()[0] % FOLDS
    folds[~documents.fit] = NONE
    return folds


def judge(
    taught: fit.Documents, rows: model.Rows, parameters: fit.Parameters
) -> tuple[Names, npt.NDArray[np.float32]]:
    """Registers and probabilities of rows, by trees fitted to `taught`."""
    documents = fit.with_sentences(taught, parameters)
    ensembles = fit.fit_registers(documents, fit.rows_of(documents.texts), documents.fit, parameters)
    data = model.to_bytes(trees.TreeFile({}, _LEAF | ensembles), SIGNALS.names)
    columns = registers.register_columns(rows, model.read(data, SIGNALS.names))
    names = np.array(columns["register"].to_pylist(), dtype=object)
    return names, columns["register_probability"].to_numpy(zero_copy_only=False)


def weights(known: npt.NDArray[np.str_], source: npt.NDArray[np.str_]) -> fit.Floats:
    """Sources count alike in a register, registers alike."""
    pairs = Counter(zip(known, source, strict=True))
    sources = Counter(register for register, _ in pairs)
    return np.array([1 / pairs[r, s] / sources[r] for r, s in zip(known, source, strict=True)])


def main() -> None:
    parameters = fit.Parameters()
    documents = fit.with_made(fit.read_documents(map(Path, sys.argv[1:])), parameters)
    known = np.array([fit.REGISTERS.get(str(kind), "") for kind in documents.kind])
    natural = documents.good | np.isin(known, ("list", "shop"))
    asked = ~documents.made & natural & (known != "") & ~np.isin(documents.source, sorted(choose.ODD))
    folds, rows = folds_of(documents, known), fit.rows_of(documents.texts)
    names = np.full(len(known), "", dtype=object)
    sure = np.zeros(len(known))
    for fold in (*range(FOLDS), NONE):
        held = asked & (folds == fold)
        names[held], sure[held] = judge(
            part(documents, documents.fit & (folds != fold)), rows[held], parameters
        )
    report(names[asked], sure[asked], known[asked], documents.source[asked])


def report(names: Names, sure: fit.Floats, known: npt.NDArray[np.str_], source: npt.NDArray[np.str_]) -> None:
    """Prints the figures of each register, how right probabilities are, and what each source is called."""
    weight, right = weights(known, source), names == known
    scores = []
    for register in np.unique(known):
        hit = weight[right & (known == register)].sum()
        precision = hit / max(weight[names == register].sum(), 1e-9)
        recall = hit / weight[known == register].sum()
        scores.append(2 * precision * recall / max(precision + recall, 1e-9))
        print(f"| {register} | {precision:.2f} | {recall:.2f} | {scores[-1]:.2f} |")
    print(f"mean F1 {np.mean(scores):.3f}")
    for low, high in itertools.pairwise(BOUNDS):
        chosen = (sure >= low) & (sure < high)
        share = weight[chosen & right].sum() / max(weight[chosen].sum(), 1e-9)
        print(f"probability {low} to {high}: {chosen.sum()} documents, {share:.2f} right")
    for name in np.unique(source):
        counts = Counter(names[source == name]).most_common(4)
        total = int((source == name).sum())
        print(
            f"{known[source == name][0]:13} {name:24} {total:4}", *(f"{r}={n / total:.2f}" for r, n in counts)
        )


if __name__ == "__main__":
    main()
