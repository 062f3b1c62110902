"""The bridge between Arrow's text columns and the kernels, in both directions.

A kernel takes a column as its data and the n + 1 offsets between which the texts lie, and returns an edited
one in the same form. The other side is rust_ext/src/py/texts.rs.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Buffers: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Data and offsets of an array of large_string."""


def text_array(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """A column of strings (or UTF-8 bytes) as one array of large_string, nulls kept: without a copy where it
    is one chunk of large_string. Raises pa.ArrowNotImplementedError for types that are no text."""
    if isinstance(column, pa.ChunkedArray):
        chunks = column.chunks
        column = chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks or [pa.array([], column.type)])
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        # The kernels check that it is UTF-8, and say where it is not.
        return column.cast(pa.large_binary()).view(pa.large_string())
    return column.cast(pa.large_string())


def text_buffers(column: pa.ChunkedArray | pa.Array) -> Buffers:
    """The buffers of a column of strings; a null is an empty text.

    They are views of the column's memory where it is one chunk of large_string without nulls.
    """
    array = text_array(column)
    if array.null_count:
        array = array.fill_null("")
    _, offsets, data = array.buffers()
    if offsets is None or len(array) == 0:
        return np.empty(0, np.uint8), np.zeros(1, np.int64)
    ends = np.frombuffer(offsets, np.int64, len(array) + 1, array.offset * 8)
    return np.frombuffer(data, np.uint8) if data is not None and data.size else np.empty(0, np.uint8), ends


def edited(column: pa.ChunkedArray | pa.Array, buffers: Buffers | None) -> pa.Array:
    """The column, as one array of large_string, with the texts that a kernel returned for it (None: as they
    are); nulls stay nulls."""
    array = text_array(column)
    if buffers is None:
        return array
    data, offsets = buffers
    valid = None
    if array.null_count:
        # Appending nothing gives the validity bits from the first row on, whatever the array's offset.
        valid = pa.concat_arrays([array.is_valid(), pa.array([], pa.bool_())]).buffers()[1]
    parts = [valid, pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.large_string(), len(array), parts, null_count=array.null_count)
