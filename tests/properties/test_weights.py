"""Rows of new tokens and numbers of two bytes: the same as the oracle's."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracles import weights as oracle
from tokenizer.adapt.weights_files import from_floats, to_floats
from tokenizer.adapt.weights_rows import (
    SLOPE,
    WEIGHTS,
    Hidden,
    Ids,
    Pieces,
    Rule,
    clip_norms,
    combine,
    prior_shift,
)

PIECES = st.lists(st.lists(st.integers(0, 29), min_size=1, max_size=7), min_size=1, max_size=12)


@given(PIECES, st.sampled_from(sorted(WEIGHTS)), st.booleans(), st.integers(0, 5))
def test_rows_are_the_oracles(pieces: list[list[int]], name: str, rescale: bool, seed: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(30, 8)).astype(np.float32)

    def take(ids: Ids) -> np.ndarray:
        assert (np.diff(ids) > 0).all()
        return rows[ids]

    found = combine(take, Pieces.of(pieces), Rule(name, rescale))
    for row, some in zip(found, pieces, strict=True):
        wanted = oracle.combined([rows[piece].tolist() for piece in some], name, rescale)
        assert row == pytest.approx(wanted, rel=1e-4, abs=1e-5)


@given(PIECES, st.data())
def test_a_part_of_the_pieces_is_the_pieces_of_a_part(pieces: list[list[int]], data: st.DataObject) -> None:
    low = data.draw(st.integers(0, len(pieces)))
    high = data.draw(st.integers(low, len(pieces)))
    part, wanted = Pieces.of(pieces).part(low, high), Pieces.of(pieces[low:high])
    assert part.flat.tolist() == wanted.flat.tolist()
    assert part.starts.tolist() == wanted.starts.tolist()


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_bfloat16_is_the_nearest(values: list[float]) -> None:
    wanted = [oracle.bfloat16(value) for value in values]
    array = np.array([values], np.float32)
    if any(struct.unpack("<H", one)[0] & 0x7F80 == 0x7F80 for one in wanted):
        with pytest.raises(ValueError, match="not finite"):
            from_floats(array, "BF16")
    else:
        assert from_floats(array, "BF16").tobytes() == b"".join(wanted)


@given(st.sampled_from(["F32", "F16", "BF16"]), st.integers(0, 2**32 - 1))
def test_numbers_come_back(dtype: str, seed: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(3, 4)).astype(np.float32)
    raw = from_floats(rows, dtype)
    assert np.array_equal(from_floats(to_floats(raw.reshape(-1), dtype, 4), dtype), raw)


@given(st.lists(st.floats(0.0009765625, 1024, width=32), min_size=1, max_size=9), st.integers(0, 9))
def test_norms_are_brought_within_bounds_and_no_further(lengths: list[float], seed: int) -> None:
    draw = np.random.default_rng(seed).normal(size=(len(lengths), 6))
    rows = (draw / np.linalg.norm(draw, axis=1)[:, None] * np.array(lengths)[:, None]).astype(np.float32)
    before = rows.copy()
    count = clip_norms(rows, 0.5, 2.0)
    norms = np.linalg.norm(rows, axis=1)
    assert ((norms > 0.4999) & (norms < 2.0001)).all()
    inside = (np.array(lengths) > 0.5001) & (np.array(lengths) < 1.9999)
    assert np.allclose(rows[inside], before[inside], rtol=1e-6)
    assert count <= len(lengths) - np.count_nonzero(inside)


def test_the_prior_shift_is_a_log_of_shares_and_nothing_where_uses_are_unknown() -> None:
    shift = prior_shift(np.array([10, -1, 5, 900]), np.array([100, 100, -1, 100]))
    assert shift == pytest.approx([np.log(10.5 / 100.5), 0.0, 0.0, 0.0])


def test_the_hidden_state_is_found_where_logits_follow_frequencies() -> None:
    """Rows spread evenly whose logits against a known state are log frequencies: that state, by `SLOPE`."""
    draw = np.random.default_rng(0)
    state = draw.normal(size=16)
    rows = draw.normal(size=(4000, 16)).astype(np.float32)
    logits = rows @ state
    uses = np.maximum(1, np.exp(logits + 9)).astype(np.int64)
    estimate = Hidden(16)
    for first in range(0, 4000, 512):
        estimate.add(rows[first : first + 512], uses[first : first + 512])
    assert estimate.state is None
    for first in range(0, 4000, 512):
        estimate.fit(rows[first : first + 512], uses[first : first + 512])
    assert estimate.state is not None
    assert estimate.state * SLOPE == pytest.approx(state, abs=0.25)
    cosine = estimate.state @ state / np.linalg.norm(estimate.state) / np.linalg.norm(state)
    assert cosine > 0.995


def test_rows_that_do_not_vary_give_no_hidden_state() -> None:
    estimate = Hidden(4)
    for step in (estimate.add, estimate.fit):
        step(np.ones((9, 4), np.float32), np.arange(1, 10))
    assert estimate.state is None
