"""`bukvar classify`: a classifier of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.classify import Classify, Training, auc, train
from pipelines.cli import run
from rust_ext import LinearClassifier

COOKING = ("соль", "перец", "масло", "сковорода", "тесто", "духовка", "сахар", "мука")
MONEY = ("рубль", "курс", "банк", "биржа", "акции", "доллар", "ставка", "рынок")


def texts(words: tuple[str, ...], count: int) -> list[str]:
    """Texts of some of the words, no two alike."""
    return [
        f"{words[n % 8]} и {words[(n * 3 + 1) % 8]} в {words[(n // 8) % 8]} номер {n}" for n in range(count)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("classify")
    for name, words in (("cooking", COOKING), ("money", MONEY)):
        pq.write_table(pa.table({"text": texts(words, 300)}), path / f"{name}.parquet")
    return path


def test_the_model_recognises_what_it_learnt_and_its_report_is_of_other_texts() -> None:
    model, report = train([pa.array(texts(COOKING, 300))], [pa.array(texts(MONEY, 300))], Training(bits=16))
    assert report.auc > 0.99
    assert report.held + report.trained == 600
    assert {"соль", "мука"} & {word for word, _ in report.words_for}
    assert {"рубль", "банк"} & {word for word, _ in report.words_against}
    assert sum(one.texts for one in report.calibration) == report.held
    again, _ = train([pa.array(texts(COOKING, 300))], [pa.array(texts(MONEY, 300))], Training(bits=16))
    assert again.to_bytes() == model.to_bytes()


def test_how_texts_are_cut_into_columns_changes_nothing() -> None:
    sides = [texts(words, 300) for words in (COOKING, MONEY)]
    whole, _ = train([pa.array(sides[0])], [pa.array(sides[1])], Training(bits=16))
    cut = [[pa.array(side[:1]), pa.array(["x", *side[1:200]])[1:], pa.array(side[200:])] for side in sides]
    parts, report = train(iter(cut[0]), iter(cut[1]), Training(bits=16))
    assert parts.to_bytes() == whole.to_bytes()
    assert all(edge.text in sides[not edge.positive] for edge in report.edges)


def test_the_area_under_the_curve_counts_equal_scores_by_half() -> None:
    labels = np.array([True, True, False, False])
    assert auc(np.array([0.9, 0.8, 0.2, 0.1], np.float32), labels) == 1.0
    assert auc(np.array([0.5, 0.5, 0.5, 0.5], np.float32), labels) == 0.5
    assert auc(np.array([0.1, 0.8, 0.2, 0.9], np.float32), labels) == 0.25


def test_the_commands_train_and_apply(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = folder / "cooking.model"
    inputs = [str(folder / "cooking.parquet"), "--against", str(folder / "money.parquet")]
    assert run(["classify", "train", *inputs, "--out", str(model), "--bits", "16", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["auc"] > 0.99
    out = folder / "kept"
    both = [str(folder / "cooking.parquet"), str(folder / "money.parquet")]
    arguments = ["--model", str(model), "--out", str(out), "--executor", "inline", "-q"]
    assert run(["classify", "apply", *both, *arguments, "--percentile", "50"]) == 0
    kept = pa.concat_tables([pq.read_table(path) for path in sorted(out.glob("*.parquet"))])
    assert 280 <= kept.num_rows <= 320
    assert min(kept.column("class_score").to_pylist()) > 0.3


def test_a_file_that_is_no_model_is_refused_before_work(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "no.model").write_text("seed = 1")
    for more in ([], ["--percentile", "50"]):
        command = ["classify", "apply", str(folder), "--model", str(tmp_path / "no.model"), *more]
        assert run([*command, "--out", str(tmp_path / "out"), "--executor", "inline"]) == 2
        assert "no.model: not a classifier" in capsys.readouterr().err
        assert not (tmp_path / "out").exists()


def test_equal_texts_are_never_on_both_sides_and_few_texts_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        train([pa.array(["соль"])], [pa.array(["банк"])], Training())


@pytest.mark.parametrize(("least", "most"), [(-1.0, 1.0), (0.8, 0.2)])
def test_limits_out_of_order_are_refused(least: float, most: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        Classify(min_score=least, max_score=most)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"words")
    with pytest.raises(ValueError, match="BKVLIN1"):
        Classify(model=str(path)).open()
    with pytest.raises(ValueError, match="damaged"):
        LinearClassifier(b"BKVLIN1\n" + bytes(40))
