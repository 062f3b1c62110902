"""Compression and what repeats: part of the oracle of rust_ext/crates/quality."""

from __future__ import annotations

from tests.oracles.quality_lines import Line, ratio
from tests.oracles.quality_tokens import Word


def compression(data: bytes) -> float:
    """The size of the first 64 KiB after compression, over their size."""
    data = data[: 1 << 16]
    return ratio(compressed_bits(data), 8 * len(data))


def compressed_bits(data: bytes) -> int:
    """Bits of a greedy LZ77 of one entry a hash of four bytes: 9 a literal, 24 a match."""
    table: dict[int, int] = {}
    at = bits = 0
    while at + 4 <= len(data):
        key = (int.from_bytes(data[at : at + 4], "little") * 2654435761 & 0xFFFFFFFF) >> 17
        before = table.get(key, -1)
        table[key] = at
        if before < 0 or data[before : before + 4] != data[at : at + 4]:
            bits, at = bits + 9, at + 1
            continue
        end = at + 4
        while end < len(data) and data[end] == data[before + end - at]:
            end += 1
        bits, at = bits + 24, end
    return bits + 9 * (len(data) - at)


def _template(line: Line) -> tuple[str, ...]:
    def kind(w: Word) -> str:
        if not w.is_word:
            return w.text[0]
        if not w.has_letter:
            return "0"
        return w.lower if w.function else "A" if w.capital else "a"

    return tuple(map(kind, line.tokens))


def repeats(lines: list[Line], every: list[Word]) -> dict[str, float]:
    """Signals of templates and of words that occur again."""
    words = [w.lower for w in every if w.is_word]
    seen: set[tuple[str, ...]] = set()
    repeated = 0
    for line in lines:
        if len(line.tokens) < 3:
            continue
        template = _template(line)
        repeated += line.words if template in seen else 0
        seen.add(template)
    grams: set[tuple[str, ...]] = set()
    again = 0
    for at in range(len(words) - 2):
        gram = tuple(words[at : at + 3])
        again += gram in grams
        grams.add(gram)
    return {
        "template_line_ratio": ratio(repeated, len(words)),
        "dup_3_gram_ratio": ratio(again, max(len(words) - 2, 0)),
    }
