"""The id map: which id of the base became which id of the adapted tokenizer, and what new ids are made of.

`id_map.parquet` is what a model's matrices are rewritten by. A row is an id:

| column | type | holds |
|---|---|---|
| new_id | int32, nullable | the id in the adapted tokenizer; null: freed, the base's token is gone |
| old_id | int32, nullable | the id of the same token in the base; null: the token is new |
| pieces | list<int32> | of a new token the base's ids of its bytes, one at least; else empty |
| bytes | binary | the token's bytes; of a special token the UTF-8 of its name |
| special | bool | a special token: text never makes it |
| uses | int64, nullable | times that the adapted tokenizer uses it in the training text; null: not known |
| base_uses | int64, nullable | times that the base uses old_id in the same text; null: not known, or new |

Rows are sorted by new_id, freed ids last by old_id. A token is kept where both ids stand, moved where they
differ. An id that neither names (padding rows of the matrix) has no row. The schema's metadata holds, under
`bukvar.id_map`, a JSON object: version (1), base_rows and rows (one more than the largest id, before and
after), base (SHA-256 of the base's tokenizer, as `tokenizer.adapt.base.Base.digest` gives it).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

FILE: Final = "id_map.parquet"
VERSION: Final = 1
_KEY: Final = b"bukvar.id_map"

SCHEMA: Final = pa.schema(
    [
        pa.field("new_id", pa.int32()),
        pa.field("old_id", pa.int32()),
        pa.field("pieces", pa.list_(pa.int32()), nullable=False),
        pa.field("bytes", pa.binary(), nullable=False),
        pa.field("special", pa.bool_(), nullable=False),
        pa.field("uses", pa.int64()),
        pa.field("base_uses", pa.int64()),
    ]
)

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Row:
    """One id; see the table above."""

    new_id: int | None
    old_id: int | None
    token: bytes
    pieces: Sequence[int] = ()
    special: bool = False
    uses: int | None = None
    base_uses: int | None = None


@dataclass(frozen=True)
class IdMap:
    """A checked id map. base_rows, rows: one more than the largest id before and after; base: the digest of
    the base. ValueError where ids occur twice or lie outside their rows, or where a new token has no
    pieces."""

    table: pa.Table
    base_rows: int
    rows: int
    base: str

    def __post_init__(self) -> None:
        if self.table.schema.names != SCHEMA.names:
            raise ValueError(f"an id map has the columns {', '.join(SCHEMA.names)}")
        for name, below in (("new_id", self.rows), ("old_id", self.base_rows)):
            _check_ids(_ids(self.table.column(name)), below, name)
        lengths = pc.list_value_length(self.table.column("pieces"))
        new = pc.is_null(self.table.column("old_id"))
        if pc.any(pc.and_(new, pc.is_null(self.table.column("new_id")))).as_py():
            raise ValueError("a row of the id map names no id")
        if pc.any(pc.not_equal(pc.greater(lengths, 0), new)).as_py():
            raise ValueError("new tokens, and they alone, have pieces")
        pieces = _ids(pc.list_flatten(self.table.column("pieces")))
        if pieces.size and (pieces.min() < 0 or pieces.max() >= self.base_rows):
            raise ValueError(f"pieces lie outside the base's {self.base_rows} rows")

    @classmethod
    def of(cls, rows: Iterable[Row], base: str, base_rows: int = 0, rows_now: int = 0) -> IdMap:
        """The map of `rows`, in any order; the numbers of rows are at least what their ids need."""
        ordered = sorted(rows, key=lambda row: (row.new_id is None, row.new_id or 0, row.old_id or 0))
        new_ids, old_ids = [row.new_id for row in ordered], [row.old_id for row in ordered]
        columns = {
            "new_id": new_ids,
            "old_id": old_ids,
            "pieces": [list(row.pieces) for row in ordered],
            "bytes": [row.token for row in ordered],
            "special": [row.special for row in ordered],
            "uses": [row.uses for row in ordered],
            "base_uses": [row.base_uses for row in ordered],
        }
        least = [1 + max((one for one in ids if one is not None), default=-1) for ids in (old_ids, new_ids)]
        table = pa.table(columns, schema=SCHEMA)
        return cls(table, max(base_rows, least[0]), max(rows_now, least[1]), base)

    def kept(self) -> tuple[Ids, Ids]:
        """(new ids, old ids) of the tokens that both have, special ones too: equally long, by new id."""
        both = pc.and_(pc.is_valid(self.table.column("new_id")), pc.is_valid(self.table.column("old_id")))
        rows = self.table.filter(both)
        return _ids(rows.column("new_id")), _ids(rows.column("old_id"))

    def new(self) -> tuple[Ids, list[Ids]]:
        """(ids of new tokens, rising; the base's ids that each is made of)."""
        rows = self.table.filter(pc.is_null(self.table.column("old_id")))
        pieces = [np.asarray(one, dtype=np.int64) for one in rows.column("pieces").to_pylist()]
        return _ids(rows.column("new_id")), pieces

    def freed(self) -> Ids:
        """Ids of the base whose tokens are gone; most of them are ids of new tokens now."""
        return _ids(self.table.filter(pc.is_null(self.table.column("new_id"))).column("old_id"))

    def write(self, path: str | Path) -> None:
        """Write the map as Parquet; `read` gives it back."""
        about: dict[str, Any] = {"version": VERSION, "base_rows": self.base_rows, "rows": self.rows}
        metadata = {_KEY: json.dumps({**about, "base": self.base}).encode()}
        pq.write_table(self.table.replace_schema_metadata(metadata), path, compression="zstd")

    @classmethod
    def read(cls, path: str | Path) -> IdMap:
        """Read what `write` wrote. ValueError, in one line, for any other file."""
        try:
            table = pq.read_table(path)
            about = json.loads((table.schema.metadata or {})[_KEY])
            numbers = {name: int(about[name]) for name in ("version", "base_rows", "rows")}
            table = table.replace_schema_metadata(None).cast(SCHEMA)
        except (pa.ArrowException, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is not an id map: {' '.join(str(error).split())}") from error
        if numbers["version"] != VERSION:
            raise ValueError(f"{path} is an id map of version {numbers['version']}, not {VERSION}")
        return cls(table, numbers["base_rows"], numbers["rows"], str(about["base"]))


def _ids(column: pa.ChunkedArray | pa.Array) -> Ids:
    values = column.drop_null()
    return np.asarray(values.to_numpy(), dtype=np.int64)


def _check_ids(ids: Ids, below: int, name: str) -> None:
    if ids.size and (ids.min() < 0 or ids.max() >= below):
        raise ValueError(f"{name} lies outside its {below} rows")
    if np.unique(ids).size != ids.size:
        raise ValueError(f"a {name} occurs twice in the id map")
