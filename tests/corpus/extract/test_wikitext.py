"""MediaWiki markup as a reader sees it: faults of other tools, each with its right value."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.extract.wikitext import plain_text

DUMP = Path(__file__).parents[2] / "data" / "wiki" / "faults.xml"
PAGES = {
    "br": "Мороз и солнце;\nдень чудесный!\nЕщё ты дремлешь,\nдруг прелестный —\n\n"
    "Глава первая\nТекст главы.",
    "emptyparam": "Ярмарка — ежегодный торг в установленном месте. Проводится два раза в год.",
    "emptyparambox": "Ярмарка — ежегодный торг в установленном месте.",
    "unclosedtable": "Введение статьи о ярмарке.\n\nИстория\nТекст слово дальше о торге.",
    "refmath": "Скорость равна 5 м/с в обычной среде.",
    "nowiki": "Пишите [[Ссылка|текст]] и {{шаблон}} так, как показано здесь.",
    "interwiki": "Ярмарка проходит каждую осень в старом городе.",
    "tripleparam": "Значение текст подставляется при вставке шаблона в статью.",
    "quotetmpl": "Пушкин писал: Я помню чудное мгновенье: передо мной явилась ты Расстояние 10 км "
    "проходят за 2 часа.",
    "math": "Пусть $x$ — число, а $y=x^2$ — его квадрат на плоскости.",
    "sup": "Население равно 10⁶ человек, вода — H2O, примечание[1] здесь.",
}


def test_every_page_of_the_dump_reads_right() -> None:
    found = {}
    for page in ElementTree.parse(DUMP).getroot():  # noqa: S314 - a file of ours
        parts = {element.tag.split("}")[-1]: element.text or "" for element in page.iter()}
        if "title" in parts:
            found[parts["title"]] = plain_text(parts["text"])
    assert found == PAGES


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("{{Карточка\n|имя = А\n|}}\nТекст", "Текст"),
        ("{{Карточка|\n{| class=x\n| а\n|}}}\nТекст", "Текст"),
        ("До\n{|\n| {{а|}}\n{|\n| внутри\n|}\n|}\nПосле", "До\n\nПосле"),
        ("До\n{{{!}} class=x\n{{!}} а\n{{!}}}\nПосле", "До\n\nПосле"),
        ("До\n{|\n! а\n|-\n| б\nПосле {{s|конца}}.", "До\nПосле конца."),
        ("а<br/>б<BR>в</br>г<hr>д", "а\nб\nв\nг\nд"),
        ("<div>а</div><div>б</div>", "а\nб"),
        (
            "слово<ref name=a>Код <code>x</code> <source lang=c>a</ref b></source> и {{книга|}}</ref> дальше",
            "слово дальше",
        ),
        ("слово<ref name=a /> и<ref>одно</ref> ещё<ref>два</ref>.", "слово и ещё."),
        ("а<ref>не закрыто, б<ref>закрыто</ref> в", "ане закрыто, б в"),
        ("До<gallery>\nФайл:A.jpg|Подпись<ref>сноска</ref>\n</gallery>После", "ДоПосле"),
        ("<nowiki>'''а''' <ref></nowiki> '''б'''", "'''а''' <ref> б"),
        ("<!-- [[а]] <nowiki> -->б <nowiki/>в", "б в"),
        (
            "[[en:Fair]][[zh-min-nan:X]][[Категория:Б]] [[:en:Fair]] [[:Категория:Праздники|Праздники]]",
            "en:Fair Праздники",
        ),
        (
            "[[:Категория:Праздники России|]] [[wikt:слово|слово]] [[Город (фильм)|]]",
            "Праздники России слово Город",
        ),
        ("[[Re:Zero]] и [[Файл:A.jpg|мини|Вид [[город]]а]]", "Re:Zero и"),
        ("{{{1}}} {{{а|б}}} {{ {{{1}}} }} {{{{{1}}}}} }} {{", "б"),
        (
            "Скорость <math>\\frac{a}{{b}} < c</math> и <chem>H2O</chem>.",
            "Скорость $\\frac{a}{{b}} < c$ и $\\ce{H2O}$.",
        ),
        ("<math>{\\displaystyle E=mc^{2}}</math>", "$E=mc^{2}$"),
        (
            "[http://a.ru/x слово «{{nobr|в ссылке}}»] [http://a.ru] [mailto:a@b.ru письмо]",
            "слово «в ссылке» письмо",
        ),
        ("Ада ({{lang-en|Ada}}, {{р}}; 1815) и f() и ( )", "Ада (1815) и f() и"),
        ("2<sup>k+1</sup>, 1<sup>st</sup>, слово<sup>2</sup>, 101<sub>2</sub>", "2^(k+1), 1st, слово², 101₂"),
        ("{{lang|de|Wort}} {{не переведено 5|Имя|слово||Name}} {{num|1=10}}", "Wort слово 10"),
        ("До{| class=x\n| [[ячейка]]\n|}после", "Допосле"),
        ("{{s|{{nobr|[[а|б]] в}}}} {{цитата|автор=А|текст=Слова}}", "б в Слова"),
        ("#перенаправление [[А]]", ""),
    ],
)
def test_markup(markup: str, text: str) -> None:
    assert plain_text(markup) == text


PIECES = [
    *(
        "[http://",
        "[http://a ",
        "{{",
        "}}",
        "{{{",
        "}}}",
        "{|\n",
        "\n|}",
        "|}}",
        "[[",
        "]]",
        "<ref>",
        "</ref>",
    ),
    *(
        "<math>",
        "<nowiki>",
        "<!--",
        "<sup>",
        "а<sup>1",
        "[mailto:",
        "__А",
        "(,",
        "{{s|",
        "[[а|",
        "<br ",
        "<pre>",
    ),
]


@pytest.mark.parametrize("piece", PIECES)
def test_markup_that_never_closes_is_read_in_the_time_of_its_length(piece: str) -> None:
    """A square would take minutes here; the text behind the markup is all there, and none is made up."""
    assert plain_text(piece + "а" * 100_000).endswith("а" * 100_000)
    assert set(plain_text(piece * 30_000)) <= set(piece)


@given(
    st.lists(
        st.sampled_from([*PIECES, "а", "|", " ", "\n", "б]", "</math>", "</nowiki>", "-->"]), max_size=30
    )
)
def test_no_markup_breaks_it_and_no_braces_are_left(pieces: list[str]) -> None:
    markup = "".join(pieces)
    text = plain_text(markup)
    assert "\0" not in text
    if not any(raw in markup for raw in ("<nowiki>", "<math>", "<pre>")):
        assert "{{" not in text
        assert "}}" not in text
