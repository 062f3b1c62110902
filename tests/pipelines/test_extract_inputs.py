"""`bukvar extract` on each kind of input: what its command line keeps, drops, and says."""

from __future__ import annotations

import bz2
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.receipts import read_receipts
from pipelines import cli
from tests.corpus.extract.test_inputs import article, dump

SENTENCES = " ".join(
    f"Это предложение номер {n} стоит здесь для пробы, и в нём есть слова, которые читают люди."
    for n in range(9)
)
PAGE = (
    f"<html><title>Проба</title><body><article><p>{SENTENCES}</p><p>{SENTENCES}</p></article></body></html>"
)
ENGLISH = "<html><p>It was the best of times, it was the worst of times.</p></html>"

Extract = Callable[..., tuple[int, str]]


@pytest.fixture
def extract(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Extract:
    """`bukvar extract ARGUMENTS` into tmp_path/out: exit code and stderr."""

    def run(*arguments: object) -> tuple[int, str]:
        out = ["--out", str(tmp_path / "out"), "--executor", "inline", "--quiet", "--redo"]
        code = cli.run(["extract", *map(str, arguments), *out])
        return code, capsys.readouterr().err

    return run


def documents(tmp_path: Path) -> list[dict[str, Any]]:
    return [row for p in sorted((tmp_path / "out").glob("*.parquet")) for row in pq.read_table(p).to_pylist()]


def dropped(tmp_path: Path) -> list[tuple[str, str]]:
    paths = sorted((tmp_path / "out/_dropped").glob("*.parquet"))
    rows = [row for p in paths for row in pq.read_table(p).to_pylist()]
    return [(row["source"], row["drop"]) for row in rows]


def assert_accounted(tmp_path: Path) -> None:
    for receipt in read_receipts(str(tmp_path / "out")):
        assert receipt.rows_in == receipt.rows_out + sum(receipt.dropped.values()) > 0


@pytest.mark.parametrize("as_bytes", [True, False])
def test_html_in_parquet(tmp_path: Path, extract: Extract, as_bytes: bool) -> None:
    pages = [PAGE, ENGLISH, None, PAGE.replace("слова", "буквы")]
    cells = [p and p.encode("koi8-r") for p in pages] if as_bytes else pages
    urls = ["http://a.ru/1", "http://a.ru/2", "http://a.ru/3", None]
    pq.write_table(pa.table({"link": urls, "content": cells}), tmp_path / "x.parquet")
    code, said = extract(
        tmp_path / "x.parquet", "--set", "extract.url_column=link", "--set", "extract.html_column=content"
    )
    assert (code, said) == (0, "")
    first, second = documents(tmp_path)
    assert (first["url"], first["host"], first["source"]) == ("http://a.ru/1", "a.ru", "x.parquet:0")
    assert (first["title"], first["charset"]) == ("Проба", "koi8-r" if as_bytes else "utf-8")
    assert (second["url"], second["host"]) == ("file:x.parquet#row=3", None)
    assert SENTENCES in first["text"]
    assert "буквы" in second["text"]
    assert dropped(tmp_path) == [("x.parquet:1", "not_cyrillic"), ("x.parquet:2", "malformed_row")]
    assert_accounted(tmp_path)


def test_a_missing_column_is_refused_before_any_work(tmp_path: Path, extract: Extract) -> None:
    pq.write_table(pa.table({"url": ["x"], "content": [PAGE]}), tmp_path / "x.parquet")
    code, said = extract(tmp_path / "x.parquet")
    assert code == 2
    assert "no column 'html' (it has url, content)" in said
    assert "--set extract.html_column=NAME" in said
    assert not (tmp_path / "out").exists()


def test_a_column_of_another_type_is_refused(tmp_path: Path, extract: Extract) -> None:
    pq.write_table(pa.table({"url": ["x"], "html": [1]}), tmp_path / "x.parquet")
    code, said = extract(tmp_path / "x.parquet")
    assert code == 2
    assert "int64, neither text nor bytes" in said


def test_a_corrupt_parquet_file_fails_by_itself(tmp_path: Path, extract: Extract) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.parquet").write_bytes(b"PAR1 no such thing PAR1")
    pq.write_table(pa.table({"url": ["x"], "html": [PAGE]}), tmp_path / "in/b.parquet")
    code, said = extract(tmp_path / "in")
    assert code == 1
    assert "in/a.parquet: not a readable Parquet file" in said
    assert len(documents(tmp_path)) == 1


@pytest.mark.parametrize(("ending", "pack"), [("", bytes), (".gz", gzip.compress), (".bz2", bz2.compress)])
def test_html_in_jsonl(tmp_path: Path, extract: Extract, ending: str, pack: Any) -> None:
    lines = [json.dumps({"url": "http://a.ru/1", "html": PAGE, "date": "2024-05-18"}), "{broken", "7", "{}"]
    (tmp_path / f"x.jsonl{ending}").write_bytes(pack("\n".join(lines).encode()))
    assert extract(tmp_path / f"x.jsonl{ending}") == (0, "")
    (row,) = documents(tmp_path)
    assert (row["url"], row["fetched_at"].year, row["source"]) == (
        "http://a.ru/1",
        2024,
        f"x.jsonl{ending}:0",
    )
    assert dropped(tmp_path) == [(f"x.jsonl{ending}:{n}", "malformed_row") for n in (1, 2, 3)]
    assert_accounted(tmp_path)


def test_half_a_surrogate_pair_in_an_address_costs_no_other_row(tmp_path: Path, extract: Extract) -> None:
    lines = [json.dumps({"url": url, "html": PAGE}) for url in ("http://a.ru/\ud83d", "http://a.ru/2")]
    (tmp_path / "x.jsonl").write_text("\n".join(lines))
    assert extract(tmp_path / "x.jsonl") == (0, "")
    assert [row["url"] for row in documents(tmp_path)] == ["http://a.ru/\ufffd", "http://a.ru/2"]


def test_jsonl_without_the_field_says_how_to_name_it(tmp_path: Path, extract: Extract) -> None:
    (tmp_path / "x.jsonl").write_text('{"url": "http://a.ru/", "body": "<p>..."}\n')
    code, said = extract(tmp_path / "x.jsonl")
    assert code == 1
    assert "--set extract.html_column=NAME" in said


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_a_packed_file_that_is_cut_short_gives_what_comes_before(
    tmp_path: Path, extract: Extract, ending: str, pack: Any
) -> None:
    packed = b"".join(
        pack(json.dumps({"url": f"http://a.ru/{n}", "html": PAGE}).encode() + b"\n") for n in range(4)
    )
    (tmp_path / f"x.jsonl{ending}").write_bytes(packed[:-20])
    code, said = extract(tmp_path / f"x.jsonl{ending}")
    assert code == 0
    assert said.startswith(f"extract: x.jsonl{ending}: cut short: x.jsonl{ending}:3: file_cut_short: ")
    assert len(documents(tmp_path)) == 3
    assert dropped(tmp_path) == [(f"x.jsonl{ending}:3", "malformed_record")]
    assert_accounted(tmp_path)


def test_a_folder_of_html_files_is_one_shard(tmp_path: Path, extract: Extract) -> None:
    site = tmp_path / "site"
    for name, body in {
        "b.html": PAGE.encode("cp1251"),
        "a/index.html.ru.koi8-r": PAGE.encode("koi8-r"),
        "c.HTM.gz": gzip.compress(PAGE.encode()),
        "d.xhtml": b"",
        "e.html.gz": gzip.compress(PAGE.encode())[:-9],
        "note.txt": b"x",
        "feed.xml": b"<rss/>",
    }.items():
        (site / name).parent.mkdir(exist_ok=True, parents=True)
        (site / name).write_bytes(body)
    code, said = extract(site)
    assert code == 0
    assert "cut short: site/e.html.gz:1: file_cut_short: " in said
    found = {row["url"]: row for row in documents(tmp_path)}
    cut = {row["url"] for row in found.values() if row["truncated"] == "file"}
    assert cut <= {"file:site/e.html.gz"}
    names = ["a/index.html.ru.koi8-r", "b.html", "c.HTM.gz"]
    assert sorted(found)[:3] == [f"file:site/{name}" for name in names]
    assert [found[f"file:site/{n}"]["charset"] for n in names] == ["koi8-r", "windows-1251", "utf-8"]
    assert found["file:site/b.html"]["source"] == "site/b.html:0"
    assert len({row["doc_id"] for row in found.values()}) == len(found)
    reasons = dict(dropped(tmp_path))
    assert (reasons["site/d.xhtml:0"], reasons["site/e.html.gz:1"]) == ("empty_payload", "malformed_record")
    assert len(list((tmp_path / "out").glob("*.parquet"))) == 1
    assert_accounted(tmp_path)


def test_a_folder_without_input_says_what_was_looked_for(tmp_path: Path, extract: Extract) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/feed.xml").write_text("<rss/>")
    code, said = extract(tmp_path / "empty")
    assert code == 2
    assert "no input files in this folder (looked for .warc" in said
    assert "MediaWiki .xml" in said


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"id,text\n1,a\n", 2),
        (b"plain words\n" * 99, 2),
        (b"WARC/1.0\r\n\r\n", 0),
        (b"junk\nWARC/1.1\r\n", 0),
        (b"", 0),
    ],
)
def test_a_file_that_was_named_has_to_be_an_input_by_its_name_or_its_first_bytes(
    tmp_path: Path, extract: Extract, content: bytes, code: int
) -> None:
    (tmp_path / "part-00000").write_bytes(content)
    found, said = extract(tmp_path / "part-00000")
    assert (found, "part-00000: neither its name nor its first bytes are" in said) == (code, code == 2)


@pytest.mark.parametrize(("ending", "pack"), [("", bytes), (".gz", gzip.compress), (".bz2", bz2.compress)])
def test_a_mediawiki_dump(tmp_path: Path, extract: Extract, ending: str, pack: Any) -> None:
    pages = [
        article("Проба", f"'''Проба''' — {SENTENCES} [[Слово|слова]]"),
        article("Обсуждение:Проба", SENTENCES, ns=1),
        article("Пробы", SENTENCES, extra='<redirect title="Проба"/>'),
        "<page><title>Сломанная",
        article("Ещё проба", f"{{{{Карточка}}}} {SENTENCES}"),
        article("English", "It was the best of times, it was the worst of times."),
    ]
    (tmp_path / "in").mkdir()
    name = f"ruwiki.xml{ending}"
    (tmp_path / "in" / name).write_bytes(pack(dump(*pages)))
    assert extract(tmp_path / "in") == (0, "")
    first, second = documents(tmp_path)
    assert (first["title"], second["title"]) == ("Проба", "Ещё проба")
    assert first["text"] == f"Проба — {SENTENCES} слова"
    assert first["url"] == "https://ru.wikipedia.org/wiki/%D0%9F%D1%80%D0%BE%D0%B1%D0%B0"
    assert first["host"] == "ru.wikipedia.org"
    assert first["source"] == f"in/{name}:0"
    assert dropped(tmp_path) == [
        (f"in/{name}:1", "not_an_article"),
        (f"in/{name}:2", "redirect_page"),
        (f"in/{name}:3", "malformed_record"),
        (f"in/{name}:5", "not_cyrillic"),
    ]
    assert_accounted(tmp_path)


def test_broken_xml_costs_its_page_and_a_cut_dump_its_rest(tmp_path: Path, extract: Extract) -> None:
    broken = article("Б", SENTENCES).replace("</revision>", "")
    whole = dump(article("А", SENTENCES), broken, article("В", SENTENCES), article("Г", SENTENCES))
    (tmp_path / "x.xml").write_bytes(whole[:-300])
    assert extract(tmp_path / "x.xml") == (0, "")
    assert [row["title"] for row in documents(tmp_path)] == ["А", "В"]
    assert dropped(tmp_path) == [("x.xml:1", "malformed_record"), ("x.xml:3", "malformed_record")]


def test_xml_that_is_no_dump_is_an_error(tmp_path: Path, extract: Extract) -> None:
    (tmp_path / "feed.xml").write_text("<rss><item/></rss>")
    code, said = extract(tmp_path / "feed.xml")
    assert code == 1
    assert "feed.xml: no <page> of a MediaWiki dump" in said


def test_ids_do_not_depend_on_where_a_file_lies_and_runs_agree(tmp_path: Path, extract: Extract) -> None:
    found = []
    for place in ("one", "two"):
        (tmp_path / place / "set").mkdir(parents=True)
        pq.write_table(
            pa.table({"url": ["http://a.ru/1"], "html": [PAGE]}), tmp_path / place / "set/x.parquet"
        )
        (tmp_path / place / "set/y.html").write_text(PAGE)
        assert extract(tmp_path / place / "set")[0] == 0
        found.append([(row["doc_id"], row["url"], row["source"]) for row in documents(tmp_path)])
    assert found[0] == found[1]
    assert len(found[0]) == 2
