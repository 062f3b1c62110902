"""A small vocabulary for tests: learned from a page of Russian by the definition of BPE, slowly."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import pairwise

from tokenizer.split import split
from tokenizer.vocabulary import SPECIAL_TOKENS, Vocabulary

#: Own text: inflected words, digits, punctuation, a little English and code.
TEXT = (
    "Мама мыла раму, а рама мылась мамой. Маме помыли раму мылом; мылом мыли и маму.\n\n"
    "В 2024 году книги, книгами, книгах и книге учили 1234567 учеников и учениц.\n"
    "«Перечитывать и перечитали» — писал учитель, переписывая написанное: пере-писал.\n"
    "The teacher's book: def read(book): return [page.text for page in book]  # it's all\n"
    "Ёлка, съёмка, объём; слово́ с ударением, e\u0301 и \u00a0неразрывный пробел…\r\n\t\tконец   "
)


@cache
def small_vocabulary(pattern: str = "llama3", size: int = 420) -> Vocabulary:
    """256 bytes and the merges of the commonest pairs; ties go to the lower pair of ids."""
    tokens = [bytes([byte]) for byte in range(256)]
    merges: list[tuple[int, int]] = []
    words = Counter(tuple(piece.encode()) for piece in split(TEXT, pattern))
    while len(tokens) < size:
        pairs: Counter[tuple[int, int]] = Counter()
        for word, times in words.items():
            for pair in pairwise(word):
                pairs[pair] += times
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merged = Counter[tuple[int, ...]]()
        for word, times in words.items():
            merged[_merge(word, best, len(tokens))] += times
        words = merged
        merges.append(best)
        tokens.append(tokens[best[0]] + tokens[best[1]])
    return Vocabulary(tuple(tokens), tuple(merges), pattern).with_special_tokens(SPECIAL_TOKENS)


def _merge(word: tuple[int, ...], pair: tuple[int, int], result: int) -> tuple[int, ...]:
    out: list[int] = []
    for token in word:
        if out and (out[-1], token) == pair:
            out[-1] = result
        else:
            out.append(token)
    return tuple(out)


def out_of_order() -> Vocabulary:
    """As Llama 3's: two tokens whose ranks are below those of their parts, one that no merge reaches."""
    tokens = list(small_vocabulary().tokens)
    tokens[300], tokens[410] = tokens[410], tokens[300]
    tokens[301], tokens[411] = tokens[411], tokens[301]
    tokens.append("ыыы".encode()[1:])
    return Vocabulary.from_ranks(tokens)
