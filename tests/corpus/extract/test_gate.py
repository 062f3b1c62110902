"""The gate keeps what may be Russian, in every charset, and drops what cannot be."""

from __future__ import annotations

import pytest

from corpus.extract.gate import judge

SENTENCE = (
    "Мы все учились понемногу чему-нибудь и как-нибудь, так воспитаньем, слава Богу, "
    "у нас немудрено блеснуть. "
)
ENGLISH = "It was the best of times, it was the worst of times, it was the age of wisdom. "
CHARSETS = [
    "utf-8",
    "cp1251",
    "koi8-r",
    "koi8-u",
    "cp866",
    "iso8859-5",
    "mac-cyrillic",
    "utf-16",
    "utf-16-be",
]


def page(text: str, head: str = "") -> str:
    return f"<html><head>{head}<title>x</title></head><body><p>{text}</p></body></html>"


@pytest.mark.parametrize("charset", [*CHARSETS, "utf-16-le", "utf-32"])
def test_undeclared_russian_is_kept_in_every_charset(charset: str) -> None:
    assert judge(page(SENTENCE).encode(charset)).keep


@pytest.mark.parametrize("charset", CHARSETS)
def test_one_russian_article_in_an_english_page_is_kept(charset: str) -> None:
    article = "</p><p>".join([SENTENCE] * 4)
    assert judge(page(ENGLISH * 400 + "<p>" + article + "</p>" + ENGLISH * 400).encode(charset)).keep


def test_one_russian_article_in_much_markup_is_kept() -> None:
    markup = '<div class="block wide"><a href="/x"></a></div><script>var a = "b";</script>' * 3000
    assert judge(page(markup + SENTENCE * 4 + markup).encode()).keep


def test_numeric_entities_are_letters() -> None:
    decimal = "".join(f"&#{ord(c)};" if ord(c) > 127 else c for c in SENTENCE)
    hexadecimal = "".join(f"&#x{ord(c):x};" if ord(c) > 127 else c for c in SENTENCE)
    assert judge(page(decimal).encode()).keep
    assert judge(page(hexadecimal).encode()).keep
    assert judge(page("&mcy;&ycy; &vcy;&scy;&iecy; " * 20).encode()).keep


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        (ENGLISH, "ascii"),
        ("Zażółć gęślą jaźń, pchnąć w tę łódź jeża lub ośm skrzyń fig. ", "utf-8"),
        ("Zażółć gęślą jaźń, pchnąć w tę łódź jeża lub ośm skrzyń fig. ", "cp1250"),
        ("Ο άνθρωπος είναι καταδικασμένος να είναι ελεύθερος και υπεύθυνος. ", "utf-8"),
        ("Ο άνθρωπος είναι καταδικασμένος να είναι ελεύθερος και υπεύθυνος. ", "cp1253"),
        ("学而时习之，不亦说乎？有朋自远方来，不亦乐乎？", "utf-8"),
        ("学而时习之，不亦说乎？有朋自远方来，不亦乐乎？", "gbk"),
        ("祇園精舎の鐘の声、諸行無常の響きあり。", "shift_jis"),
        ("祇園精舎の鐘の声、諸行無常の響きあり。", "euc_jp"),
        ("나랏말싸미 듕귁에 달아 문자와로 서로 사맛디 아니할쎄 ", "euc_kr"),
        ("Les élèves français ont été reçus à l'école près du château. ", "cp1252"),
    ],
)
def test_other_languages_are_dropped(text: str, charset: str) -> None:
    assert not judge(page(text * 30).encode(charset)).keep


def test_a_language_menu_does_not_make_an_english_page_russian() -> None:
    assert not judge(page(ENGLISH * 40 + "<a>Русский</a><a>Українська</a><a>Български</a>").encode()).keep


def test_words_in_tags_scripts_styles_and_comments_do_not_count() -> None:
    hidden = f'<a title="{SENTENCE}"></a><script>"{SENTENCE}"</script>'
    hidden += f"<!-- {SENTENCE} --><style>/*{SENTENCE}*/</style>"
    verdict = judge(page(hidden * 5 + ENGLISH * 10).encode())
    assert (verdict.keep, verdict.cyrillic) == (False, 0)


def test_a_declaration_decides_where_russian_is_scarce() -> None:
    text = ENGLISH * 20 + "Привет, мир и люди"
    assert not judge(page(text).encode()).keep
    assert judge(page(text, '<html lang="ru">').encode()).keep
    assert judge(page(text).encode(), "windows-1251").keep


def test_unclosed_elements_cost_no_more_than_closed_ones() -> None:
    """A hundred thousand openings, none closed: looked for once each kind, not once each."""
    assert judge(("<script><!--<style>" * 100_000 + SENTENCE).encode()).cyrillic > 0


def test_nothing_at_all_is_dropped() -> None:
    assert not judge(b"").keep
    assert not judge(b"\xff\xfe").keep
