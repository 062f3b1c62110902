"""An open model's tokenizer, whatever file it came in: byte-level BPE as tokens in the order of their ranks.

Three kinds of files meet here (tokenizer.json, tekken.json, tiktoken ranks), and one rule covers them all: of
neighbours whose concatenation is a token, the one of the lowest rank merges first, leftmost of equals. A
tokenizer.json that lists one merge a token follows the same rule as long as each listed merge is the one by
which the rule arrives at the token; `tokenizer.adapt.load` refuses one that does not.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rust_ext import BpeEncoder, derive_merges
from rust_ext.arrow import text_buffers
from tokenizer.encode import NATIVE_FORM
from tokenizer.vocabulary import NO_MERGE

Ids = npt.NDArray[np.int64]
HF: Final = "tokenizer.json"
TEKKEN: Final = "tekken.json"
TIKTOKEN: Final = "tiktoken"

#: Lead bytes of U+0400..U+04FF; a byte of these values is nothing else in UTF-8.
CYRILLIC_LEADS: Final = frozenset(range(0xD0, 0xD4))


def holds_cyrillic(token: bytes) -> bool:
    """Whether the bytes hold the lead byte of a Cyrillic letter: only such tokens are made or swapped."""
    return any(byte in CYRILLIC_LEADS for byte in token)


@dataclass(frozen=True)
class Base:
    """A byte-level BPE tokenizer with ids that need not follow its ranks.

    tokens: bytes in rank order, the 256 single bytes first; ids[rank]: the token's id. special_tokens: added
    tokens, special ones and others, by name. rows: one more than the largest id, ids that nothing uses but
    that are spoken for included. pattern: a name or a regular expression; normalization: a Unicode form or
    "". form: `HF`, `TEKKEN` or `TIKTOKEN`, in the last two of which rank and id rise together.
    ignore_merges: a pretoken that is a token is that token, whatever merging makes of it. every_split: the
    file lists, or means, every split of every token; False: one merge a token. source: the file or folder.
    ValueError where the parts contradict each other.
    """

    tokens: tuple[bytes, ...]
    ids: tuple[int, ...]
    special_tokens: Mapping[str, int]
    rows: int
    pattern: str
    normalization: str = ""
    form: str = HF
    ignore_merges: bool = False
    every_split: bool = False
    source: Path = field(default=Path(), compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "special_tokens", MappingProxyType(dict(self.special_tokens)))
        if len(self.ids) != len(self.tokens):
            raise ValueError(f"{len(self.tokens)} tokens have {len(self.ids)} ids")
        if len(set(self.tokens)) != len(self.tokens):
            raise ValueError("a token occurs twice")
        if {token for token in self.tokens[:256] if len(token) == 1} != {
            bytes([byte]) for byte in range(256)
        }:
            raise ValueError("it lacks some of the 256 single bytes, so it is not byte-level BPE")
        if b"" in self.tokens:
            raise ValueError("a token is empty")
        taken = [*self.ids, *self.special_tokens.values()]
        if len(set(taken)) != len(taken):
            raise ValueError("two tokens have one id")
        if min(taken) < 0 or max(taken) >= self.rows:
            raise ValueError(f"ids lie outside the {self.rows} rows")

    @cached_property
    def merges(self) -> tuple[tuple[int, int], ...]:
        """Of token 256 + i the ranks of the two tokens of which merging its own bytes makes it; `NO_MERGE`
        where merging makes something else of them: the token is merge-dead."""
        return tuple(derive_merges(list(self.tokens)))

    @cached_property
    def ordered(self) -> bool:
        """No token is merge-dead, and every one is made of earlier ones."""
        return all(pair != NO_MERGE and max(pair) < rank for rank, pair in enumerate(self.merges, start=256))

    @cached_property
    def digest(self) -> str:
        """SHA-256 (64 hex digits) over all that decides ids: equal digests encode alike."""
        state = hashlib.sha256()
        about = (self.pattern, self.normalization, self.ignore_merges, sorted(self.special_tokens.items()))
        state.update(repr(about).encode())
        for token, index in zip(self.tokens, self.ids, strict=True):
            state.update(index.to_bytes(4, "little") + len(token).to_bytes(4, "little") + token)
        return state.hexdigest()

    @cached_property
    def rank_of(self) -> Mapping[bytes, int]:
        """Ranks by bytes."""
        return {token: rank for rank, token in enumerate(self.tokens)}

    @cached_property
    def token_of(self) -> Mapping[int, bytes]:
        """Bytes by id, of special tokens the name's."""
        named = {index: name.encode() for name, index in self.special_tokens.items()}
        return named | dict(zip(self.ids, self.tokens, strict=True))

    def to_ids(self, ranks: npt.NDArray[np.uint32]) -> Ids:
        """The ids of ranks."""
        return self.encoder.to_ids(ranks)

    @cached_property
    def encoder(self) -> Encoder:
        """What encodes with it."""
        return Encoder(self)


class Encoder:
    """Encodes texts by a `Base`, special tokens never: each id is that of ordinary text."""

    def __init__(self, base: Base) -> None:
        tokens, nfc = list(base.tokens), base.normalization == NATIVE_FORM
        if base.ordered:
            self._native = BpeEncoder(tokens, list(base.merges), base.pattern, nfc=nfc)
        else:
            self._native = BpeEncoder(tokens, None, base.pattern, whole=base.ignore_merges, nfc=nfc)
        self._ids = np.asarray(base.ids, dtype=np.int64)
        self._form = base.normalization
        self._token_of = base.token_of

    def encode(self, text: str) -> list[int]:
        """The ids of a text."""
        found: list[int] = self.encode_batch([text])[0].tolist()
        return found

    def to_ids(self, ranks: npt.NDArray[np.uint32]) -> Ids:
        """The ids of ranks."""
        return self._ids[ranks]

    def encode_batch(self, texts: Iterable[str], threads: int = 1) -> tuple[Ids, npt.NDArray[np.int64]]:
        """(ids of all texts in one array, n + 1 offsets at which each text begins)."""
        ranks, offsets = self._native.encode_batch(self._ready(texts), threads)
        return self._ids[ranks], offsets

    def encode_column(
        self, texts: pa.Array, *, before: int | None = None, after: int | None = None
    ) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
        """As `encode_batch`, of an Arrow array of strings without nulls, as uint32; `before` and `after` are
        ids put before and behind those of each text."""
        last = len(self._ids)  # in the place of ranks, which the encoder puts out, stand two of no token
        around = (None if before is None else last, None if after is None else last + 1)
        if self._form in ("", NATIVE_FORM):
            ranks, offsets = self._native.encode_buffer(text_buffers(texts), 1, *around)
        else:
            ranks, offsets = self._native.encode_batch(self._ready(texts.to_pylist()), 1, *around)
        ids = np.append(self._ids, [before or 0, after or 0]).astype(np.uint32)
        return ids[ranks], offsets

    def ranks(self, texts: Iterable[str], threads: int = 1) -> tuple[npt.NDArray[np.uint32], Ids]:
        """The same with ranks for ids."""
        return self._native.encode_batch(self._ready(texts), threads)

    def count(self, texts: Iterable[str], threads: int = 1) -> int:
        """How many ids the texts have together."""
        return int(self._native.count_batch(self._ready(texts), threads).sum())

    def pieces(self, tokens: Sequence[bytes]) -> list[list[int]]:
        """The ids by which the tokenizer encodes each run of bytes, whole characters or not, as a
        pretoken."""
        ranks, offsets = self._native.merge_bytes(list(tokens))
        ids = self._ids[ranks].tolist()
        return [ids[start:end] for start, end in pairwise(offsets.tolist())]

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """The bytes that ids stand for. KeyError for an id that is no token's."""
        return b"".join(self._token_of[int(index)] for index in ids)

    def _ready(self, texts: Iterable[str]) -> list[str]:
        """The texts in a form from which the native encoder goes on."""
        return normalized(texts, "" if self._form == NATIVE_FORM else self._form)

    def normalized(self, texts: Iterable[str]) -> list[str]:
        """The texts as the tokenizer's normalizer leaves them."""
        return normalized(texts, self._form)


def normalized(texts: Iterable[str], form: str) -> list[str]:
    """Texts in a Unicode form ("": as they are)."""
    if not form:
        return list(texts)
    known = cast(Literal["NFC"], form)
    return [
        text if unicodedata.is_normalized(known, text) else unicodedata.normalize(known, text)
        for text in texts
    ]


def every_split(tokens: Sequence[bytes]) -> Iterable[tuple[bytes, bytes]]:
    """All ways to write a token as two tokens, by the rank of the result, then by the ranks of the parts: the
    merges by which a merging of pairs does what merging by rank does."""
    rank = {token: place for place, token in enumerate(tokens)}
    for token in tokens[256:]:
        found = []
        for cut in range(1, len(token)):
            left, right = rank.get(token[:cut]), rank.get(token[cut:])
            if left is not None and right is not None:
                found.append((left, right))
        for left, right in sorted(found):
            yield tokens[left], tokens[right]
