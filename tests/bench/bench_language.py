"""Russian against its neighbours: precision and recall of stage identify, thresholds by cross-validation.

    BUKVAR_DATA=... python tests/bench/bench_language.py

Reads langid/sentences.parquet (NTREX-128, Tatoeba) as single sentences and joined by 4 and by 8, and
text_ru/*.parquet for recall on whole documents. NTREX translates the same sentences into every language, so
folds are cut by sentence number: what is tested on was not seen in any language.
"""

from __future__ import annotations

import collections
import itertools
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus import language
from corpus.language import Identify
from corpus.texts import text_buffers
from rust_ext import LETTER_NAMES, letter_counts

FOLDS = 5
SCORES = (0.0, 0.3, 0.5, 0.65, 0.8, 0.9)
FOREIGN = (0.0, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 1.0)
HARD = (0.001, 0.002, 0.004, 0.01, 1.0)


def units(sentences: list[dict[str, Any]], size: int) -> list[tuple[str, int, str]]:
    """(language, fold, text) of `size` sentences each, in order within a source."""
    groups: dict[tuple[str, str], list[str]] = collections.defaultdict(list)
    for row in sentences:
        groups[row["lang"], row["source"]].append(row["text"])
    result = []
    for (code, _), texts in groups.items():
        for number, start in enumerate(range(0, len(texts) - size + 1, size)):
            result.append((code, number % FOLDS, " ".join(texts[start : start + size])))
    return result


def evidence(texts: list[str]) -> dict[str, np.ndarray[Any, Any]]:
    """Score and letter shares, as the stage computes them."""
    batch = pa.table({"text": pa.array(texts, pa.large_string())})
    rows = Identify(keep="all").open()(batch)
    counts = letter_counts(*text_buffers(batch["text"]))
    named = dict(zip(LETTER_NAMES, counts.astype(float), strict=True))
    return {
        "score": rows["russian_score"].to_numpy(),
        "foreign": rows["foreign_letter_share"].to_numpy(),
        "hard": named["hard_sign_inside"] / np.maximum(named["cyrillic"], 1),
        "letters": named["letters"],
    }


def accepted(e: dict[str, np.ndarray[Any, Any]], limits: tuple[float, float, float]) -> np.ndarray[Any, Any]:
    score, foreign, hard = limits
    return (e["score"] >= score) & (e["foreign"] <= foreign) & (e["hard"] <= hard)


def precision_recall(yes: np.ndarray[Any, Any], russian: np.ndarray[Any, Any]) -> tuple[float, float, float]:
    """With both classes given equal weight; and their F1."""
    recall = float(yes[russian].mean())
    leak = float(yes[~russian].mean())
    precision = recall / (recall + leak) if recall + leak else 0.0
    return precision, recall, 2 * precision * recall / (precision + recall) if precision else 0.0


def cross_validate(rows: list[tuple[str, int, str]]) -> None:
    e = evidence([text for *_, text in rows])
    russian = np.array([code == "rus" for code, *_ in rows])
    fold = np.array([number for _, number, _ in rows])
    grid = list(itertools.product(SCORES, FOREIGN, HARD))
    default = Identify()
    ours = (default.min_score, default.max_foreign_letters, default.max_bulgarian_hard_signs)
    chosen = []
    held = np.zeros(len(rows), bool)
    for number in range(FOLDS):
        train = fold != number
        part = {name: values[train] for name, values in e.items()}
        best = max(grid, key=lambda limits: precision_recall(accepted(part, limits), russian[train])[2])
        chosen.append(best)
        held[~train] = accepted(e, best)[~train]
    print(f"  chosen in folds (score, foreign, hard): {chosen}")
    for name, yes in (
        ("cross-validated", held),
        ("defaults", accepted(e, ours)),
        ("score alone", e["score"] >= default.min_score),
        ("top label alone", e["score"] >= 0.5),
    ):
        p, r, f = precision_recall(yes, russian)
        print(f"  {name:16} precision {p:.4f} recall {r:.4f} F1 {f:.4f}")
    yes = accepted(e, ours)
    codes = np.array([code for code, *_ in rows])
    leaks = {code: f"{yes[codes == code].mean():.4f}" for code in sorted(set(codes))}
    print(f"  share called Russian by the defaults: {leaks}")
    for low, high in ((0, 20), (20, 40), (40, 60), (60, 100), (100, 200)):
        part = (e["letters"] >= low) & (e["letters"] < high)
        if russian[part].sum() >= 20:
            p, r, _ = precision_recall(yes[part], russian[part])
            print(f"  {low}-{high} letters: precision {p:.4f} recall {r:.4f} ({part.sum()} units)")


def whole_documents(folder: Path) -> None:
    for path in sorted((folder / "text_ru").glob("*.parquet")):
        table = pq.read_table(path, columns=["text"])
        started = time.process_time()
        result = Identify().open()(table)
        seconds = time.process_time() - started
        drops = collections.Counter(result["drop"].to_pylist())
        kept = drops.pop(None, 0)
        size = table["text"].nbytes / 1e6
        print(
            f"  {path.stem:10} kept {kept / table.num_rows:.4f} of {table.num_rows} {dict(drops)} "
            f"{table.num_rows / seconds:.0f} documents/s {size / seconds:.0f} MB/s"
        )


def universal_declaration(folder: Path) -> None:
    table = pq.read_table(folder / "langid" / "udhr_cyrillic.parquet")
    result = Identify().open()(table)
    kept = [
        n for n, d in zip(table["name"].to_pylist(), result["drop"].to_pylist(), strict=True) if d is None
    ]
    print(f"  kept of {table.num_rows}: {kept}")


def main() -> int:
    if "BUKVAR_DATA" not in os.environ:
        print("set BUKVAR_DATA to the folder that holds langid/ and text_ru/", file=sys.stderr)
        return 2
    folder = Path(os.environ["BUKVAR_DATA"])
    sentences = pq.read_table(folder / "langid" / "sentences.parquet").to_pylist()
    language.load_model()
    for size in (1, 4, 8):
        print(f"units of {size} sentence(s)")
        cross_validate(units(sentences, size))
    print("Universal Declaration in 35 Cyrillic versions")
    universal_declaration(folder)
    print("whole documents")
    whole_documents(folder)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
