"""A tokenizer as the stage `encode` uses it: texts to ids by our encoder, special tokens by name alone."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus import storage
from corpus.inputs import Input
from corpus.writing import Output
from pipelines.inputs import local_tokenizer
from tokenizer.adapt.base import Base
from tokenizer.adapt.load import load as load_base
from tokenizer.encode import Tokenizer
from tokenizer.vocabulary import Vocabulary

Ids = npt.NDArray[np.uint32]
Offsets = npt.NDArray[np.int64]

#: Files of a folder that make a tokenizer, whoever wrote it; weights and the rest are none.
FILES: Final = (
    "tokenizer.json", "tekken.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json",
    "tiktoken.json", "meta.json",
)  # fmt: skip


class EncodeTexts(Protocol):
    """An Arrow array of strings without nulls to ids and n + 1 offsets; `before` and `after` are ids put
    before and behind those of each text."""

    def __call__(
        self, texts: pa.Array, *, before: int | None = None, after: int | None = None
    ) -> tuple[Ids, Offsets]: ...


@dataclass(frozen=True)
class Coder:
    """decode: ids to bytes, special tokens by name. size: one more than the largest id."""

    encode: EncodeTexts
    decode: Callable[[Sequence[int]], bytes]
    special_tokens: Mapping[str, int]
    size: int
    digest: str
    #: Unicode form that texts are brought into before they are encoded; "": none.
    normalization: str = ""

    def special(self, name: str, parameter: str) -> int:
        """The id of a special token. ValueError where there is none of this name."""
        if name not in self.special_tokens:
            known = ", ".join(list(self.special_tokens)[:8]) or "none"
            raise ValueError(f"{parameter}: the tokenizer has no special token {name!r}; it has {known}")
        return self.special_tokens[name]


def is_tokenizer_file(name: str) -> bool:
    """Whether a file of this name belongs to a tokenizer."""
    return name in FILES or name.endswith(".tiktoken")


def tokenizer_path(location: str, files: Sequence[Input], out: Output) -> Path:
    """The tokenizer as a local path: where it lies, or a copy of its files in the task's scratch folder."""
    local = local_tokenizer(location)
    if local is not None:
        return local
    folder = out.scratch / "tokenizer"
    folder.mkdir(exist_ok=True)
    for file in files:
        if "/" not in file.name or is_tokenizer_file(file.name.partition("/")[2]):
            (folder / storage.base_name(file.path)).write_bytes(storage.read_bytes(file.path))
    return folder


def open_coder(path: Path, pattern: str = "") -> Coder:
    """The tokenizer in a folder or file, read once: ours, a Hugging Face folder, tekken.json, tiktoken ranks
    (`pattern` for ranks that carry none).

    ValueError, in one line, where there is none, or none that our encoder runs exactly.
    """
    changed = tuple(
        (one.name, one.stat().st_mtime_ns, one.stat().st_size)
        for one in (sorted(path.iterdir()) if path.is_dir() else [path])
        if one.is_file() and (is_tokenizer_file(one.name) or one == path)
    )
    return _opened(path, pattern, changed)


@functools.lru_cache(maxsize=2)
def _opened(path: Path, pattern: str, _: object) -> Coder:
    try:
        coder = _of_vocabulary(Vocabulary.load(path, pattern or None))
    except ValueError:
        coder = _of_base(load_base(path, pattern or None))
    for name in coder.special_tokens:
        if name.isspace() or name.isalnum():
            raise ValueError(
                f"{path}: the added token {name!r} is ordinary text, which other runtimes take whole "
                "wherever it occurs; this encoder can't do that exactly"
            )
    return coder


def _of_vocabulary(vocabulary: Vocabulary) -> Coder:
    tokenizer = Tokenizer(vocabulary)

    return Coder(
        tokenizer.encode_batch,
        tokenizer.decode_bytes,
        vocabulary.special_tokens,
        vocabulary.size,
        vocabulary.digest,
        vocabulary.normalization,
    )


def _of_base(base: Base) -> Coder:
    encoder = base.encoder
    return Coder(
        encoder.encode_column,
        encoder.decode_bytes,
        base.special_tokens,
        base.rows,
        base.digest,
        base.normalization,
    )
