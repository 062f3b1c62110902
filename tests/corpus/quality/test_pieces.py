"""Pieces of good text that are written as people write in chats."""

from __future__ import annotations

import random

from corpus.quality.pieces import informal


def words(text: str) -> list[str]:
    return [word.strip(".,!?():…").lower() for word in text.split()]


def test_short_sentences_and_names_with_initials_stay_in_a_chat() -> None:
    text = "Лев А. ел суп. Он пел. Был дым. Ян Б. не ел."
    for seed in range(20):
        chat = words(informal(text, random.Random(seed)))
        assert {"лев", "пел", "дым", "ян", "не"} <= set(chat)


def test_a_speakers_name_and_the_dash_of_a_reply_go() -> None:
    text = "Лука: Я не ем.\nСАТИН. Ешь уже.\n— Пойдём домой."
    for seed in range(20):
        chat = words(informal(text, random.Random(seed)))
        assert not {"лука", "сатин", "—"} & set(chat)
        assert {"не", "уже"} <= set(chat)
