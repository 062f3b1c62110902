"""Any tokenizer, opened by path, in the one form that `tokenizer.evaluate` measures.

A byte-level BPE vocabulary runs on our encoder, whoever made it and however its ids run; any other
tokenizer.json, and one with added tokens that text makes, on the tokenizers library; a sentencepiece
tokenizer.model on sentencepiece (an optional dependency). A special token that a text spells is text in all
of them, and nothing is cut or padded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tokenizer.adapt.base import Base
from tokenizer.adapt.load import load as load_base
from tokenizer.encode import Ids, Offsets, Tokenizer
from tokenizer.files import from_chars, made_by_text, read_json
from tokenizer.named import is_named
from tokenizer.vocabulary import NO_MERGE, Vocabulary

#: What sentencepiece writes for a space.
_META_SPACE = "\u2581"


@dataclass(frozen=True)
class Baseline:
    """A tokenizer to measure.

    encode: texts to ids (uint32) and n + 1 offsets, no special tokens added. decode: ids to text. pieces:
    bytes by id (b"" for special and unused ids), a word's leading space included. word_prefix: what goes
    before a word that stands alone so that it encodes as it does after a space. unreachable: tokens that
    merging never makes, where that is known. vocabulary_size: ids, special ones included.
    """

    name: str
    encode: Callable[[Sequence[str]], tuple[Ids, Offsets]]
    decode: Callable[[Sequence[int]], str]
    pieces: tuple[bytes, ...]
    word_prefix: str = " "
    unreachable: int | None = None

    @property
    def vocabulary_size(self) -> int:
        """The number of ids."""
        return len(self.pieces)


def open_baseline(path: str | Path, name: str | None = None, pattern: str | None = None) -> Baseline:
    """Open a folder or a file: a saved vocabulary, a Hugging Face folder, tokenizer.json, tekken.json, a
    .tiktoken file, or a sentencepiece .model. ValueError, in one line, for anything else."""
    path = Path(path)
    name = name or (path.name if path.is_dir() or is_named(path) else path.parent.name)
    model = path / "tokenizer.model" if path.is_dir() else path
    if model.suffix == ".model" and model.is_file() and not (path / "tokenizer.json").is_file():
        return _model(model, name, pattern)
    file = path / "tokenizer.json" if path.is_dir() else path
    theirs = file.suffix == ".json" and file.name != "tekken.json" and file.is_file()
    try:
        return from_vocabulary(Vocabulary.load(path, pattern), name)
    except ValueError as error:
        refused = error
    try:
        if not (theirs and made_by_text(read_json(file))):
            return from_base(load_base(path, pattern), name)
    except ValueError:
        if not theirs:
            raise refused from None
    return _tokenizers(file, name)


def _model(path: Path, name: str, pattern: str | None) -> Baseline:
    """A .model file: tiktoken ranks, as Llama 3's, or sentencepiece's."""
    try:
        return from_base(load_base(path, pattern), name)
    except ValueError as error:
        if "SentencePiece" not in str(error):
            raise
    return _sentencepiece(path, name)


def from_base(base: Base, name: str) -> Baseline:
    """A tokenizer whose ids need not be its ranks (an adapted one), run by our encoder."""
    pieces = [b""] * base.rows
    for token, index in zip(base.tokens, base.ids, strict=True):
        pieces[index] = token

    def encode(texts: Sequence[str]) -> tuple[Ids, Offsets]:
        ids, offsets = base.encoder.encode_batch(texts)
        return ids.astype(np.uint32), offsets

    return Baseline(
        name=name,
        encode=encode,
        decode=lambda ids: base.encoder.decode_bytes(ids).decode("utf-8", "replace"),
        pieces=tuple(pieces),
        unreachable=sum(pair == NO_MERGE for pair in base.merges),
    )


def from_vocabulary(vocabulary: Vocabulary, name: str) -> Baseline:
    """A vocabulary, run by our encoder."""
    tokenizer = Tokenizer(vocabulary)
    pieces = [b""] * vocabulary.size
    pieces[vocabulary.first_id : vocabulary.first_id + len(vocabulary.tokens)] = vocabulary.tokens
    return Baseline(
        name=name,
        encode=lambda texts: tokenizer.encode_batch(list(texts)),
        decode=lambda ids: tokenizer.decode(list(ids)),
        pieces=tuple(pieces),
        unreachable=sum(pair == NO_MERGE for pair in vocabulary.merges),
    )


def _flat(lists: Sequence[Sequence[int]]) -> tuple[Ids, Offsets]:
    offsets = np.zeros(len(lists) + 1, dtype=np.int64)
    np.cumsum([len(one) for one in lists], out=offsets[1:])
    ids = np.fromiter((index for one in lists for index in one), dtype=np.uint32, count=int(offsets[-1]))
    return ids, offsets


def _piece_bytes(piece: str, byte_level: bool) -> bytes:
    if byte_level:
        raw = from_chars(piece)
        return raw if raw is not None else piece.encode("utf-8")
    if len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">"):
        return bytes([int(piece[3:5], 16)])
    return piece.replace(_META_SPACE, " ").encode("utf-8")


#: A word of letters that every tokenizer has, to see what is put before it.
_WORD = "on"


def _prefix(pieces: Sequence[bytes], alone: Sequence[int]) -> str:
    """What goes before a word that stands alone: nothing where the tokenizer puts a space there itself."""
    return "" if b"".join(pieces[index] for index in alone).startswith(b" ") else " "


def _tokenizers(file: Path, name: str) -> Baseline:
    import tokenizers

    try:
        theirs: Any = tokenizers.Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exception
        raise ValueError(f"tokenizers does not open {file}: {error}") from error
    theirs.no_truncation()
    theirs.no_padding()
    theirs.encode_special_tokens = True
    about = read_json(file)
    steps = json.dumps([about.get("pre_tokenizer"), about.get("decoder")])
    byte_level = "ByteLevel" in steps
    special = {token["id"] for token in about.get("added_tokens") or () if token.get("special")}
    added = {token["id"]: str(token["content"]).encode("utf-8") for token in made_by_text(about)}
    by_id = {index: piece for piece, index in theirs.get_vocab(with_added_tokens=True).items()}
    pieces = [
        b"" if index in special else added.get(index) or _piece_bytes(by_id.get(index, ""), byte_level)
        for index in range(max(by_id) + 1)
    ]
    alone = theirs.encode(_WORD, add_special_tokens=False).ids
    return Baseline(
        name=name,
        encode=lambda texts: _flat(
            [one.ids for one in theirs.encode_batch_fast(list(texts), add_special_tokens=False)]
        ),
        decode=lambda ids: str(theirs.decode(list(ids), skip_special_tokens=False)),
        pieces=tuple(pieces),
        word_prefix=_prefix(pieces, alone),
    )


def _sentencepiece(model: Path, name: str) -> Baseline:
    try:
        import sentencepiece
    except ImportError as error:
        raise ValueError(f"{model} needs the package sentencepiece: pip install sentencepiece") from error
    theirs: Any = sentencepiece.SentencePieceProcessor(model_file=str(model))
    pieces = [
        b""
        if theirs.is_control(index) or theirs.is_unknown(index) or theirs.is_unused(index)
        else _piece_bytes(theirs.id_to_piece(index), byte_level=False)
        for index in range(theirs.vocab_size())
    ]
    return Baseline(
        name=name,
        encode=lambda texts: _flat(theirs.encode(list(texts))),
        decode=lambda ids: str(theirs.decode(list(ids))),
        pieces=tuple(pieces),
        word_prefix=_prefix(pieces, theirs.encode(_WORD)),
    )
