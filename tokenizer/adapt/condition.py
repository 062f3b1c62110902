"""What state the tokens of a tokenizer are in: which of them a text can make, and a text that does.

merge-dead      merging does not arrive at the token from its own bytes, so no text makes it by merges;
                with `ignore_merges` it may stand where it is a whole pretoken
pretoken-dead   in none of the contexts tried does the split pattern leave the token in one pretoken
unstable        the normalizer changes its text, so no normalized text holds it
partial         holds a part of a character; with a witness text, or none that was found
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np

from tokenizer.adapt.base import Base, normalized
from tokenizer.adapt.scripts import assigned, beginnings, whole_and_rest
from tokenizer.vocabulary import NO_MERGE

Sought = TypeVar("Sought", str, bytes)

MERGE_DEAD: Final = "merge-dead"
PRETOKEN_DEAD: Final = "pretoken-dead"
UNSTABLE: Final = "unstable"
UNWITNESSED: Final = "partial, no witness found"
IMPOSSIBLE: Final = "not in UTF-8"

#: What may stand around a token; kinds of characters that split patterns tell apart.
_CONTEXTS: Final = tuple(
    (left, right)
    for left in ("", "a", "я", " ", "1", ".", "\n", "'", "中", "  ", "A", "\u0301", "क")
    for right in ("", "a", "я", " ", "1", ".", "\n", "s")
)
#: Completions of a character tried on each side of a partial token, and of both together.
_SIDE: Final = 160
_BOTH: Final = 1200
_BATCH: Final = 100_000


@dataclass(frozen=True)
class Condition:
    """dead: id -> kind, of tokens that no text was found to make. witnesses: id -> a text that makes it, of
    partial tokens and of merge-dead ones. partial: ids of tokens with a part of a character. merge_dead: ids
    of tokens that merging does not reach, those that are reached as whole pretokens included."""

    dead: dict[int, str]
    witnesses: dict[int, str]
    partial: tuple[int, ...]
    merge_dead: tuple[int, ...]

    def count(self, kind: str) -> int:
        """Tokens of a kind of death."""
        return sum(one == kind for one in self.dead.values())

    @property
    def summary(self) -> dict[str, int]:
        """How many tokens are in which state."""
        kinds = (MERGE_DEAD, PRETOKEN_DEAD, UNSTABLE, UNWITNESSED, IMPOSSIBLE)
        return {
            "partial": len(self.partial),
            "not made by merges": len(self.merge_dead),
            **{kind: self.count(kind) for kind in kinds},
        }


def condition(base: Base, seen: Iterable[int] = ()) -> Condition:
    """The state of every token of 2 bytes and more, and of single bytes that are no ASCII. `seen`: ranks that
    some text is known to make."""
    known = set(seen)
    texts: dict[int, str] = {}
    partial: list[int] = []
    dead: dict[int, str] = {}
    for rank, token in enumerate(base.tokens):
        head, text, rest = whole_and_rest(token)
        if head or rest:
            partial.append(rank)
        else:
            texts[rank] = text
    for rank, changed in zip(texts, normalized(texts.values(), base.normalization), strict=True):
        if changed != texts[rank]:
            dead[rank] = UNSTABLE
    whole = {rank: text for rank, text in texts.items() if rank not in dead and rank not in known}
    witnesses = _search(base, whole, _in_contexts)
    for rank in whole:
        if rank not in witnesses:
            merged = rank < 256 or base.merges[rank - 256] != NO_MERGE
            dead[rank] = PRETOKEN_DEAD if merged else MERGE_DEAD
    sought = {rank: base.tokens[rank] for rank in partial if rank not in known}
    found = _search(base, sought, _completed)
    for rank in sought:
        if rank not in found:
            dead[rank] = _why_not(base, rank)
    unmerged = {
        rank: text for rank, text in witnesses.items() if rank >= 256 and base.merges[rank - 256] == NO_MERGE
    }
    return Condition(
        {base.ids[rank]: kind for rank, kind in sorted(dead.items())},
        {base.ids[rank]: text for rank, text in sorted((found | unmerged).items())},
        tuple(base.ids[rank] for rank in partial),
        tuple(base.ids[rank] for rank, pair in enumerate(base.merges, start=256) if pair == NO_MERGE),
    )


def _why_not(base: Base, rank: int) -> str:
    token = base.tokens[rank]
    head, text, rest = whole_and_rest(token)
    impossible = set(token) & {0xC0, 0xC1, *range(0xF5, 0x100)}
    if impossible or (not head and not text and not len(beginnings(rest))):
        return IMPOSSIBLE
    return MERGE_DEAD if rank >= 256 and base.merges[rank - 256] == NO_MERGE else UNWITNESSED


def _search(
    base: Base, sought: Mapping[int, Sought], candidates: Callable[[Sought], Iterator[str]]
) -> dict[int, str]:
    """Of each rank the first of its candidate texts in whose encoding it stands. Candidates are taken in
    rounds, twice as many each time, so that most ranks cost a few."""
    streams = {rank: candidates(what) for rank, what in sought.items()}
    found: dict[int, str] = {}
    share = 1
    while streams:
        ranks: list[int] = []
        texts: list[str] = []
        for rank in list(streams):
            some = [text for _, text in zip(range(share), streams[rank], strict=False)]
            if len(some) < share:
                del streams[rank]
            ranks += [rank] * len(some)
            texts += some
        for start in range(0, len(texts), _BATCH):
            _look(base, ranks[start : start + _BATCH], texts[start : start + _BATCH], found)
        for rank in found:
            streams.pop(rank, None)
        share *= 2
    return found


def _look(base: Base, ranks: list[int], texts: list[str], found: dict[int, str]) -> None:
    made, offsets = base.encoder.ranks(texts)
    owners = np.repeat(np.asarray(ranks, dtype=np.int64), np.diff(offsets))
    hits = np.flatnonzero(owners == made)
    for place in np.unique(np.searchsorted(offsets, hits, side="right") - 1).tolist():
        found.setdefault(ranks[place], texts[place])


def _in_contexts(text: str) -> Iterator[str]:
    for left, right in _CONTEXTS:
        yield left + text + right


def _completed(token: bytes) -> Iterator[str]:
    """Texts that hold the token's bytes: its broken characters completed in many ways."""
    head, text, rest = whole_and_rest(token)
    if head == token and not text and not rest and not all(0x80 <= byte < 0xC0 for byte in token):
        return
    befores = _endings(head) if head else [""]
    afters = _completions(rest) if rest else [""]
    pairs = ((before, after) for before in befores for after in afters)
    step = max(1, len(befores) * len(afters) // _BOTH)
    for place, (before, after) in enumerate(pairs):
        if place % step == 0:
            yield before + text + after
            yield f" {before}{text}{after}"
            yield f"{before}{text}{after}a"


def _spread(points: list[int], most: int) -> list[str]:
    step = max(1, len(points) // most)
    return [chr(point) for point in points[::step]]


def _completions(rest: bytes) -> list[str]:
    """Characters whose UTF-8 begins with `rest`."""
    flags = assigned()
    return _spread([point for point in beginnings(rest) if flags[point]], _SIDE)


def _endings(head: bytes) -> list[str]:
    """Characters whose UTF-8 ends with `head`, bytes that go on with a character."""
    tail, bits = 0, 6 * len(head)
    for byte in head:
        tail = tail << 6 | byte & 0x3F
    if len(head) > 3:
        return []
    flags = assigned()
    points = [point for point in range(tail, len(flags), 1 << bits) if flags[point]]
    return _spread([point for point in points if len(chr(point).encode()) > len(head)], _SIDE)
