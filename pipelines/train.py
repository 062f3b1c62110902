"""Stage `train`: documents to a tokenizer, in three phases of tasks.

    count    one input of documents           -> its counts
    merge    all counts                       -> one file of counts; runs once
    learn    counts, morpheme boundaries      -> tokenizer.json and the rest; runs once

A share of the documents, chosen by their ids, is held out for `evaluate`. The tokenizer package does the
work; this module says which files go where.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import ShardError, UsageError
from corpus.inputs import Input, is_shard
from corpus.stage import Phase, Task, local_copy
from corpus.writing import Output
from pipelines.groups import FOLDER, check_number, factors, folder_of, pack, parse_weights, unpack
from pipelines.inputs import local_tokenizer
from pipelines.texts import read_texts, split_held_out
from tokenizer.parameters import MergeOptions, VocabularyOptions, described

#: What a training leaves beside the tokenizer's own files: the figures of its corpus.
ABOUT: Final = "training.json"
#: In it: whether the first document was for training in any case.
KEPT_FIRST: Final = "kept_first"
#: Values of `train.boundaries` that are no file.
RUSSIAN: Final = "russian"
PLAIN: Final = "none"
#: Threads that learning takes where the machine has them: more would wait for the one that keeps the table.
LEARNERS: Final = 4
#: How often a vocabulary is tried that the text may be too small for: a smaller one needs other merges.
_SMALLER: Final = 6
#: Bytes of memory of a task: 10 GB of text are learnt from in 1.4 GB (docs/measured/tokenizer.md).
_MEMORY: Final = 1_500 << 20
#: After pruning, learning fills up; what it adds may take uses from another leaf, but not for long.
PRUNINGS: Final = 3


@dataclass(frozen=True)
class Train(MergeOptions, VocabularyOptions):
    """Train a byte-level BPE tokenizer."""

    name: ClassVar[str] = "train"
    version: ClassVar[int] = 3
    needs: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[pa.Schema] = pa.schema([])
    reasons: ClassVar[Mapping[str, str]] = {}

    boundaries: str = field(
        default="russian",
        metadata={
            "help": "morpheme boundaries for the penalty: russian (the built-in segmenter), none (plain "
            "BPE), or a file of lines word<TAB>morph|morph|...",
            "input": True,
            "not_files": (RUSSIAN, PLAIN),
        },
    )
    groups: str = described(
        "what tells languages or sources apart: folder (each folder or file named as INPUT), or a column of "
        "the documents; empty: nothing does",
        "",
    )
    weights: tuple[str, ...] = described(
        "GROUP=NUMBER of each group: by bytes, the groups count as if they stood in these proportions", ()
    )
    parity: bool = described(
        "each merge is the best one of the group whose text takes the most tokens a character at that time",
        False,
    )
    continue_from: str = field(
        default="",
        metadata={
            "help": "tokenizer (folder or file) whose merges come first and keep their ranks; its split "
            "pattern must be train.pattern",
            "input": True,
            "tokenizer": True,
        },
    )
    min_uses: int = described(
        "tokens that no other is made of and that the texts use less often are pruned, and learning fills up "
        "(0: none); only with continue_from is there something to prune",
        0,
    )
    min_count: int = described("pretokens that occur less often (weights included) do not count", 1)
    max_types: int = described("most pretoken types kept (0: all); bounds memory, about 40 bytes each", 0)
    held_out: float = described("share of the documents kept from training for `evaluate`", 0.02)

    def __post_init__(self) -> None:
        if not 0 <= self.held_out < 1:
            raise ValueError("train.held_out lies in 0..1, below 1")
        if self.min_count < 1 or self.max_types < 0 or self.min_uses < 0:
            raise ValueError("train.min_count is at least 1, train.max_types and train.min_uses at least 0")
        parse_weights(self.weights)
        if (self.weights or self.parity) and not self.groups:
            raise ValueError("train.weights and train.parity need train.groups: folder, or a column")
        if self.weights and self.parity:
            raise ValueError("train.parity decides by itself what each group counts for; leave weights out")
        self.learning()  # checks the rest

    def specials(self) -> tuple[str, ...]:
        """The special tokens in force."""
        from tokenizer.vocabulary import SPECIAL_TOKENS

        return self.special_tokens or SPECIAL_TOKENS

    def learning(self) -> Any:
        """The parameters of learning, as the tokenizer package has them."""
        from tokenizer.train import TrainParameters

        given = self.merge_options() | {"special_tokens": self.specials()}
        if self.boundaries == PLAIN:
            given["penalty"] = 0.0  # and so no exponent of counts either
        return TrainParameters(self.vocab_size, self.pattern, **given)

    def check(self, inputs: Sequence[Input], columns: Collection[str]) -> None:
        """Raise UsageError for what can be known to be wrong before anything is counted."""
        if self.groups == FOLDER and any(is_shard(i.name) and "/" not in i.name for i in inputs):
            raise UsageError(
                "train.groups: the documents of a run lie in one folder, shard by shard; name a column that "
                "tells their languages or sources apart"
            )
        if self.groups not in ("", FOLDER) and columns and self.groups not in columns:
            raise UsageError(f"train.groups: the documents have no column {self.groups!r}")
        if self.groups == FOLDER and self.weights:
            factors({folder_of(source): 1 for source in inputs}, parse_weights(self.weights))
        if self.continue_from:
            try:
                self._first_merges(self._first_path(self.continue_from))
            except ValueError as error:
                raise UsageError(f"train.continue_from: {self.continue_from}: {error}") from error

    def phases(self, inputs: Sequence[Input]) -> tuple[Phase, ...]:
        """count each input; merge; learn. The first document of an only input is not held out."""
        first = ((KEPT_FIRST, len(inputs) == 1),)
        return (
            Phase("count", memory=_MEMORY, options=first),
            Phase("merge", fan=1, inputs=False, reads=("count",), memory=_MEMORY),
            Phase(
                "learn",
                fan=1,
                inputs=False,
                reads=("merge",),
                cpus=LEARNERS,
                memory=_MEMORY,
                options=first,
            ),
        )

    @staticmethod
    def _first_path(location: str) -> str:
        from tokenizer.vocabulary import file_of

        local = local_tokenizer(location)
        if local is None:
            raise ValueError("copy it to this machine")
        return str(file_of(local))

    def run(self, task: Task, out: Output) -> None:
        """Do a task of any phase. What is wrong with texts or sizes is a ShardError."""
        try:
            {"count": self.count, "merge": self.merge, "learn": self._learn}[task.phase.name](task, out)
        except ValueError as error:
            where = f"{task.inputs[0].name}: " if task.inputs else ""
            raise ShardError(f"{where}{error}") from error

    def count(self, task: Task, out: Output) -> None:
        """Count one input into a work file."""
        from tokenizer.counting import ShardCounter

        source = task.inputs[0]
        column = self.groups if self.groups != FOLDER else ""
        counters: dict[str, ShardCounter] = {}
        for batch in read_texts(source, out.progress, column):
            first = task.options[KEPT_FIRST] and not out.rows_in
            training, _ = split_held_out(batch, self.held_out, keep_first=first)
            out.rows_in += batch.num_rows
            out.rows_out += training.num_rows
            for group, texts in by_group(training, folder_of(source)):
                if group not in counters:
                    check_number([*counters, group], column, source.name)
                    counters[group] = ShardCounter(self.pattern, out.scratch / f"{len(counters)}.counts")
                counters[group].add([texts])
        if not counters:
            counters[folder_of(source)] = ShardCounter(self.pattern, out.scratch / "0.counts")
        counted = {group: counters[group].finish() for group in sorted(counters)}
        self.put_counts(counted, out)

    def put_counts(self, parts: dict[str, Path], out: Output) -> None:
        """Write counts as the task's work file: those of groups together in one file."""
        with out.work() as path:
            if self.groups:
                pack(parts, path)
            else:
                shutil.copyfile(next(iter(parts.values())), path)

    def merge(self, task: Task, out: Output) -> None:
        """Add up what the counting tasks wrote."""
        from tokenizer.train import header, merge_counts

        scratch = out.scratch
        files: list[tuple[str, Path]] = []
        for location in task.files("count"):
            path = local_copy(location, out)
            files += unpack(path, scratch).items() if self.groups else [("", path)]
        grouped: dict[str, list[Path]] = {}
        for group, path in sorted(files, key=lambda one: one[0]):
            grouped.setdefault(group, []).append(path)
        sizes = {g: sum(int(header(part)["bytes"]) for part in parts) for g, parts in grouped.items()}
        made: dict[str, Path] = {}
        if self.parity:
            for group, parts in grouped.items():
                if sizes[group]:
                    made[group] = scratch / f"{len(made)}.merged"
                    merge_counts(parts, made[group], self.min_count, self.max_types, progress=reporting(out))
        else:
            times = factors(sizes, parse_weights(self.weights)) if self.weights else {}
            paths = [part for parts in grouped.values() for part in parts]
            weights = [times.get(group, 1.0) for group, parts in grouped.items() for _ in parts]
            made[""] = scratch / "merged"
            limits = (self.min_count, self.max_types)
            merge_counts(paths, made[""], *limits, weights=weights if times else (), progress=reporting(out))
        self.put_counts(made or {"": _nothing(grouped)}, out)

    def _learn(self, task: Task, out: Output) -> None:
        from tokenizer.train import header, learn, prune

        scratch = out.scratch
        path = local_copy(task.files("merge")[0], out)
        parts = unpack(path, scratch) if self.groups else {"": path}
        files = list(parts.values())
        merges = self._first_merges(self._first_path(self.continue_from)) if self.continue_from else []
        parameters = self.learning()
        cuts = self.cuts(files, out)
        model, parameters = self._learnt(files, parameters, cuts, merges, out)
        for _ in range(PRUNINGS if self.min_uses else 0):
            kept = prune(model, self.min_uses)
            if len(kept) == len(model.merges):
                break
            model = learn(files, parameters, cuts, merges=kept, progress=reporting(out), threads=_threads())
        made = scratch / "tokenizer"
        model.vocabulary().save(made)
        about = {"held_out": self.held_out, KEPT_FIRST: task.options[KEPT_FIRST]}
        about |= summed([header(part) for part in files])
        about |= {"tokens": len(model.tokens), "left_out_pretokens": model.left_out}
        if self.groups:
            about["groups"] = self.groups
        (made / ABOUT).write_bytes(msgspec.json.format(msgspec.json.encode(about), indent=1) + b"\n")
        for path in sorted(made.iterdir()):
            out.put(path, path.name)

    def _learnt(
        self,
        files: list[Path],
        parameters: Any,
        cuts: Path | None,
        merges: list[tuple[int, int]],
        out: Output,
    ) -> tuple[Any, Any]:
        """The model, and the parameters that it was learnt with: of a text that is too small for the
        vocabulary as many tokens as it gives, which a note says."""
        from tokenizer.train import learn

        wanted = parameters.vocab_size
        for last in [False] * (_SMALLER - 1) + [True]:
            try:
                model = learn(
                    files, parameters, cuts, merges=merges, progress=reporting(out), threads=_threads()
                )
            except ValueError as error:
                possible = re.search(r"too small for this vocabulary: (\d+) merges were possible", str(error))
                size = int(possible[1]) + 256 + len(self.specials()) if possible else 0
                if last or not possible or not int(possible[1]):
                    raise
                parameters = dataclasses.replace(parameters, vocab_size=size)
            else:
                if parameters.vocab_size != wanted:
                    out.notes["vocabulary"] = (
                        f"the text gives no more than {parameters.vocab_size:,} of {wanted:,} tokens; "
                        "take more text, or a smaller train.vocab_size"
                    )
                return model, parameters
        raise AssertionError("the last try returns or raises")

    def cuts(self, files: list[Path], out: Output) -> Path | None:
        """The file of boundaries: a person's own, or that of all words of the counts."""
        from tokenizer.morphemes import segment_counts
        from tokenizer.train import merge_counts

        if self.boundaries == PLAIN:
            return None
        if self.boundaries != RUSSIAN:
            return local_copy(self.boundaries, out)
        counts = files[0]
        if len(files) > 1:
            counts = out.scratch / "words.counts"
            merge_counts(files, counts)
        segment_counts(counts, out.scratch / "boundaries.tsv")
        return out.scratch / "boundaries.tsv"

    def _first_merges(self, path: str) -> list[tuple[int, int]]:
        """The merges of the tokenizer to continue from. ValueError where its ranks are not the order of its
        merges, or it splits otherwise."""
        from tokenizer.split import pattern_name
        from tokenizer.train import ALPHABET
        from tokenizer.vocabulary import Vocabulary

        vocabulary = Vocabulary.load(path)
        if pattern_name(vocabulary.pattern) != pattern_name(self.pattern):
            raise ValueError(
                f"it splits by {pattern_name(vocabulary.pattern)[:60]}, train.pattern is "
                f"{pattern_name(self.pattern)[:60]}; make them the same"
            )
        return vocabulary.merges_over(ALPHABET)


def by_group(batch: pa.Table, otherwise: str) -> Iterator[tuple[str, pa.ChunkedArray]]:
    """The texts of a batch by the group that its column names; without one all of them, as `otherwise`."""
    if "group" not in batch.column_names:
        yield otherwise, batch.column("text")
        return
    for group in batch.column("group").unique().to_pylist():
        mine = pc.equal(batch.column("group"), group)
        yield group, batch.filter(mine).column("text")


def _nothing(grouped: dict[str, list[Path]]) -> Path:
    """A counts file of no text, for learning to refuse."""
    return next(part for parts in grouped.values() for part in parts)


def summed(headers: Sequence[dict[str, str | int]]) -> dict[str, str | int]:
    """The headers of several counts files as one."""
    found = dict(headers[0])
    for one in headers[1:]:
        for name, value in one.items():
            if isinstance(value, int):
                found[name] = int(found[name]) + value
    return found


#: Of the work of learning, what reading the counts is; the rest is merges.
_READING: Final = 0.2


def reporting(out: Output) -> Callable[[str, int, int], object]:
    """A progress callback for the tokenizer package, which passes the share done on to the task."""

    def report(stage: str, done: int, of: int) -> None:
        if not of:
            return
        share = done / of
        if stage == "read":
            share *= _READING
        elif stage == "learn":
            share = _READING + (1 - _READING) * share
        out.progress(share, 1.0)

    return report


def _threads() -> int:
    """Threads that learn: the task is the only one of its phase, and what it learns does not depend on them.
    More than a few would wait for the one that keeps the table of pairs."""
    return min(LEARNERS, os.cpu_count() or 1)
