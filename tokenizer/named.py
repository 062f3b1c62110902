"""Vocabularies that come with the package, by name: `ru-32k`, `ru-64k`, `ru-en-code-128k`.

A file (`assets/vocabularies/NAME.json.xz`) holds the pairs of ranks that make each token, the special tokens
with their roles, and what the vocabulary was learnt from. A name is taken wherever a tokenizer's folder is,
unless a file or folder of that name is there. What wants files gets them in a folder of the user's cache.
"""

from __future__ import annotations

import functools
import json
import lzma
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from tokenizer.vocabulary import Vocabulary

FOLDER: Final = Path(__file__).parent / "assets" / "vocabularies"
NAMES: Final = ("ru-32k", "ru-64k", "ru-en-code-128k")
#: Split pattern of all of them; tokenizers, tiktoken and llama.cpp have it.
PATTERN: Final = "llama3"
_VERSION: Final = 1


def is_named(path: str | Path) -> bool:
    """Whether this is the name of a vocabulary of the package, and of no file or folder here."""
    return str(path) in NAMES and not Path(path).exists()


def write(name: str, vocabulary: Vocabulary, about: Mapping[str, Any]) -> int:
    """Write the file of a vocabulary; returns its bytes. about: source -> licence, bytes and share."""
    from tokenizer.train import ALPHABET

    merges = np.array(vocabulary.merges_over(ALPHABET), np.int64)
    data = {
        "version": _VERSION,
        "name": name,
        "digest": vocabulary.digest,
        "special_tokens": list(vocabulary.special_tokens),
        "roles": dict(vocabulary.roles),
        "about": dict(about),
        "left": np.diff(merges[:, 0], prepend=0).tolist(),
        "right": np.diff(merges[:, 1], prepend=0).tolist(),
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    FOLDER.mkdir(exist_ok=True)
    return (FOLDER / f"{name}.json.xz").write_bytes(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME))


def _read(name: str) -> dict[str, Any]:
    if name not in NAMES:
        raise ValueError(f"no vocabulary {name!r} comes with the package; there are {', '.join(NAMES)}")
    path = FOLDER / f"{name}.json.xz"
    try:
        data: dict[str, Any] = json.loads(lzma.decompress(path.read_bytes()))
    except (OSError, lzma.LZMAError, ValueError) as error:
        raise ValueError(f"{path} can't be read ({error}); install the package again") from error
    if data["version"] != _VERSION:
        raise ValueError(f"{path} is of version {data['version']}, not {_VERSION}")
    return data


def about(name: str) -> dict[str, dict[str, Any]]:
    """What a vocabulary was learnt from: source -> licence, bytes of text, share. ValueError where there is
    none of this name."""
    found: dict[str, dict[str, Any]] = _read(name)["about"]
    return found


@functools.lru_cache(maxsize=len(NAMES))
def load(name: str) -> Vocabulary:
    """The vocabulary of a name. ValueError where there is none, or its file is damaged."""
    from tokenizer.train import ALPHABET
    from tokenizer.vocabulary import Vocabulary

    data = _read(name)
    tokens = list(ALPHABET)
    try:
        left, right = np.cumsum(data["left"]).tolist(), np.cumsum(data["right"]).tolist()
        merges = tuple(zip(left, right, strict=True))
        for pair in merges:
            tokens.append(tokens[pair[0]] + tokens[pair[1]])
        special = {text: len(tokens) + place for place, text in enumerate(data["special_tokens"])}
        made = Vocabulary(tuple(tokens), merges, PATTERN, special, roles=data["roles"])
        if made.digest == data["digest"]:
            return made
    except (ValueError, KeyError, TypeError, IndexError):
        pass
    raise ValueError(f"{FOLDER / name}.json.xz is damaged; install the package again")


def folder_of(name: str) -> Path:
    """A folder with the vocabulary's files, as `Vocabulary.save` writes them: in the user's cache, made
    where it is missing; a temporary one where the cache can't be written."""
    vocabulary = load(name)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bukvar" / "vocabularies"
    folder = cache / f"{name}-{vocabulary.digest[:16]}" / name
    if (folder / "tokenizer.json").is_file():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=folder.parent))
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="bukvar-")) / name
        vocabulary.save(folder)
        return folder
    vocabulary.save(made)
    try:
        made.rename(folder)
    except OSError:  # another process was first
        shutil.rmtree(made)
    return folder
