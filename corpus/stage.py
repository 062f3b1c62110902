"""What a stage is, and the only place where rows are dropped.

A stage is a frozen dataclass of parameters and a function. `open()` loads what it needs and returns the
function, which gives back *the same rows*, with columns added, plus the columns `drop` and `drop_detail`.
`map_shard` runs it over one input and splits: kept rows to the shard, dropped rows beside it. So
rows in = rows out + dropped, by construction, and a receipt says so.

Owns: the protocols, `Task`, `run_task`. Reads: the inputs of a task. Writes: one shard, its dropped rows
and, last, its receipt. Tasks of one phase are independent and may run in any order on any machine.
"""

from __future__ import annotations

import dataclasses
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import pyarrow as pa
import pyarrow.compute as pc

from corpus import shard, storage, table
from corpus.documents import read_documents
from corpus.errors import BukvarError, RunError, ShardError, StageError, UsageError
from corpus.shard import Input, Output, Receipt

#: Rows in which tables pass through a stage: large enough that Arrow's overhead per call vanishes, small
#: enough that a batch of 100 kB documents stays below 100 MB.
BATCH_ROWS = 512


#: Phases whose tasks write numbered shards of documents; the other phases' outputs are work files.
SHARD_PHASES = ("map", "mark", "write")


class Stage(Protocol):
    """Parameters with a name. Equal name, version and parameters on equal inputs give equal bytes."""

    name: ClassVar[str]
    version: ClassVar[int]
    needs: ClassVar[tuple[str, ...]]
    adds: ClassVar[pa.Schema]
    #: Reasons for which its rows may go, with what each means to a reader.
    reasons: ClassVar[Mapping[str, str]]


@runtime_checkable
class TableStage(Stage, Protocol):
    """A stage over document tables: `open()` returns the function from a batch to the same rows, judged."""

    def open(self) -> Callable[[pa.Table], pa.Table]: ...


@runtime_checkable
class FileStage(Stage, Protocol):
    """A stage that reads files of its own kind (crawls): one input becomes tables of judged rows.

    `skipped` of the returned reader's last item is not needed: what never was a page is counted by the
    reader into the `Output` it is given. `check` raises UsageError for inputs that can't be read, before any
    work; `shares` says which inputs go into one task, in order.
    """

    def check(self, inputs: Sequence[Input]) -> None: ...

    def shares(self, inputs: Sequence[Input]) -> list[tuple[Input, ...]]: ...

    def read(self, source: Input, out: Output) -> Iterator[pa.Table]: ...


@runtime_checkable
class PhasedStage(Stage, Protocol):
    """A stage of several phases, each of independent tasks; a phase begins when the one before is done."""

    def phases(
        self, inputs: Sequence[Input], folder: str, text_column: str = "text"
    ) -> Iterator[list[Task]]: ...

    def run(self, task: Task, out: Output) -> None: ...


def work_input(task: Task, path: str) -> Input:
    """A file that a done task of an earlier phase wrote, as an input of a later one."""
    receipt = shard.read_receipt(task.folder, task.name)
    for output in receipt.outputs if receipt else ():
        if output.path == path:
            return Input(storage.join(task.folder, path), path, output.digest, output.bytes, output.rows)
    raise ShardError(f"{task.folder}: {path} is missing; run the same command again")


@dataclass(frozen=True)
class Task:
    """One unit of work: inputs to one numbered output. Pure, so it can be run again anywhere.

    `phase` is "map" for plain stages; `options` are what a phase needs beside its inputs, and enter the key.
    """

    stage: Stage
    index: int
    inputs: tuple[Input, ...]
    folder: str
    phase: str = "map"
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def name(self) -> str:
        """Name of the receipt and of the output file, without ending."""
        number = f"{self.index:05d}"
        return number if self.phase in SHARD_PHASES else f"{self.phase}-{number}"

    @property
    def option(self) -> dict[str, Any]:
        return dict(self.options)

    def key(self) -> str:
        """Digest of all that decides the output: stage, version, parameters, options and input contents."""
        return shard.digest_of(
            [
                self.stage.name,
                self.stage.version,
                self.phase,
                parameters(self.stage),
                self.option,
                [[i.name, i.digest] for i in self.inputs],
            ]
        )


def parameters(stage: Stage) -> dict[str, Any]:
    """A stage's parameters as plain data, less those marked as not deciding the output (a time limit's
    neighbours such as a number of threads): `field(metadata={"key": False})`."""
    fields = dataclasses.fields(stage)  # type: ignore[arg-type]  # no protocol says "dataclass"
    return {f.name: getattr(stage, f.name) for f in fields if f.metadata.get("key", True)}


def run_task(task: Task, told: Callable[[float], None] | None = None) -> Receipt:
    """Do one task and publish its receipt; `told` hears on the way which share of it is done.

    Raises ShardError with the input's name in it.
    """
    started, cpu = time.monotonic(), time.process_time()
    key = task.key()
    shard.retract(task.folder, task.name, key)
    out = Output(task.folder, task.name, told, task.stage.reasons)
    with out:
        try:
            if isinstance(task.stage, PhasedStage):
                task.stage.run(task, out)
            else:
                map_shard(task, out)
            out.close()
        except BukvarError:
            raise
        except (pa.ArrowException, UnicodeDecodeError, EOFError, OSError) as error:
            if isinstance(error, OSError) and storage.stops_everything(error):
                raise storage.translate(error, task.folder) from error
            names = ", ".join(i.name for i in task.inputs[:3])
            raise ShardError(f"{names}: {shard.one_line(error)}") from error
        return out.publish(
            Receipt(
                stage=task.stage.name,
                version=task.stage.version,
                phase=task.phase,
                name=task.name,
                key=key,
                parameters=parameters(task.stage),
                inputs=tuple(dataclasses.replace(i, path="") for i in task.inputs),
                outputs=tuple(out.outputs),
                rows_in=out.rows_in,
                rows_out=out.rows_out,
                dropped=dict(sorted(out.dropped.items())),
                skipped=dict(sorted(out.skipped.items())),
                bytes_in=out.bytes_in,
                bytes_out=out.bytes_out,
                seconds=round(time.monotonic() - started, 3),
                cpu_seconds=round(time.process_time() - cpu, 3),
                peak_memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                versions=shard.versions(),
            )
        )


def map_shard(task: Task, out: Output) -> None:
    """Run a table stage over one input or a file stage over its share of them; split kept from dropped."""
    stage = task.stage
    if isinstance(stage, FileStage):
        for source in task.inputs:
            _split(stage.read(source, out), out)
    elif isinstance(stage, TableStage):
        column = task.option.get("text_column", "text")
        map_documents(stage.open(), stage.adds, task.inputs[0], column, out)
    else:
        raise TypeError(f"{stage.name} is neither a table nor a file stage")


def map_documents(
    function: Callable[[pa.Table], pa.Table], adds: pa.Schema, source: Input, text_column: str, out: Output
) -> None:
    """Run a stage's function over the documents of one file, splitting kept from dropped rows."""
    batches = read_documents(source, text_column, BATCH_ROWS, tell=out.tell)
    _split((_counted(function, adds, batch, out) for batch in batches), out)


def _split(judged: Iterator[pa.Table], out: Output) -> None:
    for batch in judged:
        out.rows_in += batch.num_rows
        out.split(batch)
    out.check_errors()


def _counted(
    function: Callable[[pa.Table], pa.Table], adds: pa.Schema, batch: pa.Table, out: Output
) -> pa.Table:
    if not batch.num_rows:
        return _declared(adds, batch)
    out.bytes_in += shard.text_bytes(batch)
    return judge(function, batch)


def _declared(adds: pa.Schema, batch: pa.Table) -> pa.Table:
    """An empty batch with the columns that the stage declares: it fixes the shard's schema before any row."""
    fields = {f.name: f for f in batch.schema} | {f.name: f for f in adds}
    return pa.schema([*fields.values(), *table.DROP_COLUMNS]).empty_table()


def judge(function: Callable[[pa.Table], pa.Table], batch: pa.Table) -> pa.Table:
    """Apply a stage's function; where it raises, find the document at fault by halving the batch.

    The document at fault becomes a row dropped as `error:<Type>`; the others are judged as if it were not
    there. A stage's function treats each row by itself, so halving does not change what it says of the rest.
    """
    if table.DROP in batch.column_names:  # the reader has judged some rows already
        return _judge_readable(function, batch)
    try:
        return function(batch)
    except (MemoryError, OSError, ShardError, StageError, RunError, UsageError):
        raise
    except Exception as error:
        if batch.num_rows == 1:
            return _errored(batch, error)
        half = batch.num_rows // 2
        parts = [judge(function, batch.slice(0, half)), judge(function, batch.slice(half))]
        return pa.concat_tables(parts, promote_options="default")


def _judge_readable(function: Callable[[pa.Table], pa.Table], batch: pa.Table) -> pa.Table:
    mask = batch.column(table.DROP).is_null()
    good = batch.filter(mask).drop_columns([table.DROP, table.DROP_DETAIL])
    bad = batch.filter(pc.invert(mask))
    parts = [judge(function, good)] if good.num_rows else []
    return pa.concat_tables([*parts, bad], promote_options="default")


def _errored(row: pa.Table, error: Exception) -> pa.Table:
    values = {
        table.DROP: f"{table.ERROR_PREFIX}{type(error).__name__}",
        table.DROP_DETAIL: shard.one_line(error),
    }
    for column, value in values.items():
        row = row.append_column(column, pa.array([value], pa.string()))
    return row


def count_reasons(batch: pa.Table) -> Counter[str]:
    """Dropped rows of a judged batch by reason."""
    counts = batch.column(table.DROP).value_counts().to_pylist()
    return Counter({c["values"]: c["counts"] for c in counts if c["values"] is not None})
