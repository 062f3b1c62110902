"""Text to ids and back with a `Vocabulary`: exact to tiktoken and tokenizers, in Rust.

A `Tokenizer` is cheap to share: threads encode side by side, each with its own bounded cache, and ids do not
depend on how many there are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Literal, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rust_ext import BpeEncoder
from rust_ext.arrow import text_buffers
from tokenizer.vocabulary import Vocabulary, load_named

Ids: TypeAlias = npt.NDArray[np.uint32]
Offsets: TypeAlias = npt.NDArray[np.int64]
Texts: TypeAlias = Sequence[str] | pa.Array | pa.ChunkedArray
Allowed: TypeAlias = Collection[str] | Literal["all"]

#: MiB of cache a thread; the figures by size stand in docs/measured/tokenizer.md.
CACHE_MIB = 32
#: The Unicode form that the encoder itself brings text into; others are Python's.
NATIVE_FORM = "NFC"


class Tokenizer:
    """Encodes and decodes with one vocabulary.

    Text that spells a special token is ordinary text, unless the caller allows that token by name: what a
    crawl holds must not be able to end a document.
    """

    def __init__(
        self, vocabulary: Vocabulary, *, cache_mib: int = CACHE_MIB, seed: int | None = None
    ) -> None:
        """cache_mib: memory of one thread's cache. seed: of the cache's hashing, drawn when None; ids do not
        depend on it. ValueError when the pattern does not compile."""
        if cache_mib < 1:
            raise ValueError(f"cache_mib must be at least 1, not {cache_mib}")
        self.vocabulary = vocabulary
        self._native = BpeEncoder(
            list(vocabulary.tokens),
            list(vocabulary.merges) if vocabulary.ordered else None,
            vocabulary.pattern,
            first_id=vocabulary.first_id,
            cache_bytes=cache_mib << 20,
            seed=seed,
            nfc=vocabulary.normalization == NATIVE_FORM,
        )
        self._form = "" if vocabulary.normalization == NATIVE_FORM else vocabulary.normalization
        self._special_names = {index: name for name, index in vocabulary.special_tokens.items()}

    @classmethod
    def from_file(
        cls, path: str | Path, pattern: str | None = None, *, cache_mib: int = CACHE_MIB
    ) -> Tokenizer:
        """Open any folder or file that `Vocabulary.load` opens."""
        return cls(Vocabulary.load(path, pattern), cache_mib=cache_mib)

    @classmethod
    def from_name(cls, name: str, *, cache_mib: int = CACHE_MIB) -> Tokenizer:
        """Open a vocabulary that comes with the package: ru-32k, ru-64k or ru-en-code-128k. ValueError for
        another name."""
        return cls(load_named(name), cache_mib=cache_mib)

    @property
    def size(self) -> int:
        """One more than the largest id, special tokens included."""
        return self.vocabulary.size

    def encode(self, text: str, *, allowed_special: Allowed = ()) -> list[int]:
        """The ids of one text. allowed_special: names of special tokens to recognise, or "all"."""
        return cast(list[int], self.encode_array(text, allowed_special=allowed_special).tolist())

    def encode_array(self, text: str, *, allowed_special: Allowed = ()) -> Ids:
        """As `encode`, as a numpy array of uint32."""
        if not allowed_special:
            return self._native.encode(self._normalized(text))
        parts = [
            np.array([self.vocabulary.special_tokens[part]], dtype=np.uint32)
            if special
            else self._native.encode(self._normalized(part))
            for special, part in self._cut_specials(text, allowed_special)
        ]
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.uint32)

    def encode_batch(
        self, texts: Texts, *, threads: int = 1, before: int | None = None, after: int | None = None
    ) -> tuple[Ids, Offsets]:
        """The ids of many texts in one array, and n + 1 offsets: text i has ids[offsets[i]:offsets[i + 1]].

        texts: a sequence of str, or an Arrow string array (read in place, without a Python object a text).
        before, after: ids put before and behind those of each text, such as those of special tokens.
        """
        if isinstance(texts, pa.ChunkedArray):
            parts = [
                self.encode_batch(chunk, threads=threads, before=before, after=after)
                for chunk in texts.chunks
            ]
            return _joined(parts)
        around = (_checked(threads), before, after)
        if isinstance(texts, pa.Array) and not self._form:
            return self._native.encode_buffer(text_buffers(_strings_only(texts)), *around)
        return self._native.encode_batch(self._strings(texts), *around)

    def count(self, text: str) -> int:
        """How many ids a text has; nothing is kept."""
        return self._native.count(self._normalized(text))

    def count_batch(self, texts: Texts, *, threads: int = 1) -> Offsets:
        """How many ids each text has (int64)."""
        if isinstance(texts, pa.ChunkedArray):
            parts = [self.count_batch(chunk, threads=threads) for chunk in texts.chunks]
            return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
        if isinstance(texts, pa.Array) and not self._form:
            return self._native.count_buffer(text_buffers(_strings_only(texts)), _checked(threads))
        return self._native.count_batch(self._strings(texts), _checked(threads))

    def decode_bytes(self, ids: Iterable[int] | Ids) -> bytes:
        """The bytes that ids stand for, special tokens by name. ValueError for an id that is no token's."""
        array = _as_ids(ids)
        special = np.isin(array, np.fromiter(self._special_names, dtype=np.int64))
        if not special.any():
            return self._native.decode(array)
        parts, start = [], 0
        for at in np.flatnonzero(special).tolist():
            parts.append(self._native.decode(array[start:at]))
            parts.append(self._special_names[int(array[at])].encode())
            start = at + 1
        parts.append(self._native.decode(array[start:]))
        return b"".join(parts)

    def decode(self, ids: Iterable[int] | Ids, *, errors: str = "replace") -> str:
        """The text that ids stand for; ids cut inside a character give U+FFFD, or raise with
        errors="strict"."""
        return self.decode_bytes(ids).decode("utf-8", errors)

    def _normalized(self, text: str) -> str:
        return unicodedata.normalize(cast(Literal["NFC"], self._form), text) if self._form else text

    def _strings(self, texts: Sequence[str] | pa.Array) -> list[str]:
        strings: list[str] = texts.to_pylist() if isinstance(texts, pa.Array) else list(texts)
        if not self._form:
            return strings
        return [self._normalized(text) for text in strings]

    def _cut_specials(self, text: str, allowed: Allowed) -> list[tuple[bool, str]]:
        """The text as (is a special token, part), in order; the longest of several that begin together."""
        known = self.vocabulary.special_tokens
        names = set(known) if allowed == "all" else set(allowed)
        if names - known.keys():
            raise ValueError(
                f"no special tokens of this vocabulary: {', '.join(sorted(names - known.keys()))}"
            )
        if not names:
            return [(False, text)] if text else []
        pattern = "|".join(re.escape(name) for name in sorted(names, key=lambda name: (-len(name), name)))
        parts = re.split(f"({pattern})", text)
        return [(place % 2 == 1, part) for place, part in enumerate(parts) if part]


def _checked(threads: int) -> int:
    if threads < 1:
        raise ValueError(f"threads must be at least 1, not {threads}")
    return threads


def _as_ids(ids: Iterable[int] | Ids) -> Ids:
    array = ids if isinstance(ids, np.ndarray) else np.fromiter(ids, dtype=np.int64)
    if array.dtype == np.uint32:
        return np.ascontiguousarray(array)
    if array.size and (int(array.min()) < 0 or int(array.max()) > 0xFFFFFFFF):
        raise ValueError("ids must be between 0 and 2^32 - 1")
    return array.astype(np.uint32)


def _strings_only(texts: pa.Array) -> pa.Array:
    if not (pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)):
        raise ValueError(f"texts must be strings, not {texts.type}")
    if texts.null_count:
        raise ValueError(f"{texts.null_count} of the texts are null: drop or fill them first")
    return texts


def _joined(parts: list[tuple[Ids, Offsets]]) -> tuple[Ids, Offsets]:
    if not parts:
        return np.empty(0, dtype=np.uint32), np.zeros(1, dtype=np.int64)
    offsets, base = [np.zeros(1, dtype=np.int64)], 0
    for ids, ends in parts:
        offsets.append(ends[1:] + base)
        base += len(ids)
    return np.concatenate([ids for ids, _ in parts]), np.concatenate(offsets)
