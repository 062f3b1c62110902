"""Documentation is executed: what a page shows runs.

In README.md, README.ru.md and all pages of docs, blocks marked

- `python` are programs. The blocks of a page run in order in one namespace, in a folder that holds nothing
  but the project's tests/, since pages read the bundled crawl.
- `console` are sessions: each line that begins with `$ bukvar` or `$ python -m` runs in that folder.
- `toml` with a section of a recipe is loaded as a recipe.

An HTML comment `<!-- not run: why -->` on the line before a block leaves it out. Blocks of other kinds (`sh`
for commands that need what a test has not, such as make and a cluster) are read: every `bukvar` command in
them has to be one that there is, with options that there are.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from pipelines import cli, recipe

ROOT = Path(__file__).parent.parent
PAGES = [p for p in (ROOT / "README.md", ROOT / "README.ru.md") if p.exists()] + sorted(
    ROOT.glob("docs/**/*.md")
)


@dataclass(frozen=True)
class Block:
    kind: str
    line: int
    text: str
    run: bool


def blocks(page: Path) -> Iterator[Block]:
    """Fenced blocks of a page with the line at which their text begins (from 1)."""
    kind, first, before, lines = None, 0, "", []
    for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        if kind is None and (opened := re.match(r"\s*```(\w*)", line)):
            kind, first, lines = opened.group(1), number + 1, []
            runs = not re.match(r"\s*<!-- not run: \S.* -->", before)
        elif kind is not None and re.match(r"\s*```\s*$", line):
            yield Block(kind, first, "\n".join(lines), runs)
            kind = None
        elif kind is not None:
            lines.append(line)
        if line.strip() and kind is None:
            before = line
    assert kind is None, f"{page.name}: a block is not closed"


def pages_with(kind: str) -> list[Path]:
    return [page for page in PAGES if any(b.kind == kind and b.run for b in blocks(page))]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    return tmp_path


@pytest.mark.parametrize("page", pages_with("python"), ids=name)
def test_python_blocks_run_in_order(page: Path, folder: Path) -> None:
    program = folder / "page.py"
    parts: list[str] = []
    for block in blocks(page):
        if block.kind == "python" and block.run:
            text = "\n" * max(0, block.line - 1 - "".join(parts).count("\n")) + block.text + "\n"
            parts.append(text)
    # Errors name the page's own lines, and spawned processes find the program's file.
    program.write_text("".join(parts), "utf-8")
    done = run([sys.executable, "-W", "error::DeprecationWarning:__main__", str(program)], folder)
    assert done.returncode == 0, f"{name(page)}: {done.stderr}"


@pytest.mark.parametrize("page", pages_with("console"), ids=name)
def test_console_blocks_run(page: Path, folder: Path) -> None:
    for block in blocks(page):
        if block.kind != "console" or not block.run:
            continue
        for line in re.sub(r"\\\n", " ", block.text).splitlines():
            command = line.removeprefix("$ ")
            if line.startswith("$ bukvar "):
                words = [sys.executable, "-m", "pipelines.cli", *shlex.split(command)[1:]]
            elif line.startswith("$ python -m "):
                words = [sys.executable, *shlex.split(command)[1:]]
            else:
                continue
            done = run(words, folder)
            assert done.returncode == 0, f"{name(page)}:{block.line}: {command}\n{done.stderr}"


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=240
    )


@pytest.mark.parametrize("page", pages_with("toml"), ids=name)
def test_toml_blocks_are_recipes(page: Path, tmp_path: Path) -> None:
    for number, block in enumerate(b for b in blocks(page) if b.kind == "toml" and b.run):
        path = tmp_path / f"{number}.toml"
        path.write_text(block.text, "utf-8")
        recipe.load(str(path))


def commands(page: Path) -> list[tuple[int, list[str]]]:
    """Every `bukvar ...` of a page's shell blocks, and of its inline code, with its line."""
    found = []
    for block in blocks(page):
        if block.kind in ("sh", "bash", "console"):
            for number, line in enumerate(re.sub(r"\\\n", "  ", block.text).splitlines(), block.line):
                line = line.removeprefix("$ ")
                if line.startswith("bukvar "):
                    found.append((number, shlex.split(line, comments=True)[1:]))
    return found


@pytest.mark.parametrize("page", [p for p in PAGES if commands(p)], ids=name)
def test_shell_blocks_name_commands_and_options_that_there_are(page: Path) -> None:
    for line, words in commands(page):
        group = cli.bukvar
        context = click.Context(group)
        command = group.get_command(context, words[0])
        where = f"{name(page)}:{line}: bukvar {' '.join(words)}"
        assert command is not None, where
        command.make_context(words[0], words[1:], resilient_parsing=False)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", page.read_text("utf-8"))
    broken = [link for link in links if not (page.parent / link).exists()]
    assert not broken


def test_blocks_are_found_with_their_lines(tmp_path: Path) -> None:
    """The reader of pages itself: kinds, lines, and blocks that are left out."""
    page = tmp_path / "page.md"
    page.write_text(
        "a\n```python\nx = 1\n```\n<!-- not run: needs a GPU -->\n```python\ny\n```\n```sh\nz\n```\n"
    )
    assert [(b.kind, b.line, b.text, b.run) for b in blocks(page)] == [
        ("python", 3, "x = 1", True),
        ("python", 7, "y", False),
        ("sh", 10, "z", True),
    ]


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as a forge makes them."""
    headings = re.findall(r"(?m)^#+ +(.+)$", page.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        place, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", place):
            continue
        other = (page.parent / place).resolve() if place else page
        if not other.exists() or (anchor and other.suffix == ".md" and anchor not in anchors(other)):
            wrong.append(target)
    assert not wrong


#: Bytes of a page: one task. Measurements lie in docs/measured.
GUIDE = 10_240


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/*.md")), ids=name)
def test_a_guide_is_short(page: Path) -> None:
    assert page.stat().st_size <= GUIDE
