"""Repair undoes what programs do to Russian text, and its marks agree with their oracle."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.clean.repair import KINDS, Repair, repair, repair_column
from rust_ext import repair_mac, repair_single_byte, repair_utf8
from tests.oracles import repair as oracle
from tests.oracles import repair_lines
from tests.oracles import repair_mac as oracle_mac
from tests.oracles import repair_utf8 as oracle_utf8
from tests.oracles.repair_marks import repair_marks
from tests.properties.test_decode_properties import RUSSIAN

ONLY = {kind: Repair(**{other: other == kind for other in KINDS}) for kind in KINDS}
#: Bytes that Python's codecs leave undefined and browsers show as controls.
UNDEFINED = {(0x98, "cp1251"), *((b, "cp1252") for b in (0x81, 0x8D, 0x8F, 0x90, 0x9D))}
MARKS = Repair(mojibake=False, entities=False, homoglyphs=False)
UTF8_READ_AS = ["latin-1", "cp1252", "cp1251", "koi8-r", "cp866"]
MARKED = (
    "аеиоуйё \n\r\t\x00\x85\x93\x98\u00ad\u0300\u0301\u0306\u0308\u200b\u200d\u200e\u202a\ufeff\u2028\u2060"
)
OTHERS = "Å\u212bç\u05e0क\u0e01iїг"
SUSPECTS = st.sampled_from(MARKED + OTHERS)


def misread(text: str, charset: str) -> str:
    def show(byte: int) -> str:
        try:
            return bytes([byte]).decode(charset)
        except UnicodeDecodeError:
            return chr(byte)

    return "".join(map(show, text.encode()))


@settings(deadline=None)
@given(
    lines=st.lists(RUSSIAN, min_size=1, max_size=3),
    layers=st.lists(st.sampled_from(UTF8_READ_AS), min_size=1, max_size=3),
)
def test_layers_of_misread_utf8_are_undone(lines: list[str], layers: list[str]) -> None:
    text = damaged = "\n".join(lines)
    for charset in layers:
        damaged = misread(damaged, charset)
    assert repair(damaged)[0] == text


@settings(deadline=None)
@given(
    text=RUSSIAN,
    written=st.sampled_from(["cp1251", "koi8-r", "cp866"]),
    read=st.sampled_from(["cp1251", "koi8-r"]),
)
def test_a_mix_up_of_cyrillic_charsets_is_undone(text: str, written: str, read: str) -> None:
    body = text.encode(written)
    damaged = "".join(
        bytes([byte]).decode(read) if (byte, read) != (0x98, "cp1251") else "\x98" for byte in body
    )
    assert repair(damaged)[0] == text


@settings(deadline=None)
@given(text=RUSSIAN)
def test_clean_russian_comes_back_as_it_is(text: str) -> None:
    assert repair(text) == (text, dict.fromkeys(KINDS, 0))


@settings(deadline=None)
@given(text=st.text(SUSPECTS | st.characters(exclude_categories=["Cs"]), max_size=40))
def test_marks_are_what_the_oracle_makes_of_them(text: str) -> None:
    assert repair(text, MARKS)[0] == repair_marks(text)


@settings(deadline=None)
@given(
    rows=st.lists(
        st.none() | RUSSIAN | st.text(SUSPECTS | st.characters(exclude_categories=["Cs"])), max_size=6
    )
)
def test_a_column_is_its_rows(rows: list[str | None]) -> None:
    column, counts = repair_column(pa.array(rows, pa.string()))
    expected = [(None, dict.fromkeys(KINDS, 0)) if row is None else repair(row) for row in rows]
    assert column.to_pylist() == [text for text, _ in expected]
    found = [{name.removeprefix("repaired_"): n for name, n in row.items()} for row in counts.to_pylist()]
    assert found == [counts for _, counts in expected]


ENTITY_PIECES = st.sampled_from(
    [
        *("&", "amp;", "&amp;", "&nbsp;", "&lt;", "&#1088;", "&#x442;", "&#55296;", "&#99999999999;", "&no;"),
        *(
            "&apos;",
            "&thetasym;",
            "&AMP;",
            "&#+65;",
            "p",
            "/",
            "»",
            "«",
            '"',
            "<",
            "html",
            "слово",
            "\n",
            " ",
            ";",
        ),
    ]
)


@settings(deadline=None)
@given(pieces=st.lists(ENTITY_PIECES | st.characters(exclude_categories=["Cs"]), max_size=12))
def test_entities_are_what_the_oracle_makes_of_them(pieces: list[str]) -> None:
    text = "".join(pieces)
    repaired, counts = repair(text, ONLY["entities"])
    assert (repaired, counts["entities"]) == oracle.repair_entities(text)


LETTERS_OF_BOTH = st.sampled_from("aсcеeоoкKКtTмMHНлДdgiіIїïjјЈëёÉ×шS")
WORDS = st.text(LETTERS_OF_BOTH, max_size=5) | st.sampled_from(["\\n", "\n", " ", "-", "слово", "word"])


@settings(deadline=None)
@given(pieces=st.lists(WORDS), glue=st.sampled_from(["", " "]))
def test_look_alikes_are_what_the_oracle_makes_of_them(pieces: list[str], glue: str) -> None:
    text = glue.join(pieces)
    repaired, counts = repair(text, ONLY["homoglyphs"])
    assert (repaired, counts["homoglyphs"]) == oracle.repair_homoglyphs(text)


CHARSETS = [
    *(("cp1251", "latin-1"), ("cp1251", "cp1252"), ("koi8-r", "cp1251"), ("cp1251", "koi8-r")),
    *(("cp866", "cp1251"), ("cp1251", "cp866"), ("koi8-r", "cp866")),
]
SHORT = st.text(st.sampled_from("абвгеиклмнопрстуыАБВКСЯ ,.—«»#№-AZnt5é×"), max_size=14)


def shown(line: str, layers: list[tuple[str, str]]) -> str:
    """The line as it looks after the mistakes; characters that a charset lacks are left out."""
    for written, read in layers:
        table = [bytes([b]).decode(read) if (b, read) not in UNDEFINED else chr(b) for b in range(256)]
        line = "".join(table[byte] for byte in line.encode(written, "ignore"))
    return line


@settings(deadline=None)
@given(
    text=SHORT | RUSSIAN.map(lambda text: text[:60]), layers=st.lists(st.sampled_from(CHARSETS), max_size=2)
)
def test_whether_a_line_is_misread_is_what_the_oracle_says(text: str, layers: list[tuple[str, str]]) -> None:
    line = shown(text, layers).replace("\n", " ")
    assert repair_single_byte(line) == repair_lines.undo_lines(line)


TAGS = st.sampled_from(
    [
        "#МатчТВ",
        "— КХЛ (@khl)",
        "© 33.мвд.рф",
        "ь...",
        "A: ПДД",
        "#ВПобеде",
        "т. е.",
        "café",
        "ü",
        "RTД",
        "It’s",
    ]
)
LINES = st.lists(
    st.tuples(SHORT | TAGS | RUSSIAN.map(lambda text: text[:40].replace("\n", " ")), st.booleans()),
    min_size=1,
    max_size=8,
)


@settings(deadline=None)
@given(
    lines=LINES,
    sentence=RUSSIAN.map(lambda text: text[:60].replace("\n", " ")),
    layers=st.lists(st.sampled_from(CHARSETS), min_size=1, max_size=2),
)
def test_which_lines_of_a_document_are_misread_is_what_the_oracle_says(
    lines: list[tuple[str, bool]], sentence: str, layers: list[tuple[str, str]]
) -> None:
    """One sentence is broken, so that most documents have a proof; of the other lines some are."""
    rows = [shown(line, layers) if broken else line for line, broken in lines]
    text = "\n".join([*rows, shown(sentence, layers), sentence])
    assert repair_single_byte(text) == repair_lines.undo_lines(text)


PIECES = st.sampled_from(
    [*"ÐÑРСРСпя╨╤вЂâ€Â°±Ѓ‚─│┌А", " ", "\u00a0", "\ufffd", "\n", "тельно", "x", "\ufeff", *"?˜«»5"]
)


@settings(deadline=None)
@given(
    pieces=st.lists(
        PIECES
        | st.builds(misread, SHORT | st.text(max_size=4), st.sampled_from(UTF8_READ_AS))
        | SHORT
        | st.characters(exclude_categories=["Cs"]),
        max_size=16,
    )
)
def test_misread_utf8_is_what_the_oracle_makes_of_it(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert repair_utf8(text) == oracle_utf8.undo_utf8(text)


MAC = [("cp1251", "mac_cyrillic"), ("mac_cyrillic", "cp1251")]


@settings(deadline=None)
@given(
    lines=st.lists(
        st.tuples(SHORT | RUSSIAN.map(lambda text: text[:80]), st.booleans()), min_size=1, max_size=5
    ),
    layer=st.sampled_from(MAC),
)
def test_mac_mix_ups_are_what_the_oracle_makes_of_them(
    lines: list[tuple[str, bool]], layer: tuple[str, str]
) -> None:
    text = "\n".join(shown(line, [layer]) if broken else line for line, broken in lines)
    assert repair_mac(text) == oracle_mac.undo_mac(text)
