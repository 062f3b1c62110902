"""Pages from tables, lines, folders and dumps come out as pages of a crawl do."""

from __future__ import annotations

import bz2
import gzip
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.extract import inputs
from corpus.extract.warc import Batch, Page
from corpus.extract.wikitext import plain_text

TEXT = (
    "Мы все учились понемногу чему-нибудь и как-нибудь, так воспитаньем, слава Богу, "
    "у нас немудрено блеснуть."
)
PAGE = f"<html><p>{TEXT}</p></html>"
ENGLISH = "<html><p>It was the best of times, it was the worst of times.</p></html>"


def everything(batches: Iterable[Batch]) -> tuple[list[Page], list[tuple[int, str, str]], Counter[str]]:
    pages: list[Page] = []
    dropped: list[dict[str, Any]] = []
    skipped: Counter[str] = Counter()
    for batch in batches:
        assert batch.records == len(batch.pages) + batch.dropped.num_rows + batch.skipped.total()
        pages += batch.pages
        dropped += batch.dropped.to_pylist()
        skipped += batch.skipped
    return pages, [(row["offset"], row["reason"], row["detail"]) for row in dropped], skipped


def test_parquet_rows_are_pages(tmp_path: Path) -> None:
    table = pa.table({"url": ["http://a.ru/1", "http://a.ru/2", None], "html": [PAGE, ENGLISH, PAGE]})
    pq.write_table(table, tmp_path / "x.parquet")
    pages, dropped, _ = everything(inputs.read_any(tmp_path / "x.parquet"))
    assert [(p.url, p.offset, p.body.decode()) for p in pages] == [("http://a.ru/1", 0, PAGE), ("", 2, PAGE)]
    assert [row[:2] for row in dropped] == [(1, "not_cyrillic")]
    pages, dropped, _ = everything(inputs.read_any(tmp_path / "x.parquet", gate="off"))
    assert (len(pages), dropped) == (3, [])


def test_a_parquet_file_without_the_columns_says_which(tmp_path: Path) -> None:
    pq.write_table(pa.table({"url": ["x"], "content": ["y"]}), tmp_path / "x.parquet")
    with pytest.raises(ValueError, match="no column html"):
        everything(inputs.read_parquet(tmp_path / "x.parquet"))


@pytest.mark.parametrize(("ending", "opener"), [("", open), (".gz", gzip.open), (".bz2", bz2.open)])
def test_json_lines_are_pages_and_bad_lines_are_counted(tmp_path: Path, ending: str, opener: Any) -> None:
    lines = [json.dumps({"url": "http://a.ru/1", "html": PAGE, "fetched_at": "2024-05-18T01:58:10Z"})]
    lines += ["{broken", "[]", '{"url": "http://a.ru/2"}', json.dumps({"url": "http://a.ru/3", "html": " "})]
    path = tmp_path / f"x.jsonl{ending}"
    with opener(path, "wb") as stream:
        stream.write("\n".join(lines).encode())
    pages, dropped, _ = everything(inputs.read_any(path))
    assert [(p.url, p.host, p.fetched_at) for p in pages] == [("http://a.ru/1", "a.ru", 1_715_997_490)]
    assert dropped == [
        (1, "malformed_row", "no_object"),
        (2, "malformed_row", "no_object"),
        (3, "malformed_row", "no_html"),
        (4, "empty_payload", ""),
    ]


def test_the_pages_of_a_folder_come_in_order_of_their_paths(tmp_path: Path) -> None:
    for name in ("b.html", "a/z.HTM", "a/note.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(PAGE.encode("cp1251"))
    pages, _, _ = everything(inputs.read_any(tmp_path))
    assert [p.url for p in pages] == ["a/z.HTM", "b.html"]
    assert pages[0].body.decode("cp1251") == PAGE


def dump(*pages: str) -> bytes:
    head = "<siteinfo><base>https://ru.wikipedia.org/wiki/%D0%97</base></siteinfo>"
    return f'<mediawiki xmlns="http://x/">{head}{"".join(pages)}</mediawiki>'.encode()


def article(title: str, text: str, ns: int = 0, extra: str = "") -> str:
    revision = (
        f"<revision><id>7</id><timestamp>2024-05-18T01:58:10Z</timestamp><text>{text}</text></revision>"
    )
    return f"<page><title>{title}</title><ns>{ns}</ns><id>5</id>{extra}{revision}</page>"


def test_articles_of_a_dump_are_pages_of_plain_text(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml.bz2"
    pages = [article("Буква Я", f"'''Я''' - {TEXT}"), article("Обсуждение:Я", TEXT, ns=1)]
    pages += [article("Аз", TEXT, extra='<redirect title="Я"/>'), "<page><title>x</page>", article("Б", TEXT)]
    path.write_bytes(bz2.compress(dump(*pages)))
    found, dropped, skipped = everything(inputs.read_any(path))
    assert [p.url for p in found] == [
        "https://ru.wikipedia.org/wiki/%D0%91%D1%83%D0%BA%D0%B2%D0%B0_%D0%AF",
        "https://ru.wikipedia.org/wiki/%D0%91",
    ]
    assert found[0].body.decode() == f"Я - {TEXT}"
    assert (found[0].record_id, found[0].fetched_at) == ("5:7", 1_715_997_490)
    assert dropped == [(3, "malformed_record", "bad_xml")]
    assert skipped == {"other_namespace": 1, "redirect": 1}


@pytest.mark.parametrize(
    ("markup", "plain"),
    [
        ("'''Жирно''' и ''косо''", "Жирно и косо"),
        ("[[Москва|в Москве]] и [[Тула]]", "в Москве и Тула"),
        ("{{Карточка|имя={{nobr|Иван}}}}Текст", "Текст"),
        ("До{| class=x\n| [[ячейка]]\n|}после", "Допосле"),
        ("Слово<ref>источник</ref> и<ref name=a /> дело", "Слово и дело"),
        ("[[Файл:a.jpg|мини|подпись [[x]]]]Текст[[Категория:Буквы]]", "Текст"),
        ("[http://a.ru/x сайт] и [http://a.ru]", "сайт и"),
        ("== Раздел ==\n* пункт\n# другой", "Раздел\nпункт\nдругой"),
        ("<!-- нет -->да &amp; нет&nbsp;да __TOC__", "да & нет да"),
        ("#REDIRECT [[Я]]", ""),
        ("{{не закрыто [[тоже", "{{не закрыто тоже"),
        ("<ref>не закрыто", "не закрыто"),
    ],
)
def test_markup_becomes_what_a_reader_sees(markup: str, plain: str) -> None:
    assert plain_text(markup) == plain


def test_unbalanced_markup_takes_no_longer_than_balanced() -> None:
    assert plain_text("{{" * 100_000 + "[[" * 100_000 + "<ref>" * 50_000)
