"""Forms of Russian lemmas as texts have them: what the consistency of forms is measured on.

Words of the texts are grouped by the lemma and the paradigm that pymorphy3's first analysis gives them (extra
`morphology`). The stem is the paradigm's: what all its forms begin with (книг|а, книг|ами; чита|ть, чита|ю).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

#: Word types analysed, the most frequent first: at 15,000 a second this bounds the cost to some seconds.
MOST_WORDS: Final = 40_000
#: Lemmas measured, chosen by hash, not by frequency: their forms give some 30,000 pairs.
MOST_LEMMAS: Final = 3_000
#: With two forms a lemma gives one pair, and says little of a paradigm.
LEAST_FORMS: Final = 3
#: A stem of fewer letters (бр-, пи-) is shared by forms of other lemmas as well.
LEAST_STEM: Final = 3

_RUSSIAN: Final = re.compile("[а-яё]+")
_OPEN: Final = frozenset({"NOUN", "ADJF", "ADJS", "VERB", "INFN"})


@cache
def analyzer() -> Any:
    """pymorphy3's analyzer, loaded once. Raises ModuleNotFoundError without the extra `morphology`."""
    import pymorphy3

    return pymorphy3.MorphAnalyzer()


def inflected_forms(
    counts: Mapping[str, int], most_words: int = MOST_WORDS, most_lemmas: int = MOST_LEMMAS
) -> list[tuple[str, int, tuple[str, ...]]]:
    """(lemma, letters of its stem, its forms found, sorted) of nouns, adjectives and verbs.

    counts: words with how often they occur; only those in small Russian letters count, so that names and
    beginnings of sentences stay out. Words that the dictionary does not know stay out, too. The same counts
    give the same forms in the same order. Raises ModuleNotFoundError without the extra `morphology`.
    """
    morph = analyzer()
    words = [word for word in counts if _RUSSIAN.fullmatch(word)]
    words.sort(key=lambda word: (-counts[word], word))
    groups: dict[tuple[str, int], tuple[int, list[str]]] = {}
    for word in words[:most_words]:
        parse = morph.parse(word)[0]
        if not parse.is_known or parse.tag.POS not in _OPEN:
            continue
        _, spelt, paradigm, index = parse.methods_stack[0]
        stem = len(morph.dictionary.build_stem(morph.dictionary.paradigms[paradigm], index, spelt))
        groups.setdefault((parse.normal_form, paradigm), (stem, []))[1].append(word)
    found = [
        (lemma, stem, tuple(sorted(forms)))
        for (lemma, _), (stem, forms) in groups.items()
        if len(forms) >= LEAST_FORMS and stem >= LEAST_STEM
    ]
    found.sort(key=lambda one: (hashlib.sha256(one[0].encode()).digest(), one))
    return sorted(found[:most_lemmas])
