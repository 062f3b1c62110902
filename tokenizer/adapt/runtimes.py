"""An adapted tokenizer's files opened by the runtimes that people use, to compare ids.

Each opens what its users would give it: tokenizer.json, the folder, tekken.json, GGUF. A runtime that is not
installed, or does not take the format, is named so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Final

from tokenizer.adapt.base import Base
from tokenizer.adapt.write import GGUF
from tokenizer.export import open_tokenizers
from tokenizer.split import pattern_regex

Encode = Callable[[list[str]], list[list[int]]]


@dataclass(frozen=True)
class Runtime:
    """open: folder and tokenizer -> what encodes texts; ValueError where the format is not its own. share:
    of the texts it is given, since some are slow. runs: the tokenizer as this runtime runs it, whose ids it
    is to give; None: as it is."""

    open: Callable[[Path, Base], Encode]
    share: float = 1.0
    runs: Callable[[Base], Base] | None = None


def _tokenizers(folder: Path, _: Base) -> Encode:
    import tokenizers

    theirs = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    return lambda texts: [one.ids for one in theirs.encode_batch(texts, add_special_tokens=False)]


def _tokenizers_merging(folder: Path, _: Base) -> Encode:
    """The same with `ignore_merges` the other way: no new token may depend on it."""
    import json

    data = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    if not data["model"].get("ignore_merges"):
        raise ValueError("the base does without ignore_merges")
    data["model"]["ignore_merges"] = False
    theirs = open_tokenizers(json.dumps(data))
    return lambda texts: [one.ids for one in theirs.encode_batch(texts, add_special_tokens=False)]


def _transformers(folder: Path, _: Base) -> Encode:
    import os

    # That it finds no PyTorch is no news to who asks for a tokenizer.
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return lambda texts: [list(one) for one in theirs(texts, add_special_tokens=False)["input_ids"]]


def _tiktoken(_: Path, made: Base) -> Encode:
    import tiktoken

    ranks = {token: rank for rank, token in enumerate(made.tokens)}
    theirs = tiktoken.Encoding(
        "adapted", pat_str=pattern_regex(made.pattern), mergeable_ranks=ranks, special_tokens={}
    )

    def encode(texts: list[str]) -> list[list[int]]:
        found = theirs.encode_ordinary_batch(made.encoder.normalized(texts))
        return [[made.ids[rank] for rank in one] for one in found]

    if not made.ignore_merges and not made.ordered:
        raise ValueError("it takes a pretoken that is a token as that token, which the base does not")
    return encode


def _gigatoken(folder: Path, _: Base) -> Encode:
    import gigatoken

    try:
        theirs = gigatoken.Tokenizer.from_json((folder / "tokenizer.json").read_text(encoding="utf-8"))
    except BaseException as error:  # its loader panics, which is no Exception, on what it does not take
        if isinstance(error, KeyboardInterrupt):
            raise
        raise ValueError(f"its loader does not take the file: {str(error)[:80]}") from error
    return lambda texts: [theirs.encode(text).tolist() for text in texts]


def _mistral_common(folder: Path, _: Base) -> Encode:
    from mistral_common.tokens.tokenizers.tekken import Tekkenizer

    if not (folder / "tekken.json").is_file():
        raise ValueError("the base has no tekken.json")
    theirs = Tekkenizer.from_file(folder / "tekken.json")
    return lambda texts: [theirs.encode(text, bos=False, eos=False) for text in texts]


def _llama_cpp(folder: Path, made: Base) -> Encode:
    import llama_cpp

    if not (folder / GGUF).is_file():
        raise ValueError("llama.cpp has no pre-tokenizer of this pattern")
    theirs = llama_cpp.Llama(str(folder / GGUF), vocab_only=True, verbose=False)

    def encode(texts: list[str]) -> list[list[int]]:
        ready = made.encoder.normalized(texts)
        return [theirs.tokenize(text.encode("utf-8"), add_bos=False, special=False) for text in ready]

    return encode


def _by_merges(made: Base) -> Base:
    return replace(made, ignore_merges=False)


#: llama.cpp's own expressions (src/llama-vocab.cpp, MIT) where they cut otherwise than the base's: they tell
#: capitals from small letters in ASCII alone, so that words such as КоАП stay whole.
_LLAMA_CPP_PATTERNS: Final[Mapping[str, str]] = {
    "tekken": r"[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))*((?=[\p{L}])([^A-Z]))+|[^\r\n\p{L}\p{N}]?((?=[\p{L}])"
    r"([^a-z]))+((?=[\p{L}])([^A-Z]))*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "o200k": r"[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))*((?=[\p{L}])([^A-Z]))+(?:'[sS]|'[tT]|'[rR][eE]|"
    r"'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?|[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))+((?=[\p{L}])([^A-Z]))*(?:'[sS]|'[tT]|"
    r"'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|"
    r"\s+(?!\S)|\s+",
}


def _as_llama_cpp(made: Base) -> Base:
    return replace(made, pattern=_LLAMA_CPP_PATTERNS.get(made.pattern, made.pattern))


#: Runtime (its distribution's name, with what is special about it after a comma) and what opens a folder in
#: it.
RUNTIMES: Final[Mapping[str, Runtime]] = {
    "tokenizers": Runtime(_tokenizers),
    "tokenizers, without ignore_merges": Runtime(_tokenizers_merging, 0.25, _by_merges),
    "transformers": Runtime(_transformers, 0.25),
    "tiktoken": Runtime(_tiktoken),
    "gigatoken": Runtime(_gigatoken),
    "mistral-common": Runtime(_mistral_common),
    "llama-cpp-python": Runtime(_llama_cpp, 0.25, _as_llama_cpp),
}


@dataclass(frozen=True)
class Compared:
    """A runtime's version ("": not compared), how many texts it was given, and the first of them with other
    ids (None: all equal). why: the reason for which it was not compared, or what else is to be known."""

    name: str
    version: str = ""
    why: str = ""
    texts: int = 0
    differs: str | None = None


def compare(
    folder: Path, made: Base, texts: list[str], only: Mapping[str, Runtime] = RUNTIMES
) -> list[Compared]:
    """Ids of `texts` in every runtime, beside those of our own encoder. A text that the merge-dead tokens
    of a base are part of is judged by its ids alone, as any other."""
    expected = [made.encoder.encode(text) for text in texts]
    found = []
    for name, runtime in only.items():
        number = max(1, int(runtime.share * len(texts)))
        try:
            encode = runtime.open(folder, made)
            version = metadata.version(name.partition(",")[0])
        except ImportError:
            found.append(Compared(name, why="not installed"))
            continue
        except ValueError as error:
            found.append(Compared(name, why=" ".join(str(error).split())))
            continue
        except Exception as error:
            why = f"does not open the files: {' '.join(repr(error).split())[:200]}"
            found.append(Compared(name, metadata.version(name.partition(",")[0]), why, differs=""))
            continue
        given, wanted, why = texts[:number], expected[:number], ""
        runs = runtime.runs(made) if runtime.runs else made
        if runs != made:
            wanted = [runs.encoder.encode(text) for text in given]
        if runs.pattern != made.pattern:
            others = sum(a != b for a, b in zip(wanted, expected, strict=False))
            why = f"its own pattern cuts {others:,} of them otherwise than the base's, with the base too"
        pairs = zip(given, wanted, encode(given), strict=True)
        wrong = next((text for text, ids, theirs in pairs if ids != list(theirs)), None)
        found.append(Compared(name, version, why, texts=len(given), differs=wrong))
    return found
