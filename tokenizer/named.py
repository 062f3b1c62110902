"""Vocabularies that come with the package, by name: `ru-32k`, `ru-64k`, `ru-en-code-128k`.

A file (`assets/vocabularies/NAME.json.xz`) holds the pairs of ranks that make each token, the special tokens
with their roles, and what the vocabulary was learnt from. A name is taken wherever a tokenizer's folder is,
unless a file or folder of that name is there. `tokenizer.vocabulary` makes a `Vocabulary` of what `read`
returns.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

FOLDER: Final = Path(__file__).parent / "assets" / "vocabularies"
NAMES: Final = ("ru-32k", "ru-64k", "ru-en-code-128k")
#: What is said where a tokenizer was named that is not there.
MISSING: Final = f"no such file or folder; the ready vocabularies are {', '.join(NAMES)}"
#: Split pattern of all of them; tokenizers, tiktoken and llama.cpp have it.
PATTERN: Final = "llama3"
_VERSION: Final = 1


@dataclass(frozen=True)
class Stored:
    """A vocabulary as its file holds it.

    merges: element i is the pair of ids that makes token 256 + i, single bytes numbered as in
    `tokenizer.vocabulary.ALPHABET`. digest: `Vocabulary.digest`. about: source -> licence, bytes, share.
    """

    merges: tuple[tuple[int, int], ...]
    special_tokens: tuple[str, ...]
    roles: Mapping[str, str]
    digest: str
    about: Mapping[str, dict[str, Any]]


def is_named(path: str | Path) -> bool:
    """Whether this is the name of a vocabulary of the package, and of no file or folder here."""
    return str(path) in NAMES and not Path(path).exists()


def write(name: str, stored: Stored) -> int:
    """Write the file of a vocabulary; returns its size in bytes."""
    merges = np.array(stored.merges, np.int64)
    data = {
        "version": _VERSION,
        "name": name,
        "digest": stored.digest,
        "special_tokens": list(stored.special_tokens),
        "roles": dict(stored.roles),
        "about": dict(stored.about),
        "left": np.diff(merges[:, 0], prepend=0).tolist(),
        "right": np.diff(merges[:, 1], prepend=0).tolist(),
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    FOLDER.mkdir(exist_ok=True)
    return (FOLDER / f"{name}.json.xz").write_bytes(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME))


def read(name: str) -> Stored:
    """What the file of a vocabulary holds. ValueError where there is no such name, or its file is damaged."""
    if name not in NAMES:
        raise ValueError(f"no vocabulary {name!r} comes with the package; choose from {', '.join(NAMES)}")
    path = FOLDER / f"{name}.json.xz"
    try:
        data: dict[str, Any] = json.loads(lzma.decompress(path.read_bytes()))
        if data["version"] != _VERSION:
            raise ValueError(f"it is of version {data['version']}, not {_VERSION}")
        left, right = np.cumsum(data["left"]).tolist(), np.cumsum(data["right"]).tolist()
        return Stored(
            merges=tuple(zip(left, right, strict=True)),
            special_tokens=tuple(data["special_tokens"]),
            roles=data["roles"],
            digest=data["digest"],
            about=data["about"],
        )
    except (OSError, lzma.LZMAError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} can't be read ({error}); install the package again") from error


def about(name: str) -> Mapping[str, dict[str, Any]]:
    """What a vocabulary was learnt from: source -> licence, bytes of text, share. ValueError where there is
    none of this name."""
    return read(name).about
