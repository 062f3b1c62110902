"""Languages of lines in mixed documents, and what `identify.trim` cuts out of them.

    BUKVAR_DATA=... python tests/bench/bench_language_mixed.py [--model HALF.model] [--half 1]

A document is 14 Russian sentences of NTREX, one a line, and one to five sentences of another of its 11
Cyrillic languages, together or scattered. In a third of the documents each line is cut to two to eight words.
Printed: the share of letters in lines that are named rightly, and of those that trimming cuts and should cut.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import sys
from pathlib import Path

import pyarrow as pa

from corpus import language
from corpus.language import Identify
from rust_ext import LanguageModel
from tests.bench.bench_language import Rows, halves

EACH = 60
TRIMS = (100, 200)


def documents(rows: Rows) -> tuple[list[Rows], list[Rows]]:
    """Documents of whole sentences, and of cut ones: (language, line)."""
    by_language: dict[str, list[str]] = collections.defaultdict(list)
    for lang, text in rows:
        by_language[lang].append(text)
    draw = random.Random(3)
    whole, cut = [], []
    for lang in sorted(by_language.keys() - {"ru"}):
        for number in range(EACH):
            lines = [("ru", text) for text in draw.sample(by_language["ru"], 14)]
            others = [(lang, text) for text in draw.sample(by_language[lang], draw.choice((1, 2, 3, 5)))]
            if number % 2:
                at = draw.randrange(len(lines) + 1)
                lines[at:at] = others
            else:
                for line in others:
                    lines.insert(draw.randrange(len(lines) + 1), line)
            if number % 3:
                whole.append(lines)
            else:
                cut.append(
                    [(name, " ".join(text.split()[: draw.choice((2, 3, 4, 6, 8))])) for name, text in lines]
                )
    return whole, cut


def named(model: LanguageModel, found: list[Rows]) -> str:
    """Shares of letters in lines that are named rightly, for Russian and the other languages."""
    letters: collections.Counter[bool] = collections.Counter()
    right: collections.Counter[bool] = collections.Counter()
    for lines in found:
        ends = []
        for _, text in lines:
            ends.append((ends[-1] if ends else 0) + len(text.encode()) + 1)
        at = 0
        for start, _, count, label in model.units("\n".join(text for _, text in lines)):
            while start >= ends[at]:
                at += 1
            lang = lines[at][0]
            name = "" if label is None else model.labels[label].removesuffix("-petr1708")
            letters[lang == "ru"] += count
            right[lang == "ru"] += count * (name == lang)
    return f"Russian lines {right[True] / letters[True]:.4f}, others {right[False] / letters[False]:.4f}"


def trimmed(found: list[Rows], fewest: int) -> str:
    """Shares of letters that are cut: of lines in other languages, and of Russian ones."""
    texts = pa.array(["\n".join(text for _, text in lines) for lines in found], pa.large_string())
    kept = Identify(keep="all", trim=fewest).open()(pa.table({"text": texts}))["text"].to_pylist()
    whole: collections.Counter[bool] = collections.Counter()
    gone: collections.Counter[bool] = collections.Counter()
    for lines, text in zip(found, kept, strict=True):
        left = collections.Counter(text.split("\n"))
        for lang, line in lines:
            size = sum(map(str.isalpha, line))
            whole[lang == "ru"] += size
            gone[lang == "ru"] += size * (left[line] == 0)
    return f"cuts {gone[False] / whole[False]:.4f} of others, {gone[True] / whole[True]:.4f} of Russian"


def main() -> int:
    if "BUKVAR_DATA" not in os.environ:
        print("set BUKVAR_DATA to the folder that holds langid/", file=sys.stderr)
        return 2
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, help="a model fitted to one half (default: the bundled one)")
    parser.add_argument("--half", type=int, default=1, help="the half to measure on")
    options = parser.parse_args()
    model = LanguageModel((options.model or language.MODEL).read_bytes())
    language.load_model = lambda: model  # type: ignore[assignment]
    sets = halves(Path(os.environ["BUKVAR_DATA"]), options.half)
    for name, found in zip(("whole sentences", "cut lines"), documents(sets["NTREX sentences"]), strict=True):
        print(f"{name}: {len(found)} documents; {named(model, found)}")
        for fewest in TRIMS:
            print(f"  trim={fewest} {trimmed(found, fewest)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
