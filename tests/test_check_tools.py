"""What a machine lacks is said in one line with the command that mends it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOOLS = ("bash", "sed", "head", "sort", "printf")


def machine(folder: Path, **tools: str | None) -> dict[str, str]:
    """An environment whose PATH has only the plain tools and these, scripts of one line (None: missing)."""
    folder.mkdir()
    for tool in TOOLS:
        for place in os.environ["PATH"].split(os.pathsep):
            if (Path(place) / tool).exists():
                (folder / tool).symlink_to(Path(place) / tool)
                break
    have = {"cargo": "echo cargo 1.95.0", "python3": f'exec {sys.executable} "$@"', "cc": "true"} | tools
    for name, line in have.items():
        if line is not None:
            (folder / name).write_text(f"#!{folder / 'bash'}\n{line}\n")
            (folder / name).chmod(0o755)
    return {"PATH": str(folder)}


def say(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [f"{environment['PATH']}/bash", str(ROOT / "scripts/check-tools"), "python3"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_nothing_is_said_of_a_machine_that_has_all(tmp_path: Path) -> None:
    done = say(machine(tmp_path / "bin"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("lacks", "says", "mend"),
    [
        ({"python3": None}, "no python3", "apt-get install python3 python3-venv"),
        (
            {"python3": 'case "$*" in *version_info*) exit 1;; *) echo Python 3.9.2;; esac'},
            "Python 3.9.2 is too old",
            "make PYTHON=python3.12",
        ),
        ({"python3": 'case "$*" in *venv*) exit 1;; esac'}, "venv", "apt-get install python3-venv"),
        ({"cargo": None}, "no cargo", "https://sh.rustup.rs"),
        ({"cargo": "echo 'cargo 1.75.0 (1d8 2023-11-20)'"}, "cargo 1.75 is too old", "rustup update stable"),
        ({"cc": None}, "no C compiler", "apt-get install gcc"),
    ],
    ids=["no python", "old python", "no venv", "no cargo", "old cargo", "no compiler"],
)  # fmt: skip
def test_what_is_missing_is_one_line_with_the_command_that_mends_it(
    tmp_path: Path, lacks: dict[str, str | None], says: str, mend: str
) -> None:
    done = say(machine(tmp_path / "bin", **lacks))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("bukvar: ")
    assert says in done.stderr
    assert mend in done.stderr
