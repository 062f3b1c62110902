"""Does an adapted vocabulary help a model, and by which rows: bits per character after the swap and later.

    BUKVAR_DATA=... python -m tests.bench.bench_adapt_model --work DIR [--tied]

A small decoder learns Russian with a vocabulary of 2,048 tokens trained mostly on English; then 2,000 Russian
tokens are added by continued merges, their rows made by each method, and bits per character of five domains
of held-out text are taken right after the swap and while the model goes on training on the same text (the
unadapted model beside it). --work keeps models; --methods NAME,... and --continued NAME,... choose.
Needs PyTorch (`pip install torch`); one thread.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from tests.bench import small_decoder as lm
from tests.bench import static_vectors
from tests.bench import vocabulary_texts as texts
from tokenizer.adapt import weights_rows as rows
from tokenizer.encode import Tokenizer
from tokenizer.train import ALPHABET, TrainParameters, count, learn
from tokenizer.vocabulary import Vocabulary

BASE, ADDED = 2_048, 2_000
#: Bytes to train on, by source, and chunks a domain to measure on.
TRAINING = {
    "ruslit": 8_000_000,
    "news": 8_000_000,
    "koziev": 3_000_000,
    "rusdracor": 3_000_000,
    "phpdoc_ru": 3_000_000,
}
HELD_OUT = 60
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
    kept_uses: np.ndarray
    base_uses: np.ndarray


def make_swap(given: Texts) -> Swap:
    mixed = [*given.english, *given.russian[::RUSSIAN_PART]]
    base = learn([count(mixed)], TrainParameters(BASE, penalty=0.0)).vocabulary()
    parameters = TrainParameters(BASE + ADDED, penalty=0.0)
    longer = learn([count(given.russian)], parameters, merges=base.merges_over(ALPHABET)).vocabulary()
    made: list[list[int]] = [[token] for token in range(BASE)]
    for left, right in longer.merges[BASE - 256 :]:
        made.append(made[left] + made[right])
    uses, pieces = used(longer, given.russian), rows.Pieces.of(made[BASE:])
    return Swap(base, longer, pieces, uses[BASE:], uses[:BASE], used(base, given.russian))


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


def base_model(given: Texts, swap: Swap, tied: bool, seed: int, options: argparse.Namespace) -> lm.Decoder:
    """A model that knows the base's ids; kept in --work."""
    torch.manual_seed(seed)
    model = lm.Decoder(lm.Shape(BASE + 1, options.width, heads=options.width // 32, tied=tied))
    path = options.work / f"base-{BASE}-{options.width}-{options.steps}-{seed}{'-tied' if tied else ''}.pt"
    if path.exists():
        model.load_state_dict(torch.load(path))
        return model
    began = time.process_time()
    lm.train(model, order(given, seed), encoder(swap.base), lm.Course(options.steps))
    print(f"{path.name}: {time.process_time() - began:.0f} CPU s", flush=True)
    torch.save(model.state_dict(), path)
    return model


@dataclass(frozen=True)
class Candidate:
    """How new rows are made: rules of tokenizer.adapt.weights_rows, or coefficients over kept rows ("focus",
    "omp"), or "random". state: the hidden state of the shift: measured, or estimated as the
    tool does, or by a ridge regression of this strength. kept:
    the shift is also given to kept tokens (which the tool does not do: kept rows stay as they are); scale: of
    the shift."""

    input: str | rows.Rule
    output: str | rows.Rule
    state: str | float = ""
    scale: float = 1.0
    kept: bool = False


def rule(text: str) -> rows.Rule:
    """ "last+rescale" as a rule."""
    name, *flags = text.split("+")
    return rows.Rule(name, "rescale" in flags, "shift" in flags)


ESTIMATED = "estimated"
#: "focus" and "omp" -> coefficients: they depend on the texts alone.
_COEFFICIENTS: dict[str, np.ndarray] = {}


class Making:
    """New rows of one model by any candidate."""

    def __init__(self, given: Texts, swap: Swap, model: lm.Decoder) -> None:
        self.swap, self.model, self.russian = swap, model, given.russian
        self.input = model.embedding.weight.detach().numpy()
        self.output = model.head.weight.detach().numpy()
        self.chunks, self.encode = order(given, 99)[:400], encoder(swap.base)
        self._states: dict[str | float, np.ndarray] = {}

    def state(self, which: str | float) -> np.ndarray:
        if which not in self._states:
            if which == "measured":
                found = lm.mean_hidden(self.model, self.chunks, self.encode).astype(np.float64)
            else:
                found = self._estimate(which)
            self._states[which] = found
        return self._states[which]

    def _estimate(self, which: str | float) -> np.ndarray:
        known = np.flatnonzero(self.swap.base_uses > 0)
        words, uses = self.output[known], self.swap.base_uses[known]
        if which == ESTIMATED:
            estimate = rows.Hidden(words.shape[1])
            estimate.add(words, uses)
            estimate.fit(words, uses)
            assert estimate.state is not None
            return estimate.state
        words, values = words - words.mean(axis=0), np.log(uses) - np.log(uses).mean()
        gram = (words.T @ words).astype(np.float64)
        strength = float(which) * np.trace(gram) / len(gram)
        found = np.linalg.solve(gram + strength * np.eye(len(gram)), words.T @ values)
        slope = (found @ (words.T @ values)) / (found @ gram @ found)
        return found * slope / rows.SLOPE

    def _rows(self, how: str | rows.Rule, matrix: np.ndarray, seed: int) -> np.ndarray:
        if isinstance(how, rows.Rule):
            found = rows.combine(lambda ids: matrix[ids], self.swap.pieces, how)
        elif how == "random":
            spread = matrix[:BASE].std()
            found = np.random.default_rng(seed).normal(0, spread, (ADDED, matrix.shape[1])).astype(np.float32)
        else:
            found = self._coefficients(how) @ matrix[:BASE]
        low, high = np.percentile(rows.row_norms(matrix[:BASE]), (1, 99))
        rows.clip_norms(found, low, high)
        return found

    def _coefficients(self, how: str) -> np.ndarray:
        """[new, kept]; the same for every model."""
        if how not in _COEFFICIENTS:
            ids, ends = Tokenizer(self.swap.adapted).encode_batch(self.russian)
            space = static_vectors.vectors(ids, ends, BASE + ADDED)
            _COEFFICIENTS["focus"] = static_vectors.focus(space, BASE)
            _COEFFICIENTS["omp"] = static_vectors.pursuit(space, BASE)
        return _COEFFICIENTS[how]

    def adapted(self, one: Candidate, seed: int) -> lm.Decoder:
        """The model with new matrices, all else shared by value."""
        tied = self.model.shape.tied and one.input == one.output
        made = lm.Decoder(replace(self.model.shape, vocabulary=BASE + ADDED + 1, tied=tied))
        state = {
            k: v for k, v in self.model.state_dict().items() if k not in ("embedding.weight", "head.weight")
        }
        made.load_state_dict(state, strict=False)
        new_in = self._rows(one.input, self.input, seed)
        new_out = new_in if tied else self._rows(one.output, self.output, seed)
        old_out = self.output.copy()
        if isinstance(one.output, rows.Rule) and one.output.shift:
            direction = self.state(one.state)
            direction = one.scale * direction / (direction @ direction)
            first_uses = self.swap.base_uses[self.swap.pieces.first]
            shift = rows.prior_shift(self.swap.uses, first_uses)
            new_out = new_out + (shift[:, None] * direction).astype(np.float32)
            if tied:
                new_in = new_out
            if one.kept:
                less = rows.prior_shift(self.swap.kept_uses, self.swap.base_uses)
                old_out[:BASE] += (less[:, None] * direction).astype(np.float32)
        for parameter, old, new in (
            (made.embedding.weight, self.input, new_in),
            (made.head.weight, old_out, new_out),
        ):
            whole = np.concatenate([old[:BASE], new, old[BASE:]]).astype(np.float32)
            parameter.data.copy_(torch.from_numpy(whole))
        return made


#: Rows by name: what is measured right after the swap.
LAST, FIRST = rule("last+rescale"), rule("only-first+shift")
CANDIDATES = {
    "random": Candidate("random", "random"),
    "mean / mean": Candidate(rule("mean"), rule("mean")),
    "mean / mean, rescaled": Candidate(rule("mean+rescale"), rule("mean+rescale")),
    "last / first": Candidate(LAST, rule("only-first")),
    "last / mean": Candidate(LAST, rule("mean")),
    "FOCUS / FOCUS": Candidate("focus", "focus"),
    "OMP / OMP": Candidate("omp", "omp"),
    "last / FOCUS": Candidate(LAST, "focus"),
    "last / first + shift, state measured": Candidate(LAST, FIRST, "measured"),
    "last / first + shift, ridge 1": Candidate(LAST, FIRST, 1.0),
    "last / first + shift": Candidate(LAST, FIRST, ESTIMATED),
    "last / first + shift, ridge 10": Candidate(LAST, FIRST, 10.0),
    "mean / first + shift": Candidate(rule("mean"), FIRST, ESTIMATED),
    "last / halves + shift": Candidate(LAST, rule("first+rescale+shift"), ESTIMATED),
    "FOCUS / first + shift": Candidate("focus", FIRST, ESTIMATED),
    "last / first + shift of all": Candidate(LAST, FIRST, ESTIMATED, kept=True),
}
#: For a model whose embedding is its output matrix; where the two rules differ, the matrix is untied.
TIED = {
    "random": Candidate("random", "random"),
    "mean": Candidate(rule("mean"), rule("mean")),
    "mean, rescaled": Candidate(rule("mean+rescale"), rule("mean+rescale")),
    "last by halves": Candidate(LAST, LAST),
    "first by halves": Candidate(rule("first+rescale"), rule("first+rescale")),
    "mean + shift": Candidate(rule("mean+shift"), rule("mean+shift"), ESTIMATED),
    "last by halves + shift": Candidate(rule("last+rescale+shift"), rule("last+rescale+shift"), ESTIMATED),
    "first by halves + shift": Candidate(rule("first+rescale+shift"), rule("first+rescale+shift"), ESTIMATED),
    "first + shift": Candidate(FIRST, FIRST, ESTIMATED),
    "FOCUS": Candidate("focus", "focus"),
    "OMP": Candidate("omp", "omp"),
    "untied, last / first + shift": Candidate(LAST, FIRST, ESTIMATED),
}
#: What goes on training, untied and tied.
CONTINUED = {
    False: ["base", "mean / mean", "FOCUS / FOCUS", "last / first + shift"],
    True: ["base", "mean", "untied, last / first + shift"],
}


def measure(
    model: lm.Decoder, given: Texts, encode: lm.Encode, course: lm.Course | None = None, seed: int = 0
) -> list[float]:
    """Bits per character of each domain; after `course` on text that no model has seen, where it is given."""
    if course:
        some = order(given, seed)[-course.steps * course.size :]
        lm.train(model, some, encode, course)
    return [lm.bits_per_character(model, some, encode) for some in given.held_out.values()]


def one_seed(given: Texts, swap: Swap, seed: int, options: argparse.Namespace) -> dict[str, list[float]]:
    """Name -> bits per character by domain, for the base, each candidate, and those trained on."""
    model = base_model(given, swap, options.tied, seed, options)
    making = Making(given, swap, model)
    before, after = encoder(swap.base), encoder(swap.adapted)
    found = {"base": measure(model, given, before)}
    show(seed, "base", found["base"])
    known = TIED if options.tied else CANDIDATES
    for name, one in known.items():
        if not options.methods or name in options.methods:
            found[name] = measure(making.adapted(one, seed), given, after)
            show(seed, name, found[name])
    for steps in options.later:
        course = lm.Course(steps, rate=1e-3, warm=10)
        for name in options.continued or CONTINUED[options.tied]:
            started = deepcopy(model) if name == "base" else making.adapted(known[name], seed)
            encode = before if name == "base" else after
            found[f"{name} +{steps}"] = measure(started, given, encode, course, seed)
            show(seed, f"{name} +{steps}", found[f"{name} +{steps}"])
    return found


def show(seed: int, name: str, bits: Sequence[float]) -> None:
    shown = " ".join(f"{one:.3f}" for one in bits)
    print(f"seed {seed}  {name:<40} {np.mean(bits):.4f}  {shown}", flush=True)


def table(found: Sequence[dict[str, list[float]]]) -> str:
    """Markdown: mean over domains and seeds, and what it is beside the base of the same seed, with its
    spread."""
    base = np.array([np.mean(one["base"]) for one in found])
    lines = ["| rows | bits/char | beside the base before | spread over seeds |", "|---|---|---|---|"]
    for name in found[0]:
        means = np.array([np.mean(one[name]) for one in found])
        gap = means - base
        lines.append(f"| {name} | {means.mean():.3f} | {gap.mean():+.3f} | {np.ptp(gap):.3f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--tied", action="store_true")
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument(
        "--steps", type=int, default=400, help="of the base, 16 chunks of 400 characters each"
    )
    parser.add_argument("--later", type=int, nargs="*", default=[40], help="steps of going on after the swap")
    parser.add_argument("--methods", type=lambda text: text.split(";"), default=[])
    parser.add_argument("--continued", type=lambda text: text.split(";"), default=[])
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.work.mkdir(parents=True, exist_ok=True)
    began = time.process_time()
    given = read_texts()
    swap = make_swap(given)
    chunks = [chunk for some in given.held_out.values() for chunk in some]
    counts = [sum(map(len, encoder(one)(chunks))) for one in (swap.base, swap.adapted)]
    print(f"held out: {counts[0]:,} tokens of the base, {counts[1]:,} adapted, {len(given.held_out)} domains")
    found = []
    name = f"results{'-tied' if options.tied else ''}-{'-'.join(map(str, options.seeds))}.json"
    for seed in options.seeds:
        found.append(one_seed(given, swap, seed, options))
        (options.work / name).write_text(json.dumps(found, ensure_ascii=False, indent=1))
    print(table(found))
    print(f"{time.process_time() - began:.0f} CPU s")


if __name__ == "__main__":
    main()
