"""Whether the names corpus, tokenizer, pipelines and rust_ext are bukvar's alone.

A `tokenizer.py` beside a notebook is imported in place of ours: `check_shadows`. PyPI holds packages of these
names, and pip overwrites files without a word, so the command looks before it works: `check_names`.
That look reads the RECORD of every installed distribution as bytes (10 ms for a hundred of them, where
importlib.metadata.packages_distributions takes 250); a test holds it against that function.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final

OURS: Final = ("corpus", "tokenizer", "pipelines", "rust_ext")


def shadows(folder: Path = Path(__file__).parent.parent) -> dict[str, str]:
    """Our top-level names -> the file or folder of another's that Python imports under that name instead."""
    found: dict[str, str] = {}
    for name in OURS:
        spec = PathFinder.find_spec(name)
        place = Path(spec.origin) if spec and spec.origin else None
        if place is None or place.parent.resolve() == (folder / name).resolve():
            continue
        found[name] = str(place.parent if place.name == "__init__.py" else place)
    return found


def check_shadows() -> None:
    """Raise ImportError where another file has one of our names and is found before ours."""
    for name, place in shadows().items():
        raise ImportError(
            f"{place} hides bukvar's package {name!r}: rename it, or start Python in another folder"
        )


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
    """Raise click.UsageError where a name of ours also belongs to another file or distribution."""
    import click  # `import pipelines` asks for `check_shadows` only

    try:
        check_shadows()
    except ImportError as error:
        raise click.UsageError(str(error)) from error
    for name, owner in sorted(foreign_owners().items()):
        raise click.UsageError(
            f"the package {name!r} of the distribution {owner!r} is mixed with bukvar's; run "
            f"`pip uninstall {owner}` and then `pip install --force-reinstall --no-deps bukvar`"
        )
