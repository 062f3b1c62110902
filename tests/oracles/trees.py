"""The oracle of boosted trees: what `rust_ext/crates/trees` must score, bit by bit."""

import numpy as np

from corpus.trees import LEAF, Ensemble, Floats


def score(ensemble: Ensemble, rows: Floats) -> Floats:
    """Margins of `rows` (rows x features), added tree after tree in float32."""
    sums = np.full(len(rows), ensemble.base, np.float32)
    for tree in ensemble.trees:
        leaves = np.asarray(tree.leaves, np.float32)
        at = np.full(len(rows), 0 if tree.features else LEAF)
        while (open_rows := np.flatnonzero(at < LEAF)).size:
            splits = at[open_rows]
            values = rows[open_rows, np.asarray(tree.features)[splits]]
            goes_left = values <= np.asarray(tree.thresholds, np.float32)[splits]
            at[open_rows] = np.where(goes_left, np.asarray(tree.left)[splits], np.asarray(tree.right)[splits])
        sums += leaves[at - LEAF]
    return sums
