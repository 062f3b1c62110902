"""Fit the lexicon by which repair judges lines of one or two words, of which letters tell too little.

    python -m scripts.fit.words DATA rust_ext/crates/letters/src

DATA holds `text_ru/` (public-domain fiction, CC0 drama and dialogue, CC-BY technical prose) and
`langid/sentences.parquet` (NTREX-128, CC-BY-SA-4.0, and Tatoeba, CC-BY-2.0-FR). The lexicon is the commonest
words of up to `LONGEST` letters, each source counting alike, in tiers of -log P; case and ё are folded. Every
tenth document of fiction, drama and prose, and every second of dialogue, stays out, for measuring.

What a word costs more for not being there, by its length, is -log of the share of such words in the Russian
sentences, which are of no source of the lexicon.

A word is written as a digest of 24 bits (`digest`), so that 20,000 take 50 KB: one word in 800 that is not
there seems to be. `rust_ext/crates/letters/src/words.rs` reads the file, with `abbreviations.txt`, set down
by hand.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

# Not the endings in 1-й and PDF-а, nor what is glued to other letters.
WORD = re.compile(r"(?<![\w-])[а-яё]+(?!\w)", re.IGNORECASE)
#: Sources, and which documents of each stay out: (at, every).
SOURCES = {"ruslit": (9, 10), "rusdracor": (9, 10), "phpdoc_ru": (9, 10), "koziev": (1, 2)}
LONGEST = 8
WORDS = 20_000
# Tiers are two nats wide: the letters of a word of five cost 12, so that finer ones change nothing.
TIER = 20
LAST_TIER = 120
BITS = 24
FNV_START, FNV_FACTOR = 0xCBF29CE484222325, 0x100000001B3
# A difference of digests, five bits a character, the lowest first; the sixth bit says that more follow.
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"


def folded(word: str) -> str:
    """Without case, ё as е: text writes one word either way."""
    return word.lower().replace("ё", "е")


def digest(word: str) -> int:
    """FNV-1a over the code points of a folded word, folded to `BITS`."""
    value = FNV_START
    for char in folded(word):
        value = (value ^ ord(char)) * FNV_FACTOR % 2**64
    return int((value ^ value >> BITS ^ value >> 2 * BITS) % 2**BITS)


def shares(data: Path) -> dict[str, float]:
    """The share of each word among the words of a source, averaged over the sources."""
    mean: dict[str, float] = {}
    for name, (at, every) in SOURCES.items():
        counts: Counter[str] = Counter()
        for number, text in enumerate(
            pq.read_table(data / "text_ru" / f"{name}.parquet")["text"].to_pylist()
        ):
            if number % every != at:
                counts.update(map(folded, WORD.findall(text)))
        total = counts.total()
        for word, count in counts.items():
            mean[word] = mean.get(word, 0.0) + count / total / len(SOURCES)
    return mean


def unknown_costs(data: Path, known: set[str]) -> list[int]:
    """For each length from 0 to `LONGEST` -log of the share of words that are unknown, in tenths of a nat."""
    rows = pq.read_table(data / "langid" / "sentences.parquet").to_pylist()
    words = [folded(word) for row in rows if row["lang"] == "rus" for word in WORD.findall(row["text"])]
    costs = [0]
    for length in range(1, LONGEST + 1):
        alike = [word in known for word in words if len(word) == length]
        costs.append(round(-10 * float(np.log((alike.count(False) + 0.5) / (len(alike) + 1)))))
    return costs


def written(digests: list[int]) -> str:
    """Sorted digests as their differences."""
    out = []
    before = 0
    for value in digests:
        rest = value - before
        before = value
        while rest >= 32:
            out.append(ALPHABET[32 + rest % 32])
            rest //= 32
        out.append(ALPHABET[rest])
    return "".join(out)


def read_back(differences: str) -> list[int]:
    """The digests that `written` wrote."""
    digests, value, rest, shift = [], 0, 0, 0
    for place in map(ALPHABET.index, differences):
        rest |= place % 32 << shift
        shift += 5
        if place < 32:
            value += rest
            digests.append(value)
            rest = shift = 0
    return digests


def main() -> None:
    """Write words.txt into the folder of the second argument from the data folder of the first."""
    data, folder = Path(sys.argv[1]), Path(sys.argv[2])
    found = shares(data)
    commonest = [word for word in sorted(found, key=found.__getitem__, reverse=True) if len(word) <= LONGEST][
        :WORDS
    ]
    tiers: dict[int, set[int]] = {}
    for word in commonest:
        cost = -10 * float(np.log(found[word]))
        tiers.setdefault(min(LAST_TIER, TIER * round(cost / TIER)), set()).add(digest(word))
    lines = [
        "# Written by `python -m scripts.fit.words`; do not edit.",
        "# Counted in public-domain Russian fiction, CC0 drama (RusDraCor) and dialogue (Koziev), and",
        "# CC-BY-3.0 PHP documentation; NTREX-128 (CC-BY-SA-4.0) and Tatoeba (CC-BY-2.0-FR) say what share",
        "# of words is missing. First line: what a word of 0, 1, 2, ... letters costs more for not being in",
        "# the lexicon. Then, a line a tier, what its words cost, and their digests as differences.",
        "# Tenths of a nat.",
        " ".join(map(str, unknown_costs(data, set(commonest)))),
    ]
    lines += [f"{cost} {written(sorted(digests))}" for cost, digests in sorted(tiers.items())]
    (folder / "words.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
