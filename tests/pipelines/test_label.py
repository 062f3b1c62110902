"""`bukvar label`: one key a verdict, agreement of two readers, documents for a fit."""

from __future__ import annotations

from pathlib import Path

import click
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.quality.labels import Label, agreed, agreement, digest, read_labels
from pipelines.cli import run

TEXTS = [f"Текст номер {n}, который читают двое." for n in range(6)]


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    path = tmp_path / "documents.parquet"
    pq.write_table(pa.table({"text": TEXTS}), path)
    return path


def press(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    """The keys that a reader presses, one after another."""
    pressed = iter(keys)
    monkeypatch.setattr(click, "getchar", lambda: next(pressed))


def test_a_reader_labels_goes_back_and_resumes(
    documents: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = tmp_path / "labels.jsonl"
    command = ["label", str(documents), "--labels", str(labels), "--kinds", "casino,menu", "--reader", "anna"]
    press(monkeypatch, "g1u2q")
    assert run(command) == 0
    order = sorted(map(digest, TEXTS))
    found = {label.sha256: label for label in read_labels(labels)}
    assert [found[sha].kind for sha in order[:2]] == ["good", "menu"]
    assert [found[sha].good for sha in order[:2]] == [True, False]
    assert not any(text in labels.read_text("utf-8") for text in TEXTS)
    press(monkeypatch, "gggg")
    assert run(command) == 0
    assert len(read_labels(labels)) == 6


def test_two_readers_are_compared() -> None:
    labels = [Label(str(n), "good", True, "a") for n in range(4)]
    labels += [Label(str(n), "good" if n < 3 else "casino", n < 3, "b") for n in range(4)]
    labels += [Label("5", "casino", False, reader) for reader in "ab"]
    found = agreement(labels, "a", "b")
    assert (found.documents, found.same) == (5, 0.8)
    assert found.kappa == pytest.approx((0.8 - 0.56) / 0.44)
    assert found.apart == (("good", "casino", 1),)
    assert set(agreed(labels)) == {"0", "1", "2", "5"}


def test_labelled_documents_become_a_file_for_a_fit(
    documents: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels, out = tmp_path / "labels.jsonl", tmp_path / "out.parquet"
    command = ["label", str(documents), "--labels", str(labels)]
    press(monkeypatch, "g1gq")
    assert run([*command, "--reader", "anna"]) == 0
    assert run([*command, "--export", str(out)]) == 0
    table = pq.read_table(out)
    assert sorted(table.column("good").to_pylist()) == [False, True, True]
    assert set(table.column_names) == {"text", "good", "kind", "source", "use"}


def test_what_is_wrong_is_said(documents: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = tmp_path / "labels.jsonl"
    assert run(["label", str(documents), "--labels", str(labels)]) == 2
    assert "--reader" in capsys.readouterr().err
    labels.write_text("{}\n", "utf-8")
    assert run(["label", str(documents), "--labels", str(labels), "--reader", "a"]) == 2
    assert "line 1: not a label" in capsys.readouterr().err


def test_the_agreement_of_somebody_who_has_read_nothing_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tmp_path / "team.jsonl"
    for content, there in (
        ("", "nobody"),
        ('{"sha256": "00", "kind": "good", "good": true, "reader": "anna"}\n', "anna"),
    ):
        labels.write_text(content)
        command = ["label", str(tmp_path), "--labels", str(labels), "--agreement", "anna,boris"]
        assert run(command) == 2
        assert f"there are labels of {there}" in capsys.readouterr().err
