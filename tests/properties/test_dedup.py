"""The Rust kernels of dedup agree with their oracle, `tests.oracles.dedup`."""

import tempfile
import unicodedata
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.dedup.near import Dedup
from rust_ext import dedup_exact_hash, dedup_signature, dedup_words
from tests.corpus.dedup.helpers import fates, run, shards_of
from tests.oracles import dedup as oracle

# Characters that this Python knows: Unicode versions differ in what they add, not in what they have.
known = st.characters(exclude_categories=["Cn", "Cs"])
tricky = st.sampled_from(
    "еёЁиИуі\u0306\u0308\u0301\u00ad\u200b\ufeff\u00a0\u0130ßΣς ĲǅaA1²Ⅷ_-.,!\t\n\x00\x1c\u0085\u2028🙂日"
)
texts = st.text(st.one_of(known, tricky, st.sampled_from("абвгд ")), max_size=80)


@given(texts)
def test_words_and_normalised_text_agree(text: str) -> None:
    assert dedup_words(text) == (oracle.normalise(text), oracle.words(text))
    assert dedup_exact_hash(text) == oracle.exact_hash(text)


def test_every_known_character_is_normalised_as_the_oracle_does() -> None:
    """All of them in the two-byte range (Latin, Greek, Cyrillic); beyond it but for a handful whose category
    changed between the Unicode versions of this Python and of the crate."""
    differing = []
    for code in range(0x110000):
        character = chr(code)
        if unicodedata.category(character) in ("Cn", "Cs"):
            continue
        text = f"а{character}б"
        if dedup_words(text) != (oracle.normalise(text), oracle.words(text)):
            differing.append(code)
    assert len(differing) < 20
    assert not [code for code in differing if code < 0x800]


@given(texts)
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = dedup_words(text)
    assert dedup_words(once[0]) == once


@given(texts, st.integers(1, 6), st.integers(1, 5), st.integers(1, 7), st.integers(0, 2**64 - 1))
def test_signatures_agree(text: str, bands: int, rows: int, ngram: int, seed: int) -> None:
    values, hashes = dedup_signature(text, bands=bands, rows=rows, ngram=ngram, seed=seed)
    slow = oracle.signature(text, bands, rows, ngram, seed)
    assert values.tolist() == slow
    assert hashes.tolist() == oracle.band_hashes(slow, rows)


short = st.lists(st.sampled_from(["раз", "два", "три", "Раз", "ёж", "еж", "!"]), max_size=9).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(st.lists(short, min_size=1, max_size=25), st.integers(1, 9), st.integers(1, 4), st.integers(0, 3))
def test_clusters_agree(documents: list[str], size: int, buckets: int, bands: int) -> None:
    params = Dedup(bands=bands or 1, rows=2, ngram=2, buckets=buckets, exact_only=not bands)
    with tempfile.TemporaryDirectory() as folder:
        judged = run(params, shards_of(documents, size), Path(folder))
    assert fates(judged) == oracle.cluster(documents, bands, 2, 2, params.seed)
