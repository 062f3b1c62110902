"""Stage `dedup` for the engine: its four phases as tasks over files of `FOLDER/_work`.

What each phase does, and what its files hold, is in `corpus.dedup.near`; this module says which files go
where. Phases pass work files by path, so the output folder lies on a disk that all workers share.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import storage, table
from corpus.dedup import near
from corpus.documents import PARQUET_ENDINGS, read_documents
from corpus.errors import ShardError, UsageError
from corpus.shard import WORK, Input, Output, one_line
from corpus.stage import BATCH_ROWS, Task, map_documents, work_input

#: Share of the machine's memory that one task may plan with where no figure is given: the other half is left
#: to the system, to Ray and to a second task.
MEMORY_SHARE: Final = 0.5


@dataclass(frozen=True)
class Deduplicate(near.Dedup):
    """Drop exact and near duplicates (MinHash-LSH), keeping one document of each cluster."""

    memory_gb: float = field(
        default=0.0,
        metadata={
            "help": "memory in GB that one task may take; half of the machine's where 0",
            "key": False,
        },
    )

    def phases(self, inputs: Sequence[Input], folder: str, text_column: str = "text") -> Iterator[list[Task]]:
        """sign each shard; group each bucket; resolve once; mark each shard."""
        if storage.local_path(folder) is None:
            raise UsageError(f"{folder}: dedup needs a folder on a disk for its work; give a local --out")
        documents = sum(_rows(i) for i in inputs)
        fitted = near.fit_buckets(self, documents, len(inputs), self._memory())
        column = ("text_column", text_column)
        fixed = (("buckets", fitted.buckets), column)
        sign = [Task(self, n, (i,), folder, "sign", fixed) for n, i in enumerate(inputs)]
        yield sign
        signs = tuple(work_input(t, f"{WORK}/{t.index:05d}.sign") for t in sign)
        group = [Task(self, b, signs, folder, "group", fixed) for b in range(fitted.buckets)]
        yield group
        edges = tuple(work_input(t, f"{WORK}/{t.index:05d}.edges") for t in group)
        resolve = Task(self, 0, (*signs, *edges), folder, "resolve", (("shards", len(inputs)),))
        yield [resolve]
        marks = [work_input(resolve, f"{WORK}/{n:05d}.marks") for n in range(len(inputs))]
        yield [
            Task(self, n, (source, mark), folder, "mark", (column,))
            for n, (source, mark) in enumerate(zip(inputs, marks, strict=True))
        ]

    def run(self, task: Task, out: Output) -> None:
        """Do a task of any phase."""
        work = Path(str(storage.local_path(storage.join(task.folder, WORK))))
        work.mkdir(parents=True, exist_ok=True)
        match task.phase:
            case "sign":
                params = replace(self, buckets=task.option["buckets"])
                near.sign_tables(params, _texts(task), task.index, work)
                out.add_file(f"{WORK}/{task.index:05d}.sign")
            case "group":
                path = work / f"{task.index:05d}.edges"
                near.group_bucket(self, task.index, [i.path for i in task.inputs], path)
                out.add_file(f"{WORK}/{path.name}")
            case "resolve":
                shards = task.option["shards"]
                paths = [i.path for i in task.inputs]
                found = near.resolve(paths[:shards], paths[shards:], work)
                for mark in found.marks:
                    out.add_file(f"{WORK}/{mark.name}")
            case "mark":
                source, marks = task.inputs
                function = near.mark_table(self, marks.path)
                map_documents(function, self.adds, source, task.option["text_column"], out)

    def _memory(self) -> int:
        if self.memory_gb:
            return int(self.memory_gb * 1e9)
        return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * MEMORY_SHARE)


def _texts(task: Task) -> Iterator[pa.Table]:
    for batch in read_documents(task.inputs[0], task.option["text_column"], BATCH_ROWS, text_only=True):
        if table.DROP in batch.column_names:
            yield batch.filter(pc.is_null(batch.column(table.DROP)))
        else:
            yield batch


def _rows(source: Input) -> int:
    """Documents of an input; of JSONL, whose rows can't be known without reading, one per kB of the file."""
    if source.rows is not None:
        return source.rows
    if not source.path.partition("?")[0].lower().endswith(PARQUET_ENDINGS):
        return source.size // 1000 + 1
    try:
        with storage.open_input(source.path) as stream:
            return int(pq.read_metadata(stream).num_rows)
    except pa.ArrowException as error:
        raise ShardError(f"{source.name}: not a readable Parquet file ({one_line(error)})") from error
