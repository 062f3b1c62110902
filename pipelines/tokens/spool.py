"""Rows on disk by the place they belong to, as row groups of one Parquet file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa


class RowSpool:
    """Rows that wait until there are `most` bytes of them; each flush then writes a row group a place."""

    def __init__(self, writer: Any, most: int) -> None:
        self._writer, self._most = writer, most
        self._waiting: dict[int, list[pa.Table]] = {}
        self._bytes = 0
        #: Of each row group its place, and its bytes in memory.
        self.groups: list[tuple[int, int]] = []

    def add(self, rows: pa.Table, places: Any) -> None:
        """Add rows, each with its place (an array of whole numbers)."""
        for place in np.unique(places).tolist():
            self._waiting.setdefault(place, []).append(rows.filter(pa.array(places == place)))
        self._bytes += rows.nbytes
        if self._bytes >= self._most:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        for place, tables in sorted(self._waiting.items()):
            whole = pa.concat_tables(tables)
            self._writer.write_table(whole, row_group_size=len(whole))
            self.groups.append((place, whole.nbytes))
        self._waiting, self._bytes = {}, 0
