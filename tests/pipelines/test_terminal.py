"""What documents, records and file names hold reaches a terminal as text, never as an order to it."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from pipelines import cli
from pipelines.progress import Lines, Quiet
from pipelines.terminal import harmless

#: Sets the title, erases the screen, goes back to the line's beginning, overrides the direction of writing.
ORDERS = "\x1b]0;title\x07\x1b[2J\r\x9b31m\u202e"


def run(*arguments: str, keys: str | None = None) -> str:
    result = CliRunner().invoke(cli.bukvar, arguments, input=keys, catch_exceptions=False)
    return result.output


def is_harmless(output: str) -> bool:
    return not set(output) & set(ORDERS) - set("]0;title[2J31m")


def test_controls_are_escapes_and_lines_stay() -> None:
    assert harmless("а\tб\r\nв\n") == "а\tб\nв\n"
    assert harmless(ORDERS) == r"\x1b]0;title\x07\x1b[2J\x0d\x9b31m\u202e"
    assert is_harmless(harmless("".join(map(chr, range(0x3000)))))


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """A Parquet file whose every text holds orders."""
    file = tmp_path / "a.parquet"
    columns = {name: [f"{name} {ORDERS}"] for name in ("url", "title", "text", "drop", "drop_detail")}
    pq.write_table(pa.table({"doc_id": [b"\1" * 16], **columns}), file)
    return file


def test_documents_that_are_read(documents: Path, tmp_path: Path) -> None:
    shown = run("inspect", str(documents))
    assert is_harmless(shown)
    assert r"title \x1b]0;" in shown
    assert is_harmless(run("inspect", str(documents), "--full", "--grep", "text"))
    shown = run("label", str(documents), "--labels", str(tmp_path / "l"), "--reader", "а", keys="q")
    assert is_harmless(shown)
    assert r"text \x1b]0;" in shown


def test_a_record_that_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.warc"
    page = f"HTTP/1.1 200 OK\r\nX-Name: \x1b[2J\r\n\r\n<p>{ORDERS}".encode()
    head = f"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: {len(page)}\r\n\r\n"
    file.write_bytes(head.encode() + page + b"\r\n\r\n")
    shown = run("record", f"{file}:0")
    assert is_harmless(shown)
    assert r"X-Name: \x1b[2J" in shown


def test_progress_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    for reporter in (Lines(), Quiet()):
        reporter.note(f"cut short: {ORDERS}")
    assert cli.run(["inspect", f"no such {ORDERS}"]) == 2
    assert is_harmless(capsys.readouterr().err)


def test_square_brackets_mean_themselves(documents: Path) -> None:
    names = {"text": ["[bold]жирный[/bold]"], "url": ["http://a.ru/[red]"]}
    pq.write_table(pa.table(names), documents)
    shown = run("inspect", str(documents))
    assert "[bold]жирный[/bold]" in shown
    assert "http://a.ru/[red]" in shown
