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
from scripts.fit import language_lists as lists
from scripts.fit.language_augment import lacinka, other_letters, tatar_latin
from scripts.fit.language_lists import (
    forms,
    in_cyrillic,
    lexicon,
    place_names,
    subtitles,
    unilex,
    words,
)
from scripts.fit.language_sentences import LASER, benchmark, normalised, pairs
from scripts.fit.language_sources import (
    SOURCES,
    Source,
    Text,
    android_strings,
    common_voice,
    four_battles,
    messages,
    serbian_in_cyrillic,
    texts,
    treebank,
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


def test_russian_is_expected_and_letters_of_no_neighbour_weigh_most() -> None:
    plan = fit.Plan("Cyrl", ("ru", "uk", "bg"), candidates=2_000, rows=1_000, epochs=2)
    learned = [
        *(("ru", text) for text in RUSSIAN),
        *(("uk", text) for text in UKRAINIAN),
        ("bg", "къде е"),
    ] * 5
    body, scale = fit.fitted(plan, learned)
    decided = fit.decided(plan, body)

    def scores(body: bytes, text: str) -> dict[str, float]:
        latin = fit.Plan("Latn", ("en",), candidates=10, rows=10)
        parts = [(plan, body, scale, 0.0, 0.0), (latin, bytes(4), scale, 0.0, 0.0)]
        values, _ = LanguageModel(fit.model_bytes(parts, ())).scores([text], 0)
        return dict(zip(plan.labels, values[0].tolist(), strict=False))

    before, after = scores(body, "что"), scores(decided, "что")
    assert after["ru"] - before["ru"] == pytest.approx(fit.RUSSIAN_BIAS, abs=1e-4)
    assert (after["uk"], after["bg"]) == (before["uk"], before["bg"])  # no letter that these lack
    before, after = scores(body, "мы"), scores(decided, "мы")
    assert after["bg"] < before["bg"]
    assert after["uk"] < before["uk"]


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


def test_words_with_frequencies_are_drawn_into_lines(tmp_path: Path) -> None:
    head = "Form\tFrequency\n\n# SPDX-License-Identifier: Unicode-DFS-2016\n\n"
    for lang in lists.UNILEX:
        write(tmp_path / "data" / "frequency" / f"{lang}.txt", head)
    rows = "".join(f"суьйт{n}\t{1000 - n}\n" for n in range(200))
    write(tmp_path / "data" / "frequency" / "uz.txt", head + "сўз\t90000\n" + rows)
    found = list(unilex(tmp_path))
    assert {lang for lang, _, _ in found} == {"uz-Cyrl"}
    assert {len(text.split()) for _, _, text in found} == {2, 3, 4, 5}
    counts = collections.Counter(word for _, _, text in found for word in text.split())
    assert counts.most_common(1)[0][0] == "сўз"
    assert list(unilex(tmp_path)) == found


def test_what_another_language_says_far_oftener_is_left_out_of_subtitles(tmp_path: Path) -> None:
    for lang, rows in {
        "bg": "да 900\nтука 1\n",
        "mk": "да 900\nтука 400\nкакво 100\n",
        "ru": "да 900\n",
        "sr": "da 500\nда 400\nnjuška 100\n",
    }.items():
        write(tmp_path / "content" / "2018" / lang / f"{lang}_50k.txt", rows)
    found = collections.defaultdict(set)
    for lang, _, text in subtitles(tmp_path):
        found[lang] |= set(text.split())
    assert found["bg"] == {"да"}
    assert found["mk"] == {"да", "тука", "какво"}
    assert found["sr"] == {"да", "њушка"}


def test_sentences_of_the_public_benchmark_are_learned_from_no_other_source(tmp_path: Path) -> None:
    write(tmp_path / LASER / "tatoeba.bel-eng.bel", "Я цябе кахаю!\n")
    write(tmp_path / LASER / "tatoeba.bel-eng.eng", "I love you!\n")
    write(tmp_path / "anki" / "bel.txt", "I love you.\t«Я  цябе кахаю».\tCC-BY\nGo.\tІдзі.\tCC-BY\nempty\n")
    source = Source("anki", "CC-BY-2.0-FR", 10, pairs("be", "bel.txt"), public=True)
    assert [(t.lang, t.text) for t in texts(tmp_path, (source,))] == [("be", "Ідзі.")]
    assert benchmark(tmp_path) == {normalised("Я цябе кахаю"), "iloveyou"}
    for path in (tmp_path / LASER).iterdir():
        path.unlink()
    with pytest.raises(FileNotFoundError, match=r"LASER's sentences are not there"):
        list(texts(tmp_path, (source,)))


def test_names_teach_no_language(tmp_path: Path) -> None:
    sentences = ["Том спи.", "Здравей, Том!", "Вие знаете.", "Знам, че Вие и вие знаете.", "Тук е."]
    write(tmp_path / "bul.txt", "".join(f"x\t{sentence}\n" for sentence in sentences))
    found = [text for _, _, text in pairs("bg", "bul.txt")(tmp_path)]
    assert found == ["Вие знаете.", "Знам, че Вие и вие знаете.", "Тук е."]


def test_whatever_holds_sentences_of_tatoeba_leaves_out_the_benchmark() -> None:
    own = {"langid", "facebookresearch+LASER"}
    assert [
        s.folder for s in SOURCES if "Tatoeba" in s.licence and not s.public and s.folder not in own
    ] == []
    assert sum(s.public for s in SOURCES) == 2


def test_names_of_places_keep_the_halves_apart_by_their_keys(tmp_path: Path) -> None:
    names = {
        "territories": {
            "main": {"ru": {"localeDisplayNames": {"territories": {"FR": "Франция", "FI": "Финляндия"}}}}
        },
        "languages": {"main": {"ru": {"localeDisplayNames": {"languages": {"fr": "французский"}}}}},
        "timeZoneNames": {"main": {"ru": {"zone": {"Europe": {"Paris": {"exemplarCity": "Париж"}}}}}},
    }
    for part, tree in names.items():
        package = "dates" if part == "timeZoneNames" else "localenames"
        path = tmp_path / "cldr-json" / f"cldr-{package}-full" / "main" / "ru" / f"{part}.json"
        write(path, json.dumps(tree))
    found = list(place_names(tmp_path, ("ru",)))
    assert {(group, frozenset(text.split(", "))) for _, group, text in found} == {
        ("cldr territories F", frozenset(("Франция", "Финляндия"))),
        ("cldr languages f", frozenset(("французский",))),
        ("cldr timeZoneNames P", frozenset(("Париж",))),
    }


def test_forms_are_read_once_each(tmp_path: Path) -> None:
    write(tmp_path / "unimorph+ady" / "ady", "унэ\tунэхэр\tN;PL\nунэ\tунэм\tN\nунэ\tунэм\tN;ERG\n\n")
    ((lang, _, line),) = forms("ady")(tmp_path / "unimorph+ady")
    assert (lang, sorted(line.split())) == ("ady", ["унэм", "унэхэр"])


def test_russian_words_are_left_out_of_lists_of_languages_that_borrow_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "w" / "a" / "a.wordlist", "")
    write(tmp_path / lists.RUSSIAN_LIST, "сахар 9\nнебо 5\nсоль 3\nто 100\n")
    monkeypatch.setattr(lists, "place_names", lambda *_: [("ru", "", "Италия, Рим")])
    given = [("mhr", "a", "Сахар шинчал то"), ("mhr", "b", "соль, Италия"), ("bg", "c", "небо то")]
    source = Source("w", "MIT", 10, lambda _: iter(given), listed=True)
    found = {(t.lang, t.text) for t in texts(tmp_path, (source,))}
    assert found == {("mhr", "шинчал то"), ("bg", "небо то")}
    (tmp_path / lists.RUSSIAN_LIST).unlink()
    with pytest.raises(FileNotFoundError, match=r"ru_50k.txt: the list is not there"):
        list(texts(tmp_path, (source,)))


def test_latin_letters_in_lists_of_words_are_no_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / lists.RUSSIAN_LIST, "")
    (tmp_path / "w").mkdir()
    source = Source("w", "MIT", 10, lambda _: iter([("tt", "a", "Panasonic qayta SPRINGGREEN")]))
    assert [t.lang for t in texts(tmp_path, (source,))] == ["tt-Latn"]
    listed = Source("w", "MIT", 10, source.read, listed=True)
    monkeypatch.setattr(lists, "place_names", lambda *_: [])
    assert list(texts(tmp_path, (listed,))) == []


def test_belarusian_and_tatar_are_written_in_latin_letters() -> None:
    assert lacinka("Маю надзею, што ты гэта разумееш: людзі, вялікі, зямля, дзень, большы") == (
        "maju nadzieju, što ty heta razumieješ: ludzi, vialiki, ziamla, dzień, bolšy"
    )
    assert tatar_latin("Хатын-кызлар көне, җиңел, шәһәр, Кытай") == "xatın-qızlar köne, ciñel, şähär, qıtay"


def test_old_east_slavic_is_written_as_several_editors_do() -> None:
    found = {other_letters("есть у земли", random.Random(seed)) for seed in range(40)}
    assert "есть у земли" in found
    assert any("єсть" in text for text in found)
    assert any("оу" in text for text in found)
    assert len(found) > 5


def test_short_parts_of_texts_are_learned_from_as_well() -> None:
    given = [Text("ru", "a", str(n), "раз два три четыре пять шесть семь") for n in range(200)]
    sizes = collections.Counter(len(text.split()) for _, text in fit.pieces(given, random.Random(1)))
    assert sum(sizes[size] for size in (2, 3, 4)) > 150


def test_texts_are_learned_from_as_often_as_their_source_says(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr(fit, "pieces", lambda found, _: seen.append([t.text for t in found]) or [])
    monkeypatch.setattr(fit, "LanguageModel", lambda _: None)
    texts_of_both = [Text("ru", "a", "1", "раз", times=3), Text("ru", "a", "2", "два")]
    fit.fit(texts_of_both, texts_of_both, ())
    assert seen == [["раз", "раз", "раз", "два"], ["раз", "два"]]


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
