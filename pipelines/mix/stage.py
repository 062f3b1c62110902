"""Stage `mix`: documents of several sources to shards in the order in which a training run reads them.

    measure  one input                  -> its items: key, row, copy, size (tokens, or 1)
    plan     all items, file by file    -> where each source is cut, and `_mix.json`
    scatter  one input and the cuts     -> its rows by shard, spooled
    gather   one range of the order     -> of each phase one shard, sorted by order

Keys and order are digests of doc_id, copy, pass and seed: the same seed gives the same order, on any number
of workers. Memory is bounded by a shard, a spool of 64 MiB, and 512 KiB a source.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import storage, table
from corpus.documents import read_documents
from corpus.errors import ShardError, UsageError
from corpus.foreign import URL_NAMES
from corpus.inputs import Input
from corpus.stage import BATCH_ROWS, Phase, Task, local_copy
from corpus.writing import Output, conform, text_bytes
from pipelines.inputs import local_tokenizer
from pipelines.mix import quotas
from pipelines.mix.quotas import Cut, Items
from pipelines.mix.recipe import TOKENS, MixRecipe, Plan, Source, Taken, Upsampling, Whole
from pipelines.tokens import shuffling
from pipelines.tokens.coder import open_coder, tokenizer_path
from pipelines.tokens.keys import keys_of, range_of, salted

#: The plan, in the folder of the mix.
PLAN: Final = "_mix.json"
#: Text of one range of the order, which `gather` holds in memory; and of rows that `scatter` holds.
SHARD_BYTES: Final = 128 << 20
SPOOL_BYTES: Final = 64 << 20
_MOST_RANGES: Final = 9_999
_MEMORY: Final = 1 << 30
#: Columns that shards have: those of documents, what `encode` counts by, and where each row comes from.
SCHEMA: Final = pa.schema(
    [
        *table.DOCUMENT,
        pa.field("lang", pa.string()),
        pa.field("quality", pa.float64()),
        pa.field("cluster_size", pa.int64()),
        pa.field("mix_source", pa.string()),
        pa.field("mix_epoch", pa.int32()),
    ]
)
_ORDER: Final = pa.field("_order", pa.uint64())
_EMPTY: Final = pa.schema([*SCHEMA, _ORDER]).empty_table()
#: Rows that are put in order and written at a time.
_STEP: Final = 1_000


@dataclass(frozen=True)
class Mix:
    """Mix sources by weights and budgets into shuffled shards, by a recipe: `bukvar mix RECIPE --out DIR`."""

    name: ClassVar[str] = "mix"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text", "doc_id")
    adds: ClassVar[pa.Schema] = pa.schema([SCHEMA.field("mix_source"), SCHEMA.field("mix_epoch")])
    reasons: ClassVar[Mapping[str, str]] = {}

    recipe: str = field(default="", metadata={"help": "the mix, as JSON: what `bukvar mix` makes of RECIPE"})
    tokenizer: str = field(
        default="",
        metadata={"help": "tokenizer by which tokens are counted", "input": True, "tokenizer": True},
    )
    plan_only: bool = field(default=False, metadata={"help": "end with the plan", "key": False})

    @cached_property
    def mix(self) -> MixRecipe:
        """The recipe, read."""
        return msgspec.json.decode(self.recipe, type=MixRecipe)

    def check(self, inputs: Sequence[Input], columns: Collection[str]) -> None:  # noqa: ARG002 - any will do
        """Raise UsageError where there is no recipe, or the tokenizer can't be opened."""
        if not self.recipe:
            raise UsageError("mix: no stage of a run; write a recipe and call `bukvar mix RECIPE --out DIR`")
        path = local_tokenizer(self.tokenizer) if self.tokenizer else None
        if path is not None:
            try:
                open_coder(path)
            except (ValueError, OSError) as error:
                raise UsageError(f"mix: {error}") from error

    def phases(self, inputs: Sequence[Input]) -> tuple[Phase, ...]:
        """measure, plan, scatter, gather; the first two for the plan alone."""
        planned = (
            Phase("measure", memory=_MEMORY),
            Phase("plan", fan=1, reads=("measure",)),
        )
        if self.plan_only:
            return planned
        ranges = (("ranges", ranges_of(self.mix, inputs)),)
        return (
            *planned,
            Phase("scatter", reads=("plan",), memory=_MEMORY, options=ranges),
            Phase(
                "gather",
                fan=ranges[0][1],
                inputs=False,
                reads=("scatter",),
                documents=True,
                memory=4 * SHARD_BYTES,
                options=ranges,
            ),
        )

    def run(self, task: Task, out: Output) -> None:
        """Do a task of any phase."""
        match task.phase.name:
            case "measure":
                self._measure(task, out)
            case "plan":
                self._plan(task, out)
            case "scatter":
                _scatter(self, task, out)
            case _:
                _gather(self, task, out)

    def _measure(self, task: Task, out: Output) -> None:
        source = task.inputs[0]
        coder = None
        if self.mix.unit == TOKENS:
            coder = open_coder(tokenizer_path(self.tokenizer, task.side("tokenizer"), out))
        given = self.mix.sources[source_of(source)]
        found, counts = [], Counter[str]()
        for first, batch in _batches(source, given, out, counts, text_only=True):
            sizes = np.ones(len(batch), np.int64)
            if coder:
                sizes = np.diff(coder.encode(batch.column("text"))[1])
            counts["documents"] += len(batch)
            stands = np.zeros(len(batch), bool)
            for copy, which, keys in _copies(batch, given, self.mix.seed):
                stands |= which
                rows = first[which]
                found.append(Items(keys[which], rows, np.full(len(rows), copy), sizes[which]))
            counts["never"] += int(np.sum(~stands))
        with out.work("items") as path:
            pq.write_table(_joined(found), path, compression="zstd")
        with out.work("counts") as path:
            path.write_bytes(msgspec.json.encode(dict(sorted(counts.items()))))

    def _plan(self, task: Task, out: Output) -> None:
        files = list(
            zip(task.inputs, task.files("measure", "items"), task.files("measure", "counts"), strict=True)
        )
        names = self.mix.sources
        hists = {name: np.zeros(quotas.BUCKETS, np.int64) for name in names}
        counts: dict[str, Counter[str]] = {name: Counter() for name in names}
        for source, items, about in files:
            name = source_of(source)
            found = _items(local_copy(items, out))
            hists[name] += quotas.histogram(found)
            counts[name].update(msgspec.json.decode(storage.read_bytes(about), type=dict[str, int]))
            counts[name]["items"] += len(found.keys)
        wanted, remarks = quotas.quotas(self.mix, {name: int(hist.sum()) for name, hist in hists.items()})
        places = {name: _sums(wanted, name, hists[name]) for name in names}
        parts: dict[tuple[str, int], list[tuple[int, Items]]] = {}
        for number, (source, items, _) in enumerate(files):
            name = source_of(source)
            found = _items(local_copy(items, out))
            for bucket in {bucket for _, bucket, _ in places[name] if bucket >= 0}:
                parts.setdefault((name, bucket), []).append((number, quotas.inside(found, bucket)))
        cuts = {
            name: [
                Cut(epoch) if bucket < 0 else quotas.cut_of(epoch, rest, parts[name, bucket])
                for epoch, bucket, rest in places[name]
            ]
            for name in names
        }
        taken = {name: [[0, 0] for _ in cuts[name]] for name in names}
        for number, (source, items, _) in enumerate(files):
            name = source_of(source)
            _count(_items(local_copy(items, out)), number, cuts[name], taken[name])
        plan = _plan_of(self.mix, wanted, taken, hists, counts, remarks)
        out.put_bytes(msgspec.json.format(msgspec.json.encode(plan), indent=1) + b"\n", PLAN)
        for text in remarks:
            out.notes[f"mix {len(out.notes)}"] = text
        with out.work() as path:
            path.write_bytes(msgspec.json.encode(cuts))


def source_of(source: Input) -> str:
    """The source of an input: `bukvar mix` puts it before the input's name."""
    return source.name.partition("/")[0]


def ranges_of(recipe: MixRecipe, inputs: Sequence[Input]) -> int:
    """Into how many ranges the order is parted, so that the text of one fits in memory; from sizes and passes
    alone."""
    size = 0.0
    for source in inputs:
        size += shuffling.text_bytes_of(source) * max(1.0, recipe.sources[source_of(source)].epochs)
    return int(min(_MOST_RANGES, max(1, -(-size // SHARD_BYTES))))


def _batches(
    source: Input, given: Source, out: Output, counts: Counter[str], *, text_only: bool
) -> Iterator[tuple[Any, pa.RecordBatch]]:
    """Rows with text and their numbers in the input, in batches that are whole in memory."""
    wanted = [one.column for one in given.upsampling()]
    also = ("host", *URL_NAMES, *wanted)
    first = 0
    for batch in read_documents(source, BATCH_ROWS, text_only=text_only, also=also, progress=out.progress):
        numbers = np.arange(first, first + batch.num_rows)
        first += batch.num_rows
        good = pc.greater(pc.fill_null(pc.binary_length(batch.column("text")), 0), 0)
        if table.DROP in batch.column_names:
            reasons = batch.column(table.DROP)
            counts.update(reasons.drop_null().to_pylist())
            good = pc.and_(good, pc.is_null(reasons))
            counts["empty_text"] -= reasons.length() - reasons.null_count
        counts["empty_text"] += batch.num_rows - int(pc.sum(good).as_py() or 0)
        for column in wanted:
            if column not in batch.column_names:
                raise ShardError(
                    f"{source.name}: no column {column}, by which the mix weights; leave that out"
                )
        mask = np.asarray(good.to_numpy(zero_copy_only=False), bool)
        if mask.any():
            kept = batch.filter(pa.array(mask)).combine_chunks().to_batches()[0]
            yield numbers[mask], kept


def _copies(batch: pa.RecordBatch, given: Source, seed: int) -> Iterator[tuple[int, Any, Any]]:
    """Copy by copy: its number, which documents have it, and its keys. Of a weight such as 2.3 three
    documents in ten, drawn by their keys, have a third copy."""
    base = keys_of(batch.column("doc_id"), seed)
    times = np.ones(len(batch))
    for one in given.upsampling():
        times *= _times(batch.column(one.column), one)
    whole = np.floor(times)
    drawn = salted(base, -1 & 0xFFFF).astype(np.float64) / 2.0**64
    copies = whole + (drawn < times - whole)
    for copy in range(int(copies.max(initial=0))):
        yield copy, copies > copy, salted(base, copy)


def _times(column: Any, one: Upsampling) -> Any:
    """How often each document stands, by the values of a column."""
    try:
        values = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowException as error:
        raise ShardError(f"the column {one.column} holds no numbers ({error})") from error
    limits, times = one.steps()
    found = np.array([0.0, *times])[np.searchsorted(limits, values, side="right")]
    return np.where(np.isnan(values), 1.0, found)


def _joined(found: list[Items]) -> pa.Table:
    empty = Items(np.empty(0, np.uint64), *(np.empty(0, np.int64) for _ in range(3)))
    names = ("keys", "rows", "copies", "sizes")
    return pa.table({n: np.concatenate([getattr(one, n) for one in found or [empty]]) for n in names})


def _items(path: Path) -> Items:
    read = pq.read_table(path)
    return Items(*(read[name].to_numpy() for name in ("keys", "rows", "copies", "sizes")))


def _sums(wanted: Mapping[str, Mapping[str, int]], name: str, hist: Any) -> list[tuple[int, int, int]]:
    """The places in a source's order at which the phases end."""
    return quotas.places(list(np.cumsum([one.get(name, 0) for one in wanted.values()]).tolist()), hist)


def phases_of(items: Items, number: int, epoch: int, cuts: Sequence[Cut]) -> Any:
    """The phase that takes each item in a pass: its number, that of no phase behind the last cut."""
    found = np.zeros(len(items.keys), np.int64)
    for cut in cuts:
        found += quotas.behind(items, number, epoch, cut)
    return found


def _count(items: Items, number: int, cuts: Sequence[Cut], taken: list[list[int]]) -> None:
    """Add what the phases take of an input: size and documents."""
    for epoch in range(cuts[-1].epoch + 1):
        phases = phases_of(items, number, epoch, cuts)
        sizes = np.bincount(phases, items.sizes, len(cuts) + 1).astype(np.int64)
        documents = np.bincount(phases, minlength=len(cuts) + 1)
        for place, one in enumerate(taken):
            one[0] += int(sizes[place])
            one[1] += int(documents[place])


def _plan_of(
    recipe: MixRecipe,
    wanted: Mapping[str, Mapping[str, int]],
    taken: Mapping[str, list[list[int]]],
    hists: Mapping[str, Any],
    counts: Mapping[str, Counter[str]],
    remarks: tuple[str, ...],
) -> Plan:
    phases: dict[str, dict[str, Taken]] = {}
    gone = Counter[str]()
    for place, (phase, shares) in enumerate(wanted.items()):
        phases[phase] = {}
        for name, quota in shares.items():
            size, documents = taken[name][place]
            gone[name] += size
            total = max(1, int(hists[name].sum()))
            phases[phase][name] = Taken(quota, size, documents, round(gone[name] / total, 4))
    sources = {}
    for name, count in counts.items():
        total = int(hists[name].sum())
        documents = sum(one[1] for one in taken[name])
        distinct = count["documents"] - count["never"]
        reasons = {k: n for k, n in count.items() if n and k not in ("documents", "never", "items")}
        sources[name] = Whole(
            documents=count["documents"],
            pass_documents=count["items"],
            pass_tokens=total,
            repeats=round(documents / max(1, distinct), 4),
            unused_documents=max(0, count["items"] - documents),
            unused_tokens=max(0, total - gone[name]),
            never=count["never"],
            dropped=dict(sorted(reasons.items())),
        )
    return Plan(recipe.unit, recipe.seed, phases, sources, remarks)


def _scatter(stage: Mix, task: Task, out: Output) -> None:
    """Spool the rows of one input by phase and range of the order, as row groups of one file."""
    cuts = msgspec.json.decode(storage.read_bytes(task.files("plan")[0]), type=dict[str, list[Cut]])
    source = task.inputs[0]
    name = source_of(source)
    given = stage.mix.sources[name]
    schema = pa.schema([*SCHEMA, _ORDER])
    groups: list[int] = []
    with out.work("rows") as path, pq.ParquetWriter(path, schema, compression="zstd") as writer:
        spool = _Spool(writer, groups)
        for first, batch in _batches(source, given, out, Counter(), text_only=False):
            for copy, which, keys in _copies(batch, given, stage.mix.seed):
                items = Items(keys[which], first[which], np.full(int(which.sum()), copy), first[which])
                for epoch in range(cuts[name][-1].epoch + 1):
                    phases = phases_of(items, task.number, epoch, cuts[name])
                    chosen = phases < len(cuts[name])
                    if not chosen.any():
                        continue
                    rows = _rows(batch.filter(pa.array(which)).filter(pa.array(chosen)), name, epoch)
                    order = salted(items.keys[chosen], 1000 + epoch)
                    spool.add(rows, phases[chosen], order, task.options["ranges"])
        spool.flush()
    with out.work("groups") as path:
        path.write_bytes(msgspec.json.encode(groups))


def _rows(batch: pa.RecordBatch, source: str, epoch: int) -> pa.Table:
    """Rows in the columns of a mix."""
    rows = pa.Table.from_batches([batch])
    named = {"mix_source": pa.array([source] * len(batch)), "mix_epoch": pa.array([epoch] * len(batch))}
    return conform(table.with_columns(rows, named), SCHEMA)


class _Spool:
    """Rows that wait to be written, by number of phase x ranges + range."""

    def __init__(self, writer: Any, groups: list[int]) -> None:
        self._writer, self._groups = writer, groups
        self._waiting: dict[int, list[pa.Table]] = {}
        self._bytes = 0

    def add(self, rows: pa.Table, phases: Any, order: Any, ranges: int) -> None:
        rows = rows.append_column(_ORDER, pa.array(order))
        places = phases * ranges + range_of(order, ranges)
        for place in np.unique(places).tolist():
            self._waiting.setdefault(place, []).append(rows.filter(pa.array(places == place)))
        self._bytes += text_bytes(rows)
        if self._bytes >= SPOOL_BYTES:
            self.flush()

    def flush(self) -> None:
        for place, tables in sorted(self._waiting.items()):
            whole = pa.concat_tables(tables)
            self._writer.write_table(whole, row_group_size=len(whole))
            self._groups.append(place)
        self._waiting, self._bytes = {}, 0


def shard_name(phase: int, name: str, number: int) -> str:
    """The name of a shard: phases and shards in the order in which they are read."""
    stem = f"{phase:02d}-{name}-{number:05d}"
    return f"{stem}-{hashlib.sha256(stem.encode()).hexdigest()[:10]}.parquet"


def _gather(stage: Mix, task: Task, out: Output) -> None:
    """Write the shard of each phase in one range of the order."""
    files = list(zip(task.files("scatter", "rows"), task.files("scatter", "groups"), strict=True))
    groups = [msgspec.json.decode(storage.read_bytes(file), type=list[int]) for _, file in files]
    for place, phase in enumerate(stage.mix.stretches()):
        wanted = place * int(task.options["ranges"]) + task.number
        found = []
        for (file, _), numbers in zip(files, groups, strict=True):
            mine = [at for at, number in enumerate(numbers) if number == wanted]
            if mine:
                found.append(pq.ParquetFile(local_copy(file, out)).read_row_groups(mine))
        rows = pa.concat_tables(found).combine_chunks() if found else _EMPTY
        del found  # else the range lies in memory twice
        keys = [(name, "ascending") for name in (_ORDER.name, "doc_id", "mix_source", "mix_epoch")]
        order = pc.sort_indices(rows, sort_keys=keys)
        rows = rows.drop_columns([_ORDER.name])
        path = shard_name(place, phase.name, task.number)
        out.write(rows.slice(0, 0), path)
        for start in range(0, len(order), _STEP):
            out.write(rows.take(order[start : start + _STEP]), path)
        out.rows_in += rows.num_rows
        out.rows_out += rows.num_rows
        out.bytes_out += text_bytes(rows)
        out.progress(place + 1, len(stage.mix.stretches()))
