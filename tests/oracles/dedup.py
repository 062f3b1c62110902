"""The oracle of `rust_ext/crates/dedup/src/`: same words, same signatures, same clusters.

For reading and for tests; about a thousand times slower. Everything here is plain integers and strings.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def normalise(text: str) -> str:
    """What the exact hash sees."""
    visible = "".join(c.lower() for c in text if unicodedata.category(c) != "Cf")
    spaced = "".join(" " if _is_space(c) else c for c in visible if unicodedata.category(c) != "Cf")
    composed = spaced.replace("и\u0306", "й").replace("у\u0306", "ў").replace("і\u0308", "ї")
    folded = re.sub("[её]\u0308*", "е", composed)
    return " ".join(word for word in folded.split(" ") if word)


def _is_space(character: str) -> bool:
    category = unicodedata.category(character)
    return category == "Cc" or category.startswith("Z")


def words(text: str) -> list[str]:
    """Runs of letters, numbers and marks that begin with a letter or number, of the normalised text."""
    found: list[str] = []
    current = ""
    for character in normalise(text) + " ":
        kind = unicodedata.category(character)[0]
        if kind in "LN" or (kind == "M" and current):
            current += character
        elif current:
            found.append(current)
            current = ""
    return found


def exact_hash(text: str) -> bytes:
    return hashlib.blake2b(normalise(text).encode(), digest_size=16).digest()


def _finish(value: int) -> int:
    value ^= value >> 33
    value = value * 0xFF51AFD7ED558CCD & _MASK
    value ^= value >> 33
    value = value * 0xC4CEB9FE1A85EC53 & _MASK
    return value ^ (value >> 33)


def _absorb(state: int, value: int) -> int:
    mixed = (state ^ value) * _GOLDEN & _MASK
    return mixed ^ (mixed >> 32)


def hash_word(word: str) -> int:
    data = word.encode()
    state = _absorb(0, len(data))
    for start in range(0, len(data), 8):
        state = _absorb(state, int.from_bytes(data[start : start + 8], "little"))
    return _finish(state)


def shingles(text: str, ngram: int) -> list[int]:
    """32-bit hashes of runs of `ngram` words; a shorter text is one run, a text without words none."""
    hashes = [hash_word(word) for word in words(text)]
    length = min(ngram, len(hashes))
    found = []
    for start in range(len(hashes) - length + 1 if hashes else 0):
        state = length
        for value in hashes[start : start + length]:
            state = _absorb(state, value)
        found.append(_finish(state) >> 32)
    return found


def functions(count: int, seed: int) -> Iterator[tuple[int, int]]:
    """The multiplier and offset of each function of a signature, drawn by SplitMix64."""
    state = seed
    for _ in range(count):
        state = state + _GOLDEN & _MASK
        value = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB & _MASK
        value ^= value >> 31
        yield (value >> 32) | 1, value & 0xFFFFFFFF


def signature(text: str, bands: int, rows: int, ngram: int, seed: int) -> list[int]:
    values = shingles(text, ngram)
    return [
        min(((a * value + b) & 0xFFFFFFFF for value in values), default=0xFFFFFFFF)
        for a, b in functions(bands * rows, seed)
    ]


def band_hashes(signed: Sequence[int], rows: int) -> list[int]:
    found = []
    for band, start in enumerate(range(0, len(signed), rows), 1):
        state = band
        for value in signed[start : start + rows]:
            state = _absorb(state, value)
        found.append(_finish(state))
    return found


@dataclass(frozen=True)
class Fate:
    """What becomes of a document: the position of the kept one of its cluster (its own where it is kept),
    the cluster's size, and None, "exact_duplicate" or "near_duplicate"."""

    kept: int
    size: int
    drop: str | None


def cluster(texts: Sequence[str], bands: int, rows: int, ngram: int, seed: int) -> list[Fate]:
    """Fates of documents in order of (shard, row). Documents that share an exact hash or a band hash are
    linked; of those linked, directly or not, the one with the most words is kept, the earliest of such."""
    groups: dict[object, list[int]] = defaultdict(list)
    counts = []
    for position, text in enumerate(texts):
        counts.append(len(words(text)))
        groups[exact_hash(text)].append(position)
        if bands and counts[-1]:
            signed = signature(text, bands, rows, ngram, seed)
            for band, value in enumerate(band_hashes(signed, rows)):
                groups[band, value].append(position)
    members: dict[int, list[int]] = {position: [position] for position in range(len(texts))}
    for group in groups.values():
        for other in group[1:]:
            joined, left = members[group[0]], members[other]
            if joined is not left:
                joined.extend(left)
                for position in left:
                    members[position] = joined
    fates = []
    for position, text in enumerate(texts):
        found = members[position]
        kept = min(found, key=lambda p: (-counts[p], p))
        same = exact_hash(text) == exact_hash(texts[kept])
        drop = None if kept == position else "exact_duplicate" if same else "near_duplicate"
        fates.append(Fate(kept, len(found), drop))
    return fates
