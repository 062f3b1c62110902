"""Odd archives and HTTP messages, each the situation of a public report: tests/data/cases/README.md."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from corpus.extract.stage import Extract
from corpus.extract.warc import Page, read
from corpus.inputs import Input
from corpus.writing import Output

CASES = Path(__file__).parents[2] / "data" / "cases"
ADDRESS = "http://a.example.ru/"
#: Characters of the page's text, title included, wherever the whole page is kept.
WHOLE = 720


def extract(
    path: Path, tmp_path: Path, **parameters: Any
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, int]]:
    """Kept and dropped rows of one file, and what was skipped."""
    with Output(str(tmp_path), "00000") as out:
        rows = [
            row
            for table in Extract(**parameters).read(Input(str(path), path.name, "digest", 1), out)
            for row in table.to_pylist()
        ]
        kept = [row for row in rows if row["drop"] is None]
        return kept, [row for row in rows if row["drop"]], dict(out.skipped)


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["url"].removeprefix(ADDRESS) for row in rows]


@pytest.mark.parametrize(
    ("name", "pages", "dropped"),
    [
        ("arc-ok.arc", "012", []),
        ("arc-garbage.arc", "0123", [("", "not_a_record")]),
        ("arc-space-ctype.arc", "0123", []),
        ("arc-len-too-large.arc", "01234", []),
        ("arc-len-nondigit.arc", "0234", [("1", "bad_content_length")]),
        ("arc-gz-flip.arc.gz", "0234", [("1", "bad_gzip_checksum")]),
        ("warc-gz-flip.warc.gz", "0234", [("1", "bad_gzip_checksum")]),
    ],
)
def test_a_damaged_record_costs_itself_and_a_row_says_so(
    name: str, pages: str, dropped: list[tuple[str, str]], tmp_path: Path
) -> None:
    kept, gone, _ = extract(CASES / name, tmp_path)
    assert names(kept) == list(pages)
    assert [(row["url"].removeprefix(ADDRESS), row["drop_detail"]) for row in gone] == dropped
    assert {len(row["text"]) for row in kept} == {WHOLE}
    assert all(row["fetched_at"] for row in kept)
    assert {row["truncated"] for row in kept} == {None}


def test_a_length_above_every_limit_costs_nothing_but_itself(tmp_path: Path) -> None:
    for name in ("arc-ok.arc", "bom.warc"):
        whole = (CASES / name).read_bytes()
        length = re.search(rb"(?:text/html|Content-Length:) (\d+)", whole)
        assert length
        path = tmp_path / name
        path.write_bytes(whole[: length.start(1)] + b"9" * 15 + whole[length.end(1) :])
        kept, gone, _ = extract(path, tmp_path)
        assert {len(row["text"]) for row in kept} == {WHOLE}
        assert len(kept) == (3 if name == "arc-ok.arc" else 1)
        assert all(row["drop"] == "malformed_record" for row in gone)


@pytest.mark.parametrize(
    "name", ["bom.warc", "gz-twice.warc.gz", "x.warc.bz2", "one.wacz", "x.warc.xz", "thrice.warc.gz"]
)
def test_what_a_crawl_file_is_wrapped_in_is_undone(name: str, tmp_path: Path) -> None:
    path = CASES / name
    plain = bz2.decompress((CASES / "x.warc.bz2").read_bytes())
    if name == "x.warc.xz":
        path = tmp_path / name
        path.write_bytes(lzma.compress(plain))
    elif name == "thrice.warc.gz":
        path = tmp_path / name
        path.write_bytes(gzip.compress(bz2.compress(gzip.compress(plain))))
    kept, gone, skipped = extract(path, tmp_path)
    assert [(row["url"], len(row["text"])) for row in kept] == [(ADDRESS, WHOLE)]
    assert (gone, skipped) == ([], {})
    if name == "one.wacz":
        assert kept[0]["source"] == "one.wacz/archive/data.warc.gz:0"


def test_a_file_without_any_record_is_named(tmp_path: Path) -> None:
    path = tmp_path / "empty.warc.gz"
    path.write_bytes(gzip.compress(b""))
    with Output(str(tmp_path), "00000") as out:
        list(Extract().read(Input(str(path), path.name, "digest", 1), out))
        assert out.notes == {"empty": "no record in it"}


def test_a_compressed_file_that_is_cut_says_so(tmp_path: Path) -> None:
    plain = bz2.decompress((CASES / "x.warc.bz2").read_bytes()) + bytes(5000)
    path = tmp_path / "cut.warc.xz"
    path.write_bytes(lzma.compress(plain)[:-40])
    with Output(str(tmp_path), "00000") as out:
        list(Extract().read(Input(str(path), path.name, "digest", 1), out))
        assert out.notes["cut short"].startswith("cut.warc.xz:0: file_cut_short")
    _, gone, _ = extract(path, tmp_path)
    assert any(row["drop_detail"].startswith("file_cut_short") for row in gone)


def test_the_crawl_files_of_a_wacz_are_read_and_nothing_else(tmp_path: Path) -> None:
    plain = bz2.decompress((CASES / "x.warc.bz2").read_bytes())
    path = tmp_path / "two.wacz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("datapackage.json", "{}")
        archive.writestr("archive/a.warc.gz", gzip.compress(plain))
        archive.writestr("archive/b.warc", plain, zipfile.ZIP_DEFLATED)
        archive.writestr("indexes/index.cdx.gz", gzip.compress(b"x"))
    kept, gone, skipped = extract(path, tmp_path)
    assert [row["source"] for row in kept] == ["two.wacz/archive/a.warc.gz:0", "two.wacz/archive/b.warc:0"]
    assert (gone, skipped) == ([], {})
    # Without its directory, at the end, what lies in it as it is can still be found.
    path.write_bytes(path.read_bytes()[:-100])
    kept, gone, _ = extract(path, tmp_path)
    assert [row["url"] for row in kept] == [ADDRESS]
    assert gone[0]["drop_detail"].startswith("bad_zip")
    path.write_bytes(b"PK\x03\x04 and no more")
    kept, gone, _ = extract(path, tmp_path)
    assert (kept, [row["drop_detail"][:7] for row in gone]) == ([], ["bad_zip", "not_a_r"])
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "no crawl")
    assert [row["drop_detail"] for row in extract(path, tmp_path)[1]] == ["zip_without_crawl_files"]


def test_a_type_that_is_none_is_recognised_by_the_first_bytes(tmp_path: Path) -> None:
    """12, 18 and 19 are types that are not HTML's (text/html+oembed, image/jpeg, WML): their word counts."""
    kept, gone, _ = extract(CASES / "ctype.warc", tmp_path)
    assert names(gone) == ["12", "18", "19"]
    assert {row["drop"] for row in gone} == {"not_html"}
    assert {len(row["text"]) for row in kept} == {WHOLE}
    assert len(kept) == 21


def test_responses_are_found_and_decoded_however_they_are_framed(tmp_path: Path) -> None:
    """35 has no end of its head, so no body. 08 is a part by its status (206), and is marked."""
    kept, gone, _ = extract(CASES / "http-framing.warc", tmp_path)
    assert [(name[:2], row["drop"]) for name, row in zip(names(gone), gone, strict=True)] == [
        ("35", "empty_payload")
    ]
    assert {name: len(row["text"]) for name, row in zip(names(kept), kept, strict=True)} == dict.fromkeys(
        names(kept), WHOLE
    )
    marked = {name[:2]: row["truncated"] for name, row in zip(names(kept), kept, strict=True)}
    assert {name: sign for name, sign in marked.items() if sign} == {"08": "range"}


def test_plain_text_keeps_its_lines_and_signs(tmp_path: Path) -> None:
    kept, _, _ = extract(CASES / "text-plain.warc", tmp_path)
    assert len(kept) == 5
    for row in kept:
        assert "Если a <b и c> d, то AT&T &lt; 5.\n\nТаблица:\n  год     улов\n  2019    35\n" in row["text"]
        assert "Мороз и солнце; день чудесный!\n" in row["text"]


def test_pages_whose_text_is_in_scripts_pass_the_gate(tmp_path: Path) -> None:
    by_gate = extract(CASES / "script-only.warc", tmp_path)[0]
    assert len(by_gate) == 8
    assert [row["text"] for row in by_gate] == [
        row["text"] for row in extract(CASES / "script-only.warc", tmp_path, gate="off")[0]
    ]


@pytest.mark.parametrize("by", ["bukvar", "trafilatura"])
def test_what_a_server_says_of_the_use_of_a_page_is_read(by: str, tmp_path: Path) -> None:
    kept, _, _ = extract(CASES / "tdm-header.warc", tmp_path, content=by)
    said = {
        name: (row["noindex"], row["noai"], row["tdm_reserved"])
        for name, row in zip(names(kept), kept, strict=True)
    }
    nothing = (False, False, False)
    assert said == {"tdm": (False, False, True), "2": (True, True, False), "3": nothing, "4": nothing}


def test_a_page_kept_in_part_says_why_and_may_be_dropped(tmp_path: Path) -> None:
    for name, sign in [("truncated-field.warc", "length"), ("segmented.warc", "segment")]:
        kept, gone, _ = extract(CASES / name, tmp_path)
        assert [row["truncated"] for row in kept] == [sign]
        assert not gone
        kept, gone, _ = extract(CASES / name, tmp_path, truncated="drop")
        assert not kept
        assert [(row["drop"], row["drop_detail"]) for row in gone] == [("truncated_page", sign)]
    with pytest.raises(ValueError, match="keep or drop"):
        Extract(truncated="mark")


@pytest.mark.parametrize("name", ["arc-ok.arc", "arc-gz-flip.arc.gz", "warc-gz-flip.warc.gz", "bom.warc"])
def test_a_file_cut_anywhere_is_counted_and_named(name: str) -> None:
    """Of every record that begins before the cut, the whole page comes out or a row with its offset: of a
    gzip member, where its magic number is there."""
    whole = (CASES / name).read_bytes()
    offsets = {page.offset for page in _pages(whole)[0]} | {row["offset"] for row in _pages(whole)[1]}
    for length in range(1, len(whole), 13):
        pages, rows = _pages(whole[:length])
        complete = {page.offset for page in pages if page.truncated is None}
        named = {row["offset"] for row in rows if row["reason"] == "malformed_record"}
        assert {offset for offset in offsets if offset < length - 2} <= complete | named, length
        assert {page.truncated for page in pages} <= {None, "file"}


def _pages(file: bytes) -> tuple[list[Page], list[dict[str, Any]]]:
    pages, rows = [], []
    for batch in read(io.BytesIO(file), gate="off"):
        pages += batch.pages
        rows += batch.dropped.to_pylist()
    return pages, rows
