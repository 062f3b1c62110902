"""FOCUS and OMP as they are published, over static vectors counted on the adapted vocabulary's own ids.

Both make a new token's row of kept tokens' rows, by coefficients found in an auxiliary space that knows new
and kept tokens alike. FOCUS (Dobler and de Melo, 2023) trains fastText on text in the new ids and weights all
kept tokens by sparsemax over cosines; mergekit's tokensurgeon finds a sparse reconstruction by orthogonal
matching pursuit in another model's embedding. Here the space is of positive pointwise mutual information,
reduced by a randomized singular value decomposition: what skip-gram vectors factorize (Levy and Goldberg,
2014), without a random start.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

#: Neighbours on each side that count, and dimensions kept.
WINDOW, DIMENSIONS = 5, 96


def vectors(ids: np.ndarray, ends: np.ndarray, tokens: int, seed: int = 0) -> np.ndarray:
    """[tokens, DIMENSIONS], of unit length (0: never seen); ids and ends as `encode_batch` gives them."""
    document = np.searchsorted(ends[1:], np.arange(len(ids)), side="right")
    counts = np.zeros(tokens * tokens, np.float32)
    flat = ids.astype(np.int64)
    for gap in range(1, WINDOW + 1):
        same = document[gap:] == document[:-gap]
        pairs = flat[:-gap][same] * tokens + flat[gap:][same]
        counts += np.bincount(pairs, minlength=tokens * tokens).astype(np.float32) / gap
    table = counts.reshape(tokens, tokens)
    table = table + table.T
    total, rows = table.sum(), table.sum(axis=1)
    # Context frequencies flattened by .75, as in word2vec.
    contexts = rows**0.75 / (rows**0.75).sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        table = np.log(table / total / ((rows / total)[:, None] * contexts[None]))
    table[~np.isfinite(table)] = 0
    np.maximum(table, 0, out=table)
    draw = np.random.default_rng(seed).normal(size=(tokens, DIMENSIONS + 16)).astype(np.float32)
    basis = np.linalg.qr(table @ draw)[0]
    for _ in range(2):
        basis = np.linalg.qr(table @ (table.T @ basis))[0]
    left, values, _ = np.linalg.svd(basis.T @ table, full_matrices=False)
    found = (basis @ left)[:, :DIMENSIONS] * np.sqrt(values[:DIMENSIONS])
    norms = np.linalg.norm(found, axis=1, keepdims=True)
    return np.divide(found, norms, out=np.zeros_like(found), where=norms > 0)


def sparsemax(scores: np.ndarray) -> np.ndarray:
    """The nearest point of the simplex, by rows (Martins and Astudillo, 2016)."""
    falling = -np.sort(-scores, axis=1)
    sums = np.cumsum(falling, axis=1) - 1
    count = np.arange(1, scores.shape[1] + 1)
    support = (falling * count > sums).sum(axis=1)
    threshold = sums[np.arange(len(scores)), support - 1] / support
    return np.maximum(scores - threshold[:, None], 0)


def focus(space: np.ndarray, kept: int) -> np.ndarray:
    """[new, kept]: coefficients of the kept tokens (the first of the space) in each new one."""
    return sparsemax(space[kept:] @ space[:kept].T)


def pursuit(space: np.ndarray, kept: int, atoms: int = 8) -> np.ndarray:
    """[new, kept]: orthogonal matching pursuit with so many kept tokens a new one."""
    words, new = space[:kept], space[kept:]
    out = np.zeros((len(new), kept), np.float32)
    for row, target in enumerate(new):
        chosen: list[int] = []
        rest = target
        share: Sequence[float] = ()
        for _ in range(atoms):
            scores = np.abs(words @ rest)
            scores[chosen] = -1
            chosen.append(int(scores.argmax()))
            share = np.linalg.lstsq(words[chosen].T, target, rcond=None)[0]
            rest = target - words[chosen].T @ share
        out[row, chosen] = share
    return out
