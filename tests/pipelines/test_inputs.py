"""From arguments to input files: names without places, digests of content, errors of one line."""

import hashlib
import io
import os
import shutil
from pathlib import Path

import pytest

from corpus.documents import DOCUMENT_ENDINGS
from corpus.errors import UsageError
from corpus.inputs import stems
from pipelines import cli, inputs
from pipelines.engine import Job, run_stage
from pipelines.execute import run_inline
from pipelines.inputs import content_digest, resolve
from pipelines.progress import Silent
from tests.pipelines.stages import Shorten, inputs_of, name_of, write_texts

#: The shard that Shorten makes from a.parquet.
SHARD = f"out/{name_of('a.parquet')}.parquet"


def names(*arguments: Path | str) -> list[str]:
    return [i.name for i in resolve([str(a) for a in arguments], DOCUMENT_ENDINGS)]


def touch(folder: Path, *files: str) -> None:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


class TestNames:
    def test_a_file_has_its_base_name(self, tmp_path: Path) -> None:
        touch(tmp_path, "deep/a.jsonl")
        assert names(tmp_path / "deep/a.jsonl") == ["a.jsonl"]

    def test_files_of_a_folder_have_their_paths_from_that_folder_s_name_on(self, tmp_path: Path) -> None:
        touch(tmp_path, "set/b.jsonl", "set/x/a.parquet")
        assert names(tmp_path / "set") == ["set/b.jsonl", "set/x/a.parquet"]

    def test_a_slash_at_the_end_or_another_current_folder_changes_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        touch(tmp_path, "set/b.jsonl")
        monkeypatch.chdir(tmp_path)
        assert names("set/") == names("set") == names(tmp_path / "set") == names(f"file://{tmp_path}/set")

    def test_equal_names_are_prolonged_by_folders_until_they_differ(self, tmp_path: Path) -> None:
        touch(tmp_path, "x/p/a.jsonl", "y/p/a.jsonl", "y/p/b.jsonl")
        found = names(tmp_path / "x/p/a.jsonl", tmp_path / "y/p/a.jsonl", tmp_path / "y/p/b.jsonl")
        assert found == ["b.jsonl", "x/p/a.jsonl", "y/p/a.jsonl"]

    @pytest.mark.parametrize(
        "name", ["what?.jsonl", "data [1].parquet", "a#b.jsonl", "50%.jsonl", "что?.jsonl"]
    )
    def test_a_local_name_may_hold_what_urls_and_patterns_may_not(self, tmp_path: Path, name: str) -> None:
        touch(tmp_path, f"set/{name}", "set/data 1.parquet", "set/whata.jsonl")
        assert f"set/{name}" in names(tmp_path / "set")
        assert names(tmp_path / "set" / name) == [name]

    def test_a_file_named_twice_is_one_input(self, tmp_path: Path) -> None:
        touch(tmp_path, "a.jsonl")
        assert names(tmp_path / "a.jsonl", tmp_path / "a.jsonl") == ["a.jsonl"]

    def test_a_file_named_by_a_folder_and_a_glob_is_one_input(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        touch(tmp_path, "a.jsonl", "b.jsonl")
        assert len(names(".", "*.jsonl", "./a.jsonl", tmp_path / "b.jsonl")) == 2

    def test_order_of_arguments_plays_no_part(self, tmp_path: Path) -> None:
        touch(tmp_path, "a.jsonl", "b.jsonl")
        assert names(tmp_path / "b.jsonl", tmp_path / "a.jsonl") == ["a.jsonl", "b.jsonl"]


class TestFolders:
    def test_other_endings_hidden_and_own_side_files_are_passed_over(self, tmp_path: Path) -> None:
        touch(
            tmp_path, "s/a.parquet", "s/_dropped/a.parquet", "s/.x/a.parquet", "s/_plan.json", "s/a.warc.gz"
        )
        assert names(tmp_path / "s") == ["s/a.parquet"]

    def test_endings_are_known_in_any_case(self, tmp_path: Path) -> None:
        touch(tmp_path, "s/A.JSONL")
        assert names(tmp_path / "s") == ["s/A.JSONL"]

    def test_one_without_input_files_says_what_was_looked_for(self, tmp_path: Path) -> None:
        touch(tmp_path, "s/a.warc.gz")
        with pytest.raises(UsageError, match=r"no input files in this folder \(looked for \.parquet"):
            names(tmp_path / "s")

    def test_a_missing_one_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="missing: no such file or folder"):
            names(tmp_path / "missing")

    def test_no_argument_is_a_usage_error(self) -> None:
        with pytest.raises(UsageError, match="no input"):
            names()

    def test_links_that_lead_nowhere_or_back_cost_nothing(self, tmp_path: Path) -> None:
        touch(tmp_path, "set/a.jsonl", "elsewhere/b.jsonl")
        for name, target in (
            ("set/back", "set"),
            ("set/itself", "set/itself"),
            ("set/gone.jsonl", "nothing"),
            ("set/other", "elsewhere"),
        ):
            (tmp_path / name).symlink_to(tmp_path / target)
        assert names(tmp_path / "set") == ["set/a.jsonl", "set/other/b.jsonl"]

    @pytest.mark.parametrize("name", ["a.csv", "b.TSV.gz"])
    def test_csv_that_was_named_is_refused_with_the_command_that_converts_it(
        self, tmp_path: Path, name: str
    ) -> None:
        touch(tmp_path, name)
        with pytest.raises(UsageError, match=rf"{name[2:5].upper()} is not read; .*{name[0]}\.parquet"):
            resolve([str(tmp_path / name)], DOCUMENT_ENDINGS)

    def test_what_is_left_out_of_a_folder_is_said(self, tmp_path: Path) -> None:
        touch(tmp_path, "set/a.jsonl", "set/part-00000", "set/.b.jsonl", "set/_c.jsonl", "set/x/b.zip")
        touch(
            tmp_path,
            "set/LICENSES/MIT.txt",
            "set/SHA256SUMS",
            "set/README.md",
            "set/a.cdx",
            "set/x.css",
            "set/index.tsv",
        )
        touch(tmp_path, "set/_work/d.jsonl", "set/._a.jsonl", "set/.e")
        (tmp_path / "set/gone.jsonl").symlink_to(tmp_path / "nothing")
        notes: list[str] = []
        assert len(resolve([str(tmp_path / "set")], DOCUMENT_ENDINGS, notes=notes)) == 1
        assert [note.removeprefix(f"{tmp_path}/set: ") for note in notes] == [
            "links to files that are not there are skipped: gone.jsonl",
            "skipped, since their names begin with _ or a dot: .b.jsonl, _c.jsonl",
            "skipped, since their names are not those of input files: part-00000, x/b.zip; "
            "to read one of them, name the file itself",
        ]

    def test_of_a_dataset_only_its_documents_are_inputs(self, tmp_path: Path) -> None:
        source = write_texts(tmp_path / "in/a.parquet", ["слово о полку", "и ещё одно слово"])
        target = str(tmp_path / "set")
        command = ["publish", str(source), "--to", target, "--set", "publish.sample=1", "-q"]
        assert cli.run([*command, "--executor", "inline"]) == 0
        assert (tmp_path / "set/croissant.json").exists()
        shutil.copytree(target, tmp_path / "copy", ignore=shutil.ignore_patterns("_*"))
        for folder in ("set", "copy"):
            assert names(tmp_path / folder) == [f"{folder}/data/train-00000-of-00001.parquet"]

    def test_a_whole_run_is_no_input(self, tmp_path: Path) -> None:
        source = write_texts(tmp_path / "in/a.parquet", ["слово о полку"])
        run = tmp_path / "run"
        command = ["run", "ru-web", "--out", str(run), "--set", f"input.paths={source}", "-q"]
        stages = 'run.stages=["clean", "dedup", "publish"]'
        assert cli.run([*command, "--set", stages, "--executor", "inline"]) == 0
        with pytest.raises(
            UsageError, match=r"run: a run's folder, .* name one stage's, such as .*run/dedup"
        ):
            names(run)
        assert len(names(run / "dedup")) == 1

    def test_a_name_that_is_not_utf8_is_said_in_bytes(self, tmp_path: Path) -> None:
        touch(tmp_path, "set/a.jsonl")
        (tmp_path / os.fsdecode("set/мир.jsonl".encode("cp1251"))).write_text("x")
        for argument in (tmp_path / "set", tmp_path / os.fsdecode("set/мир.jsonl".encode("cp1251"))):
            with pytest.raises(
                UsageError, match=r"set/\\xec\\xe8\\xf0\.jsonl: the name is not UTF-8; rename"
            ):
                names(argument)

    def test_the_output_folder_is_no_input_of_a_folder_around_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        touch(tmp_path, "set/a.jsonl", "set/out/b.parquet", "set/outer/c.parquet")
        for arguments in (["set"], ["./set/"], ["set/**/*"], [str(tmp_path / "set")]):
            found = resolve(arguments, DOCUMENT_ENDINGS, out="set/out/")
            assert [Path(i.path).name for i in found] == ["a.jsonl", "c.parquet"]
        with pytest.raises(UsageError, match="it is the output folder too"):
            resolve(["set/out"], DOCUMENT_ENDINGS, out=str(tmp_path / "set/out"))
        # A stage's folder of the very run that is made.
        assert len(resolve(["set/out"], DOCUMENT_ENDINGS, out="set")) == 1

    def test_a_shard_beside_the_file_that_it_was_made_of_has_a_name_of_its_own(self, tmp_path: Path) -> None:
        source = write_texts(tmp_path / "set/a.parquet", ["слово"])
        run_stage(
            Job(
                Shorten(),
                tuple(resolve([str(tmp_path / "set")], DOCUMENT_ENDINGS)),
                str(tmp_path / "set/out"),
            ),
            run_inline,
            Silent(),
        )
        found = resolve([str(tmp_path / "set")], DOCUMENT_ENDINGS)
        assert len(found) == 2
        assert len(set(stems(found))) == 2
        assert str(source) in [i.path for i in found]


class TestGlobs:
    def test_takes_what_matches_whatever_its_ending(self, tmp_path: Path) -> None:
        touch(tmp_path, "a.data", "b.data", "c.txt")
        assert names(f"{tmp_path}/*.data") == ["a.data", "b.data"]

    def test_that_matches_nothing_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="nothing matches; check the pattern"):
            names(f"{tmp_path}/*.data")


class TestDigests:
    def test_of_a_file_is_its_sha256(self, tmp_path: Path) -> None:
        touch(tmp_path, "a.jsonl")
        (found,) = resolve([str(tmp_path / "a.jsonl")], DOCUMENT_ENDINGS)
        assert found.digest == hashlib.sha256(b"a.jsonl").hexdigest()

    def test_of_a_shard_comes_from_its_receipt_with_its_rows(self, tmp_path: Path) -> None:
        source = write_texts(tmp_path / "in/a.parquet", ["слово", "a"])
        run_stage(Job(Shorten(), inputs_of([source]), str(tmp_path / "out")), run_inline, Silent())
        (found,) = resolve([str(tmp_path / "out")], DOCUMENT_ENDINGS)
        assert found.rows == 1
        assert found.digest == hashlib.sha256((tmp_path / SHARD).read_bytes()).hexdigest()

    def test_of_a_shard_that_was_changed_does_not_come_from_its_receipt(self, tmp_path: Path) -> None:
        source = write_texts(tmp_path / "in/a.parquet", ["слово"])
        run_stage(Job(Shorten(), inputs_of([source]), str(tmp_path / "out")), run_inline, Silent())
        write_texts(tmp_path / SHARD, ["another", "one"])
        (found,) = resolve([str(tmp_path / "out")], DOCUMENT_ENDINGS)
        assert found.rows == 2
        assert found.digest == hashlib.sha256((tmp_path / SHARD).read_bytes()).hexdigest()

    def test_of_a_large_file_is_of_its_size_and_pieces(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(inputs, "WHOLE", 1000)
        monkeypatch.setattr(inputs, "PIECE", 10)
        data = bytearray(2000)

        def digest() -> str:
            return content_digest(io.BytesIO(data), len(data))

        first = digest()
        assert first.startswith("sampled:")
        assert digest() == first
        for place in (0, len(data) - 1):  # first and last piece count
            data[place] ^= 1
            assert digest() != first
            data[place] ^= 1
        data.append(0)
        assert digest() != first
