"""Labels and weights of a page's blocks, from the page's gold text: what the content model is fitted to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rust_ext import content_align, content_words

MIN_REORDERED = 5
"""Words of a block that may be matched out of order (a quarter of that is matched by chance)."""
REORDERED_SHARE = 0.8
"""Share of its three-word runs that must stand in unused gold text."""
NEGATIVE_CAP = 4.0
"""The blocks outside the text weigh at most this many times the text, the others at most `POSITIVE_CAP`."""
POSITIVE_CAP = 1.5
WEIGHT_POWER = 0.7
MANY_NEGATIVES = 120
KEPT_NEGATIVES = 100
"""Of more than `MANY_NEGATIVES` blocks outside the text this many of the shortest ones' kind are kept, and
weigh for the others."""

Floats = npt.NDArray[np.float32]


def shares(texts: Sequence[str], gold: str) -> Floats:
    """For each block the share of its words that are words of the gold text, 0 to 1.

    Words are aligned in order (`rust_ext/crates/content/src/align.rs`); a block that is not reached so,
    because page and gold text order their parts differently, counts whole when its three-word runs stand in
    gold text that no other block has used.
    """
    places = content_align(list(texts), gold)
    used = {place for block in places for place in block if place >= 0}
    found = np.array([np.mean([p >= 0 for p in block]) if block else 0.0 for block in places], np.float32)
    gold_words = content_words(gold)
    runs: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for at in range(len(gold_words) - 2):
        runs[tuple(gold_words[at : at + 3])].append(at)
    for block in np.flatnonzero(found < 0.5).tolist():
        words = content_words(texts[block])
        if len(words) < MIN_REORDERED:
            continue
        hits: list[int] = []
        for at in range(len(words) - 2):
            free = [p for p in runs.get(tuple(words[at : at + 3]), ()) if p not in used]
            hits += free[:1]
        share = len(hits) / (len(words) - 2)
        if share >= REORDERED_SHARE:
            found[block] = share
            used.update(place + step for place in hits for step in range(3))
    return found


def weights(labels: Floats, words: npt.NDArray[np.int64], gold_words: int, page_weight: float) -> Floats:
    """Weight of each block: its words in proportion to the gold text's, with caps; 0 for blocks left out."""
    weight = words / max(1, gold_words)
    text = labels >= 0.5
    for part, cap in ((~text, NEGATIVE_CAP), (text, POSITIVE_CAP)):
        total = weight[part].sum()
        if total > cap:
            weight[part] *= cap / total
    weight = weight**WEIGHT_POWER
    negatives = np.flatnonzero(~text)
    if len(negatives) > MANY_NEGATIVES:
        short = negatives[np.argsort(words[negatives], kind="stable")][
            : len(negatives) - MANY_NEGATIVES + KEPT_NEGATIVES
        ]
        kept = short[np.linspace(0, len(short) - 1, KEPT_NEGATIVES).astype(np.int64)]
        before = weight[short].sum()
        mass = weight[kept].copy()
        weight[short] = 0
        weight[kept] = mass * (before / max(mass.sum(), 1e-12))
    return (weight * page_weight).astype(np.float32)
