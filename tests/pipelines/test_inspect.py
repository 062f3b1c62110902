"""`bukvar inspect` and `bukvar status`: what lies in a stage's folder, shown to a person or as JSON."""

import json
import os
import socket
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus import storage
from corpus.stage import Task
from pipelines import cli
from pipelines.engine import Job, StageFailedError, run_stage
from pipelines.execute import Outcome, run_inline
from pipelines.progress import Silent
from tests.pipelines.stages import Shorten, inputs_of, write_texts

Json = Callable[..., list[dict[str, object]]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A stage's folder: texts of 1 to 6 letters, of which those below 3 are dropped."""
    write_texts(tmp_path / "in/a.parquet", ["а" * n for n in range(1, 7)])
    run_stage(
        Job(Shorten(), inputs_of((tmp_path / "in").iterdir()), str(tmp_path / "out")), run_inline, Silent()
    )
    return tmp_path / "out"


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Json:
    """Rows that a command prints as JSON."""

    def run(*arguments: object) -> list[dict[str, object]]:
        assert cli.run([*map(str, arguments), "--json"]) == 0
        found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
        return found

    return run


class TestInspect:
    def test_shows_kept_documents_with_their_columns(self, folder: Path, ask: Json) -> None:
        rows = ask("inspect", folder)
        assert [r["letters"] for r in rows] == [3, 4, 5, 6]
        assert rows[0]["text"] == "ааа"

    def test_shows_dropped_rows_with_reason_and_values(self, folder: Path, ask: Json) -> None:
        rows = ask("inspect", folder, "--dropped")
        assert [(r["drop"], r["drop_detail"]) for r in rows] == [("too_few_words", "short")] * 2

    def test_selects_by_reason_without_saying_dropped(self, folder: Path, ask: Json) -> None:
        assert len(ask("inspect", folder, "--reason", "too_few_words")) == 2
        assert ask("inspect", folder, "--reason", "not_russian") == []

    def test_selects_by_the_beginning_of_an_id(self, folder: Path, ask: Json) -> None:
        identity = str(ask("inspect", folder)[1]["doc_id"])
        assert [r["doc_id"] for r in ask("inspect", folder, "--id", identity[:9].upper())] == [identity]

    def test_selects_by_query_and_by_text(self, folder: Path, ask: Json) -> None:
        assert [r["letters"] for r in ask("inspect", folder, "--where", "letters > 4")] == [5, 6]
        assert [r["letters"] for r in ask("inspect", folder, "--grep", "а{6}")] == [6]

    def test_counts_what_matches(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.run(["inspect", str(folder), "--where", "letters > 4", "--count"]) == 0
        assert capsys.readouterr().out == "2\n"

    def test_draws_a_sample_by_seed(self, folder: Path, ask: Json) -> None:
        drawn = {
            tuple(r["letters"] for r in ask("inspect", folder, "--sample", 2, "--seed", n)) for n in range(20)
        }
        assert len(drawn) > 3
        assert all(len(letters) == 2 for letters in drawn)
        assert ask("inspect", folder, "--sample", 2) == ask("inspect", folder, "--sample", 2, "--seed", 0)

    def test_a_host_of_rows_that_have_no_address_is_refused(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = write_texts(tmp_path / "x.parquet", ["слово"])
        assert cli.run(["inspect", str(path), "--host", "e.ru"]) == 2
        assert "neither a column 'host' nor 'url'; there are text" in capsys.readouterr().err

    def test_reads_a_published_dataset_and_what_publishing_dropped(
        self, tmp_path: Path, ask: Json, capsys: pytest.CaptureFixture[str]
    ) -> None:
        write_texts(
            tmp_path / "in/a.parquet",
            ["Слово о полку.", "Второе слово."],
            url=["http://e.ru/1", "http://b.ru/2"],
            noai=[False, True],
        )
        arguments = [
            "publish",
            str(tmp_path / "in"),
            "--to",
            str(tmp_path / "set"),
            "--executor",
            "inline",
            "-q",
        ]
        assert cli.run(arguments) == 0
        capsys.readouterr()
        assert [r["url"] for r in ask("inspect", tmp_path / "set", "--where", "text LIKE 'Слово%'")] == [
            "http://e.ru/1"
        ]
        assert [r["url"] for r in ask("inspect", tmp_path / "set", "--dropped")] == ["http://b.ru/2"]

    def test_pages_by_skip_and_limit(self, folder: Path, ask: Json) -> None:
        assert [r["letters"] for r in ask("inspect", folder, "--skip", "1", "--limit", "2")] == [4, 5]

    def test_reads_any_parquet_file(self, tmp_path: Path, ask: Json) -> None:
        path = write_texts(tmp_path / "x.parquet", ["слово"])
        assert ask("inspect", path) == [{"text": "слово"}]

    def test_prints_texts_for_a_person(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.run(["inspect", str(folder), "--dropped"]) == 0
        assert "dropped: too_few_words (short)" in capsys.readouterr().out

    def test_shows_dates_that_python_has_no_type_for(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        far = pa.array([2**62, 0], pa.timestamp("us"))
        nested = pa.StructArray.from_arrays([far], names=["at"])
        table = pa.table({"text": ["а", "б"], "doc_id": ["[/x]", "[b]"], "at": far, "nested": nested})
        pq.write_table(table, tmp_path / "x.parquet")
        assert cli.run(["inspect", str(tmp_path / "x.parquet")]) == 0
        out = capsys.readouterr().out
        assert "1970-01-01" in out
        assert "[/x]" in out
        assert "out of range" in out

    def test_brackets_in_texts_and_urls_are_no_markup(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = write_texts(tmp_path / "x.parquet", ["[bold]слово[/] [/red]"], url=["http://e.ru/[a]"])
        assert cli.run(["inspect", str(path)]) == 0
        out = capsys.readouterr().out
        assert "[bold]слово[/] [/red]" in out
        assert "http://e.ru/[a]" in out

    def test_says_where_nothing_matches(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.run(["inspect", str(folder), "--where", "letters > 99"]) == 0
        assert capsys.readouterr() == ("", "nothing matches\n")

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            (["--where", "leters > 4"], "did you mean 'letters'?"),
            (["--where", "letters > 'a'"], "write it like"),
            (["--where", " "], "an empty condition"),
            (["--grep", "("], "not a regular expression"),
            (["--id", "xyz"], "hexadecimal digits"),
            (["--host", "http://e.ru/"], "no name of a host"),
            (["--sample", "3", "--limit", "3"], "leave --limit and --skip out"),
            (["--seed", "3"], "add --sample N"),
        ],
    )
    def test_what_is_wrong_is_one_line(
        self, folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], says: str
    ) -> None:
        assert cli.run(["inspect", str(folder), *options]) == 2
        err = capsys.readouterr().err
        assert says in err
        assert err.count("\n") == 1

    def test_a_folder_without_parquet_is_refused(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.run(["inspect", str(tmp_path)]) == 2
        assert "name a stage's folder" in capsys.readouterr().err


class TestMistakes:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--reason", "too_few_wrds"], "did you mean too_few_words?"),
            (["--reason", "zzzz"], "choose from "),
        ],
    )
    def test_a_reason_that_no_stage_gives_names_those_there_are(
        self, folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
    ) -> None:
        assert cli.run(["inspect", str(folder), *arguments]) == 2
        assert said in capsys.readouterr().err

    @pytest.mark.parametrize("name", ["a.jsonl", "a.warc.gz", "a.parquet"])
    def test_what_is_no_parquet_is_one_line(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
    ) -> None:
        (tmp_path / name).write_text('{"text": "a"}\n')
        assert cli.run(["inspect", str(tmp_path / name)]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert "not " in said
        assert "internal" not in said


class TestPrinted:
    def test_of_the_quality_signals_those_show_that_decided_or_are_asked_for(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        signals = {name: [0.5] for name in ("comma_ratio", "dash_ratio", "stop_ratio")}
        write_texts(
            tmp_path / "a.parquet", ["слово"], words=[7], drop=["high_dash_ratio"],
            drop_detail=["dash_ratio=0.5 > 0.1"], **signals,
        )  # fmt: skip
        for more, shown in (
            (["--where", "stop_ratio > 0"], "stop_ratio 0.5"),
            (["--full"], "comma_ratio 0.5"),
        ):
            assert cli.run(["inspect", str(tmp_path / "a.parquet"), *more]) == 0
            out = capsys.readouterr().out
            assert shown in out
            assert "words 7" in out
            assert "dash_ratio 0.5" in out
            assert ("comma_ratio" in out) == (more == ["--full"])
            assert ("(1 more quality signals" in out) == (more != ["--full"])


class TestStatus:
    def mark(self, folder: Path, **note: object) -> None:
        path = folder / "_running/00007.json"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(msgspec.json.encode({"host": socket.gethostname(), "started": 0} | note))

    def test_done_with_drops_by_reason(self, folder: Path, ask: Json) -> None:
        (stage,) = ask("status", folder)
        assert (stage["stage"], stage["state"], stage["tasks_done"]) == ("clean", "done", 1)
        assert (stage["rows_in"], stage["rows_out"]) == (6, 4)
        assert stage["dropped"] == {"too_few_words": 2}

    def test_running_where_the_marked_process_lives(self, folder: Path, ask: Json) -> None:
        self.mark(folder, pid=os.getpid())
        (stage,) = ask("status", folder)
        assert stage["state"] == "running"
        assert str(stage["running"]).startswith("['00007 on ")

    def test_interrupted_where_it_does_not(self, folder: Path, ask: Json) -> None:
        self.mark(folder, pid=2**22 + 1)  # above the largest number that Linux gives
        assert ask("status", folder)[0]["state"] == "interrupted"

    def test_a_task_that_ends_while_we_look_is_passed_over(
        self, folder: Path, ask: Json, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.mark(folder, pid=os.getpid())
        listed = storage.list_files

        def end(location: str, **how: bool) -> list[str]:
            found = listed(location, **how)
            (folder / "_running/00007.json").unlink(missing_ok=True)
            return found

        monkeypatch.setattr(storage, "list_files", end)
        assert ask("status", folder)[0]["state"] == "done"

    def test_a_process_of_another_machine_is_believed_while_it_gives_signs_of_life(
        self, folder: Path, ask: Json
    ) -> None:
        self.mark(folder, pid=1, host="elsewhere", seen=time.time())
        assert ask("status", folder)[0]["state"] == "running"
        self.mark(folder, pid=1, host="elsewhere", seen=time.time() - 3600)
        assert ask("status", folder)[0]["state"] == "interrupted"

    def test_interrupted_where_the_driver_was_killed_between_tasks(self, tmp_path: Path, ask: Json) -> None:
        for name in "abc":
            write_texts(tmp_path / f"in/{name}.parquet", [f"слово {name}"])
        job = Job(Shorten(), inputs_of((tmp_path / "in").iterdir()), str(tmp_path / "out"))

        def killed(tasks: Sequence[Task]) -> Generator[Outcome, None, None]:
            yield from run_inline(tasks[:1])
            (while_it_works,) = ask("status", tmp_path / "out")
            assert while_it_works["state"] == "running"
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run_stage(job, killed, Silent())
        (stage,) = ask("status", tmp_path / "out")
        assert (stage["state"], stage["tasks_done"], stage["tasks"]) == ("interrupted", 1, 3)
        run_stage(job, run_inline, Silent())
        (stage,) = ask("status", tmp_path / "out")
        assert (stage["state"], stage["tasks_done"], stage["tasks"]) == ("done", 3, 3)

    def test_stages_that_have_not_begun_are_planned(
        self, tmp_path: Path, ask: Json, capsys: pytest.CaptureFixture[str]
    ) -> None:
        write_texts(tmp_path / "in/a.parquet", ["слово"])
        inputs = inputs_of((tmp_path / "in").iterdir())
        run_stage(Job(Shorten(), inputs, str(tmp_path / "run/clean")), run_inline, Silent())
        (tmp_path / "run/_recipe.toml").write_text('[run]\nstages = ["clean", "filter", "decontaminate"]\n')
        found = {one["stage"]: one["state"] for one in ask("status", tmp_path / "run")}
        assert found == {"clean": "done", "filter": "planned", "decontaminate": "planned"}
        assert cli.run(["status", str(tmp_path / "run")]) == 0
        assert "decontaminate planned\n" in capsys.readouterr().out

    def test_failed_with_the_message(self, tmp_path: Path, ask: Json) -> None:
        write_texts(tmp_path / "in/a.parquet", ["слово"])
        (tmp_path / "in/b.parquet").write_bytes(b"junk")
        job = Job(Shorten(), inputs_of((tmp_path / "in").iterdir()), str(tmp_path / "out"))
        with pytest.raises(StageFailedError):
            run_stage(job, run_inline, Silent())
        (stage,) = ask("status", tmp_path / "out")
        assert stage["state"] == "failed"
        assert "not a readable Parquet file" in str(stage["failed"])

    def test_prints_lines_for_a_person(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.run(["status", str(folder)]) == 0
        out = capsys.readouterr().out
        assert "6 in       4 out  1 task" in out
        assert all(len(line) <= 60 for line in out.splitlines())
        assert "too_few_words" in out

    def test_a_folder_that_is_no_run_is_refused(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.run(["status", str(tmp_path)]) == 2
        assert "neither a run nor a stage's folder" in capsys.readouterr().err
