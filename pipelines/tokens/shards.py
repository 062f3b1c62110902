"""Shards of token ids that one task writes: by split, cut at documents where a file would be too long."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self, cast

import numpy as np
import pyarrow as pa

from corpus.errors import ShardError
from corpus.writing import Output
from pipelines.tokens.formats import (
    ENDINGS,
    MOST_TOKENS,
    STREAMED,
    Ids,
    Lengths,
    Writer,
    most_tokens,
    open_writer,
)

TRAIN: Final = "train"
VALIDATION: Final = "validation"
SPLITS: Final = (TRAIN, VALIDATION)
#: Characters of a document by which a message names it.
_SHOWN: Final = 30


@dataclass(frozen=True)
class Documents:
    """Documents as ids: all in one array, how many each has (start and end tokens included), their doc_ids
    (null where nothing needs them) and texts, and the Unicode form in which these were encoded ("": as they
    are).

    Sequences into which documents were packed look the same; of each, `wholes` has the tokens of the document
    at its beginning, 0 where that one is cut: its text is null then. digests: SHA-256 of the texts, where
    these are not kept."""

    ids: Ids
    lengths: Lengths
    doc_ids: pa.Array
    texts: pa.Array
    normalization: str = ""
    wholes: Lengths | None = None
    digests: pa.Array | None = None

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def nbytes(self) -> int:
        """Bytes of ids and texts."""
        return int(self.ids.nbytes) + int(self.texts.nbytes)

    def part(self, start: int, stop: int) -> Documents:
        """Documents from number `start` up to `stop`."""
        ends = np.concatenate([[0], np.cumsum(self.lengths)])
        return Documents(
            self.ids[ends[start] : ends[stop]],
            self.lengths[start:stop],
            self.doc_ids[start:stop],
            self.texts[start:stop],
            self.normalization,
            None if self.wholes is None else self.wholes[start:stop],
            None if self.digests is None else self.digests[start:stop],
        )

    def where(self, mask: Any) -> Documents:
        """Documents for which the mask is true."""
        chosen = pa.array(mask)
        ids = self.ids[np.repeat(mask, self.lengths)]
        rest = (self.doc_ids.filter(chosen), self.texts.filter(chosen))
        return Documents(ids, self.lengths[mask], *rest, self.normalization)


@dataclass
class File:
    """What one file holds: its name without ending, tokens, documents, and a sample of them."""

    name: str
    tokens: int = 0
    documents: int = 0
    #: Documents to decode when the files are checked: first token, tokens, SHA-256 of the text.
    samples: list[tuple[int, int, str]] = field(default_factory=list)


class Shards:
    """Files of one task and one split. `most` is the largest number of tokens of a file."""

    def __init__(self, out: Output, split: str, form: str, kind: str, most: int = MOST_TOKENS) -> None:
        self._out, self._split, self._form, self._kind, self._most = out, split, form, kind, most
        self._writer: Writer | None = None
        self._stem = out.scratch
        self._open_files = ExitStack()
        self.files: list[File] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self._open_files.__exit__(*error)

    def add(self, documents: Documents) -> None:
        """Append documents. ShardError for one that no file can hold."""
        for part in self._fitting(documents):
            if self._writer is None:
                self._open()
            file = self.files[-1]
            if file.documents >= 2 ** len(file.samples) - 1:
                file.samples += _sample(part, file.tokens)
            assert self._writer is not None  # noqa: S101 - opened above
            self._writer.add(part.ids, part.lengths, part.doc_ids)
            file.tokens += len(part.ids)
            file.documents += len(part)

    def _fitting(self, documents: Documents) -> Iterator[Documents]:
        """Parts of which each goes into one file; closes a file that is full."""
        longest = int(documents.lengths.max(initial=0))
        if longest > self._most:
            name = _named(documents, int(documents.lengths.argmax()))
            raised = ", or raise encode.shard_tokens" if self._most < most_tokens(self._form) else ""
            raise ShardError(
                f"{name} has {longest:,} tokens, a file of {self._form} {self._most:,} at most: "
                f"cut the document{raised}"
            )
        start = 0
        while start < len(documents):
            room = self._most - (self.files[-1].tokens if self._writer is not None else 0)
            fits = int(np.searchsorted(np.cumsum(documents.lengths[start:]), room, side="right"))
            if not fits:
                self.close()
                continue
            yield documents if fits == len(documents) else documents.part(start, start + fits)
            start += fits

    def _open(self) -> None:
        number = f".s{len(self.files):04d}" if self.files else ""
        self.files.append(File(f"{self._split}/{self._out.name}{number}"))
        name = self.files[-1].name
        self._stem = self._out.scratch / name.replace("/", "-")
        stream: Any = None
        if self._form in STREAMED:
            stream = self._open_files.enter_context(self._out.stream(f"{name}{ENDINGS[self._form][0]}"))
        self._writer = open_writer(self._form, self._stem, self._kind, stream)

    def close(self) -> None:
        """Publish the open file."""
        if self._writer is None:
            return
        written = self._writer.close()
        self._open_files.close()
        for path in written:
            self._out.put(path, f"{self.files[-1].name}{path.name.removeprefix(self._stem.name)}")
            path.unlink()
        self._writer = None


def _named(documents: Documents, place: int) -> str:
    """A document by its id, or by how it begins where ids were not made."""
    doc_id = documents.doc_ids[place].as_py()
    if doc_id is not None:
        return f"document {doc_id.hex()}"
    return f"the document that begins {documents.texts[place].as_py()[:_SHOWN]!r}"


def _sample(documents: Documents, first: int) -> list[tuple[int, int, str]]:
    """The first whole document, if there is one: where it begins, its tokens, the digest of its text."""
    wholes = documents.lengths if documents.wholes is None else documents.wholes
    found = np.flatnonzero(wholes)
    if not len(found):
        return []
    place = int(found[0])
    start = first + int(documents.lengths[:place].sum())
    if documents.digests is not None:
        return [(start, int(wholes[place]), documents.digests[place].as_py().hex())]
    text = documents.texts[place].as_py()
    if documents.normalization:
        text = unicodedata.normalize(cast(Literal["NFC"], documents.normalization), text)
    return [(start, int(wholes[place]), hashlib.sha256(text.encode()).hexdigest())]
