"""The score of a text against another: what `scripts.fit.content` reports and silver labels are judged by."""

from __future__ import annotations

import re
from collections import Counter

WORD = re.compile(r"\w+")


def word_f1(text: str, gold: str) -> tuple[float, float, float]:
    """Precision, recall and F1 of the words of a text against the gold text's, as multisets in lower case."""
    have, want = (Counter(WORD.findall(t.lower())) for t in (text, gold))
    hit = (have & want).total()
    p, r = hit / max(1, have.total()), hit / max(1, want.total())
    return p, r, 2 * p * r / max(1e-9, p + r)
