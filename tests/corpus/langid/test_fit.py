"""Sources are read as they are, and a small model is fitted from them by the command."""

from __future__ import annotations

import collections
import json
import random
from pathlib import Path

import pyarrow as pa
import pytest

from corpus.langid.tags import CYRILLIC, LATIN, TAGS
from rust_ext import LanguageModel
from rust_ext.arrow import text_buffers
from scripts.fit import language as fit
from scripts.fit.language_sources import (
    SOURCES,
    Source,
    Text,
    android_strings,
    common_voice,
    four_battles,
    in_cyrillic,
    lexicon,
    messages,
    serbian_in_cyrillic,
    texts,
    treebank,
    words,
)

RUSSIAN = [
    "что это было и где она сейчас",
    "мы вчера ходили в лес за грибами",
    "он пришёл домой поздно вечером",
]
UKRAINIAN = [
    "що це було і де вона зараз",
    "ми вчора ходили до лісу по гриби",
    "він прийшов додому пізно ввечері",
]
ENGLISH = [
    "what was this and where is she now",
    "we went to the forest yesterday",
    "he came home late last night",
]


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def sources(root: Path) -> tuple[Source, ...]:
    for lang, lines in (("ru", RUSSIAN), ("uk", UKRAINIAN), ("en", ENGLISH), ("xx", ["unknown words"])):
        write(root / "voice" / "server" / "data" / lang / "a.txt", "\n".join(lines))
    return (Source("voice", "CC0-1.0", 100, common_voice),)


def test_each_reader_gives_language_group_and_text(tmp_path: Path) -> None:
    write(tmp_path / "a.conllu", "# sent_id = 1\n# text = Мон ванан.\n1\tМон\n")
    assert list(treebank("myv")(tmp_path)) == [("myv", "Мон ванан.", "Мон ванан.")]
    write(
        tmp_path / "i18n" / "ru.json", json.dumps({"@metadata": {}, "a": "[[Файл|файлы]] $1 здесь", "b": 1})
    )
    assert [(lang, text.split()) for lang, _, text in messages(tmp_path)] == [("ru", ["файлы", "здесь"])]
    write(tmp_path / "lists" / "kir" / "kir.wordlist", "жаңы\nсуу\n???\n123\n")
    ((lang, _, line),) = words(tmp_path / "lists")
    assert (lang, sorted(line.split())) == ("kir", ["123", "жаңы", "суу"])


def test_messages_outside_their_folders_are_no_messages(tmp_path: Path) -> None:
    write(tmp_path / "package.json", json.dumps({"description": "что это"}))
    write(tmp_path / "i18n" / "api" / "ru.json", json.dumps({"a": "да"}))
    assert [(lang, text) for lang, _, text in messages(tmp_path)] == [("ru", "да")]


def test_messages_of_android_are_unescaped_and_languages_named_as_elsewhere(tmp_path: Path) -> None:
    message = '<resources>\n<string name="a">L\\\'accès &amp; <b>%1$s</b>\\nfin</string>\n</resources>'
    for folder in ("values", "values-fr", "values-in", "values-b+sr+Latn", "values-b+be+x+old"):
        write(tmp_path / "res" / folder / "strings.xml", message)
    found = list(android_strings(tmp_path))
    assert sorted(lang for lang, _, _ in found) == ["be", "fr", "id", "sr-Latn"]
    assert {(group, " ".join(text.split())) for _, group, text in found} == {("message a", "L'accès & fin")}


def test_a_lexicon_keeps_the_translations_of_a_word_in_one_group(tmp_path: Path) -> None:
    write(tmp_path / "gatitos" / "en_av.tsv", "water\tлъим\nwar\tрагъ\nfire\tцӀа\nfire\tцӀа\n")
    write(tmp_path / "gatitos" / "en_crh.tsv", "war\tдженк\n")
    write(tmp_path / "gatitos" / "av_en.tsv", "лъим\twater\n")
    assert list(lexicon(tmp_path)) == [
        ("av", "gatitos wa", "лъим рагъ"),
        ("av", "gatitos fi", "цӀа"),
        ("crh-Cyrl", "gatitos wa", "дженк"),
    ]


def test_a_parallel_book_keeps_the_translations_of_a_sentence_in_one_group(tmp_path: Path) -> None:
    write(
        tmp_path / "data-raw" / "four_battles.tsv", "Став.\tБыдӧс.\tВесе.\tВаньзэ.\tЧыла.\nТӧдӧны.\tТӧдӧны.\n"
    )
    found = list(four_battles(tmp_path))
    assert [(lang, text) for lang, _, text in found[:2]] == [("kpv", "Став."), ("koi", "Быдӧс.")]
    assert len({group for _, group, _ in found[:5]}) == 1
    assert len({group for _, group, _ in found}) == 2


def test_serbian_in_latin_letters_is_read_in_cyrillic_ones(tmp_path: Path) -> None:
    assert in_cyrillic("Ljubav i njuh, Džep, NJIVA: đak ćuti, šuma čeka žabu.") == (
        "Љубав и њух, Џеп, ЊИВА: ђак ћути, шума чека жабу."
    )
    write(tmp_path / "sr.conllu", "# text = Njih je sve više.\n")
    assert [text for _, _, text in serbian_in_cyrillic(tmp_path)] == ["Њих је све више."]


def test_short_parts_of_texts_are_learned_from_as_well() -> None:
    given = [Text("ru", "a", str(n), "раз два три четыре пять шесть семь") for n in range(200)]
    sizes = collections.Counter(len(text.split()) for _, text in fit.pieces(given, random.Random(1)))
    assert sum(sizes[size] for size in (2, 3, 4)) > 150


def test_every_licence_is_one_that_the_model_may_be_fitted_under() -> None:
    assert not [source.folder for source in SOURCES if "GPL" in source.licence or "NC" in source.licence]


def test_texts_are_once_a_language_in_its_script_and_at_most_so_many(tmp_path: Path) -> None:
    found = sources(tmp_path)
    write(tmp_path / "voice" / "server" / "data" / "ru" / "b.txt", f"{RUSSIAN[0]}\nnot Russian at all\n")
    assert sorted(t.text for t in texts(tmp_path, found) if t.lang == "ru") == sorted(RUSSIAN)
    few = (Source("voice", "CC0-1.0", 2, common_voice),)
    assert sum(t.lang == "ru" for t in texts(tmp_path, few)) == 2


def test_messages_that_nobody_translated_are_left_out(tmp_path: Path) -> None:
    write(tmp_path / "m" / "i18n" / "ru.json", json.dumps({"a": "Сохранить страницу", "b": "Удалить"}))
    write(tmp_path / "m" / "i18n" / "av.json", json.dumps({"a": "Сохранить страницу", "b": "НахъчӀвай"}))
    found = list(texts(tmp_path, (Source("m", "MIT", 10, messages),)))
    assert [t.text for t in found if t.lang == "av"] == ["НахъчӀвай"]


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"langid: the source is not there"):
        list(texts(tmp_path))


def test_halves_keep_translations_of_a_sentence_together() -> None:
    groups = [f"ntrex {number}" for number in range(200)]
    halves = [(Text("ru", "", g, "а").half, Text("uk", "", g, "б").half) for g in groups]
    assert all(a == b for a, b in halves)
    assert 60 < sum(a for a, _ in halves) < 140


def test_every_tag_that_sources_are_given_is_one_label() -> None:
    assert set(TAGS.values()) - (CYRILLIC | LATIN) <= {"rup-Cyrl", "fy"}
    assert len({source.folder for source in SOURCES}) > 20
    assert len(fit.CYRL.labels) <= 64  # a row of weights is one line of the processor's cache


def test_a_model_is_fitted_by_the_command_and_tells_its_languages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = sources(tmp_path)
    for name, labels in (("CYRL", ("ru", "ru-petr1708", "uk")), ("LATN", ("en", "ru-Latn", "uk-Latn"))):
        plan = fit.Plan(name.title()[:4], labels, candidates=2000, rows=1000, epochs=20)
        monkeypatch.setattr(fit, name, plan)
    monkeypatch.setattr(fit, "SOURCES", found)
    monkeypatch.setattr(fit.fit, "__defaults__", ((fit.CYRL, fit.LATN),))
    out = tmp_path / "small.model"
    assert fit.main([str(tmp_path), str(out)]) == 0
    first = out.read_bytes()
    model = LanguageModel(first)
    assert model.labels[:6] == ["ru", "ru-petr1708", "uk", "en", "ru-Latn", "uk-Latn"]
    assert any(line == "from voice" for line in model.made)
    column = text_buffers(pa.array([RUSSIAN[1], UKRAINIAN[1], ENGLISH[1]], pa.large_string()))
    rows = model.read(column, cyrillic=0.3, wanted=[])
    assert [model.labels[label] for label in rows["labels"][0]] == ["ru", "uk", "en"]
    assert fit.main([str(tmp_path), str(out)]) == 0
    assert out.read_bytes() == first
