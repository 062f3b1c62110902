"""Files of open models' tokenizers -> `Base`: tokenizer.json, tekken.json, tiktoken ranks.

What is not byte-level BPE is refused, and named. Nothing is downloaded or executed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from rust_ext import split_sequences
from tokenizer import files, named
from tokenizer.adapt.base import HF, TEKKEN, TIKTOKEN, Base
from tokenizer.split import PATTERNS, pattern_name
from tokenizer.vocabulary import NO_MERGE, folder_of

#: Special tokens of Tekken files that list none (mistral-common 1.13, tekken.py, up to version v7).
_TEKKEN_NAMES: Final = (
    "<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]", "[TOOL_CALLS]", "[IMG]", "<pad>", "[IMG_BREAK]", "[IMG_END]", "[PREFIX]", "[MIDDLE]",
    "[SUFFIX]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[TOOL_CONTENT]",
)  # fmt: skip
#: Names of Llama 3.1's special tokens from id 128000 on (llama-models, tokenizer.py); the rest of 256 is
#: reserved.
_LLAMA3_NAMES: Final = (
    "<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>", "<|reserved_special_token_1|>",
    "<|finetune_right_pad_id|>", "<|step_id|>", "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>",
    "<|eot_id|>", "<|python_tag|>",
)  # fmt: skip


@dataclass(frozen=True)
class _Known:
    """A rank file that carries neither pattern nor special tokens, known by the SHA-256 of its tokens."""

    pattern: str
    special_tokens: Mapping[str, int]


_KNOWN: Final = MappingProxyType(
    {
        "llama3": _Known(
            "llama3",
            {name: 128_000 + place for place, name in enumerate(_LLAMA3_NAMES)}
            | {f"<|reserved_special_token_{place - 9}|>": 128_000 + place for place in range(11, 256)},
        ),
        "o200k": _Known("o200k", {"<|endoftext|>": 199_999, "<|endofprompt|>": 200_018}),
        "cl100k": _Known(
            "cl100k",
            {
                "<|endoftext|>": 100_257,
                "<|fim_prefix|>": 100_258,
                "<|fim_middle|>": 100_259,
                "<|fim_suffix|>": 100_260,
                "<|endofprompt|>": 100_276,
            },
        ),
    }
)
#: SHA-256 over the tokens in rank order, each after its length (4 bytes, little-endian) -> a key of `_KNOWN`.
_DIGESTS: Final = MappingProxyType(
    {
        "5861169db03f237c50ae849a13788f96c746f9636d9722ed30a45b7e0675ce30": "llama3",
        "5d6cb6182d039b81bc66a2185f24eb91de7e333213fb2e7a46d5c982c77f3d00": "o200k",
        "be52da118a38232d010811f3ca60f21b7824fd75ab422e92cf240c54253bba22": "cl100k",
    }
)


def load(path: str | Path, pattern: str | None = None) -> Base:
    """The base in a folder or file. `pattern` is for a rank file that carries none. ValueError, in one line,
    where there is none, or none that is byte-level BPE with a split pattern."""
    file = file_of(path)
    if file.name == "tekken.json":
        base = _tekken(file)
    elif file.suffix == ".json":
        base = _tokenizer_json(file)
    else:
        base = _ranks(file, pattern)
    return replace(base, source=file.parent if named.is_named(path) else Path(path))


def file_of(path: str | Path) -> Path:
    """The file that decides: of a folder its tekken.json, tokenizer.json, or rank file."""
    path = Path(path)
    if named.is_named(path):
        path = folder_of(str(path))
    if path.is_file():
        return path
    if not path.is_dir():
        raise ValueError(f"{path}: {named.MISSING}")
    for name in ("tekken.json", "tokenizer.json", "tokenizer.model"):
        if (path / name).is_file():
            return path / name
    ranks = sorted(path.glob("*.tiktoken"))
    if len(ranks) != 1:
        raise ValueError(
            f"{path} holds no tokenizer.json, no tekken.json and {len(ranks) or 'no'} .tiktoken files"
        )
    return ranks[0]


# --- tiktoken ranks -----


def tokens_digest(tokens: Sequence[bytes]) -> str:
    """SHA-256 over tokens, each after its length."""
    state = hashlib.sha256()
    for token in tokens:
        state.update(len(token).to_bytes(4, "little") + token)
    return state.hexdigest()


def _ranks(path: Path, pattern: str | None) -> Base:
    by_rank = _read_ranks(path)
    ids = tuple(sorted(by_rank))
    tokens = tuple(by_rank[rank] for rank in ids)
    about: dict[str, Any] = {}
    for name in ("tiktoken.json", "meta.json"):
        if path.with_name(name).is_file():
            about = files.read_json(path.with_name(name)) | about
    known = _KNOWN.get(_DIGESTS.get(tokens_digest(tokens), ""))
    pattern = pattern or about.get("pattern") or (known.pattern if known else None)
    if not pattern:
        raise ValueError(
            f"{path} carries no split pattern: give one, or a tiktoken.json with `pattern` beside it"
        )
    special: Mapping[str, int] = about.get("special_tokens") or (known.special_tokens if known else {})
    rows = max(
        [ids[-1] + 1 + int(about.get("n_special", 0)) * (not special), *(1 + i for i in special.values())]
    )
    rows = max(rows, int(about.get("rows", 0)))
    return _checked(
        path,
        tokens=tokens,
        ids=ids,
        special_tokens=special,
        rows=rows,
        pattern=pattern_name(pattern),
        normalization=about.get("norm", "") or "",
        form=TIKTOKEN,
        ignore_merges=True,
        every_split=True,
    )


def _read_ranks(path: Path) -> dict[int, bytes]:
    by_rank: dict[int, bytes] = {}
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            token, rank = line.split()
            by_rank[int(rank)] = base64.b64decode(token, validate=True)
        except (ValueError, binascii.Error) as error:
            if path.suffix == ".model":
                raise ValueError(
                    f"{path} is a SentencePiece model (as Llama 2's and Gemma's), not byte-level BPE: "
                    "take another tokenizer"
                ) from error
            raise ValueError(f"{path}:{number} is not a tiktoken rank line (base64 and a number)") from error
    if not by_rank:
        raise ValueError(f"{path} holds no ranks")
    return by_rank


# --- tekken.json -----


def _tekken(path: Path) -> Base:
    data = files.read_json(path)
    try:
        config = data["config"]
        first, rows = int(config["default_num_special_tokens"]), int(config["default_vocab_size"])
        entries = sorted(data["vocab"], key=lambda entry: int(entry["rank"]))[: rows - first]
        tokens = tuple(base64.b64decode(entry["token_bytes"], validate=True) for entry in entries)
        pattern = str(config["pattern"])
        listed = data.get("special_tokens")
        special = tekken_specials(listed, first)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a tekken.json: {error!r}") from error
    if len(tokens) != rows - first:
        raise ValueError(
            f"{path}: default_vocab_size {rows} is more than its {len(tokens)} tokens and {first}"
        )
    return _checked(
        path,
        tokens=tokens,
        ids=tuple(range(first, rows)),
        special_tokens=special,
        rows=rows,
        pattern=pattern_name(pattern),
        form=TEKKEN,
        ignore_merges=True,
        every_split=True,
    )


def tekken_specials(listed: list[dict[str, Any]] | None, count: int) -> dict[str, int]:
    """All special tokens of a tekken.json by name: those it lists (or, listing none, those of old versions),
    and what mistral-common calls the rest."""
    if listed is None:
        names = {name: index for index, name in enumerate(_TEKKEN_NAMES[:count])}
    else:
        names = {str(entry["token_str"]): int(entry["rank"]) for entry in listed}
    for index in range(len(names), count):
        names[f"<SPECIAL_{index}>"] = index
    return names


# --- tokenizer.json -----


def _tokenizer_json(path: Path) -> Base:
    data = files.read_json(path)
    model = data.get("model")
    if not isinstance(model, dict):
        raise ValueError(f"{path} is not a tokenizer.json: it has no model")
    _refuse_others(path, data, model)
    try:
        added = {str(token["content"]): int(token["id"]) for token in data.get("added_tokens") or ()}
        vocab: dict[bytes, int] = {}
        for spelled, index in model["vocab"].items():
            if added.get(spelled) == index:
                continue
            token = files.from_chars(spelled)
            if token is None:
                raise ValueError(
                    f"{path}: token {spelled!r} is not in the byte-level alphabet: take another tokenizer"
                )
            vocab[token] = int(index)
        tokens, every = _ranked(vocab, model["merges"], path)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not a tokenizer.json this reader knows: {error!r}") from error
    base = _checked(
        path,
        tokens=tokens,
        ids=tuple(vocab[token] for token in tokens),
        special_tokens=added,
        rows=1 + max(*vocab.values(), *added.values(), 0),
        pattern=_pattern(data, path),
        normalization=_normalization(data, path),
        form=HF,
        ignore_merges=bool(model.get("ignore_merges")),
        every_split=every,
    )
    _check_merges(base, model["merges"], path)
    return base


def _refuse_others(path: Path, data: Mapping[str, Any], model: Mapping[str, Any]) -> None:
    kind = model.get("type") or ("Unigram" if "unk_id" in model else "BPE")
    steps = [str(step.get("type")) for step in files.flat(data.get("pre_tokenizer"), "pretokenizers")]
    what = ""
    if kind != "BPE":
        what = f"a {kind} model"
    elif model.get("byte_fallback") or "Metaspace" in steps:
        what = "SentencePiece's BPE over characters (as Llama 2's and Gemma's)"
    elif "ByteLevel" not in steps:
        what = f"BPE over characters, pre-tokenizer {'+'.join(steps) or 'none'}"
    if what:
        raise ValueError(f"{path} holds {what}, not byte-level BPE: take another tokenizer")
    for key in ("continuing_subword_prefix", "end_of_word_suffix", "dropout"):
        if model.get(key):
            raise ValueError(f"{path}: model.{key} is set, which byte-level BPE does not have")


def _pattern(data: Mapping[str, Any], path: Path) -> str:
    steps = files.flat(data.get("pre_tokenizer"), "pretokenizers")
    *splits, level = steps
    kinds = [str(step.get("type")) for step in steps]
    if kinds[-1] != "ByteLevel" or any(kind != "Split" for kind in kinds[:-1]):
        raise ValueError(f"{path}: the pre-tokenizer {'+'.join(kinds)} is not Split and ByteLevel")
    if level.get("add_prefix_space"):
        raise ValueError(f"{path}: ByteLevel adds a leading space, so texts do not come back as they were")
    if not splits:
        return pattern_name(PATTERNS["gpt2"])
    isolated = all(
        step.get("behavior") == "Isolated" or (step.get("behavior") == "Removed" and step.get("invert"))
        for step in splits
    )
    regexes = [step.get("pattern", {}).get("Regex") for step in splits]
    if level.get("use_regex", True) or None in regexes or not isolated:
        raise ValueError(f"{path}: its Split is not by regular expressions that keep all text")
    if len(regexes) == 1:
        return pattern_name(str(regexes[0]))
    for name, sequence in split_sequences():
        if regexes == sequence:
            return name
    raise ValueError(
        f"{path}: {len(regexes)} splits in a row are known of DeepSeek alone, and these are others"
    )


def _normalization(data: Mapping[str, Any], path: Path) -> str:
    names = [str(step.get("type")) for step in files.flat(data.get("normalizer"), "normalizers")]
    if not names:
        return ""
    if len(names) == 1 and names[0] in files.NORMALIZATIONS:
        return names[0]
    raise ValueError(f"{path}: the normalizer {'+'.join(names)} is not one Unicode form")


def merge_parts(merge: Any) -> tuple[bytes, bytes]:
    """The two tokens of a merge as a tokenizer.json lists it. ValueError where they are not byte-level."""
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    parts = files.from_chars(left), files.from_chars(right)
    if parts[0] is None or parts[1] is None:
        raise ValueError(f"merge {left!r} + {right!r} is not in the byte-level alphabet")
    return parts[0], parts[1]


def _ranked(vocab: Mapping[bytes, int], merges: list[Any], path: Path) -> tuple[tuple[bytes, ...], bool]:
    """Tokens in the order of their merges (single bytes first, what no merge makes last), and whether there
    are several merges for one token."""
    order: dict[bytes, None] = {}
    several = False
    for merge in merges:
        left, right = merge_parts(merge)
        if not {left, right, left + right} <= vocab.keys():
            raise ValueError(f"{path}: merge {left!r} + {right!r} is not made of its tokens")
        several |= left + right in order
        order[left + right] = None
    by_id = sorted(vocab, key=vocab.__getitem__)
    single = [token for token in by_id if len(token) == 1]
    rest = [token for token in by_id if len(token) > 1 and token not in order]
    return tuple(single + [token for token in order if len(token) > 1] + rest), several


def _check_merges(base: Base, merges: list[Any], path: Path) -> None:
    """Merging the pairs that the file lists does what merging by rank does."""
    listed: set[tuple[bytes, bytes]] = {merge_parts(merge) for merge in merges}
    tokens = base.tokens
    for rank, pair in enumerate(base.merges, start=256):
        derived = None if pair == NO_MERGE else (tokens[pair[0]], tokens[pair[1]])
        if derived is not None and derived not in listed:
            raise ValueError(
                f"{path}: no merge makes token {base.ids[rank]}, {tokens[rank]!r}, of the parts that merging "
                "by rank arrives at; merges out of order are not done exactly: take another tokenizer"
            )
    if not base.every_split:
        _check_dead(base, merges, path)
        return
    ranks = base.rank_of
    for token in tokens[256:]:
        for cut in range(1, len(token)):
            parts = token[:cut], token[cut:]
            if parts[0] in ranks and parts[1] in ranks and parts not in listed:
                raise ValueError(
                    f"{path}: it lists several merges for a token, but not {parts[0]!r} + {parts[1]!r}"
                )


def _check_dead(base: Base, merges: list[Any], path: Path) -> None:
    """A token that merging by rank does not reach is none that merging the listed pairs reaches: then no text
    makes it, and both ways agree on all texts."""
    order: dict[tuple[bytes, bytes], int] = {}
    for place, merge in enumerate(merges):
        order.setdefault(merge_parts(merge), place)
    for rank, pair in enumerate(base.merges, start=256):
        if pair == NO_MERGE and len(_merged(base.tokens[rank], order)) == 1:
            raise ValueError(
                f"{path}: its merges make token {base.ids[rank]}, {base.tokens[rank]!r}, which merging by "
                "rank does not; merges out of order are not done exactly: take another tokenizer"
            )


def _merged(token: bytes, order: Mapping[tuple[bytes, bytes], int]) -> list[bytes]:
    """What merging pairs makes of bytes."""
    parts = [bytes([byte]) for byte in token]
    while True:
        found = [(order[pair], at) for at, pair in enumerate(pairwise(parts)) if pair in order]
        if not found:
            return parts
        at = min(found)[1]
        parts[at : at + 2] = [parts[at] + parts[at + 1]]


def _checked(path: Path, **parts: Any) -> Base:
    try:
        return Base(**parts)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
