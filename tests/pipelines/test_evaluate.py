"""Evaluation as a stage and a command."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus import storage
from corpus.errors import UsageError
from pipelines import evaluate
from pipelines.cli import run
from pipelines.commands.evaluate import fitting
from pipelines.inputs import ENDINGS, resolve
from tests.tokenizer.samples import TEXT, small_vocabulary
from tokenizer.morphemes import LEMMAS, read_lemmas

FORMS = "книга книги книгу книгами; читал читала читают, стол стола столом столы"


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    small_vocabulary().save(tmp_path / "mine")
    (tmp_path / "page.txt").write_text(TEXT + FORMS)
    (tmp_path / "lemmas.tsv").write_text("мама\tмам|а\nкнига\tкниг|а\n")
    return tmp_path / "mine"


def evaluated(tokenizer: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, object]:
    page = tokenizer.parent / "page.txt"
    assert run(["evaluate", str(tokenizer), "--text", f"page={page}", "--json", *more]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    found: dict[str, object] = row
    return found


def test_the_command_reports_boundaries_and_consistency(
    tokenizer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = evaluated(tokenizer, capsys, "--lemmas", str(tokenizer.parent / "lemmas.tsv"), "--consistency")
    for name in ("t/w page", "chars/t", "bytes/t", "1 token", "<= 2", "P", "R", "F1", "same stem", "Rényi"):
        assert isinstance(row[name], float), name
    assert "same stem" not in evaluated(tokenizer, capsys, "--no-consistency")


def test_lemmas_are_read_in_each_of_their_forms(tmp_path: Path) -> None:
    path = tmp_path / "lemmas.tsv"
    lines = ["# own", "книга\tкниг|а", "рамка\tрам:ROOT|к:SUFF|а:END", "вода\tвод:ROOT/а:END"]
    lines.append("дом\tдом")
    path.write_text("\n".join([*lines, "книга\tкнига\n"]))
    found = evaluate.read_lemmas(str(path))
    assert found == {"книга": [4], "рамка": [3, 4], "вода": [3], "дом": []}
    path.write_text("книга\tкниг|и\n")
    with pytest.raises(UsageError, match="line 1"):
        evaluate.read_lemmas(str(path))


def test_the_hand_cut_lemmas_serve_as_boundaries() -> None:
    found = evaluate.read_lemmas(str(LEMMAS))
    assert found == {lemma.text: list(lemma.cuts) for lemma in read_lemmas()}


def test_figures_and_plots_are_written(tokenizer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tokenizer.parent / "figures"
    row = evaluated(tokenizer, capsys, "--lemmas", str(tokenizer.parent / "lemmas.tsv"), "--out", str(out))
    assert {path.name for path in out.iterdir()} == {"evaluation.json", "fertility.svg", "boundaries.svg"}
    assert json.loads((out / "evaluation.json").read_text())["rows"] == [row]


def test_without_matplotlib_figures_come_without_plots_and_say_so(
    tokenizer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate.importlib.util, "find_spec", lambda _: None)
    page = tokenizer.parent / "page.txt"
    page.write_text("Мама мыла раму.\n")
    out = tmp_path / "figures"
    assert run(["evaluate", str(tokenizer), "--text", str(page), "--no-consistency", "--out", str(out)]) == 0
    assert [path.name for path in out.iterdir()] == ["evaluation.json"]
    assert "pip install 'bukvar[plots]'" in capsys.readouterr().err


def test_no_figure_is_cut_short_on_a_narrow_screen(
    tokenizer: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    page = tokenizer.parent / "page.txt"
    texts = [part for n in range(9) for part in ("--text", f"domain{n}={page}")]
    assert run(["evaluate", str(tokenizer), *texts, "--lemmas", str(tokenizer.parent / "lemmas.tsv")]) == 0
    shown = capsys.readouterr().out
    assert "…" not in shown
    for name in ("domain8", "chars/t", "same stem", "seldom"):
        assert name in shown


def test_without_pymorphy3_consistency_is_left_out_or_asked_for_in_vain(
    tokenizer: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise ModuleNotFoundError("No module named 'pymorphy3'")

    monkeypatch.setattr("tokenizer.inflection.analyzer", missing)
    assert "same stem" not in evaluated(tokenizer, capsys)
    with pytest.raises(UsageError, match="morphology"):
        evaluate.lemma_forms({"a": [FORMS]}, wanted=True)


@pytest.mark.parametrize("groups", ["", "folder", "lang"])
def test_held_out_documents_are_measured_by_the_groups_of_training(tmp_path: Path, groups: str) -> None:
    for lang in ("ru", "en"):
        (tmp_path / lang).mkdir()
        rows = [{"id": f"{lang}{n}", "text": f"{lang} {n}", "lang": lang} for n in range(40)]
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / lang / "a.parquet")
    documents = resolve([str(tmp_path / "ru"), str(tmp_path / "en")], ENDINGS["texts"])
    found = evaluate.held_out_texts(documents, {"held_out": 0.5, "groups": groups}, 1_000_000)
    assert list(found) == (["en", "ru"] if groups else ["held out"])
    assert 20 < sum(map(len, found.values())) < 60
    if groups:
        assert all(text.startswith(group) for group, texts in found.items() for text in texts)
    (few,) = evaluate.held_out_texts(documents, {"held_out": 1.0}, 1).values()
    assert len(few) == 1


def test_a_run_without_held_out_documents_ends_well_and_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"text": f"{TEXT} {n}"}) + "\n" for n in range(20)))
    (tmp_path / "r.toml").write_text(
        '[run]\nstages = ["train", "evaluate"]\nexecutor = "inline"\n'
        "[train]\nvocab_size = 300\nheld_out = 0.0\n"
    )
    arguments = ["run", str(tmp_path / "r.toml"), "--out", str(tmp_path / "out"), "--quiet"]
    assert run([*arguments, "--set", f"input.paths={tmp_path / 'a.jsonl'}"]) == 0
    assert capsys.readouterr().err.count("raise train.held_out") == 1
    assert storage.exists(str(tmp_path / "out" / "report.html"))
    assert storage.exists(str(tmp_path / "out" / "tokenizer" / "tokenizer.json"))


def test_tables_are_cut_into_groups_of_columns_that_fit_the_terminal() -> None:
    rows = [{"tokenizer": "ru-32k", "ids": 32000, "a": 1.5, "b": 2.25}]
    names = list(rows[0])
    assert fitting(rows, names, 80) == [names]
    # "tokenizer", "32,000" and "1.500" with two spaces between: 9 + 2 + 6 + 2 + 5.
    assert fitting(rows, names, 24) == [["tokenizer", "ids", "a"], ["tokenizer", "b"]]
    assert fitting(rows, names, 23) == [["tokenizer", "ids"], ["tokenizer", "a", "b"]]
    assert fitting(rows, names, 1) == [["tokenizer", name] for name in names[1:]]
