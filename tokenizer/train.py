"""Learning a byte-level BPE vocabulary: documents -> counts -> merges, in Rust.

Three pure functions over paths, which are three phases of tasks: `count_shard` (once a shard),
`merge_counts` (once), `learn` (once). `train` does all three on one machine without files. The result depends
on the counts alone, not on threads, on the order of documents or on how they were sharded.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from rust_ext import (
    MorphemeBoundaries,
    PretokenCounter,
    PretokenCounts,
    bpe_learn,
    counts_header,
    counts_items,
    counts_merge,
)
from tokenizer.parameters import MergeOptions, VocabularyOptions
from tokenizer.roles import parted
from tokenizer.split import DEFAULT, pattern_name, pattern_regex
from tokenizer.texts import buffers
from tokenizer.texts import read_text as read_text
from tokenizer.vocabulary import ALPHABET as ALPHABET
from tokenizer.vocabulary import Vocabulary

if TYPE_CHECKING:
    from tokenizer.texts import Texts

Progress = Callable[[str, int, int], object]
"""Called with a stage, what is done of it and what is to do in all (0: not known), ten times a second at most
and at the end of counting and of learning. Stages: "count" (bytes of text), "merge" (records of counts files,
read once more for `max_types`), "read" (pretokens that learning begins with), "learn" (merges). What it
raises stops the work and is raised; so does Ctrl-C, with or without it."""

Segment = Callable[[str], Sequence[int]]
"""A word in small letters -> the letters, by number from 1, before which it is cut."""

Boundaries = MorphemeBoundaries | Mapping[str, Sequence[int]] | Segment | Path
"""Segmented words: read already, word -> cuts, a function that cuts, or a file of lines
`word<TAB>morph|morph|...`."""

PathLike = str | os.PathLike[str]

Counts = PretokenCounts | PathLike
"""Counts in memory, or a counts file."""

MEMORY: Final = 512 << 20
"""Bytes of counts that `count_shard` holds before it writes them aside: 10 million types."""

BETWEEN: Final = 0.1
"""Seconds between two reports of progress."""


@dataclass(frozen=True)
class Penalty:
    """The penalty in force: until `release_merge` merges are done, a pair scores count^exponent times
    (1 - penalty * share^gamma), at least 0. share: of the word types that hold the pair, those in which it
    crosses a morpheme boundary, each 1 - kappa where the union is made of whole morphemes."""

    penalty: float
    gamma: float
    kappa: float
    exponent: float
    release_merge: int


@dataclass(frozen=True)
class TrainParameters(MergeOptions, VocabularyOptions):
    """Checked options of learning. Raises ValueError, in one line, for what lies out of range."""

    def __post_init__(self) -> None:
        if self.vocab_size - len(self.special_tokens) < 256:
            raise ValueError(
                f"vocab_size {self.vocab_size} is too small: the 256 bytes and "
                f"{len(self.special_tokens)} special tokens are always in the vocabulary"
            )
        names, _ = parted(self.special_tokens)
        if single := [name for name in names if len(name.encode("utf-8", "surrogatepass")) == 1]:
            raise ValueError(
                f"special token {single[0]!r} is an ordinary token already; give it another name"
            )
        pattern_regex(self.pattern)
        if self.min_pair_count < 1 or not 1 <= self.max_pretoken_bytes <= 0xFFFF:
            raise ValueError("min_pair_count must be at least 1, max_pretoken_bytes in 1..65535")
        fitted = self._fitted()
        if not (math.isfinite(fitted["penalty"]) and fitted["penalty"] >= 0 and 0 <= fitted["release"] <= 1):
            raise ValueError("penalty must not be negative, release must lie in 0..1")
        if not (0 < fitted["gamma"] <= 16 and 0 < fitted["exponent"] <= 1 and 0 <= fitted["kappa"] <= 1):
            raise ValueError(
                "gamma must lie in 0..16, exponent and kappa in 0..1, gamma and exponent above 0"
            )
        if self.max_punctuation < 0 or self.max_token_bytes < 0:
            raise ValueError("max_punctuation and max_token_bytes must not be negative")

    def _fitted(self) -> dict[str, float]:
        """The options of the penalty, those not given as they were chosen for 32,000 tokens of Russian
        (docs/measured/tokenizer.md, Morphemes) and fewer, for 128,000 and more, and between them by the
        logarithm of the size."""
        share = min(1.0, max(0.0, math.log2(self.vocab_size / 32_000) / 2))
        chosen = {
            "penalty": 1.2 + 0.2 * share,
            "gamma": 0.15 + 0.1 * share,
            "kappa": 0.3 + 0.1 * share,
            "exponent": 0.93,
            "release": 0.28 + 0.02 * share,
        }
        given = {name: getattr(self, name) for name in chosen}
        return chosen | {name: value for name, value in given.items() if value is not None}

    @property
    def tokens(self) -> int:
        """Ordinary tokens: the 256 bytes and one for each merge."""
        return self.vocab_size - len(self.special_tokens)

    @property
    def in_force(self) -> Penalty | None:
        """The penalty to learn under; None for plain BPE."""
        fitted = self._fitted()
        release_merge = int(fitted.pop("release") * (self.tokens - 256))
        if fitted["penalty"] == 0 or release_merge == 0:
            return None
        return Penalty(release_merge=release_merge, **fitted)


@dataclass(frozen=True)
class Model:
    """What was learnt. Token 256 + i is made by merges[i], a pair of earlier ids; the tokens 0..255 are
    `ALPHABET`. counts[i]: how often the pair occurred when it was chosen; uses[t]: how often token t stands
    in the corpus at the end; left_out: pretokens that were too long."""

    pattern: str
    merges: tuple[tuple[int, int], ...]
    counts: tuple[int, ...]
    uses: tuple[int, ...]
    left_out: int = 0
    special_tokens: tuple[str, ...] = ()

    @property
    def tokens(self) -> tuple[bytes, ...]:
        """The ordinary tokens by id."""
        tokens = list(ALPHABET)
        for left, right in self.merges:
            tokens.append(tokens[left] + tokens[right])
        return tuple(tokens)

    def vocabulary(self) -> Vocabulary:
        """The vocabulary to save and encode with; special tokens have the ids after the others."""
        vocabulary = Vocabulary(self.tokens, self.merges, pattern_name(self.pattern))
        return vocabulary.with_special_tokens(self.special_tokens)


def _fill(counter: PretokenCounter, texts: Texts, total: int, progress: Progress | None) -> None:
    done, due = 0, 0.0
    for part in buffers(texts):
        if isinstance(part, list):
            counter.add_texts(part)
            done += sum(map(len, part))
        else:
            counter.add(part)
            _, offsets = part
            done += int(offsets[-1] - offsets[0])
        if progress is not None and time.monotonic() >= due:
            progress("count", done, total)
            due = time.monotonic() + BETWEEN
    if progress is not None:
        progress("count", done, done)


def count(
    texts: Texts,
    pattern: str = DEFAULT,
    *,
    threads: int = 1,
    total: int = 0,
    progress: Progress | None = None,
) -> PretokenCounts:
    """Counts the pretokens of documents (str, UTF-8 bytes, or Arrow arrays of them) in memory: about 32 bytes
    a type. `total`, the bytes of all texts where they are known, is for `progress` alone. Raises ValueError
    for a pattern that does not compile or loses text, and for bytes that are no UTF-8."""
    counter = PretokenCounter(pattern, threads, 0)
    _fill(counter, texts, total, progress)
    return counter.counts()


def count_shard(
    texts: Texts,
    pattern: str,
    out_path: PathLike,
    *,
    threads: int = 1,
    memory: int = MEMORY,
    total: int = 0,
    progress: Progress | None = None,
) -> None:
    """Counts the pretokens of documents into a counts file (its format: rust_ext/crates/train/src/counts.rs).

    Counts are exact: what does not fit in `memory` bytes is written beside `out_path` and added up at the
    end. Raises as `count` does, and OSError where files cannot be written.
    """
    counter = PretokenCounter(pattern, threads, memory, out_path)
    _fill(counter, texts, total, progress)
    counter.finish(out_path, progress)


def merge_counts(
    paths: Iterable[PathLike],
    out_path: PathLike,
    min_count: int = 1,
    max_types: int = 0,
    *,
    weights: Sequence[float] = (),
    progress: Progress | None = None,
) -> dict[str, str | int]:
    """Adds counts files up into one, holding one record of each in memory; returns what `header` does.

    `weights`, one a file, multiply its counts (rounded): so languages or sources get the share of the
    vocabulary that they are to have, not the one they have in the corpus. Kept are pretokens seen at least
    `min_count` times; and if they are more than `max_types` (0: any number), only those above the count at
    which they are no more than that, so that equal counts share a fate. What is dropped is counted in the
    header. Raises ValueError if the files were counted with different patterns.
    """
    counts_merge(list(paths), out_path, min_count, max_types, list(weights), progress)
    return counts_header(out_path)


def header(counts_path: PathLike) -> dict[str, str | int]:
    """What a counts file says of itself: pattern, documents, bytes, pretokens, types, dropped_pretokens,
    dropped_types."""
    return counts_header(counts_path)


def read_counts(counts_path: PathLike) -> dict[bytes, int]:
    """All pretokens of a counts file with their counts."""
    return dict(counts_items(counts_path))


def words(counts: Mapping[bytes, int], min_count: int = 1) -> list[str]:
    """The words to segment, sorted: the first run of letters of each pretoken, in small letters."""
    found = set()
    for piece, number in counts.items():
        if number >= min_count:
            text = piece.decode(errors="replace")
            start = next((at for at, letter in enumerate(text) if letter.isalpha()), len(text))
            end = next((at for at in range(start, len(text)) if not text[at].isalpha()), len(text))
            found.add(text[start:end].lower())
    return sorted(found - {""})


def boundary_lines(cuts: Mapping[str, Sequence[int]]) -> str:
    """Segmented words as the lines of a boundaries file, sorted: `word<TAB>morph|morph|...`."""
    lines = []
    for word in sorted(cuts):
        ends = [0, *sorted(cuts[word]), len(word)]
        lines.append(f"{word}\t{'|'.join(word[a:b] for a, b in pairwise(ends))}\n")
    return "".join(lines)


def _boundaries(
    source: Boundaries | None, counts: Sequence[Counts], threads: int
) -> MorphemeBoundaries | None:
    if source is None or isinstance(source, MorphemeBoundaries):
        return source
    if isinstance(source, str | os.PathLike):
        return MorphemeBoundaries.read(source, threads)
    if isinstance(source, Mapping):
        return MorphemeBoundaries(boundary_lines(source))
    found: set[str] = set()
    for part in counts:
        if isinstance(part, PretokenCounts):
            raise ValueError("to segment by a function, count into a file first, or give a boundaries file")
        found.update(words(read_counts(part)))
    return MorphemeBoundaries(boundary_lines({word: source(word) for word in found}))


def learn(
    counts: Counts | Sequence[Counts],
    parameters: TrainParameters,
    boundaries: Boundaries | None = None,
    *,
    merges: Sequence[tuple[int, int]] = (),
    progress: Progress | None = None,
    consume: bool = False,
    threads: int = 1,
) -> Model:
    """Learns merges from counts, held in memory or in a file.

    Several counts are groups, such as languages, held in parity: each merge is the best one of the group
    whose text takes the most tokens a character at that time (ties: the first).

    Without `boundaries`, or with a penalty of 0, this is plain BPE, and the merges are those of tokenizers'
    BpeTrainer. `merges` are merges to begin with (pairs of ids in order): training continues from them.
    What is learnt does not depend on `threads`. The second one saves a quarter of the time or more where it
    has a core of its own; where other work keeps the cores busy, one thread is the better choice.
    With `consume`, counts held in memory are emptied once they are read, which saves 24 bytes a type or more.
    Raises ValueError for a corpus that is empty or too small for the vocabulary (saying how many merges were
    possible), and for boundaries that are not of the form stated.
    """
    groups = list(counts) if isinstance(counts, list | tuple) else [cast("Counts", counts)]
    wanted = pattern_regex(parameters.pattern)
    for part in groups:
        known = wanted if isinstance(part, PretokenCounts) else str(counts_header(part)["pattern"])
        if known != wanted:
            raise ValueError(f"{part} was counted with the pattern {pattern_name(known)}; count it again")
    cuts = _boundaries(boundaries, groups, threads) if parameters.in_force else None
    learnt = bpe_learn(groups, parameters, merges, cuts, progress, consume, threads)
    return Model(
        pattern=parameters.pattern,
        merges=tuple(learnt.merges),
        counts=tuple(learnt.counts),
        uses=tuple(learnt.uses),
        left_out=learnt.left_out,
        special_tokens=parameters.special_tokens,
    )


def prune(model: Model, min_uses: int) -> list[tuple[int, int]]:
    """The merges of a model without the leaves that are used less than `min_uses` times, renumbered.

    A leaf is a token of which no other is made; where one goes, its parts take over its uses and may be the
    next. What is left is reachable as before: every token is still made of tokens that are there. After plain
    training nothing is pruned (a leaf is used as often as its pair was counted); after training that went on
    from another vocabulary, what the corpus does not use goes. `learn` with these as `merges` fills up.
    """
    uses = list(model.uses)
    parents = [0] * len(uses)
    for pair in model.merges:
        for part in pair:
            parents[part] += 1
    kept = [True] * len(model.merges)
    for index in reversed(range(len(kept))):
        token = 256 + index
        if parents[token] == 0 and uses[token] < min_uses:
            kept[index] = False
            for part in model.merges[index]:
                parents[part] -= 1
                uses[part] += uses[token]
    ids = list(range(256))
    merges: list[tuple[int, int]] = []
    for pair, keep in zip(model.merges, kept, strict=True):
        ids.append(256 + len(merges) if keep else -1)
        if keep:
            merges.append((ids[pair[0]], ids[pair[1]]))
    return merges


def train(
    texts: Texts,
    parameters: TrainParameters,
    boundaries: MorphemeBoundaries | Mapping[str, Sequence[int]] | Path | None = None,
    *,
    threads: int = 1,
    total: int = 0,
    progress: Progress | None = None,
) -> Model:
    """Counts documents and learns merges from them, in memory; `total` as in `count`. Raises as `count` and
    `learn` do."""
    counts = count(texts, parameters.pattern, threads=threads, total=total, progress=progress)
    return learn(counts, parameters, boundaries, progress=progress, consume=True, threads=threads)
