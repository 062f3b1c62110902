"""What a filter leaves, as text to learn from: bits a character of held-out genres after each filter.

    BUKVAR_DATA=... python tests/bench/bench_quality.py [--chars 2000000] [--seeds 3]

A pool of good documents and junk (30% of its characters) goes through no filter, `fineweb2-ru`, `gopher`,
`ru-web` and an oracle that knows what is junk; of what each leaves the same number of characters is
drawn, a model of letters (interpolated n-grams to order 7, Witten and Bell's) is counted in them, and
predicts documents of each genre that were held out. Pools are balanced by genre, and mixed as a crawl
mixes them. Junk that was cut from good text is left out: to a model of letters it is good text. Documents
of `use = fit` were seen by the model of `ru-web`.

Prints the speed of signals, register and verdict too.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.quality.verdicts import Filter

FILTERS: Final = ("none", "fineweb2-ru", "gopher", "ru-web")
#: Made from good text.
CUT: Final = frozenset(
    {"keyword_injected", "repeats", "broken_grammar", "shuffled_words", "spun", "sentence_soup", "truncated"}
    | {"page_rest", "broken_encoding", "markov1", "markov2", "char_markov", "mt_gloss", "lorem_quotes"}
)
#: Shares of genres in a crawl, by guess: mostly news, encyclopedias and recipes, few of the rest.
CRAWL: Final = {"news": 0.5, "short_news": 0.1, "encyclopedia": 0.1, "recipes": 0.08, "manual": 0.06}
REST: Final = 0.02
ORDER: Final = 7

Codes = npt.NDArray[np.uint64]


def held_out(text: str) -> bool:
    """A fifth of the documents, by digest."""
    return hashlib.sha256(text.encode()).digest()[0] < 51


class Letters:
    """Interpolated n-grams of characters: P(x | context) by Witten and Bell, from order 0 up to `ORDER`."""

    def __init__(self, text: str) -> None:
        codes = encode(text)
        self.tables = []
        for order in range(ORDER + 1):
            contexts = context_hashes(codes, order)
            joint, joint_counts = np.unique(join(contexts, codes), return_counts=True)
            known, counts = np.unique(contexts, return_counts=True)
            # Different letters behind a context: one for each pair, found by a pair that shows its context.
            first = np.unique(join(contexts, codes), return_index=True)[1]
            kinds_of, kinds = np.unique(contexts[first], return_counts=True)
            assert np.array_equal(kinds_of, known)
            self.tables.append((joint, joint_counts, known, counts, kinds))
        self.letters = len(np.unique(codes)) + 1

    def bits(self, text: str) -> float:
        """Bits a character of a text."""
        codes = encode(text)
        chance = np.full(len(codes), 1 / self.letters)
        for order, (joint, joint_counts, known, counts, kinds) in enumerate(self.tables):
            contexts = context_hashes(codes, order)
            met = look_up(joint, joint_counts, join(contexts, codes))
            seen = look_up(known, counts, contexts)
            different = look_up(known, kinds, contexts)
            whole = seen + different
            chance = np.where(whole > 0, (met + different * chance) / np.maximum(whole, 1), chance)
        return float(-np.log2(chance).mean())


def encode(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le"), np.uint32).astype(np.uint64)


def context_hashes(codes: Codes, order: int) -> Codes:
    """A hash of the `order` characters before each."""
    hashes = np.full(len(codes), order, np.uint64)
    for back in range(1, order + 1):
        shifted = np.concatenate([np.zeros(back, np.uint64), codes[: len(codes) - back]])
        hashes = join(hashes, shifted)
    return hashes


def join(first: Codes, second: Codes) -> Codes:
    mixed = (first ^ (second + np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xD6E8FEB86659FD93)
    return mixed ^ (mixed >> np.uint64(31))


def look_up(keys: Codes, values: npt.NDArray[np.int64], wanted: Codes) -> npt.NDArray[np.int64]:
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], 0)


def draw(rows: Sequence[int], texts: Sequence[str], chars: int, rng: np.random.Generator) -> list[int]:
    """Rows in a drawn order until their texts have so many characters."""
    chosen, taken = [], 0
    for at in rng.permutation(len(rows)):
        if taken >= chars:
            break
        chosen.append(rows[at])
        taken += min(len(texts[rows[at]]), 20_000)
    return chosen


def pool(
    kinds: Mapping[str, list[int]],
    junk: list[int],
    texts: Sequence[str],
    chars: int,
    seed: int,
    *,
    balanced: bool,
) -> list[int]:
    """Rows of a pool of three times `chars`: good by genre, and 30% junk."""
    rng = np.random.default_rng(seed)
    shares = {kind: 1.0 if balanced else CRAWL.get(kind, REST) for kind in kinds}
    whole = sum(shares.values())
    rows = [
        row
        for kind in sorted(kinds)
        for row in draw(kinds[kind], texts, int(3 * chars * 0.7 * shares[kind] / whole), rng)
    ]
    return rows + draw(junk, texts, int(3 * chars * 0.3), rng)


def verdicts(texts: Sequence[str]) -> dict[str, npt.NDArray[np.bool_]]:
    """Which texts each filter keeps; measured once, judged by columns."""
    batch = pa.table({"text": pa.array(texts, pa.large_string())})
    started = time.process_time()
    measured = Filter().open()(batch)
    seconds = time.process_time() - started
    print(f"signals, register and verdict: {len(texts) / seconds:,.0f} documents/s", end=" ")
    print(f"of {np.mean([len(text) for text in texts]):,.0f} characters")
    measured = measured.drop_columns(["drop", "drop_detail"])
    started = time.process_time()
    kept = {
        name: np.array([reason is None for reason in judged.column("drop").to_pylist()], np.bool_)
        for name in FILTERS
        if (judged := Filter(preset=name, measure=False).open()(measured))
    }
    print(f"judged anew: {len(FILTERS) * len(texts) / (time.process_time() - started):,.0f} documents/s")
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--chars", type=int, default=2_000_000)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    table = pq.read_table(Path(os.environ["BUKVAR_DATA"]) / "quality" / "dev.parquet")
    texts, good, kind = (table.column(name).to_pylist() for name in ("text", "good", "kind"))
    kept = verdicts(texts) | {"oracle": np.array(good, np.bool_)}
    genres: dict[str, list[int]] = {}
    held: dict[str, list[str]] = {}
    for at, text in enumerate(texts):
        if good[at] and held_out(text):
            held.setdefault(kind[at], []).append(text[:3000])
        elif good[at]:
            genres.setdefault(kind[at], []).append(at)
    junk = [at for at in range(len(texts)) if not good[at] and kind[at] not in CUT]
    samples = {genre: "\n".join(parts)[:60_000] for genre, parts in held.items()}
    for balanced in (True, False):
        print("\npool", "balanced by genre" if balanced else "as a crawl has genres")
        results: dict[str, list[float]] = {name: [] for name in kept}
        by_genre: dict[str, dict[str, list[float]]] = {name: {} for name in kept}
        for seed in range(options.seeds):
            rows = pool(genres, junk, texts, options.chars, seed, balanced=balanced)
            for name, keeps in kept.items():
                rng = np.random.default_rng(seed)
                left = draw([row for row in rows if keeps[row]], texts, options.chars, rng)
                model = Letters("\n".join(texts[row][:20_000] for row in left)[: options.chars])
                bits = {genre: model.bits(sample) for genre, sample in samples.items()}
                results[name].append(float(np.mean(list(bits.values()))))
                for genre, value in bits.items():
                    by_genre[name].setdefault(genre, []).append(value)
        for name, values in results.items():
            seeds = " ".join(f"{value:.4f}" for value in values)
            print(f"  {name:12} {np.mean(values):.4f} bits a character over {len(samples)} genres ({seeds})")
        for genre in sorted(samples):
            print(f"    {genre:14}", *(f"{name} {np.mean(by_genre[name][genre]):.3f}" for name in kept))


if __name__ == "__main__":
    main()
