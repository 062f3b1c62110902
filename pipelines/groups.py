"""Groups of documents (languages, sources) in training: who belongs to which, and what each counts for.

Counts of several groups travel between phases as one file: an uncompressed zip of counts files, named by
number, and `groups.json`, the names in order. Its bytes depend on the counts alone.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from corpus.errors import ShardError, UsageError
from corpus.inputs import Input

#: Value of `train.groups` that is no column.
FOLDER: Final = "folder"
#: More groups than anybody has languages or sources: the column names something else.
MOST: Final = 64
_NAMES: Final = "groups.json"
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)


def folder_of(source: Input) -> str:
    """The folder that was named on the command line; of a file that was named itself, its name up to the
    first dot."""
    folder, slash, _ = source.name.partition("/")
    return folder if slash else folder.partition(".")[0]


def parse_weights(weights: Sequence[str]) -> dict[str, float]:
    """`GROUP=NUMBER` texts as a mapping. Raises ValueError for anything else and numbers not above 0."""
    found: dict[str, float] = {}
    for one in weights:
        name, equals, number = one.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            value = 0.0
        if not equals or not 0 < value < float("inf") or name in found:
            raise ValueError(f"train.weights: {one!r} is not GROUP=NUMBER, above 0, each group once")
        found[name] = value
    return found


def factors(sizes: Mapping[str, int], weights: Mapping[str, float]) -> dict[str, float]:
    """By what each group's counts are multiplied so that its bytes stand in the proportion of its weight. The
    smallest is 1: none is multiplied down, or its rare pretokens would be rounded away.

    Raises UsageError unless every group that has text has a weight, and the other way round.
    """
    there = sorted(group for group, size in sizes.items() if size)
    if sorted(weights) != there:
        raise UsageError(
            f"train.weights names {', '.join(sorted(weights))}; the groups of the input are "
            f"{', '.join(map(repr, there[:12])) or 'none'}"
        )
    wanted = {group: weights[group] / sizes[group] for group in there}
    least = min(wanted.values())
    return {group: value / least for group, value in wanted.items()}


def check_number(groups: Iterable[str], column: str, where: str) -> None:
    """Raise ShardError where a column has more values than there can be groups."""
    if len(set(groups)) > MOST:
        raise ShardError(
            f"{where}: the column {column!r} has more than {MOST} values; name one that tells languages or "
            "sources apart"
        )


def pack(parts: Mapping[str, Path], out: Path) -> None:
    """One file of several groups' counts."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(_NAMES, _LONG_AGO), msgspec.json.encode(list(parts)))
        for number, path in enumerate(parts.values()):
            entry = zipfile.ZipInfo(f"{number:05d}.counts", _LONG_AGO)
            with archive.open(entry, "w", force_zip64=True) as target, path.open("rb") as source:
                while piece := source.read(1 << 20):
                    target.write(piece)


def unpack(path: Path, scratch: Path) -> dict[str, Path]:
    """The counts files that `pack` put together, by group, copied into a folder."""
    with zipfile.ZipFile(path) as archive:
        names = msgspec.json.decode(archive.read(_NAMES), type=list[str])
        home = scratch / f"{path.name}-parts"
        archive.extractall(home)
    return {group: home / f"{number:05d}.counts" for number, group in enumerate(names)}
