"""Junk made from good text: what a model of quality is fitted to, beside junk that was found.

Each maker keeps the layout of the text it spoils: its lines, punctuation and lengths. A model that is given
both can tell them apart by what was spoilt alone, not by the maker's own habits of layout.
"""

from __future__ import annotations

import itertools
import random
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

_WORD: Final = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_SENTENCE: Final = re.compile(r"[^.!?…\n]+[.!?…]+[»\"]?|[^.!?…\n]+")
_ENDINGS: Final = 3

#: Goods and towns of keyword phrases; invented by hand.
_GOODS: Final = (
    *(
        "диван",
        "окна пластиковые",
        "эвакуатор",
        "ремонт квартир",
        "натяжные потолки",
        "такси",
        "кредит",
        "шины",
    ),
    *(
        "ламинат",
        "двери",
        "доставка цветов",
        "кухни на заказ",
        "бурение скважин",
        "памятники",
        "виагра",
        "казино",
    ),
    *("курсовая работа", "займ", "септик", "кондиционер", "массаж", "диплом", "теплицы", "грузчики", "айфон"),
)
_TOWNS: Final = ("Москве", "Казани", "Перми", "Самаре", "Омске", "Уфе", "Туле", "Твери", "Воронеже", "Сочи")
_PHRASES: Final = (
    *("купить {g} в {t} недорого", "{g} цена {t}", "заказать {g} {t}", "{g} недорого", "{g} отзывы форум"),
    *(
        "{g} в {t} с доставкой",
        "дешевые {g} {t}",
        "лучшие {g} фото",
        "{g} скидки акции",
        "где купить {g} в {t}",
    ),
)
_MORE: Final = ("…", "...", "... Подробнее", "… Читать далее", "...", "… далее")


@dataclass
class Pool:
    """What makers draw from: words of all texts, and word and letter chains of the texts of a kind."""

    words: list[str] = field(default_factory=list)
    next_word: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    next_letter: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, texts: Sequence[str], letters: int = 400_000) -> Pool:
        """The pool of texts; letter chains are of order 4 and of the first `letters` characters."""
        pool = cls()
        for text in texts:
            words = _WORD.findall(text)
            pool.words += words
            for first, second in itertools.pairwise(words):
                pool.next_word[first.lower()].append(second)
        joined = "\n".join(texts)[:letters]
        following: dict[str, list[str]] = defaultdict(list)
        for at in range(len(joined) - 4):
            following[joined[at : at + 4]].append(joined[at + 4])
        pool.next_letter = {key: "".join(value) for key, value in following.items()}
        return pool


def _cased(word: str, like: str) -> str:
    return word.capitalize() if like[0].isupper() else word.lower()


def shuffled(text: str, _pool: Pool, rng: random.Random) -> str:
    """The words of the text in another order, in the same places."""
    words = _WORD.findall(text)
    rng.shuffle(words)
    rest = iter(words)
    return _WORD.sub(lambda found: _cased(next(rest), found[0]), text)


def salad(text: str, pool: Pool, rng: random.Random) -> str:
    """Words drawn from all texts in the places of the text's own."""
    return _WORD.sub(lambda found: _cased(rng.choice(pool.words), found[0]), text)


def word_chain(text: str, pool: Pool, rng: random.Random) -> str:
    """A Markov chain over words in the places of the text's own."""
    state = rng.choice(pool.words)

    def step(found: re.Match[str]) -> str:
        nonlocal state
        state = rng.choice(pool.next_word.get(state.lower()) or pool.words)
        return _cased(state, found[0])

    return _WORD.sub(step, text)


def letter_chain(text: str, pool: Pool, rng: random.Random) -> str:
    """A Markov chain over letters, as long as the text."""
    state = rng.choice(list(pool.next_letter))
    made = list(state)
    while len(made) < len(text):
        following = pool.next_letter.get(state)
        if following is None:
            state = rng.choice(list(pool.next_letter))
            continue
        made.append(rng.choice(following))
        state = state[1:] + made[-1]
    return "".join(made)


def broken_grammar(text: str, pool: Pool, rng: random.Random) -> str:
    """The endings of many words are those of other words."""
    share = rng.uniform(0.3, 0.8)

    def spoil(found: re.Match[str]) -> str:
        word = found[0]
        if len(word) < 5 or rng.random() > share:
            return word
        cut, other = rng.randint(1, _ENDINGS), rng.choice(pool.words)
        return word[:-cut] + other[-rng.randint(1, _ENDINGS) :].lower()

    return _WORD.sub(spoil, text)


def _phrase(rng: random.Random, goods: str, town: str) -> str:
    return rng.choice(_PHRASES).format(g=goods, t=town)


def injected(text: str, _pool: Pool, rng: random.Random) -> str:
    """Keyword phrases between the sentences of the text."""
    goods, town, often = rng.choice(_GOODS), rng.choice(_TOWNS), rng.uniform(0.3, 0.9)
    glue = rng.choice((". ", " ", ", "))

    def add(found: re.Match[str]) -> str:
        return found[0] + (" " + _phrase(rng, goods, town) + glue.rstrip() if rng.random() < often else "")

    return _SENTENCE.sub(add, text)


def stuffed(text: str, _pool: Pool, rng: random.Random) -> str:
    """Keyword phrases alone, as long as the text."""
    goods, town, glue = rng.sample(_GOODS, 3), rng.choice(_TOWNS), rng.choice((", ", "\n", ". ", " | ", " "))
    made = [_phrase(rng, rng.choice(goods), town)]
    while sum(map(len, made)) < min(len(text), 4000):
        made.append(_phrase(rng, rng.choice(goods), town))
    return glue.join(made)


def repeated(text: str, _pool: Pool, rng: random.Random) -> str:
    """Pieces of the text again and again."""
    pieces = [piece.strip() for piece in _SENTENCE.findall(text) if piece.strip()]
    few = pieces[: max(2, min(len(pieces), rng.randint(2, 12)))]
    glue = rng.choice((" ", "\n"))
    return glue.join(rng.choice(few) for _ in range(max(8, len(few) * rng.randint(3, 6))))


def cut_off(text: str, _pool: Pool, rng: random.Random) -> str:
    """The beginnings of sentences, each with an ellipsis: what a page of teasers says."""
    more = rng.choice(_MORE)
    lines = []
    for sentence in _SENTENCE.findall(text):
        words = sentence.split()
        if len(words) >= 5:
            lines.append(" ".join(words[: rng.randint(4, 16)]) + more)
    return "\n".join(lines) or text[:40] + more


def mojibake(text: str, _pool: Pool, rng: random.Random) -> str:
    """The bytes of the text in another encoding."""
    written, read = rng.choice(
        (
            *(("utf-8", "cp1251"), ("utf-8", "latin-1"), ("cp1251", "koi8-r"), ("koi8-r", "cp1251")),
            *(("cp1251", "latin-1"), ("cp866", "cp1251"), ("cp1251", "cp866"), ("ask", "ask")),
        )
    )
    if written == "ask":
        share = rng.uniform(0.1, 0.5)
        return "".join("?" if c.isalpha() and rng.random() < share else c for c in text)
    return text.encode(written, "replace").decode(read, "replace")


MAKERS: Final[dict[str, Callable[[str, Pool, random.Random], str]]] = {
    "shuffled_words": shuffled,
    "word_salad": salad,
    "word_chain": word_chain,
    "letter_chain": letter_chain,
    "broken_grammar": broken_grammar,
    "keyword_injected": injected,
    "keyword_stuffing": stuffed,
    "repeats": repeated,
    "truncated": cut_off,
    "broken_encoding": mojibake,
}
