"""Stage mask: identifiers go, the rest of the text stays as it is."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus import table
from corpus.errors import UsageError
from corpus.mask import KINDS, PRESETS, Mask, mask_samples, placeholder
from corpus.writing import Output
from rust_ext import PiiMask

#: kind -> texts with the value that has to go between ⟦ and ⟧.
FOUND = {
    "email": ["пишите на ⟦ivanov@mail.ru⟧.", "⟦иванов@почта.рф⟧", "⟦ivanov собака mail точка ru⟧ жду"],
    "phone": [
        "Звоните: ⟦+7 (916) 123-45-67⟧",
        "мой номер ⟦8 916\n123-45-67⟧",
        "⟦8 9l6 I23-45-67⟧ - Пётр",
        "⟦восемь девятьсот шестнадцать сто двадцать три сорок пять шестьдесят семь⟧",
        "тел. ⟦5-12-34⟧",
        "Звоните нам: ⟦(062) 300-38-85⟧",
    ],
    "inn": ["ИНН ⟦7707083893⟧", "ИНН ⟦500100732259⟧"],
    "snils": ["СНИЛС ⟦112-233-445 95⟧", "его ⟦112-233-445 95⟧ номер"],
    "ogrn": ["ОГРН ⟦1027700132195⟧"],
    "ogrnip": ["ОГРНИП ⟦304500116000157⟧"],
    "kpp": ["ИНН/КПП 7707083894/⟦773601001⟧", "КПП ⟦773601001⟧"],
    "card": ["на карту ⟦4111 1111 1111 1111⟧"],
    "account": ["к/с ⟦30101810400000000225⟧, БИК 044525225"],
    "oms": ["полис ОМС ⟦7712345678901235⟧"],
    "passport": ["паспорт ⟦4510 123456⟧ выдан", "паспорт серии ⟦45 10 № 123456⟧"],
    "passport_foreign": ["загранпаспорт ⟦71 1234567⟧"],
    "licence": ["водительское удостоверение ⟦77 16 123456⟧"],
    "plate": ["машина ⟦А123ВЕ77⟧ стояла"],
    "ip": ["с адреса ⟦5.61.37.209⟧ вошли", "IPv6 ⟦2a00:1450:4010:c05::71⟧"],
    "cookie": ["Cookie: ⟦PHPSESSID=0123456789abcdef0123⟧"],
    "token": ["ключ ⟦ghp_0123456789abcdefghijABCDEFGHIJ012345⟧"],
    "private_key": ["⟦-----BEGIN RSA PRIVATE KEY-----\n" + "A1b2" * 16 + "\n-----END RSA PRIVATE KEY-----⟧"],
    "password": [
        "логин: ivan, пароль: ⟦qwerty12⟧",
        "login ivan password ⟦Qwerty12⟧",
        "логин ivan пароль ⟦qwerty⟧",
    ],
}
BY_CHOICE = {
    "phone_office": ["горячая линия ⟦8-800-555-35-35⟧", "Регистратура: ⟦(4912) 25-36-14⟧"],
    "handle": ["страница ⟦https://vk.com/ivan_petrov⟧", "телеграм ⟦@ivan_petrov⟧"],
    "address": ["живёт: ⟦г. Тула, ул. Ленина, д. 5, кв. 12⟧"],
    "address_house": ["офис: ⟦г. Тула, ул. Ленина, д. 5⟧"],
    "birth_date": ["⟦Иванов Иван Иванович, 12.03.1985 г.р.⟧"],
}
#: What looks like a number of somebody and is none.
CLEAN = [
    "ISBN 978-5-699-12014-7, ББК 84(2Рос=Рус)6",
    "1. e4 e5 2. Кf3 Кc6 3. Сb5 a6 4. Сa4 Кf6 5. 0-0",
    "статьи 301, 302, 304, 305).\n4. Доверительный управляющий",
    "Федеральный закон от 27.07.2006 № 152-ФЗ (ред. от 02.07.2021)",
    "версия 10.0.19041.1165, пункт 5.1.2.3",
    "до ближайшей степени двойки (т.е. 8, 16, 32, 64, 128)",
    "Цена: 12 500 руб. за 1 000 шт., артикул 8916123",
    "тираж 100 000 экз., стоимость телефона 15 000 рублей",
    "население в 2010 году 1 234 567 человек, в 2011 году 1 245 678",
    "стоял на горе в 100 км 20 лет",
    "сто двадцать три тысячи пятьсот сорок два рубля",
    "Почта @pravda.ru",
    "@Override public void run() { int a = 8; }",
    "46. d5 Лxe8+ 47. 0-0-0 0-0-0 48. 0-0-0",
    "Пермский край | 109.6 | 792681 | 11531 | 531 287  194 522  17 851 247",
    "зрителей 7 973. 8 16 32 64 участника",
    "self.phone = None; user.password = getpass()",
    "IP54, версия 5.5.189.5",
    "Миграция, гражданство, паспортизация\n29.03.2013\n15:58 Киргизский депутат",
    "на КПП в Приднестровье\n12:06 04.01.2012  6",
    "ИНН/КПП не указаны, БИК 042202603",
    "тел. в рубрике. Месяц 1\n 1 2 3 4 5 6 7 8 9 10 11 12 13",
    "Soc. Lond. 46, 425-442 (2000)",
    "Zwan  (72)\n 311  (97)\n 1981  (1)",
    "Пермь, тел.: 8 (000) 000-07-00",
    "<!-- Rating@Mail.ru counter -->",
    "пишите на me @ example.com",
    "Enter the login and password here. Any user, hashed password stored in it",
    "d-i passwd/user-password-again password insecure",
    "Имя: @name.ru Пароль: Politonline.ru",
    "setlocale(LC_ALL, 'es_ES@calendar=islamic'), заголовки ././@LongLink",
    "Адрес сервера рассылки стоит в письме.\n12.2.1.1. Как вести себя в списках рассылки?",
    "localhost 127.0.0.1, маска 255.255.255.0, сеть 192.168.0.1",
]


def split(text: str) -> tuple[str, str, str]:
    before, _, rest = text.partition("⟦")
    value, _, after = rest.partition("⟧")
    return before, value, after


@pytest.mark.parametrize(("kind", "text"), [(k, t) for k, ts in FOUND.items() for t in ts])
def test_the_default_preset_masks_what_identifies(kind: str, text: str) -> None:
    before, value, after = split(text)
    masker = PiiMask(PRESETS["identifiers"])
    assert masker.mask(before + value + after) == before + placeholder(kind) + after


@pytest.mark.parametrize(("kind", "text"), [(k, t) for k, ts in BY_CHOICE.items() for t in ts])
def test_kinds_by_choice_are_masked_where_asked_for(kind: str, text: str) -> None:
    before, value, after = split(text)
    assert PiiMask(PRESETS["identifiers"]).mask(before + value + after) is None
    assert PiiMask([kind]).mask(before + value + after) == before + placeholder(kind) + after


def test_telephones_in_a_list_are_masked_each() -> None:
    masker = PiiMask(PRESETS["identifiers"])
    listed = "Телефон: (3902) 215-500, 215-216, 26-70-70, 8 906-191-38-83, вход 100-150 рублей"
    mask = placeholder("phone")
    assert masker.mask(listed) == f"Телефон: {mask}, {mask}, {mask}, {mask}, вход 100-150 рублей"
    price = "тел. 8 916 123-45-67, 100-150 рублей"
    assert masker.mask(price) == f"тел. {mask}, 100-150 рублей"


@pytest.mark.parametrize("text", CLEAN)
def test_clean_text_stays(text: str) -> None:
    assert PiiMask(KINDS).mask(text) is None


def test_a_wrong_check_digit_is_not_a_number() -> None:
    text = "ИНН 7707083894, СНИЛС 112-233-445 96, карта 4111 1111 1111 1112"
    assert PiiMask(PRESETS["identifiers"]).mask(text) is None


def batch(*texts: str | None, **columns: list[str | None]) -> pa.Table:
    made = {name: pa.array(values, pa.string()) for name, values in columns.items()}
    return pa.table({"text": pa.array(texts, pa.large_string()), **made})


def test_rows_are_kept_with_counts_by_kind() -> None:
    rows = batch(
        "тел. +7 916 123-45-67 и +7 916 123-45-68", "ничего", None, title=["ИНН 7707083893", None, "x"]
    )
    out = Mask().open()(rows)
    assert out["text"].to_pylist() == ["тел. <ТЕЛЕФОН> и <ТЕЛЕФОН>", "ничего", None]
    assert out["title"].to_pylist() == ["ИНН <ИНН>", None, "x"]
    assert out["masked"].to_pylist() == [3, 0, 0]
    deep = "[" * 50_000 + '"ivan@mail.ru"' + "]" * 50_000
    assert Mask().open()(batch("x", extra=[deep]))["masked"].to_pylist() == [1]
    assert out["masked_phone"].to_pylist() == [2, 0, 0]
    assert out["masked_inn"].to_pylist() == [1, 0, 0]
    assert out[table.DROP].null_count == 3


def test_places_are_characters_of_the_masked_text() -> None:
    out = Mask(spans=True).open()(batch("Ёлка: ivan@mail.ru, ИНН 7707083893", title=["8 916 123-45-67"]))
    for place in out["masks"].to_pylist()[0]:
        text = out[place["column"]].to_pylist()[0]
        assert text[place["start"] : place["end"]] == placeholder(place["kind"])
    assert [p["kind"] for p in out["masks"].to_pylist()[0]] == ["email", "inn", "phone"]
    assert Mask().open()(batch("x"))["masks"].to_pylist() == [None]


def test_stars_keep_length_and_lines() -> None:
    text = "тел. 8 916\n123-45-67!"
    out = Mask(style="stars").open()(batch(text))["text"].to_pylist()[0]
    assert out == "тел. *****\n*********!"


def test_pseudonyms_are_equal_for_equal_values_under_one_key(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("тайна\n", "utf-8")
    rows = batch("+7 916 123-45-67 или 8(916)1234567, не 8 916 123-45-68")
    stage = Mask(style="pseudonym", key_file=str(key))
    first, second, third = [w for w in stage.open()(rows)["text"].to_pylist()[0].split() if "<" in w]
    assert first.strip(",") == second.strip(",") != third
    key.write_text("другая", "utf-8")
    assert stage.open()(rows)["text"].to_pylist()[0].split()[0] != first
    assert PiiMask(KINDS).mask(first) is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"preset": "152"}, 'mask.preset: "152" is unknown'),
        ({"also": ("fone",)}, 'mask.also: "fone" is unknown'),
        ({"without": ("x",)}, 'mask.without: "x" is unknown'),
        ({"style": "dots"}, 'mask.style: "dots" is unknown'),
        ({"style": "pseudonym"}, "go together"),
        ({"columns": ()}, "names no column"),
    ],
)
def test_bad_parameters_are_named(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        Mask(**values)  # type: ignore[arg-type]


def test_an_empty_key_and_a_column_of_numbers_are_refused(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"\n")
    with pytest.raises(UsageError, match="0 bytes"):
        Mask(style="pseudonym", key_file=str(key)).open()
    with pytest.raises(UsageError, match="holds int64, not text"):
        Mask(columns=("text", "n")).open()(pa.table({"text": ["x"], "n": [1]}))


def test_the_choice_of_kinds_is_the_presets_with_changes() -> None:
    assert "phone" not in Mask(without=("phone",)).kinds()
    assert Mask(preset="none", also=("email",)).kinds() == ("email",)
    assert Mask(preset="all").kinds() == KINDS


def test_dropped_rows_show_no_identifiers(tmp_path: Path) -> None:
    rows = batch("мой номер +7 916 123-45-67", title=["паспорт 4510 123456"])
    rows = rows.append_column(table.DROP, pa.array(["few_words"])).append_column(
        table.DROP_DETAIL, pa.array(["words=4"])
    )
    with Output(str(tmp_path), "00000", reasons=("few_words",)) as out:
        out.write(rows.slice(0, 0).drop_columns([table.DROP, table.DROP_DETAIL]))
        out.split(rows)
        out.close()
    dropped = pq.read_table(tmp_path / "_dropped/00000.parquet")
    assert dropped["text"].to_pylist() == ["мой номер <ТЕЛЕФОН>"]
    assert dropped["title"].to_pylist() == ["паспорт <ПАСПОРТ>"]


def test_fields_kept_as_json_are_masked_string_by_string() -> None:
    extra = '{"title":"Тел. +7 916 123-45-67","n":[1,{"to":"ivan@mail.ru"}],"phone":79161234567,"ok":true}'
    out = Mask().open()(batch("x", "y", "z", extra=[extra, '{"n": 1.50}', "не JSON: ivan@mail.ru"]))
    assert out["extra"].to_pylist() == [
        '{"title":"Тел. <ТЕЛЕФОН>","n":[1,{"to":"<ПОЧТА>"}],"phone":"<ТЕЛЕФОН>","ok":true}',
        '{"n": 1.50}',
        "не JSON: <ПОЧТА>",
    ]
    deep = "[" * 50_000 + '"ivan@mail.ru"' + "]" * 50_000
    assert Mask().open()(batch("x", extra=[deep]))["masked"].to_pylist() == [1]
    assert out["masked_phone"].to_pylist() == [2, 0, 0]
    assert out["masked"].to_pylist() == [3, 0, 1]
    assert mask_samples(batch("x", extra=[extra]))["extra"].to_pylist() == out["extra"].to_pylist()[:1]


def test_samples_without_text_pass() -> None:
    assert mask_samples(pa.table({"url": ["u"]})).column_names == ["url"]
    assert mask_samples(batch(None, None))["text"].null_count == 2


def test_a_line_of_megabytes_is_read_in_one_pass() -> None:
    """Digits, letters that look like them, separators, triggers: nothing of them without end stops it."""
    masker = PiiMask(KINDS)
    for piece in (
        "1 ",
        "о",
        "8-9",
        "\u200b",
        "@",
        "a@",
        "1.",
        "token=",
        "sk-",
        "ул. ",
        "пять ",
        "-----BEGIN ",
        "(",
        "::1",
    ):
        assert masker.mask(piece * (400_000 // len(piece.encode()))) is None or piece in (
            "a@",
            "8-9",
            "1.",
            "::1",
        )


@pytest.mark.parametrize(
    ("extra", "masked"),
    [
        ("[" * 600 + '"ivan@mail.ru"' + "]" * 600, "[" * 600 + '"<ПОЧТА>"' + "]" * 600),
        ('{"a":"ivan@mail.ru","a":"x"}', '{"a":"<ПОЧТА>","a":"x"}'),
        (r'{"a":"\ud83d","b":"ivan@mail.ru"}', '{"a":"\ufffd","b":"<ПОЧТА>"}'),
        (r'{"\ud83d":"ivan@mail.ru"}', '{"\ufffd":"<ПОЧТА>"}'),
        (r'{"a":"\ud83d"}', r'{"a":"\ud83d"}'),
    ],
)
def test_odd_json_is_masked_all_the_same(extra: str, masked: str) -> None:
    assert Mask().open()(batch("x", extra=[extra]))["extra"].to_pylist() == [masked]
