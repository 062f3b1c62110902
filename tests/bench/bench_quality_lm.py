"""A small neural model as the second judge of a filter: bits a character of held-out genres after each.

    BUKVAR_DATA=... python -m tests.bench.bench_quality_lm --work DIR [--seeds 3] [--steps 200]

The second judge beside `bench_quality`, whose pools as a crawl has genres it takes: a decoder (small_decoder,
bench_lm) learns from the same number of characters of what each filter leaves, with one tokenizer for all,
the same steps and as many tokens a step, and predicts documents of each genre that were held out. Needs
PyTorch. A run is a line of DIR/quality.jsonl; runs that stand there are not made again.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq
import torch
from torch import nn

from tests.bench import bench_quality as pools
from tests.bench.bench_lm import Coder, done, interval, vocabularies, windows
from tests.bench.small_decoder import Course, Decoder, Shape, add_arguments, bits_per_character, chunks

FILTERS: Final = ("none", "fineweb2-ru", "ru-web", "oracle")
#: Characters of a genre that are measured on.
GENRE: Final = 12_000


def texts_of(chars: int, seed: int) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """What each filter leaves of a pool, cut to `chars` characters; and chunks of the held-out genres."""
    table = pq.read_table(Path(os.environ["BUKVAR_DATA"]) / "quality" / "dev.parquet")
    texts, good, kind = (table.column(name).to_pylist() for name in ("text", "good", "kind"))
    genres: dict[str, list[int]] = {}
    held: dict[str, list[str]] = {}
    for at, text in enumerate(texts):
        if good[at] and pools.held_out(text):
            held.setdefault(kind[at], []).append(text[:3000])
        elif good[at]:
            genres.setdefault(kind[at], []).append(at)
    junk = [at for at in range(len(texts)) if not good[at] and kind[at] not in pools.CUT]
    rows = pools.pool(genres, junk, texts, chars, seed, balanced=False)
    kept = pools.verdicts([texts[row] for row in rows])
    kept["oracle"] = np.array([good[row] for row in rows], np.bool_)
    left = {}
    for name in FILTERS:
        chosen = [row for row, keeps in zip(rows, kept[name], strict=True) if keeps]
        drawn = pools.draw(chosen, texts, chars, np.random.default_rng(seed))
        left[name] = [texts[row][:20_000] for row in drawn]
    measured = {
        genre: list(chunks(["\n".join(parts)[:GENRE]])) for genre, parts in sorted(held.items()) if parts
    }
    return left, measured


def learnt(
    coder: Coder, pieces: Sequence[str], shape: Shape, course: Course, length: int, seed: int
) -> Decoder:
    """A decoder after all steps, on windows of the texts in a drawn order."""
    torch.manual_seed(seed)
    model = Decoder(shape)
    optimizer = torch.optim.AdamW(model.parameters(), lr=course.rate, betas=(0.9, 0.95), weight_decay=0.05)
    for step, rows in enumerate(windows(coder.stream(pieces), length, course.size, course.steps, seed), 1):
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
    return model


def report(runs: Sequence[Mapping[str, Any]]) -> None:
    """Means over seeds, and differences to no filter, seed by seed."""
    found = {(run["key"]["name"], run["key"]["seed"]): run["bits"] for run in runs}
    means = {key: float(np.mean(list(bits.values()))) for key, bits in found.items()}
    for name in FILTERS:
        seeds = [seed for other, seed in means if other == name and ("none", seed) in means]
        values = [means[name, seed] for seed in seeds]
        apart = interval([means[name, seed] - means["none", seed] for seed in seeds]) if seeds else ""
        listed = " ".join(f"{value:.4f}" for value in values)
        print(f"{name:12} {np.mean(values):.4f} bits a character ({listed}); less none {apart}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--chars", type=int, default=1_000_000, help="characters that each model learns from")
    add_arguments(parser, steps=200, size=16, length=128, width=128, layers=2, vocabulary=2000)
    return parser.parse_args()


def main() -> None:
    options = parse()
    torch.set_num_threads(1)
    options.work.mkdir(parents=True, exist_ok=True)
    path = options.work / "quality.jsonl"
    shape = Shape(options.vocabulary + 1, options.width, options.layers, heads=max(1, options.width // 32))
    course = Course(options.steps, options.size, warm=min(100, options.steps // 5))
    settings = {name: value for name, value in vars(options).items() if name not in ("work", "seeds")}
    for seed in range(options.seeds):
        left, measured = texts_of(options.chars, seed)
        # One tokenizer for all filters and seeds: learnt from the first pool's good text and junk alike.
        coder = vocabularies(options.work, left["none"], options.vocabulary, ["plain"])["plain"]
        for name in FILTERS:
            key = {"name": name, "seed": seed, **settings}
            if json.dumps(key, sort_keys=True) in done(path):
                continue
            began = time.process_time()
            model = learnt(coder, left[name], shape, course, options.length, seed)
            bits = {genre: bits_per_character(model, some, coder.encode) for genre, some in measured.items()}
            spent = time.process_time() - began
            print(
                f"{name}, seed {seed}: {np.mean(list(bits.values())):.4f} bits, {spent:.0f} CPU s", flush=True
            )
            with path.open("a") as stream:
                stream.write(json.dumps({"key": key, "bits": bits}) + "\n")
    report(list(done(path).values()))


if __name__ == "__main__":
    main()
