"""Encoding and decoding with a `Tokenizer`."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from itertools import pairwise
from typing import Literal

import numpy as np
import pyarrow as pa
import pytest

from tests.oracles.token_ids import bounded
from tests.tokenizer.samples import TEXT, out_of_order, small_vocabulary
from tokenizer.encode import Tokenizer
from tokenizer.vocabulary import Vocabulary

TOKENIZER = Tokenizer(small_vocabulary())
TEXTS = [TEXT, "", "мама", *TEXT.split("."), "日本 мир 🙂", "x" * 5000]


def _by_offsets(ids: np.ndarray, offsets: np.ndarray) -> list[list[int]]:
    return [ids[start:end].tolist() for start, end in pairwise(offsets)]


@pytest.mark.parametrize("threads", [1, 2, 3, 50])
def test_a_batch_is_the_texts_one_by_one_for_any_number_of_threads(threads: int) -> None:
    ids, offsets = TOKENIZER.encode_batch(TEXTS, threads=threads)
    assert (ids.dtype, offsets.dtype) == (np.uint32, np.int64)
    assert _by_offsets(ids, offsets) == [TOKENIZER.encode(text) for text in TEXTS]
    assert TOKENIZER.count_batch(TEXTS, threads=threads).tolist() == np.diff(offsets).tolist()


@pytest.mark.parametrize(
    "texts",
    [
        pa.array(TEXTS),
        pa.array(TEXTS, pa.large_string()),
        pa.array(["before", *TEXTS, "after"]).slice(1, len(TEXTS)),
        pa.chunked_array([TEXTS[:2], [], TEXTS[2:]], pa.large_string()),
    ],
)
def test_arrow_texts_are_encoded_in_place(texts: pa.Array) -> None:
    ids, offsets = TOKENIZER.encode_batch(texts)
    assert _by_offsets(ids, offsets) == [TOKENIZER.encode(text) for text in TEXTS]
    assert TOKENIZER.count_batch(texts).tolist() == np.diff(offsets).tolist()


@pytest.mark.parametrize("before", [None, 7])
@pytest.mark.parametrize("after", [None, 0])
@pytest.mark.parametrize("kind", ["list", "array", "chunked", "form"])
def test_ids_around_texts_are_those_of_the_oracle(before: int | None, after: int | None, kind: str) -> None:
    made = replace(small_vocabulary(), normalization="NFKC") if kind == "form" else small_vocabulary()
    texts = {"list": TEXTS, "chunked": pa.chunked_array([TEXTS[:2], [], TEXTS[2:]])}.get(
        kind, pa.array(TEXTS)
    )
    tokenizer = Tokenizer(made)
    wanted, lengths = bounded(*tokenizer.encode_batch(texts), before, after)
    for threads in (1, 3):
        ids, offsets = tokenizer.encode_batch(texts, threads=threads, before=before, after=after)
        assert ids.tolist() == wanted.tolist()
        assert np.diff(offsets).tolist() == lengths.tolist()


@pytest.mark.parametrize("nothing", [[], pa.array([], pa.string()), pa.chunked_array([], pa.string())])
def test_no_texts_give_no_ids(nothing: pa.Array) -> None:
    ids, offsets = TOKENIZER.encode_batch(nothing)
    assert (ids.tolist(), offsets.tolist()) == ([], [0])
    assert TOKENIZER.count_batch(nothing).tolist() == []


def test_null_and_wrong_texts_are_refused() -> None:
    with pytest.raises(ValueError, match="1 of the texts are null"):
        TOKENIZER.encode_batch(pa.array(["a", None]))
    with pytest.raises(ValueError, match="must be strings"):
        TOKENIZER.encode_batch(pa.array([1, 2]))
    with pytest.raises(ValueError, match="threads"):
        TOKENIZER.encode_batch(["a"], threads=0)
    with pytest.raises(ValueError, match="cache_mib"):
        Tokenizer(small_vocabulary(), cache_mib=0)
    with pytest.raises(UnicodeEncodeError):
        TOKENIZER.encode("half \ud800 surrogate")


def test_every_text_comes_back() -> None:
    for text in TEXTS:
        assert TOKENIZER.decode(TOKENIZER.encode(text)) == text
        assert TOKENIZER.decode(TOKENIZER.encode_array(text), errors="strict") == text


@pytest.mark.parametrize("end", ["", "é", "я", "日", "🙂", "я\U0010ffff—"])
@pytest.mark.parametrize("size", [60, 63, 64, 1000, 1 << 20, (1 << 20) + 1])
def test_a_string_is_read_alike_in_every_form_that_python_keeps(end: str, size: int) -> None:
    """Strings are UTF-8, or UTF-16 where they are of middle length and their UTF-8 was not asked for."""
    text = (TEXT * (size // len(TEXT) + 1))[: size - len(end)] + end
    ids, _ = TOKENIZER.encode_batch(pa.array([text]))
    assert TOKENIZER.encode_array(text).tolist() == ids.tolist()
    assert TOKENIZER.encode_batch([text])[0].tolist() == ids.tolist()
    assert TOKENIZER.count(text) == len(ids)
    pa.array([text])  # asks for the UTF-8, which the string now keeps
    assert TOKENIZER.encode_array(text).tolist() == ids.tolist()


@pytest.mark.parametrize("threads", [1, 2])
def test_texts_of_several_groups_are_encoded_in_order(threads: int) -> None:
    """Strings are taken from Python some at a time."""
    texts = [TEXT[at % 50 :] * (at % 3 * 30) for at in range(40)] + ["я" * 5_000_000, "", "да"]
    ids, offsets = TOKENIZER.encode_batch(texts, threads=threads)
    expected, ends = TOKENIZER.encode_batch(pa.array(texts))
    assert (ids.tolist(), offsets.tolist()) == (expected.tolist(), ends.tolist())
    assert TOKENIZER.count_batch(texts, threads=threads).tolist() == np.diff(ends).tolist()


@pytest.mark.parametrize("surrogate", ["\ud800", "\udc00\ud800", "\ud800я"])
def test_half_of_a_surrogate_pair_is_refused(surrogate: str) -> None:
    for text in (surrogate, "я" * 70 + surrogate, surrogate + "🙂" * 70):
        with pytest.raises(UnicodeEncodeError, match="utf-8"):
            TOKENIZER.encode(text)
        with pytest.raises(UnicodeEncodeError, match="utf-8"):
            TOKENIZER.count_batch(["а", text])


def test_every_unicode_scalar_comes_back() -> None:
    text = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    for pattern in ("llama3", "o200k"):
        tokenizer = Tokenizer(small_vocabulary(pattern))
        assert tokenizer.decode(tokenizer.encode_array(text), errors="strict") == text


def test_special_tokens_are_text_unless_allowed() -> None:
    text = "а<|end_of_text|>б<|pad|>"
    end, pad = (small_vocabulary().special_tokens[name] for name in ("<|end_of_text|>", "<|pad|>"))
    assert not {end, pad} & set(TOKENIZER.encode(text))
    assert {end, pad} & set(TOKENIZER.encode(text, allowed_special={"<|pad|>"})) == {pad}
    ids = TOKENIZER.encode(text, allowed_special="all")
    assert ids == [*TOKENIZER.encode("а"), end, *TOKENIZER.encode("б"), pad]
    assert TOKENIZER.decode(ids) == text
    assert TOKENIZER.encode("", allowed_special="all") == []


def test_an_unknown_special_token_is_named() -> None:
    with pytest.raises(ValueError, match="<nobody>"):
        TOKENIZER.encode("а", allowed_special={"<nobody>"})


def test_the_longest_of_special_tokens_that_begin_together_is_taken() -> None:
    size = len(small_vocabulary().tokens)
    names = ("<a>", "<a><b>", "<b>")
    tokenizer = Tokenizer(small_vocabulary().with_special_tokens(names))
    assert tokenizer.encode("<a><b><a>", allowed_special="all") == [size + 1, size]


@pytest.mark.parametrize("ids", [[10_000], [-1], [1 << 40], [436]])
def test_an_id_that_is_no_token_does_not_decode(ids: list[int]) -> None:
    with pytest.raises(ValueError, match="id"):
        TOKENIZER.decode(ids)


def test_ids_cut_inside_a_character_decode_with_a_replacement() -> None:
    assert TOKENIZER.decode(list("я".encode())[:1]) == "\ufffd"
    with pytest.raises(UnicodeDecodeError):
        TOKENIZER.decode(list("я".encode())[:1], errors="strict")


def test_a_normalization_is_applied_before_splitting() -> None:
    base = small_vocabulary()
    tokenizer = Tokenizer(Vocabulary(base.tokens, base.merges, normalization="NFC"))
    composed = TOKENIZER.encode("\u0439")
    assert tokenizer.encode("\u0438\u0306") == composed
    assert tokenizer.encode_batch(pa.array(["\u0438\u0306"]))[0].tolist() == composed
    assert tokenizer.count("\u0438\u0306") == len(composed)


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_every_form_is_that_of_the_standard_library(form: Literal["NFC", "NFD", "NFKC", "NFKD"]) -> None:
    base = small_vocabulary()
    tokenizer = Tokenizer(Vocabulary(base.tokens, base.merges, normalization=form))
    odd = [
        "и\u0306й e\u0301" * 40,
        "№ «—» \u212b \u2126",
        "\u1100\u1161\u11a8 한국",
        "\u0344ё",
        "ascii",
        "🙂中文",
    ]
    expected = [TOKENIZER.encode(unicodedata.normalize(form, text)) for text in odd]
    assert [tokenizer.encode(text) for text in odd] == expected
    ids, offsets = tokenizer.encode_batch(pa.array(odd), threads=2)
    assert _by_offsets(ids, offsets) == expected
    assert tokenizer.count_batch(odd).tolist() == [len(one) for one in expected]


def test_ids_do_not_depend_on_cache_or_seed() -> None:
    text = TEXT * 3
    for seed in (0, 1, 2**64 - 1):
        assert Tokenizer(small_vocabulary(), cache_mib=1, seed=seed).encode(text) == TOKENIZER.encode(text)


def test_a_vocabulary_out_of_order_takes_whole_pretokens_as_they_are() -> None:
    tokenizer = Tokenizer(out_of_order())
    vocabulary = tokenizer.vocabulary
    dead = [rank for rank, pair in enumerate(vocabulary.merges, start=256) if pair == (-1, -1)]
    assert dead
    for text in TEXTS:
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_one_hostile_word_and_noise_take_no_quadratic_time() -> None:
    """A megabyte of one letter, of alternating letters and of random characters: seconds if n log n, hours if
    not."""
    rng = np.random.default_rng(3)
    noise = "".join(map(chr, rng.integers(0x20, 0xD7FF, 300_000)))
    for text in ("а" * 500_000, "ма" * 250_000, "\u0301" * 500_000, noise):
        assert TOKENIZER.decode(TOKENIZER.encode_array(text)) == text
