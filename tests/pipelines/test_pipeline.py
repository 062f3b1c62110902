"""A whole recipe on a part of the bundled crawl: from archive files to dataset, tokenizer and report."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import tokenizers

from corpus.errors import UsageError
from corpus.receipts import RECEIPTS
from pipelines import card, funnel, manifest, recipe, registry
from pipelines.engine import StageFailedError
from pipelines.execute import run_inline
from pipelines.layout import results_of, stage_folder
from pipelines.pipeline import RunResult, first_inputs, plan_recipe, run_recipe
from pipelines.progress import Silent
from pipelines.verification import verify
from tests.pipelines.stages import write_texts

CRAWL = Path(__file__).parents[1] / "data" / "crawl"
FILES = ("crawl-00003.warc.gz", "crawl-00008.arc.gz", "crawl-00009.warc.wet.gz", "broken-member.warc.gz")
TEXT = f"""
name = "part"
description = "a part of the bundled crawl: for tests"

[input]
paths = [{", ".join(f'"{CRAWL / name}"' for name in FILES)}]

[train]
vocab_size = 600
held_out = 0.1
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> recipe.Recipe:
    path = tmp_path_factory.mktemp("recipe") / "part.toml"
    path.write_text(TEXT)
    return recipe.load(str(path))


@pytest.fixture(scope="module")
def run(loaded: recipe.Recipe, tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    folder = str(tmp_path_factory.mktemp("run"))
    return run_recipe(loaded, folder, run_inline, Silent(), redo=False)


def test_every_row_is_accounted_for_at_every_stage(run: RunResult) -> None:
    documents = [r for r in run.stages if r.stage not in ("train", "evaluate")]
    funnel.check(documents)
    assert documents[0].rows_in > 100
    assert 0 < documents[-1].rows_out < documents[0].rows_in


def test_reasons_are_of_the_closed_list(run: RunResult) -> None:
    assert set().union(*(stage.dropped for stage in run.stages)) <= set(registry.reasons())


def test_receipts_alone_give_the_same_funnel(run: RunResult) -> None:
    again = {r.stage: (r.rows_in, r.rows_out, r.dropped) for r in results_of(run.folder)}
    assert again == {r.stage: (r.rows_in, r.rows_out, r.dropped) for r in run.stages}


def test_malformed_records_are_counted_and_the_rest_of_the_file_is_read(run: RunResult) -> None:
    assert run.stages[0].dropped["malformed_record"] >= 1


def test_kept_documents_are_russian_and_lead_back_to_their_bytes(run: RunResult) -> None:
    rows = pq.read_table(Path(run.folder) / "dedup").to_pylist()
    names = {Path(name).name for name in FILES}
    assert {row["lang"] for row in rows} == {"ru"}
    assert all(row["source"].rpartition(":")[0] in names for row in rows)
    assert len({row["doc_id"] for row in rows}) == len(rows)


def test_the_published_dataset_verifies_and_holds_what_dedup_kept(run: RunResult) -> None:
    assert run.dataset is not None
    assert verify(run.dataset) == []
    found = manifest.read_manifest(run.dataset)
    assert found.rows == next(r.rows_out for r in run.stages if r.stage == "dedup")
    stages = [r.stage for r in run.stages if r.stage not in ("train", "evaluate")]
    assert [entry.stage for entry in found.lineage] == stages
    assert "identify" in found.recipe
    assert found.contents["different"]["host"] > 10


def to_do(loaded: recipe.Recipe, folder: str) -> dict[str, tuple[int, int]]:
    """Stage -> tasks to do and tasks in all, as --dry-run says."""
    planned = plan_recipe(loaded, folder, first_inputs(loaded, folder), look=True)
    return {
        stage.stage: (sum(p.tasks - p.done for p in stage.phases), sum(p.tasks for p in stage.phases))
        for stage in planned
    }


def test_a_dry_run_says_what_is_done(loaded: recipe.Recipe, run: RunResult, tmp_path: Path) -> None:
    nothing = to_do(loaded, str(tmp_path / "new"))
    assert all(left == of > 0 for left, of in nothing.values())
    assert {left for left, _ in to_do(loaded, run.folder).values()} == {0}

    shutil.copytree(run.folder, tmp_path / "copy")
    lost = sorted((tmp_path / "copy/identify").glob("*.parquet"))[0]
    lost.unlink()
    found = to_do(loaded, str(tmp_path / "copy"))
    assert found["extract"] == (0, len(FILES))
    for stage in ("identify", "clean", "mask", "filter"):
        assert found[stage] == (1, len(FILES))
    assert found["dedup"][0] > 1  # what is over all inputs is not known to be done
    assert found["publish"][0] == found["publish"][1]
    assert found["train"][0] > 0


def test_the_card_names_no_path_of_the_machine(run: RunResult) -> None:
    assert run.dataset is not None
    for name in (card.CARD, manifest.MANIFEST):
        assert str(CRAWL) not in (Path(run.dataset) / name).read_text()


def test_receipts_name_no_path_of_the_machine(run: RunResult) -> None:
    for receipt in (Path(run.folder) / "extract" / RECEIPTS).iterdir():
        assert str(CRAWL) not in receipt.read_text()


def test_the_tokenizer_opens_in_the_tokenizers_library_and_round_trips(run: RunResult) -> None:
    opened = tokenizers.Tokenizer.from_file(f"{run.tokenizer}/tokenizer.json")
    text = "Мама мыла раму. 日本 🙂"
    assert opened.get_vocab_size() == 600
    assert opened.decode(opened.encode(text).ids) == text


def test_the_report_needs_nothing_from_elsewhere(run: RunResult) -> None:
    assert run.report is not None
    html = Path(run.report).read_text()
    assert "<svg" in html
    assert "not_russian" in html
    assert "tokens per word" in html
    for outside in ("<script ", " src=", "@import", 'href="http', "url(http"):
        assert outside not in html
    assert html.count("<link") == html.count('<link rel="icon" href="data:,">') == 1


def test_a_second_run_does_no_work(loaded: recipe.Recipe, run: RunResult) -> None:
    again = run_recipe(loaded, run.folder, run_inline, Silent(), redo=False)
    assert again.worked == 0
    assert [dataclasses.replace(r, done_before=0) for r in again.stages] == [
        dataclasses.replace(r, done_before=0) for r in run.stages
    ]


def test_another_recipe_in_the_same_folder_is_refused_and_redone_on_demand(
    loaded: recipe.Recipe, run: RunResult, tmp_path: Path
) -> None:
    path = tmp_path / "part.toml"
    path.write_text(TEXT + "\n[filter]\nmin_words = 900\n")
    other = recipe.load(str(path))
    with pytest.raises(UsageError, match=r"filter\.min_words: not set -> 900"):
        run_recipe(other, run.folder, run_inline, Silent(), redo=False)
    before = _shards(run.folder)
    changed = run_recipe(other, run.folder, run_inline, Silent(), redo=True)
    worked = {r.stage for r in changed.stages if r.worked}
    assert {"filter", "dedup"} <= worked
    assert not worked & {"extract", "identify", "clean"}
    run_recipe(loaded, run.folder, run_inline, Silent(), redo=True)
    assert _shards(run.folder) == before


def _shards(folder: str) -> dict[str, bytes]:
    found = {}
    for stage in ("extract", "filter", "dedup", "publish", "train"):
        root = Path(stage_folder(folder, stage))
        files = [f for f in root.rglob("*") if f.is_file() and "_receipts" not in f.parts]
        found |= {str(f): f.read_bytes() for f in files if f.suffix in (".parquet", ".json", ".tiktoken")}
    passing = ("_plan.json", "_sums.json")
    return {name: data for name, data in found.items() if not name.endswith(passing)}


def test_trafilatura_is_another_extractor_of_the_same_stage(loaded: recipe.Recipe, tmp_path: Path) -> None:
    sections = {
        **loaded.sections,
        "input": recipe.InputSection((str(CRAWL / "crawl-00008.arc.gz"),)),
        "run": recipe.RunSection(stages=("extract",)),
        "extract": recipe.build("extract", {"content": "trafilatura", "favor": "precision"}),
    }
    one = dataclasses.replace(loaded, sections=sections)
    result = run_recipe(one, str(tmp_path), run_inline, Silent(), redo=False)
    assert result.stages[0].rows_out > 0
    funnel.check(result.stages)


def test_a_run_whose_first_stage_fails_leaves_a_report_that_says_why(tmp_path: Path) -> None:
    write_texts(tmp_path / "in/a.parquet", ["Мама мыла раму, а Павел читал букварь."])
    (tmp_path / "in/b.parquet").write_bytes(b"junk")
    path = tmp_path / "r.toml"
    path.write_text(f'[input]\npaths = ["{tmp_path}/in"]\n[run]\nstages = ["clean", "dedup"]\n')
    with pytest.raises(StageFailedError):
        run_recipe(recipe.load(str(path)), str(tmp_path / "run"), run_inline, Silent(), redo=False)
    assert "not a readable Parquet file" in (tmp_path / "run/report.html").read_text()
