"""Stage `encode`: documents to token ids, in files that trainers read.

One phase: each input becomes shards of its own, by split, and a work file of figures for the manifest. Where
there are more processors than tasks, reading, encoding and writing have a thread each.

The tokenizer's encoder makes the ids; a special token gets into them by its name in the parameters alone,
never because a text spells it.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import storage, table
from corpus.documents import read_texts
from corpus.errors import ShardError, UsageError
from corpus.foreign import URL_NAMES, readable
from corpus.inputs import Input
from corpus.judging import BATCH_ROWS
from corpus.stage import Phase, Task
from corpus.writing import Output
from pipelines.inputs import local_tokenizer
from pipelines.layout import RECIPE
from pipelines.publish import split_fraction
from pipelines.tokens import shuffling
from pipelines.tokens.ahead import MOST as MOST_AHEAD
from pipelines.tokens.ahead import ahead
from pipelines.tokens.coder import Coder, Ids, Offsets, open_coder, tokenizer_path
from pipelines.tokens.formats import FLAT, MOST_TOKENS, NAMING, TYPES, most_tokens, type_of
from pipelines.tokens.packing import PACKINGS, WHOLE, Packed, Packer
from pipelines.tokens.shards import SPLITS, TRAIN, VALIDATION, Documents, File, Shards
from tokenizer import named

#: Columns by which the manifest counts, where the documents have them.
COUNTED: Final = ("lang", "quality")
#: Bytes of memory of a task: the vocabulary, the encoder's cache, a batch of texts and of ids, and what waits
#: between the threads.
_MEMORY: Final = (700 << 20) + 2 * MOST_AHEAD
#: Parts of 0..1 by which qualities are counted.
_QUALITIES: Final = 10
_TENTHS: Final = tuple(f"{n / _QUALITIES:.1f}-{(n + 1) / _QUALITIES:.1f}" for n in range(_QUALITIES))
#: Tokens of a sequence at most: above every context that is trained on, below what a window holds.
MOST_SEQUENCE: Final = 1 << 22


def _help(text: str, default: Any, **more: Any) -> Any:
    return field(default=default, metadata={"help": text, **more})


#: The ids put before and behind those of each document.
Around = tuple[int | None, int | None]


class Read(NamedTuple):
    """Columns that are read beside the text, and whether documents get their ids, hosts and addresses."""

    also: tuple[str, ...]
    identified: bool


@dataclass(frozen=True)
class Figures:
    """What a task wrote: its files by split, and tokens and documents by what the manifest counts."""

    files: dict[str, list[File]]
    tokens: dict[str, dict[str, int]]
    documents: dict[str, dict[str, int]]
    #: Split -> counts of packing, where documents are packed.
    packed: dict[str, Packed] = field(default_factory=dict)


@dataclass(frozen=True)
class Encode:
    """Write documents as token ids, in the files that trainers read."""

    name: ClassVar[str] = "encode"
    version: ClassVar[int] = 2
    needs: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[pa.Schema] = pa.schema([])
    seal: ClassVar[str] = "manifest.json"
    reasons: ClassVar[Mapping[str, str]] = {"empty_text": "the document has no text"}

    tokenizer: str = _help(
        "the tokenizer: a folder of ours, a Hugging Face folder, tekken.json or tiktoken ranks, or a "
        "vocabulary by name (ru-32k, ru-64k, ru-en-code-128k); that of the run's stage train where empty",
        "",
        input=True,
        tokenizer=True,
    )
    pattern: str = _help("split pattern of tiktoken ranks that carry none: a name or an expression", "")
    format: str = _help(f"format of the files: {', '.join(TYPES)}", FLAT)
    dtype: str = _help(
        "type of an id: uint16, uint32, int32 (megatron, litdata); the smallest that fits where empty", ""
    )
    start: str = _help("special token put before each document, by name; none where empty", "")
    end: str = _help("special token put after each document, by name; none where empty", "")
    validation: float = _help(
        "share of the hosts whose documents go to the split validation, as publish.validation chooses them; "
        "files named validation-* go there whole",
        0.0,
    )
    shard_tokens: int = _help(
        "tokens of a file at most (of mds and litdata 16,777,216); a new one begins at a document",
        MOST_TOKENS,
    )

    sequence: int = _help("tokens of a sequence into which documents are packed; 0: none are", 0)
    packing: str = _help(
        "cut: documents one after another, cut where a sequence ends; whole: a document that fits a sequence "
        "is never cut (best fit), and what stays free is padded",
        WHOLE,
    )
    shuffle: int | None = _help(
        "seed by which documents, or sequences, are shuffled over all inputs, on disk; as they lie where not "
        "given",
        None,
    )
    pad: str = _help("special token that pads sequences, by name; the end token where empty", "")

    def __post_init__(self) -> None:
        if self.packing not in PACKINGS:
            raise ValueError(f"encode.packing is {' or '.join(PACKINGS)}, not {self.packing!r}")
        if not 0 <= self.sequence <= MOST_SEQUENCE:
            raise ValueError(f"encode.sequence lies in 0..{MOST_SEQUENCE:,}")
        if self.sequence and not self.end:
            raise ValueError("encode.sequence needs encode.end: nothing else tells documents apart in one")
        if self.sequence > self.shard_tokens:
            raise ValueError("encode.shard_tokens is less than one sequence")
        if self.format not in TYPES:
            raise ValueError(f"encode.format is {' or '.join(TYPES)}, not {self.format!r}")
        if not 0 <= self.validation < 1:
            raise ValueError("encode.validation lies in 0..1, below 1")
        if not 1 <= self.shard_tokens <= MOST_TOKENS:
            raise ValueError(f"encode.shard_tokens lies in 1..{MOST_TOKENS:,}, which readers count to")
        if self.dtype:
            type_of(self.format, 0, self.dtype)

    def check(self, inputs: Sequence[Input], columns: Collection[str]) -> None:  # noqa: ARG002 - any will do
        """Raise UsageError where no tokenizer is named, or it and the parameters do not go together.

        What the stage train of the same run is yet to make is looked at when it is there.
        """
        if not self.tokenizer:
            raise UsageError("encode.tokenizer: name a tokenizer's folder, or add train to run.stages")
        if named.is_named(self.tokenizer) or not storage.exists(
            storage.join(storage.parent(self.tokenizer), RECIPE)
        ):
            self.check_tokenizer()

    def check_tokenizer(self) -> None:
        """Raise UsageError where a tokenizer of this machine can't be opened, lacks a special token that is
        named, or has ids that the format can't hold."""
        path = local_tokenizer(self.tokenizer)
        if path is None or not (path.exists() or named.is_named(self.tokenizer)):
            return
        try:
            self._settled(open_coder(path, self.pattern))
        except (ValueError, OSError) as error:
            raise UsageError(f"encode: {error}") from error

    def _settled(self, coder: Coder) -> tuple[str, int | None, int | None]:
        """The type of ids, and the ids of the start and end tokens."""
        start = coder.special(self.start, "encode.start") if self.start else None
        end = coder.special(self.end, "encode.end") if self.end else None
        if self.pad:
            coder.special(self.pad, "encode.pad")
        return type_of(self.format, coder.size, self.dtype), start, end

    def phases(self, inputs: Sequence[Input]) -> tuple[Phase, ...]:
        """Each input to its shards; with shuffle to a spool, and each range of the order to shards."""
        if self.shuffle is None:
            return (Phase("encode", documents=True, memory=_MEMORY),)
        ranges = shuffling.ranges_of(inputs)
        options = (("ranges", ranges),)
        return (
            Phase("encode", documents=True, memory=_MEMORY, options=options),
            Phase("gather", fan=ranges, inputs=False, reads=("encode",), memory=_MEMORY, options=options),
        )

    def run(self, task: Task, out: Output) -> None:
        """Encode the documents of one input, or write the shards of one range of the order."""
        try:
            coder = open_coder(tokenizer_path(self.tokenizer, task.side("tokenizer"), out), self.pattern)
            kind, start, end = self._settled(coder)
        except ValueError as error:
            raise ShardError(f"encode: {error}") from error
        figures = Figures({}, {}, {})
        if task.phase.name == "gather":
            self._write(shuffling.gathered(task, out), kind, out, figures)
        else:
            encoded = self._encoded(coder, (start, end), task, out, figures)
            if task.threads > 1:
                encoded = ahead(encoded, lambda found: found[1].nbytes)
            with closing(encoded):  # where writing fails, its threads end before the task's files go
                if self.shuffle is None:
                    self._write(encoded, kind, out, figures)
                else:
                    self._spool(encoded, self.shuffle, int(task.options["ranges"]), out)
        with out.work("figures") as path:
            path.write_bytes(msgspec.json.encode(figures))

    def _write(
        self, found: Iterator[tuple[str, Documents]], kind: str, out: Output, figures: Figures
    ) -> None:
        most = most_tokens(self.format, self.shard_tokens)
        with ExitStack() as stack:
            shards = {s: stack.enter_context(Shards(out, s, self.format, kind, most)) for s in SPLITS}
            for split, one in found:
                shards[split].add(one)
            for split, files in shards.items():
                files.close()
                figures.files[split] = files.files

    @staticmethod
    def _spool(found: Iterator[tuple[str, Documents]], seed: int, ranges: int, out: Output) -> None:
        with out.work("rows") as path:
            spool = shuffling.Spool(path, seed, ranges)
            for split, one in found:
                spool.add(split, one)
            spool.close()
        with out.work("groups") as path:
            path.write_bytes(msgspec.json.encode(spool.groups))

    def _encoded(
        self, coder: Coder, around: Around, task: Task, out: Output, figures: Figures
    ) -> Generator[tuple[str, Documents], None, None]:
        """The documents of an input as ids, by split; packed into sequences where that is asked for."""
        source = task.inputs[0]
        packers = self._packers(coder)
        broken = 0
        batches = _batches(source, out, self._read())
        if task.threads > 1:
            batches = ahead(batches, lambda batch: batch.nbytes)
        with closing(batches):
            for read in batches:
                batch, (ids, offsets) = _checked(read, coder, around)
                broken += read.num_rows - batch.num_rows
                lengths = np.diff(offsets)
                documents = Documents(
                    ids, lengths, batch.column("doc_id"), batch.column("text"), coder.normalization
                )
                count(figures, batch, lengths, source.name)
                for split, part in self._by_split(batch, documents, source):
                    for one in packers[split].add(part) if packers else (part,):
                        yield split, one
                out.rows_out += len(documents)
        if broken:  # only now: the thread that reads counts what it drops
            out.dropped["malformed_row"] += broken
        for split, packer in packers.items():
            for one in packer.close():
                yield split, one
            figures.packed[split] = packer.counts

    def _read(self) -> Read:
        """What is read of an input beside its texts: what is counted, and what the parameters need."""
        identified = self.format in NAMING or self.shuffle is not None or self.validation > 0
        return Read(("host", *URL_NAMES, *COUNTED) if self.validation > 0 else COUNTED, identified)

    def _packers(self, coder: Coder) -> dict[str, Packer]:
        if not self.sequence:
            return {}
        pad = coder.special(self.pad or self.end, "encode.pad")
        return {split: Packer(self.sequence, self.packing, pad) for split in SPLITS}

    def _by_split(
        self, batch: pa.RecordBatch, documents: Documents, source: Input
    ) -> Iterator[tuple[str, Documents]]:
        """Documents by split; what a published dataset held out stays held out."""
        if storage.base_name(source.name).startswith(f"{VALIDATION}-"):
            yield VALIDATION, documents
            return
        if not self.validation:
            yield TRAIN, documents
            return
        hosts, ids = batch.column("host").to_pylist(), batch.column("doc_id").to_pylist()
        keys = [host or key.hex() for host, key in zip(hosts, ids, strict=True)]
        held = np.array([split_fraction(key) < self.validation for key in keys])
        for split, mask in ((TRAIN, ~held), (VALIDATION, held)):
            if mask.any():
                yield split, documents.where(mask)


def _checked(
    batch: pa.RecordBatch, coder: Coder, around: Around
) -> tuple[pa.RecordBatch, tuple[Ids, Offsets]]:
    """The batch and its ids, each document's between those of `around`. The encoder finds what is no UTF-8,
    and only then are the rows looked at one by one: those at fault are left out."""
    try:
        return batch, coder.encode(batch.column("text"), before=around[0], after=around[1])
    except ValueError:
        rows, broken = readable(pa.Table.from_batches([batch]))
        if broken is None:
            raise
    good = pc.is_null(broken[table.DROP])
    rows = rows.filter(good).combine_chunks()
    batch = rows.to_batches()[0] if len(rows) else batch.slice(0, 0)
    return batch, coder.encode(batch.column("text"), before=around[0], after=around[1])


def _batches(source: Input, out: Output, read: Read) -> Generator[pa.RecordBatch, None, None]:
    """Documents with text, the others counted as dropped, in batches that are whole in memory."""
    for batch in read_texts(
        source, BATCH_ROWS, also=read.also, identified=read.identified, progress=out.progress
    ):
        out.rows_in += batch.num_rows
        if table.DROP in batch.column_names:
            reasons = batch.column(table.DROP)
            out.dropped.update(reasons.drop_null().to_pylist())
            batch = batch.filter(pc.is_null(reasons))
        filled = pc.greater(pc.fill_null(pc.binary_length(batch.column("text")), 0), 0)
        if not pc.all(filled).as_py():
            good = batch.filter(filled)
            out.dropped["empty_text"] += batch.num_rows - good.num_rows
            batch = good
        if batch.num_rows:
            found = batch.to_batches()
            yield found[0] if len(found) == 1 else batch.combine_chunks().to_batches()[0]


def count(figures: Figures, batch: pa.RecordBatch, lengths: Any, source: str) -> None:
    """Add a batch to the figures: tokens and documents by source, language and quality."""
    if not len(lengths):
        return
    _add(figures, "source", [source], [int(lengths.sum())], [len(lengths)])
    for name in COUNTED:
        if name in batch.schema.names:
            values = _values(batch.column(name))
            sums = pa.table({"value": values, "tokens": lengths}).group_by("value")
            found = sums.aggregate([("tokens", "sum"), ("tokens", "count")]).to_pydict()
            keys = ["unknown" if value is None else str(value) for value in found["value"]]
            _add(figures, name, keys, found["tokens_sum"], found["tokens_count"])


def _add(
    figures: Figures, name: str, keys: Sequence[str], tokens: Sequence[int], documents: Sequence[int]
) -> None:
    for into, found in ((figures.tokens, tokens), (figures.documents, documents)):
        sums = into.setdefault(name, {})
        for key, one in zip(keys, found, strict=True):
            sums[key] = sums.get(key, 0) + one


def _values(column: pa.Array) -> pa.Array:
    """Values as the manifest counts them: of fractions the tenth of 0..1 in which they lie, null where they
    are no number."""
    if pa.types.is_nested(column.type):
        return pa.array([None if value is None else str(value) for value in column.to_pylist()])
    if not pa.types.is_floating(column.type):
        return column
    numbers = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    known = ~np.isnan(numbers)
    tenths = (np.clip(np.where(known, numbers, 0), 0, 1) * _QUALITIES).astype(int)
    tenths = np.minimum(tenths, _QUALITIES - 1)
    return pa.array(_TENTHS).take(pa.array(tenths, mask=~known))
