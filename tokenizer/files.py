"""The files a byte-level BPE vocabulary lives in: tokenizer.json, tiktoken ranks, tekken.json.

Readers return `Parts` (plain data, nothing checked beyond the format), writers take a `Content`; the
checks live in `tokenizer.vocabulary`. Nothing here is executed or downloaded: a tokenizer.json whose pipeline
is not exactly "split by one pattern, then byte-level BPE" is refused by name, not approximated.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from rust_ext import split_sequences
from tokenizer.split import PATTERNS, oniguruma_regex, pattern_name, pattern_regex

NORMALIZATIONS = ("NFC", "NFD", "NFKC", "NFKD")


@dataclass(frozen=True)
class Parts:
    """What a file says: tokens in rank order, merges (None: to be derived), and what surrounds them."""

    tokens: tuple[bytes, ...]
    merges: tuple[tuple[int, int], ...] | None
    pattern: str
    special_tokens: Mapping[str, int] = field(default_factory=dict)
    first_id: int = 0
    normalization: str = ""


class Content(Protocol):
    """What the writers need of a `tokenizer.vocabulary.Vocabulary`, which is one."""

    @property
    def tokens(self) -> tuple[bytes, ...]: ...
    @property
    def merges(self) -> tuple[tuple[int, int], ...]: ...
    @property
    def pattern(self) -> str: ...
    @property
    def special_tokens(self) -> Mapping[str, int]: ...
    @property
    def roles(self) -> Mapping[str, str]: ...
    @property
    def first_id(self) -> int: ...
    @property
    def normalization(self) -> str: ...
    @property
    def ordered(self) -> bool: ...
    @property
    def size(self) -> int: ...


def _byte_alphabet() -> tuple[str, ...]:
    """GPT-2's printable stand-ins: element b is the character that stands for byte b (openai/gpt-2,
    encoder.py)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = iter(range(256, 512))
    kept = set(printable)
    return tuple(chr(byte) if byte in kept else chr(next(others)) for byte in range(256))


BYTE_TO_CHAR = _byte_alphabet()
CHAR_TO_BYTE = {char: byte for byte, char in enumerate(BYTE_TO_CHAR)}
_TO_CHARS = dict(enumerate(BYTE_TO_CHAR))


def to_chars(token: bytes) -> str:
    """The byte-level spelling of a token: one character a byte."""
    return token.decode("latin-1").translate(_TO_CHARS)


def from_chars(text: str) -> bytes | None:
    """The bytes that a byte-level spelling stands for; None when it holds a character outside the
    alphabet."""
    try:
        return bytes([CHAR_TO_BYTE[char] for char in text])
    except KeyError:
        return None


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; ValueError with one line when it is something else."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise ValueError(f"{path} holds a {type(data).__name__}, not an object")
    return data


def json_bytes(data: object) -> bytes:
    """JSON as it stands in our files: indented, not ASCII-escaped, one line end at the end."""
    return (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


# --- tiktoken ranks -----


def ranks_bytes(tokens: Iterable[bytes]) -> bytes:
    """A tiktoken rank file: a line a token, base64 and rank."""
    lines = (b"%s %d\n" % (base64.b64encode(token), rank) for rank, token in enumerate(tokens))
    return b"".join(lines)


def _rank_lines(data: bytes, path: Path) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            token, rank = line.split()
            yield int(rank), base64.b64decode(token, validate=True)
        except (ValueError, binascii.Error) as error:
            raise ValueError(f"{path}:{number} is not a tiktoken rank line (base64 and a number)") from error


def read_ranks(path: Path, pattern: str | None = None) -> Parts:
    """A tiktoken rank file. The pattern is given, or stands as `pattern` in tiktoken.json or meta.json beside
    it."""
    ranks = sorted(_rank_lines(path.read_bytes(), path))
    if [rank for rank, _ in ranks] != list(range(len(ranks))):
        raise ValueError(f"{path}: ranks are not 0..{len(ranks) - 1}, each once")
    special: Mapping[str, int] = {}
    normalization = ""
    for name in ("tiktoken.json", "meta.json"):
        beside = path.with_name(name)
        if pattern is None and beside.is_file():
            about = read_json(beside)
            pattern = about.get("pattern")
            special = about.get("special_tokens", {})
            normalization = about.get("norm", "") or ""
    if pattern is None:
        raise ValueError(
            f"{path} carries no split pattern: give one, or a tiktoken.json with `pattern` beside it"
        )
    tokens = tuple(token for _, token in ranks)
    return Parts(tokens, None, pattern_name(pattern), special, 0, normalization)


def tiktoken_json(vocabulary: Content) -> bytes:
    """What tiktoken.Encoding needs beside the ranks: pattern and special tokens."""
    return json_bytes(
        {
            "pattern": pattern_regex(vocabulary.pattern),
            "special_tokens": dict(vocabulary.special_tokens),
            "explicit_n_vocab": vocabulary.size,
        }
    )


# --- tekken.json -----


def read_tekken(path: Path) -> Parts:
    """Mistral's tekken.json: ranks in base64; ids begin after the special tokens."""
    data = read_json(path)
    try:
        config = data["config"]
        specials = int(config["default_num_special_tokens"])
        count = int(config["default_vocab_size"]) - specials
        entries = sorted(data["vocab"][:count], key=lambda entry: int(entry["rank"]))
        tokens = tuple(base64.b64decode(entry["token_bytes"], validate=True) for entry in entries)
        named = {str(entry["token_str"]): int(entry["rank"]) for entry in data.get("special_tokens") or ()}
        pattern = str(config["pattern"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a tekken.json: {error!r}") from error
    return Parts(tokens, None, pattern_name(pattern), named, specials)


# --- tokenizer.json -----


def flat(step: Any, key: str) -> list[dict[str, Any]]:
    """A pipeline step as a list: a Sequence's members, or the step itself; nothing for null."""
    if step is None:
        return []
    if step.get("type") == "Sequence":
        return [inner for member in step[key] for inner in flat(member, key)]
    return [step]


def _hf_pattern(data: dict[str, Any], path: Path) -> str:
    steps = flat(data.get("pre_tokenizer"), "pretokenizers")
    kinds = [step.get("type") for step in steps]
    regexes = [step.get("pattern", {}).get("Regex") for step in steps if step.get("type") == "Split"]
    for name, sequence in split_sequences():
        if kinds[-1:] == ["ByteLevel"] and len(kinds) == len(regexes) + 1 and regexes == sequence:
            return PATTERNS[name]
    if not steps or kinds[-1] != "ByteLevel" or kinds not in (["ByteLevel"], ["Split", "ByteLevel"]):
        raise ValueError(
            f"{path}: pre-tokenizer {'+'.join(map(str, kinds)) or 'none'} is not one Split and ByteLevel; "
            "open it with the tokenizers library"
        )
    level = steps[-1]
    if level.get("add_prefix_space"):
        raise ValueError(f"{path}: ByteLevel adds a leading space; open it with the tokenizers library")
    if kinds == ["ByteLevel"]:
        return PATTERNS["gpt2"]
    split = steps[0]
    pattern = split.get("pattern", {})
    isolated = split.get("behavior") == "Isolated" or (
        split.get("behavior") == "Removed" and split.get("invert")
    )
    if level.get("use_regex", True) or "Regex" not in pattern or not isolated:
        raise ValueError(
            f"{path}: its Split is not one regular expression; open it with the tokenizers library"
        )
    return str(pattern["Regex"])


def _hf_normalization(data: dict[str, Any], path: Path) -> str:
    names = [str(step.get("type")) for step in flat(data.get("normalizer"), "normalizers")]
    if not names:
        return ""
    if len(names) == 1 and names[0] in NORMALIZATIONS:
        return names[0]
    raise ValueError(f"{path}: normalizer {'+'.join(names)} is not one Unicode form; open it with tokenizers")


def made_by_text(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The added tokens of a tokenizer.json that are not special: text that spells them makes them."""
    return [token for token in data.get("added_tokens") or () if not token.get("special", False)]


def _hf_tokens(
    vocab: Mapping[str, int], added: Mapping[str, int], path: Path
) -> tuple[tuple[bytes, ...], int]:
    """Ordinary tokens by id, and the first of their ids."""
    ordinary = sorted((index, token) for token, index in vocab.items() if added.get(token) != index)
    if not ordinary:
        raise ValueError(f"{path} holds no tokens")
    first = ordinary[0][0]
    tokens = []
    for rank, (index, token) in enumerate(ordinary):
        if index != first + rank:
            raise ValueError(f"{path}: ids of ordinary tokens have a gap at {first + rank}")
        raw = from_chars(token)
        if raw is None:
            raise ValueError(f"{path}: token {token!r} is not in the byte-level alphabet")
        tokens.append(raw)
    return tuple(tokens), first


def _hf_merges(
    merges: list[Any], tokens: tuple[bytes, ...], path: Path
) -> tuple[tuple[int, int], ...] | None:
    """Merges as pairs of ranks when the file lists one a token in rank order; None when it lists, as Llama
    3's does, every split of every token by rank (what tiktoken merges), so that they are to be derived."""
    rank = {token: index for index, token in enumerate(tokens)}
    pairs, results = [], []
    for merge in merges:
        left, right = merge.split(" ") if isinstance(merge, str) else merge
        a, b = from_chars(left), from_chars(right)
        if a is None or b is None or not {a, b, a + b} <= rank.keys():
            raise ValueError(f"{path}: merge {left!r} + {right!r} is not made of its tokens")
        pairs.append((rank[a], rank[b]))
        results.append(rank[a + b])
    if results == list(range(256, len(tokens))):
        return tuple(pairs)
    if results == sorted(results) and _lists_every_split(set(pairs), tokens, rank):
        return None
    raise ValueError(f"{path}: merges do not follow the order of ids; open it with the tokenizers library")


def _lists_every_split(
    pairs: set[tuple[int, int]], tokens: tuple[bytes, ...], rank: Mapping[bytes, int]
) -> bool:
    for token in tokens[256:]:
        for cut in range(1, len(token)):
            left, right = rank.get(token[:cut]), rank.get(token[cut:])
            if left is not None and right is not None and (left, right) not in pairs:
                return False
    return True


def read_tokenizer_json(path: Path) -> Parts:
    """A tokenizer.json of the tokenizers library that holds byte-level BPE with one split pattern."""
    data = read_json(path)
    model = data.get("model")
    if not isinstance(model, dict) or model.get("type", "BPE") != "BPE" or model.get("byte_fallback"):
        raise ValueError(f"{path} does not hold byte-level BPE; open it with the tokenizers library")
    for key in ("continuing_subword_prefix", "end_of_word_suffix", "dropout"):
        if model.get(key):
            raise ValueError(f"{path}: model.{key} is set; open it with the tokenizers library")
    try:
        pattern = _hf_pattern(data, path)
        normalization = _hf_normalization(data, path)
        if made := made_by_text(data):
            raise ValueError(
                f"{path}: added token {made[0]['content']!r} is not special, so that text makes it; open it "
                "with the tokenizers library"
            )
        added = {str(token["content"]): int(token["id"]) for token in data.get("added_tokens") or ()}
        tokens, first_id = _hf_tokens(model["vocab"], added, path)
        merges = _hf_merges(model["merges"], tokens, path)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not a tokenizer.json this reader knows: {error!r}") from error
    return Parts(tokens, merges, pattern_name(pattern), added, first_id, normalization)


def merge_spellings(vocabulary: Content) -> Iterator[tuple[str, str]]:
    """Merges in order, spelled in the byte-level alphabet: one a token, or, for a vocabulary out of merge
    order, every split of every token, by the rank of the result."""
    tokens = vocabulary.tokens
    if vocabulary.ordered:
        for left, right in vocabulary.merges:
            yield to_chars(tokens[left]), to_chars(tokens[right])
        return
    known = set(tokens)
    for token in tokens[256:]:
        for cut in range(1, len(token)):
            if token[:cut] in known and token[cut:] in known:
                yield to_chars(token[:cut]), to_chars(token[cut:])


def tokenizer_json(vocabulary: Content) -> bytes:
    """The tokenizer.json of a vocabulary: Split(pattern) + ByteLevel, BPE, no post-processor that adds
    tokens.

    Special tokens stand in the model's vocabulary as well: tokenizers 0.23 renumbers them otherwise when
    later ids follow. A vocabulary out of merge order is written with every split of every token and
    `ignore_merges`.
    """
    tokens = vocabulary.tokens
    vocab = {to_chars(token): vocabulary.first_id + rank for rank, token in enumerate(tokens)}
    if twice := vocab.keys() & vocabulary.special_tokens.keys():
        raise ValueError(
            f"special token {min(twice)!r} is spelled as an ordinary token; tokenizer.json can't hold both"
        )
    vocab.update(vocabulary.special_tokens)
    merges = list(merge_spellings(vocabulary))
    data = empty_tokenizer_json(vocabulary.pattern, vocabulary.normalization, vocabulary.special_tokens)
    data["model"] |= {"ignore_merges": not vocabulary.ordered, "vocab": vocab, "merges": merges}
    return json_bytes(data)


def empty_tokenizer_json(
    pattern: str, normalization: str | None, special_tokens: Mapping[str, int]
) -> dict[str, Any]:
    """A tokenizer.json whose model has no `vocab`, `merges` and `ignore_merges` yet."""
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    split = {
        "type": "Split",
        "pattern": {"Regex": oniguruma_regex(pattern)},
        "behavior": "Isolated",
        "invert": False,
    }
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    specials = sorted(special_tokens.items(), key=lambda item: item[1])
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": index, "content": name, **flags} for name, index in specials],
        "normalizer": {"type": normalization} if normalization else None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, level]},
        "post_processor": None,
        "decoder": level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
        },
    }


def table_bytes(vocabulary: Content) -> bytes:
    """A table to read: id, text (Python literal), bytes in hex, and the two parts of the merge."""
    rows = ["id\ttoken\thex\tleft\tright"]
    for rank, token in enumerate(vocabulary.tokens):
        left, right = vocabulary.merges[rank - 256] if rank >= 256 else (-1, -1)
        try:
            shown = repr(token.decode("utf-8"))
        except UnicodeDecodeError:
            shown = repr(token)
        parts = (str(part + vocabulary.first_id) if part >= 0 else "" for part in (left, right))
        rows.append("\t".join((str(vocabulary.first_id + rank), shown, token.hex(), *parts)))
    for name, index in sorted(vocabulary.special_tokens.items(), key=lambda item: item[1]):
        rows.append(f"{index}\t{name!r}\tspecial\t\t")
    return ("\n".join(rows) + "\n").encode("utf-8")
