"""Fit the letter-pair model by which decode and repair tell Cyrillic from its misreadings.

    python -m scripts.fit.letters DATA rust_ext/crates/letters/src

DATA holds `text_ru/` (public-domain fiction, CC0 drama, CC-BY technical prose) and `langid/sentences.parquet`
(NTREX-128, CC-BY-SA-4.0, and Tatoeba, CC-BY-2.0-FR). Russian carries the model; Ukrainian, Belarusian,
Bulgarian, Serbian and Macedonian sentences are weighted to `NEIGHBOUR_SHARE` of it each, so that their
letters are letters and not noise. Every second sentence and every tenth Russian document stay out, for
measuring.

The model is log P(class of a character | class of the character before it), plus the same for letter case,
in tenths of a nat, negated, 0..255 (`pairs.txt`). Beside it stands log P(letter | the two before it) over the
Russian alphabet and the gap between words (`triples.txt`), by which repair judges short lines, and which
backs off to pairs where a triple is rare. Which of the characters between words it is, by whether
Cyrillic letters stand before and after it, is in `gaps.txt`: a « between two letters is no gap.
`rust_ext/crates/letters/src/lib.rs` reads all three files.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

LETTERS = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя" + "іїєґўјљњћђџѓќѕ"
# Characters that running text sets between words as freely as a space: the typographic ones among them.
BETWEEN = "\u00a0«»—–…“”„‘’№•°§©™-"
BOUNDARY, ASCII_LETTER, ODD, OTHER_CYRILLIC = 0, 1, 2, 3
FIRST_LETTER = 4
CLASSES = FIRST_LETTER + len(LETTERS)
CASES = 3  # no letter, lower, upper
NEIGHBOUR_SHARE = 0.02
NEIGHBOURS = ("ukr", "bel", "bul", "srp", "mkd")
# Laplace's rule per pair; a pair never seen costs about 11 nats after a common letter, 7 after a rare one.
SMOOTHING = 0.5
# Capitals that follow a capital cost at most this, in tenths of a nat: text in capitals is text, and counting
# over running text, where it is rare, would call it wrong.
CAPITALS_COST = 8
RUSSIAN = 1 + 33  # the gap between words, а..я with ё
# Occurrences of two letters at which what follows them is believed as much as what follows the second alone.
BELIEF = 20.0
# Costs of triples are written as one character each, "%" for 0, two tenths of a nat a step.
FIRST_CHARACTER, STEP, LAST_STEP = ord("%"), 2, 89
# The most that a character between words costs beside being one, in tenths of a nat, by its place: no letter
# beside it, one after, one before, both. Counts alone would give up to 17 nats, but © or a no-break space,
# rare in fiction, is common on some pages, if hardly inside words.
DEAREST_GAP = (15, 30, 50, 70)
Floats = npt.NDArray[np.float64]


def classes_of(text: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Class and case of each character, as two arrays of length len(text)."""
    table = np.full(0x3000, ODD, dtype=np.int64)
    case = np.zeros(0x3000, dtype=np.int64)
    table[:128] = BOUNDARY
    for code in range(128):
        if chr(code).isalpha():
            table[code] = ASCII_LETTER
    for char in BETWEEN:
        table[ord(char)] = BOUNDARY
    for code in range(0x400, 0x530):
        if chr(code).isalpha():
            table[code] = OTHER_CYRILLIC
            case[code] = 2 if chr(code).isupper() else 1
    for index, char in enumerate(LETTERS):
        for form in (char, char.upper()):
            table[ord(form)] = FIRST_LETTER + index
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    codes = np.minimum(codes, 0x2FFF)
    return table[codes], case[codes]


def count(text: str) -> tuple[Floats, Floats]:
    """Counts of neighbouring classes and cases, where at least one of the two is not ASCII."""
    classes, cases = classes_of(" " + text + " ")
    codes = np.frombuffer((" " + text + " ").encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    wanted = (codes[1:] >= 128) | (codes[:-1] >= 128)
    pairs = np.bincount((classes[:-1] * CLASSES + classes[1:])[wanted], minlength=CLASSES * CLASSES)
    letters = wanted & (cases[1:] > 0)
    case_pairs = np.bincount((cases[:-1] * CASES + cases[1:])[letters], minlength=CASES * CASES)
    return (
        pairs.reshape(CLASSES, CLASSES).astype(np.float64),
        case_pairs.reshape(CASES, CASES).astype(np.float64),
    )


def count_triples(text: str) -> Floats:
    """Counts of [RUSSIAN, RUSSIAN, RUSSIAN]: letters by their place in the alphabet, 0 for any gap.

    Triples with other letters than Russian are left out; what precedes a gap is taken for a gap.
    """
    classes, _ = classes_of(" " + text + " ")
    russian = (classes >= FIRST_LETTER) & (classes < FIRST_LETTER + 33)
    places = np.where(russian, classes - FIRST_LETTER + 1, 0)
    known = russian | (classes == BOUNDARY)
    first, second, third = places[:-2], places[1:-1], places[2:]
    first = np.where(second == 0, 0, first)
    whole = known[:-2] & known[1:-1] & known[2:] & ((second > 0) | (third > 0))
    triples = np.bincount(((first * RUSSIAN + second) * RUSSIAN + third)[whole], minlength=RUSSIAN**3)
    return triples.reshape(RUSSIAN, RUSSIAN, RUSSIAN).astype(np.float64)


def count_gaps(text: str) -> Floats:
    """Counts of [BETWEEN and the rest, 4]: which character it is, by 2 x Cyrillic letter before + after."""
    classes, _ = classes_of(" " + text + " ")
    codes = np.frombuffer((" " + text + " ").encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    letter = classes >= OTHER_CYRILLIC
    gap = np.flatnonzero(classes[1:-1] == BOUNDARY) + 1
    sign = np.full(0x3000, len(BETWEEN), dtype=np.int64)
    for index, char in enumerate(BETWEEN):
        sign[ord(char)] = index
    where = 2 * letter[gap - 1] + letter[gap + 1]
    counts = np.bincount(sign[np.minimum(codes[gap], 0x2FFF)] * 4 + where, minlength=4 * (len(BETWEEN) + 1))
    return counts.reshape(len(BETWEEN) + 1, 4).astype(np.float64)


def gap_costs(counts: Floats) -> npt.NDArray[np.int64]:
    """Negative log probabilities of each of BETWEEN given its place, in tenths of a nat."""
    smooth = counts + SMOOTHING
    logs = -10 * np.log(smooth / smooth.sum(axis=0, keepdims=True))
    rounded: npt.NDArray[np.int64] = np.clip(np.rint(logs[:-1]), 0, DEAREST_GAP).astype(np.int64)
    return rounded


def triple_costs(counts: Floats) -> npt.NDArray[np.int64]:
    """Negative log probabilities of the third given the two before it, in steps of two tenths of a nat."""
    pairs = counts.sum(axis=0) + SMOOTHING
    of_pair = pairs / pairs.sum(axis=1, keepdims=True)
    seen = counts.sum(axis=2, keepdims=True)
    mixed = (counts + BELIEF * of_pair[None, :, :]) / (seen + BELIEF)
    steps: npt.NDArray[np.int64] = np.clip(np.rint(-10 * np.log(mixed) / STEP), 0, LAST_STEP).astype(np.int64)
    return steps


def costs(counts: Floats) -> npt.NDArray[np.int64]:
    """Negative log conditional probabilities in tenths of a nat."""
    smooth = counts + SMOOTHING
    logs = -10 * np.log(smooth / smooth.sum(axis=1, keepdims=True))
    rounded: npt.NDArray[np.int64] = np.clip(np.rint(logs), 0, 255).astype(np.int64)
    return rounded


def fit(data: Path) -> tuple[npt.NDArray[np.int64], ...]:
    """The cost tables: [CLASSES, CLASSES], [CASES, CASES], [RUSSIAN, RUSSIAN, RUSSIAN], [len(BETWEEN), 4]."""
    pairs, cases = np.zeros((CLASSES, CLASSES)), np.zeros((CASES, CASES))
    triples = np.zeros((RUSSIAN, RUSSIAN, RUSSIAN))
    gaps = np.zeros((len(BETWEEN) + 1, 4))
    for name in ("ruslit", "rusdracor", "phpdoc_ru"):
        for number, text in enumerate(
            pq.read_table(data / "text_ru" / f"{name}.parquet")["text"].to_pylist()
        ):
            if number % 10 != 9:
                more_pairs, more_cases = count(text)
                pairs, cases = pairs + more_pairs, cases + more_cases
                triples += count_triples(text)
                gaps += count_gaps(text)
    sentences = pq.read_table(data / "langid" / "sentences.parquet").to_pylist()
    russian = pairs.sum()
    for lang in NEIGHBOURS:
        text = "\n".join(row["text"] for row in [row for row in sentences if row["lang"] == lang][::2])
        more_pairs, more_cases = count(text)
        weight = NEIGHBOUR_SHARE * russian / more_pairs.sum()
        pairs, cases = pairs + weight * more_pairs, cases + weight * more_cases
        case_costs = costs(cases)
    case_costs[2, 2] = min(case_costs[2, 2], CAPITALS_COST)
    return costs(pairs), case_costs, triple_costs(triples), gap_costs(gaps)


def main() -> None:
    """Write the three files into the folder of the second argument from the data folder of the first."""
    pairs, cases, triples, gaps = fit(Path(sys.argv[1]))
    folder = Path(sys.argv[2])
    lines = [
        "# Written by `python -m scripts.fit.letters`; do not edit.",
        "# Counted from public-domain Russian fiction, CC0 drama (RusDraCor), CC-BY-3.0 PHP documentation,",
        "# and NTREX-128 (CC-BY-SA-4.0) and Tatoeba (CC-BY-2.0-FR) sentences of five neighbour languages.",
        "# Rows: previous class, columns: class. 0 between words, 1 ASCII letter, 2 other character,",
        f"# 3 other Cyrillic letter, 4.. {LETTERS}",
        "# Then previous case by case: none, lower, upper. Tenths of a nat.",
    ]
    lines += [" ".join(map(str, row)) for row in [*pairs.tolist(), *cases.tolist()]]
    (folder / "pairs.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    lines = [
        "# Written by `python -m scripts.fit.letters`; do not edit. Sources: see pairs.txt.",
        "# A line for each two characters (gap, а..я with ё), a column for the third: % is 0, each next",
        "# character of ASCII two tenths of a nat more.",
    ]
    rows = triples.reshape(RUSSIAN * RUSSIAN, RUSSIAN).tolist()
    lines += ["".join(chr(FIRST_CHARACTER + step) for step in row) for row in rows]
    (folder / "triples.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    lines = [
        "# Written by `python -m scripts.fit.letters`; do not edit. Sources: see pairs.txt.",
        "# Code point, then what the character costs between words: no Cyrillic letter beside it, one after,",
        "# one before, both. Tenths of a nat.",
    ]
    lines += [
        " ".join(map(str, [ord(c), *row])) for c, row in zip(BETWEEN, gaps.tolist(), strict=True) if c != "-"
    ]
    (folder / "gaps.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
