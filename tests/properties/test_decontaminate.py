"""The kernel `decontaminate` finds what its oracle finds, in any text."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from rust_ext import Decontaminator, dedup_words
from rust_ext.arrow import edited, text_buffers
from tests.oracles.decontaminate import covered_words, matches

WORDS = st.sampled_from(["Ёж", "еж", "шёл", "по", "е\u0308ж", "во\u00adды", "3", "İ", "дом"])
GAPS = st.sampled_from([" ", ", ", ". ", "!\n", "\u00a0—", "\n\n", "-"])
TEXTS = st.lists(st.tuples(WORDS, GAPS), max_size=25).map(lambda p: "".join(w + g for w, g in p))


def buffers(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    return text_buffers(pa.chunked_array([pa.array(texts, pa.large_string())]))


@given(
    benchmark=st.lists(st.tuples(st.integers(0, 3), TEXTS), max_size=5),
    documents=st.lists(TEXTS, max_size=4),
    n=st.integers(2, 6),
    less=st.integers(0, 3),
)
def test_kernel_and_oracle_agree(
    benchmark: list[tuple[int, str]], documents: list[str], n: int, less: int
) -> None:
    min_words = max(1, n - less)
    items = np.array([item for item, _ in benchmark], np.uint32)
    kernel = Decontaminator(buffers([text for _, text in benchmark]), items, n=n, min_words=min_words)
    assert kernel.words().tolist() == [len(dedup_words(text)[1]) for _, text in benchmark]
    left, covered, found = kernel.rows(buffers(documents), cut=True)
    offsets, owners, starts, ends, words = (values.tolist() for values in found)
    cut = edited(pa.array(documents, pa.large_string()), left).to_pylist()
    for row, text in enumerate(documents):
        expected = matches(benchmark, text, n, min_words)
        here = range(offsets[row], offsets[row + 1])
        assert [(owners[k], words[k]) for k in here] == [(item, end - start) for start, end, item in expected]
        assert covered[row] == covered_words(expected)
        own = dedup_words(text)[1]
        for k, (start, end, _) in zip(here, expected, strict=True):
            shared = text.encode()[starts[k] : ends[k]].decode()
            assert dedup_words(shared)[1] == own[start:end]
        assert (cut[row] == text) if not expected else len(cut[row]) < len(text)
