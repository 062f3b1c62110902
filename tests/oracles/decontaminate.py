"""The oracle of the kernel `decontaminate`: n-grams of benchmarks in a document, found by comparing lists."""

from __future__ import annotations

from collections.abc import Sequence

from rust_ext import dedup_words

Match = tuple[int, int, int]


def owner(window: list[str], texts: Sequence[tuple[int, list[str]]], n: int, min_words: int) -> int | None:
    """The item of the first text that is looked for at this length and holds the window."""
    for item, words in texts:
        if len(words) < min_words or min(n, len(words)) != len(window):
            continue
        if any(words[at : at + len(window)] == window for at in range(len(words) - len(window) + 1)):
            return item
    return None


def matches(texts: Sequence[tuple[int, str]], text: str, n: int, min_words: int) -> list[Match]:
    """(first word, end, item) of what a text shares with each item, in order."""
    read = [(item, dedup_words(one)[1]) for item, one in texts]
    words = dedup_words(text)[1]
    covered: dict[int, list[list[int]]] = {}
    for start in range(len(words)):
        for length in range(1, min(n, len(words) - start) + 1):
            item = owner(words[start : start + length], read, n, min_words)
            if item is None:
                continue
            spans = covered.setdefault(item, [])
            if spans and start <= spans[-1][1]:
                spans[-1][1] = max(spans[-1][1], start + length)
            else:
                spans.append([start, start + length])
    return sorted((start, end, item) for item, spans in covered.items() for start, end in spans)


def covered_words(found: Sequence[Match]) -> int:
    """Words of a text that lie in any match."""
    return len({at for start, end, _ in found for at in range(start, end)})
