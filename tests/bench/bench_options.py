"""What options of training change: the penalty beside plain BPE, and each constraint beside none.

    BUKVAR_DATA=... python -m tests.bench.bench_options penalty [--sizes 32000,128000] [--set gamma=.2]...
    BUKVAR_DATA=... python -m tests.bench.bench_options constraints [--sizes 32000]

penalty: Russian alone, every source by its bytes; tokens per word of the recipe against plain BPE's, in % by
domain, and morpheme boundaries (rus.valid). --set changes a parameter of the recipe; --development measures
on the development documents, for choosing.
constraints: Russian, English pages (wcxb) and Python source by their bytes, with the penalty. Tokens: how
many of the vocabulary's without it break the constraint. Tokens per word: in % of those without it.
Documents held out: `vocabulary_texts.py`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rust_ext import MorphemeBoundaries
from tests.bench import vocabulary_texts as texts
from tests.bench.bench_morphemes import dictionary
from tests.oracles.bpe import allowed
from tokenizer.baselines import from_vocabulary
from tokenizer.encode import Tokenizer
from tokenizer.evaluate import SELDOM, BoundaryFigures, boundary_figures, word_counts
from tokenizer.morphemes import segment_counts
from tokenizer.train import Model, TrainParameters, count_shard, learn, merge_counts

#: Option, value, pattern it is measured with.
GUARDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("one_script", {"one_script": True}),
    ("whole_characters", {"whole_characters": True}),
    ("bare_words", {"bare_words": True}),
    ("max_punctuation=3", {"max_punctuation": 3}),
    ("max_punctuation=1", {"max_punctuation": 1}),
    ("max_token_bytes=32", {"max_token_bytes": 32}),
    ("max_token_bytes=16", {"max_token_bytes": 16}),
    ("all (3 marks, 32 bytes)", {
        "one_script": True, "whole_characters": True, "bare_words": True, "max_punctuation": 3,
        "max_token_bytes": 32,
    }),
)  # fmt: skip


class Bench:
    def __init__(self, folder: Path, languages: Sequence[str], pattern: str = "llama3") -> None:
        self.counts = folder / f"{pattern}.counts"
        parts = []
        for language in languages:
            for source, documents in texts.training([], [])[language].items():
                parts.append(folder / f"{source}-{pattern}.counts")
                count_shard(texts.part(documents, texts.first_trained(source), 256), pattern, parts[-1])
        merge_counts(parts, self.counts, 2)
        cuts = folder / "boundaries.tsv"
        segment_counts(self.counts, cuts)
        self.boundaries = MorphemeBoundaries(cuts.read_text())

    def learn(self, size: int, **settings: Any) -> Model:
        return learn(self.counts, TrainParameters(size, **settings), self.boundaries)


class Measure:
    def __init__(self, domains: Mapping[str, Sequence[str]]) -> None:
        self.domains = domains
        self.words = {domain: word_counts(part).total() for domain, part in domains.items()}
        self.lemmas = dictionary(texts.data() / "morphemes" / "rus.valid")

    def __call__(self, model: Model) -> tuple[dict[str, float], BoundaryFigures]:
        vocabulary = model.vocabulary()
        tokenizer = Tokenizer(vocabulary)
        rates = {
            domain: float(tokenizer.count_batch(part).sum()) / self.words[domain]
            for domain, part in self.domains.items()
        }
        return rates, boundary_figures(from_vocabulary(vocabulary, ""), self.lemmas)


def line(name: str, found: Mapping[str, float], beside: Mapping[str, float], cuts: BoundaryFigures) -> str:
    cells = [f"{100 * (found[domain] / beside[domain] - 1):+.2f}" for domain in found]
    changes = [found[domain] / beside[domain] - 1 for domain in found]
    cells.insert(0, f"{100 * sum(changes) / len(changes):+.2f}")
    scores = [f"{score:.3f}" for score in (cuts.precision, cuts.recall, cuts.f1)]
    return f"| {name} | {' | '.join([*scores, *cells])} |"


def seldom(model: Model) -> str:
    """Tokens that the training text itself uses little: leaves could be pruned, parts of others not."""
    parts = {part for pair in model.merges for part in pair}
    few = [token for token in range(256, len(model.uses)) if model.uses[token] < SELDOM]
    inner = sum(token in parts for token in few)
    return (
        f"used fewer than {SELDOM} times in training: {inner:,} parts of others, {len(few) - inner:,} leaves"
    )


def penalty(sizes: Sequence[int], settings: dict[str, Any], *, development: bool) -> None:
    span = (texts.TEST, texts.DEVELOPMENT) if development else (0, texts.TEST)
    domains = texts.russian_domains(*span)
    domains |= {} if development else texts.unseen_domains()
    measure = Measure(domains)
    print("| vocabulary | P | R | F1 | mean | " + " | ".join(domains) + " |")
    print("|" + "---|" * (5 + len(domains)))
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), ["ru"])
        for size in sizes:
            plain, cuts = measure(bench.learn(size, penalty=0.0))
            print(line(f"{size:,} plain", plain, plain, cuts), flush=True)
            model = bench.learn(size, **settings)
            found, cuts = measure(model)
            print(line(f"{size:,} {settings or ''}", found, plain, cuts), flush=True)
            print(seldom(model), flush=True)


def constraints(sizes: Sequence[int]) -> None:
    domains = texts.russian_domains(0, texts.TEST) | texts.other_domains(0, texts.TEST, [], [])
    measure = Measure(domains)
    print("| constraint | tokens | P | R | F1 | mean | " + " | ".join(domains) + " |")
    print("|" + "---|" * (6 + len(domains)))
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        bench = Bench(Path(first), ["ru", "en", "code"])
        single = Bench(Path(second), ["ru", "en", "code"], "qwen2")
        for size in sizes:
            free = bench.learn(size)
            rates, cuts = measure(free)
            print(line(f"{size:,}: none | ", rates, rates, cuts), flush=True)
            for name, settings in GUARDS:
                parameters = TrainParameters(size, **settings)
                broken = sum(not allowed(token, parameters) for token in free.tokens[256:])
                found, cuts = measure(bench.learn(size, **settings))
                print(line(f"{name} | {broken:,}", found, rates, cuts), flush=True)
            broken = sum(token.isdigit() for token in free.tokens[256:])
            found, cuts = measure(single.learn(size, pattern="qwen2"))
            print(line(f"single digits (qwen2) | {broken:,}", found, rates, cuts), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", choices=["penalty", "constraints"])
    parser.add_argument("--sizes", default="32000,128000")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=NUMBER")
    parser.add_argument("--development", action="store_true")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    if options.what == "constraints":
        constraints(sizes)
    else:
        settings = {name: float(value) for name, _, value in (one.partition("=") for one in options.set)}
        penalty(sizes, settings, development=options.development)


if __name__ == "__main__":
    main()
