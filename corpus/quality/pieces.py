"""Pieces of good text for a fit, some of them written as people write in chats."""

from __future__ import annotations

import random
import re
from typing import Final

_SENTENCE: Final = re.compile(r"[^.!?…\n]+[.!?…]*[»\")]*")
_SPACE: Final = re.compile(r"(?<=[.!?…])\s+")
#: A dash, or a speaker's name: before a colon, or in capitals before a stop.
_SPEAKER: Final = re.compile(r"^(?:[—–-]+ ?|[A-ZА-ЯЁ][\w .]{0,24}: ?|[A-ZА-ЯЁ]{2}[A-ZА-ЯЁ ]{0,22}\. ?)")
_TAILS: Final = (")", "))", ")))", "(", "!!", "...", "??", " 😂", " 👍", " 🙈", " :)", " хаха")
_LETTERS: Final = re.compile(r"[а-яё]{4,}")


def piece(text: str, rng: random.Random) -> str:
    """200 to 900 characters from the middle of a text, from one end of a line or sentence to another.

    Empty where the text is too short for one.
    """
    size = rng.randint(200, 900)
    if len(text) <= size + 100:
        return ""
    start = rng.randrange(len(text) - size)
    cut = text[start : start + size]
    starts = [at for at in (cut.find("\n"), cut.find(". ")) if at >= 0]
    cut = cut[min(starts) + 1 :] if starts else cut
    end = max(cut.rfind("."), cut.rfind("\n"))
    cut = (cut[: end + 1] if end > 100 else cut).strip()
    return cut if len(cut) > 120 else ""


def sentences(text: str, rng: random.Random) -> str:
    """One to three neighbouring sentences of a text in a line, 15 to 90 words; empty where there are none."""
    found = [part for part in _SPACE.split(text) if len(part.split()) >= 5]
    count = rng.randint(1, 3)
    if len(found) <= count:
        return ""
    start = rng.randrange(len(found) - count + 1)
    cut = " ".join(found[start : start + count]).replace("\n", " ")
    return cut if 15 <= len(cut.split()) <= 90 else ""


def informal(text: str, rng: random.Random) -> str:
    """The sentences of a text as messages of a chat: a line each, some without capitals, commas and stops.

    How careless the writers are, is drawn once a text, so texts of all degrees come about.
    """
    careless, commas, tails, typos = rng.random(), rng.random() ** 2, rng.random() * 0.3, rng.random() * 0.02
    names = rng.random() < 0.25
    lines = []
    for found in _SENTENCE.findall(text):
        line = _SPEAKER.sub("", found.strip())
        if not line:
            continue
        if rng.random() < careless:
            line = line[:1].lower() + line[1:].rstrip(".…")
        line = "".join(c for c in line if c != "," or rng.random() >= commas)
        line = _LETTERS.sub(lambda word: _typo(word[0], typos, rng), line)
        if rng.random() < tails:
            line = line.rstrip(".") + rng.choice(_TAILS)
        lines.append(f"user{rng.randint(1, 99)}: {line}" if names else line)
    glue = "\n" if rng.random() < 0.7 else " "
    return glue.join(lines)


def _typo(word: str, often: float, rng: random.Random) -> str:
    if rng.random() >= often:
        return word
    at = rng.randrange(1, len(word) - 1)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
