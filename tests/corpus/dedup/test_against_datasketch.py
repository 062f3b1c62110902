"""Signatures and bands find what datasketch finds and what the theory says; seeded, so without chance."""

import random
from functools import cache

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH

from rust_ext import dedup_signature, dedup_words

BANDS, ROWS, NGRAM = 14, 8, 5
PAIRS = 200


def shingled(text: str) -> set[str]:
    words = dedup_words(text)[1]
    return {" ".join(words[i : i + NGRAM]) for i in range(len(words) - NGRAM + 1)}


@cache
def pairs() -> list[tuple[str, str]]:
    """Texts of 200 words and the same with 0 to 20 words changed: Jaccard similarities from .3 to 1."""
    rng = random.Random(11)
    made = []
    for n in range(PAIRS):
        words = [f"слово{rng.randrange(3000)}" for _ in range(200)]
        changed = list(words)
        for place in rng.sample(range(200), n % 21):
            changed[place] = f"замена{rng.randrange(10**6)}"
        made.append((" ".join(words), " ".join(changed)))
    return made


@cache
def similarity() -> list[float]:
    return [len(shingled(a) & shingled(b)) / len(shingled(a) | shingled(b)) for a, b in pairs()]


def signed(text: str, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    return dedup_signature(text, bands=BANDS, rows=ROWS, ngram=NGRAM, seed=seed)


def by_datasketch(text: str) -> MinHash:
    value = MinHash(num_perm=BANDS * ROWS, seed=1)
    value.update_batch([shingle.encode() for shingle in sorted(shingled(text))])
    return value


def rmse(estimates: list[float]) -> float:
    return float(np.sqrt(np.mean((np.array(estimates) - similarity()) ** 2)))


def test_estimates_of_similarity_err_as_little_as_the_theory_says_and_as_datasketch() -> None:
    theory = float(np.sqrt(np.mean([j * (1 - j) for j in similarity()]) / (BANDS * ROWS)))
    ours = rmse([float((signed(a)[0] == signed(b)[0]).mean()) for a, b in pairs()])
    theirs = rmse([by_datasketch(a).jaccard(by_datasketch(b)) for a, b in pairs()])
    # 200 pairs estimate the error to about 5%: three of those.
    assert ours == pytest.approx(theory, rel=0.15)
    assert ours < 1.2 * theirs


def test_as_many_pairs_share_a_band_as_with_datasketch_and_by_the_theory() -> None:
    index = MinHashLSH(params=(BANDS, ROWS), num_perm=BANDS * ROWS)
    for i, (a, _) in enumerate(pairs()):
        index.insert(i, by_datasketch(a))
    theirs = [i in index.query(by_datasketch(b)) for i, (_, b) in enumerate(pairs())]
    ours = [bool((signed(a)[1] == signed(b)[1]).any()) for a, b in pairs()]
    expected = sum(1 - (1 - j**ROWS) ** BANDS for j in similarity())
    assert abs(sum(ours) - expected) < 15  # three standard deviations
    assert abs(sum(ours) - sum(theirs)) < 20
    assert all(found for found, j in zip(ours, similarity(), strict=True) if j > 0.95)


def test_unlike_texts_share_no_band() -> None:
    bands = [signed(a)[1] for a, _ in pairs()]
    assert all(len(set(column)) == PAIRS for column in zip(*(b.tolist() for b in bands), strict=True))
