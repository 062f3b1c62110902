"""Guard against other people's packages that are also named corpus, tokenizer or pipelines.

PyPI holds such packages, and pip overwrites files without a word, so the command looks before it works.
The look reads the RECORD of every installed distribution as bytes (10 ms for a hundred of them, where
importlib.metadata.packages_distributions takes 250); a test holds it against that function.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import click

OURS: Final = ("corpus", "tokenizer", "pipelines", "rust_ext")


def foreign_owners(folders: Iterable[str] | None = None) -> dict[str, str]:
    """Our top-level names -> another installed distribution with files under it, where there is one."""
    found: dict[str, str] = {}
    for folder in sys.path if folders is None else folders:
        for record in Path(folder or ".").glob("*.dist-info/RECORD"):
            owner = record.parent.name.partition("-")[0]
            if owner == "bukvar":
                continue
            lines = b"\n" + record.read_bytes()
            for name in OURS:
                if b"\n%s/" % name.encode() in lines or b"\n%s.py," % name.encode() in lines:
                    found.setdefault(name, owner)
    return found


def check_names() -> None:
    """Raise UsageError where a name of ours also belongs to another distribution."""
    for name, owner in sorted(foreign_owners().items()):
        raise click.UsageError(
            f"the package {name!r} of the distribution {owner!r} is mixed with bukvar's; run "
            f"`pip uninstall {owner}` and then `pip install --force-reinstall --no-deps bukvar`"
        )
