"""Documents packed into sequences of one length, for trainers that read so many tokens at a time.

    cut      documents one after another, cut wherever a sequence ends; only the last one is padded
    whole    best-fit decreasing over a window of documents: one that fits a sequence is never cut, a longer
             one gives whole sequences and a rest; what stays free is padded

Whole packing follows the best-fit packing of Ding et al. 2024 (Fewer Truncations Improve Language Modeling).
Memory is bounded by the window, cost linear in documents but for the look-up of a free place.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa

from pipelines.tokens.formats import Lengths
from pipelines.tokens.shards import Documents

CUT: Final = "cut"
WHOLE: Final = "whole"
PACKINGS: Final = (CUT, WHOLE)
#: Tokens of documents among which places are looked for; 64 MiB of ids.
WINDOW: Final = 16 << 20


@dataclass
class Packed:
    """Counts of one task and split: sequences, documents in them, how many are cut, tokens of padding."""

    sequences: int = 0
    documents: int = 0
    cut: int = 0
    padding: int = 0


@dataclass(frozen=True)
class _Piece:
    """Part of a document: its number in the window, and its tokens there; whether it is all of it."""

    document: int
    start: int
    stop: int
    whole: bool


@dataclass
class Packer:
    """Packs documents into sequences of `length` tokens; `pad` fills what stays free."""

    length: int
    packing: str
    pad: int
    window: int = WINDOW
    counts: Packed = field(default_factory=Packed)
    _waiting: list[Documents] = field(default_factory=list)
    _tokens: int = 0
    #: Of the first waiting document, tokens that stand in a sequence already (`cut` alone).
    _begun: int = 0

    def add(self, documents: Documents) -> Iterator[Documents]:
        """Take documents; gives sequences when a window of them is full."""
        self._waiting.append(documents)
        self._tokens += len(documents.ids)
        if self._tokens >= self.window:
            yield from self._pack(last=False)

    def close(self) -> Iterator[Documents]:
        """The sequences of the documents that wait."""
        if self._waiting:
            yield from self._pack(last=True)

    def _pack(self, *, last: bool) -> Iterator[Documents]:
        documents = _joined(self._waiting)
        self._waiting, self._tokens = [], 0
        ends = np.cumsum(documents.lengths)
        starts = ends - documents.lengths
        bins = self._best_fit(starts, ends) if self.packing == WHOLE else self._cut(starts, ends, last=last)
        if self.packing == CUT and not last:
            bins = self._keep_rest(documents, bins, ends)
        self.counts.sequences += len(bins)
        if bins:
            yield self._sequences(documents, bins)

    def _best_fit(self, starts: Lengths, ends: Lengths) -> list[list[_Piece]]:
        length = self.length
        self.counts.documents += len(starts)
        bins: list[list[_Piece]] = []
        rests: list[_Piece] = []
        for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
            whole = end - start <= length
            self.counts.cut += not whole
            full = start + (end - start) // length * length
            bins += [[_Piece(number, at, at + length, whole)] for at in range(start, full, length)]
            if full < end:
                rests.append(_Piece(number, full, end, whole))
        bins += _placed(rests, length)
        for one in bins:
            one.sort(key=lambda piece: piece.start)
        return sorted(bins, key=lambda one: one[0].start)

    def _cut(self, starts: Lengths, ends: Lengths, *, last: bool) -> list[list[_Piece]]:
        """All tokens in order; the last sequence may be short."""
        length, begun = self.length, self._begun
        total = int(ends[-1]) if len(ends) else 0
        bins: list[list[_Piece]] = [[] for _ in range(-(-total // length))]
        for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
            whole = start // length == (end - 1) // length and not (number == 0 and begun)
            at = start
            while at < end:
                stop = min(end, (at // length + 1) * length)
                bins[at // length].append(_Piece(number, at, stop, whole))
                at = stop
            if last or end <= total // length * length:
                self.counts.documents += 1
                self.counts.cut += not whole
        return bins

    def _keep_rest(self, documents: Documents, bins: list[list[_Piece]], ends: Lengths) -> list[list[_Piece]]:
        """Leave what does not fill a sequence for later; the full ones."""
        total = int(ends[-1])
        full = total // self.length
        if full * self.length == total:
            self._begun = 0
            return bins
        first = bins[full][0]
        start = int(ends[first.document] - documents.lengths[first.document])
        begun = full * self.length - start + (self._begun if first.document == 0 else 0)
        rest = documents.part(first.document, len(documents))
        cut = full * self.length - start
        lengths = rest.lengths.copy()
        lengths[0] -= cut
        self._waiting = [Documents(rest.ids[cut:], lengths, rest.doc_ids, rest.texts, rest.normalization)]
        self._tokens, self._begun = len(rest.ids) - cut, begun
        return bins[:full]

    def _sequences(self, documents: Documents, bins: list[list[_Piece]]) -> Documents:
        """Sequences as documents of one length each, known by the first document in them; with its text where
        that is not cut."""
        ids = np.full((len(bins), self.length), self.pad, np.uint32)
        wholes = np.zeros(len(bins), np.int64)
        for row, pieces in zip(ids, bins, strict=True):
            at = 0
            for piece in pieces:
                row[at : at + piece.stop - piece.start] = documents.ids[piece.start : piece.stop]
                at += piece.stop - piece.start
            self.counts.padding += self.length - at
        firsts = [pieces[0] for pieces in bins]
        wholes[:] = [piece.whole * (piece.stop - piece.start) for piece in firsts]
        chosen = pa.array([piece.document for piece in firsts])
        # A text per sequence of a long document would take memory of the square of its length.
        whole = pa.array([piece.document if piece.whole else None for piece in firsts], pa.int64())
        return Documents(
            ids.reshape(-1),
            np.full(len(bins), self.length, np.int64),
            documents.doc_ids.take(chosen),
            documents.texts.take(whole),
            documents.normalization,
            wholes,
        )


def _placed(pieces: list[_Piece], length: int) -> list[list[_Piece]]:
    """Pieces in sequences, the longest first, each where the least stays free."""
    bins: list[list[_Piece]] = []
    rooms: list[int] = []  # free tokens of open sequences, different ones, sorted
    by_room: dict[int, list[list[_Piece]]] = {}
    for piece in sorted(pieces, key=lambda one: (one.start - one.stop, one.document)):
        size = piece.stop - piece.start
        place = bisect_left(rooms, size)
        if place == len(rooms):
            room, chosen = length, list[_Piece]()
            bins.append(chosen)
        else:
            room = rooms[place]
            chosen = by_room[room].pop()
            if not by_room[room]:
                del rooms[place]
        chosen.append(piece)
        if room > size:
            if not by_room.setdefault(room - size, []):
                insort(rooms, room - size)
            by_room[room - size].append(chosen)
    return bins


def _joined(parts: list[Documents]) -> Documents:
    if len(parts) == 1:
        return parts[0]
    return Documents(
        np.concatenate([one.ids for one in parts]),
        np.concatenate([one.lengths for one in parts]),
        pa.concat_arrays([one.doc_ids for one in parts]),
        pa.concat_arrays([one.texts for one in parts]),
        parts[0].normalization,
    )
