"""Takedowns: what is meant goes from every file of a dataset's folder, however a request writes it."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus import table
from corpus.errors import StageError
from pipelines import takedown
from pipelines.cli import run
from pipelines.manifest import read_manifest
from pipelines.publish import Publish
from pipelines.takedown import take_down
from pipelines.tombstones import Tombstone
from pipelines.verification import verify
from tests.pipelines.published import publish
from tests.pipelines.stages import write_texts

HOSTS = ("a.ru", "www.a.ru", "xn--e1afmkfd.xn--p1ai", "e.ru")
URLS = ("https://a.ru/", "http://www.A.ru/x", "https://xn--e1afmkfd.xn--p1ai/%D1%8F", "https://e.ru/y#z")
SECRETS = tuple(f"Тайна {number}: {'слово ' * 9}" for number in range(4))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Four documents of four hosts."""
    ids = pa.array([table.doc_id(text) for text in SECRETS], pa.binary(16))
    columns: dict[str, Any] = {"host": HOSTS, "url": URLS, "doc_id": ids, "tags": [["х"]] * 4}
    write_texts(tmp_path / "in/a.parquet", list(SECRETS), **columns)
    return tmp_path / "in"


def texts_below(folder: Path) -> set[str]:
    """All texts in Parquet files below a folder, those of work files too."""
    found: set[str] = set()
    for file in folder.rglob("*"):
        if file.is_file() and file.read_bytes()[:4] == b"PAR1":
            found.update(text for text in pq.read_table(file)["text"].to_pylist() if text)
    return found


@pytest.mark.parametrize(
    ("stone", "gone"),
    [
        (Tombstone("host", "A.RU."), {0, 1}),
        (Tombstone("host", "Пример.рф"), {2}),
        (Tombstone("url", "http://пример.рф/я"), {2}),
        (Tombstone("url", "https://a.ru"), {0}),
        (Tombstone("url", "https://e.ru/y"), {3}),
        (Tombstone("url", "https://e.ru/"), set()),
    ],
)
@pytest.mark.parametrize("columns", [(), ("text", "url")])
def test_hosts_and_addresses_as_people_write_them(
    source: Path, tmp_path: Path, stone: Tombstone, gone: set[int], columns: tuple[str, ...]
) -> None:
    publish(source, str(tmp_path / "set"), Publish(columns=columns))
    assert take_down(str(tmp_path / "set"), [stone]).rows == len(gone)
    left = pq.read_table(tmp_path / "set/data")["text"].to_pylist()
    assert left == [text for number, text in enumerate(SECRETS) if number not in gone]


def test_no_file_of_the_folder_keeps_a_text(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "set"
    stage = Publish(sample=3)
    publish(source, str(target), stage)
    assert texts_below(target) == set(SECRETS)
    take_down(str(target), [Tombstone("host", "a.ru"), Tombstone("id", table.doc_id(SECRETS[3]).hex())])
    assert texts_below(target) == {SECRETS[2]}
    assert verify(str(target)) == []
    manifest = publish(source, str(target), stage)
    assert manifest.lineage[-1].dropped == {"taken_down": 3}
    assert texts_below(target) == {SECRETS[2]}
    (dropped,) = target.glob("_dropped/*.parquet")
    rows = pq.read_table(dropped)
    assert rows["doc_id"].to_pylist() == [table.doc_id(SECRETS[n]).hex() for n in (0, 1, 3)]
    assert {name for name in rows.column_names if rows[name].null_count < 3} == {"doc_id", "drop"}


def test_the_card_counts_what_is_left(source: Path, tmp_path: Path) -> None:
    target = str(tmp_path / "set")
    before = publish(source, target).contents
    assert (before["counts"]["host"], before["different"]["host"]) == (dict.fromkeys(sorted(HOSTS), 1), 4)
    take_down(target, [Tombstone("host", "a.ru")])
    after = read_manifest(target).contents
    assert after["counts"]["host"] == {"e.ru": 1, "xn--e1afmkfd.xn--p1ai": 1}
    assert after["different"] == {"host": 2, "domain_bytes": 2}
    assert list(after["domain_bytes"]) == ["e.ru", "пример.рф"]
    assert "a.ru" not in (tmp_path / "set/README.md").read_text().partition("## How")[0]


def test_what_the_columns_do_not_show_goes_with_the_next_publish(source: Path, tmp_path: Path) -> None:
    target, stage = str(tmp_path / "set"), Publish(columns=("text",))
    publish(source, target, stage)
    with pytest.raises(StageError, match=r"don't show which documents are meant by host and id; .* publish"):
        take_down(target, [Tombstone("host", "a.ru"), Tombstone("id", table.doc_id(SECRETS[2]).hex())])
    assert pq.read_table(tmp_path / "set/data").num_rows == 4
    publish(source, target, stage)
    assert pq.read_table(tmp_path / "set/data")["text"].to_pylist() == [SECRETS[3]]


def test_one_that_waited_for_another_begins_where_that_ended(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = str(tmp_path / "set")
    publish(source, target)
    taken = takedown.lease

    def late(dataset: str) -> Any:
        with monkeypatch.context() as patched:
            patched.setattr(takedown, "lease", taken)
            take_down(dataset, [Tombstone("host", "e.ru")])
        return taken(dataset)

    with monkeypatch.context() as patched:
        patched.setattr(takedown, "lease", late)
        assert take_down(target, [Tombstone("host", "a.ru")]).version == 3
    manifest = read_manifest(target)
    assert [change.rows for change in manifest.changes] == [1, 2]
    assert manifest.rows == 1
    assert verify(target) == []


def test_what_is_no_host_is_a_usage_error(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(source, str(tmp_path / "set"))
    assert run(["takedown", str(tmp_path / "set"), "--host", "https://a.ru/"]) == 2
    assert "write it like example.ru" in capsys.readouterr().err
