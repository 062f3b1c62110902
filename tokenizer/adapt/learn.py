"""Learning tokens for a base: continued BPE over pretokens cut by the base's own pattern.

The learner is that of `tokenizer.train`, with its penalty and constraints. It begins with words as the base
encodes them, and makes only tokens that hold a Cyrillic lead byte, so that text without Cyrillic is encoded
as before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from rust_ext import Extension, MorphemeBoundaries, bpe_extend
from tokenizer.adapt.arrange import Arrangement, arrange
from tokenizer.adapt.base import CYRILLIC_LEADS, Base, holds_cyrillic, normalized
from tokenizer.adapt.scripts import whole_and_rest
from tokenizer.train import Counts, Progress, TrainParameters
from tokenizer.vocabulary import NO_MERGE

_REQUIRED: Final = bytes(sorted(CYRILLIC_LEADS))
#: Times that learning begins anew for as many tokens more as turned out to be unreachable, and these.
_TRIES: Final = 8
_SPARE: Final = 16
#: The most Cyrillic tokens that are swapped where no number of uses is given.
_SWAPPED: Final = 8192


@dataclass(frozen=True)
class Settings:
    """What decides how tokens are learnt: of `parameters` all but the size, the pattern and special tokens.
    Sources are held in parity, as `tokenizer.train.learn` does it."""

    parameters: TrainParameters
    boundaries: MorphemeBoundaries | None = None
    threads: int = 1
    progress: Progress | None = None


@dataclass(frozen=True)
class Adapted:
    """An adapted tokenizer beside its base. new: the tokens that the base does not have, in the order in
    which they were learnt; parts[i]: the two tokens that make new[i]; freed: those of the base that are
    gone. uses, base_uses: how often each token stands in the training text, by bytes (empty: not known).
    counts: how often the pair of each token learnt occurred when it was chosen; left_out: pretokens too long
    to learn from."""

    base: Base
    tokenizer: Base
    new: tuple[bytes, ...]
    parts: tuple[tuple[bytes, bytes], ...]
    freed: tuple[bytes, ...] = ()
    uses: dict[bytes, int] | None = None
    base_uses: dict[bytes, int] | None = None
    counts: tuple[int, ...] = ()
    left_out: int = 0


def base_uses(base: Base, counts: Sequence[Counts], settings: Settings) -> list[int]:
    """How often the base uses each rank in the counted text, where that holds Cyrillic."""
    found = _extend(base, counts, 0, settings)
    return found.base_uses


def swap_threshold(base: Base, counts: Sequence[Counts], add: int, settings: Settings) -> int:
    """The number of uses below which a Cyrillic token of the base had better go, where `add` ids are filled
    anyway: so that what comes in last, in its place too, is used more than what goes. Learns once, to see how
    often the tokens that would come in are used."""
    uses = base_uses(base, counts, settings)
    rare = sorted(uses[rank] for rank in range(256, len(uses)) if holds_cyrillic(base.tokens[rank]))[
        :_SWAPPED
    ]
    for more in (len(rare), len(rare) // 8, 0):
        try:
            gained = learn(base, counts, set(), add + more, settings).counts
            break
        except ValueError:
            if not more:
                raise
    least = gained[-1] if gained else 0
    for place, use in enumerate(rare):
        if add + place < len(gained) and use < gained[add + place]:
            least = use + 1
    return least


def learn(base: Base, counts: Sequence[Counts], free: set[int], add: int, settings: Settings) -> Adapted:
    """Frees the ranks `free` (closed) and adds `add` tokens learnt from counts. Where ids are ranks and new
    tokens fill freed ones, a few of what is learnt may turn out to be unreachable: these are left out, and
    the next ones take their places. ValueError where the text is too small for so many, or holds no
    Cyrillic."""
    arrangement = arrange(base, free)
    spare = 0
    for _ in range(_TRIES):
        found = _extend(arrangement.reduced, counts, add + spare, settings)
        tokens = list(arrangement.reduced.tokens)
        for left, right in found.merges:
            tokens.append(tokens[left] + tokens[right])
        learnt = tokens[len(arrangement.reduced.tokens) :]
        wrong: set[bytes] = set()
        while True:
            new = [token for token in learnt if token not in wrong][:add]
            made = arrangement.with_tokens(new)
            more = _unreachable(made, new)
            if not more:
                break
            wrong |= more
        if len(new) == add:
            return _adapted(arrangement, made, tokens, found)
        spare = 2 * len(wrong) + _SPARE
    raise ValueError(f"{len(wrong)} of the new tokens cannot be reached, such as {min(wrong)!r}")


def _extend(base: Base, counts: Sequence[Counts], add: int, settings: Settings) -> Extension:
    try:
        return bpe_extend(
            list(counts),
            list(base.tokens),
            add,
            replace(settings.parameters, vocab_size=add + 256, special_tokens=()),
            _REQUIRED,
            (),
            settings.boundaries if settings.parameters.in_force else None,
            settings.progress,
            settings.threads,
            base.ignore_merges,
        )
    except ValueError as error:
        if "the corpus is empty" in str(error):
            raise ValueError("the input holds no Cyrillic text: there is nothing to learn from") from error
        raise


def _unreachable(made: Base, new: Sequence[bytes]) -> set[bytes]:
    """New tokens that merging does not make of their own bytes, or that the normalizer changes."""
    derived = made.merges
    wrong = {token for token in new if derived[made.rank_of[token] - 256] == NO_MERGE}
    if made.normalization:
        texts = [whole_and_rest(token)[1] for token in new]
        stable = normalized(texts, made.normalization)
        wrong |= {token for token, text, same in zip(new, texts, stable, strict=True) if text != same}
    return wrong


def _adapted(
    arrangement: Arrangement,
    made: Base,
    tokens: list[bytes],
    found: Extension,
) -> Adapted:
    counts, uses, before = found.counts, found.uses, found.base_uses
    base, reduced = arrangement.base, arrangement.reduced
    new = [
        token
        for token in tokens[len(reduced.tokens) :]
        if token in made.rank_of and token not in base.rank_of
    ]
    pairs = [made.merges[made.rank_of[token] - 256] for token in new]
    return Adapted(
        base=base,
        tokenizer=made,
        new=tuple(new),
        parts=tuple((made.tokens[left], made.tokens[right]) for left, right in pairs),
        freed=tuple(token for token in base.tokens if token not in made.rank_of),
        uses=dict(zip(tokens, uses, strict=True)),
        base_uses=dict(zip(reduced.tokens, before, strict=True)),
        counts=tuple(counts),
        left_out=found.left_out,
    )
