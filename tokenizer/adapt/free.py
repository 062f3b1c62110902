"""Which ids of a base may be freed for new tokens.

A token may go only where no token that stays needs it: where it is no part of the canonical derivation of
one, the merges by which BPE makes its bytes. Then every text that the base encodes without freed tokens is
encoded as before: all merges on the way to its ids are merges of tokens that stay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from tokenizer.adapt.base import Base, Ids, holds_cyrillic
from tokenizer.vocabulary import NO_MERGE


def closed(base: Base, wanted: Iterable[int]) -> set[int]:
    """The largest part of `wanted` (ranks) that may go: without single bytes, ASCII tokens, and parts of
    tokens that stay."""
    free = {rank for rank in wanted if rank >= 256 and not base.tokens[rank].isascii()}
    waiting = [rank for rank in range(256, len(base.tokens)) if rank not in free]
    while waiting:
        pair = base.merges[waiting.pop() - 256]
        if pair == NO_MERGE:
            continue
        for part in pair:
            if part in free:
                free.discard(part)
                waiting.append(part)
    return free


def at_most(base: Base, free: set[int], number: int) -> set[int]:
    """So many of `free` (closed), or hardly more: those of the highest ranks, which the base learnt last."""
    order = sorted(free, reverse=True)
    taken = number
    while True:
        chosen = closed(base, order[:taken])
        if len(chosen) >= number or taken >= len(order):
            return chosen
        taken += number - len(chosen)


def little_used(base: Base, uses: Sequence[int], least: int) -> set[int]:
    """Ranks of the Cyrillic tokens that a text uses less than `least` times, by `uses` of each rank."""
    return {
        rank
        for rank, token in enumerate(base.tokens)
        if rank >= 256 and uses[rank] < least and holds_cyrillic(token)
    }


def reduced_pieces(base: Base, free: Collection[int]) -> dict[int, tuple[int, ...]]:
    """Of each freed rank the tokens that stay of which its bytes are made then: its derivation undone."""
    pieces: dict[int, tuple[int, ...]] = {}

    def undone(rank: int) -> tuple[int, ...]:
        if rank not in free:
            return (rank,)
        if rank not in pieces:
            pair = base.merges[rank - 256]
            if pair == NO_MERGE:
                singles = [base.rank_of[bytes([byte])] for byte in base.tokens[rank]]
                pieces[rank] = tuple(singles)
            else:
                pieces[rank] = undone(pair[0]) + undone(pair[1])
        return pieces[rank]

    for rank in sorted(free):
        undone(rank)
    return pieces


def protected(base: Base, free: set[int], kept: Mapping[str, Ids], growth: float) -> set[int]:
    """The part of `free` that may go if no text of `kept` (name -> how often the base uses each rank in it)
    is to take more than `growth` (a share) more tokens: those that would cost a text most stay, one by
    one."""
    free = set(free)
    for uses in kept.values():
        total = int(uses.sum())
        while free:
            pieces = reduced_pieces(base, free)
            costs = {rank: int(uses[rank]) * (len(made) - 1) for rank, made in pieces.items()}
            over = sum(costs.values()) - growth * total
            if over <= 0:
                break
            stays: set[int] = set()
            for rank in sorted(costs, key=lambda rank: (-costs[rank], rank)):
                if over <= 0:
                    break
                stays.add(rank)
                over -= costs[rank]
            free = closed(base, free - stays)
    return free


def uses_of(base: Base, texts: Iterable[str], threads: int = 1) -> Ids:
    """How often the base uses each rank in the texts."""
    uses = np.zeros(len(base.tokens), dtype=np.int64)
    batch: list[str] = []
    for text in texts:
        batch.append(text)
        if len(batch) == 4096:
            ranks, _ = base.encoder.ranks(batch, threads)
            uses += np.bincount(ranks, minlength=len(uses))
            batch.clear()
    ranks, _ = base.encoder.ranks(batch, threads)
    return uses + np.bincount(ranks, minlength=len(uses))
