"""`--log`: JSON lines of any command, from its beginning to its end, by level."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from pipelines import cli, command_log
from tests.pipelines.stages import write_texts


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def clean(tmp_path: Path) -> list[str]:
    """A command over two files, of which one can't be read."""
    write_texts(tmp_path / "in/a.parquet", ["слово и ещё одно слово"])
    return ["clean", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--executor", "inline"]


def test_a_stage_s_tasks_stand_between_beginning_and_end(clean: list[str], tmp_path: Path) -> None:
    assert cli.run([*clean, "--log", str(tmp_path / "l.jsonl")]) == 0
    found = lines(tmp_path / "l.jsonl")
    events = [one["event"] for one in found]
    assert events == ["command_begun", "phase_begun", "task_done", "phase_ended", "command_ended"]
    assert found[0]["arguments"][0] == "clean"
    assert (found[2]["rows_in"], found[2]["rows_out"]) == (1, 1)
    assert found[-1]["exit_code"] == 0
    assert all(one["timestamp"] and one["level"] for one in found)


def test_a_failure_says_why_and_how_it_ended(clean: list[str], tmp_path: Path) -> None:
    (tmp_path / "in/b.parquet").write_bytes(b"junk")
    assert cli.run([*clean, "--log", str(tmp_path / "l.jsonl"), "--log-level", "debug"]) == 1
    found = {one["event"]: one for one in lines(tmp_path / "l.jsonl")}
    assert "not a readable Parquet file" in found["task_failed"]["message"]
    assert "Traceback" in found["task_trace"]["trace"]
    assert found["command_failed"]["level"] == "error"
    assert found["command_ended"]["exit_code"] == 1


def test_levels_leave_out_what_is_below(clean: list[str], tmp_path: Path) -> None:
    (tmp_path / "in/b.parquet").write_bytes(b"junk")
    assert cli.run([*clean, "--log", str(tmp_path / "l.jsonl"), "--log-level", "error"]) == 1
    assert [one["event"] for one in lines(tmp_path / "l.jsonl")] == ["task_failed", "command_failed"]


def test_on_stderr_there_are_json_lines_and_nothing_else(
    clean: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in/b.parquet").write_bytes(b"junk")
    assert cli.run([*clean, "--log", "-"]) == 1
    found = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {"command_begun", "task_failed", "command_failed", "command_ended"} <= {
        one["event"] for one in found
    }


def test_commands_of_one_job_share_a_file(clean: list[str], tmp_path: Path) -> None:
    log = ["--log", str(tmp_path / "l.jsonl")]
    assert cli.run([*clean, *log]) == 0
    assert cli.run(["status", str(tmp_path / "out"), *log]) == 0
    assert cli.run(["why", "http://a.ru/", str(tmp_path / "nowhere"), *log]) == 2
    ended = [one for one in lines(tmp_path / "l.jsonl") if one["event"] == "command_ended"]
    assert [(one["command"], one["exit_code"]) for one in ended] == [
        ("bukvar clean", 0),
        ("bukvar status", 0),
        ("bukvar why", 2),
    ]


def test_no_password_of_an_address_is_written(tmp_path: Path) -> None:
    log = ["--log", str(tmp_path / "l.jsonl")]
    assert cli.run(["why", "http://me:secret@a.ru/", "s3://key:word@nowhere?secret_key=abc", *log]) != 0
    text = (tmp_path / "l.jsonl").read_text()
    assert all(secret not in text for secret in ("me:secret", "key:word", "abc"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--log", "s3://bucket/log"], "takes a local file"),
        (["--log", "/proc/nowhere/log"], "No such file"),
        (["--log-level", "info"], "add --log FILE"),
        (["--log", "x", "--log-level", "loud"], "'debug', 'info', 'warning', 'error'"),
    ],
)
def test_what_can_t_be_a_log_is_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], says: str
) -> None:
    assert cli.run(["status", str(tmp_path), *options]) == 2
    assert says in capsys.readouterr().err
    assert command_log.current() is None


def test_every_command_takes_it() -> None:
    lacking = []

    def look(name: str, command: click.Command) -> None:
        if isinstance(command, click.Group):
            for below in command.list_commands(click.Context(command)):
                found = command.get_command(click.Context(command), below)
                if found is not None:
                    look(f"{name} {below}", found)
        elif not any("--log" in one.opts for one in command.params):
            lacking.append(name)

    look("bukvar", cli.bukvar)
    assert lacking == []
