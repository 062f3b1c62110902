"""Make tokenizer/assets/ready: tokens learnt once for open bases, for `bukvar adapt BASE --with ru-32k`.

    python -m scripts.make_ready_tokens TEXTS BASE... [--add 32000] [--name ru-32k]

TEXTS is a folder of Parquet files (columns text, source, license): those of text_ru, and what
`tests/bench/russian_texts.py` writes. Counted are those that `scripts/licences.py` allows; others are left
out, with a word, and so are `MEASURED`. BASE is a folder or file of a tokenizer; its short name is the
folder's, or what stands before = (llama3=DATA/baselines/llama3). Each source counts as `WEIGHTS` says.
Nothing of a base's vocabulary goes into the files but ranks.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from rust_ext import MorphemeBoundaries
from scripts.licences import COUNTED
from tokenizer.adapt.base import Base, normalized
from tokenizer.adapt.learn import Settings, learn
from tokenizer.adapt.load import load
from tokenizer.adapt.ready import FOLDER, addition_of
from tokenizer.counting import ShardCounter
from tokenizer.morphemes import segment_counts
from tokenizer.train import TrainParameters, header, merge_counts

#: Sources left out because figures of docs/measured/adapt.md are taken on them.
MEASURED = ("UniversalDependencies/UD_Russian-Taiga",)
#: How often a source counts, by its name; others once. Small sources of kinds that are rare here count most:
#: press, questions of quizzes, programmes of regions.
WEIGHTS = {
    "phpdoc_ru": 4,
    "deep-foundation/russian-laws": 2,
    "rusdracor": 2,
    "koziev": 2,
    "Babelscape/wikineural": 20,
    "dialogue-evaluation/RuSimpleSentEval": 20,
    "UniversalDependencies/UD_Russian-GSD": 20,
    "UniversalDependencies/UD_Russian-PUD": 20,
    "dialogue-evaluation/morphoRuEval-2017": 20,
    "nicolay-r/RuSentRel": 20,
    "dialogue-evaluation/factRuEval-2016": 50,
    "evrog/Russian-QA-Jeopardy": 50,
    "dialogue-evaluation/RuREBus": 10,
    "sb-ai-lab/MedBench": 6,
    "dair-mus/qazcode-nu": 2,
    "pelmesh619/itmo_conspects": 4,
    "rust-lang-ru/book": 4,
    "yiisoft/yii2": 4,
    "vuejs-translations/docs-ru": 4,
    "morsbox/rusrails": 4,
    "reactjs/ru.react.dev": 4,
}


def counted(base: Base, folder: Path, scratch: Path) -> tuple[Path, dict[str, Any]]:
    """The weighted counts of the texts, and what they are: source -> licence and bytes."""
    counters: dict[str, ShardCounter] = {}
    about: dict[str, Any] = {}
    left_out: Counter[str] = Counter()
    for path in sorted(folder.glob("*.parquet")):
        table = pq.read_table(path, columns=["source", "license", "text"])
        for row in table.to_pylist():
            source, licence = row["source"], row["license"]
            if licence not in COUNTED or source in MEASURED:
                left_out[f"{source} ({licence})"] += 1
                continue
            if source not in counters:
                counters[source] = ShardCounter(base.pattern, scratch / f"{len(counters)}.counts")
                about[source] = {"licence": licence, "bytes": 0}
            counters[source].add(normalized([row["text"]], base.normalization))
            about[source]["bytes"] += len(row["text"].encode())
    for name, number in sorted(left_out.items()):
        print(f"left out: {number} documents of {name}", file=sys.stderr)
    paths = [counter.finish() for counter in counters.values()]
    merged = scratch / "all.counts"
    merge_counts(paths, merged, 2, weights=[float(WEIGHTS.get(name, 1)) for name in counters])
    return merged, about


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("texts", type=Path)
    parser.add_argument("bases", nargs="+")
    parser.add_argument("--add", type=int, default=32_000)
    parser.add_argument("--name", default="ru-32k")
    args = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for given in args.bases:
        short, _, named = given.rpartition("=")
        path = Path(named)
        short = short or path.name
        base = load(path)
        with tempfile.TemporaryDirectory() as folder:
            scratch = Path(folder)
            counts, sources = counted(base, args.texts, scratch)
            segment_counts(counts, scratch / "boundaries.tsv")
            boundaries = MorphemeBoundaries.read(scratch / "boundaries.tsv")
            how = Settings(TrainParameters(256 + args.add), boundaries)
            adapted = learn(base, [counts], set(), args.add, how)
            about = {"sources": sources, "weights": WEIGHTS, "types": header(counts)["types"]}
        target = FOLDER / f"{args.name}@{short}.json.xz"
        addition_of(adapted, args.name, short, about).write(target)
        print(f"{target}: {len(adapted.new):,} tokens, {target.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
