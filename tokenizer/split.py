"""The split pattern: where byte-level BPE may not merge across.

`PATTERNS` is the one place from which Python and Rust take the patterns that are written out by hand; any
other regular expression runs on the Rust crate fancy-regex.
"""

import re
from difflib import get_close_matches
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from rust_ext import Splitter, split_patterns
from tokenizer.parameters import VocabularyOptions

PATTERNS: Final = MappingProxyType(dict(split_patterns()))
"""Name -> regular expression: llama3 (the default), qwen2, o200k, tekken, qwen35, cl100k, deepseek3 (all by
hand), gpt2 (fancy-regex)."""

_ONIGURUMA: Final = {
    # There {1,3}+ repeats the whole, and $ is the end of a line.
    "cl100k": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s+\z|\s*[\r\n]|\s+(?!\S)|\s",
}

DEFAULT: Final = VocabularyOptions.pattern
"""Llama 3's pattern: the safest across tokenizer.json, tiktoken and llama.cpp's `llama-bpe`."""


def pattern_regex(pattern: str) -> str:
    """The regular expression that a name of `PATTERNS` stands for; what is no name is one already.

    Raises ValueError, in one line, if it does not compile.
    """
    if pattern not in PATTERNS:
        splitter(pattern)
    return PATTERNS.get(pattern, pattern)


def oniguruma_regex(pattern: str) -> str:
    """The same for the engine of the tokenizers library, which reads some expressions otherwise."""
    return _ONIGURUMA.get(pattern_name(pattern)) or pattern_regex(pattern)


def pattern_name(regex: str) -> str:
    """The name of a regular expression that `PATTERNS` holds; any other stays itself."""
    spelled = [*PATTERNS.items(), *_ONIGURUMA.items()]
    return next((name for name, known in spelled if known == regex), regex)


#: Letters, digits and signs that are no operators: as a regular expression such a text matches itself alone,
#: so that it is a name, and a wrong one.
_NAME: Final = re.compile(r"(?=.*\w)[\w. @:/-]*")


@lru_cache(maxsize=8)
def splitter(pattern: str = DEFAULT) -> Splitter:
    """Compiles a pattern, given by name or as a regular expression.

    Raises ValueError, in one line, if it does not compile, or is a name of no pattern.
    """
    if pattern not in PATTERNS and _NAME.fullmatch(pattern):
        near = get_close_matches(pattern.lower(), PATTERNS, 1, 0.4)
        meant = f"did you mean {near[0]}? " if near else ""
        names = ", ".join(PATTERNS)
        raise ValueError(
            f"there is no split pattern {pattern!r}: {meant}There are {names}, or give a regular expression"
        )
    return Splitter(pattern)


def split(text: str, pattern: str = DEFAULT) -> list[str]:
    """Cuts a whole document into pretokens, which joined give the document again.

    The pattern is a name of `PATTERNS` or a regular expression. Raises ValueError if it does not compile, or
    if it matches nothing somewhere in the text, where encoders of other makes would lose text or differ.
    """
    return splitter(pattern).split(text)
