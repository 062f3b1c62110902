"""Documents of a source, and how often each stands in one pass: by the weights of its columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import table
from corpus.documents import read_documents
from corpus.errors import ShardError
from corpus.foreign import URL_NAMES
from corpus.inputs import Input
from corpus.judging import BATCH_ROWS
from corpus.writing import Output
from pipelines.mix.recipe import Source, Upsampling
from pipelines.tokens.keys import keys_of, salted

#: Salt of the keys by which a document of a weight such as 2.3 is drawn for its third copy.
_DRAW: Final = 0xFFFF


def source_of(source: Input) -> str:
    """The source of an input: `bukvar mix` puts it before the input's name."""
    return source.name.partition("/")[0]


def batches(
    source: Input, given: Source, out: Output, counts: Counter[str], *, text_only: bool
) -> Iterator[tuple[Any, pa.RecordBatch]]:
    """Rows with text and their numbers in the input, in batches that are whole in memory."""
    wanted = [one.column for one in given.upsampling()]
    also = ("host", *URL_NAMES, *wanted)
    first = 0
    for batch in read_documents(source, BATCH_ROWS, text_only=text_only, also=also, progress=out.progress):
        numbers = np.arange(first, first + batch.num_rows)
        first += batch.num_rows
        good = pc.greater(pc.fill_null(pc.binary_length(batch.column("text")), 0), 0)
        if table.DROP in batch.column_names:
            reasons = batch.column(table.DROP)
            counts.update(reasons.drop_null().to_pylist())
            good = pc.and_(good, pc.is_null(reasons))
            counts["empty_text"] -= reasons.length() - reasons.null_count
        counts["empty_text"] += batch.num_rows - int(pc.sum(good).as_py() or 0)
        for column in wanted:
            if column not in batch.column_names:
                raise ShardError(
                    f"{source.name}: no column {column}, by which the mix weights; leave that out"
                )
        mask = np.asarray(good.to_numpy(zero_copy_only=False), bool)
        if mask.any():
            kept = batch.filter(pa.array(mask)).combine_chunks().to_batches()[0]
            yield numbers[mask], kept


def copies_of(batch: pa.RecordBatch, given: Source, seed: int) -> Iterator[tuple[int, Any, Any]]:
    """Copy by copy: its number, which documents have it, and its keys. Of a weight such as 2.3 three
    documents in ten, drawn by their keys, have a third copy."""
    base = keys_of(batch.column("doc_id"), seed)
    times = np.ones(len(batch))
    for one in given.upsampling():
        times *= _times(batch.column(one.column), one)
    whole = np.floor(times)
    drawn = salted(base, _DRAW).astype(np.float64) / 2.0**64
    copies = whole + (drawn < times - whole)
    for copy in range(int(copies.max(initial=0))):
        yield copy, copies > copy, salted(base, copy)


def _times(column: Any, one: Upsampling) -> Any:
    """How often each document stands, by the values of a column."""
    try:
        values = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowException as error:
        raise ShardError(f"the column {one.column} holds no numbers ({error})") from error
    limits, times = one.steps()
    found = np.array([0.0, *times])[np.searchsorted(limits, values, side="right")]
    return np.where(np.isnan(values), 1.0, found)
