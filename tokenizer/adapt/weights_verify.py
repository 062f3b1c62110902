"""Proofs on an adapted checkpoint: both folders are read again from the start, nothing is taken on trust."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from tokenizer.adapt import weights_matrix
from tokenizer.adapt.idmap import FILE, IdMap
from tokenizer.adapt.weights import Options
from tokenizer.adapt.weights_config import NewIds, json_bytes, new_config
from tokenizer.adapt.weights_files import (
    CONFIG,
    INDEX,
    SINGLE,
    Checkpoint,
    Floats,
    Tensor,
    open_checkpoint,
    read_at,
    row_blocks,
    to_floats,
)
from tokenizer.adapt.weights_matrix import BOUNDS, RowReader
from tokenizer.adapt.weights_plan import NEW, PADDING, Plan, make_plan
from tokenizer.adapt.weights_rows import row_norms
from tokenizer.adapt.weights_write import JOURNAL, Progress
from tokenizer.files import read_json

#: Bytes of two files compared at once.
COMPARED: Final = 16 << 20
#: What rounding to two bytes may add to a norm that was brought to a bound: half a unit in the last of eight
#: bits, in every column the same way.
ROUNDING: Final = 2**-8


@dataclass(frozen=True)
class Proof:
    """One claim, whether it holds, and what it was seen on (or where it fails first)."""

    name: str
    ok: bool
    detail: str

    def __str__(self) -> str:
        return f"{'ok  ' if self.ok else 'FAIL'} {self.name}: {self.detail}"


@dataclass
class _Matrices:
    """What was counted over all matrices."""

    kept: int = 0
    moved: int = 0
    new: int = 0
    padding: int = 0
    differ: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    padded: list[str] = field(default_factory=list)


def verify(model: str | Path, out: str | Path, progress: Progress | None = None) -> tuple[Proof, ...]:
    """Proofs that the checkpoint in `out` is the one of `model` with the ids of out's id map.

    ValueError where one of them can't be read or the run is not finished.
    """
    model, out = Path(model), Path(out)
    if not (out / JOURNAL).is_file():
        raise ValueError(f"{out} holds no {JOURNAL}: no adapted checkpoint was written there")
    if not (out / CONFIG).is_file():
        raise ValueError(f"{out} is not finished; run the same command again")
    options = _options(out)
    id_map = IdMap.read(out / FILE)
    before, after = open_checkpoint(model), open_checkpoint(out)
    plan = make_plan(before, id_map, pad_to=options.pad_to, untie=options.untie, roles=options.roles)
    done = _Progress(progress, sum(shard.size for shard in after.shards))
    return (
        _tensors(before, after, plan),
        _permutation(plan),
        *_matrices(after, plan, options.padding, done),
        _others(before, after, plan, done),
        _config(before, after, plan, id_map),
        _index(after),
    )


def _options(out: Path) -> Options:
    about = read_json(out / JOURNAL).get("about", {}).get("options")
    if not isinstance(about, dict):
        raise ValueError(f"{out / JOURNAL} does not say how the rows were made; run the same command again")
    return Options(**about)


@dataclass
class _Progress:
    """Bytes compared so far, for the callback."""

    progress: Progress | None
    total: int
    done: int = 0

    def add(self, size: int) -> None:
        self.done += size
        if self.progress:
            self.progress("verify", self.done, self.total)


def _tensors(before: Checkpoint, after: Checkpoint, plan: Plan) -> Proof:
    """Names, kinds and shapes: as before, but for the rows of the matrices."""
    resized = {one.tensor.name for one in plan.matrices}
    wanted = {
        name: (tensor.dtype, (plan.rows, *tensor.shape[1:]) if name in resized else tensor.shape)
        for name, tensor in before.tensors.items()
    }
    if plan.untied:
        wanted[plan.untied] = wanted[plan.matrices[0].tensor.name]
    found = {name: (tensor.dtype, tensor.shape) for name, tensor in after.tensors.items()}
    odd = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    detail = (
        f"{odd[0]} is not as it should be" if odd else f"{len(found):,} tensors in {len(after.shards)} files"
    )
    return Proof("names, dtypes and shapes", not odd, detail)


def _permutation(plan: Plan) -> Proof:
    """No old row is in two places: what moved is a permutation (of rows that are kept)."""
    kept = plan.source[plan.source >= 0]
    ok = len(np.unique(kept)) == len(kept)
    return Proof(
        "moved rows are a permutation", ok, f"{len(kept):,} old rows, each once, {plan.moved:,} moved"
    )


def _matrices(after: Checkpoint, plan: Plan, padding: str, done: _Progress) -> Iterator[Proof]:
    seen = _Matrices()
    pairs = [(one.tensor, one.tensor.name) for one in plan.matrices]
    if plan.untied:
        pairs.append((plan.matrices[0].tensor, plan.untied))
    for old, name in pairs:
        new = after.tensors.get(name)
        if new is None or new.rows != plan.rows or new.row_size != old.row_size:
            seen.differ.append(f"{name} is missing or of another shape")
            continue
        _matrix(old, new, plan, padding, seen, done)
    of = f"in {len(pairs)} matrices"
    yield Proof("kept rows byte-equal", not seen.differ, _first(seen.differ, f"{seen.kept:,} {of}"))
    yield Proof(
        f"norms of new rows within p{BOUNDS[0]:g}..p{BOUNDS[1]:g} of old ones",
        not seen.outside,
        _first(seen.outside, f"{seen.new:,} {of}, all finite"),
    )
    yield Proof(f"padding rows are {padding}", not seen.padded, _first(seen.padded, f"{seen.padding:,} {of}"))


def _first(faults: list[str], fine: str) -> str:
    return f"{len(faults):,} fail, first {faults[0]}" if faults else fine


def _matrix(old: Tensor, new: Tensor, plan: Plan, padding: str, seen: _Matrices, done: _Progress) -> None:
    with RowReader(old) as reader, RowReader(new) as writer:
        low, high, mean = _figures(reader, plan)
        for first, end in row_blocks(plan.rows, new.row_size, weights_matrix.BLOCK):
            source, block = plan.source[first:end], writer.block(first, end)
            kept = np.flatnonzero(source >= 0)
            equal = (reader.rows(source[kept]) == block[kept]).all(axis=1)
            seen.differ += [f"row {first + int(at)} of {new.name}" for at in kept[~equal]]
            rows = to_floats(block.reshape(-1), new.dtype, new.columns)
            fresh = np.flatnonzero(source == NEW)
            seen.outside += _outside(rows[fresh], fresh + first, low, high, new)
            idle = np.flatnonzero(source == PADDING)
            wanted = np.zeros_like(mean) if padding == "zero" else mean
            near = np.abs(rows[idle] - wanted) <= ROUNDING * np.abs(wanted) + 1e-6
            seen.padded += [f"row {first + int(at)} of {new.name}" for at in idle[~near.all(axis=1)]]
            seen.kept, seen.new = seen.kept + len(kept), seen.new + len(fresh)
            seen.padding += len(idle)
            done.add(block.size)


def _outside(rows: Floats, places: Any, low: float, high: float, new: Tensor) -> list[str]:
    norms = row_norms(rows)
    fine = np.isfinite(norms)
    if new.columns > 1:
        slack = 1 if new.dtype == "BF16" else 2**-3
        fine &= (norms >= low * (1 - ROUNDING * slack)) & (norms <= high * (1 + ROUNDING * slack))
    return [f"row {int(places[at])} of {new.name}" for at in np.flatnonzero(~fine)]


def _figures(reader: RowReader, plan: Plan) -> tuple[float, float, Floats]:
    """p1 and p99 of the norms, and the mean, of the rows that the base's tokens have."""
    tensor = reader.tensor
    named = np.zeros(tensor.rows, bool)
    named[plan.source[plan.source >= 0]] = True
    named[plan.pieces.flat] = True
    named[len(plan.base_uses) :] = False
    norms, total = [], np.zeros(tensor.columns)
    for first, end in row_blocks(tensor.rows, tensor.row_size, weights_matrix.BLOCK):
        rows = to_floats(reader.block(first, end).reshape(-1), tensor.dtype, tensor.columns)[named[first:end]]
        norms.append(row_norms(rows))
        total += rows.sum(axis=0, dtype=np.float64)
    low, high = np.percentile(np.concatenate(norms), BOUNDS) if named.any() else (0.0, 0.0)
    return float(low), float(high), (total / max(1, int(named.sum()))).astype(np.float32)


def _others(before: Checkpoint, after: Checkpoint, plan: Plan, done: _Progress) -> Proof:
    resized = {one.tensor.name for one in plan.matrices}
    count, size, faults = 0, 0, []
    there = after.tensors
    for name, old in before.tensors.items():
        new = there.get(name)
        if name in resized:
            continue
        count, size = count + 1, size + old.size
        if new is None or new.size != old.size or not _equal(old, new, done):
            faults.append(name)
    return Proof(
        "other tensors byte-equal", not faults, _first(faults, f"{count:,} tensors, {size / 1e9:.2f} GB")
    )


def _equal(old: Tensor, new: Tensor, done: _Progress) -> bool:
    if old.path.samefile(new.path):
        done.add(new.size)
        return True
    with old.path.open("rb") as left, new.path.open("rb") as right:
        for begin in range(0, old.size, COMPARED):
            size = min(COMPARED, old.size - begin)
            ours = read_at(right.fileno(), new.begin + begin, size)
            if not np.array_equal(read_at(left.fileno(), old.begin + begin, size), ours):
                return False
            # What was compared is not read again: it need not push other files out of memory.
            for file, at in ((left, old.begin), (right, new.begin)):
                os.posix_fadvise(file.fileno(), at + begin, size, os.POSIX_FADV_DONTNEED)
            done.add(size)
    return True


def _config(before: Checkpoint, after: Checkpoint, plan: Plan, id_map: IdMap) -> Proof:
    wanted = json.loads(json_bytes(new_config(before.config, NewIds.of(id_map), plan)))
    odd = sorted(
        key for key in wanted.keys() | after.config.keys() if wanted.get(key) != after.config.get(key)
    )
    ids = {key: value for key, value in wanted.items() if key.endswith("_token_id")}
    shown = ", ".join(f"{key} {value}" for key, value in ids.items())
    return Proof(CONFIG, not odd, f"{odd[0]} differs" if odd else f"vocab_size {plan.rows}, {shown}")


def _index(after: Checkpoint) -> Proof:
    """open_checkpoint has compared names; here the sum."""
    size = sum(tensor.size for tensor in after.tensors.values())
    if after.index is None:
        return Proof(SINGLE, True, f"{size / 1e9:.2f} GB, one file")
    said = (after.index.get("metadata") or {}).get("total_size", size)
    return Proof(INDEX, said == size, f"total_size {said:,}, tensors {size:,} bytes")
