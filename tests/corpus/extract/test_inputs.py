"""Pages from tables, lines, folders and dumps come out as pages of a crawl do."""

from __future__ import annotations

import bz2
import datetime
import gzip
import io
import json
import random
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.errors import ShardError
from corpus.extract import inputs
from corpus.extract.packed import Packed
from corpus.extract.warc import Batch, Page
from corpus.extract.wikidump import read_dump
from corpus.extract.wikitext import plain_text

TEXT = (
    "Мы все учились понемногу чему-нибудь и как-нибудь, так воспитаньем, слава Богу, "
    "у нас немудрено блеснуть."
)
PAGE = f"<html><p>{TEXT}</p></html>"
ENGLISH = "<html><p>It was the best of times, it was the worst of times.</p></html>"


def everything(batches: Iterable[Batch]) -> tuple[list[Page], list[tuple[int, str, str]]]:
    pages: list[Page] = []
    dropped: list[dict[str, Any]] = []
    for batch in batches:
        assert batch.records == len(batch.pages) + batch.dropped.num_rows
        pages += batch.pages
        dropped += batch.dropped.to_pylist()
    return pages, [(row["offset"], row["reason"], row["detail"]) for row in dropped]


def test_texts_of_parquet_that_are_no_utf8_are_read(tmp_path: Path) -> None:
    """Spark and others write bytes as text without a look at them."""
    page = "<p>Мама мыла раму, а потом отец читал книгу.".encode("cp1251")
    columns = {
        "url": [b"http://a.ru/\xff", b"http://b.ru/"],
        "html": [page, PAGE.encode()],
        "record_id": [b"\xff", b"x"],
    }
    typed = {name: pa.array(values, pa.binary()).view(pa.string()) for name, values in columns.items()}
    pq.write_table(pa.table(typed), tmp_path / "x.parquet")
    pages, dropped = everything(inputs.read_any(str(tmp_path / "x.parquet")))
    assert not dropped
    assert [(p.url, p.body, p.record_id) for p in pages] == [
        ("http://a.ru/\ufffd", page, "\ufffd"),
        ("http://b.ru/", PAGE.encode(), "x"),
    ]


def test_parquet_rows_are_pages(tmp_path: Path) -> None:
    table = pa.table({"url": ["http://a.ru/1", "http://a.ru/2", None], "html": [PAGE, ENGLISH, PAGE]})
    path = str(tmp_path / "x.parquet")
    pq.write_table(table, path)
    pages, dropped = everything(inputs.read_any(path))
    assert [(p.url, p.offset, p.body.decode()) for p in pages] == [
        ("http://a.ru/1", 0, PAGE),
        ("file:x.parquet#row=2", 2, PAGE),
    ]
    assert [row[:2] for row in dropped] == [(1, "not_cyrillic")]
    pages, dropped = everything(inputs.read_any(path, gate="off"))
    assert (len(pages), dropped) == (3, [])


def test_a_date_without_a_zone_is_utc_on_every_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "x.parquet")
    date = pa.array([datetime.datetime(2024, 5, 18, 1, 58, 10)], pa.timestamp("ms"))
    pq.write_table(pa.table({"url": ["http://a.ru/1"], "html": [PAGE], "date": date}), path)
    monkeypatch.setenv("TZ", "Asia/Vladivostok")
    time.tzset()
    try:
        ((page,), _) = everything(inputs.read_any(path))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert page.fetched_at == 1_715_997_490


@pytest.mark.parametrize(("ending", "opener"), [("", open), (".gz", gzip.open), (".bz2", bz2.open)])
def test_json_lines_are_pages_and_bad_lines_are_counted(tmp_path: Path, ending: str, opener: Any) -> None:
    lines = [json.dumps({"url": "http://a.ru/1", "html": PAGE, "fetched_at": "2024-05-18T01:58:10Z"})]
    lines += ["{broken", "[]", '{"url": "http://a.ru/2"}', json.dumps({"url": "http://a.ru/3", "html": " "})]
    path = tmp_path / f"x.jsonl{ending}"
    with opener(path, "wb") as stream:
        stream.write("\n".join(lines).encode())
    pages, dropped = everything(inputs.read_any(str(path)))
    assert [(p.url, p.host, p.fetched_at) for p in pages] == [("http://a.ru/1", "a.ru", 1_715_997_490)]
    assert dropped == [
        (1, "malformed_row", "no_object"),
        (2, "malformed_row", "no_object"),
        (3, "malformed_row", "no_html"),
        (4, "empty_payload", ""),
    ]


def test_a_line_above_the_limit_costs_itself_only(tmp_path: Path) -> None:
    good = json.dumps({"url": "http://a.ru/1", "html": PAGE})
    long = json.dumps({"url": "http://a.ru/2", "html": "x" * 3_000_000})
    path = tmp_path / "x.jsonl"
    path.write_text(f"{good}\n{long}\n{good}\n")
    pages, dropped = everything(inputs.read_any(str(path), max_bytes=1000))
    assert [p.offset for p in pages] == [0, 2]
    assert dropped == [(1, "malformed_row", "line_too_long")]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.warc.gz", "crawl"),
        ("a.warc.wet.gz", "crawl"),
        ("A.WARC", "crawl"),
        ("a.html.warc.zst", "crawl"),
        ("a.pq", "parquet"),
        ("a.ndjson.zst", "jsonl"),
        ("ruwiki-20240501-pages-articles1.xml-p1p224167.bz2", "mediawiki"),
        ("a.HTM", "page"),
        ("a.xhtml.gz", "page"),
        ("index.html.ru.koi8-r", "page"),
        ("index.html.ru.cp-1251", "page"),
        ("index.html.ru.ucs2", "page"),
        ("html", None),
        ("a.html.bak", None),
        ("a.json", None),
    ],
)
def test_a_name_says_what_a_file_is(name: str, kind: str | None) -> None:
    assert inputs.kind_by_name(f"crawl.html/{name}") == kind


def test_where_the_name_says_nothing_the_first_bytes_do(tmp_path: Path) -> None:
    pq.write_table(pa.table({"url": ["x"]}), tmp_path / "parquet")
    (tmp_path / "jsonl").write_text("\ufeff {}")
    (tmp_path / "mediawiki").write_bytes(bz2.compress(dump()))
    (tmp_path / "mediawiki").rename(tmp_path / "mediawiki.bz2")
    (tmp_path / "page").write_text(f"\n <!doctype html>{PAGE}")
    (tmp_path / "page-16").write_bytes(PAGE.encode("utf-16"))
    (tmp_path / "crawl").write_bytes(b"WARC/1.0\r\n")
    (tmp_path / "crawl-gz").write_bytes(gzip.compress(b"WARC/1.0\r\n"))
    for path in tmp_path.iterdir():
        assert inputs.kind_of(str(path)) == path.name.partition(".")[0].partition("-")[0], path.name


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
    found, dropped = everything(inputs.read_any(str(path)))
    assert [p.url for p in found] == [
        "https://ru.wikipedia.org/wiki/%D0%91%D1%83%D0%BA%D0%B2%D0%B0_%D0%AF",
        "https://ru.wikipedia.org/wiki/%D0%91",
    ]
    assert found[0].body.decode() == f"Я - {TEXT}"
    assert (found[0].record_id, found[0].fetched_at) == ("5:7", 1_715_997_490)
    assert [getattr(p, "title", None) for p in found] == ["Буква Я", "Б"]
    assert [row[:2] for row in dropped] == [
        (1, "not_an_article"),
        (2, "redirect_page"),
        (3, "malformed_record"),
    ]


@pytest.mark.parametrize("size", [1, 7, 100, 1 << 20])
def test_pages_of_a_dump_are_found_however_the_stream_comes(size: int) -> None:
    long = article("Длинная", "x" * 5_000_000)  # above the limit of four times 1,000 bytes and a chunk
    pages = [article("А", TEXT), "</page>", article("Б", TEXT), "<page><title>", article("В", TEXT)]
    if size > 1000:
        pages += [long, article("Г", TEXT)]
    body = io.BytesIO(dump(*pages, "<page><title>Д</title>"))

    class Slow:
        def read1(self, most: int) -> bytes:
            return body.read(min(most, size))

    found = list(read_dump(Packed(Slow()), 1000))
    titles = [page.title for page in found if page.text]
    assert titles == ["А", "Б", "В", "Г"][: 4 if size > 1000 else 3]
    assert [page.reason for page in found if not page.text] == ["malformed_record"] * (
        4 if size > 1000 else 3
    )
    assert [page.number for page in found] == list(range(len(found)))


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_a_packed_file_that_is_cut_short_gives_what_comes_before_and_says_so(
    tmp_path: Path, ending: str, pack: Any
) -> None:
    draw = random.Random(1)
    words = "".join(chr(draw.randrange(0x430, 0x450)) for _ in range(300_000))  # packs badly: many blocks
    rows = [
        json.dumps({"url": f"http://a.ru/{n}", "html": PAGE + words[n * 999 : n * 999 + 999]})
        for n in range(300)
    ]
    path = tmp_path / f"x.jsonl{ending}"
    packed = pack("\n".join(rows).encode())
    path.write_bytes(packed[: len(packed) * 3 // 4])
    pages, dropped = everything(inputs.read_any(str(path), gate="off"))
    assert len(pages) > 100
    ((number, reason, detail),) = dropped
    assert (number, reason) == (len(pages), "malformed_record")
    assert detail.startswith("file_cut_short")


@pytest.mark.parametrize("kind", ["dump.xml.bz2", "x.jsonl.gz", "x.parquet"])
def test_a_batch_says_how_much_of_the_file_has_been_read(kind: str, tmp_path: Path) -> None:
    path, dice = tmp_path / kind, random.Random(1)
    texts = [TEXT + "".join(dice.choices("абвгдежз ", k=3_000)) for _ in range(3 * inputs.BATCH_PAGES)]
    if kind == "x.parquet":
        table = pa.table({"url": ["http://a.ru/"] * len(texts), "html": texts})
        pq.write_table(table, path, row_group_size=200)
    elif kind == "x.jsonl.gz":
        lines = [json.dumps({"url": "http://a.ru/", "html": text}) for text in texts]
        path.write_bytes(gzip.compress("\n".join(lines).encode()))
    else:
        path.write_bytes(bz2.compress(dump(*(article("Я", text) for text in texts))))
    size = path.stat().st_size
    positions = [batch.position or 0 for batch in inputs.read_any(str(path))]
    assert len(positions) == 3
    assert positions == sorted(positions)
    assert 0 < positions[0] < 0.7 * size
    assert positions[-1] == size


def test_a_dump_without_pages_is_no_dump(tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_text("<rss/>")
    with pytest.raises(ShardError, match="no <page> of a MediaWiki dump"):
        everything(inputs.read_any(str(tmp_path / "feed.xml")))


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
        ("{{не закрыто [[тоже", "не закрыто тоже"),
        ("<ref>не закрыто", "не закрыто"),
    ],
)
def test_markup_becomes_what_a_reader_sees(markup: str, plain: str) -> None:
    assert plain_text(markup) == plain


def test_unbalanced_markup_takes_no_longer_than_balanced() -> None:
    assert plain_text("{{" * 100_000 + "[[" * 100_000 + "<ref>" * 50_000 + "А") == "А"
