"""Tokens to add to a vocabulary, slowly: every step as the definition says it, nothing kept between steps."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence

#: Lead bytes of U+0400..U+04FF.
LEADS = set(range(0xD0, 0xD4))


def merged(piece: bytes, ranks: Mapping[bytes, int]) -> list[bytes]:
    """The tokens of a pretoken: of neighbours whose concatenation is a token the lowest rank first, leftmost
    of equals."""
    parts = [bytes([byte]) for byte in piece]
    while True:
        found = [
            (ranks[left + right], at)
            for at, (left, right) in enumerate(itertools.pairwise(parts))
            if left + right in ranks
        ]
        if not found:
            return parts
        _, at = min(found)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]


def extend(counts: Mapping[bytes, int], tokens: Sequence[bytes], add: int, least: int = 1) -> list[bytes]:
    """The `add` tokens that continued BPE makes, in order. Pairs by count; ties to the smaller left rank,
    then the smaller right one. For vocabularies in which every token is the BPE of its own bytes."""
    ranks = {token: rank for rank, token in enumerate(tokens)}
    made: list[bytes] = []
    words = {piece: count for piece, count in counts.items() if LEADS & set(piece)}
    while len(made) < add:
        pairs: Counter[tuple[bytes, bytes]] = Counter()
        for piece, count in words.items():
            parts = merged(piece, ranks)
            for left, right in itertools.pairwise(parts):
                if LEADS & set(left + right):
                    pairs[left, right] += count
        usable = {pair: count for pair, count in pairs.items() if count >= least}
        if not usable:
            break
        left, right = max(usable, key=lambda pair: (usable[pair], -ranks[pair[0]], -ranks[pair[1]]))
        made.append(left + right)
        ranks[left + right] = len(ranks)
    return made
