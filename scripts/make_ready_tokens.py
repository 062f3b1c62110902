"""Make tokenizer/assets/ready: tokens learnt once for open bases, for `bukvar adapt BASE --with ru-32k`.

    python scripts/make_ready_tokens.py TEXTS BASE... [--add 32000] [--name ru-32k]

TEXTS is a folder of Parquet files (columns text, source, license) whose licences allow what is made of them
to be given on: public domain, CC0, CC-BY, Unlicense; others are left out, with a word. BASE is a folder or
file of a tokenizer; its short name is the folder's. Each source counts as `WEIGHTS` says. Nothing of a base's
vocabulary goes into the files but ranks.
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
from tokenizer.adapt.base import Base, normalized
from tokenizer.adapt.learn import Settings, learn
from tokenizer.adapt.load import load
from tokenizer.adapt.ready import FOLDER, addition_of
from tokenizer.counting import ShardCounter
from tokenizer.morphemes import segment_counts
from tokenizer.train import TrainParameters, header, merge_counts

#: Licences whose texts may be counted for what is given on.
ALLOWED = ("public domain", "CC0-1.0", "CC-BY-3.0", "CC-BY-4.0", "Unlicense")
#: How often a source counts, by its name; others once.
WEIGHTS = {"phpdoc_ru": 4, "laws": 2, "rusdracor": 2, "koziev": 2}


def counted(base: Base, folder: Path, scratch: Path) -> tuple[Path, dict[str, Any]]:
    """The weighted counts of the texts, and what they are: source -> licence and bytes."""
    counters: dict[str, ShardCounter] = {}
    about: dict[str, Any] = {}
    left_out: Counter[str] = Counter()
    for path in sorted(folder.glob("*.parquet")):
        table = pq.read_table(path, columns=["source", "license", "text"])
        for row in table.to_pylist():
            source, licence = row["source"], row["license"]
            if licence not in ALLOWED:
                left_out[f"{source} ({licence})"] += 1
                continue
            if source not in counters:
                counters[source] = ShardCounter(base.pattern, scratch / f"{len(counters)}.counts")
                about[source] = {"licence": licence, "bytes": 0}
            counters[source].add(normalized([row["text"]], base.normalization))
            about[source]["bytes"] += len(row["text"].encode())
    for name, number in sorted(left_out.items()):
        print(f"left out for its licence: {number} documents of {name}", file=sys.stderr)
    paths = [counter.finish() for counter in counters.values()]
    merged = scratch / "all.counts"
    merge_counts(paths, merged, 2, weights=[float(WEIGHTS.get(name, 1)) for name in counters])
    return merged, about


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("texts", type=Path)
    parser.add_argument("bases", type=Path, nargs="+")
    parser.add_argument("--add", type=int, default=32_000)
    parser.add_argument("--name", default="ru-32k")
    args = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in args.bases:
        base = load(path)
        with tempfile.TemporaryDirectory() as folder:
            scratch = Path(folder)
            counts, sources = counted(base, args.texts, scratch)
            segment_counts(counts, scratch / "boundaries.tsv")
            boundaries = MorphemeBoundaries.read(scratch / "boundaries.tsv")
            how = Settings(TrainParameters(256 + args.add), boundaries)
            adapted = learn(base, [counts], set(), args.add, how)
            about = {"sources": sources, "weights": WEIGHTS, "types": header(counts)["types"]}
        target = FOLDER / f"{args.name}@{path.name}.json.xz"
        addition_of(adapted, args.name, path.name, about).write(target)
        print(f"{target}: {len(adapted.new):,} tokens, {target.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
