"""Run the benchmarks: what each measures, and all or some of them one after the other.

    BUKVAR_DATA=DIR python -m tests.bench             all, one after the other, each in a process of its own
    BUKVAR_DATA=DIR python -m tests.bench decode warc    those
    python -m tests.bench --list                      their names and what they say of themselves

Each is a program with options of its own: `python -m tests.bench.bench_NAME --help` or its docstring. DIR
holds the pages and texts; a benchmark that lacks its part of them says so. Exit code 1 where one failed.
"""

from __future__ import annotations

import argparse
import ast
import os
import subprocess
import sys
from pathlib import Path

from tests.bench.vocabulary_texts import baselines

HERE = Path(__file__).parent
#: Arguments of those that measure several things, or that want some; {baselines}: other makers' tokenizers.
PARTS: dict[str, list[list[str]]] = {
    "content": [["--peers", "tests/bench/peers/target/release/content-peers"]],
    "decode": [["charsets"], ["authors"], ["speed"]],
    "dedup": [["sign"], ["quality"], ["scale"], ["resolve"]],
    "gate": [["speed"], ["keep", "--pages", "150"]],
    "hostile": [["{baselines}/openai_o200k_base"]],
    "options": [["penalty"], ["constraints"]],
    "repair": [["damage"], ["clean"], ["speed"]],
    "vocabularies": [["--work", ".bench/vocabularies", "--out", ".bench/vocabularies/out"]],
}
#: What wants a file of the user's, or the better part of an hour, and runs only where it is called by itself.
ALONE = ("adapt_model", "adapt_weights", "content_agreement", "lm", "train_stream")


def names() -> list[str]:
    return sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))


def first_line(name: str) -> str:
    text = ast.get_docstring(ast.parse((HERE / f"bench_{name}.py").read_text("utf-8")))
    return (text or "").partition("\n\n")[0].replace("\n", " ")


def run(name: str, arguments: list[str]) -> bool:
    command = [sys.executable, "-m", f"tests.bench.bench_{name}", *arguments]
    print("\n$", "python", *command[1:], flush=True)
    return subprocess.run(command, check=False, cwd=HERE.parent.parent).returncode == 0


def measured(name: str) -> bool:
    """Run all parts, also those behind one that failed."""
    done = [run(name, [a.format(baselines=baselines()) for a in part]) for part in PARTS.get(name, [[]])]
    return all(done)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="which; all where none is named")
    parser.add_argument("--list", action="store_true", help="say what there is")
    given = parser.parse_args()
    if unknown := sorted(set(given.names) - set(names())):
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(names())}")
    if alone := sorted(set(given.names) & set(ALONE)):
        parser.error(f"{', '.join(alone)} wants arguments; see python -m tests.bench.bench_{alone[0]} --help")
    if given.list:
        for name in names():
            print(f"{name:<14} {first_line(name)}")
        return
    if not os.environ.get("BUKVAR_DATA"):
        parser.error("set BUKVAR_DATA to the folder with pages and texts to measure on")
    chosen = given.names or [name for name in names() if name not in ALONE]
    failed = [name for name in chosen if not measured(name)]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
