"""The bundled crawl is what its README says: sound, small, mostly not Russian, and rebuilt bit by bit."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator

DATA = Path(__file__).parent / "data"
FOLDERS = ("crawl", "ugly")


def index() -> list[dict[str, str]]:
    with (DATA / "crawl" / "index.tsv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_has_the_checksum_that_is_written_beside_it(folder: str) -> None:
    lines = (DATA / folder / "SHA256SUMS").read_text().splitlines()
    for line in lines:
        expected, name = line.split("  ")
        assert hashlib.sha256((DATA / folder / name).read_bytes()).hexdigest() == expected, name
    beside = {"SHA256SUMS", "README.md", "LICENSES"}
    assert {path.name for path in (DATA / folder).iterdir()} - beside == {x.split("  ")[1] for x in lines}


def test_it_takes_at_most_ten_megabytes() -> None:
    assert sum(path.stat().st_size for path in (DATA / "crawl").rglob("*") if path.is_file()) <= 10_000_000


def test_at_least_three_fifths_of_the_pages_are_not_russian() -> None:
    languages = Counter(row["lang"] for row in index())
    assert languages["rus"] <= 0.4 * languages.total()
    assert {"ukr", "bel", "bul", "srp", "kaz", "tgk", "eng"} <= set(languages)


def test_it_has_each_defect_that_the_stages_are_for() -> None:
    said = "\n".join(row["what"] for row in index())
    for defect in (
        *("undeclared charset", "wrong charset", "mojibake", "look-alikes", "stress marks", "pre-reform"),
        *("exact duplicate", "near duplicate", "junk:", "very large page", "malformed:"),
    ):
        assert defect in said
    russian = {row["charset"] for row in index() if row["lang"] == "rus"}
    assert {"cp1251", "koi8-r", "cp866", "iso8859-5", "utf-16", "utf-16-be", "utf-8"} <= russian


@pytest.mark.parametrize("path", sorted((DATA / "crawl").glob("crawl-*.gz")), ids=lambda p: p.name)
def test_warcio_finds_in_a_sound_file_the_pages_of_the_index_in_their_order(path: Path) -> None:
    expected = [r["url"] for r in index() if r["file"] == path.name and "malformed" not in r["what"]]
    malformed = {r["url"] for r in index() if r["file"] == path.name and "malformed" in r["what"]}
    found = []
    with path.open("rb") as stream:
        for record in ArchiveIterator(
            stream, arc2warc=True, no_record_parse=not path.name.endswith("arc.gz")
        ):
            url = record.rec_headers.get_header("WARC-Target-URI")
            noise = url is None or url.startswith("http://noise")
            if (
                record.rec_type in {"response", "conversion", "resource"}
                and not noise
                and url not in malformed
            ):
                found.append(url)
    assert found == expected


def test_a_page_has_the_size_and_the_encoding_that_the_index_gives() -> None:
    rows = {
        r["url"]: r for r in index() if r["file"] == "crawl-00003.warc.gz" and "malformed" not in r["what"]
    }
    with (DATA / "crawl" / "crawl-00003.warc.gz").open("rb") as stream:
        for record in ArchiveIterator(stream):
            row = rows.get(record.rec_headers.get_header("WARC-Target-URI"))
            if row and record.rec_type == "response":
                body = record.content_stream().read()
                assert len(body) == int(row["bytes"])
                if row["lang"] == "rus":
                    body.decode(row["charset"])


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_readme_names_every_file_and_every_source(folder: str) -> None:
    readme = (DATA / folder / "README.md").read_text(encoding="utf-8")
    for path in (DATA / folder).glob("*.warc*"):
        name = path.name.removesuffix(".warc.gz") if folder == "ugly" else path.name
        if not name.startswith("crawl-0000"):
            assert f"`{name}`" in readme, name
    if folder == "crawl":
        assert f"{len(index()):,} pages" in readme
        for source in {row["source"] for row in index()}:
            assert f"`{source}`" in readme, source
