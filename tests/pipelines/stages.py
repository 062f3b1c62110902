"""Stages small enough to see through, and the tables that tests run them on."""

import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from corpus import receipts, storage, table
from corpus.inputs import Input, stems
from corpus.stage import Task, plan_tasks
from pipelines import digests
from pipelines.inputs import rows_of

WORD = "слово"
#: Runs a command line: exit code, stdout, stderr (fixture `say`).
Say = Callable[..., tuple[int, str, str]]


@dataclass(frozen=True)
class Shorten:
    """Drop texts shorter than `least`, raise on the text "raise", cut the others; count their letters."""

    name: ClassVar[str] = "clean"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[pa.Schema] = pa.schema([pa.field("letters", pa.int64())])
    reasons: ClassVar[Mapping[str, str]] = {"too_few_words": "fewer words than the limit"}

    least: int = 3
    #: Seconds of sleep per batch: the task then lasts long enough to be killed in the middle.
    pause: float = 0.0

    def open(self) -> Callable[[pa.Table], pa.Table]:
        return self._apply

    def _apply(self, batch: pa.Table) -> pa.Table:
        time.sleep(self.pause)
        texts = batch.column("text").to_pylist()
        if any(t == "raise" for t in texts):
            raise ValueError("a text that raises")
        short = [t is None or len(t) < self.least for t in texts]
        drop = ["too_few_words" if s else None for s in short]
        batch = batch.append_column("letters", pa.array([len(t or "") for t in texts], pa.int64()))
        batch = batch.append_column(table.DROP, pa.array(drop, pa.string()))
        return batch.append_column(table.DROP_DETAIL, pa.array([d and "short" for d in drop], pa.string()))


@dataclass(frozen=True)
class Deadly(Shorten):
    """Kills its process at the text "die"."""

    def open(self) -> Callable[[pa.Table], pa.Table]:
        def function(batch: pa.Table) -> pa.Table:
            if "die" in batch.column("text").to_pylist():
                os.kill(os.getpid(), signal.SIGKILL)
            return self._apply(batch)

        return function


@dataclass(frozen=True)
class Slow(Shorten):
    """Sleeps for minutes at the text "slow", the first time."""

    #: A file that is there from the first time on.
    seen: str = ""
    #: Whether it sleeps on when it is told to stop.
    deaf: bool = False

    def open(self) -> Callable[[pa.Table], pa.Table]:
        def function(batch: pa.Table) -> pa.Table:
            if "slow" in batch.column("text").to_pylist() and not Path(self.seen).exists():
                Path(self.seen).touch()
                end = time.monotonic() + 300
                while time.monotonic() < end:
                    with suppress(*([KeyboardInterrupt] if self.deaf else [])):
                        time.sleep(1)
            return self._apply(batch)

        return function


def write_texts(path: Path, texts: Sequence[str | None], **columns: Sequence[object]) -> Path:
    """A Parquet file with the column `text` (and others)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"text": pa.array(texts, pa.string()), **columns}), path)
    return path


def inputs_of(paths: Iterable[Path]) -> tuple[Input, ...]:
    """Files as a job's inputs."""
    return tuple(Input(str(p), p.name, *storage.sha256(str(p)), rows_of(str(p))) for p in sorted(paths))


def tasks_of(stage: object, inputs: Iterable[Input], folder: Path) -> list[Task]:
    """The tasks of a stage of one phase."""
    ((_, tasks),) = plan_tasks(stage, tuple(inputs), str(folder))  # type: ignore[arg-type]
    return tasks


def name_of(file: str) -> str:
    """The stem of the shard that is made from a file of this name."""
    return stems([Input(file, file, "")])[0]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a stage's folder that must not depend on how it was made: no receipts, no heartbeats.

    Receipts hold seconds; the plan holds nothing of the kind.
    """
    passing = (
        receipts.RECEIPTS,
        receipts.INDEX,
        receipts.SUMS,
        digests.FILE,
        receipts.RUNNING,
        receipts.FAILED,
    )
    files = [p for p in sorted(folder.rglob("*")) if p.is_file()]
    names = {str(p.relative_to(folder)): p for p in files}
    return {n: p.read_bytes() for n, p in names.items() if n.partition("/")[0] not in passing}


def receipt_times(folder: Path) -> dict[str, int]:
    """Receipts with their modification times: a task that was done again has another."""
    return {p.name: p.stat().st_mtime_ns for p in sorted((folder / receipts.RECEIPTS).glob("*.json"))}


def texts_of(folder: Path) -> list[str]:
    """Kept texts in shard order."""
    return [t for p in sorted(folder.glob("*.parquet")) for t in pq.read_table(p)["text"].to_pylist()]


#: Two Russian texts that pass every filter.
LONG = (
    "Весной река поднялась выше обычного, и дорога к мосту ушла под воду. Мы ждали парома до вечера, "
    "потому что лодочник уехал в город за новой верёвкой. К ночи вода спала, и на другой берег перешли "
    "пешком, держась за перила. Утром в деревне говорили только об этом. "
)
OTHER = (
    "В мастерской чинили часы, и запах масла стоял с самого утра. Старший мастер разбирал маятник, младший "
    "писал квитанции крупным почерком. Когда часы пошли, все замолчали и слушали, как они тикают. "
)
