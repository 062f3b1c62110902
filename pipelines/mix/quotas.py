"""Quotas of phases, and where in its order each source is cut.

A source is read in one order, pass after pass: by the keys of its items (a document, or one of the copies in
which upsampling has it stand). A phase takes the items from where the one before ended up to the first at
which the sum of all phases' quotas is reached. So sums are met to the item, and nothing is repeated before
all of the source was read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from corpus.errors import StageError
from pipelines.mix.recipe import MOST_EPOCHS, TAKE, MixRecipe

Keys = npt.NDArray[np.uint64]
#: Parts of the keys' range in which sizes are summed up first: 512 KiB a source.
BUCKETS: Final = 1 << 16
_SHIFT: Final = np.uint64(48)


def parted(total: int, weights: Mapping[str, float]) -> dict[str, int]:
    """Whole numbers in the proportion of the weights that sum up to `total`: largest remainders, ties by
    name."""
    whole = sum(map(Fraction, weights.values()))
    exact = {name: total * Fraction(weight) / whole for name, weight in weights.items()}
    found = {name: int(share) for name, share in exact.items()}
    rest = total - sum(found.values())
    for name in sorted(exact, key=lambda one: (found[one] - exact[one], one))[:rest]:
        found[name] += 1
    return found


def quotas(recipe: MixRecipe, sizes: Mapping[str, int]) -> tuple[dict[str, dict[str, int]], tuple[str, ...]]:
    """Phase -> source -> quota, and remarks on what was cut. `sizes`: of one pass over each source.

    Raises StageError where a budget can't be met and the recipe does not say to take what there is.
    """
    most = {name: int(Fraction(source.epochs) * sizes[name]) for name, source in recipe.sources.items()}
    left, found, remarks = dict(most), {}, []
    for phase in recipe.curriculum():
        weights = {name: weight for name, weight in phase.weights.items() if weight}
        if not weights:
            found[phase.name] = dict(most)
            continue
        most_here = int(
            min(left[n] * sum(map(Fraction, weights.values())) / Fraction(w) for n, w in weights.items())
        )
        budget = phase.budget or most_here
        if not budget:
            empty = min(weights, key=lambda name: left[name])
            raise StageError(f"phase {phase.name}: source {empty} has nothing to give: leave it out")
        wanted = parted(budget, weights)
        for name, quota in wanted.items():
            if quota > left[name]:
                text = (
                    f"phase {phase.name}: the budget of {budget:,} takes {quota:,} {recipe.unit} of {name}, "
                    f"and {left[name]:,} are left of {recipe.sources[name].epochs:g} x {sizes[name]:,}"
                )
                if recipe.short != TAKE:
                    more = _more_epochs(name, most[name] - left[name] + quota, sizes[name])
                    raise StageError(f'{text}; {_smaller(name, most_here)}{more}or set short = "take"')
                remarks.append(f"{text}: {quota - left[name]:,} fewer are taken")
                wanted[name] = left[name]
            left[name] -= wanted[name]
        found[phase.name] = wanted
    return found, tuple(remarks)


def _smaller(name: str, budget: int) -> str:
    lower = f"lower the weight of {name}, "
    return f"set the budget to {budget:,} or less, {lower}" if budget else lower


def _more_epochs(name: str, wanted: int, size: int) -> str:
    """What to say of a source's epochs where so much is wanted of it; nothing where no number is enough."""
    epochs = math.ceil(100 * Fraction(wanted, size)) / 100 if size else math.inf
    return f"raise sources.{name}.epochs to {epochs:g}, " if epochs <= MOST_EPOCHS else ""


@dataclass(frozen=True)
class Cut:
    """A place in the order of a source: behind the item with this key, input, row and copy in pass `epoch`;
    with key -1 at the beginning of the pass."""

    epoch: int
    key: int = -1
    input: int = 0
    row: int = 0
    copy: int = 0


@dataclass(frozen=True)
class Items:
    """Items of one input, as columns: keys, rows, copies, and what each counts."""

    keys: Keys
    rows: npt.NDArray[np.int64]
    copies: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]


def histogram(items: Items) -> npt.NDArray[np.int64]:
    """Sums of sizes by the keys' first bits."""
    found = np.zeros(BUCKETS, np.int64)
    np.add.at(found, (items.keys >> _SHIFT).astype(np.int64), items.sizes)
    return found


def places(sums: Sequence[int], hist: npt.NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """Of each sum the pass, the part of the keys in which it is reached (-1: none of this pass), and what is
    missing at the beginning of that part."""
    total = int(hist.sum())
    ends = np.cumsum(hist)
    found = []
    for wanted in sums:
        epoch, rest = divmod(wanted, total) if total else (0, 0)
        if not rest:
            found.append((epoch, -1, 0))
            continue
        bucket = int(np.searchsorted(ends, rest))
        found.append((epoch, bucket, rest - int(ends[bucket] - hist[bucket])))
    return found


def inside(items: Items, bucket: int) -> Items:
    """The items whose keys lie in a part."""
    return taken(items, (items.keys >> _SHIFT) == np.uint64(bucket))


def taken(items: Items, which: Any) -> Items:
    """The items at these places, or where a mask is true."""
    return Items(items.keys[which], items.rows[which], items.copies[which], items.sizes[which])


def cut_of(epoch: int, missing: int, parts: Sequence[tuple[int, Items]]) -> Cut:
    """The cut in one part of the keys: `parts` are its items by number of the input."""
    keys = np.concatenate([one.keys for _, one in parts])
    inputs = np.concatenate([np.full(len(one.keys), number) for number, one in parts])
    rows, copies, sizes = (
        np.concatenate([getattr(one, name) for _, one in parts]) for name in ("rows", "copies", "sizes")
    )
    order = np.lexsort((copies, rows, inputs, keys))
    at = order[int(np.searchsorted(np.cumsum(sizes[order]), missing))]
    return Cut(epoch, int(keys[at]), int(inputs[at]), int(rows[at]), int(copies[at]))


def behind(items: Items, number: int, epoch: int, cut: Cut) -> npt.NDArray[np.bool_]:
    """Whether items of input `number`, in pass `epoch`, stand behind a cut."""
    if epoch != cut.epoch or cut.key < 0:
        return np.full(len(items.keys), epoch >= cut.epoch)
    key = np.uint64(cut.key)
    tie = (number, cut.input)
    later = items.rows > cut.row
    later |= (items.rows == cut.row) & (items.copies > cut.copy)
    equal = later if tie[0] == tie[1] else np.full(len(later), tie[0] > tie[1])
    found: npt.NDArray[np.bool_] = (items.keys > key) | ((items.keys == key) & equal)
    return found
