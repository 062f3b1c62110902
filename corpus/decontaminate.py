"""Stage `decontaminate`: documents that hold texts of benchmarks go, or the passages are cut out.

Words are those of dedup's keys (lower case, ё as е, no punctuation). A benchmark's text of `ngram` words or
more is found by any `ngram` of its words in a row, a shorter one whole; one below `min_words` is not looked
for, and counted. The work is done in Rust (rust_ext/crates/decontaminate). Phases: `mark` judges each input;
`report` writes `_contamination.json` from what the tasks of `mark` found.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import table
from corpus.benchmarks import FIELDS, Benchmark, files_of, read_benchmarks
from corpus.errors import UsageError
from corpus.inputs import Input
from corpus.judging import map_documents
from corpus.mask import mask_text
from corpus.stage import Phase, Task, local_copies
from corpus.transliteration import transliterated
from corpus.writing import Output
from rust_ext import Decontaminator
from rust_ext.arrow import edited, text_buffers

ACTIONS: Final = ("drop", "cut", "mark")
REPORT: Final = "_contamination.json"
REASON: Final = "contaminated"
#: Matches of a benchmark that the report shows, and characters of each.
_SHOWN: Final = 20
_SHOWN_CHARS: Final = 300
#: Largest n-gram that the kernel takes.
_LONGEST: Final = 64


@dataclass(frozen=True)
class Decontaminate:
    """Drop documents that hold texts of benchmarks, or cut the passages out."""

    name: ClassVar[str] = "decontaminate"
    version: ClassVar[int] = 2
    needs: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("text", pa.large_string()),
            pa.field("contaminated_by", pa.list_(pa.string())),
            pa.field("contaminated_words", pa.int32()),
        ]
    )
    reasons: ClassVar[Mapping[str, str]] = {
        REASON: "holds a text of a benchmark, or nothing else (action cut)"
    }

    benchmarks: tuple[str, ...] = field(
        default=(),
        metadata={
            "help": "files of benchmarks, or folders of them: JSONL, JSON, CSV, TSV or Parquet; "
            "none: nothing is done",
            "input": True,
        },
    )
    fields: tuple[str, ...] = field(
        default=(),
        metadata={
            "help": f"fields that hold questions and answers, or families: {', '.join(FIELDS)}; "
            "none: the fields of all families"
        },
    )
    action: str = field(
        default="drop",
        metadata={"help": "drop the document, cut the sentences that are shared, or only mark the document"},
    )
    ngram: int = field(default=13, metadata={"help": "words in a row that are a match"})
    min_words: int = field(
        default=8, metadata={"help": "a text of fewer than ngram words is looked for whole from this many on"}
    )

    translit: bool = field(
        default=False,
        metadata={
            "help": "look for texts in Latin letters too, by six schemes; the index is seven times as large"
        },
    )

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(
                f'decontaminate.action: "{self.action}" is unknown; choose from {", ".join(ACTIONS)}'
            )
        if not 2 <= self.ngram <= _LONGEST:
            raise ValueError(f"decontaminate.ngram is {self.ngram}; choose 2 to {_LONGEST}")
        if not 1 <= self.min_words <= self.ngram:
            raise ValueError(
                f"decontaminate.min_words is {self.min_words}; choose 1 to decontaminate.ngram ({self.ngram})"
            )

    def check(self, inputs: Sequence[Input], columns: Collection[str]) -> None:
        """Reads the benchmarks. Raises UsageError where one can't be used. Any documents will do."""
        del inputs, columns
        if self.benchmarks:
            Opened(self, read_benchmarks(files_of(self.benchmarks), self.fields))

    def phases(self, inputs: Sequence[Input]) -> tuple[Phase, ...]:
        """mark each input; report once."""
        del inputs
        mark = Phase("mark", documents=True)
        if not self.benchmarks:
            return (mark,)
        return mark, Phase("report", fan=1, inputs=False, reads=("mark",))

    def run(self, task: Task, out: Output) -> None:
        """Do a task of either phase."""
        if not self.benchmarks:
            out.notes["decontaminate"] = "decontaminate.benchmarks names no file: nothing was compared"
            map_documents(_pass, self.adds, task.inputs[0], out)
            return
        opened = _open(self, task.side("benchmarks"))
        if task.phase.name == "mark":
            tally: Tally = {}
            mark = functools.partial(_mark, self, opened, tally)
            map_documents(mark, self.adds, task.inputs[0], out)
            with out.work() as path:
                path.write_text(json.dumps(_plain(tally), ensure_ascii=False), encoding="utf-8")
        else:
            report = _report(self, opened, local_copies(task.files("mark"), out))
            text = json.dumps(report, ensure_ascii=False, indent=1) + "\n"
            out.put_bytes(text.encode(), REPORT)
            out.notes["contaminated"] = _summary(report)


@dataclass
class Found:
    """What was found of one benchmark."""

    documents: int
    words: int
    items: set[int]
    matches: list[dict[str, Any]]


#: Number of a benchmark -> what was found of it.
Tally = dict[int, Found]


class Opened:
    """Benchmarks with their index. Items are numbered through all benchmarks."""

    def __init__(self, stage: Decontaminate, benchmarks: Sequence[Benchmark]) -> None:
        self.benchmarks = benchmarks
        self.items = [number for one in benchmarks for number, _ in one.items]
        self._starts = list(itertools.accumulate((len(one.items) for one in benchmarks), initial=0))
        texts = [texts for one in benchmarks for _, texts in one.items]
        flat = [(owner, text) for owner, one in enumerate(texts) for text in one]
        self._owners = np.array([owner for owner, _ in flat], dtype=np.uint32)
        if stage.translit:  # behind the texts themselves, which alone are counted
            flat += [(owner, latin) for owner, text in flat for latin in transliterated(text)]
        owners = np.array([owner for owner, _ in flat], dtype=np.uint32)
        column = text_buffers(pa.array([text for _, text in flat], pa.large_string()))
        try:
            self.index = Decontaminator(column, owners, n=stage.ngram, min_words=stage.min_words)
        except ValueError as error:
            raise UsageError(f"decontaminate: {error}") from error

    def benchmark(self, item: int) -> int:
        """Number of the benchmark that an item is of."""
        return bisect.bisect_right(self._starts, item) - 1

    def lengths(self, stage: Decontaminate) -> list[dict[str, int]]:
        """Of each benchmark: its items, its texts, those that are looked for whole, those too short."""
        words, owners = self.index.words()[: len(self._owners)], self._owners
        counted = []
        for first, last in itertools.pairwise(self._starts):
            own = words[(owners >= first) & (owners < last)]
            whole = (own >= stage.min_words) & (own < stage.ngram)
            counted.append(
                {
                    "items": last - first,
                    "texts": len(own),
                    "texts_compared_whole": int(whole.sum()),
                    "texts_too_short": int((own < stage.min_words).sum()),
                }
            )
        return counted


@functools.lru_cache(1)
def _open(stage: Decontaminate, files: tuple[Input, ...]) -> Opened:
    """Read once a process; the files' digests are part of the key."""
    return Opened(stage, read_benchmarks([(file.path, file.name) for file in files], stage.fields))


def _pass(batch: pa.Table) -> pa.Table:
    return _judged(batch, [None] * batch.num_rows, [0] * batch.num_rows, {})


def _judged(batch: pa.Table, names: list[list[str] | None], words: Any, gone: Mapping[int, str]) -> pa.Table:
    nothing = range(batch.num_rows)
    columns = {
        "contaminated_by": pa.array(names, pa.list_(pa.string())),
        "contaminated_words": pa.array(words, pa.int32()),
        table.DROP: pa.array([REASON if n in gone else None for n in nothing], pa.string()),
        table.DROP_DETAIL: pa.array([gone.get(n) for n in nothing], pa.string()),
    }
    return table.with_columns(batch, columns)


def _mark(stage: Decontaminate, opened: Opened, tally: Tally, batch: pa.Table) -> pa.Table:
    """The batch with its columns; what was found is added to `tally` once the whole batch is judged."""
    column = batch.column("text")
    left, covered, found = opened.index.rows(text_buffers(column), cut=stage.action == "cut")
    offsets, items, starts, ends, words = (values.tolist() for values in found)
    names: list[list[str] | None] = [None] * batch.num_rows
    details: dict[int, str] = {}
    matches: list[list[dict[str, Any]]] = []
    for row in np.flatnonzero(covered).tolist():
        data = column[row].as_py().encode()
        here = [
            {
                "item": items[n],
                "words": words[n],
                "shared": _short(data[starts[n] : ends[n]].decode()),
                **_origin(batch, row),
            }
            for n in range(offsets[row], offsets[row + 1])
        ]
        numbers = dict.fromkeys(opened.benchmark(match["item"]) for match in here)
        names[row] = [opened.benchmarks[n].name for n in numbers]
        details[row] = _detail(opened, max(here, key=lambda match: match["words"]))
        matches.append(here)
    if stage.action == "cut":
        batch = table.with_columns(batch, {"text": edited(column, left).cast(column.type)})
        empty = pc.utf8_is_space(batch.column("text")).to_pylist()
        blank = pc.equal(batch.column("text"), "").to_pylist()
        details = {row: text for row, text in details.items() if empty[row] or blank[row]}
    judged = _judged(batch, names, covered, {} if stage.action == "mark" else details)
    for here in matches:
        _add(tally, opened, here)
    return judged


def _origin(batch: pa.Table, row: int) -> dict[str, str]:
    """The columns that say which document it is."""
    found = {}
    for name in ("doc_id", "url", "source"):
        value = batch.column(name)[row].as_py() if name in batch.column_names else None
        if value is not None:
            found[name] = value.hex() if isinstance(value, bytes) else str(value)
    return found


def _short(text: str) -> str:
    """A passage on one line for a person to read, without anybody's number."""
    line = " ".join(mask_text(text).split())
    return line if len(line) <= _SHOWN_CHARS else line[: _SHOWN_CHARS - 1] + "…"


def _detail(opened: Opened, match: dict[str, Any]) -> str:
    benchmark = opened.benchmarks[opened.benchmark(match["item"])].name
    number = opened.items[match["item"]]
    return f"benchmark={benchmark} item={number} words={match['words']} shared={match['shared']}"


def _add(tally: Tally, opened: Opened, matches: list[dict[str, Any]]) -> None:
    """Add the matches of one document."""
    by_benchmark: dict[int, list[dict[str, Any]]] = {}
    for match in matches:
        by_benchmark.setdefault(opened.benchmark(match["item"]), []).append(match)
    for number, here in by_benchmark.items():
        found = tally.setdefault(number, Found(0, 0, set(), []))
        found.documents += 1
        for match in here:
            found.words += match["words"]
            shown = {**match, "item": opened.items[match["item"]]}
            found.items.add(shown["item"])
            if len(found.matches) < _SHOWN:
                found.matches.append(shown)


def _plain(tally: Tally) -> dict[str, Any]:
    return {str(n): {**vars(found), "items": sorted(found.items)} for n, found in sorted(tally.items())}


def _report(stage: Decontaminate, opened: Opened, files: Sequence[Path]) -> dict[str, Any]:
    """What all tasks found, by benchmark."""
    total: Tally = {n: Found(0, 0, set(), []) for n in range(len(opened.benchmarks))}
    for file in files:
        for number, found in json.loads(file.read_text(encoding="utf-8")).items():
            whole = total[int(number)]
            whole.documents += found["documents"]
            whole.words += found["words"]
            whole.items |= set(found["items"])
            whole.matches += found["matches"][: _SHOWN - len(whole.matches)]
    benchmarks = [
        {
            "name": one.name,
            **lengths,
            "documents": found.documents,
            "items_found": len(found.items),
            "words": found.words,
            "item_numbers": sorted(found.items),
            "matches": found.matches,
        }
        for one, lengths, found in zip(opened.benchmarks, opened.lengths(stage), total.values(), strict=True)
    ]
    return {
        "action": stage.action,
        "ngram": stage.ngram,
        "min_words": stage.min_words,
        "benchmarks": benchmarks,
    }


def _summary(report: dict[str, Any]) -> str:
    """One line: the benchmarks that were found most, and how many texts were too short to look for."""
    found = [one for one in report["benchmarks"] if one["documents"]]
    found.sort(key=lambda one: -one["documents"])
    parts = [
        f"{one['name']}: {one['items_found']:,} of {one['items']:,} items in {one['documents']:,} documents"
        for one in found[:5]
    ]
    if len(found) > 5:
        parts.append(f"{len(found) - 5} more benchmarks")
    short = sum(one["texts_too_short"] for one in report["benchmarks"])
    tail = f"; {short:,} texts of benchmarks are too short to be looked for" if short else ""
    return ("; ".join(parts) or "no benchmark was found in the documents") + tail + f" ({REPORT})"
