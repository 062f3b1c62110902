"""Sentences of Tatoeba beside its public benchmark.

LASER's cut of Tatoeba is what models are measured on. Whatever else is read of Tatoeba leaves out its
sentences (`benchmark`): a model learns those alone that `sentences.parquet` gives to its half.
"""

from __future__ import annotations

import collections
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

LASER = Path("facebookresearch+LASER", "data", "tatoeba", "v1")
WORD = re.compile(r"[^\W_]+")


def normalised(text: str) -> str:
    """The letters and digits of a sentence in lower case: sentences that differ in other things are one."""
    return "".join(WORD.findall(text.lower()))


def benchmark(root: Path) -> frozenset[str]:
    """Every sentence of LASER's cut, in every language, normalised.

    Raises FileNotFoundError where the cut is missing: without it a test set would be learned from.
    """
    paths = sorted((root / LASER).glob("tatoeba.*"))
    if not paths:
        raise FileNotFoundError(
            f"{root / LASER}: LASER's sentences are not there; docs/measured/language.md says how to get them"
        )
    return frozenset(normalised(line) for path in paths for line in path.read_text("utf-8").splitlines())


def pairs(lang: str, name: str) -> Callable[[Path], Iterator[tuple[str, str, str]]]:
    """Pairs of Tatoeba as learners get them: a sentence in English, its translation and who wrote both.

    Sentences with names are left out. Tom and Mary are in half of them, and where the pairs of a neighbour
    language are not at hand, «Том» would become a word of this one.
    """

    def read(root: Path) -> Iterator[tuple[str, str, str]]:
        rows = [line.split("\t") for line in (root / name).read_text("utf-8").splitlines()]
        sentences = [row[1] for row in rows if len(row) > 1]
        named = names_of(sentences)
        for sentence in sentences:
            if named.isdisjoint(WORD.findall(sentence)):
                yield lang, sentence, sentence

    return read


def names_of(sentences: Sequence[str]) -> frozenset[str]:
    """Words that stand inside sentences in capital letters, oftener than in small ones."""
    inside = collections.Counter(word for sentence in sentences for word in WORD.findall(sentence)[1:])
    return frozenset(word for word, n in inside.items() if word[0].isupper() and n > inside[word.lower()])
