"""`bukvar report --compare`: what differs between two runs, document by document."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines import cli
from pipelines.compare import compare
from tests.pipelines.stages import LONG, OTHER, write_texts

TEXTS = {
    "http://a.ru/1": LONG,
    "http://a.ru/2": LONG,
    "http://a.ru/3": f"{OTHER}\nМы используем файлы cookie, чтобы сайт работал лучше. Принять",
    "http://a.ru/4": "This page is in English and has nothing for a Russian reader.",
    "http://b.ru/5": "Звоните: почта ivan.petrov@mail.ru, старший мастер разбирал маятник, младший писал.",
}
Run = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Run:
    """Makes a run of the texts with settings."""

    def run(name: str, *settings: str, stages: str = "identify,clean,dedup,publish") -> Path:
        write_texts(
            tmp_path / "in/a.parquet", list(TEXTS.values()), url=list(TEXTS), noai=[False] * 4 + [True]
        )
        recipe = tmp_path / "r.toml"
        recipe.write_text(f'[input]\npaths = ["in"]\n[run]\nstages = {json.dumps(stages.split(","))}\n')
        given = [part for one in settings for part in ("--set", one)]
        out = tmp_path / name
        assert cli.run(["run", str(recipe), "--out", str(out), "--executor", "inline", "-q", *given]) == 0
        return out

    return run


def changes(found: dict[str, Any]) -> list[tuple[str, str, int]]:
    return [(c["first"], c["second"], c["documents"]) for c in found["changed"]]


class TestDocuments:
    def test_that_changed_sides_with_both_fates_and_what_decided(self, make: Run) -> None:
        one, other = make("one"), make("other", "identify.keep=all")
        found = compare(str(one), str(other))
        assert changes(found.plain()) == [("identify: not_russian", "kept", 1)]
        (sample,) = found.changed[0].samples
        assert sample.url == "http://a.ru/4"
        assert "".join(piece for piece, _ in sample.text) == TEXTS["http://a.ru/4"]

    def test_that_publishing_left_out_count_as_dropped(self, make: Run) -> None:
        one, other = make("one"), make("other", "publish.respect=[]")
        found = compare(str(one), str(other)).plain()
        assert [(a.partition(":")[0], b) for a, b, _ in changes(found)] == [("publish", "kept")]
        assert (found["kept_in_first_alone"], found["kept_in_second_alone"]) == (0, 1)

    def test_another_rule_of_the_same_side_is_a_change_too(self, make: Run) -> None:
        one, other = make("one"), make("other", "identify.min_letters=200")
        found = compare(str(one), str(other)).plain()
        assert ("identify: not_russian", "identify: too_short_for_language", 1) in changes(found)

    def test_kept_in_both_with_another_text_show_the_lines_of_one_alone(self, make: Run) -> None:
        one, other = make("one"), make("other", "clean.categories=[]")
        found = compare(str(one), str(other))
        assert found.other_text == 1
        ((url, (left, right)),) = found.text_samples
        assert url == "http://a.ru/3"
        assert (left.text, "cookie" in right.text[0][0]) == ((), True)

    def test_that_one_run_has_not_met_are_absent(self, make: Run) -> None:
        one = make("one")
        other = make("other")
        for file in sorted((other / "dedup").glob("*.parquet")):
            pq.write_table(pq.read_table(file).slice(1), file)
        found = compare(str(one), str(other)).plain()
        assert changes(found) == [("kept", "absent", 1)]
        assert (found["kept_in_first_alone"], found["kept_in_second_alone"]) == (0, 0)

    def test_of_two_equal_runs_there_are_none(self, make: Run) -> None:
        found = compare(str(make("one")), str(make("other")))
        assert (found.changed, found.settings, found.other_text) == ((), (), 0)

    def test_counts_agree_with_the_receipts(self, make: Run) -> None:
        one, other = make("one"), make("other", "identify.keep=all", "publish.respect=[]")
        found = compare(str(one), str(other)).plain()
        (published,) = [row for row in found["funnel"] if row["stage"] == "publish"]
        assert published["first"]["out"] == found["kept_in_both"] + found["kept_in_first_alone"]
        assert published["second"]["out"] == found["kept_in_both"] + found["kept_in_second_alone"]


class TestPage:
    @pytest.fixture
    def html(self, make: Run) -> str:
        one, other = make("one"), make("other", "identify.keep=all", "publish.respect=[]")
        assert cli.run(["report", "--compare", str(one), str(other), "-q"]) == 0
        return (one / "compare.html").read_text()

    def test_names_settings_that_differ_and_no_other(self, html: str) -> None:
        assert "identify.keep" in html
        assert "identify.min_score" not in html

    def test_holds_no_path_and_no_personal_data(self, html: str, tmp_path: Path) -> None:
        assert str(tmp_path) not in html
        assert "Звоните" in html
        assert "ivan.petrov" not in html

    def test_the_same_runs_give_the_same_bytes(self, html: str, tmp_path: Path) -> None:
        again = tmp_path / "again.html"
        runs = [str(tmp_path / name) for name in ("one", "other")]
        assert cli.run(["report", "--compare", *runs, "--out", str(again), "-q"]) == 0
        assert again.read_text() == html


class TestCommand:
    def test_sums_up_on_a_terminal(self, make: Run, capsys: pytest.CaptureFixture[str]) -> None:
        one, other = make("one"), make("other", "identify.keep=all")
        capsys.readouterr()
        assert cli.run(["report", "--compare", str(one), str(other)]) == 0
        out = capsys.readouterr().out
        assert "identify.keep: russian -> all" in out
        assert "dropped in A, kept in B:\n         1  identify: not_russian -> kept" in out
        assert out.splitlines()[-1] == str(one / "compare.html")

    @pytest.mark.parametrize(
        ("folders", "says"),
        [
            (["one"], "takes two runs"),
            (["one", "in"], "neither a run nor"),
            (["one", "one"], "are one folder"),
        ],
    )
    def test_what_can_t_be_compared_is_refused(
        self, make: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], folders: list[str], says: str
    ) -> None:
        make("one")
        assert cli.run(["report", "--compare", *(str(tmp_path / name) for name in folders)]) == 2
        assert says in capsys.readouterr().err

    def test_folders_of_single_stages_are_compared_too(self, make: Run) -> None:
        one, other = make("one"), make("other", "identify.keep=all")
        found = compare(str(one / "identify"), str(other / "identify")).plain()
        assert found["settings"] == [{"key": "identify.keep", "first": "russian", "second": "all"}]
        assert changes(found) == [("identify: not_russian", "kept", 1)]

    def test_a_run_that_is_damaged_is_one_line(self, make: Run, capsys: pytest.CaptureFixture[str]) -> None:
        one, other = make("one"), make("other")
        shutil.copy(one / "_recipe.toml", next((one / "dedup").glob("*.parquet")))
        assert cli.run(["report", "--compare", str(one), str(other)]) != 0
        err = capsys.readouterr().err
        assert "not a readable Parquet file" in err
        assert err.count("\n") == 1
