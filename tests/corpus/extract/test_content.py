"""Main text, metadata and opt-outs of small pages."""

from __future__ import annotations

import pytest

from corpus.extract.content import Content, extract

SENTENCES = [
    "Реставраторы закончили восстановление деревянной мельницы, построенной в конце позапрошлого века.",
    "По словам мастеров, работа заняла два года: брёвна нижнего венца пришлось заменить полностью, а жернова "
    "привезли из соседнего уезда.",
    "Мельница снова мелет муку, и по субботам жители сёл приезжают посмотреть, как крутятся крылья.",
    "Осенью здесь откроют небольшой музей, где расскажут о ремёслах края и покажут находки из-под "
    "старого пола.",
]
PAGE = (
    """<!doctype html><html lang="ru"><head><title>Мельница снова мелет | Вестник края</title>
<meta property="og:title" content="Мельница снова мелет"><meta name="author" content="Мария Лугова">
<meta property="article:published_time" content="2023-09-05T10:00:00+03:00">
<link rel="canonical" href="https://vestnik.example/news/melnica">
</head><body><header class="site-header"><div class="logo">Вестник края</div>
<nav><ul><li><a href="/">Главная</a></li><li><a href="/news">Новости</a></li>
<li><a href="/about">О нас</a></li></ul></nav>
</header><div class="cookie-banner">Мы используем файлы cookie. <a href="/privacy">Подробнее</a></div>
<main><article class="post"><h1>Мельница снова мелет</h1><div class="entry-content">"""
    + "".join(f"<p>{sentence}</p>" for sentence in SENTENCES)
    + """</div><div class="share">Поделиться: <a href="#">ВКонтакте</a>
<a href="#">Telegram</a></div></article>
<section class="related"><h3>Читайте также</h3><ul><li><a href="/1">В городе отремонтируют мост</a></li>
<li><a href="/2">Школьники посадили сад</a></li></ul></section>
<div id="comments" class="comments"><h3>Комментарии</h3><div class="comment"><span class="author">Олег</span>
<p>Был там в субботу, очень понравилось, муку купил, хлеб вышел отличный.</p></div></div></main>
<footer><p>© 2023 Вестник края. Все права защищены.</p></footer>
<script>var x = "<p>не текст</p>";</script></body></html>"""
)


@pytest.fixture(scope="module")
def content() -> Content:
    return extract(PAGE, url="https://vestnik.example/news/melnica")


def test_the_article_is_kept_and_the_boilerplate_goes(content: Content) -> None:
    lines = content.text.split("\n")
    assert [line for line in lines if line in SENTENCES] == SENTENCES
    for word in ("cookie", "Поделиться", "Читайте также", "Главная", "защищены", "не текст", "отремонтируют"):
        assert word not in content.text


def test_what_the_page_states_is_read(content: Content) -> None:
    assert content.title == "Мельница снова мелет"
    assert content.author == "Мария Лугова"
    assert content.date == "2023-09-05"
    assert content.language == "ru"
    assert content.canonical_url == "https://vestnik.example/news/melnica"
    assert content.kind == "article"
    assert 0.5 < content.confidence <= 1


def test_comments_are_dropped_kept_or_returned_alone() -> None:
    comment = "хлеб вышел отличный"
    assert comment not in extract(PAGE).text
    kept = extract(PAGE, comments="keep").text
    assert comment in kept
    assert SENTENCES[0] in kept
    only = extract(PAGE, comments="only").text
    assert comment in only
    assert SENTENCES[0] not in only


def test_bytes_are_decoded() -> None:
    page = PAGE.replace("<head>", '<head><meta charset="windows-1251">')
    assert extract(page.encode("cp1251")).text == extract(page).text


def test_precision_takes_no_more_and_recall_no_less() -> None:
    texts = [set(extract(PAGE, favor=favor).text.split("\n")) for favor in ("precision", None, "recall")]
    assert texts[0] <= texts[1] <= texts[2]


def test_opt_outs_come_from_the_page_and_from_headers() -> None:
    page = "<meta name=robots content='noindex, noai'><p>text"
    content = extract(page, headers={"TDM-Reservation": "1"})
    assert (content.noindex, content.noai, content.tdm_reserved) == (True, True, True)
    content = extract("<p>text", headers={"X-Robots-Tag": "nofollow, noimageai"})
    assert (content.noai, content.tdm_reserved) == (True, False)
    pairs = [("X-Robots-Tag", "otherbot: none, noimageai"), ("X-Robots-Tag", "max-image-preview: none")]
    content = extract("<meta name=googlebot content=noindex><p>text", headers=pairs)
    assert (content.noindex, content.noai) == (False, False)


def test_text_that_lies_only_in_json_is_found() -> None:
    body = " ".join(SENTENCES) * 2
    page = (
        '<div id="app">Загрузка</div><script type="application/ld+json">'
        '{"@type": "NewsArticle", "headline": "Мельница", "articleBody": "' + body + '"}</script>'
    )
    content = extract(page)
    assert content.embedded
    assert content.text == body


def test_an_unknown_choice_is_an_error_that_names_the_choices() -> None:
    with pytest.raises(ValueError, match="'drop', 'keep' or 'only'"):
        extract("<p>a", comments="all")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'precision', 'recall' or None"):
        extract("<p>a", favor="speed")  # type: ignore[arg-type]


@pytest.mark.parametrize("page", ["", " ", "<", "<p>", "<script>", "\x00", "<!--", "</", "&", "<a href='"])
def test_a_page_without_text_gives_none(page: str) -> None:
    assert extract(page).text in ("", "<", "</", "&")
