"""A stage is its file and a row; other people's packages bring rows of their own."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from corpus.errors import UsageError
from pipelines import registry
from pipelines.registry import StageRow, ordered
from tests.pipelines.stages import write_texts

STAGE = '''
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar
import pyarrow as pa
from corpus import table
from pipelines.registry import StageRow

@dataclass(frozen=True)
class Shout:
    """Drop documents that hold a word in capitals."""
    name: ClassVar[str] = "shout"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[pa.Schema] = pa.schema([pa.field("capitals", pa.int32())])
    reasons: ClassVar[Mapping[str, str]] = {"shouting": "too many words in capitals"}
    most: int = field(default=0, metadata={"help": "most words in capitals"})

    def open(self) -> Callable[[pa.Table], pa.Table]:
        def function(batch):
            counts = [sum(w.isupper() for w in (t or "").split()) for t in batch["text"].to_pylist()]
            drop = ["shouting" if n > self.most else None for n in counts]
            columns = {"capitals": pa.array(counts, pa.int32()), "drop": pa.array(drop, pa.string()),
                       "drop_detail": pa.array([d and "loud" for d in drop], pa.string())}
            return table.with_columns(batch, columns)
        return function

ROW = StageRow("shout", "bukvar_shout:Shout", "drop what shouts", after="clean", default=False,
               example="bukvar shout docs --out quiet")
'''
#: The files of its wheel: a build backend is nothing that the tests need otherwise.
WHEEL = {
    "bukvar_shout.py": STAGE,
    "bukvar_shout-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: bukvar-shout\nVersion: 1.0\n",
    "bukvar_shout-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "bukvar_shout-1.0.dist-info/entry_points.txt": "[bukvar.stages]\nshout = bukvar_shout:ROW\n",
    "bukvar_shout-1.0.dist-info/RECORD": "bukvar_shout.py,,\n",
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which a package with a stage was built and installed."""
    wheel = tmp_path_factory.mktemp("dist") / "bukvar_shout-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in WHEEL.items():
            archive.writestr(name, text)
    target = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target"]
    subprocess.run([*pip, str(target), str(wheel)], check=True, capture_output=True, text=True)
    return target


def bukvar(site: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    program = f"import sys; sys.path.insert(0, {str(site)!r}); from pipelines.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True, check=False
    )


class TestAnotherPackageSStage:
    def test_has_a_command_with_help(self, installed: Path) -> None:
        assert "drop what shouts" in bukvar(installed, "--help").stdout
        said = bukvar(installed, "shout", "--help").stdout
        assert "Drop documents that hold a word in capitals." in said
        assert "shout.most" in said

    def test_runs_from_a_recipe_and_its_reason_is_known_everywhere(
        self, installed: Path, tmp_path: Path
    ) -> None:
        texts = ["Тихий текст о погоде.", "ГРОМКИЙ ТЕКСТ", "Ещё один тихий текст."]
        write_texts(tmp_path / "in/a.parquet", texts)
        recipe = tmp_path / "r.toml"
        recipe.write_text('[input]\npaths = ["in"]\n[run]\nstages = ["clean", "shout", "publish"]\n')
        run = tmp_path / "run"
        done = bukvar(installed, "run", recipe, "--out", run, "--executor", "inline")
        assert done.returncode == 0, done.stderr
        assert "shouting" in done.stdout  # the funnel
        shown = bukvar(installed, "inspect", run / "shout", "--reason", "shouting", "--json")
        assert [row["text"] for row in json.loads(shown.stdout)] == ["ГРОМКИЙ ТЕКСТ"]
        assert "too many words in capitals" in (run / "report.html").read_text()
        assert "too many words in capitals" in (run / "dataset/README.md").read_text()


class TestOrder:
    own = (StageRow("a", "m:A", ""), StageRow("b", "m:B", ""))

    def test_a_row_stands_after_the_one_it_names(self) -> None:
        rows = ordered(self.own, [StageRow("x", "m:X", "", after="a"), StageRow("y", "m:Y", "")])
        assert [row.name for row in rows] == ["a", "x", "b", "y"]

    @pytest.mark.parametrize(
        ("row", "why"),
        [
            (StageRow("a", "m:A", ""), "two packages have a stage 'a'"),
            (StageRow("x", "m:X", "", after="z"), "after 'z', which is no stage"),
            (StageRow("x", "m:X", "", reads="minds"), "reads is 'minds'"),
        ],
    )
    def test_a_row_that_can_t_stand_is_refused(self, row: StageRow, why: str) -> None:
        with pytest.raises(UsageError, match=why):
            ordered(self.own, [row])

    def test_a_class_that_can_t_be_imported_is_one_line(self) -> None:
        with pytest.raises(UsageError, match="stage x: nowhere:X can't be imported"):
            StageRow("x", "nowhere:X", "").load()


def test_every_stage_of_ours_declares_its_columns_and_reasons() -> None:
    for row in registry.OWN:
        stage = row.load()
        assert (stage.name, stage.version > 0) == (row.name, True)
        assert all(stage.reasons.values())
        assert set(stage.adds.types) is not None
