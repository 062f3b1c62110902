"""The fast trainer equals its oracle on any counts, pattern, boundaries and options."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rust_ext import MorphemeBoundaries, bpe_power
from tests.oracles import bpe
from tokenizer import train
from tokenizer.train import TrainParameters

UNITS = [
    "а",
    "б",
    "в",
    "ки",
    "ми",
    "при",
    " ",
    " по",
    "Ж",
    "a",
    "b",
    "the",
    ".",
    ",",
    "—",
    "\n",
    "1",
    "7",
    "ё",
    "ѣ",
    "🙂",
]
text = st.lists(st.sampled_from(UNITS), max_size=60).map("".join)
texts = st.lists(text, min_size=1, max_size=8)


def random_cuts(words: list[str], seed: int) -> dict[str, list[int]]:
    """Each word cut at random letters."""
    draw = random.Random(seed)
    return {word: sorted(draw.sample(range(1, len(word)), draw.randint(0, len(word) // 2))) for word in words}


def starts_of(counts: dict[bytes, int], cuts: dict[str, list[int]]) -> dict[bytes, list[int]]:
    """Where morphemes begin in each pretoken, worked out apart from the Rust code: by letters."""
    starts = {}
    for piece in counts:
        letters = piece.decode()
        first = next((at for at, letter in enumerate(letters) if letter.isalpha()), len(letters))
        last = next((at for at in range(first, len(letters)) if not letters[at].isalpha()), len(letters))
        offsets = cuts.get(letters[first:last].lower(), [])
        starts[piece] = [len(letters[: first + offset].encode()) for offset in offsets]
    return starts


def both(texts: list[str], parameters: TrainParameters, cuts: dict[str, list[int]] | None) -> None:
    counts = bpe.count(texts, parameters.pattern)
    starts = None if cuts is None else starts_of(counts, cuts)
    slow = bpe.learn(counts, parameters, starts)
    wanted = parameters.tokens - 256
    boundaries = None if cuts is None else MorphemeBoundaries(train.boundary_lines(cuts))
    if not counts:
        with pytest.raises(ValueError, match="empty"):
            train.train(texts, parameters, boundaries)
    elif len(slow) < wanted:
        with pytest.raises(ValueError, match=f" {len(slow)} merges were possible"):
            train.train(texts, parameters, boundaries)
    else:
        assert list(train.train(texts, parameters, boundaries).merges) == slow


@settings(max_examples=60, deadline=None)
@given(texts, st.integers(256, 330), st.sampled_from(["llama3", "o200k", r"\s+|\S+"]), st.integers(1, 3))
def test_plain_merges_equal_the_oracle(texts: list[str], size: int, pattern: str, least: int) -> None:
    both(texts, TrainParameters(size, pattern, min_pair_count=least, penalty=0.0), None)


@settings(max_examples=100, deadline=None)
@given(
    texts,
    st.integers(256, 330),
    st.floats(0.05, 3),
    st.floats(0.1, 2),
    st.floats(0, 1),
    st.floats(0.5, 1),
    st.floats(0, 1),
    st.integers(0, 2**32),
)
def test_penalised_merges_equal_the_oracle(
    texts: list[str],
    size: int,
    penalty: float,
    gamma: float,
    kappa: float,
    exponent: float,
    release: float,
    seed: int,
) -> None:
    parameters = TrainParameters(
        size,
        min_pair_count=1,
        penalty=penalty,
        gamma=gamma,
        kappa=kappa,
        exponent=exponent,
        release=release,
    )
    both(texts, parameters, random_cuts(train.words(bpe.count(texts, "llama3")), seed))


@settings(max_examples=60, deadline=None)
@given(texts, st.booleans(), st.booleans(), st.booleans(), st.integers(0, 3), st.integers(0, 6))
def test_constrained_merges_equal_the_oracle(
    texts: list[str], one_script: bool, whole: bool, bare: bool, marks: int, most: int
) -> None:
    parameters = TrainParameters(
        300,
        r"\s+|\S+",
        min_pair_count=1,
        penalty=0.0,
        one_script=one_script,
        whole_characters=whole,
        bare_words=bare,
        max_punctuation=marks,
        max_token_bytes=most,
    )
    both(texts, parameters, None)


@settings(max_examples=60, deadline=None)
@given(st.lists(texts, min_size=2, max_size=3), st.integers(256, 300), st.integers(1, 3), st.floats(0, 2))
def test_merges_of_groups_in_parity_equal_the_oracle(
    groups: list[list[str]], size: int, least: int, penalty: float
) -> None:
    parameters = TrainParameters(size, min_pair_count=least, penalty=penalty, release=0.5)
    counts = [bpe.count(group, "llama3") for group in groups]
    if not all(counts):
        return
    words = sorted({word for group in counts for word in train.words(group)})
    cuts = random_cuts(words, size)
    starts = {piece: where for group in counts for piece, where in starts_of(group, cuts).items()}
    slow = bpe.learn(counts, parameters, starts)
    boundaries = MorphemeBoundaries(train.boundary_lines(cuts))
    sources = [train.count(group) for group in groups]
    if len(slow) < size - 256:
        with pytest.raises(ValueError, match=f" {len(slow)} merges were possible"):
            train.learn(sources, parameters, boundaries)
    else:
        assert list(train.learn(sources, parameters, boundaries).merges) == slow


@settings(max_examples=40, deadline=None)
@given(texts, texts, st.integers(0, 40), st.integers(0, 40))
def test_continued_merges_equal_the_oracle(
    first: list[str], second: list[str], known: int, more: int
) -> None:
    """Merges learnt on one text, and learning goes on with another."""
    parameters = TrainParameters(256 + known, min_pair_count=1, penalty=0.0)
    merges = bpe.learn(bpe.count(first, "llama3"), parameters)
    grown = TrainParameters(256 + len(merges) + more, min_pair_count=1, penalty=0.0)
    slow = bpe.learn(bpe.count(second, "llama3"), grown, merges=merges)
    counts = train.count(second)
    if len(slow) == len(merges) + more and len(counts):
        assert list(train.learn(counts, grown, merges=merges).merges) == slow


@settings(max_examples=25, deadline=None)
@given(texts, st.integers(1, 3), st.integers(1, 4), st.randoms(use_true_random=False))
def test_counts_do_not_depend_on_threads_order_or_shards(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], threads: int, shards: int, draw: random.Random
) -> None:
    folder: Path = tmp_path_factory.mktemp("counts")
    train.count_shard(texts, "llama3", folder / "one")
    shuffled = draw.sample(texts, len(texts))
    paths = [folder / f"part{index}" for index in range(shards)]
    for index, path in enumerate(paths):
        # A limit of no bytes writes every batch aside.
        train.count_shard(shuffled[index::shards], "llama3", path, threads=threads, memory=0)
    train.merge_counts(paths, folder / "all")
    assert (folder / "one").read_bytes() == (folder / "all").read_bytes()
    assert train.read_counts(folder / "all") == bpe.count(texts, "llama3")
    assert sorted(folder.iterdir()) == sorted([*paths, folder / "all", folder / "one"])


@given(st.integers(1, 2**62), st.floats(0.01, 8))
def test_power_is_close_and_the_same_in_both_languages(base: int, exponent: float) -> None:
    for x in (float(base), 1 / base):
        value = bpe_power(x, exponent)
        assert value == bpe.power(x, exponent)
        assert value == pytest.approx(x**exponent, rel=1e-12)
