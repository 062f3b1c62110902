"""Stage clean: the web's lines go, the author's stay."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.clean.lines import CATEGORIES, Clean, category, clean_text
from tests.oracles.boilerplate import load_patterns

BOILERPLATE = {
    "consent": [
        "Нажимая на кнопку «Отправить», вы даёте согласие на обработку персональных данных",
        "Я согласен на обработку персональных данных и получение рассылки",
        "Продолжая пользоваться сайтом, вы соглашаетесь на использование файлов cookie.",
        "Политика конфиденциальности",
        "В соответствии с Федеральным законом от 27.07.2006 № 152-ФЗ «О персональных данных» даю согласие",
    ],
    "cookies": ["Мы используем файлы cookie, чтобы сайт работал лучше", "Принять все cookies"],
    "policy": [
        "Please read our Privacy Policy and Terms of Use",
        "Мы рады, что Вы решили оставить свой комментарий на сайте www.gazeta.test!",
        "В комментариях запрещаются выражения, унижающие человеческое достоинство.",
        "Администрация сайта оставляет за собой право удалять любые комментарии без объяснения причин.",
        "Комментарии, содержащие оскорбления и ненормативную лексику, удаляются.",
        "* Администрация сайта не несёт ответственности за содержание сообщений в комментариях.",
        "Отзывы публикуются после модерации",
        "Просим соблюдать правила общения на нашем форуме.",
        "- Сообщение не должно содержать ненормативную лексику и рекламу",
        "Языком общения на форуме является русский.",
        "- - Запрещаются спам и реклама любых товаров.",
        "Не приветствуются комментарии не по теме статьи.",
        "Наши правила помогут вам получать удовольствие от общения",
        "Редакция оставляет за собой право публикации отдельных комментариев в газете.",
    ],
    "javascript": ["Для работы сайта включите JavaScript в браузере"],
    "read_also": [
        "Читайте также:",
        "Читайте также: В Латвии взорвался СПА-центр",
        "|  Материалы по теме  |",
        "Ещё по теме",
        "Смотрите также",
        "САМЫЕ ПОПУЛЯРНЫЕ НОВОСТИ НАШИХ ПАРТНЕРОВ",
        "← Предыдущая новость",
        "Читать дальше →",
        "Главная » Новости » Общество",
        "главная | стандартные функции",
        "Главная страница > Каталог > Трубы и фитинги",
    ],
    "share": [
        "Поделиться",
        "Поделиться в соцсетях",
        "Добавить в закладки и поделиться:",
        "Версия для печати | Версия для PDA",
        "ВКонтакте, Facebook, Twitter",
    ],
    "subscribe": [
        "Подписаться на рассылку",
        "Подписывайтесь на наш канал в Telegram!",
        "Присоединяйтесь к нам на Facebook, Twitter, В контакте.",
    ],
    "age_mark": ["18+", "Возрастное ограничение: 16+", "Категория информационной продукции 18+"],
    "foreign_agent": [
        "НАСТОЯЩИЙ МАТЕРИАЛ (ИНФОРМАЦИЯ) ПРОИЗВЕДЕН И РАСПРОСТРАНЕН ИНОСТРАННЫМ АГЕНТОМ",
        "* Признан в России иностранным агентом, внесён Минюстом РФ в реестр",
    ],
    "counter": [
        "Просмотров: 4190",
        "Комментарии (13)",
        "15 комментариев",
        "Просмотров: 28   Комментариев: 0",
    ],
    "login": [
        "Войти через ВКонтакте",
        "Войти | Зарегистрироваться | Забыли пароль?",
        "Ваш e-mail не будет опубликован",
        "Чтобы оставить комментарий, необходимо авторизоваться.",
        "* - поля, обязательные для заполнения",
        "Оставить комментарий",
    ],
    "copyright": [
        "© 2012, NR2.Ru, «Новый Регион», 2.0",
        "Все права защищены.",
        "При использовании материалов сайта активная ссылка на источник обязательна.",
        "Если вы заметили ошибку в тексте, выделите её и нажмите Ctrl+Enter",
        "Свидетельство о регистрации СМИ ИА №ФС77-29723 от 03.10.2007 г.",
    ],
    "table_rest": ["|  |  |", "|---|---|", "|"],
}

PROSE = [
    "— Войти или нет?",
    "— Поделиться с тобой?",
    "— Расскажите что-нибудь.",
    "Смотри: звезда моя ушла!..",
    "Читай: вот Прадт, вот Walter Scott.",
    "Слушайте: свадьбу делаем завтра, чтоб всем сплетням положить конец.",
    "Ваше имя там напечатано?",
    "Ваше мнение я поняла.",
    "Подписка не вексель и протестовать её нельзя.",
    "4. Голос в тучах",
    "Согласна и она.",
    "поделиться с товарищами.",
    "* * *",
    "---",
    "–",
    "",
    "   ",
    "Обсуждать тут нечего",
    "Он подчеркнул, что люди могут быть просто не согласны с политикой британских властей.",
    "«Признание иноагентом автоматически не влечёт за собой лишение аккредитации», — сказал Крупенников.",
    "Закон № 152-ФЗ «О персональных данных» приняли в 2006 году; с тех пор его меняли больше двадцати раз.",
    "Комментарии учёного к этой находке заняли три страницы.",
    "Вход в пещеру завален камнями.",
    "В комментариях к статье учёные спорили о том, запрещать ли опыты.",
    "Редакция удалила из рукописи два абзаца, не спросив автора.",
    "Хотите оставить комментарий в этой книге навсегда?",
    "Регистрация участников начнётся в девять утра.",
    "Рейтинг фильма вырос после премьеры.",
    "Сообщение не должно содержать более 64 килобайт данных.",
    "Языком общения в семье был немецкий.",
    "Законом запрещаются реклама табака и продажа его детям.",
    "Водителей просят соблюдать правила дорожного движения.",
    "Издательство оставляет за собой право публикации романа в другом переводе.",
    "Главная · это я, сказала она.",
    "Главная тема вечера",
]


@pytest.mark.parametrize(("kind", "line"), [(k, line) for k, lines in BOILERPLATE.items() for line in lines])
def test_a_boilerplate_line_is_known_by_its_kind(kind: str, line: str) -> None:
    assert category(line) == kind


@pytest.mark.parametrize("line", PROSE)
def test_an_authors_line_stays(line: str) -> None:
    assert category(line) is None


def test_a_long_line_is_prose_whatever_it_says() -> None:
    assert category("Читайте также: " + "очень длинный пересказ статьи, " * 20) is None


def test_every_kind_is_tested_and_has_patterns() -> None:
    assert set(BOILERPLATE) == set(CATEGORIES) == {pattern.category for pattern in load_patterns()}


def test_the_rest_of_the_text_is_untouched() -> None:
    text = "Первая строка.  \n\n\tВторая — с ёлкой.\n\n\n\nТретья."
    assert clean_text(text)[0] == text
    assert clean_text("Начало.\n\nЧитайте также:\n\nКонец.\n18+")[0] == "Начало.\n\nКонец."


def test_what_went_is_counted_by_kind() -> None:
    batch = pa.table({"text": ["Текст автора.\nПоделиться\n18+\n18+", None, "Войти"]})
    rows = Clean().open()(batch).to_pylist()
    assert rows[0]["text"] == "Текст автора."
    assert (rows[0]["lines_dropped"], rows[0]["lines_dropped_age_mark"], rows[0]["drop"]) == (3, 2, None)
    assert rows[0]["chars_dropped"] == len("\nПоделиться\n18+\n18+")
    assert [row["drop"] for row in rows[1:]] == ["empty_after_clean", "empty_after_clean"]
    assert rows[2]["drop_detail"] == "lines_dropped=1"


def test_notices_of_rights_author_and_age_are_kept_in_a_column() -> None:
    agent = (
        "Данное сообщение (материал) создано и (или) распространено иностранным средством массовой информации"
    )
    texts = [
        f"Текст.\n {agent} \nПоделиться\n18+",
        "Текст.\nПоделиться",
        None,
        "© 2024 ООО «Ромашка»\nТекст.",
    ]
    rows = Clean().open()(pa.table({"text": texts})).to_pylist()
    assert [row["notices"] for row in rows] == [[agent, "18+"], None, None, ["© 2024 ООО «Ромашка»"]]
    assert [row["text"] for row in rows] == ["Текст.", "Текст.", "", "Текст."]
    chosen = Clean(notices=("share",)).open()(pa.table({"text": texts})).to_pylist()
    assert [row["notices"] for row in chosen] == [["Поделиться"], ["Поделиться"], None, None]
    stays = Clean(categories=("share",)).open()(pa.table({"text": texts})).to_pylist()
    assert [row["notices"] for row in stays] == [None] * 4
    assert stays[0]["text"].endswith("18+")


def test_kinds_can_be_chosen() -> None:
    batch = pa.table({"text": ["Поделиться\n18+"]})
    assert Clean(categories=("share",)).open()(batch)["text"].to_pylist() == ["18+"]
    with pytest.raises(ValueError, match="age_mark"):
        Clean(categories=("adverts",))


def test_the_added_columns_are_the_declared_ones() -> None:
    result = Clean().open()(pa.table({"text": ["Текст"], "url": ["u"]}))
    assert [result.schema.field(f.name).type for f in Clean.adds] == [f.type for f in Clean.adds]
    assert result["url"].to_pylist() == ["u"]


def test_patterns_are_written_in_the_form_that_lines_take() -> None:
    """Lower case and without ё, or they could never match."""
    for pattern in load_patterns():
        source = re.sub(r"\\.", "", pattern.expression.pattern)
        assert source == source.lower()
        assert "ё" not in source


@given(st.text(st.sampled_from("абв ё.\n|-18+©Поделиться"), max_size=60))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = clean_text(text)[0]
    assert clean_text(once)[0] == once


@given(st.text(st.sampled_from("абв ё.\n|-18+©"), max_size=60))
def test_lines_that_stay_are_lines_of_the_text_in_order(text: str) -> None:
    lines = iter(text.split("\n"))
    assert all(any(line == other for other in lines) for line in clean_text(text)[0].split("\n") if line)


def test_a_huge_line_stays() -> None:
    huge = "использование материалов ссылка " * 300_000
    assert clean_text(huge)[0] == huge
