"""Recipes: what is written is what runs, and what is misspelt is an error with the nearest right word."""

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import UsageError
from pipelines import recipe, registry
from pipelines.recipe import RunSection, build, load, parse_settings


def write(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, "utf-8")
    return str(path)


MINIMAL = '[run]\nstages = ["clean", "filter"]\n'


class TestLoading:
    def test_a_missing_key_has_its_default_and_a_written_one_its_value(self, tmp_path: Path) -> None:
        loaded = load(write(tmp_path, MINIMAL + "[filter]\nmin_words = 80\n"))
        assert loaded.name == "mine"
        assert loaded.sections["filter"].min_words == 80
        assert set(loaded.sections) == {"input", "run", "clean", "filter"}

    def test_a_byte_order_mark_before_it_is_no_matter(self, tmp_path: Path) -> None:
        assert load(write(tmp_path, "\ufeff" + MINIMAL)).name == "mine"

    def test_settings_win_over_the_file(self, tmp_path: Path) -> None:
        path = write(tmp_path, MINIMAL + "[filter]\nmin_words = 80\n")
        assert load(path, ["filter.min_words=90"]).sections["filter"].min_words == 90

    def test_the_last_of_two_settings_wins(self, tmp_path: Path) -> None:
        path = write(tmp_path, MINIMAL)
        loaded = load(path, ["filter.min_words=90", "filter.min_words=91"])
        assert loaded.sections["filter"].min_words == 91

    def test_paths_in_a_recipe_are_relative_to_the_recipe(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "r").mkdir()
        path = write(tmp_path / "r", MINIMAL + '[input]\npaths = ["../crawl", "s3://bucket/x", "/abs"]\n')
        monkeypatch.chdir(tmp_path)
        assert load(path).input.paths == (str(tmp_path / "crawl"), "s3://bucket/x", "/abs")

    def test_paths_by_setting_are_relative_to_the_current_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write(tmp_path, MINIMAL)
        monkeypatch.chdir("/")
        assert load(path, ["input.paths=a/b"]).input.paths == ("/a/b",)
        assert load(path, ['input.paths=["a", "b"]']).input.paths == ("/a", "/b")

    @pytest.mark.parametrize("name", recipe.bundled_names())
    def test_every_bundled_recipe_loads_by_name(self, name: str) -> None:
        assert load(name).name == name

    def test_the_resolved_recipe_loads_as_itself(self, tmp_path: Path) -> None:
        first = load("ru-web", ["input.paths=/crawl", "filter.min_words=80"])
        second = load(write(tmp_path, first.to_toml()))
        assert second == first

    def test_the_resolved_recipe_holds_every_key(self, tmp_path: Path) -> None:
        loaded = load(write(tmp_path, MINIMAL))
        data = tomllib.loads(loaded.to_toml())
        for name, section in loaded.sections.items():
            set_ = {f.name for f in dataclasses.fields(section) if getattr(section, f.name) is not None}
            assert set(data[name]) == set_  # TOML has no null: an empty threshold is the preset's


class TestMistakes:
    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("[filtr]\n", "no section or key 'filtr'; did you mean 'filter'?"),
            ("[filter]\nmin_wrods = 3\n", "no key filter.min_wrods; did you mean 'min_words'?"),
            ("[filter]\nmin_words = 'many'\n", "filter.min_words: expected a number"),
            ("[filter]\nmin_words = true\n", "filter.min_words: expected a number"),
            ("filter = 3\n", "[filter] is a table of keys, not int"),
            ("[run]\nstages = ['clean', 'fliter']\n", "no stage 'fliter'; did you mean 'filter'?"),
            ("[run]\nstages = ['filter', 'clean']\n", "keep the order"),
            ("[run]\nstages = ['clean', 'clean']\n", "keep the order"),
            ("[run]\nstages = 3\n", "run.stages[0]: expected text"),
            ("run = 3\n", "[run] is a table"),
            ("name = 3\n", "name and description are text"),
            ("[filter\n", "not valid TOML"),
            (
                "[filter]\nmin_words = 3\nmin_words = 4\n",
                "this key is set twice; keep one of them (at line 3",
            ),
            ("[dedup]\nbands = 0\n", "bands"),
        ],
    )
    def test_each_is_a_usage_error_of_one_line_that_names_file_and_key(
        self, tmp_path: Path, text: str, says: str
    ) -> None:
        path = write(tmp_path, text)
        with pytest.raises(UsageError) as caught:
            load(path)
        assert str(caught.value).startswith(path)
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_a_missing_recipe_says_which_are_bundled(self) -> None:
        with pytest.raises(UsageError, match=r"no bundled recipe of that name \(demo, ru-web\)"):
            load("dmeo")

    def test_a_recipe_that_is_not_text_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.toml"
        path.write_bytes(b"\xff\xfe\x00")
        with pytest.raises(UsageError, match="not a text file in UTF-8"):
            load(str(path))

    def test_a_folder_is_no_recipe(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="a folder"):
            load(str(tmp_path))


class TestSettings:
    @pytest.mark.parametrize(
        ("written", "value"),
        [
            ("80", 80),
            ("0.5", 0.5),
            ("true", True),
            ('"80"', "80"),
            ("all", "all"),
            ("[1, 2]", [1, 2]),
            ("a=b", "a=b"),
            ("", ""),
            ("s3://b/k?x=1", "s3://b/k?x=1"),
            ("слово", "слово"),
        ],
    )
    def test_a_value_is_toml_or_else_text(self, written: str, value: object) -> None:
        assert parse_settings([f"filter.key={written}"], "filter") == {"key": value}

    @given(st.text())
    def test_a_value_never_smuggles_a_key_in(self, written: str) -> None:
        assert set(parse_settings([f"filter.key={written}"], "filter")) == {"key"}

    @pytest.mark.parametrize("setting", ["filter.min_words", "=3", ".a=3", "filter.=3", "a.b.c=3", ""])
    def test_what_is_no_setting_says_how_to_write_one(self, setting: str) -> None:
        with pytest.raises(UsageError, match=r"write it as section\.key=value"):
            parse_settings([setting], "filter")

    def test_another_stage_s_section_says_which_the_command_has(self) -> None:
        with pytest.raises(UsageError, match="this command has the section 'filter'"):
            parse_settings(["dedup.bands=3"], "filter")

    def test_a_misspelt_section_names_the_nearest(self) -> None:
        with pytest.raises(UsageError, match="did you mean 'filter'"):
            parse_settings(["fliter.min_words=3"], "filter")

    def test_one_value_will_do_for_a_list(self) -> None:
        assert build("run", {"stages": "clean"}) == RunSection(stages=("clean",))

    def test_a_whole_number_will_do_for_a_fraction(self) -> None:
        assert build("identify", {"min_score": 0}).min_score == 0

    @pytest.mark.parametrize("section", registry.names())
    def test_every_parameter_of_every_stage_has_a_help_text(self, section: str) -> None:
        fields: Any = dataclasses.fields(recipe.section_class(section))
        assert not [f.name for f in fields if not f.metadata.get("help")]
