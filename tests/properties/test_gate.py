"""The gate in Rust agrees with its oracle."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpus.extract import gate
from tests.corpus.extract.test_gate import CHARSETS as CYRILLIC
from tests.oracles import gate as oracle

CHARSETS = [*CYRILLIC, "utf-16-le", "utf-32-le", "utf-32-be", "gbk", "shift_jis", "cp1252", "cp1253"]
pieces = st.one_of(
    st.sampled_from(
        [
            *(
                "<p>",
                "</p>",
                "<script>",
                "<script type='application/LD+json'>",
                "<script id=__NEXT_DATA__ >",
                '{"text": "\\u0440\\u04zz\\u048a\\u044f"}',
                "</script>",
                "<STYLE>",
                "</style>",
                "<!--",
                "-->",
                "<!-->",
                "--!>",
                "<!--->",
                "< ",
                ">",
            ),
            *(
                "&#1088;",
                "&#x440;",
                "&#X44",
                "&#;",
                "&#99999999999;",
                "&",
                "&rcy;",
                "&HARDcy;",
                "&legacy;",
                '<html lang="ru">',
                "lang=ru-RU",
            ),
            *('<meta charset="windows-1251">', "charset = koi8-r", "charset=charset=cp866", "\x00\x04"),
            *(
                "Мы все учились понемногу чему-нибудь и как-нибудь ",
                "English words between ",
                "Ελληνικά ",
                "中文字",
            ),
        ]
    ),
    st.text(st.sampled_from("абвгдежзийклмнопрстуфхцчшщъыьэюяё АБВ.,«»"), min_size=1, max_size=60),
    st.text(max_size=10),
)


def encoded(parts: list[str], repeat: int, charset: str) -> bytes:
    return ("".join(parts) * repeat).encode(charset, "replace")


bodies = st.one_of(
    st.builds(encoded, st.lists(pieces, max_size=12), st.integers(1, 12), st.sampled_from(CHARSETS)),
    st.builds(
        lambda a, b: a + b,
        st.builds(encoded, st.lists(pieces, max_size=8), st.integers(1, 8), st.sampled_from(CHARSETS)),
        st.binary(max_size=200),
    ),
    st.binary(max_size=3000),
)
labels = st.sampled_from([None, "utf-8", "windows-1251", "KOI8-R", "iso-8859-1", " cp866 ", "nonsense"])


@settings(max_examples=400, deadline=None)
@given(bodies, labels)
@example(b"\xff\xfe", None)
@example("слово ".encode("cp1251") * 2000, None)
@example(b"\xff" * 9000, None)
@example(b"\xff" * 700 + "учились понемногу ".encode("koi8-r") * 400, None)
@example("<p>мы&#1088;</p>".encode("utf-16") + "学而时习之".encode("utf-16-le") * 9 + b"\x00\xd8", None)
@example(("a" * 1023 + "ж").encode(), None)
@example(b"a" * 1024 + b"\x80", None)
def test_the_gate_agrees_with_its_oracle(body: bytes, http_charset: str | None) -> None:
    assert gate.judge(body, http_charset) == oracle.judge(body, http_charset)


descriptions = st.sampled_from(
    [
        '<meta name="description" content="Plain words that say what a page is about, and more">',
        "<meta content='og title' property=og:title>",
        '<meta content=1 name="description"  content="never read">',
        '<meta content="twitter:title',
        '<meta name="keywords" content="no text">',
        *("%D1%80", "\\u0440", "ru_RU", "<!-- cut", "<script>cut"),
    ]
)
urls = st.one_of(
    st.builds(
        "{}{}{}".format,
        st.sampled_from(["", "http://", "https://u:p@"]),
        st.sampled_from(
            ["example.com", "EXAMPLE.RU:80", "ru.example.org", "xn--e1afmkfd.xn--p1ai.", "п.рф", ""]
        ),
        st.sampled_from(["", "/", "/ru/x", "?lang=RU", "/%D0%AF", "/rub", "#ru_RU", "/a/b@c:d"]),
    ),
    st.text(max_size=20),
)


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(
        bodies,
        st.builds(encoded, st.lists(st.one_of(pieces, descriptions)), st.integers(1, 9), st.just("utf-8")),
    ),
    urls,
    labels,
)
@example(b"Plain words of English. " * 5, "http://example.com/", None)
@example(b"Plain words of English. " * 5, "http://example.com/ru", None)
def test_the_verdict_on_a_beginning_agrees_with_its_oracle(
    beginning: bytes, url: str, http_charset: str | None
) -> None:
    expected = oracle.judge_beginning(beginning, url, http_charset)
    assert gate.judge_beginning(beginning, url, http_charset) == expected
