"""A model's checkpoint given the vocabulary of an id map: matrices rewritten, all else copied byte for byte.

    report = adapt_weights("Llama-3.1-8B", "adapted/id_map.parquet", "out", tokenizer="adapted")

Reads the matrices twice (norms and means; then rows), the rest once, shard by shard; holds at most a few
blocks of `BLOCK` bytes. A shard is written aside and renamed when it is whole; config.json, without which
transformers opens nothing, is written last. A run that was killed goes on where it was when it is called
again with the same arguments: `_weights.json` in the folder says what it was and what is done.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from tokenizer.adapt import weights_config as config
from tokenizer.adapt.idmap import FILE, IdMap
from tokenizer.adapt.weights_files import CONFIG, INDEX, Checkpoint, open_checkpoint
from tokenizer.adapt.weights_plan import PADDING, Plan, make_plan
from tokenizer.adapt.weights_rows import DEFAULT, METHODS
from tokenizer.adapt.weights_write import (
    JOURNAL,
    Hidden,
    Journal,
    Progress,
    ShardWriter,
    locked,
    new_tensors,
    write_small,
)
from tokenizer.files import read_json

#: Of the rows' making: another version makes other rows of the same arguments.
VERSION: Final = 1


@dataclass(frozen=True)
class Options:
    """How rows are made and files written. method: a name of `METHODS`; pad_to: the number of rows is made a
    multiple of it; padding: rows that no token has, "mean" (of the base's rows) or "zero"; untie: write an
    output matrix of its own for a tied model; link: hard links to shards that hold no matrix, in place of
    copies; hidden: a .npy file with the mean hidden state before the output matrix, measured on text; roles:
    tensor -> input, output or copy, where names do not tell."""

    method: str = DEFAULT
    pad_to: int = 128
    padding: str = "mean"
    untie: bool = False
    link: bool = False
    hidden: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"no method {self.method!r}; choose from {', '.join(METHODS)}")
        if self.padding not in ("mean", "zero"):
            raise ValueError(f"padding is mean or zero, not {self.padding!r}")


@dataclass(frozen=True)
class Report:
    """What was done: rows of the matrices before and after; tokens kept, those of them whose id changed, new
    ones; rows that no token has; the matrices with their figures; bytes written, linked and found done; notes
    on what names did not decide."""

    base_rows: int
    rows: int
    kept: int
    moved: int
    new: int
    padding: int
    matrices: tuple[Mapping[str, Any], ...]
    written: int
    linked: int
    resumed: int
    seconds: float
    notes: tuple[str, ...]

    def __str__(self) -> str:
        lines = [
            f"{self.base_rows:,} rows become {self.rows:,}: {self.kept:,} kept ({self.moved:,} with another "
            f"id), {self.new:,} new, {self.padding:,} padding"
        ]
        lines += [
            f"{one['role']}: {one['name']} {one['dtype']}, norms of new rows within "
            f"{one['norm_p1']:.4g}..{one['norm_p99']:.4g} ({one['clipped']:,} brought there)"
            for one in self.matrices
        ]
        done = f"{self.written / 1e9:.2f} GB written in {self.seconds:.1f} s"
        done += f", {self.linked / 1e9:.2f} GB linked" if self.linked else ""
        done += f", {self.resumed / 1e9:.2f} GB were there" if self.resumed else ""
        return "\n".join([*lines, done, *self.notes])


def adapt_weights(
    model: str | Path,
    id_map: IdMap | str | Path,
    out: str | Path,
    options: Options | None = None,
    *,
    tokenizer: str | Path | None = None,
    redo: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Write `model`'s checkpoint with the ids of `id_map` (a map, its file, or a folder that holds it) into
    the folder `out`. tokenizer: the adapted tokenizer's folder, whose files are put beside the weights; redo:
    replace what another run wrote there.

    ValueError, in one line, for what can't be done; nothing was written then. OSError as the disk has it.
    """
    began = time.monotonic()
    options = options or Options()
    model, out = Path(model), Path(out)
    mapped = id_map if isinstance(id_map, IdMap) else read_map(id_map)
    checkpoint = open_checkpoint(model)
    plan = make_plan(checkpoint, mapped, pad_to=options.pad_to, untie=options.untie, roles=options.roles)
    hidden = _read_hidden(options, plan)
    small = _small_files(checkpoint, config.NewIds.of(mapped), plan)
    notes = [*plan.notes, config.check_tokenizer(model, mapped)]
    copied, left = config.other_files(model, Path(tokenizer) if tokenizer else None)
    notes += [f"left out: {', '.join(left)}"] if left else []
    _check_out(model, out)
    out.mkdir(parents=True, exist_ok=True)
    with locked(out):
        journal = Journal.begin(out, _key(checkpoint, mapped, options), redo)
        writer = ShardWriter(
            checkpoint, plan, options.method, options.padding, options.link, hidden, out, journal, progress
        )
        writer.run()
        for name, path in copied.items():
            if path.resolve() != (out / name).resolve():
                write_small(out / name, path.read_bytes())
        mapped.write(out / FILE)
        report = _report(plan, writer, time.monotonic() - began, notes)
        journal.about = {"model": str(model), "options": asdict(options), "report": asdict(report)}
        journal.save()
        for name, data in small.items():
            write_small(out / name, data)
    return report


def read_map(path: str | Path) -> IdMap:
    """The id map in a file or a folder."""
    path = Path(path)
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise ValueError(f"there is no id map at {file}; `bukvar adapt` writes it")
    return IdMap.read(file)


def _read_hidden(options: Options, plan: Plan) -> Hidden | None:
    if not options.hidden:
        return None
    try:
        found: Hidden = np.load(options.hidden, allow_pickle=False).astype(np.float64).reshape(-1)
    except (OSError, ValueError) as error:
        raise ValueError(f"{options.hidden} is no .npy file of numbers: {error}") from error
    width = max(one.tensor.columns for one in plan.matrices)
    if len(found) != width or not np.isfinite(found).all() or not found.any():
        raise ValueError(f"{options.hidden}: a mean hidden state of this model is {width} finite numbers")
    return found


def _report(plan: Plan, writer: ShardWriter, seconds: float, notes: list[str]) -> Report:
    padding = int(np.count_nonzero(plan.source == PADDING))
    kept = int(np.count_nonzero(plan.source >= 0)) - plan.idle
    return Report(
        plan.base_rows,
        plan.rows,
        kept,
        plan.moved,
        len(plan.new_ids),
        padding + plan.idle,
        tuple(writer.figures),
        writer.written,
        writer.linked,
        writer.resumed,
        seconds,
        tuple(notes),
    )


def _small_files(checkpoint: Checkpoint, ids: config.NewIds, plan: Plan) -> dict[str, bytes]:
    """generation_config.json, the index, and config.json last."""
    small = {}
    path = checkpoint.folder / config.GENERATION
    if path.is_file():
        data = config.translated(read_json(path), ids, config.GENERATION)
        small[config.GENERATION] = config.json_bytes(data)
    if checkpoint.index is not None:
        small[INDEX] = config.json_bytes(_new_index(checkpoint, plan))
    small[CONFIG] = config.json_bytes(config.new_config(checkpoint.config, ids, plan))
    return small


def _new_index(checkpoint: Checkpoint, plan: Plan) -> dict[str, Any]:
    index: dict[str, Any] = json.loads(json.dumps(checkpoint.index))
    old = {tensor.name: tensor for tensor in checkpoint.tensors.values()}
    grown, elements = 0, 0
    for shard in checkpoint.shards:
        for name, _, shape, size in new_tensors(shard, plan):
            index["weight_map"][name] = shard.path.name
            before = old.get(name)
            grown += size - (before.size if before else 0)
            if before is None or before.shape != shape:
                elements += int(np.prod(shape)) - (int(np.prod(before.shape)) if before else 0)
    about = index.get("metadata") or {}
    for key, more in (("total_size", grown), ("total_parameters", elements)):
        if isinstance(about.get(key), int | float):
            about[key] = int(about[key]) + more
    index["weight_map"] = dict(sorted(index["weight_map"].items()))
    return index


def _check_out(model: Path, out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise ValueError(f"{out} is a file; name a folder")
    if out.is_dir() and out.resolve() == model.resolve():
        raise ValueError(f"{out} is the model's own folder; name another")
    if (
        out.is_dir()
        and not (out / JOURNAL).is_file()
        and (any(out.glob("*.safetensors")) or (out / CONFIG).exists())
    ):
        raise ValueError(f"{out} holds another model; name an empty folder")


def _key(checkpoint: Checkpoint, id_map: IdMap, options: Options) -> str:
    """A digest of all that decides the output: equal keys, equal files."""
    state = hashlib.sha256(json.dumps([VERSION, asdict(options)], sort_keys=True).encode())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, id_map.table.schema) as stream:
        stream.write_table(id_map.table.combine_chunks())
    state.update(sink.getvalue())
    state.update(json.dumps(checkpoint.config, sort_keys=True).encode())
    for shard in checkpoint.shards:
        about = shard.path.stat()
        state.update(repr((shard.path.name, about.st_size, about.st_mtime_ns)).encode())
        state.update(repr([(t.name, t.dtype, t.shape, t.begin) for t in shard.tensors]).encode())
    if options.hidden:
        state.update(Path(options.hidden).read_bytes())
    return state.hexdigest()
