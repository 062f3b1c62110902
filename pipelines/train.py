"""Stage `train`: documents to a tokenizer, in three phases of tasks.

    count    one shard of documents           -> _work/NNNNN.counts
    merge    all counts                       -> _work/merged.counts; runs once
    learn    counts, morpheme boundaries      -> tokenizer.json and the rest; runs once

A share of the documents, chosen by their ids, is held out for `evaluate`. The tokenizer package does the
work; this module says which files go where.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Final

import msgspec
import pyarrow as pa

from corpus import storage
from corpus.errors import ShardError, UsageError
from corpus.shard import WORK, Input, Output
from corpus.stage import Task, work_input
from pipelines.inputs import ENDINGS, content_digest
from pipelines.texts import read_texts, split_held_out

#: What a training leaves beside the tokenizer's own files: the figures of its corpus.
ABOUT: Final = "training.json"
#: Values of `train.boundaries` that are no file.
RUSSIAN: Final = "russian"
PLAIN: Final = "none"


def _help(text: str, default: Any) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class Train:
    """Train a byte-level BPE tokenizer."""

    name: ClassVar[str] = "train"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[pa.Schema] = pa.schema([])
    endings: ClassVar[tuple[str, ...]] = ENDINGS["texts"]

    vocab_size: int = _help("tokens, the 256 bytes and the special tokens included", 32_000)
    pattern: str = _help(
        "split pattern: llama3, qwen2, o200k, tekken, gpt2 or a regular expression", "llama3"
    )
    special_tokens: tuple[str, ...] = _help(
        "special tokens, after the others; chat-neutral ones where empty", ()
    )
    boundaries: str = _help(
        "morpheme boundaries for the penalty: russian (the built-in segmenter), none (plain BPE), or a file "
        "of lines word<TAB>morph|morph|...",
        "russian",
    )
    penalty: float | None = _help(
        "how much a merge across morphemes loses; 0 is plain BPE; fitted to vocab_size where not given", None
    )
    min_pair_count: int = _help("pairs that occur less often are never merged", 2)
    min_count: int = _help("pretokens that occur less often do not count", 1)
    max_types: int = _help("most pretoken types kept (0: all); bounds memory, about 40 bytes each", 0)
    one_script: bool = _help("no token holds letters of two scripts", False)
    whole_characters: bool = _help("no token holds a character and a part of another", False)
    max_token_bytes: int = _help("most bytes in a token (0: any)", 0)
    held_out: float = _help("share of the documents kept from training for `evaluate`", 0.02)

    def __post_init__(self) -> None:
        if not 0 <= self.held_out < 1:
            raise ValueError("train.held_out lies in 0..1, below 1")
        if self.min_count < 1 or self.max_types < 0:
            raise ValueError("train.min_count is at least 1, train.max_types at least 0")
        self.learning()  # checks the rest

    def specials(self) -> tuple[str, ...]:
        from tokenizer.vocabulary import SPECIAL_TOKENS

        return self.special_tokens or SPECIAL_TOKENS

    def learning(self) -> Any:
        """The parameters of learning, as the tokenizer package has them."""
        from tokenizer.train import TrainParameters

        shared = {f.name for f in fields(TrainParameters)} & {f.name for f in fields(self)}
        given = {name: getattr(self, name) for name in shared - {"vocab_size", "special_tokens"}}
        given = {name: value for name, value in given.items() if value is not None}
        return TrainParameters.for_size(self.vocab_size, special_tokens=self.specials(), **given)

    def phases(self, inputs: Sequence[Input], folder: str, text_column: str = "text") -> Iterator[list[Task]]:
        """count each shard; merge; learn."""
        column = ("text_column", text_column)
        count = [Task(self, n, (i,), folder, "count", (column,)) for n, i in enumerate(inputs)]
        yield count
        counts = tuple(work_input(t, f"{WORK}/{t.index:05d}.counts") for t in count)
        merge = Task(self, 0, counts, folder, "merge")
        yield [merge]
        merged = work_input(merge, f"{WORK}/merged.counts")
        yield [Task(self, 0, (merged, *self._boundary_file()), folder, "learn")]

    def _boundary_file(self) -> tuple[Input, ...]:
        if self.boundaries in (RUSSIAN, PLAIN):
            return ()
        size = storage.info(self.boundaries).size
        if size is None:
            raise UsageError(f"train.boundaries: {self.boundaries}: no such file")
        digest = content_digest(self.boundaries, size)
        return (Input(self.boundaries, storage.base_name(self.boundaries), digest, size),)

    def run(self, task: Task, out: Output) -> None:
        """Do a task of any phase. What is wrong with texts or sizes is a ShardError."""
        with tempfile.TemporaryDirectory(prefix="bukvar-") as scratch:
            try:
                {"count": self._count, "merge": self._merge, "learn": self._learn}[task.phase](
                    task, out, Path(scratch)
                )
            except ValueError as error:
                raise ShardError(f"{task.inputs[0].name}: {error}") from error

    def _count(self, task: Task, out: Output, scratch: Path) -> None:
        from tokenizer.train import count_shard

        counts = scratch / "counts"
        count_shard(self._training_texts(task, out), self.pattern, counts)
        _put(counts, f"{WORK}/{task.index:05d}.counts", out)

    def _training_texts(self, task: Task, out: Output) -> Iterator[pa.ChunkedArray]:
        for batch in read_texts(task.inputs[0], task.option["text_column"], out.tell):
            training, _ = split_held_out(batch, self.held_out)
            out.rows_in += batch.num_rows
            out.rows_out += training.num_rows
            yield training.column("text")

    def _merge(self, task: Task, out: Output, scratch: Path) -> None:
        from tokenizer.train import merge_counts

        paths = [_get(i, scratch) for i in task.inputs]
        merge_counts(paths, scratch / "merged", self.min_count, self.max_types)
        _put(scratch / "merged", f"{WORK}/merged.counts", out)

    def _learn(self, task: Task, out: Output, scratch: Path) -> None:
        from tokenizer.morphemes import segment_counts
        from tokenizer.train import header, learn

        counts, *given = [_get(i, scratch) for i in task.inputs]
        boundaries = given[0] if given else None
        if self.boundaries == RUSSIAN:
            boundaries = scratch / "boundaries.tsv"
            segment_counts(counts, boundaries)
        model = learn(counts, self.learning(), boundaries)
        vocabulary = model.vocabulary()
        made = scratch / "tokenizer"
        vocabulary.save(made)
        about = {"held_out": self.held_out, **header(counts), "tokens": len(model.tokens)}
        about["left_out_pretokens"] = model.left_out
        (made / ABOUT).write_bytes(msgspec.json.format(msgspec.json.encode(about), indent=1) + b"\n")
        for path in sorted(made.iterdir()):
            _put(path, path.name, out)


def _put(path: Path, name: str, out: Output) -> None:
    """Publish a local file under a name of the task's folder."""
    with storage.write_atomic(storage.join(out.folder, name)) as stream, path.open("rb") as made:
        while piece := made.read(1 << 20):
            stream.write(piece)
    out.add_file(name)


def _get(source: Input, scratch: Path) -> Path:
    """A file as a local path, copied where it lies on an object store."""
    local = storage.local_path(source.path)
    if local is not None:
        return local
    copy = scratch / source.name.replace("/", "-")
    with storage.open_input(source.path) as stream, copy.open("wb") as target:
        while piece := stream.read(1 << 20):
            target.write(piece)
    return copy
