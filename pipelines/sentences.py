"""Sentences of held-out texts as tokenizers cut them, for a person to look at."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from corpus.mask import mask_text
from tokenizer.baselines import Baseline

#: Sentences shown of all domains together, and the length of one in characters.
SENTENCES: Final = 6
_SENTENCE: Final = re.compile(r"(?<![^\s«(])[А-ЯЁ][^\n.!?]{60,158}[.!?](?=\s|$)")


def sentences(texts: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """(domain, sentence), Russian ones of a good line from evenly spaced documents, the domains in turn.
    Those with personal data are passed over: masked they would be cut otherwise."""
    found: list[tuple[str, str]] = []
    streams = [(domain, _of(documents)) for domain, documents in texts.items()]
    met: set[str] = set()
    while streams and len(found) < SENTENCES:
        for domain, stream in list(streams):
            sentence = next((one for one in stream if one not in met), None)
            if sentence is None:
                streams.remove((domain, stream))
            elif len(found) < SENTENCES:
                found.append((domain, sentence))
                met.add(sentence)
    return found


def _of(documents: Sequence[str]) -> Iterator[str]:
    step = max(1, len(documents) // (4 * SENTENCES))
    for text in documents[::step]:
        # The middle of a document: its beginning is a heading, a name, a date.
        match = _SENTENCE.search(text, len(text) // 3) or _SENTENCE.search(text)
        if match and mask_text(match.group()) == match.group():
            yield match.group()


def cut(tokenizer: Baseline, sentence: str) -> list[tuple[str, int]]:
    """The sentence's tokens in order as (text, tokens): more than one where
    several share a letter."""
    ids, _ = tokenizer.encode([sentence])
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    found: list[tuple[str, int]] = []
    waiting = 0
    for index in ids.tolist():
        text = decoder.decode(tokenizer.pieces[index])
        waiting += 1
        if text:
            found.append((text, waiting))
            waiting = 0
    if waiting and found:
        found[-1] = (found[-1][0], found[-1][1] + waiting)
    return found


def samples(tokenizers: Sequence[Baseline], texts: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Sentences with the tokens of each tokenizer, as plain data."""
    return [
        {
            "domain": domain,
            "text": sentence,
            "tokens": [{"tokenizer": one.name, "pieces": cut(one, sentence)} for one in tokenizers],
        }
        for domain, sentence in sentences(texts)
    ]
