"""The exact hash of a text, by which the dedup stage finds exact duplicates.

Two texts are the same when they are equal after normalisation: lower-cased, ё folded to е, decomposed й ў ї ё
composed, invisible format characters left out, white space collapsed. Punctuation and digits count.
`rust_ext/crates/dedup/src/text.rs` states the rules, tests/oracles/dedup.py (`normalise`) spells them out.
"""

from __future__ import annotations

import pyarrow as pa

from rust_ext import dedup_exact_hash

HASH = pa.binary(16)


def exact_hash(text: str) -> bytes:
    """16 bytes: BLAKE2b of the normalised text."""
    return dedup_exact_hash(text)


def exact_hashes(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """`exact_hash` of each text of a column, as binary(16); null where the text is null."""
    hashes = [None if text is None else dedup_exact_hash(text) for text in texts.to_pylist()]
    return pa.array(hashes, HASH)
