"""The options of learning: the one place of their names, defaults and meaning.

`tokenizer.train.TrainParameters`, the recipe's sections and the Rust kernel all take them from here. The
commands' `--help` reads this module, so it imports nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


def described(text: str, default: Any) -> Any:
    """A field of a dataclass with its help text."""
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class VocabularyOptions:
    """What is in the vocabulary beside the tokens learnt."""

    vocab_size: int = described("tokens, the 256 bytes and the special tokens included", 32_000)
    pattern: str = described(
        "split pattern: llama3, qwen2 (llama3 with single digits), o200k, tekken, gpt2 or a regular "
        "expression; it decides whether digits come one by one or up to three together",
        "llama3",
    )
    special_tokens: tuple[str, ...] = described(
        "special tokens, which text never makes, after the others: NAME, or ROLE=NAME with bos, eos, unk, "
        "pad, sep, cls or mask (customary names have their role); in a recipe chat-neutral ones where empty",
        (),
    )


@dataclass(frozen=True)
class MergeOptions:
    """Which merges are made, and in which order. The parameters of the penalty that are None are fitted to
    the number of tokens."""

    penalty: float | None = described(
        "how much a merge across morphemes loses; 0 is plain BPE; fitted to the size if not given",
        None,
    )
    gamma: float | None = described(
        "exponent of the share of word types that cross; fitted as penalty is", None
    )
    kappa: float | None = described("discount where the union is made of whole morphemes; fitted", None)
    exponent: float | None = described("exponent of the count while the penalty is in force; fitted", None)
    release: float | None = described("share of the merges after which the penalty ends; fitted", None)
    min_pair_count: int = described("pairs that occur less often are never merged", 2)
    max_pretoken_bytes: int = described("longer pretokens are left out: no words, but encoded data", 256)
    one_script: bool = described("no new token holds letters of two scripts", False)
    whole_characters: bool = described("no new token holds a character and a part of another", False)
    bare_words: bool = described(
        "no new token holds letters after a character that is neither a letter, a digit nor a space", False
    )
    max_punctuation: int = described(
        "most characters of a new token that are no letters or digits (0: any)", 0
    )
    max_token_bytes: int = described("most bytes in a new token (0: any)", 0)

    def merge_options(self) -> dict[str, Any]:
        """The options as arguments of `tokenizer.train.TrainParameters`."""
        return {name: getattr(self, name) for name in MergeOptions.__dataclass_fields__}
