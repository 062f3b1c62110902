"""Stage `mix`: documents of several sources to shards in the order in which a training run reads them.

    measure  one input                  -> its items: key, row, copy, size (tokens, or 1)
    plan     all items, file by file    -> where each source is cut, and `_mix.json`
    scatter  one input and the cuts     -> its rows by shard, spooled
    gather   one range of the order     -> of each phase one shard, sorted by order

Keys and order are digests of doc_id, copy, pass and seed: the same seed gives the same order, on any number
of workers. Memory is bounded by what `gather` holds of a range, a spool of 64 MiB, and 512 KiB a source.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Final

import msgspec
import pyarrow as pa

from corpus.documents import is_parquet, parquet_schema
from corpus.errors import ShardError, UsageError
from corpus.inputs import Input
from corpus.stage import Phase, Task
from corpus.writing import Output
from pipelines.inputs import local_tokenizer
from pipelines.mix import planning, shuffling
from pipelines.mix.reading import source_of
from pipelines.mix.recipe import TOKENS, MixRecipe
from pipelines.tokens.coder import open_coder, tokenizer_path

#: Bytes of memory of a task that reads an input.
_MEMORY: Final = 1 << 30


@dataclass(frozen=True)
class Mix:
    """Mix sources by weights and budgets into shuffled shards, by a recipe: `bukvar mix RECIPE --out DIR`."""

    name: ClassVar[str] = "mix"
    version: ClassVar[int] = 2
    needs: ClassVar[tuple[str, ...]] = ("text", "doc_id")
    adds: ClassVar[pa.Schema] = pa.schema(
        [shuffling.SCHEMA.field(name) for name in ("mix_source", "mix_epoch")]
    )
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

    def check(self, inputs: Sequence[Input], columns: Collection[str]) -> None:  # noqa: ARG002 - by source
        """Raise UsageError where there is no recipe, the tokenizer can't be opened, or a source has no column
        that it is weighted by (by its first file of Parquet)."""
        if not self.recipe:
            raise UsageError("mix: no stage of a run; write a recipe and call `bukvar mix RECIPE --out DIR`")
        path = local_tokenizer(self.tokenizer) if self.tokenizer else None
        if path is not None:
            try:
                open_coder(path)
            except (ValueError, OSError) as error:
                raise UsageError(f"mix: {error}") from error
        for name, source in self.mix.sources.items():
            wanted = [one.column for one in source.upsampling()]
            file = next((one for one in inputs if source_of(one) == name and is_parquet(one.path)), None)
            if wanted and file is not None:
                _check_columns(file, wanted)

    def phases(self, inputs: Sequence[Input]) -> tuple[Phase, ...]:
        """measure, plan, scatter, gather; the first two for the plan alone."""
        planned = (
            Phase("measure", memory=_MEMORY),
            Phase("plan", fan=1, reads=("measure",)),
        )
        if self.plan_only:
            return planned
        ranges = (("ranges", shuffling.ranges_of(self.mix, inputs)),)
        return (
            *planned,
            Phase("scatter", reads=("plan",), memory=_MEMORY, options=ranges),
            Phase(
                "gather",
                fan=ranges[0][1],
                inputs=False,
                reads=("scatter",),
                documents=True,
                memory=2 * shuffling.HELD_BYTES,
                options=ranges,
            ),
        )

    def run(self, task: Task, out: Output) -> None:
        """Do a task of any phase."""
        match task.phase.name:
            case "measure":
                coder = None
                if self.mix.unit == TOKENS:
                    coder = open_coder(tokenizer_path(self.tokenizer, task.side("tokenizer"), out))
                planning.measure(self.mix, coder, task, out)
            case "plan":
                planning.plan(self.mix, task, out)
            case "scatter":
                shuffling.scatter(self.mix, task, out)
            case _:
                shuffling.gather(self.mix, task, out)


def _check_columns(file: Input, wanted: Sequence[str]) -> None:
    try:
        known = parquet_schema(file.path).names
    except ShardError:
        return  # reading it says so, and fails that file alone
    for column in wanted:
        if column not in known:
            has = ", ".join(known[:12])
            raise UsageError(
                f"mix: {file.name}: no column {column!r}, by which the mix weights (it has {has})"
            )
