"""Does an adapted vocabulary help a model, and by which rows: bits per character after the swap and later.

    BUKVAR_DATA=... python -m tests.bench.bench_adapt_model --work DIR [--seeds 3] [--tied] [--steps 800]

A small decoder learns Russian with a vocabulary of 4,096 tokens trained mostly on English; then 4,000 Russian
tokens are added by continued merges, their rows made by each method, and bits per character of five domains
of held-out text are taken right after the swap and while the model goes on training on the same text (the
unadapted model beside it). --work keeps models; --methods NAME,... and --continued NAME,... choose.
Needs PyTorch (`pip install torch`); one thread.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from tests.bench import small_decoder as lm
from tests.bench import vocabulary_texts as texts
from tokenizer.adapt import weights_rows as rows
from tokenizer.encode import Tokenizer
from tokenizer.train import ALPHABET, TrainParameters, count, learn
from tokenizer.vocabulary import Vocabulary

BASE, ADDED = 4_096, 4_000
#: Bytes to train on, by source, and chunks a domain to measure on.
TRAINING = {
    "ruslit": 8_000_000,
    "news": 8_000_000,
    "koziev": 3_000_000,
    "rusdracor": 3_000_000,
    "phpdoc_ru": 3_000_000,
}
HELD_OUT = 80
ENGLISH = 4_000_000
#: One part in so many of the base's training text is Russian, by documents.
RUSSIAN_PART = 12


@dataclass(frozen=True)
class Texts:
    """Documents to train vocabularies on, chunks to train models on, chunks a domain to measure on."""

    russian: list[str]
    english: list[str]
    chunks: list[str]
    held_out: dict[str, list[str]]


def read_texts() -> Texts:
    low, high = texts.DEVELOPMENT, 256
    russian = [
        text
        for source, most in TRAINING.items()
        for text in texts.up_to(texts.part(texts.text_ru(source), low, high), most)
    ]
    english = texts.up_to(texts.part(texts.wcxb(), texts.WCXB_TEST + 20, high), ENGLISH)
    chunks = [*lm.chunks(russian), *itertools.islice(lm.chunks(english), 2_000)]
    domains = texts.unseen_domains() | {
        name: some
        for name, some in texts.russian_domains(0, texts.TEST).items()
        if name in ("news", "fiction")
    }
    held = {}
    for name, some in domains.items():
        if name != "web news":
            found = list(lm.chunks(some))
            random.Random(0).shuffle(found)
            held[name] = found[:HELD_OUT]
    return Texts(russian, english, chunks, held)


@dataclass(frozen=True)
class Swap:
    """Base and adapted vocabulary; of each new token its pieces and uses; the base's uses."""

    base: Vocabulary
    adapted: Vocabulary
    pieces: rows.Pieces
    uses: np.ndarray
    base_uses: np.ndarray


def make_swap(given: Texts) -> Swap:
    mixed = [*given.english, *given.russian[::RUSSIAN_PART]]
    base = learn([count(mixed)], TrainParameters(BASE, penalty=0.0)).vocabulary()
    parameters = TrainParameters(BASE + ADDED, penalty=0.0)
    longer = learn([count(given.russian)], parameters, merges=base.merges_over(ALPHABET)).vocabulary()
    made: list[list[int]] = [[token] for token in range(BASE)]
    for left, right in longer.merges[BASE - 256 :]:
        made.append(made[left] + made[right])
    return Swap(
        base,
        longer,
        rows.Pieces.of(made[BASE:]),
        used(longer, given.russian)[BASE:],
        used(base, given.russian),
    )


def used(vocabulary: Vocabulary, some: Sequence[str]) -> np.ndarray:
    ids, _ = Tokenizer(vocabulary).encode_batch(some)
    return np.bincount(ids, minlength=len(vocabulary.tokens)).astype(np.int64)


def encoder(vocabulary: Vocabulary) -> lm.Encode:
    tokenizer = Tokenizer(vocabulary)

    def encode(some: Sequence[str]) -> list[list[int]]:
        ids, ends = tokenizer.encode_batch(list(some))
        whole = ids.tolist()
        return [whole[a:b] for a, b in itertools.pairwise(ends.tolist())]

    return encode


def order(given: Texts, seed: int) -> list[str]:
    chunks = list(given.chunks)
    random.Random(seed).shuffle(chunks)
    return chunks


def base_model(given: Texts, swap: Swap, shape: lm.Shape, seed: int, steps: int, work: Path) -> lm.Decoder:
    torch.manual_seed(seed)
    model = lm.Decoder(shape)
    path = work / f"base-{seed}-{steps}{'-tied' if shape.tied else ''}.pt"
    if path.exists():
        model.load_state_dict(torch.load(path))
        return model
    began = time.process_time()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        lm.train(model, order(given, seed), encoder(swap.base), lm.Course(steps))
    print(f"{path.name}: {time.process_time() - began:.0f} CPU s", flush=True)
    torch.save(model.state_dict(), path)
    return model
