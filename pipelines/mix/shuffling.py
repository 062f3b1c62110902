"""The rows that a mix takes, in its order: phases `scatter` and `gather`."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import storage, table
from corpus.inputs import Input
from corpus.stage import Task, local_copy
from corpus.writing import Output, conform, text_bytes
from pipelines.mix.planning import phases_of
from pipelines.mix.quotas import Cut, Items
from pipelines.mix.reading import batches, copies_of, source_of
from pipelines.mix.recipe import MixRecipe
from pipelines.tokens import shuffling
from pipelines.tokens.keys import range_of, salted
from pipelines.tokens.spool import RowSpool

#: Text of one range of the order, as far as sizes of files tell; a range is one shard of each phase.
SHARD_BYTES: Final = 128 << 20
#: Rows that `gather` holds in memory, and `scatter`, in bytes.
HELD_BYTES: Final = 256 << 20
SPOOL_BYTES: Final = 64 << 20
_MOST_RANGES: Final = 9_999
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
#: Salt of the keys that order the rows of the first pass; of later ones the numbers behind it.
_ORDER_SALT: Final = 1_000
#: Rows that are written at a time.
_STEP: Final = 1_000


def ranges_of(recipe: MixRecipe, inputs: Sequence[Input]) -> int:
    """Into how many ranges the order is parted, so that the text of one fits in memory; from sizes and passes
    alone."""
    size = 0.0
    for source in inputs:
        size += shuffling.text_bytes_of(source) * max(1.0, recipe.sources[source_of(source)].epochs)
    return int(min(_MOST_RANGES, max(1, -(-size // SHARD_BYTES))))


def scatter(recipe: MixRecipe, task: Task, out: Output) -> None:
    """Spool the rows of one input by phase and range of the order, as row groups of one file."""
    cuts = msgspec.json.decode(storage.read_bytes(task.files("plan")[0]), type=dict[str, list[Cut]])
    source = task.inputs[0]
    name = source_of(source)
    given = recipe.sources[name]
    schema = pa.schema([*SCHEMA, _ORDER])
    ranges = int(task.options["ranges"])
    with out.work("rows") as path, pq.ParquetWriter(path, schema, compression="zstd") as writer:
        spool = RowSpool(writer, SPOOL_BYTES)
        for first, batch in batches(source, given, out, Counter(), text_only=False):
            for copy, which, keys in copies_of(batch, given, recipe.seed):
                items = Items(keys[which], first[which], np.full(int(which.sum()), copy), first[which])
                for epoch in range(cuts[name][-1].epoch + 1):
                    phases = phases_of(items, task.number, epoch, cuts[name])
                    chosen = phases < len(cuts[name])
                    if not chosen.any():
                        continue
                    rows = _rows(batch.filter(pa.array(which)).filter(pa.array(chosen)), name, epoch)
                    order = salted(items.keys[chosen], _ORDER_SALT + epoch)
                    rows = rows.append_column(_ORDER, pa.array(order))
                    spool.add(rows, phases[chosen] * ranges + range_of(order, ranges))
        spool.flush()
    with out.work("groups") as path:
        path.write_bytes(msgspec.json.encode(spool.groups))


def _rows(batch: pa.RecordBatch, source: str, epoch: int) -> pa.Table:
    """Rows in the columns of a mix."""
    rows = pa.Table.from_batches([batch])
    named = {"mix_source": pa.array([source] * len(batch)), "mix_epoch": pa.array([epoch] * len(batch))}
    return conform(table.with_columns(rows, named), SCHEMA)


def shard_name(phase: int, name: str, number: int) -> str:
    """The name of a shard: phases and shards in the order in which they are read."""
    stem = f"{phase:02d}-{name}-{number:05d}"
    return f"{stem}-{hashlib.sha256(stem.encode()).hexdigest()[:10]}.parquet"


def gather(recipe: MixRecipe, task: Task, out: Output) -> None:
    """Write the shard of each phase in one range of the order, as much of it at a time as memory may hold."""
    ranges = int(task.options["ranges"])
    spools = [
        (file, msgspec.json.decode(storage.read_bytes(about), type=list[tuple[int, int]]))
        for file, about in zip(task.files("scatter", "rows"), task.files("scatter", "groups"), strict=True)
    ]
    phases = recipe.curriculum()
    for place, phase in enumerate(phases):
        here = place * ranges + task.number
        mine = [(file, [at for at, (one, _) in enumerate(groups) if one == here]) for file, groups in spools]
        held = sum(size for _, groups in spools for one, size in groups if one == here)
        path = shard_name(place, phase.name, task.number)
        out.write(_EMPTY.drop_columns([_ORDER.name]), path)
        parts = max(1, -(-held // HELD_BYTES))
        for part in range(parts):
            rows, order = _ordered(_rows_of(mine, out), task.number * parts + part, ranges * parts)
            for start in range(0, len(order), _STEP):
                out.write(rows.take(order[start : start + _STEP]), path)
            out.rows_in += rows.num_rows
            out.rows_out += rows.num_rows
            out.bytes_out += text_bytes(rows)
        out.progress(place + 1, len(phases))


def _rows_of(spools: Sequence[tuple[str, list[int]]], out: Output) -> Iterator[pa.Table]:
    """Row groups by file and number, one at a time."""
    for file, numbers in spools:
        if numbers:
            spool = pq.ParquetFile(local_copy(file, out))
            for number in numbers:
                yield spool.read_row_group(number)


def _ordered(found: Iterable[pa.Table], place: int, ranges: int) -> tuple[pa.Table, Any]:
    """The rows that lie in one of so many ranges of the order, and the order of their numbers."""
    inside = []
    for rows in found:
        orders = rows[_ORDER.name].to_numpy()
        inside.append(rows.filter(pa.array(range_of(orders, ranges) == place)))
    whole = pa.concat_tables(inside or [_EMPTY]).combine_chunks()
    inside.clear()  # else the rows lie in memory twice
    keys = [(name, "ascending") for name in (_ORDER.name, "doc_id", "mix_source", "mix_epoch")]
    return whole.drop_columns([_ORDER.name]), pc.sort_indices(whole, sort_keys=keys)
