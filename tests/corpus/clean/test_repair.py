"""Repairing text: damage is undone, clean text comes back as it is."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pyarrow as pa
import pytest

from corpus.clean.repair import KINDS, REPAIR_COLUMNS, Repair, repair, repair_column

RUSSIAN = (
    "Мой дядя самых честных правил, когда не в шутку занемог,  он уважать себя заставил "
    "и лучше выдумать не мог.\n"
    "Его пример другим наука; но, боже мой, какая скука с больным сидеть и день и ночь, "
    "не отходя ни шагу прочь!\n"
    "Ёлка, №5 — «Эхо»…\n"
    "Да."
)
MISREADINGS = [
    ("utf-8", "latin-1"),
    ("utf-8", "cp1252"),
    ("utf-8", "cp1251"),
    ("utf-8", "koi8-r"),
    ("utf-8", "cp866"),
    ("cp1251", "latin-1"),
    ("cp1251", "cp1252"),
    ("koi8-r", "cp1251"),
    ("cp1251", "koi8-r"),
    ("cp866", "cp1251"),
]
CLEAN = [
    RUSSIAN,
    "Съешь же ещё этих мягких французских булок, да выпей чаю. МХАТ, ВКонтакте, СанПиН, МиГ-29, ТАСС и ЦСКА.",
    "ГЛАВА ПЕРВАЯ\n\nДЕЙСТВУЮЩИЕ ЛИЦА",
    "Усі люди народжуються вільними і рівними у своїй гідності та правах. Її їжак їсть. Січень — «Рік».",
    "Всички хора се раждат свободни и равни по достойнство и права. Ѝ беше ясно.",
    "Сва људска бића рађају се слободна и једнака у достојанству и правима. Ђорђе, Њутн, џеп.",
    "Барлық адамдар тумысынан азат және қадір-қасиеті мен құқықтары тең болып дүниеге келеді.",
    "Барлык кешеләр дә азат һәм үз абруйлары һәм хокуклары ягыннан тиң булып туалар.",
    "Въ началѣ бѣ Слово, и Слово бѣ къ Богу. Міръ, Ѳома, мѵро, исторія.",
    "Où est l'été ? À côté de la forêt, Noël. Größe, Füße, Äpfel. El niño, ¿qué? Příliš žluťoučký kůň.",
    "Это стоит 100 €, ±5 °C, × 2, § 3, ½. ──── │ рамка │ ──── α → β",
    "C++, iPhone-ом, IPадрес, Wi-Fi и 5G-сеть, C#-код, e-mail, 25мм, iPhoneом",
    "Цена 10€, скидка 5€, всего 12 млн€, 13 млн€, 14 млн€. В «Известиях», дом 5В, кв. 7; СССР? №5 — „так“…",
    "Дом 5В 2, корпус В\u00a01. В\u00a0Москве +5 °C, § 3, © 2020. LETTRE Â, Â\u00a0LA. «В Москве», «С»",
    "日本語のテキスト और हिन्दी می‌خواهم 👨‍👩‍👧 ❤️",
    "Функция htmlspecialchars заменяет & на '&amp;', а < на '&lt;'.",
    "",
]


def misread(text: str, written: str, read: str) -> str:
    """What a program shows that takes bytes for another charset; undefined bytes become controls."""

    def character(byte: int) -> str:
        try:
            return bytes([byte]).decode(read)
        except UnicodeDecodeError:
            return chr(byte)

    return "".join(character(byte) for byte in text.encode(written))


def encodable(text: str, charset: str) -> str:
    return text.encode(charset, "ignore").decode(charset)


@pytest.mark.parametrize(("written", "read"), MISREADINGS)
def test_text_read_in_the_wrong_charset_is_restored(written: str, read: str) -> None:
    text = encodable(RUSSIAN, written)
    repaired, counts = repair(misread(text, written, read))
    assert repaired == text
    assert counts["mojibake"] > 100


@pytest.mark.parametrize(("written", "read"), MISREADINGS)
def test_only_the_broken_paragraphs_of_a_text_change(written: str, read: str) -> None:
    lines = encodable(RUSSIAN, written).split("\n")
    for broken in (0, 1):
        damaged = [misread(line, written, read) if n == broken else line for n, line in enumerate(lines)]
        assert repair("\n".join(damaged))[0] == "\n".join(lines)


@pytest.mark.parametrize("twice", ["latin-1", "cp1252", "cp1251"])
@pytest.mark.parametrize(("written", "read"), MISREADINGS)
def test_two_layers_are_undone(written: str, read: str, twice: str) -> None:
    text = encodable(RUSSIAN, written)
    assert repair(misread(misread(text, written, read), "utf-8", twice))[0] == text


@pytest.mark.parametrize("text", CLEAN)
def test_clean_text_comes_back_as_it_is(text: str) -> None:
    assert repair(text) == (text, dict.fromkeys(KINDS, 0))


@pytest.mark.parametrize(
    ("kind", "damaged", "repaired", "count"),
    [
        (
            "entities",
            "Пётр&nbsp;I &mdash; царь, &laquo;Тула&raquo; &amp;quot;к&#1041;",
            'Пётр\xa0I — царь, «Тула» "кБ',
            6,
        ),
        ("controls", "один\r\nдва\rтри\x00\x07 \x93да\x94", "один\nдва\nтри “да”", 6),
        ("zero_width", "сло\u200bво\ufeff и\u200d дело\u200e", "слово и дело", 4),
        ("soft_hyphens", "пере\xadнос", "перенос", 1),
        ("stress", "за́мок и замо́к, Е\u0301сть ё\u0301", "замок и замок, Есть ё", 4),
        ("nfc", "йод, е\u0308лка, И\u0306", "йод, ёлка, Й", 2),
        ("homoglyphs", "кoт, Mосква, Аpple, paбота", "кот, Москва, Apple, работа", 5),
    ],
)
def test_each_repair_is_made_counted_and_can_be_switched_off(
    kind: str, damaged: str, repaired: str, count: int
) -> None:
    text, counts = repair(damaged)
    assert text == repaired
    assert counts == {**dict.fromkeys(KINDS, 0), kind: count}
    assert repair(damaged, Repair(**{kind: False}))[0] == damaged


def test_mojibake_can_be_switched_off() -> None:
    damaged = misread(RUSSIAN, "utf-8", "cp1251")
    assert repair(damaged, Repair(**dict.fromkeys(KINDS, False)))[0] == damaged


def test_latin_i_becomes_cyrillic_only_where_the_alphabet_has_it() -> None:
    assert repair("мiръ, исторiя, вѣра")[0] == "міръ, исторія, вѣра"
    assert repair("Украiна та її мова")[0] == "Україна та її мова".replace("ї", "і", 1)
    assert repair("тiп")[0] == "тiп"


def test_acute_accents_that_are_letters_stay() -> None:
    assert repair("ќерка, ѓон, café, кафе́")[0] == "ќерка, ѓон, café, кафе"


def test_tags_are_never_made_of_entities() -> None:
    text = "Текст &lt;b&gt; и ещё &nbsp; текст"
    assert repair(text)[0] == text


def test_lone_surrogates_become_replacement_characters() -> None:
    assert repair("а\ud800б")[0] == "а\ufffdб"


def test_a_column_is_repaired_like_its_rows() -> None:
    rows = [RUSSIAN, None, misread(RUSSIAN, "utf-8", "cp866"), "", "кoт", None, "пере\xadнос", RUSSIAN]
    for array in (
        pa.array(rows),
        pa.array(rows, pa.large_string()).slice(1, 6),
        pa.chunked_array([rows, rows[:3]]),
    ):
        column, counts = repair_column(array)
        assert counts.schema == REPAIR_COLUMNS
        for text, repaired, *row in zip(
            array.to_pylist(),
            column.to_pylist(),
            *(counts[name].to_pylist() for name in counts.column_names),
            strict=True,
        ):
            expected = (None, dict.fromkeys(KINDS, 0)) if text is None else repair(text)
            assert (repaired, dict(zip(KINDS, row, strict=True))) == expected


def test_a_clean_column_is_returned_without_a_copy() -> None:
    array = pa.array([RUSSIAN, None, "да"], pa.large_string())
    column, _ = repair_column(array)
    assert column.buffers()[2].address == array.buffers()[2].address


def test_empty_columns_are_repaired() -> None:
    for array in (
        pa.array([], pa.string()),
        pa.chunked_array([], pa.string()),
        pa.array([None, None], pa.string()),
    ):
        column, counts = repair_column(array)
        assert (len(column), counts.num_rows) == (len(array), len(array))


def test_a_column_of_another_type_is_refused() -> None:
    with pytest.raises(pa.ArrowInvalid, match="takes strings"):
        repair_column(pa.array([1]))


def test_options_say_what_they_do() -> None:
    assert all(option.metadata["help"] for option in fields(Repair))


CASES = json.loads((Path(__file__).parents[2] / "data" / "repair.json").read_text("utf-8"))


@pytest.mark.parametrize("name", CASES)
def test_faults_that_users_report(name: str) -> None:
    damaged, right = CASES[name]
    assert repair(damaged)[0] == right


@pytest.mark.parametrize(
    ("damaged", "right"),
    [
        (
            "Â© 2020 Редакция, 20Â°C, â‚¬5, Â«ДаÂ», словоÂ слово.",
            "© 2020 Редакция, 20°C, €5, «Да», слово слово.",
        ),
        (
            "Снаружи 20В°C и ветер, сказал В«ТАССВ», В§ 5, 5В 000 руб.",
            "Снаружи 20°C и ветер, сказал «ТАСС», § 5, 5 000 руб.",
        ),
        ("Дом в„–5, цена 10 в‚¬, ООО в„ў", "Дом №5, цена 10 €, ООО ™"),
        ("The barÂ is open, 10â€“12Â°C â€¢ â„¢", "The bar is open, 10–12°C • ™"),
    ],
)
def test_short_runs_between_clean_words(damaged: str, right: str) -> None:
    assert repair(damaged)[0] == right


@pytest.mark.parametrize("lost", ["?", "\ufffd", "", "\x98", "˜"])
def test_a_lost_byte_of_the_capital_i_is_inferred(lost: str) -> None:
    text = "Иван и Илья. Или Игорь? СССР и РФ: «Известия», Истра."
    damaged = "".join(bytes([byte]).decode("cp1251") if byte != 0x98 else lost for byte in text.encode())
    assert repair(damaged)[0] == text


@pytest.mark.parametrize(("written", "read"), [("cp1251", "mac_cyrillic"), ("mac_cyrillic", "cp1251")])
def test_mac_cyrillic_mix_ups_are_undone(written: str, read: str) -> None:
    text = RUSSIAN.replace("№5 — ", "").replace("…", ".").replace("Да.", "Сочи.") + "\nЯрмарка открытия."
    table = [bytes([b]).decode(read) if (b, read) != (0x98, "cp1251") else "\x98" for b in range(256)]
    damaged = "".join(table[byte] for byte in text.encode(written))
    assert damaged != text
    assert repair(damaged, Repair(**{kind: kind == "mojibake" for kind in KINDS}))[0] == text
