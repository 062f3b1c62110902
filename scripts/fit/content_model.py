"""The file of the content model: ensembles of trees over blocks and over pages (docs/measured/content.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from corpus import trees

MAGIC = b"BKVCNT1\n"
#: Inputs of ensembles: rows of blocks, rows of pages.
BLOCKS, PAGES = 0, 1


def to_bytes(model: trees.TreeFile, names: Sequence[str]) -> bytes:
    """The file; `names` are the features of a block's row."""
    return trees.to_bytes(MAGIC, model, names)


def header_of(data: bytes) -> dict[str, Any]:
    """What the file says of itself: sources, licences, parameters of the fit, figures."""
    return trees.header_of(MAGIC, data)


def from_bytes(data: bytes) -> trees.TreeFile:
    """The inverse of `to_bytes`; for tests and for looking into a model."""
    return trees.from_bytes(MAGIC, data)
