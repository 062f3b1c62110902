"""What a stage is, what its tasks are, and how one is run.

A stage is a frozen dataclass of parameters and a function. Of a stage over tables, `open()` loads what it
needs and returns the function, which gives back *the same rows*, with columns added, plus the columns `drop`
and `drop_detail`; `corpus.judging` splits: kept rows to the shard, dropped rows beside it. So rows in = rows
out + dropped, by construction, and a receipt says so. A stage of several phases declares them as data; each
phase is a number of independent tasks.

Owns: the protocols, `Phase`, `Task`, `plan_tasks`, `run_task`. Reads: the inputs of a task. Writes: the files
of one task and, last, its receipt. Tasks of one phase may run in any order on any machine.
"""

from __future__ import annotations

import dataclasses
import resource
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol, runtime_checkable

import pyarrow as pa

from corpus import receipts, storage
from corpus.errors import BukvarError, ShardError, one_line
from corpus.inputs import Input, stems
from corpus.judging import map_documents, split
from corpus.receipts import WORK, Receipt
from corpus.writing import Output, Progress

#: Work files copied from an object store at a time. One of up to 32 MB is held in memory on the way.
_COPIERS: Final = 8


@dataclass(frozen=True)
class Share:
    """What one task of a phase reads: positions of inputs. Its name is its first input's stem where empty;
    `options` decide its output beside the phase's."""

    inputs: tuple[int, ...]
    name: str = ""
    options: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Phase:
    """One phase of a stage: what its tasks read and write, as data.

    By default each input is a task. `shares` says what each task reads instead; `fan`
    makes so many tasks (buckets), each over all inputs or, with `inputs=False`, over none. `reads` names
    earlier phases whose work files every task may read; the phase begins when they are done.
    """

    name: str
    fan: int = 0
    shares: tuple[Share, ...] = ()
    inputs: bool = True
    reads: tuple[str, ...] = ()
    #: Whether the tasks write shards of documents, which funnel and sums count.
    documents: bool = False
    #: Processors and bytes of memory that one task takes, for who schedules it; 0 bytes: not known.
    cpus: int = 1
    memory: int = 0
    #: What decides the output beside the stage's parameters.
    options: tuple[tuple[str, Any], ...] = ()


#: The one phase of a stage over tables.
MAP: Final = Phase("map", documents=True)


class Stage(Protocol):
    """Parameters with a name. Equal name, version and parameters on equal inputs give equal bytes.

    A field whose metadata has `"input": True` names files or folders: side inputs, which enter the key by
    content. `"not_files"` lists values of it that are none. `"key": False` marks what decides no output.
    """

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

    `check` raises UsageError for inputs that can't be read, before any work. What never was a page is counted
    by `read` into the `Output` it is given. `reads_parts` says whether `read` can read a part of a file alone
    (`source.part`): a large one is then cut.
    """

    def check(self, inputs: Sequence[Input]) -> None: ...

    def reads_parts(self, source: Input) -> bool: ...

    def shares(self, inputs: Sequence[Input]) -> tuple[Share, ...]: ...

    def read(self, source: Input, out: Output) -> Iterator[pa.Table]: ...


@runtime_checkable
class PhasedStage(Stage, Protocol):
    """A stage of several phases.

    `phases` is data: it reads neither files nor receipts. `check` raises UsageError for what can be known to
    be wrong before any work; `columns` are those of the documents, none where they are not known.
    """

    def check(self, inputs: Sequence[Input], columns: Collection[str]) -> None: ...

    def phases(self, inputs: Sequence[Input]) -> tuple[Phase, ...]: ...

    def run(self, task: Task, out: Output) -> None: ...


@dataclass(frozen=True)
class Side:
    """A parameter that names files, with the files it stands for."""

    parameter: str
    files: tuple[Input, ...]


@dataclass(frozen=True)
class Task:
    """One unit of work: inputs to outputs. Pure, so it can be run again anywhere."""

    stage: Stage
    phase: Phase
    #: The stem of its (first) input, or the number of its bucket.
    name: str
    #: Its position among the tasks of the phase.
    number: int
    inputs: tuple[Input, ...]
    folder: str
    sides: tuple[Side, ...] = ()
    #: Phase -> names of its tasks in order, of the phases that it reads.
    reads: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    #: Digest of the keys of those tasks.
    reads_key: str = ""
    extra: tuple[tuple[str, Any], ...] = ()
    #: Folder for temporary files on the machine that does the task; the system's where empty.
    scratch: str = ""
    #: Processors that it may use beside other tasks. The bytes that it writes do not depend on it.
    threads: int = 1

    @property
    def record(self) -> str:
        """Name of its receipt and of its heartbeat."""
        return self.name if self.phase.documents else f"{self.phase.name}-{self.name}"

    @property
    def options(self) -> dict[str, Any]:
        """The options of the phase, with those of the task over them."""
        return dict((*self.phase.options, *self.extra))

    def key(self) -> str:
        """Digest of all that decides the output: stage, version, parameters, options, contents of inputs and
        side inputs, and the keys of the tasks whose files it reads."""
        return receipts.digest_of(
            [
                self.stage.name,
                self.stage.version,
                self.phase.name,
                parameters(self.stage, self.sides),
                self.options,
                self.number if self.phase.fan else None,
                [i.identity() for i in self.inputs],
                self.reads_key,
            ]
        )

    def files(self, phase: str, file: str = "") -> list[str]:
        """Locations of the work files that the tasks of an earlier phase wrote, in their order: those named
        like the tasks, or of each the one with this name."""
        parts = (file,) if file else ()
        return [storage.join(self.folder, WORK, phase, name, *parts) for name in self.reads[phase]]

    def side(self, parameter: str) -> tuple[Input, ...]:
        """The files that a parameter names."""
        return next((side.files for side in self.sides if side.parameter == parameter), ())


def local_copy(location: str, out: Output) -> Path:
    """A file as a local path: where it lies, or a copy in the task's scratch folder. The copy is begun anew
    where a store does not answer in the middle."""
    local = storage.local_path(location)
    if local is not None:
        return local
    copy = out.scratch / receipts.digest_of(location)[:16] / storage.base_name(location)
    if not copy.exists():
        copy.parent.mkdir(exist_ok=True)
        begun = copy.with_name(storage.partial_name(copy.name))

        def write(stream: Any) -> None:
            with begun.open("wb") as target:
                shutil.copyfileobj(stream, target, 1 << 20)

        storage.reading(location, write)
        begun.replace(copy)
    return copy


def local_copies(locations: Sequence[str], out: Output) -> list[Path]:
    """`local_copy` of each, several at a time: a store answers each in tens of milliseconds."""
    if all(storage.local_path(location) is not None for location in locations):
        return [local_copy(location, out) for location in locations]
    _ = out.scratch  # made once, before the threads ask for it
    with ThreadPoolExecutor(_COPIERS) as pool:
        return list(pool.map(lambda location: local_copy(location, out), locations))


def parameters(stage: Stage, sides: Collection[Side] = ()) -> dict[str, Any]:
    """A stage's parameters as plain data, less those that decide no output; a parameter that names files as
    the files' names and digests."""
    contents = {s.parameter: [[f.name, f.digest] for f in s.files] for s in sides}
    fields = dataclasses.fields(stage)  # type: ignore[arg-type]  # no protocol says "dataclass"
    return {
        f.name: contents.get(f.name, getattr(stage, f.name)) for f in fields if f.metadata.get("key", True)
    }


def phases_of(stage: Stage, inputs: Sequence[Input]) -> tuple[Phase, ...]:
    """The phases of any kind of stage."""
    if isinstance(stage, PhasedStage):
        return stage.phases(inputs)
    if isinstance(stage, FileStage):
        return (dataclasses.replace(MAP, shares=stage.shares(inputs)),)
    return (MAP,)


def plan_tasks(
    stage: Stage, inputs: Sequence[Input], folder: str, sides: tuple[Side, ...] = (), scratch: str = ""
) -> list[tuple[Phase, list[Task]]]:
    """All phases of a stage with their tasks and keys. Reads neither files nor receipts."""
    names = stems(inputs)
    planned: dict[str, list[Task]] = {}
    found = []
    for phase in phases_of(stage, inputs):
        reads = {name: tuple(task.name for task in planned[name]) for name in phase.reads}
        upstream = [task.key() for name in phase.reads for task in planned[name]]
        reads_key = receipts.digest_of(upstream) if upstream else ""
        shares = phase.shares or tuple(Share((n,)) for n in range(len(inputs)))
        if phase.fan:
            whole = tuple(range(len(inputs))) if phase.inputs else ()
            shares = tuple(Share(whole, f"{number:05d}") for number in range(phase.fan))
        bare = dataclasses.replace(phase, shares=())  # a task carries its own share only
        tasks = [
            Task(
                stage,
                bare,
                share.name or names[share.inputs[0]],
                number,
                tuple(inputs[n] for n in share.inputs),
                folder,
                sides,
                reads,
                reads_key,
                share.options,
                scratch,
            )
            for number, share in enumerate(shares)
        ]
        planned[phase.name] = tasks
        found.append((bare, tasks))
    return found


def run_task(task: Task, progress: Progress | None = None) -> Receipt:
    """Do one task and publish its receipt. `progress` is called on the way with the share that is done.

    Raises ShardError with the input's name in it.
    """
    started, cpu = time.monotonic(), time.process_time()
    for source in task.inputs:
        storage.expect(source.path, source.file_bytes)
    with Output(task.folder, task.name, task.phase.name, progress, task.stage.reasons, task.scratch) as out:
        try:
            if isinstance(task.stage, PhasedStage):
                task.stage.run(task, out)
            else:
                map_inputs(task, out)
            outputs = out.close()
        except BukvarError:
            raise
        except (pa.ArrowException, UnicodeDecodeError, EOFError, OSError) as error:
            if isinstance(error, OSError) and storage.stops_everything(error):
                raise storage.translate(error, task.folder) from error
            names = ", ".join(i.name for i in task.inputs[:3])
            if isinstance(error, OSError) and storage.is_of_the_store(error):
                raise storage.translate(error, names) from error
            raise ShardError(f"{names}: {one_line(error)}") from error
        receipt = Receipt(
            stage=task.stage.name,
            version=task.stage.version,
            phase=task.phase.name,
            name=task.record,
            key=task.key(),
            parameters=parameters(task.stage, task.sides),
            inputs=tuple(dataclasses.replace(i, path="", schema=b"") for i in task.inputs),
            outputs=outputs,
            documents=task.phase.documents,
            rows_in=out.rows_in,
            rows_out=out.rows_out,
            dropped=dict(sorted(out.dropped.items())),
            skipped=dict(sorted(out.skipped.items())),
            notes=dict(sorted(out.notes.items())),
            bytes_in=out.bytes_in,
            bytes_out=out.bytes_out,
            seconds=round(time.monotonic() - started, 3),
            cpu_seconds=round(time.process_time() - cpu, 3),
            peak_memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            versions=receipts.versions(),
        )
        receipts.write_receipt(task.folder, receipt)
        return receipt


def map_inputs(task: Task, out: Output) -> None:
    """Run a table stage or a file stage over the inputs of a task; split kept from dropped."""
    stage = task.stage
    if isinstance(stage, FileStage):
        for source in task.inputs:
            split(stage.read(source, out), out)
    elif isinstance(stage, TableStage):
        function = stage.open()
        for source in task.inputs:
            map_documents(function, stage.adds, source, out)
    else:
        raise TypeError(f"{stage.name} is neither a table nor a file stage")
