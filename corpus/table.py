"""Arrow schemas of what bukvar passes on, and what the readers of documents say of rows they can't use.

A document table is a `pyarrow.Table` that begins with the columns of `DOCUMENT`; stages add columns with
flat names. Dropped rows keep the columns that they had, plus `DROP_COLUMNS`; their text is kept for a
sample per reason only, the column `source` being the way back to the bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import pyarrow as pa

#: Columns every document has. `doc_id` is a 16-byte digest of the record's identity, stable across runs;
#: `source` is "file:offset", the way back to the bytes; `text` is large_string since a shard's text may
#: pass 2 GiB.
DOCUMENT: Final = pa.schema(
    [
        pa.field("doc_id", pa.binary(16), nullable=False),
        pa.field("url", pa.string()),
        pa.field("host", pa.string()),
        pa.field("fetched_at", pa.timestamp("s", tz="UTC")),
        pa.field("source", pa.string(), nullable=False),
        pa.field("text", pa.large_string()),
    ]
)

#: The two columns by which a stage's function says what goes: a reason that the stage declares (null =
#: kept) and the values that decided.
DROP: Final = "drop"
DROP_DETAIL: Final = "drop_detail"
DROP_COLUMNS: Final = pa.schema([pa.field(DROP, pa.string()), pa.field(DROP_DETAIL, pa.string())])

#: Reasons that readers of documents give, with their meaning. A stage declares its own (`Stage.reasons`);
#: `error:<Type>` is open by nature.
READ_REASONS: Final[dict[str, str]] = {
    "malformed_row": "the row of a JSONL or Parquet input could not be used",
    "too_large": "the row is above the size limit of a document",
}

ERROR_PREFIX: Final = "error:"


def with_columns(batch: pa.Table, columns: Mapping[str, pa.Array]) -> pa.Table:
    """`batch` with columns replaced where they exist and appended where not."""
    for name, column in columns.items():
        at = batch.schema.get_field_index(name)
        batch = batch.append_column(name, column) if at < 0 else batch.set_column(at, name, column)
    return batch


def doc_id(identity: str) -> bytes:
    """16-byte BLAKE2b digest of a record's identity.

    The identity is the archive's own record id where there is one (with the URL, since some writers repeat
    ids), else "file:offset". The digest is not keyed: the same record gets the same id in every run.
    """
    return hashlib.blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=16).digest()
