"""GGUF 3 files of metadata alone, as llama.cpp reads them (ggml/docs/gguf.md, llama.h)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Final

# Value types and token types.
UINT32: Final = 4
INT32: Final = 5
BOOL: Final = 7
STRING: Final = 8
ARRAY: Final = 9
NORMAL: Final = 1
CONTROL: Final = 3
USER_DEFINED: Final = 4
UNUSED: Final = 5
_VERSION: Final = 3


def string(text: str | bytes) -> bytes:
    """A string value."""
    raw = text.encode("utf-8") if isinstance(text, str) else text
    return struct.pack("<Q", len(raw)) + raw


def entry(key: str, kind: int, value: bytes) -> bytes:
    """A key with a value of a kind."""
    return string(key) + struct.pack("<I", kind) + value


def array(key: str, kind: int, values: Sequence[bytes]) -> bytes:
    """A key with an array of values of a kind."""
    return entry(key, ARRAY, struct.pack("<IQ", kind, len(values)) + b"".join(values))


def strings(key: str, values: Iterable[str]) -> bytes:
    """A key with an array of strings."""
    return array(key, STRING, [string(value) for value in values])


def file_bytes(entries: Sequence[bytes]) -> bytes:
    """A file of these entries and no tensors."""
    return b"GGUF" + struct.pack("<IQQ", _VERSION, 0, len(entries)) + b"".join(entries)
