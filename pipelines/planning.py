"""From a stage and its inputs to tasks: what a job is going to do, made and checked before any work.

Reads: side inputs, the schema of the first Parquet file, footers of files that are cut; no receipt.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import pyarrow as pa

from corpus.documents import check_text_column, is_parquet, parquet_schema, unify
from corpus.errors import ShardError, UsageError
from corpus.inputs import Input, is_shard
from corpus.stage import FileStage, PhasedStage, Side, Stage, Task, plan_tasks
from pipelines.cutting import cut
from pipelines.digests import Digests
from pipelines.inputs import sides_of

#: Bytes from which a file that can be cut is cut: two minutes of work at 1 MB/s, five seconds at 25.
PART_BYTES: Final = 128 << 20
#: Columns that reading documents makes up where they are absent.
MADE_UP: Final = frozenset({"doc_id", "url", "host", "fetched_at", "source", "text"})


@dataclass(frozen=True)
class Job:
    """A stage over inputs into a folder."""

    stage: Stage
    inputs: tuple[Input, ...]
    folder: str
    redo: bool = False
    #: Whether it is an error that no document comes out.
    fail_if_empty: bool = False
    part_bytes: int = PART_BYTES
    #: Folder for temporary files on the machines that do the tasks.
    scratch: str = ""
    #: Where digests of the inputs are remembered.
    digests: Digests = field(default_factory=Digests, compare=False)


def job_with(
    stage: Stage, inputs: Sequence[Input], folder: str, options: Mapping[str, Any], digests: Digests
) -> Job:
    """The job as the options say that all stages' commands have."""
    return Job(
        stage,
        tuple(inputs),
        folder,
        redo=options["redo"],
        fail_if_empty=options["fail_if_empty"],
        part_bytes=options["part_mb"] * 1_000_000,
        scratch=options["scratch"],
        digests=digests,
    )


@dataclass(frozen=True)
class Plan:
    """What a job is going to do: its tasks by phase, in order. Made before any work, from inputs alone."""

    job: Job
    stage: Stage
    inputs: tuple[Input, ...]
    sides: tuple[Side, ...]
    phases: tuple[tuple[Any, tuple[Task, ...]], ...]

    @property
    def tasks(self) -> list[Task]:
        """The tasks of all phases."""
        return [task for _, tasks in self.phases for task in tasks]

    @cached_property
    def keys(self) -> dict[str, str]:
        """Keys of all tasks by the names of their receipts."""
        return {task.record: task.key() for task in self.tasks}


def plan_job(job: Job) -> Plan:
    """Plan a job and check all that can be checked. Raises UsageError, or StageError where the plan can't
    fit."""
    stage, sides = sides_of(job.stage)
    inputs = _cut(stage, with_one_schema(job.inputs) if not isinstance(stage, FileStage) else job.inputs, job)
    check_inputs(stage, inputs, columns_of(stage, inputs))
    return planned(job, stage, inputs, sides)


def plan_tasks_of(job: Job, later: Collection[str], columns: Sequence[str]) -> Plan:
    """Plan a job of a run before the stages ahead of it have run: `later` are the parameters that name what
    others are yet to make, `columns` those of its documents; its inputs lie there, or have no digest and are
    yet to come."""
    stage, sides = sides_of(job.stage, later)
    there: Sequence[Input] = [source for source in job.inputs if source.digest]
    there = _cut(stage, with_one_schema(there) if not isinstance(stage, FileStage) else there, job)
    inputs = (*there, *(source for source in job.inputs if not source.digest))
    check_inputs(stage, inputs, columns)
    return planned(job, stage, inputs, sides)


def _cut(stage: Stage, inputs: Sequence[Input], job: Job) -> tuple[Input, ...]:
    return tuple(cut(inputs, job.part_bytes, stage.reads_parts if isinstance(stage, FileStage) else None))


def planned(job: Job, stage: Stage, inputs: tuple[Input, ...], sides: tuple[Side, ...]) -> Plan:
    """The plan over these inputs. Raises UsageError where the stage can't be planned over them."""
    try:
        phases = plan_tasks(stage, inputs, job.folder, sides, job.scratch)
    except ValueError as error:
        raise UsageError(str(error)) from error
    return Plan(job, stage, inputs, sides, tuple((phase, tuple(tasks)) for phase, tasks in phases))


def with_one_schema(inputs: Sequence[Input]) -> Sequence[Input]:
    """Inputs that are to be read in one schema, where files of others differ. Raises UsageError where their
    types conflict."""
    theirs = [i for i in inputs if is_parquet(i.path) and not is_shard(i.name)]
    if len({i.shape for i in theirs}) < 2 and all(i.shape for i in theirs):
        return inputs
    with ThreadPoolExecutor(16) as pool:
        read = pool.map(_schema_or_none, theirs)
        schemas = [(i.name, schema) for i, schema in zip(theirs, read, strict=True) if schema is not None]
    if len(schemas) < 2:
        return inputs
    try:
        unified = unify(schemas)
    except ValueError as error:
        raise UsageError(str(error)) from error
    return [replace(i, schema=unified) if is_parquet(i.path) else i for i in inputs] if unified else inputs


def _schema_or_none(source: Input) -> pa.Schema | None:
    try:
        schema = parquet_schema(source.path)
    except (ShardError, UsageError):
        return None  # fails by itself, as a task
    return schema if len(set(schema.names)) == len(schema.names) else None


def columns_of(stage: Stage, inputs: Sequence[Input]) -> tuple[str, ...]:
    """Columns of the documents, by the first Parquet file; none where that can't be known.

    Raises UsageError where the file has no text column.
    """
    first = next((i for i in inputs if is_parquet(i.path)), None)
    if first is None or isinstance(stage, FileStage):
        return ()
    try:
        schema = parquet_schema(first.path)
    except ShardError:
        return ()  # a corrupt file fails by itself, as a shard; the others go on
    try:
        check_text_column(schema, first.text_column, first.name)
    except ShardError as error:
        raise UsageError(str(error)) from error
    return tuple(schema.names)


def check_inputs(stage: Stage, inputs: Sequence[Input], columns: Sequence[str]) -> None:
    """Raise UsageError for what the stage can't work with: inputs, parameters, missing columns."""
    if isinstance(stage, FileStage):
        stage.check(inputs)
        return
    if isinstance(stage, PhasedStage):
        stage.check(inputs, columns)
    if columns:
        check_columns(stage, columns, inputs[0].name)


def check_columns(stage: Stage, known: Iterable[str], where: str) -> None:
    """Raise UsageError where a stage needs a column that nothing before it makes."""
    missing = [c for c in stage.needs if c not in MADE_UP.union(known)]
    if missing:
        names = ", ".join(missing)
        raise UsageError(
            f"{stage.name} needs the column {names}, which {where} lacks; run the stage that adds it"
        )
