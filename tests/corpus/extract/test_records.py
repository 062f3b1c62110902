"""The way back: a document's `source` leads to the record it was made of."""

from pathlib import Path

import pytest

from corpus.errors import UsageError
from corpus.extract.records import copy_records, record_at
from corpus.extract.warc import read
from pipelines.cli import run

CRAWL = Path(__file__).parents[2] / "data/crawl"
FILES = ("crawl-00000.warc.gz", "crawl-00008.arc.gz")


@pytest.mark.parametrize("name", FILES)
def test_every_page_s_offset_leads_to_its_record(name: str) -> None:
    pages = [page for batch in read(str(CRAWL / name)) for page in batch.pages]
    assert len(pages) >= 5
    for page in pages[:20]:
        found = record_at(f"{CRAWL / name}:{page.offset}")
        assert found.url == page.url
        assert page.body[:200] in found.payload


def test_records_picked_out_are_a_crawl_of_their_own(tmp_path: Path) -> None:
    places = [
        f"{CRAWL / name}:{page.offset}"
        for name in FILES
        for batch in read(str(CRAWL / name))
        for page in batch.pages[:2]
    ]
    few = str(tmp_path / "few.warc.gz")
    assert copy_records(places, few) == len(places)
    urls = [page.url for batch in read(few, gate="off") for page in batch.pages]
    assert urls == [record_at(place).url for place in places]


@pytest.mark.parametrize(
    "place", ["x.warc.gz", f"{CRAWL / FILES[0]}:7", "nowhere.warc:0", f"{CRAWL / FILES[0]}:x"]
)
def test_what_is_no_record_is_one_line(place: str) -> None:
    with pytest.raises(UsageError):
        record_at(place)


def test_the_command_prints_copies_and_gives_the_payload(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    page = next(page for batch in read(str(CRAWL / FILES[0])) for page in batch.pages)
    place = f"{CRAWL / FILES[0]}:{page.offset}"
    assert run(["record", place]) == 0
    assert page.url.encode() in capsysbinary.readouterr().out
    assert run(["record", place, "--payload"]) == 0
    assert page.body[:100] in capsysbinary.readouterr().out
    assert run(["record", place, "--out", str(tmp_path / "one.warc.gz")]) == 0
    assert (tmp_path / "one.warc.gz").stat().st_size > 100


def test_other_bytes_are_no_record(tmp_path: Path) -> None:
    lines = tmp_path / "a.warc"
    head = b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 3\r\n\r\n"
    lines.write_bytes(head + "а б в г д\r\n".encode())
    with pytest.raises(UsageError, match="no WARC or ARC record begins there"):
        record_at(f"{lines}:{len(head)}")


def test_a_record_without_an_address_is_shown_as_it_is(tmp_path: Path) -> None:
    page = b"HTTP/1.1 200 OK\r\n\r\n<p>x"
    head = f"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: {len(page)}\r\n\r\n"
    (tmp_path / "a.warc").write_bytes(head.encode() + page + b"\r\n\r\n")
    found = record_at(f"{tmp_path / 'a.warc'}:0")
    assert (found.kind, found.url, found.payload) == ("response", "", page)
