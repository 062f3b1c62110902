"""Recall of a detector on injections: whole values covered, by type and by way of writing.

    python -m tests.pii_bench.score --seed 2 --count 100000 [--sentences FILE] [--misses 20]

An injection counts as found where every letter and digit of it lies within some find, of whatever type:
what has to be masked is masked. The second figure asks for the type too.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.pii_bench.forms import FORMS
from tests.pii_bench.generate import Injected, injections, sentences

#: A detector: text -> (start, end, type) in characters.
Detector = Callable[[str], Sequence[tuple[int, int, str]]]
#: Types of the generator by the names of bukvar's kinds.
SAME = {"inn10": ("inn",), "inn12": ("inn",), "phone": ("phone", "phone_office")}


@dataclass
class Score:
    """Counts of injections: all, covered, covered by the right type; and some that were not."""

    total: Counter[tuple[str, str]] = field(default_factory=Counter)
    covered: Counter[tuple[str, str]] = field(default_factory=Counter)
    typed: Counter[tuple[str, str]] = field(default_factory=Counter)
    missed: list[tuple[str, str]] = field(default_factory=list)

    def recall(self, kind: str | None = None, way: str | None = None) -> float:
        keys = [k for k in self.total if kind in (None, k[0]) and way in (None, k[1])]
        return sum(self.covered[k] for k in keys) / max(1, sum(self.total[k] for k in keys))


def score(items: Iterable[Injected], find: Detector) -> Score:
    result = Score()
    for item in items:
        found = find(item.text)
        for start, end, kind, way in item.spans:
            result.total[kind, way] += 1
            over = [f for f in found if f[0] < end and f[1] > start]
            bare = [n for n in range(start, end) if item.text[n].isalnum()]
            if all(any(s <= n < e for s, e, _ in over) for n in bare):
                result.covered[kind, way] += 1
                result.typed[kind, way] += any(f[2] in SAME.get(kind, (kind,)) for f in over)
            else:
                result.missed.append((kind, item.text[max(0, start - 40) : end + 20]))
    return result


def table(result: Score) -> str:
    ways = sorted({way for _, way in result.total})
    lines = ["| type | all | right type | " + " | ".join(ways) + " |", "|---" * (len(ways) + 3) + "|"]
    for kind in [*FORMS, None]:
        keys = [k for k in result.total if kind in (None, k[0])]
        if not keys:
            continue
        typed = sum(result.typed[k] for k in keys) / sum(result.total[k] for k in keys)
        cells = [f"{result.recall(kind):.4f}", f"{typed:.4f}"]
        cells += [f"{result.recall(kind, w):.4f}" if any(k[1] == w for k in keys) else "" for w in ways]
        lines.append(f"| {kind or 'all'} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> int:
    from rust_ext import PII_KINDS, PiiMask

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--sentences", type=Path)
    parser.add_argument("--misses", type=int, default=0)
    options = parser.parse_args()
    mask = PiiMask(PII_KINDS)

    def find(text: str) -> list[tuple[int, int, str]]:
        return [found[:3] for found in mask.find(text)]

    result = score(injections(options.seed, options.count, sentences(options.sentences)), find)
    print(table(result))
    shown: Counter[str] = Counter()
    for kind, around in result.missed:
        shown[kind] += 1
        if shown[kind] <= options.misses:
            print(f"{kind}: {around!r}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
