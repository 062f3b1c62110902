"""Stage `dedup` for the engine: its four phases as tasks over work files.

What each phase does, and what its files hold, is in `corpus.dedup.near`; this module says which files go
where.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from corpus import table
from corpus.dedup import near
from corpus.documents import read_documents
from corpus.inputs import Input
from corpus.stage import BATCH_ROWS, Phase, Task, local_copy, map_documents
from corpus.writing import Output

#: Memory of a task beside what `near.estimate` counts: the interpreter, and the batch of texts that is read.
_BESIDE: Final = 300 << 20


@dataclass(frozen=True)
class Deduplicate(near.Dedup):
    """Drop exact and near duplicates (MinHash-LSH), keeping one document of each cluster."""

    memory_gb: float = field(
        default=4.0,
        metadata={"help": "memory in GB that one task may take: the hashes are split so that they fit"},
    )

    def check(self, inputs: Sequence[Input], columns: Collection[str]) -> None:
        """Any documents will do."""

    def phases(self, inputs: Sequence[Input]) -> tuple[Phase, ...]:
        """sign each input; group each bucket; resolve once; mark each input."""
        documents = sum(_rows(source) for source in inputs)
        fitted = near.fit_buckets(self, documents, len(inputs), int(self.memory_gb * 1e9))
        costs = near.estimate(fitted, documents, len(inputs))
        memory = {phase: cost.memory + _BESIDE for phase, cost in costs.items()}
        buckets = fitted.buckets
        return (
            Phase("sign", memory=memory["sign"], options=(("buckets", buckets),)),
            Phase("group", fan=buckets, inputs=False, reads=("sign",), memory=memory["group"]),
            Phase("resolve", fan=1, inputs=False, reads=("sign", "group"), memory=memory["resolve"]),
            Phase("mark", reads=("resolve",), documents=True, memory=memory["mark"]),
        )

    def run(self, task: Task, out: Output) -> None:
        """Do a task of any phase."""
        match task.phase.name:
            case "sign":
                fitted = replace(self, buckets=task.options["buckets"])
                with out.work() as path:
                    near.sign_tables(fitted, _texts(task.inputs[0], out), path)
            case "group":
                signs = [local_copy(file, out) for file in task.files("sign")]
                with out.work() as path:
                    near.group_bucket(self, task.number, signs, path)
            case "resolve":
                signs = [local_copy(file, out) for file in task.files("sign")]
                edges = [local_copy(file, out) for file in task.files("group")]
                with ExitStack() as files:
                    marks = [files.enter_context(out.work(name)) for name in task.reads["sign"]]
                    near.resolve(signs, edges, marks)
            case "mark":
                marked = local_copy(task.files("resolve", task.name)[0], out)
                map_documents(near.mark_table(marked), self.adds, task.inputs[0], out)


def _texts(source: Input, out: Output) -> Iterator[pa.Table]:
    for batch in read_documents(source, BATCH_ROWS, text_only=True, progress=out.tell):
        if table.DROP in batch.column_names:
            yield batch.filter(pc.is_null(batch.column(table.DROP)))
        else:
            yield batch


def _rows(source: Input) -> int:
    """Documents of an input; of JSONL, whose rows can't be known without reading, one per kB of the file."""
    return source.rows if source.rows is not None else source.size // 1000 + 1
