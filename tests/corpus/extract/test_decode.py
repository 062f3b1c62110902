"""Decoding pages: the bytes decide, declarations are evidence."""

from __future__ import annotations

import pytest

from corpus.extract.decode import Decoded, decode

RUSSIAN = (
    "Мы все учились понемногу чему-нибудь и как-нибудь, так воспитаньем, слава Богу, "
    "у нас немудрено блеснуть. "
    "Онегин был, по мненью многих (судей решительных и строгих), ученый малый, но педант."
)
UKRAINIAN = "Реве та стогне Дніпр широкий, додолу верби гне високі, горами хвилю підійма."
CHARSETS = ["utf-8", "windows-1251", "koi8-r", "koi8-u", "cp866", "iso-8859-5", "mac-cyrillic", "utf-16le"]
CODECS = {"mac-cyrillic": "mac_cyrillic"}


def page(text: str, head: str = "") -> str:
    return f"<html><head>{head}<title>x</title></head><body><p>{text}</p></body></html>"


def in_charset(text: str, charset: str) -> bytes:
    return text.encode(CODECS.get(charset, charset))


@pytest.mark.parametrize("declared", [None, "utf-8", "windows-1251", "koi8-r", "iso-8859-1", "nonsense"])
@pytest.mark.parametrize("charset", CHARSETS)
def test_a_russian_page_is_read_right_whatever_it_declares(charset: str, declared: str | None) -> None:
    head = "" if declared is None else f'<meta content="text/html; charset={declared}">'
    text = page(RUSSIAN, head)
    for http in (None, declared):
        assert decode(in_charset(text, charset), http).text == text


@pytest.mark.parametrize("charset", ["utf-8", "windows-1251", "koi8-u", "mac-cyrillic", "utf-16be"])
def test_a_ukrainian_page_is_read_right(charset: str) -> None:
    decoded = decode(in_charset(page(UKRAINIAN), charset))
    assert decoded == Decoded(page(UKRAINIAN), None, charset, 0)


def test_one_ukrainian_word_makes_koi8_koi8_u() -> None:
    text = page(RUSSIAN + " Фронт змін. " + RUSSIAN)
    assert decode(text.encode("koi8-u")).text == text


def test_boxes_are_koi8_r() -> None:
    text = page("╓────╖ " + RUSSIAN + " ╙────╜ ╓──╖ ╒══╕")
    assert decode(text.encode("koi8-r"), "koi8-u").charset == "koi8-r"


def test_the_first_declaration_is_reported_beside_the_charset_used() -> None:
    text = page(RUSSIAN, '<meta charset="KOI8-R">')
    decoded = decode(text.encode("cp1251"), "utf8")
    assert (decoded.declared, decoded.charset) == ("utf-8", "windows-1251")
    assert decode(text.encode("cp1251")).declared == "koi8-r"


def test_a_declaration_far_down_the_page_counts() -> None:
    text = "<html><!--" + "x" * 5000 + "--><meta charset=windows-1252><p>Où est l'été? À côté.</p>"
    assert decode(text.encode("cp1252")) == Decoded(text, "windows-1252", "windows-1252", 0)


def test_a_byte_order_mark_wins_and_is_cut_off() -> None:
    decoded = decode(b"\xef\xbb\xbf" + RUSSIAN.encode(), "windows-1251")
    assert decoded == Decoded(RUSSIAN, "utf-8", "utf-8", 0)


def test_broken_bytes_are_replaced_and_counted() -> None:
    body = RUSSIAN.encode()
    decoded = decode(body[:5] + b"\xff" + body[5:] + b"<br>\xd0", "windows-1251")
    assert decoded.charset == "utf-8"
    assert decoded.replaced == decoded.text.count("\ufffd") == 2


def test_letters_that_begin_like_a_byte_order_mark_are_letters() -> None:
    text = "яюрист и Яна идут в большой московский магазин за хлебом и молоком, потому что дома ничего нет"
    assert decode(text.encode("cp1251")).text == text


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("shift_jis", "すべての人間は、生れながらにして自由であり、かつ、尊厳と権利とについて平等である。"),
        ("gb18030", "人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心,并应以兄弟关系的精神相对待。"),
        ("windows-1250", "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw."),
        (
            "windows-1253",
            "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια.",
        ),
    ],
)
def test_a_page_in_another_script_is_read_as_declared(charset: str, text: str) -> None:
    decoded = decode(page(text).encode(charset), charset)
    assert decoded == Decoded(page(text), charset, charset, 0)


FOREIGN = "Этот виджет — «комментарий» №5 в другой кодировке, и букв в нём больше, чем в иной статье. " * 3
SINGLE = ["windows-1251", "koi8-r", "cp866", "iso-8859-5", "mac-cyrillic"]


@pytest.mark.parametrize("charset", SINGLE)
@pytest.mark.parametrize(
    "piece",
    [
        f"<!-- {FOREIGN} -->",
        f"<script>var a = '{FOREIGN}';</script>",
        f"<div class=widget>{FOREIGN}</div>",
        "<!-- мы -->",
        " – — … ",
        "<b>№</b>",
    ],
)
@pytest.mark.parametrize("declared", [True, False])
def test_utf8_inside_a_page_of_another_charset_is_decoded_apart(
    charset: str, piece: str, declared: bool
) -> None:
    head = f"<meta charset={charset}>" if declared else ""
    whole = page(RUSSIAN + "{}" + RUSSIAN, head)
    before, after = (in_charset(part, charset) for part in whole.split("{}"))
    decoded = decode(before + piece.encode() + after)
    assert decoded.text == whole.format(piece)
    assert decoded.replaced == 0
    if declared:
        assert decoded.charset == charset


@pytest.mark.parametrize("charset", SINGLE)
def test_a_fragment_of_another_charset_on_a_page_of_utf8_is_read(charset: str) -> None:
    before, fragment = page(RUSSIAN * 5), f"<div>{RUSSIAN}</div>"
    decoded = decode(before.encode() + in_charset(fragment, charset))
    assert (decoded.text, decoded.charset, decoded.replaced) == (before + fragment, "utf-8", 0)


def test_lost_bytes_of_utf8_are_no_other_charset() -> None:
    body = page(RUSSIAN * 5).encode().replace("и".encode(), b"\xd0", 9)
    decoded = decode(body)
    assert (decoded.charset, decoded.replaced) == ("utf-8", 9)


def test_a_declaration_that_the_page_bears_out_wins_over_bytes_of_nothing() -> None:
    noise = bytes(128 + number * 89 % 128 for number in range(40))
    body = page(RUSSIAN, "<meta charset=windows-1251>").encode("cp1251") + b"<!-- " + noise + b" -->"
    assert decode(body, "windows-1251").charset == "windows-1251"
    assert page(RUSSIAN, "<meta charset=windows-1251>") in decode(body).text


@pytest.mark.parametrize("charset", SINGLE)
def test_text_that_happens_to_be_well_formed_stays_as_it_is(charset: str) -> None:
    text = page(
        RUSSIAN + " В\u00a0Москве так (аАбБгГ), рас, сад, сок, С\u00a0другой — Р»\u00a0 тело. " + RUSSIAN
    )
    text = text.encode(CODECS.get(charset, charset), "ignore").decode(CODECS.get(charset, charset))
    assert decode(in_charset(text, charset)).text == text
