"""Faults of pages that users of such tools report, each with its right value: docs/faults-pages.md."""

from __future__ import annotations

import html
import json
from pathlib import Path

import pytest

from corpus.extract.content import Content, extract

PAGES = Path(__file__).parents[2] / "data" / "pages"
PARAGRAPHS = [
    "В старом приморском городе каждую осень открывали ярмарку, на которую съезжались мастера округи.",
    "Накануне открытия площадь мыли до блеска, а сторож поднимал над ратушей флаг с изображением парусника.",
    "К полудню начиналась музыка, дети бегали между рядами, а старики спорили об урожае последних лет.",
    "Вечером зажигали фонари, подводили итоги и вручали победителю резной ковш до следующей ярмарки.",
]


def page_of(name: str) -> Content:
    return extract((PAGES / f"{name}.html").read_bytes())


def page(inside: str, head: str = "", before: str = "", title: str = "Осенняя ярмарка") -> Content:
    """An article with something in its middle."""
    first, *rest = (f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)
    return extract(
        f"<!DOCTYPE html><html lang=ru><head><meta charset=utf-8><title>{title}</title>{head}</head><body>"
        f"<header>{before}<nav><a href=/>Главная</a></nav></header><main><article><h1>{title}</h1>{first}"
        f"{inside}{''.join(rest)}</article></main><footer>© 2024 Редакция</footer></body></html>"
    )


def ld(*items: object) -> str:
    return "".join(f"<script type='application/ld+json'>{json.dumps(item)}</script>" for item in items)


# --- JSON-LD ------------------------------------------------------------------------------------------------

ARTICLE = {
    "@type": "NewsArticle",
    "headline": "Осенняя ярмарка",
    "datePublished": "2024-02-03T10:00:00+03:00",
    "author": {"@type": "Person", "name": "Иван Петров"},
}


@pytest.mark.parametrize("name", ["ld-cdata", "ld-type-charset", "ld-related-first"])
def test_the_pages_own_article_states_date_and_author(name: str) -> None:
    found = page_of(name)
    assert (found.date, found.author) == ("2024-02-03", "Иван Петров")


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("<![CDATA[", "]]>"),
        ("//<![CDATA[\n", "\n//]]>"),
        ("/*<![CDATA[*/", "/*]]>*/"),
        ("<!--\n", "\n-->"),
        ("\ufeff", ""),
        ("// данные\n", ""),
        ("/* [x] {y} */", ""),
    ],
)
def test_what_hides_a_script_from_old_browsers_is_passed_over(opening: str, closing: str) -> None:
    for kind in (
        "application/ld+json",
        "Application/LD+JSON; charset=utf-8",
        " application/ld+json ;profile=x",
    ):
        script = f"<script type='{kind}'>{opening}{json.dumps(ARTICLE)}{closing}</script>"
        found = page("", head=script)
        assert (found.date, found.author) == ("2024-02-03", "Иван Петров")


def test_a_listed_article_is_not_the_pages_own() -> None:
    listed = ARTICLE | {"headline": "Чужая новость", "datePublished": "2020-01-01", "author": "Чужой"}
    lists = [
        {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "position": 1, "item": listed}]},
        {"@type": "WebPage", "relatedLink": [listed], "mentions": listed},
        {"@graph": [{"@type": "CollectionPage", "hasPart": [listed, listed]}]},
    ]
    for one in lists:
        assert page("", head=ld(one, ARTICLE)).author == "Иван Петров"
        assert page("", head=ld(one)).author is None
    by_url = [{**listed, "url": "https://a.example/2"}, {**ARTICLE, "url": "https://a.example/1"}]
    link = "<link rel=canonical href='https://a.example/1/'>"
    assert page("", head=link + ld(*by_url)).author == "Иван Петров"


def test_authors_are_resolved_in_the_graph() -> None:
    assert page_of("ld-author-id").author == "Мария Сидорова"
    article = {"@type": "Article", "author": [{"@id": "#a"}, {"@id": "#b"}]}
    people = [
        {"@type": "Person", "@id": "#a", "givenName": "Мария", "familyName": "Сидорова"},
        {"@type": "Person", "@id": "#b", "name": ["Олег Белов"]},
    ]
    assert page("", head=ld(article, *people)).author == "Мария Сидорова, Олег Белов"


@pytest.mark.parametrize("name", ["ld-body-escaped", "ld-body-inline"])
def test_a_body_that_is_html_becomes_text(name: str) -> None:
    text = page_of(name).text
    assert text.startswith("В старом приморском городе")
    assert not any(sign in text for sign in ("<", ">", "&lt;", "&amp;"))
    assert len(text.split("\n")) > 3


# --- markup -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("comment-bang", "Средний абзац, который виден в браузере и должен остаться в тексте."),
        (
            "svg-unclosed",
            "Вечером зажигали фонари, подводили итоги и вручали победителю резной ковш, который ",
        ),
        ("custom-inline", "Слово подсказка и термин внутри предложения."),
        ("mathml", "Пусть $E=mc^2$ верно для тела."),
        ("sup", "Население составляет 10⁶ человек, площадь 5 м²."),
        ("table-empty", "2018 | 31 | 110 | Антон\n2019 |  | 120 | Борис\n2020 | 35 |  | Вера"),
        ("table-long", "Мастер | Что привёз | Цена\nПётр | глиняные кувшины"),
        ("table-long", "корзины из лозы | 300"),
        ("code-gutter", "парусника.\ndef f():\n    return 1\nprint(f())\nПервыми"),
    ],
)
def test_right_lines(name: str, line: str) -> None:
    assert line in page_of(name).text


@pytest.mark.parametrize(
    ("inside", "line"),
    [
        (
            "<p>До <svg><g><path></g></p><p>Абзац за рисунком, которому не закрыли тег.</p>",
            "Абзац за рисунком",
        ),
        ("<p>До <math><mi>x</mi></p><p>Абзац за формулой, которой не закрыли тег.</p>", "Абзац за формулой"),
        ("<!----!><p>Абзац за пустым примечанием.</p><!-- -->", "Абзац за пустым примечанием."),
        ("<p><my-term>Термин</my-term> стоит в начале, <b-b>другой</b-b>, в середине.</p>", "Термин стоит в"),
        (
            "<x-box><template shadowrootmode=open><p>Абзац из тени, который видно.</p></template></x-box>",
            "Абзац из тени",
        ),
        ("<p>Скорость 3·10<sup>−8</sup> м/с, а 2<sup>10</sup> = 1024.</p>", "3·10⁻⁸ м/с, а 2¹⁰ = 1024."),
        ("<p>Число 10<sup>12,5</sup> и x<sup>a+b</sup>, 101<sub>2</sub>.</p>", "10^(12,5) и x^(a+b), 101₂."),
        (
            "<p>Пусть <script type='math/tex'>a^2+b^2</script> известно.</p>",
            "Пусть $a^2+b^2$ известно.",
        ),
        (
            "<p>Пусть <img class=mwe-math-fallback-image-inline alt='{\\displaystyle \\pi r^{2}}'> — это.",
            "Пусть $\\pi r^{2}$ — это.",
        ),
        (
            "<p>Пусть <math><mfrac><mi>a</mi><mi>b</mi></mfrac><mo>&lt;</mo><mn>1</mn></math> всегда.</p>",
            "Пусть $\\frac{a}{b}<1$ всегда.",
        ),
    ],
)
def test_right_lines_of_other_pages(inside: str, line: str) -> None:
    text = page(inside).text
    assert line in text
    assert "Вечером зажигали фонари" in text


def test_a_formula_stands_once_whoever_drew_it() -> None:
    math = (
        "<math><semantics><mrow><mi>E</mi><mo>=</mo><mi>m</mi><msup><mi>c</mi><mn>2</mn></msup></mrow>"
        "<annotation encoding='application/x-tex'>E=mc^2</annotation></semantics></math>"
    )
    drawn = [
        f"<span class=katex><span class=katex-mathml>{math}</span><span class=katex-html aria-hidden=true>"
        "<span class=base>E</span><span class=base>mc2</span></span></span>",
        f"<span class=mwe-math-element><span style='display:none'>{math}</span>"
        "<img class='mwe-math-fallback-image-inline' alt='{\\displaystyle E=mc^2}'></span>",
        "<span class=MathJax_Preview>E=mc2</span><span class=MathJax id=a><nobr>E=mc2</nobr></span>"
        "<script type='math/tex' id=b>E=mc^2</script>",
        "<span class='MathJax_SVG' data-mathml='" + html.escape(math, quote=True) + "'><svg></svg></span>",
        f"<mjx-container class=MathJax><mjx-math><mjx-mi>E</mjx-mi></mjx-math><mjx-assistive-mml>{math}"
        "</mjx-assistive-mml></mjx-container>",
    ]
    for formula in drawn:
        assert "Пусть $E=mc^2$ верно." in page(f"<p>Пусть {formula} верно.</p>").text, formula


def test_rows_of_data_stay_rows() -> None:
    rows = "".join(
        f"<tr><td>{year}<td><p>Улов {year}</p><p>вырос</p><td>{'слово ' * 30}<br>и ещё"
        for year in (2018, 2019)
    )
    text = page(f"<table><tr><th>Год<th>Итог<th>Примечание{rows}</table>").text
    assert "Год | Итог | Примечание\n2018 | Улов 2018 вырос | слово" in text
    wide = "".join(f"<td>столбец {n}" for n in range(30))
    assert text.count("\n2019 | Улов 2019 вырос") == 1
    line = next(
        line for line in page(f"<table><tr>{wide}<tr>{wide}</table>").text.split("\n") if "| столбец" in line
    )
    assert line.count(" | ") == 29
    spans = (
        "<table><tr><th>Год<th colspan=2>Улов<tr><td rowspan=2>2018<td>весна<td>5<tr><td>осень<td>7</table>"
    )
    assert "Год | Улов |\n2018 | весна | 5\n| осень | 7" in page(spans).text


@pytest.mark.parametrize(
    "code",
    [
        "<pre><span class=lineno>1 </span>def f():\n<span class=lineno>2 </span>    return 1</pre>",
        "<div class=gutter><div>1</div><div>2</div></div><pre>def f():\n    return 1</pre>",
        "<table class=rouge-table><tr><td class='rouge-gutter gl'><pre class=lineno>1\n2\n</pre></td>"
        "<td class=rouge-code><pre>def f():\n    return 1</pre></td></tr></table>",
    ],
)
def test_code_has_no_line_numbers(code: str) -> None:
    assert "\ndef f():\n    return 1\n" in page(code).text


# --- dates --------------------------------------------------------------------------------------------------


def test_dates_of_the_cases() -> None:
    assert page_of("time-first").date == "2019-05-06"
    assert page_of("date-ru-div").date == "2015-07-30"


CLOCK = "<time datetime='2024-11-29'>29 ноября</time><span class=today>29 ноября 2024, пятница</span>"


@pytest.mark.parametrize(
    "inside",
    [
        "<div class=news-date>6 мая 2019</div>",
        "<p class=meta>Опубликовано: 6 Мая 2019 г., 10:15</p>",
        "<span class=published>06.05.2019 10:15</span>",
        "<time datetime='2019-05-06T10:00'>вчера</time>",
        "<time datetime='Mon, 06 May 2019 10:00:00 +0300'>вчера</time>",
        "<meta itemprop=datePublished content='20190506'>",
        "<abbr class=published title='2019-05-06T10:00:00+0300'>в понедельник</abbr>",
        "<p>6 мая 2019, понедельник</p>",
        "<div class=date>May 6, 2019</div>",
    ],
)
def test_the_day_is_the_articles_and_not_the_clocks(inside: str) -> None:
    assert page(inside, before=CLOCK).date == "2019-05-06"


def test_a_clock_alone_is_no_date() -> None:
    assert page("", before=CLOCK).date is None
    assert page("<p>В воскресенье, 6 мая 2019 года, жители вышли убирать набережную реки.</p>").date is None


def test_a_date_in_the_head_may_have_the_form_of_mail() -> None:
    for content in ("Mon, 06 May 2019 10:00:00 +0300", "6 мая 2019", "2019-05-06", "06.05.2019"):
        assert (
            page("", head=f"<meta property='article:published_time' content='{content}'>").date
            == "2019-05-06"
        )


# --- entities and titles ------------------------------------------------------------------------------------


def test_titles_have_no_soft_hyphens() -> None:
    assert page_of("soft-hyphen-title").title == "Осенняя ярмарка в городе"
    found = page("", head=ld(ARTICLE | {"headline": "Осен\u00adняя &shy;ярмарка"}), title="")
    assert found.title == "Осенняя ярмарка"


def test_every_name_of_html_is_known_in_text_and_titles() -> None:
    names = [name for name in html.entities.html5 if name.endswith(";") and name[0].isalpha()]
    shown = " ".join(f"&{name}" for name in names if html.unescape(f"&{name}").isprintable())
    found = page(f"<p>Знаки: {shown}</p>", title="Знаки &lbrace;&DownLeftRightVector;&rbrace;")
    assert "&" not in found.text.replace("& &", "").replace(" & ", " ")
    assert found.title == "Знаки {⥐}"


# --- cost ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("piece", "text"),
    [
        ("<!-- --", ""),
        ("<math><mi>x", ""),
        ("<span class=gutter>1", "1"),
        ("<table><tr><td rowspan=9>", ""),
        ("<x-a>слово", "слово"),
        ("10<sup>6", "106"),
        ("<time datetime=2019-05-06>", ""),
        ("<span class=MathJax><math>", ""),
    ],
)
def test_what_never_closes_is_read_in_the_time_of_its_length(piece: str, text: str) -> None:
    """A square would take minutes here; the text of no piece is lost."""
    found = extract(piece * 100_000)
    assert found.text == text * 100_000
    assert found.date == ("2019-05-06" if "2019-05-06" in piece else None)
