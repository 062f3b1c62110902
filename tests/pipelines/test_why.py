"""`bukvar why`: one address through the stages of a run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines import cli
from tests.pipelines.stages import LONG, OTHER, write_texts

TEXTS = {
    "http://a.ru/1": LONG,
    "http://a.ru/2": LONG,
    "http://a.ru/3": "Кот спит.",
    "http://a.ru/4": "This page is in English and has nothing for a Russian reader.",
    "http://a.ru/5": OTHER,
}

Why = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("why")
    for name, part in (("a", list(TEXTS.items())[:2]), ("b", list(TEXTS.items())[2:])):
        write_texts(folder / f"in/{name}.parquet", [text for _, text in part], url=[url for url, _ in part])
    recipe = folder / "r.toml"
    recipe.write_text('[input]\npaths = ["in"]\n[run]\nstages = ["identify", "clean", "dedup", "publish"]\n')
    out = folder / "run"
    assert cli.run(["run", str(recipe), "--out", str(out), "--executor", "inline", "--quiet"]) == 0
    return out


@pytest.fixture
def why(run: Path, capsys: pytest.CaptureFixture[str]) -> Why:
    def ask(address: str, folder: Path = run) -> list[dict[str, Any]]:
        capsys.readouterr()
        assert cli.run(["why", address, str(folder), "--json"]) == 0
        found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
        return found

    return ask


def states(trace: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(step["stage"], step["state"], step["reason"]) for step in trace["steps"]]


def test_a_kept_document_passes_every_stage(why: Why) -> None:
    (trace,) = why("http://a.ru/5")
    stages = ["identify", "clean", "dedup", "publish"]
    assert states(trace) == [(stage, "kept", "") for stage in stages]
    assert trace["steps"][-1]["detail"] == "file=train-00000-of-00001.parquet"
    assert "lang=ru" in trace["steps"][0]["detail"]
    assert "lang=ru" not in trace["steps"][1]["detail"]  # only what is new
    assert trace["source"].startswith("in/b.parquet") or "b.parquet" in trace["source"]


@pytest.mark.parametrize(
    ("address", "reason"),
    [("http://a.ru/4", "not_russian"), ("http://a.ru/3", "too_short_for_language")],
)
def test_a_dropped_one_ends_where_it_was_dropped(why: Why, address: str, reason: str) -> None:
    (trace,) = why(address)
    assert states(trace) == [("identify", "dropped", reason)]
    assert trace["steps"][0]["meaning"]
    assert trace["steps"][0]["detail"]


def test_a_duplicate_names_the_document_kept(why: Why) -> None:
    (first,), (second,) = why("http://a.ru/1"), why("http://a.ru/2")
    kept, gone = (first, second) if first["steps"][-1]["state"] == "kept" else (second, first)
    assert states(gone)[-1] == ("dedup", "dropped", "exact_duplicate")
    assert (gone["kept_doc_id"], gone["kept_url"]) == (kept["doc_id"], kept["url"])


def test_every_document_of_the_first_stage_is_found_by_its_id_and_address(run: Path, why: Why) -> None:
    files = [*(run / "identify").glob("*.parquet"), *(run / "identify/_dropped").glob("*.parquet")]
    rows = [row for file in files for row in pq.read_table(file, columns=["doc_id", "url"]).to_pylist()]
    assert len(rows) == len(TEXTS)
    for row in rows:
        by_id, by_url = why(row["doc_id"].hex().upper()), why(row["url"])
        assert by_id == by_url
        assert by_id[0]["doc_id"] == row["doc_id"].hex()


def test_an_opt_out_is_said_of_the_dataset(tmp_path: Path, why: Why) -> None:
    write_texts(
        tmp_path / "in/a.parquet", [LONG, OTHER], url=["http://a.ru/1", "http://a.ru/2"], noai=[True, False]
    )
    recipe = tmp_path / "r.toml"
    recipe.write_text('[input]\npaths = ["in"]\n[run]\nstages = ["clean", "publish"]\n')
    out = tmp_path / "run"
    assert cli.run(["run", str(recipe), "--out", str(out), "--executor", "inline", "--quiet"]) == 0
    (trace,) = why("http://a.ru/1", out)
    assert states(trace)[-1] == ("publish", "dropped", "opt_out_noai")
    assert "asks not to be used for AI" in trace["steps"][-1]["meaning"]


def test_a_stage_that_is_not_done_is_said_to_lack_it(run: Path, tmp_path: Path, why: Why) -> None:
    copy = shutil.copytree(run, tmp_path / "copy")
    for file in (copy / "clean").glob("*.parquet"):
        file.unlink()
    (trace,) = why("http://a.ru/5", copy)
    assert [step["state"] for step in trace["steps"]] == ["kept", "not there", "kept", "kept"]


def test_a_stage_s_own_folder_will_do(run: Path, why: Why) -> None:
    (trace,) = why("http://a.ru/4", run / "identify")
    assert states(trace) == [("identify", "dropped", "not_russian")]


def test_prints_lines_for_a_person(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["why", "http://a.ru/4", str(run)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("http://a.ru/4\n")
    assert "dropped  not_russian: another language (lang=en" in out


def test_an_address_that_nothing_has_is_an_answer_of_its_own(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["why", "http://nowhere.ru/", str(run)]) == 1
    assert "no record that was read has this address" in capsys.readouterr().err
    assert cli.run(["why", " ", str(run)]) == 2
    assert "an empty address" in capsys.readouterr().err
    assert cli.run(["why", "http://nowhere.ru/", str(tmp_path)]) == 2
    assert "neither a run nor a stage's folder" in capsys.readouterr().err
