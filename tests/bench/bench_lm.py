"""Small decoders over the same text: does a tokenizer, or a corpus, help the model?

    BUKVAR_DATA=... python -m tests.bench.bench_lm --work DIR [--tokenizers plain,penalty,o200k]
        [--seeds 3] [--data 45,15] [--steps 2000] [--width 192 --layers 3] [--vocabulary 8000]
    python -m tests.bench.bench_lm --work DIR --corpora A B --steps 2000

Needs PyTorch (CPU) and pymorphy3. Trains a decoder for each tokenizer, amount of data (MB of UTF-8, read
again where the steps need more) and seed: the same text in the same order, the same steps and tokens a step,
so equal compute; the same number of rows of the matrices, so equal parameters. Measures at points on the way:
bits per character of documents held out, by domain; of rare forms of words that are frequent in other forms;
and how often the good sentence of a minimal pair (RuBLiMP, the half whose ids hash below 128) is likelier.

A run is a line of DIR/runs.jsonl; runs that stand there are not made again, so an ended program goes on. Then
prints curves and, against the first tokenizer (or corpus A), differences with 95% intervals over the seeds.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import math
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.dataset as ds
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import nn

from tests.bench import vocabulary_texts as texts
from tests.bench.small_decoder import Course, Decoder, Shape, add_arguments, batch, bits_per_character, chunks
from tokenizer.encode import Tokenizer
from tokenizer.inflection import analyzer
from tokenizer.morphemes import segment_counts
from tokenizer.train import TrainParameters, count_shard, learn
from tokenizer.vocabulary import Vocabulary

#: Name -> split pattern and whether the penalty is on.
TOKENIZERS = {
    "plain": ("llama3", False),
    "penalty": ("llama3", True),
    "o200k": ("o200k", False),
    "o200k penalty": ("o200k", True),
}
#: Characters of a piece of a long document: pieces of all sources are shuffled together.
PIECE = 20_000
#: Bytes of each domain that are measured on, and pairs of each kind.
DOMAIN_BYTES = 24_000
PAIRS = 8
#: Points of a curve.
POINTS = 4
#: A rare form occurs at most so often in the training text, its lemma's forms together at least so often.
RARE, FREQUENT = 5, 50
RARE_FORMS = 600
#: Two-sided 95% quantiles of Student's t, by degrees of freedom.
STUDENT = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}


def order(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def cut(text: str) -> Iterator[str]:
    for start in range(0, len(text), PIECE):
        yield text[start : start + PIECE]


def russian(most: int) -> list[str]:
    """Pieces of the documents of text_ru that are neither test nor development, shuffled by hash, up to
    `most` bytes."""
    found = [
        (order(f"{name}#{number}"), piece)
        for source in texts.RUSSIAN
        for name, text in texts.text_ru(source)
        if texts.first_byte(name) >= texts.DEVELOPMENT
        for number, piece in enumerate(cut(text))
    ]
    return up_to([piece for _, piece in sorted(found)], most)


def corpus(path: str, most: int) -> list[str]:
    """Pieces of the texts of a folder or file of Parquet, shuffled by hash; a fiftieth is held out."""
    table = ds.dataset(
        path, format="parquet", exclude_invalid_files=False, ignore_prefixes=["_", "."]
    ).to_table(columns=["text"])
    found = [(order(text), text) for text in table["text"].to_pylist() if text]
    pieces = [piece for key, text in sorted(found) if key[0] >= 5 for piece in cut(text)]
    return up_to(pieces, most)


def up_to(pieces: Sequence[str], most: int) -> list[str]:
    chosen, size = [], 0
    for piece in pieces:
        size += len(piece.encode())
        if size > most:
            break
        chosen.append(piece)
    return chosen


def held_out() -> dict[str, list[str]]:
    """Domain -> chunks of development documents, and of sources that are never trained on."""
    domains = texts.russian_domains(texts.TEST, texts.DEVELOPMENT) | texts.unseen_domains()
    return {
        name: list(chunks(texts.up_to(iter(documents), DOMAIN_BYTES))) for name, documents in domains.items()
    }


def pairs() -> list[tuple[str, str]]:
    """Good and bad sentences of RuBLiMP: of each file the first by hash of the half that is looked at."""
    found = []
    for path in sorted((texts.data() / "benchmarks" / "rublimp" / "datasets").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as stream:
            rows = [(order(f"{path.stem}/{row['id']}"), row) for row in csv.DictReader(stream)]
        rows = sorted((row for row in rows if row[0][0] < 128), key=lambda row: row[0])
        found += [(row["source_sentence"], row["target_sentence"]) for _, row in rows[:PAIRS]]
    return found


def rare_forms(trained: Sequence[str], domains: Mapping[str, Sequence[str]]) -> list[tuple[str, int, int]]:
    """(chunk, start, end) of words in small letters that the training text has seldom and their lemma often;
    the space before them is theirs."""
    counts: Counter[str] = Counter()
    for piece in trained:
        counts.update(re.findall(r"[а-яё]+", piece))
    morph = analyzer()
    lemmas: Counter[str] = Counter()
    known: dict[str, str] = {}
    for word, count in counts.items():
        parse = morph.parse(word)[0]
        if parse.is_known:
            known[word] = parse.normal_form
            lemmas[parse.normal_form] += count
    found = []
    for chunk in (chunk for some in domains.values() for chunk in some):
        for match in re.finditer(r" [а-яё]+(?![а-яё\w])", chunk):
            word = match[0][1:]
            lemma = known.get(word) or morph.parse(word)[0].normal_form
            if counts[word] <= RARE and lemmas[lemma] >= FREQUENT:
                found.append((chunk, match.start(), match.end()))
    found.sort(key=lambda one: order(f"{one[0]}{one[1]}"))
    return found[:RARE_FORMS]


@dataclass(frozen=True)
class Held:
    """What is measured on."""

    domains: Mapping[str, list[str]]
    rare: list[tuple[str, int, int]]
    pairs: list[tuple[str, str]]


class Coder:
    """A tokenizer with a start token behind its ids."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.tokenizer = Tokenizer(vocabulary)
        self.start = len(vocabulary.tokens)
        self.lengths = np.array([len(token) for token in vocabulary.tokens])

    def encode(self, some: Sequence[str]) -> list[list[int]]:
        return [self.tokenizer.encode(text) for text in some]

    def stream(self, pieces: Sequence[str]) -> Any:
        """All pieces as ids, the start token between them."""
        ids, offsets = self.tokenizer.encode_batch(list(pieces))
        return np.insert(ids.astype(np.int64), offsets[1:-1], self.start)


@torch.no_grad()
def token_nats(model: Decoder, coder: Coder, some: Sequence[str]) -> list[Any]:
    """Nats of every token of each text."""
    found = []
    for first in range(0, len(some), 32):
        ids = coder.encode(some[first : first + 32])
        one = batch(ids, 0, coder.start)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model.head(model.hidden(one.tokens))
        nats = F.cross_entropy(
            logits.float().flatten(0, 1), one.targets.flatten(), ignore_index=-100, reduction="none"
        ).view(one.targets.shape)
        found += [row[: len(tokens)].numpy() for row, tokens in zip(nats, ids, strict=True)]
    return found


def rare_bits(model: Decoder, coder: Coder, rare: Sequence[tuple[str, int, int]]) -> float:
    """Bits per character of the words, each behind what stands before it."""
    some = sorted({chunk for chunk, _, _ in rare}, key=len)
    nats = dict(zip(some, token_nats(model, coder, some), strict=True))
    ends = {chunk: np.cumsum(coder.lengths[ids]) for chunk, ids in zip(some, coder.encode(some), strict=True)}
    total, characters = 0.0, 0
    for chunk, start, end in rare:
        first, last = len(chunk[:start].encode()), len(chunk[:end].encode())
        inside = (ends[chunk] > first) & (ends[chunk] <= last)
        total += float(nats[chunk][inside].sum())
        characters += end - start
    return total / math.log(2) / characters


def measure(model: Decoder, coder: Coder, held: Held) -> dict[str, float]:
    model.eval()
    found = {
        name: bits_per_character(model, some, coder.encode)  # type: ignore[arg-type]
        for name, some in held.domains.items()
    }
    found["mean"] = sum(found.values()) / len(found)
    model.eval()
    found["rare forms"] = rare_bits(model, coder, held.rare)
    good = token_nats(model, coder, [pair[0] for pair in held.pairs])
    bad = token_nats(model, coder, [pair[1] for pair in held.pairs])
    found["pairs"] = sum(float(a.sum()) < float(b.sum()) for a, b in zip(good, bad, strict=True)) / len(good)
    model.train()
    return found


def windows(ids: Any, length: int, size: int, steps: int, seed: int) -> Iterator[Any]:
    """`steps` batches of `size` windows of `length` ids, drawn without repeating until all were."""
    count = len(ids) // length
    random = np.random.default_rng(seed)
    places: Any = np.empty(0, np.int64)
    for _ in range(steps):
        while len(places) < size:
            places = np.concatenate([places, random.permutation(count)])
        chosen, places = places[:size], places[size:]
        yield np.stack([ids[at * length : (at + 1) * length] for at in chosen])


def train(
    coder: Coder, ids: Any, held: Held, shape: Shape, course: Course, length: int, seed: int
) -> list[dict[str, Any]]:
    """The curve of one run."""
    torch.manual_seed(seed)
    model = Decoder(shape)
    optimizer = torch.optim.AdamW(model.parameters(), lr=course.rate, betas=(0.9, 0.95), weight_decay=0.05)
    points = {course.steps * number // POINTS for number in range(1, POINTS + 1)}
    curve, spent = [], 0.0
    for step, rows in enumerate(windows(ids, length, course.size, course.steps, seed), 1):
        began = time.process_time()
        targets = torch.from_numpy(rows)
        tokens = torch.cat([torch.full((course.size, 1), coder.start), targets[:, :-1]], 1)
        decay = 0.55 + 0.45 * math.cos(math.pi * (step - 1) / course.steps)
        for group in optimizer.param_groups:
            group["lr"] = course.rate * min(1.0, step / course.warm) * decay
        loss = model.loss(tokens, targets) / targets.numel()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        spent += time.process_time() - began
        if step in points:
            curve.append({"step": step, "seconds": round(spent, 1), **measure(model, coder, held)})
            print(f"  {step}: {curve[-1]['mean']:.4f} bits, {spent:.0f} CPU s", flush=True)
    return curve


def vocabularies(work: Path, trained: Sequence[str], size: int, names: Sequence[str]) -> dict[str, Coder]:
    """A tokenizer of each name, all from the same text and of the same size."""
    made = {}
    for name in names:
        pattern, penalty = TOKENIZERS[name]
        folder = work / f"{name.replace(' ', '-')}-{size}"
        if not (folder / "tokenizer.json").exists():
            counts, cuts = work / f"{pattern}.counts", work / f"{pattern}.tsv"
            if not counts.exists():
                count_shard(trained, pattern, counts)
            if penalty and not cuts.exists():
                segment_counts(counts, cuts)
            settings = {} if penalty else {"penalty": 0.0}
            parameters = TrainParameters(size, pattern=pattern, **settings)
            learn(counts, parameters, cuts if penalty else None).vocabulary().save(folder)
        made[name] = Coder(Vocabulary.load(folder))
    return made


def done(path: Path) -> dict[str, dict[str, Any]]:
    lines = path.read_text().splitlines() if path.exists() else []
    return {json.dumps(run["key"], sort_keys=True): run for run in map(json.loads, lines)}


def interval(differences: Sequence[float]) -> str:
    """Mean of paired differences with its 95% interval."""
    mean = sum(differences) / len(differences)
    if len(differences) < 2:
        return f"{mean:+.4f}"
    error = float(np.std(differences, ddof=1)) / math.sqrt(len(differences))
    return f"{mean:+.4f} +- {STUDENT.get(len(differences) - 1, 1.96) * error:.4f}"


def report(runs: Sequence[Mapping[str, Any]]) -> None:
    """Curves as means over seeds, and differences to the first name, seed by seed."""
    kinds = sorted({(run["key"]["data"], run["key"]["steps"]) for run in runs})
    names = list(dict.fromkeys(run["key"]["name"] for run in runs))
    for kind in kinds:
        here = {
            (run["key"]["name"], run["key"]["seed"]): run["curve"]
            for run in runs
            if (run["key"]["data"], run["key"]["steps"]) == kind
        }
        steps = [point["step"] for point in next(iter(here.values()))]
        print(
            f"\n{kind[0]} MB\n| steps | "
            + " | ".join(map(str, steps))
            + " |\n|---" * 1
            + "|---" * len(steps)
            + "|"
        )
        for what in ("mean", "rare forms", "pairs"):
            for name in names:
                curves = [curve for (other, _), curve in here.items() if other == name]
                if not curves:
                    continue
                row = [f"{sum(c[at][what] for c in curves) / len(curves):.4f}" for at in range(len(steps))]
                print(f"| {name}, {what}, {len(curves)} seeds | " + " | ".join(row) + " |")
                seeds = [seed for other, seed in here if other == name and (names[0], seed) in here]
                if name != names[0] and seeds:
                    row = [
                        interval([here[name, s][at][what] - here[names[0], s][at][what] for s in seeds])
                        for at in range(len(steps))
                    ]
                    print(f"| {name} less {names[0]} | " + " | ".join(row) + " |")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tokenizers", default="plain,penalty,o200k")
    parser.add_argument("--corpora", nargs=2, metavar=("A", "B"))
    parser.add_argument("--data", default="45", help="MB of text, comma-separated")
    parser.add_argument(
        "--text", type=float, default=0, help="MB that tokenizers learn from; 0: the most of --data"
    )
    parser.add_argument("--threads", type=int, default=1)
    add_arguments(parser, steps=2000, size=8, length=192, width=192, layers=3, vocabulary=8000)
    return parser.parse_args()


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    sizes = [float(size) for size in options.data.split(",")]
    most = int(max(*sizes, options.text) * 1e6)
    if options.corpora:
        bodies = {path: corpus(path, most) for path in options.corpora}
        both = [piece for body in bodies.values() for piece in body]
        coders = dict.fromkeys(
            bodies, vocabularies(options.work, both, options.vocabulary, ["plain"])["plain"]
        )
    else:
        names = options.tokenizers.split(",")
        both = russian(most)
        bodies = dict.fromkeys(names, both)
        coders = vocabularies(options.work, both, options.vocabulary, names)
    domains = held_out()
    held = Held(domains, rare_forms(both, domains), pairs())
    print(
        f"{sum(map(len, both)):,} characters, {len(held.rare)} rare forms, {len(held.pairs)} pairs",
        flush=True,
    )
    shape = Shape(options.vocabulary + 1, options.width, options.layers, heads=max(1, options.width // 32))
    path = options.work / "runs.jsonl"
    for data in sizes:
        for seed in range(options.seeds):
            for name, coder in coders.items():
                key = {"name": name, "data": data, "seed": seed, "steps": options.steps, "size": options.size}
                key |= {"length": options.length, "width": options.width, "layers": options.layers}
                key |= {"vocabulary": options.vocabulary}
                if json.dumps(key, sort_keys=True) in done(path):
                    continue
                print(f"{name}, {data:g} MB, seed {seed}", flush=True)
                ids = coder.stream(up_to(bodies[name], int(data * 1e6)))
                course = Course(options.steps, options.size, warm=min(100, options.steps // 5))
                curve = train(coder, ids, held, shape, course, options.length, seed)
                with path.open("a") as stream:
                    stream.write(json.dumps({"key": key, "tokens": len(ids), "curve": curve}) + "\n")
    report(list(done(path).values()))


if __name__ == "__main__":
    main()
