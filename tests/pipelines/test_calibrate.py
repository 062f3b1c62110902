"""`bukvar calibrate`: distributions, shares dropped, documents at the edges, a preset."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.quality.calibrate import at_share, describe, fitted
from corpus.quality.rules import Rule, read_preset
from pipelines.cli import run

WORDS = [
    "Вечером",
    "они",
    "долго",
    "сидели",
    "у",
    "окна",
    "и",
    "молчали,",
    "потому",
    "что",
    "говорить",
    "было",
    "уже",
    "не",
    "о",
    "чем.",
]


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    texts = [" ".join((WORDS * 40)[: 10 * n]) for n in range(1, 41)]
    path = tmp_path / "documents.parquet"
    pq.write_table(pa.table({"text": texts}), path)
    return path


def test_a_threshold_says_what_it_drops_and_shows_its_neighbours() -> None:
    values = np.arange(100.0)
    signal = describe("words", "words", values, [str(n) for n in range(100)], [Rule("words", 10, least=True)])
    (threshold,) = signal.thresholds
    assert threshold.dropped == 0.1
    assert [edge.text for edge in threshold.inside] == ["10", "11"]
    assert [edge.text for edge in threshold.outside] == ["9", "8"]
    assert sum(signal.bars) == 100


def test_copies_of_a_document_at_the_threshold_are_shown_once() -> None:
    values = np.array([1.0, 9.0, 9.0, 9.0, 8.0, 12.0])
    texts = ["a", "b", "b", "b", "c", "d"]
    (threshold,) = describe("words", "words", values, texts, [Rule("words", 10, least=True)]).thresholds
    assert [one.text for one in threshold.outside] == ["b", "c"]


def test_a_threshold_for_a_share_drops_at_most_that() -> None:
    values = np.arange(1000.0)
    rule = at_share("words", values, 0.01)
    assert rule is not None
    assert 0 < rule.fails(values).mean() <= 0.01
    assert at_share("words", np.zeros(10), 0.01) is None


def test_a_fitted_preset_is_never_stricter() -> None:
    columns = {"words": np.arange(1000.0)}
    (loose,) = fitted([Rule("words", 5, least=True)], columns, 0.01)
    (strict,) = fitted([Rule("words", 500, least=True)], columns, 0.01)
    assert loose.limit == 5
    assert strict.limit <= 10


def test_the_command_reports_and_writes_a_preset_and_a_page(
    documents: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules, page = tmp_path / "mine.rules", tmp_path / "page.html"
    arguments = ["--write", str(rules), "--html", str(page), "--json"]
    assert run(["calibrate", str(documents), *arguments]) == 0
    shown = {signal["name"]: signal for signal in json.loads(capsys.readouterr().out)}
    assert shown["words"]["quantiles"][0] == 10
    assert read_preset(rules)[0] == Rule("words", 10, least=True)
    assert '<h2 id="junk_margin">' in page.read_text("utf-8")
    assert "перевес модели" in page.read_text("utf-8")
    assert run(["calibrate", str(documents), "--signal", "words"]) == 0
    assert "kept at 10" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--signal", "wrods"], "no such signal; did you mean words?"),
        (["--preset", "ru-wbe"], "set it to one of"),
    ],
)
def test_a_wrong_name_says_what_to_do(
    documents: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["calibrate", str(documents), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_written_rule_never_drops_more_than_its_share_of_few_documents() -> None:
    values = {"words": np.arange(100.0)}
    (least,) = fitted([Rule("words", 50, least=True)], values, 0.005)
    assert not least.fails(values["words"]).any()
    (most,) = fitted([Rule("words", 50)], values, 0.02)
    assert most.fails(values["words"]).sum() <= 2
