"""The command: what it prints, what it exits with, and that bad input is one line that says what to do."""

import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus import filesystems, storage
from pipelines import cli
from pipelines.engine import StageFailedError
from tests.pipelines.stages import Say, contents, name_of, write_texts

ROOT = Path(__file__).parent.parent.parent
INLINE = ["--executor", "inline"]
SENTENCES = [
    f"Это предложение номер {n} стоит здесь для пробы. В нём есть слова, которые читают люди."
    for n in range(6)
]


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    return write_texts(tmp_path / "in/a.parquet", SENTENCES)


def assert_refused(result: tuple[int, str, str], code: int, *says: str) -> None:
    """Exit code, nothing on stdout, one line on stderr (behind click's usage line), no traceback."""
    assert result[0] == code, result
    assert result[1] == ""
    assert re.fullmatch(r"(Usage: bukvar .*\n)?bukvar: .*\n", result[2]), result[2]
    assert "Traceback" not in result[2]
    assert "internal error" not in result[2]
    for text in says:
        assert text in result[2]


class Unreachable:
    """A file system whose server never answers."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        def refuse(*_: object, **__: object) -> None:
            raise OSError("AWS Error NETWORK_CONNECTION during HeadObject operation")

        return refuse


class TestAStoreThatDoesNotAnswer:
    @pytest.mark.parametrize(
        "command", ["inspect {}", "status {}", "verify {}", "why http://e.ru/ {}", "identify {} --out out"]
    )
    def test_is_said_and_not_waited_for(
        self, command: str, say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        waited: list[float] = []
        monkeypatch.setattr(filesystems, "_filesystem", lambda _: Unreachable())
        monkeypatch.setattr("corpus.faults.time.sleep", waited.append)
        monkeypatch.setattr("corpus.faults.time.monotonic", lambda: sum(waited))
        result = say(*command.format("s3://bucket/x").split())
        assert_refused(result, 1, "the server does not answer as it should")
        assert sum(waited) < 20


class TestStart:
    def test_without_a_command_it_explains_itself(self, say: Say) -> None:
        code, out, err = say()
        assert (code, err) == (0, "")
        assert "Commands:" in out

    def test_help_imports_nothing_heavy(self) -> None:
        heavy = [
            "ray",
            "pyarrow",
            "trafilatura",
            "numpy",
            "rich",
            "tokenizers",
            "matplotlib",
            "lxml",
            "rust_ext",
        ]
        script = (
            "import sys\nfrom pipelines import cli\nassert cli.run(['--help']) == 0\n"
            f"print([m for m in {heavy} if m in sys.modules], file=sys.stderr)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert done.stderr.strip() == "[]"
        assert "Commands:" in done.stdout

    @pytest.mark.parametrize("command", list(cli.commands()))
    def test_every_command_s_help_teaches_with_an_example(self, say: Say, command: str) -> None:
        code, out, _ = say(command, "--help")
        assert code == 0
        shown = out[out.index("Example") :].splitlines()
        assert any(line.startswith(f"    bukvar {command}") for line in shown[1:])
        assert not any(line.count("bukvar ") > 1 for line in shown)

    @pytest.mark.parametrize("command", [*cli.commands(), "filter fit", "classify train"])
    def test_values_of_options_are_named_by_what_they_are(self, say: Say, command: str) -> None:
        out = say(*command.split(), "--help")[1]
        assert not re.findall(r"--[a-z-]+ (?:INTEGER|FLOAT)\b.*|--text-column TEXT", out)

    def test_the_help_of_run_lists_the_sections_that_are_no_stage_s(self, say: Say) -> None:
        out = say("run", "--help")[1]
        assert "input.paths" in out
        assert "run.part_mb" in out

    def test_a_stage_s_help_lists_its_parameters_with_defaults(self, say: Say) -> None:
        assert "dedup.bands" in say("dedup", "--help")[1]

    def test_a_misspelt_command_names_the_nearest(self, say: Say) -> None:
        assert_refused(say("idntify", "x"), 2, "no command 'idntify'; did you mean `bukvar identify`?")

    def test_an_unknown_option_is_a_usage_error(self, say: Say) -> None:
        assert_refused(say("clean", "x", "--otu", "y"), 2, "Usage: bukvar clean [OPTIONS] INPUT", "--otu")

    def test_a_missing_option_is_a_usage_error(self, say: Say) -> None:
        assert_refused(say("clean", "x"), 2, "--out")


class TestStages:
    def test_data_go_to_stdout_and_talk_to_stderr(self, say: Say, documents: Path, tmp_path: Path) -> None:
        code, out, err = say("clean", documents, "--out", tmp_path / "out", *INLINE)
        assert code == 0
        assert "clean" in out
        assert "6" in out
        assert "1 of 1 tasks" in err

    def test_json_is_one_document(self, say: Say, documents: Path, tmp_path: Path) -> None:
        code, out, _ = say("identify", documents, "--out", tmp_path / "out", "--json", *INLINE)
        result = json.loads(out)
        assert code == 0
        assert (result["rows_in"], result["rows_out"]) == (6, 6)

    def test_quiet_says_nothing_of_progress(self, say: Say, documents: Path, tmp_path: Path) -> None:
        assert say("clean", documents, "--out", tmp_path / "out", "-q", *INLINE)[2] == ""

    def test_a_second_run_says_that_there_is_nothing_to_do(
        self, say: Say, documents: Path, tmp_path: Path
    ) -> None:
        say("clean", documents, "--out", tmp_path / "out", *INLINE)
        assert "nothing to do" in say("clean", documents, "--out", tmp_path / "out", *INLINE)[2]

    def test_somebody_else_s_jsonl_goes_through_all_of_them(self, say: Say, tmp_path: Path) -> None:
        path = tmp_path / "a.jsonl"
        path.write_text("".join(json.dumps({"body": s * 9, "n": n}) + "\n" for n, s in enumerate(SENTENCES)))
        source: Path = path
        for stage in ("identify", "clean", "dedup"):
            column = ["--text-column", "body"] if stage == "identify" else []
            code, _, err = say(stage, source, "--out", tmp_path / stage, *column, *INLINE)
            assert code == 0, err
            source = tmp_path / stage
        assert json.loads(pq.read_table(source)["extra"][0].as_py())["n"] in range(6)

    def test_identify_may_keep_everything(self, say: Say, tmp_path: Path) -> None:
        path = write_texts(tmp_path / "a.parquet", [*SENTENCES, "This is an English sentence, a long one."])
        code, _, _ = say("identify", path, "--out", tmp_path / "out", "--set", "identify.keep=all", *INLINE)
        assert code == 0
        assert pq.read_table(tmp_path / "out").num_rows == 7


class TestBadInput:
    def test_a_missing_file(self, say: Say, tmp_path: Path) -> None:
        result = say("clean", tmp_path / "missing.parquet", "--out", tmp_path / "out", *INLINE)
        assert_refused(result, 2, "missing.parquet: no such file or folder")
        assert not (tmp_path / "out").exists()

    def test_an_unreadable_folder(
        self, say: Say, documents: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Rights are simulated: tests may run as root, whom none are refused."""
        real = os.scandir

        def scandir(path: str) -> object:
            if str(path) == str(documents.parent):
                raise PermissionError(errno.EACCES, "Permission denied", path)
            return real(path)

        monkeypatch.setattr(os, "scandir", scandir)
        result = say("clean", documents.parent, "--out", tmp_path / "out", *INLINE)
        assert_refused(result, 1, "no permission; check its owner and rights")
        assert not (tmp_path / "out").exists()

    def test_an_unknown_parameter(self, say: Say, documents: Path, tmp_path: Path) -> None:
        result = say("dedup", documents, "--out", tmp_path / "out", "--set", "dedup.band=3", *INLINE)
        assert_refused(result, 2, "no key dedup.band; did you mean 'bands'?")
        assert not (tmp_path / "out").exists()

    def test_a_parameter_of_the_wrong_type(self, say: Say, documents: Path, tmp_path: Path) -> None:
        result = say("dedup", documents, "--out", tmp_path / "out", "--set", "dedup.bands=many", *INLINE)
        assert_refused(result, 2, "dedup.bands: expected a whole number, got text")

    def test_an_unknown_key_of_a_recipe(self, say: Say, tmp_path: Path) -> None:
        recipe = tmp_path / "r.toml"
        recipe.write_text("[run]\nstages = ['clean']\n[clean]\nmin_wrods = 3\n")
        assert_refused(say("run", recipe, "--out", tmp_path / "out", *INLINE), 2, "no key clean.min_wrods")
        assert not (tmp_path / "out").exists()

    def test_an_output_that_another_recipe_made(self, say: Say, documents: Path, tmp_path: Path) -> None:
        recipe = tmp_path / "r.toml"
        recipe.write_text(f"[run]\nstages = ['clean', 'dedup']\n[input]\npaths = ['{documents}']\n")
        assert say("run", recipe, "--out", tmp_path / "out", *INLINE)[0] == 0
        before = contents(tmp_path / "out")
        result = say("run", recipe, "--out", tmp_path / "out", "--set", "dedup.seed=7", *INLINE)
        assert_refused(result, 2, "made by another recipe (dedup.seed", "--redo")
        assert contents(tmp_path / "out") == before
        assert (
            say("run", recipe, "--out", tmp_path / "out", "--set", "dedup.seed=7", "--redo", *INLINE)[0] == 0
        )

    def test_a_corrupt_parquet_file(self, say: Say, documents: Path, tmp_path: Path) -> None:
        documents.with_name("b.parquet").write_bytes(b"PAR1 is how it begins")
        result = say("clean", tmp_path / "in", "--out", tmp_path / "out", "-q", *INLINE)
        assert_refused(
            result, 1, "in/b.parquet: not a readable Parquet file", "make it again or leave it out"
        )
        assert [p.name for p in (tmp_path / "out").glob("*.parquet")] == [
            f"{name_of('in/a.parquet')}.parquet"
        ]

    def test_a_corrupt_parquet_file_in_a_stage_that_counts_rows_first(
        self, say: Say, documents: Path, tmp_path: Path
    ) -> None:
        documents.with_name("b.parquet").write_bytes(b"PAR1 is how it begins")
        result = say("dedup", tmp_path / "in", "--out", tmp_path / "out", "-q", *INLINE)
        assert_refused(result, 1, "in/b.parquet: not a readable Parquet file")

    def test_a_text_column_that_is_not_text(self, say: Say, tmp_path: Path) -> None:
        pq.write_table(pa.table({"text": [1, 2]}), tmp_path / "a.parquet")
        result = say("clean", tmp_path / "a.parquet", "--out", tmp_path / "out", *INLINE)
        assert_refused(result, 2, "column 'text' is int64, not text", "--text-column")
        assert not (tmp_path / "out").exists()

    def test_no_text_column(self, say: Say, tmp_path: Path) -> None:
        pq.write_table(pa.table({"body": ["a"]}), tmp_path / "a.parquet")
        result = say("clean", tmp_path / "a.parquet", "--out", tmp_path / "out", *INLINE)
        assert_refused(result, 2, "no column 'text' (it has body)", "--text-column")

    def test_no_memory_for_a_plan(self, say: Say, documents: Path, tmp_path: Path) -> None:
        setting = "dedup.memory_gb=0.000001"
        result = say("dedup", documents, "--out", tmp_path / "out", "--set", setting, "-q", *INLINE)
        assert_refused(result, 1, "of memory for 6 documents", "give more memory")
        assert not list((tmp_path / "out").rglob("*.parquet"))

    def test_no_cluster_at_the_address(self, say: Say, documents: Path, tmp_path: Path) -> None:
        result = say("clean", documents, "--out", tmp_path / "out", "--address", "nonsense://x", "-q")
        assert_refused(result, 2, "no Ray cluster answers at nonsense://x")

    def test_nothing_left_of_the_documents(self, say: Say, tmp_path: Path) -> None:
        path = write_texts(tmp_path / "a.parquet", ["This is an English sentence, a rather long one."])
        result = say("identify", path, "--out", tmp_path / "out", "-q", *INLINE)
        assert result[0] == 0
        assert "none of 1 documents is left" in result[2]
        failing = say("identify", path, "--out", tmp_path / "out", "-q", "--fail-if-empty", *INLINE)
        assert failing[0] == 1
        assert "bukvar: identify: none of 1 documents is left" in failing[2]

    def test_an_internal_error_asks_for_a_report_and_debug_shows_the_traceback(
        self, say: Say, documents: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def crash(*_: object, **__: object) -> None:
            raise ZeroDivisionError("odd")

        monkeypatch.setattr("pipelines.engine.run_stage", crash)
        command = ["clean", str(documents), "--out", str(tmp_path / "out"), *INLINE]
        code, out, err = say(*command)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert "internal error: ZeroDivisionError: odd; run again with --debug" in err
        with pytest.raises(ZeroDivisionError):
            cli.run([*command, "--debug"])

    def test_debug_shows_the_traceback_of_a_failed_task(
        self, say: Say, documents: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        documents.with_name("b.parquet").write_bytes(b"junk")
        command = ["clean", str(documents.parent), "--out", str(tmp_path / "out"), *INLINE]
        assert "Traceback" not in say(*command)[2]
        assert say(*command, "--quiet")[2].count("not a readable Parquet") == 1
        assert say(*command)[2].count("not a readable Parquet") == 1
        with pytest.raises(StageFailedError, match="1 shard failed"):
            cli.run([*command, "--debug"])
        assert "Traceback" in capsys.readouterr().err


class TestTerminals:
    def test_letters_that_an_ascii_terminal_lacks_are_escaped(self, documents: Path) -> None:
        environment = os.environ | {"PYTHONIOENCODING": "ascii"}
        done = subprocess.run(
            [sys.executable, "-m", "bukvar", "inspect", str(documents), "--limit", "1"],
            cwd=ROOT, env=environment, capture_output=True, check=True,
        )  # fmt: skip
        assert rb"\u042d\u0442\u043e" in done.stdout
        assert done.stdout.startswith(b"---")
        assert done.stderr == b""

    @pytest.mark.parametrize("columns", ["60", "80"])
    def test_names_of_stages_and_reasons_are_whole_on_a_narrow_one(
        self, columns: str, documents: Path, tmp_path: Path, say: Say, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", columns)
        command = ["identify", str(documents), "--out", str(tmp_path / "out"), *INLINE]
        rules = ["--set", "identify.min_letters=1000"]
        out = say(*command, *rules, "--dry-run")[1] + say(*command, *rules, "-q")[1]
        out += say(*command, *rules, "-q")[1]
        assert "identify" in out
        assert "  too_short_for_language" in out
        assert "…" not in out

    def test_a_reader_that_ends_early_is_no_error(self, documents: Path) -> None:
        command = f"{sys.executable} -m bukvar inspect {documents} --full | head -n 1"
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command], cwd=ROOT, capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, b"")

    @pytest.mark.parametrize("command", ["--help", "inspect {}", "mask {} --out {}.out --executor inline -q"])
    def test_nor_is_one_that_is_gone_before_the_first_line(self, command: str, documents: Path) -> None:
        words = command.replace("{}", str(documents)).split()
        with subprocess.Popen(
            [sys.executable, "-m", "bukvar", *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            assert (process.stderr.read(), process.wait()) == (b"", 0)


class TestFullDisk:
    """A real one: a small tmpfs where mounting is allowed, else a limit on the size of files."""

    @pytest.fixture
    def small_disk(self, tmp_path: Path) -> object:
        folder = tmp_path / "disk"
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("a small disk is mounted, which needs rights that are missing here")
        yield folder
        subprocess.run(["umount", "-l", str(folder)], check=True)

    @pytest.mark.parametrize("stage", ["clean", "dedup"])
    def test_is_one_line_and_the_same_command_goes_on_when_there_is_room(
        self, say: Say, tmp_path: Path, small_disk: Path, stage: str
    ) -> None:
        import random

        draw = random.Random(1)
        for n in range(8):
            texts = ["".join(chr(draw.randrange(0x430, 0x450)) for _ in range(3000)) for _ in range(20)]
            write_texts(tmp_path / f"in/{n}.parquet", texts)
        command = [stage, tmp_path / "in", "--out", small_disk / "out", "-q", *INLINE]
        assert_refused(say(*command), 1, "the disk is full; free some space and run the same command again")
        assert not list(small_disk.rglob("*.partial"))
        for shard in (small_disk / "out").glob("*.parquet"):
            pq.read_table(shard)  # what has a final name is whole
        subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
        assert say(*command)[0] == 0
        assert say(stage, tmp_path / "in", "--out", tmp_path / "fresh", "-q", *INLINE)[0] == 0
        assert contents(small_disk / "out") == contents(tmp_path / "fresh")

    def test_simulated_at_any_write_leaves_nothing_under_a_final_name(
        self, say: Say, documents: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = pq.ParquetWriter.write_table

        def full(*_: object, **__: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
        command = ["clean", documents, "--out", tmp_path / "out", "-q", *INLINE]
        assert_refused(say(*command), 1, "the disk is full")
        assert not list((tmp_path / "out").rglob("*.parquet*"))
        monkeypatch.setattr(pq.ParquetWriter, "write_table", real)
        assert say(*command)[0] == 0

    def test_a_folder_without_rights_is_named(
        self, say: Say, documents: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(storage.Path, "mkdir", refuse)
        result = say("clean", documents, "--out", tmp_path / "out", "-q", *INLINE)
        assert_refused(result, 1, "no permission", "choose another folder")
