"""A byte-level BPE vocabulary: tokens in the order of their ranks, merges, split pattern, special tokens.

A `Vocabulary` checks itself when it is built, so whoever holds one may rely on it: all 256 bytes are tokens,
no token occurs twice, every merge is made of earlier tokens, ids are contiguous. Rank order is merge order;
that is what lets one vocabulary live in tokenizer.json, in tiktoken ranks and in GGUF with the same ids.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from rust_ext import bpe_alphabet, derive_merges
from tokenizer import files, named
from tokenizer.roles import KNOWN, parted, roles_beside, transformers_json
from tokenizer.split import pattern_regex

#: No chat format is built in: begin, end, padding, and room for what a later fine-tuning needs.
SPECIAL_TOKENS = (
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|pad|>",
    *(f"<|reserved_{number}|>" for number in range(13)),
)
NO_MERGE = (-1, -1)

ALPHABET: Final = tuple(bytes([byte]) for byte in bpe_alphabet())
"""The tokens 0..255 of what we train: single bytes in the order of GPT-2 and tokenizers."""


@dataclass(frozen=True)
class Vocabulary:
    """tokens: bytes in rank order, the 256 single bytes first; a token's id is first_id + rank.

    merges: element i is the pair of ranks that makes token 256 + i; `NO_MERGE` where no pair does (only in a
    foreign vocabulary, `ordered` False). pattern: "llama3", "o200k" or a regular expression. special_tokens:
    string -> id, outside the ordinary ids. roles: bos, eos, unk, pad, sep, cls or mask -> the special token
    that has this role; roles that are not given follow from customary names (`tokenizer.roles`), and none
    decides an id. first_id: above 0 only where a foreign file numbers special tokens
    first. normalization: a Unicode form applied before splitting ("" none; ours never have one). ordered:
    rank order is merge order; False for vocabularies like Llama 3's, whose ranks are out of merge order, and
    which are encoded as tiktoken does it, by merging whatever concatenation is a token.
    """

    tokens: tuple[bytes, ...]
    merges: tuple[tuple[int, int], ...]
    pattern: str = "llama3"
    special_tokens: Mapping[str, int] = field(default_factory=dict, hash=False)
    first_id: int = 0
    normalization: str = ""
    ordered: bool = True
    roles: Mapping[str, str] = field(default_factory=dict, hash=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "special_tokens", MappingProxyType(dict(self.special_tokens)))
        object.__setattr__(self, "roles", MappingProxyType(dict(self.roles)))
        self._check_tokens()
        self._check_merges()
        self._check_order()
        self._check_specials()
        pattern_regex(self.pattern)
        if self.normalization and self.normalization not in files.NORMALIZATIONS:
            raise ValueError(
                f"normalization {self.normalization!r} is none of {', '.join(files.NORMALIZATIONS)}"
            )

    def _check_tokens(self) -> None:
        tokens = self.tokens
        if len(tokens) < 256:
            raise ValueError(
                f"a byte-level vocabulary holds all 256 bytes; this one has {len(tokens)} tokens"
            )
        missing = set(range(256)) - {token[0] for token in tokens[:256] if len(token) == 1}
        if missing:
            raise ValueError(f"the first 256 tokens must be the 256 bytes; {len(missing)} are missing")
        if len(set(tokens)) != len(tokens):
            twice = next(token for token, times in Counter(tokens).items() if times > 1)
            raise ValueError(f"token {twice!r} occurs twice")

    def _check_merges(self) -> None:
        tokens = self.tokens
        if len(self.merges) != len(tokens) - 256:
            raise ValueError(f"{len(tokens)} tokens need {len(tokens) - 256} merges, not {len(self.merges)}")
        for rank, (left, right) in enumerate(self.merges, start=256):
            if (left, right) == NO_MERGE and not self.ordered:
                continue
            inside = 0 <= left < len(tokens) and 0 <= right < len(tokens)
            if not inside or tokens[left] + tokens[right] != tokens[rank]:
                raise ValueError(f"merge {left} + {right} does not make token {rank}, {tokens[rank]!r}")
            if self.ordered and max(left, right) >= rank:
                raise ValueError(f"token {rank}, {tokens[rank]!r}, is merged from a later token")

    def _check_order(self) -> None:
        """Merging by pairs (tokenizers, llama.cpp) and merging by concatenation (tiktoken) give the same
        ids."""
        derived = derive_merges(list(self.tokens))
        if self.ordered and tuple(derived) != self.merges:
            rank = next(
                rank for rank, pair in enumerate(derived, start=256) if pair != self.merges[rank - 256]
            )
            raise ValueError(
                f"token {rank}, {self.tokens[rank]!r}, is not what merging by rank makes of its bytes; "
                "prune and number the tokens anew"
            )

    def _check_specials(self) -> None:
        ids = list(self.special_tokens.values())
        inside = [index for index in ids if self.first_id <= index < self.first_id + len(self.tokens)]
        if len(set(ids)) != len(ids) or inside or any(index < 0 for index in ids):
            raise ValueError("special tokens need ids of their own, outside those of ordinary tokens")
        if self.first_id < 0 or "" in self.special_tokens:
            raise ValueError("first_id must not be negative, a special token not empty")
        if unknown := self.roles.keys() - KNOWN.keys():
            raise ValueError(f"there is no role {min(unknown)!r}: roles are {', '.join(KNOWN)}")

    @property
    def size(self) -> int:
        """One more than the largest id: the rows that an embedding needs."""
        return max([self.first_id + len(self.tokens), *(index + 1 for index in self.special_tokens.values())])

    @property
    def digest(self) -> str:
        """SHA-256 over all that decides ids (64 hex digits): equal digests encode alike."""
        state = hashlib.sha256()
        about = (
            self.pattern,
            self.first_id,
            self.normalization,
            self.ordered,
            sorted(self.special_tokens.items()),
        )
        state.update(repr(about).encode())
        for token in self.tokens:
            state.update(len(token).to_bytes(4, "little") + token)
        return state.hexdigest()

    def with_special_tokens(self, names: Iterable[str] = SPECIAL_TOKENS) -> Vocabulary:
        """The same vocabulary with `names` as its special tokens, numbered from the last ordinary id on; a
        name may have roles before it (`pad=<nothing>`). ValueError for one that is spelled as an ordinary
        token, with or without a space before it: libraries would find it in every text."""
        plain, given = parted(names)
        tokens = set(self.tokens)
        for name in plain:
            raw = name.encode("utf-8", "surrogatepass")
            if tokens & {raw, b" " + raw, files.from_chars(name)}:
                raise ValueError(f"special token {name!r} is an ordinary token already; give it another name")
        start = self.first_id + len(self.tokens)
        numbered = {name: start + place for place, name in enumerate(plain)}
        return replace(self, special_tokens=numbered, roles=given)

    def merges_over(self, alphabet: Sequence[bytes]) -> list[tuple[int, int]]:
        """The merges, single bytes numbered as in `alphabet` and token 256 + i as it is: what
        `tokenizer.train.learn` goes on from. ValueError where ranks are not the order of merges."""
        if not self.ordered:
            raise ValueError(
                "its ranks are not the order of its merges (as Llama 3's), so training can't go on from it"
            )
        places = {token: place for place, token in enumerate(alphabet)}
        ids = [places[token] for token in self.tokens[:256]] + list(range(256, len(self.tokens)))
        return [(ids[left], ids[right]) for left, right in self.merges]

    def save(self, folder: str | Path) -> None:
        """Write tokenizer.json, tokenizer_config.json, special_tokens_map.json, ranks.tiktoken, tiktoken.json
        and vocab.tsv into `folder` (made when missing). `load` reads it back, transformers' AutoTokenizer,
        tokenizers and tiktoken open it too."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        config, special = transformers_json(self)
        contents = {
            "tokenizer.json": files.tokenizer_json(self),
            "tokenizer_config.json": config,
            "special_tokens_map.json": special,
            "ranks.tiktoken": files.ranks_bytes(self.tokens),
            "tiktoken.json": files.tiktoken_json(self),
            "vocab.tsv": files.table_bytes(self),
        }
        for name, data in contents.items():
            (folder / name).write_bytes(data)

    @classmethod
    def load(cls, path: str | Path, pattern: str | None = None) -> Vocabulary:
        """Open a folder, a file or a name: a saved vocabulary, a Hugging Face folder or tokenizer.json with
        byte-level BPE, a tiktoken rank file (`pattern` given, or in tiktoken.json beside it), a tekken.json,
        or one of the package (`tokenizer.named`).

        ValueError, with one line that says what is wrong, for anything else or anything damaged.
        """
        if named.is_named(path):
            return load_named(str(path))
        path = file_of(path)
        if path.name == "tekken.json":
            parts = files.read_tekken(path)
        elif path.suffix == ".json":
            parts = files.read_tokenizer_json(path)
        elif path.suffix == ".tiktoken":
            parts = files.read_ranks(path, pattern)
        else:
            raise ValueError(
                f"{path}: expected a folder, tokenizer.json, tekken.json or a .tiktoken rank file"
            )
        return replace(_build(parts), roles=roles_beside(path))

    @classmethod
    def from_ranks(cls, tokens: Iterable[bytes], pattern: str = "llama3") -> Vocabulary:
        """A vocabulary from tokens in rank order alone, as tiktoken keeps it; merges are derived."""
        return _build(files.Parts(tuple(tokens), None, pattern))


@functools.lru_cache(maxsize=len(named.NAMES))
def load_named(name: str) -> Vocabulary:
    """A vocabulary of the package by its name. ValueError where there is none, or its file is damaged."""
    stored = named.read(name)
    tokens = list(ALPHABET)
    try:
        for left, right in stored.merges:
            tokens.append(tokens[left] + tokens[right])
        special = {text: len(tokens) + place for place, text in enumerate(stored.special_tokens)}
        made = Vocabulary(tuple(tokens), stored.merges, named.PATTERN, special, roles=stored.roles)
    except (ValueError, IndexError):
        made = None
    if made is None or made.digest != stored.digest:
        raise ValueError(f"{named.FOLDER / name}.json.xz is damaged; install the package again")
    return made


def folder_of(name: str) -> Path:
    """A folder with the files of a vocabulary of the package, as `Vocabulary.save` writes them: in the user's
    cache, made where it is missing; a temporary one where the cache can't be written."""
    vocabulary = load_named(name)
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


def file_of(path: str | Path) -> Path:
    """The file that `Vocabulary.load` reads for a folder, the name of a vocabulary of the package, or the
    file itself; ValueError where there is none."""
    path = Path(path)
    if named.is_named(path):
        path = folder_of(str(path))
    if path.is_dir():
        path = _find(path)
    if not path.is_file():
        raise ValueError(f"{path}: {named.MISSING}")
    return path


def _find(folder: Path) -> Path:
    for name in ("tokenizer.json", "tekken.json"):
        if (folder / name).is_file():
            return folder / name
    ranks = sorted(folder.glob("*.tiktoken"))
    if len(ranks) == 1:
        return ranks[0]
    raise ValueError(
        f"{folder} holds no tokenizer.json, no tekken.json and {len(ranks) or 'no'} .tiktoken files"
    )


def _build(parts: files.Parts) -> Vocabulary:
    merges, ordered = parts.merges, True
    if merges is None:
        merges = tuple(derive_merges(list(parts.tokens)))
        ordered = all(pair != NO_MERGE and max(pair) < rank for rank, pair in enumerate(merges, start=256))
    return Vocabulary(
        tokens=parts.tokens,
        merges=merges,
        pattern=parts.pattern,
        special_tokens=parts.special_tokens,
        first_id=parts.first_id,
        normalization=parts.normalization,
        ordered=ordered,
    )
