"""The model of quality: its file, and what its trees say of rows of signals."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from corpus import trees
from rust_ext import QualityModel

MAGIC: Final = b"BKVQLT1\n"
#: Key of the header under which a preset's file holds its rules.
RULES: Final = "rules"
ASSETS: Final = Path(__file__).parent.parent / "assets" / "quality"
#: The model that is bundled.
BUNDLED: Final = ASSETS / "quality.model"

Rows = npt.NDArray[np.float32]


@functools.cache
def bundled(names: tuple[str, ...]) -> QualityModel:
    """The bundled model. `names` are the signals of a row, in order."""
    return read(BUNDLED.read_bytes(), names)


def read(data: bytes, names: Sequence[str]) -> QualityModel:
    """A model from its file; ValueError for one of another kind, of other signals or damaged."""
    return QualityModel(data, list(names))


def to_bytes(model: trees.TreeFile, names: Sequence[str]) -> bytes:
    """The file of a model fitted to the signals `names`."""
    return trees.to_bytes(MAGIC, model, names)


def header_of(data: bytes) -> dict[str, Any]:
    """What the file says of itself: documents, licences, parameters of the fit, figures."""
    return trees.header_of(MAGIC, data)
