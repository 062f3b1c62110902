"""A small decoder in PyTorch, of the kind that today's open models are: RMSNorm, rotary positions, SwiGLU.

Shared by the benchmarks that ask whether a tokenizer helps a model. Text comes in chunks of the same
characters whatever the tokenizer, each a sequence of its own behind a start token, so that two tokenizers
learn from and are scored on the same text with the same context; scores are bits per character.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor, nn

#: Padding of a batch: no token's target.
IGNORED = -100
#: Sequences are padded to a multiple of it: for each new shape oneDNN compiles and keeps kernels.
STEP = 32


@dataclass(frozen=True)
class Shape:
    """vocabulary: rows of the matrices, the start token included (the last row)."""

    vocabulary: int
    width: int = 192
    layers: int = 3
    heads: int = 6
    tied: bool = False


class Block(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.before, self.between = nn.RMSNorm(shape.width), nn.RMSNorm(shape.width)
        self.mix = nn.Linear(shape.width, 3 * shape.width, bias=False)
        self.out = nn.Linear(shape.width, shape.width, bias=False)
        inner = shape.width * 8 // 3
        self.up, self.down = (
            nn.Linear(shape.width, 2 * inner, bias=False),
            nn.Linear(inner, shape.width, bias=False),
        )

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
        batch, length, width = x.shape
        parts = self.mix(self.before(x)).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        query, key, value = rotated(parts[0], turn), rotated(parts[1], turn), parts[2]
        seen = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).reshape(batch, length, width))
        gate, up = self.up(self.between(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)


def rotated(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    left, right = x.chunk(2, dim=-1)
    cos, sin = turn
    return torch.cat((left * cos - right * sin, right * cos + left * sin), dim=-1)


class Decoder(nn.Module):
    """Embedding, blocks, a last norm, an output matrix (the embedding's where tied)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width)
        self.head = nn.Linear(shape.width, shape.vocabulary, bias=False)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)
        for block in self.blocks:
            for layer in (block.out, block.down):
                nn.init.normal_(layer.weight, std=0.02 / math.sqrt(2 * shape.layers))
        if shape.tied:
            self.head.weight = self.embedding.weight

    def hidden(self, tokens: Tensor) -> Tensor:
        """The states before the output matrix, [batch, length, width]."""
        half = self.shape.width // self.shape.heads // 2
        angles = torch.arange(tokens.shape[1])[:, None] * 10_000.0 ** (-torch.arange(half) / half)
        turn = (angles.cos(), angles.sin())
        x = self.embedding(tokens)
        for block in self.blocks:
            x = block(x, turn)
        return self.norm(x)

    def loss(self, tokens: Tensor, targets: Tensor) -> Tensor:
        """Summed nats over the targets."""
        # A context a call: autocast keeps its casts of the weights as long as it is open.
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = self.head(self.hidden(tokens))
        logits = logits.float()
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum")


Encode = Callable[[Sequence[str]], list[list[int]]]


def chunks(texts: Iterable[str], most: int = 400) -> Iterator[str]:
    """Pieces of at most `most` characters, cut before a space; short ends of texts are left out."""
    for text in texts:
        start = 0
        while len(text) - start >= most // 2:
            end = start + most
            if end < len(text):
                space = text.rfind(" ", start + most // 2, end)
                end = space if space > 0 else end
            yield text[start:end]
            start = end


@dataclass(frozen=True)
class Batch:
    tokens: Tensor
    targets: Tensor
    characters: int


def batch(ids: Sequence[Sequence[int]], characters: int, start: int) -> Batch:
    """Sequences behind the token `start`, padded to the longest."""
    length = -(-max(map(len, ids)) // STEP) * STEP
    tokens = np.full((len(ids), length), start, np.int64)
    targets = np.full((len(ids), length), IGNORED, np.int64)
    for row, sequence in enumerate(ids):
        tokens[row, 1 : len(sequence)] = sequence[:-1]
        targets[row, : len(sequence)] = sequence
    return Batch(torch.from_numpy(tokens), torch.from_numpy(targets), characters)


def batches(texts: Sequence[str], encode: Encode, size: int, start: int) -> Iterator[Batch]:
    """Batches of `size` chunks in the order of `texts`, encoded as they are reached."""
    for first in range(0, len(texts), size):
        some = texts[first : first + size]
        yield batch(encode(some), sum(map(len, some)), start)


@torch.no_grad()
def bits_per_character(model: Decoder, texts: Sequence[str], encode: Encode) -> float:
    """The model's bits on chunks, per character."""
    model.eval()
    nats, characters = 0.0, 0
    for one in batches(sorted(texts, key=len), encode, 32, model.shape.vocabulary - 1):
        nats += float(model.loss(one.tokens, one.targets))
        characters += one.characters
    model.train()
    return nats / math.log(2) / characters


@torch.no_grad()
def mean_hidden(model: Decoder, texts: Sequence[str], encode: Encode) -> np.ndarray:
    """The mean state before the output matrix over the tokens of chunks, [width]."""
    total, count = torch.zeros(model.shape.width), 0
    for one in batches(texts, encode, 32, model.shape.vocabulary - 1):
        states = model.hidden(one.tokens)[one.targets != IGNORED]
        total += states.sum(0)
        count += len(states)
    return (total / count).numpy()


@dataclass(frozen=True)
class Course:
    """How to train: chunks a step, the highest rate, warm-up steps, steps in all (cosine to a tenth)."""

    steps: int
    size: int = 16
    rate: float = 2e-3
    warm: int = 50


def train(
    model: Decoder,
    texts: Sequence[str],
    encode: Encode,
    course: Course,
    *,
    only_matrices: bool = False,
    seen: Callable[[int], None] | None = None,
) -> float:
    """One pass over the first steps x size chunks; returns seconds. `seen` is called after each step with the
    number of steps done. only_matrices: embedding and output matrix alone learn."""
    matrices = {id(model.embedding.weight), id(model.head.weight)}
    learning = [p for p in model.parameters() if not only_matrices or id(p) in matrices]
    optimizer = torch.optim.AdamW(learning, lr=course.rate, betas=(0.9, 0.95), weight_decay=0.05)
    began = time.perf_counter()
    some = texts[: course.steps * course.size]
    for step, one in enumerate(batches(some, encode, course.size, model.shape.vocabulary - 1)):
        share = min(1.0, (step + 1) / course.warm)
        decay = 0.55 + 0.45 * math.cos(math.pi * step / course.steps)
        for group in optimizer.param_groups:
            group["lr"] = course.rate * share * decay
        loss = model.loss(one.tokens, one.targets) / int((one.targets != IGNORED).sum())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(learning, 1.0)
        optimizer.step()
        if seen:
            seen(step + 1)
    return time.perf_counter() - began


def add_arguments(parser: argparse.ArgumentParser, **defaults: int) -> None:
    """The options of every program that trains such decoders: --work, --seeds, and those of a model and its
    course, with their defaults."""
    helped = {"size": "windows a step", "length": "tokens of a window"}
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    for name, value in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=value, help=helped.get(name))
