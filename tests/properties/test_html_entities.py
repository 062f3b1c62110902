"""Character references are decoded as Python's `html.unescape` does."""

from __future__ import annotations

import html
from html.entities import html5

from hypothesis import example, given
from hypothesis import strategies as st

from rust_ext import html_unescape

NAMES = sorted({name.rstrip(";") for name in html5})
pieces = st.one_of(
    st.builds("&{}{}".format, st.sampled_from(NAMES), st.sampled_from([";", "", "x", "=", " ", "1", "&"])),
    st.builds("&#{}{}".format, st.integers(0, 0x120000), st.sampled_from([";", "", "x", " "])),
    st.builds("&#x{:x}{}".format, st.integers(0, 0x120000), st.sampled_from([";", "", "g"])),
    st.text("&#;xX0129abfnotmpl \n<яЖ", max_size=12),
)


@given(st.lists(pieces, max_size=12).map("".join))
@example("&notit;&notin;&#0;&#x80;&#xd800;&#1;&#xfffe;&#11;&#xB;&#13;&#9;&#99999999999999999999;")
@example("&CounterClockwiseContourIntegral;&CounterClockwiseContourIntegrala;")
def test_text_is_unescaped_as_python_does(text: str) -> None:
    assert html_unescape(text) == html.unescape(text)


def test_every_name_is_known() -> None:
    for name in NAMES:
        assert html_unescape(f"&{name};") == html5[f"{name};"]
        assert html_unescape(f"&{name}") == html.unescape(f"&{name}")


def test_addresses_keep_their_parameters() -> None:
    assert html_unescape("/?a=1&copy=2&reg_=3&amp;b", attribute=True) == "/?a=1&copy=2®_=3&b"
    assert html_unescape("&lt&gt;&notit; &copy", attribute=True) == "<>&notit; ©"
