"""The table of known words, by which `unknown_word_ratio` tells words that no Russian writes.

    python -m scripts.fit.known_words WORDS corpus/assets/quality/known_words.bin

WORDS is `large_ru.msgpack.gz` of the package wordfreq (3.1.1; data under CC-BY-SA-4.0): forms of Russian by
frequency in Wikipedia, subtitles, news, books and the web. The commonest `MOST` of four or more Russian
letters make a Bloom filter of `BYTES` bytes, with ё as е; what is read back from it are answers, no list.
rust_ext/crates/quality/src/known.rs reads it. The package msgpack is needed.
"""

from __future__ import annotations

import gzip
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

BYTES: Final = 1 << 19
#: Bits that a word sets; with `MOST` words .27 of the bits are set, and .02 of other words seem to be known.
PLACES: Final = 3
MOST: Final = 450_000
PLAIN: Final = re.compile(r"[а-яё]{4,}")
_MASK: Final = (1 << 64) - 1


def places(word: str) -> list[int]:
    """The bits of a word, ё as е already: 22 bits each of a mixed FNV-1a of its UTF-8."""
    value = 0xCBF29CE484222325
    for byte in word.encode():
        value = ((value ^ byte) * 0x100000001B3) & _MASK
    mixed = ((value ^ (value >> 32)) * 0xD6E8FEB86659FD93) & _MASK
    return [(mixed >> (21 * place)) % (8 * BYTES) for place in range(PLACES)]


def table(words: Iterable[str]) -> bytes:
    """The filter that holds the words."""
    bits = bytearray(BYTES)
    for word in words:
        for at in places(word):
            bits[at // 8] |= 1 << (at % 8)
    return bytes(bits)


def commonest(groups: Iterable[Iterable[str]], most: int) -> Iterator[str]:
    """The first `most` words of four or more Russian letters, each form once, ё as е."""
    seen: set[str] = set()
    for word in (word for group in groups for word in group):
        folded = word.replace("ё", "е")
        if len(seen) < most and PLAIN.fullmatch(word) and folded not in seen:
            seen.add(folded)
            yield folded


def main(words: str, out: str) -> None:
    """Writes the table."""
    import msgpack  # type: ignore[import-untyped]  # of the fit alone

    groups = msgpack.unpackb(gzip.decompress(Path(words).read_bytes()), raw=False)[1:]
    Path(out).write_bytes(table(commonest(groups, MOST)))


if __name__ == "__main__":
    main(*sys.argv[1:])
