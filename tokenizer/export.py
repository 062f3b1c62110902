"""A vocabulary for other runtimes, and the proof that they give the same ids.

`Vocabulary.save` writes what tokenizers, transformers and tiktoken read; `write_gguf` writes the metadata of
llama.cpp's GGUF (no tensors: llama.cpp opens it vocabulary-only, and converters copy its keys into a model's
file). `check` runs every runtime that is installed over the same texts.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from importlib import metadata
from itertools import islice
from pathlib import Path
from typing import Any

from tokenizer import files, gguf
from tokenizer.encode import Tokenizer
from tokenizer.roles import in_force
from tokenizer.split import pattern_regex
from tokenizer.vocabulary import Vocabulary

#: llama.cpp's names (`tokenizer.ggml.pre`) of the split patterns it has; there is no way to give it another.
GGUF_PRE = {
    "llama3": "llama-bpe",
    "o200k": "gpt-4o",
    "qwen2": "qwen2",
    "tekken": "tekken",
    "gpt2": "gpt-2",
    "qwen35": "qwen35",
    "deepseek3": "deepseek-v3",
}

Texts = Iterable[str]
Encode = Callable[[list[str]], list[list[int]]]

#: Texts encoded together by `check`: memory stays bounded, batches are long enough for threads.
_CHECK_BATCH = 512
#: Characters of a text shown around a first difference.
_EXCERPT = 40


def gguf_bytes(vocabulary: Vocabulary, name: str = "bukvar") -> bytes:
    """A GGUF file with the tokenizer's metadata and no tensors.

    ValueError for a pattern that llama.cpp does not know, or a normalization, which it cannot do.
    """
    pre = GGUF_PRE.get(vocabulary.pattern)
    if pre is None:
        known = ", ".join(GGUF_PRE)
        raise ValueError(f"llama.cpp has no split pattern {vocabulary.pattern!r}; it has those of {known}")
    if vocabulary.normalization:
        raise ValueError(f"llama.cpp does not normalize; this vocabulary wants {vocabulary.normalization}")
    tokens = [f"<|unused_{index}|>" for index in range(vocabulary.size)]
    kinds = [gguf.UNUSED] * vocabulary.size
    for rank, token in enumerate(vocabulary.tokens):
        tokens[vocabulary.first_id + rank] = files.to_chars(token)
        kinds[vocabulary.first_id + rank] = gguf.NORMAL
    for special, index in vocabulary.special_tokens.items():
        tokens[index], kinds[index] = special, gguf.CONTROL
    merges = [" ".join(pair) for pair in files.merge_spellings(vocabulary)]
    entries = [
        gguf.entry("general.architecture", gguf.STRING, gguf.string("llama")),
        gguf.entry("general.name", gguf.STRING, gguf.string(name)),
        gguf.entry("llama.vocab_size", gguf.UINT32, struct.pack("<I", vocabulary.size)),
        gguf.entry("tokenizer.ggml.model", gguf.STRING, gguf.string("gpt2")),
        gguf.entry("tokenizer.ggml.pre", gguf.STRING, gguf.string(pre)),
        gguf.array("tokenizer.ggml.tokens", gguf.STRING, [gguf.string(token) for token in tokens]),
        gguf.array("tokenizer.ggml.token_type", gguf.INT32, [struct.pack("<i", kind) for kind in kinds]),
        gguf.array("tokenizer.ggml.merges", gguf.STRING, [gguf.string(merge) for merge in merges]),
        gguf.entry("tokenizer.ggml.add_bos_token", gguf.BOOL, b"\0"),
        gguf.entry("tokenizer.ggml.add_eos_token", gguf.BOOL, b"\0"),
    ]
    roles = in_force(vocabulary.special_tokens, vocabulary.roles)
    for role, key in (("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding")):
        if role in roles:
            token_id = vocabulary.special_tokens[roles[role]]
            entries.append(
                gguf.entry(f"tokenizer.ggml.{key}_token_id", gguf.UINT32, struct.pack("<I", token_id))
            )
    return gguf.file_bytes(entries)


def write_gguf(vocabulary: Vocabulary, path: str | Path, name: str = "bukvar") -> None:
    """Write `gguf_bytes` to a file."""
    Path(path).write_bytes(gguf_bytes(vocabulary, name))


@dataclass(frozen=True)
class Difference:
    """The first text on which a runtime gave other ids."""

    peer: str
    text: int
    excerpt: str
    ours: tuple[int, ...]
    theirs: tuple[int, ...]


@dataclass(frozen=True)
class CheckResult:
    """What `check` ran over (texts, UTF-8 bytes, ids), the runtimes that agreed everywhere (name, version),
    the first difference of each that did not, those not compared (name, reason), and how many texts did not
    come back."""

    texts: int
    bytes: int
    ids: int
    agreed: tuple[tuple[str, str], ...]
    differing: tuple[Difference, ...]
    skipped: tuple[tuple[str, str], ...]
    lost: int

    @property
    def ok(self) -> bool:
        """Every runtime compared gave the same ids, at least one was, and every text came back."""
        return bool(self.agreed) and not self.differing and not self.lost

    def __str__(self) -> str:
        size = f"{self.texts} texts, {self.bytes / 1e6:.1f} MB, {self.ids} ids"
        lines = [f"{size}; {self.lost} texts did not come back"]
        lines += [f"same ids: {name} {version}" for name, version in self.agreed]
        lines += [f"other ids: {one.peer}, text {one.text}, at {one.excerpt!r}" for one in self.differing]
        lines += [f"not compared: {name} ({reason})" for name, reason in self.skipped]
        return "\n".join(lines)


def _tokenizers(vocabulary: Vocabulary, _: Path) -> Encode:
    theirs = open_tokenizers(files.tokenizer_json(vocabulary).decode("utf-8"))
    if hasattr(theirs, "encode_batch_fast"):
        theirs.encode_special_tokens = True
        return lambda texts: [one.ids for one in theirs.encode_batch_fast(texts, add_special_tokens=False)]
    return lambda texts: [
        one.ids for one in theirs.encode_batch(texts, add_special_tokens=False, encode_special_tokens=True)
    ]


def open_tokenizers(text: str) -> Any:
    """A tokenizer.json in the tokenizers library; version 1.0 (seen: its release candidate 3) opens files
    only."""
    import tokenizers

    if hasattr(tokenizers.Tokenizer, "from_str"):
        return tokenizers.Tokenizer.from_str(text)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tokenizer.json")
        path.write_text(text, "utf-8")
        return tokenizers.Tokenizer.from_file(str(path))


def _tiktoken(vocabulary: Vocabulary, _: Path) -> Encode:
    import tiktoken

    if vocabulary.normalization:
        raise ValueError("tiktoken does not normalize")
    ranks = {token: rank for rank, token in enumerate(vocabulary.tokens)}
    regex = pattern_regex(vocabulary.pattern)
    theirs = tiktoken.Encoding("check", pat_str=regex, mergeable_ranks=ranks, special_tokens={})
    first = vocabulary.first_id

    def encode(texts: list[str]) -> list[list[int]]:
        return [[first + rank for rank in theirs.encode_ordinary(text)] for text in texts]

    return encode


def _gigatoken(vocabulary: Vocabulary, _: Path) -> Encode:
    import gigatoken

    if not vocabulary.ordered:
        raise ValueError("its loader does not take a vocabulary out of merge order")
    # It has no way to take special tokens for text, so it gets none.
    theirs = gigatoken.Tokenizer.from_json(files.tokenizer_json(replace(vocabulary, special_tokens={})))

    def encode(texts: list[str]) -> list[list[int]]:
        return [theirs.encode(text).tolist() for text in texts]

    return encode


def _llama_cpp(vocabulary: Vocabulary, folder: Path) -> Encode:
    import llama_cpp

    write_gguf(vocabulary, folder / "vocabulary.gguf")
    theirs = llama_cpp.Llama(str(folder / "vocabulary.gguf"), vocab_only=True, verbose=False)

    def encode(texts: list[str]) -> list[list[int]]:
        return [theirs.tokenize(text.encode("utf-8"), add_bos=False, special=False) for text in texts]

    return encode


#: Runtime (its distribution's name) and what opens a vocabulary in it.
PEERS: dict[str, Callable[[Vocabulary, Path], Encode]] = {
    "tokenizers": _tokenizers,
    "tiktoken": _tiktoken,
    "gigatoken": _gigatoken,
    "llama-cpp-python": _llama_cpp,
}


def check(vocabulary: Vocabulary, texts: Texts, peers: Iterable[str] = tuple(PEERS)) -> CheckResult:
    """Encode `texts` with our encoder and every runtime of `peers` that is installed, and compare all ids.

    A special token that a text spells is text, as for `Tokenizer.encode`.
    Memory is bounded: texts are taken in batches. A runtime that is missing or cannot hold the vocabulary is
    named in `skipped`; after its first difference a runtime is not asked again.
    """
    ours = Tokenizer(vocabulary)
    counts = {"texts": 0, "bytes": 0, "ids": 0, "lost": 0}
    differing: list[Difference] = []
    with tempfile.TemporaryDirectory() as folder:
        asked, skipped = _opened(vocabulary, peers, Path(folder))
        agreed = [(name, metadata.version(name)) for name in asked]
        for batch in _batches(texts):
            expected = [ours.encode(text) for text in batch]
            for name, encode in list(asked.items()):
                difference = _first_difference(name, counts["texts"], batch, expected, encode(batch))
                if difference is not None:
                    differing.append(difference)
                    del asked[name]
            counts["texts"] += len(batch)
            counts["bytes"] += sum(len(text.encode("utf-8")) for text in batch)
            counts["ids"] += sum(map(len, expected))
            pairs = zip(batch, expected, strict=True)
            counts["lost"] += sum(ours.decode_bytes(ids) != text.encode("utf-8") for text, ids in pairs)
    same = tuple((name, version) for name, version in agreed if name in asked)
    return CheckResult(**counts, agreed=same, differing=tuple(differing), skipped=tuple(skipped))


def _opened(
    vocabulary: Vocabulary, peers: Iterable[str], folder: Path
) -> tuple[dict[str, Encode], list[tuple[str, str]]]:
    asked: dict[str, Encode] = {}
    skipped: list[tuple[str, str]] = []
    for name in peers:
        if name not in PEERS:
            raise ValueError(f"no runtime {name!r}: choose from {', '.join(PEERS)}")
        try:
            asked[name] = PEERS[name](vocabulary, folder)
        except ImportError:
            skipped.append((name, "not installed"))
        except ValueError as error:
            skipped.append((name, str(error)))
    return asked, skipped


def _batches(texts: Texts) -> Iterator[list[str]]:
    source = iter(texts)
    while batch := list(islice(source, _CHECK_BATCH)):
        yield batch


def _first_difference(
    peer: str, base: int, batch: list[str], ours: list[list[int]], theirs: list[list[int]]
) -> Difference | None:
    for place, (text, mine, other) in enumerate(zip(batch, ours, theirs, strict=True)):
        if mine == other:
            continue
        same = next((at for at, pair in enumerate(zip(mine, other, strict=False)) if pair[0] != pair[1]), 0)
        around: Any = slice(max(0, same - 2), same + 8)
        excerpt = text[:_EXCERPT] if same == 0 else text[max(0, same - _EXCERPT) : same + 4 * _EXCERPT]
        return Difference(peer, base + place, excerpt, tuple(mine[around]), tuple(other[around]))
    return None
