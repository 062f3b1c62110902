"""Altered copies of pages for the fit of the content model."""

from __future__ import annotations

from rust_ext import content_blocks
from scripts.fit import augment
from scripts.fit.content import Page, material

POST = (
    "Этот ответ на форуме достаточно длинный, в нём есть и мысль, и пример, и вежливое прощание с читателем."
)
TEXT = "Второй абзац статьи о мельнице, в нём восемь слов и больше."


def _page(url: str, kind: str, text: str) -> Page:
    html = (
        f'<div class="menu" id=top><a href="/">Меню</a></div><div class=post><p>{text}</p></div><p>© 2020</p>'
    )
    return Page(url, html.encode(), text, kind, 1.0, "test", "none")


def test_names_go_and_nothing_else() -> None:
    html = """<div class="a b" id=x data-k='v' title="class=y"><p role=main>class=z</p></div>"""
    assert augment.without_names(html) == '<div title="class=y"><p>class=z</p></div>'


def test_comments_stand_behind_the_text_and_keep_the_page() -> None:
    page = _page("https://a.ru/1", "article", TEXT)
    altered = augment.with_comments(page.url, page.html, TEXT, [POST])
    assert altered is not None
    before, after = content_blocks(page.html)[0], content_blocks(altered)[0]
    assert [text for text in after if text in before] == before
    assert after.index(TEXT) < next(at for at, text in enumerate(after) if POST in text)
    assert augment.with_comments(page.url, page.html, "Такого абзаца на странице нет.", [POST]) is None


def test_copies_follow_from_the_addresses_and_posts_stay_in_their_bucket() -> None:
    articles = [_page(f"https://a{n}.ru/", "article", TEXT) for n in range(30)]
    forums = [_page(f"https://f{n}.ru/", "forum", f"{POST} Гость {n}.") for n in range(3)]
    pages = articles + forums
    copies = list(augment.copies(pages))
    assert copies == list(augment.copies(pages))
    of_forum = {augment.host_number(page.url) % augment.BUCKETS: page.gold for page in forums}
    with_posts = [(pages[at], html) for at, html, _ in copies if POST in html and pages[at].kind == "article"]
    assert with_posts
    for page, html in with_posts:
        assert of_forum[augment.host_number(page.url) % augment.BUCKETS] in html


def test_copies_weigh_half_and_come_after_the_pages() -> None:
    pages = [_page(f"https://a{n}.ru/", "article", TEXT) for n in range(9)]
    everything, rows = material(pages)
    assert everything[: len(pages)] == pages
    assert [r.copy for r in rows] == [False] * len(pages) + [True] * (len(rows) - len(pages))
    assert len(rows) > len(pages)
