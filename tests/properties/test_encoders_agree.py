"""Our encoder, tiktoken and tokenizers give the same ids on any string, in any vocabulary."""

from __future__ import annotations

from functools import cache

import tiktoken
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles import bpe
from tests.tokenizer.samples import TEXT, out_of_order, small_vocabulary
from tokenizer import files
from tokenizer.encode import Tokenizer
from tokenizer.split import pattern_regex
from tokenizer.vocabulary import Vocabulary

#: Pieces that splitters and mergers trip over, beside any characters.
AWKWARD = [
    "'s",
    "'ſ",
    "'LL",
    "\r\n",
    "\u00a0",
    "\u2028",
    "\u0085",
    "\u0301",
    "й",
    "ǅ",
    "²",
    "Ⅷ",
    "🙂",
    "\x00",
    "//",
]
strings = st.lists(
    st.one_of(st.sampled_from(AWKWARD), st.sampled_from(TEXT.split()), st.text(max_size=6), st.just(" ")),
    max_size=30,
).map("".join)


@cache
def _encoders(pattern: str) -> tuple[Tokenizer, tiktoken.Encoding, tokenizers.Tokenizer]:
    vocabulary = out_of_order() if pattern == "out of order" else small_vocabulary(pattern)
    return Tokenizer(vocabulary), _tiktoken(vocabulary), _tokenizers(vocabulary)


def _tiktoken(vocabulary: Vocabulary) -> tiktoken.Encoding:
    ranks = {token: rank for rank, token in enumerate(vocabulary.tokens)}
    return tiktoken.Encoding(
        "test", pat_str=pattern_regex(vocabulary.pattern), mergeable_ranks=ranks, special_tokens={}
    )


def _tokenizers(vocabulary: Vocabulary) -> tokenizers.Tokenizer:
    return tokenizers.Tokenizer.from_str(files.tokenizer_json(vocabulary).decode())


@settings(max_examples=300, deadline=None)
@given(text=strings, pattern=st.sampled_from(["llama3", "o200k", "qwen2", "out of order"]))
def test_three_encoders_agree(text: str, pattern: str) -> None:
    ours, theirs, hugging = _encoders(pattern)
    ids = ours.encode(text)
    assert ids == theirs.encode_ordinary(text)
    assert ours.count(text) == len(ids)
    assert ours.decode(ids) == text
    if pattern != "out of order":
        assert ids == hugging.encode(text, add_special_tokens=False).ids


@settings(max_examples=100, deadline=None)
@given(
    parts=st.lists(st.one_of(strings, st.sampled_from(["<|end_of_text|>", "<|pad|>", "<|pa"])), max_size=8)
)
def test_special_tokens_are_found_as_tokenizers_finds_them(parts: list[str]) -> None:
    ours, _, hugging = _encoders("llama3")
    text = "".join(parts)
    assert ours.encode(text, allowed_special="all") == hugging.encode(text, add_special_tokens=False).ids


@settings(max_examples=100, deadline=None)
@given(
    pairs=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), max_size=60),
    text=st.text("абв ", max_size=60),
)
def test_any_merges_encode_as_tiktoken_does(pairs: list[tuple[int, int]], text: str) -> None:
    """Tokens put together at random: most are out of reach, which is where encoders differ."""
    letters = [b" ", b"\xd0", b"\xb0", b"\xb1", b"\xb2"]
    tokens = [bytes([byte]) for byte in range(256)]
    pool = list(letters)
    for left, right in pairs:
        token = pool[left % len(pool)] + pool[right % len(pool)]
        if token not in pool:
            pool.append(token)
    vocabulary = Vocabulary.from_ranks([*tokens, *sorted(pool[len(letters) :])])
    assert Tokenizer(vocabulary, cache_mib=1).encode(text) == _tiktoken(vocabulary).encode_ordinary(text)


@cache
def _in_reference_order(pattern: str) -> tuple[Tokenizer, Vocabulary]:
    tokens = (*bpe.ALPHABET, *small_vocabulary(pattern).tokens[256:])
    vocabulary = Vocabulary.from_ranks(tokens, pattern)
    return Tokenizer(vocabulary, cache_mib=1), vocabulary


@settings(max_examples=100, deadline=None)
@given(text=strings, pattern=st.sampled_from(["llama3", "o200k"]))
def test_the_slow_encoder_agrees(text: str, pattern: str) -> None:
    tokenizer, vocabulary = _in_reference_order(pattern)
    assert tokenizer.encode(text) == bpe.encode(text, vocabulary.merges, pattern)
