"""Injections of personal data into real sentences: a test set of any size from a seed.

    python -m tests.pii_bench.generate --seed 1 --count 1000 --sentences FILE > set.jsonl

One JSON object a line: text, and spans of [start, end, type, way] in characters (code points). FILE holds
one sentence a line; without it the bundled sentences_ru.txt is read. Equal arguments give equal bytes.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.pii_bench.forms import FORMS

BUNDLED = Path(__file__).parent / "sentences_ru.txt"


@dataclass(frozen=True)
class Injected:
    """A text and what was put into it: (start, end, type, way), in characters."""

    text: str
    spans: tuple[tuple[int, int, str, str], ...]


def sentences(path: Path | None = None) -> list[str]:
    lines = (path or BUNDLED).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def inject(rng: random.Random, sentence: str, kind: str) -> Injected:
    """The sentence with one identifier of `kind` inside it, after it or on a line of its own."""
    written = FORMS[kind](rng)
    piece = written.before + written.value + written.after
    place = rng.random()
    if place < 0.45:
        gaps = [n for n, c in enumerate(sentence) if c == " "] or [len(sentence)]
        at = rng.choice(gaps)
        before, after = sentence[:at] + rng.choice([" ", ", ", " (", ": "]), sentence[at:]
        if before.endswith("("):
            after = ")" + after
        elif rng.random() < 0.3:
            after = rng.choice([",", ";", " —"]) + after
    elif place < 0.8:
        before, after = sentence + " ", rng.choice(["", ".", ".", "!", " "])
    else:
        before, after = sentence + "\n", rng.choice(["", "\n", "\n" + sentence])
    start = len(before) + len(written.before)
    text = before + piece + after
    return Injected(text, ((start, start + len(written.value), kind, written.way),))


def injections(
    seed: int, count: int, lines: Sequence[str], kinds: Sequence[str] = tuple(FORMS)
) -> Iterator[Injected]:
    """`count` injections, the types in turn, each in a random sentence."""
    rng = random.Random(seed)
    for number in range(count):
        yield inject(rng, rng.choice(lines), kinds[number % len(kinds)])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--sentences", type=Path)
    parser.add_argument("--types", default=",".join(FORMS))
    options = parser.parse_args()
    for item in injections(
        options.seed, options.count, sentences(options.sentences), options.types.split(",")
    ):
        print(json.dumps({"text": item.text, "spans": item.spans}, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
