"""Documents through a stage's function: the only place where rows are dropped, and where a document that the
function fails on is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from corpus import table
from corpus.documents import read_documents
from corpus.errors import RunError, ShardError, StageError, UsageError, one_line
from corpus.inputs import Input
from corpus.writing import Output, text_bytes

#: Rows in which tables pass through a stage: large enough that Arrow's overhead per call vanishes, small
#: enough that a batch of 100 kB documents stays below 100 MB.
BATCH_ROWS = 512


def map_documents(
    function: Callable[[pa.Table], pa.Table], adds: pa.Schema, source: Input, out: Output
) -> None:
    """Run a stage's function over the documents of one input, splitting kept from dropped rows."""
    batches = read_documents(source, BATCH_ROWS, progress=out.progress)
    split((_counted(function, adds, batch, out) for batch in batches), out)


def split(judged: Iterator[pa.Table], out: Output) -> None:
    """Write judged batches: kept rows to the shard, dropped rows beside it. Raises ShardError where too many
    rows failed."""
    for batch in judged:
        out.rows_in += batch.num_rows
        out.split(batch)
    out.check_errors()


def _counted(
    function: Callable[[pa.Table], pa.Table], adds: pa.Schema, batch: pa.Table, out: Output
) -> pa.Table:
    if not batch.num_rows:
        return _declared(adds, batch)
    out.bytes_in += text_bytes(batch)
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
        table.DROP_DETAIL: one_line(error),
    }
    for column, value in values.items():
        row = row.append_column(column, pa.array([value], pa.string()))
    return row
