"""Where tokens stand in the adapted tokenizer: ids of those that stay, and ids for new ones.

A tokenizer.json keeps ids and the order of merges apart: what stays keeps its id, new tokens fill the ids
that were freed, lowest first, and follow the last id of the base after that. In tekken.json and in tiktoken
ranks the id is the rank, and a new token has to come after all that it is made of: there, once anything is
freed, the Cyrillic tokens that stay move to the lowest ids of theirs and the freed ones together, in their
old order, and new tokens take the others. No token without Cyrillic moves, and no special token.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count

from tokenizer.adapt.base import HF, Base, holds_cyrillic
from tokenizer.vocabulary import NO_MERGE


@dataclass(frozen=True)
class Arrangement:
    """reduced: the base without what was freed; holes: ids below the base's rows for new tokens, rising."""

    base: Base
    reduced: Base
    holes: tuple[int, ...]

    def new_ids(self, learnt: Sequence[bytes]) -> list[int]:
        """The ids of tokens that were learnt one after the other. Where ids need not rise, one that the base
        has had takes its id again."""
        again: dict[bytes, int] = {}
        if self.base.form == HF:
            known = self.base.rank_of
            again = {token: self.base.ids[known[token]] for token in learnt if token in known}
        taken = set(again.values())
        rising = chain((index for index in self.holes if index not in taken), count(self.base.rows))
        return [again[token] if token in again else next(rising) for token in learnt]

    def with_tokens(self, new: Sequence[bytes]) -> Base:
        """The tokenizer with tokens that were learnt one after the other."""
        reduced, ids = self.reduced, self.new_ids(new)
        tokens = [*zip(reduced.tokens, reduced.ids, strict=True), *zip(new, ids, strict=True)]
        if reduced.form != HF:
            tokens[256:] = sorted(tokens[256:], key=lambda token: token[1])
        return replace(
            reduced,
            tokens=tuple(token for token, _ in tokens),
            ids=tuple(index for _, index in tokens),
            rows=max([reduced.rows, *(index + 1 for index in ids)]),
        )


def arrange(base: Base, free: Collection[int]) -> Arrangement:
    """The base without the ranks `free`, which are closed (`tokenizer.adapt.free.closed`)."""
    if not free:
        return Arrangement(base, base, ())
    stays = [rank for rank in range(len(base.tokens)) if rank not in free]
    if base.form == HF:
        holes = sorted(base.ids[rank] for rank in free)
        ids = {rank: base.ids[rank] for rank in stays}
    else:
        ids, holes = _moved(base, free, stays)
    order = stays[:256] + sorted(stays[256:], key=ids.__getitem__) if base.form != HF else stays
    reduced = replace(
        base,
        tokens=tuple(base.tokens[rank] for rank in order),
        ids=tuple(ids[rank] for rank in order),
    )
    return Arrangement(base, reduced, tuple(holes))


def _moved(base: Base, free: Collection[int], stays: Sequence[int]) -> tuple[dict[int, int], list[int]]:
    """Ids of the ranks that stay, and the ids that are left."""
    moving = [rank for rank in stays if rank >= 256 and holds_cyrillic(base.tokens[rank])]
    pool = sorted([base.ids[rank] for rank in free] + [base.ids[rank] for rank in moving])
    ids = {rank: base.ids[rank] for rank in stays}
    left: list[int] = []
    at = 0
    for place, rank in enumerate(moving):
        pair = base.merges[rank - 256]
        least = -1 if pair == NO_MERGE else max(ids[part] for part in pair)
        # It must come after its parts, but ids must be left for those behind it.
        while pool[at] < least and len(pool) - at > len(moving) - place:
            left.append(pool[at])
            at += 1
        ids[rank] = pool[at]
        at += 1
    return ids, sorted(left + pool[at:])
