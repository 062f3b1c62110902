"""Counting pretokens of texts that come a few at a time: of several groups in one pass over a shard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rust_ext import PretokenCounter
from tokenizer.train import MEMORY, PathLike, Progress, _fill

if TYPE_CHECKING:
    from tokenizer.texts import Texts


class ShardCounter:
    """`tokenizer.train.count_shard` in steps: the counts file is the same."""

    def __init__(self, pattern: str, out_path: PathLike, *, threads: int = 1, memory: int = MEMORY) -> None:
        """Raises ValueError for a pattern that does not compile."""
        self._native = PretokenCounter(pattern, threads, memory, out_path)
        self._path = Path(out_path)

    def add(self, texts: Texts) -> None:
        """Counts more documents. Raises as `tokenizer.train.count` does."""
        _fill(self._native, texts, 0, None)

    def finish(self, progress: Progress | None = None) -> Path:
        """Writes the counts file and returns its path; nothing can be added afterwards."""
        self._native.finish(self._path, progress)
        return self._path
