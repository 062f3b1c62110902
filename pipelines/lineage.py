"""Lineage: what each stage did to the documents, kept in each stage's folder, so that it travels with them.

`_lineage.json` of a folder holds the entries of the stages before it and its own. A card written from a
stage's folder alone says the same as one written by a whole run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from corpus import storage
from corpus.inputs import Input
from corpus.receipts import versions
from corpus.stage import Side, Stage, parameters
from pipelines.account import StageResult

FILE: Final = "_lineage.json"


@dataclass(frozen=True)
class Entry:
    """One stage: its parameters, what it read, kept and dropped, with the meaning of each reason."""

    stage: str
    version: int
    parameters: dict[str, Any]
    rows_in: int
    rows_out: int
    bytes_in: int
    bytes_out: int
    #: Of the first stage: how many files it read, and the names of some.
    inputs: int = 0
    sources: tuple[str, ...] = ()
    dropped: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


#: Names of inputs that an entry holds.
_SOURCES: Final = 20


def with_sources(entry: Entry, inputs: Iterable[Input]) -> Entry:
    """The entry of a first stage, with the names of what it read."""
    names = sorted({source.name for source in inputs})
    return replace(entry, inputs=len(names), sources=tuple(names[:_SOURCES]))


def entry_of(stage: Stage, sides: tuple[Side, ...], result: StageResult) -> Entry:
    """The entry of a stage that is done."""
    from corpus.table import READ_REASONS

    known = {**READ_REASONS, **stage.reasons}
    plain = msgspec.json.decode(msgspec.json.encode(parameters(stage, sides)))
    return Entry(
        stage=stage.name,
        version=stage.version,
        parameters=plain,
        rows_in=result.rows_in,
        rows_out=result.rows_out,
        bytes_in=result.bytes_in,
        bytes_out=result.bytes_out,
        dropped=result.dropped,
        skipped=result.skipped,
        reasons={reason: known.get(reason, "") for reason in result.dropped},
        versions=versions(),
    )


def read(folder: str) -> tuple[Entry, ...]:
    """The lineage of a stage's folder; nothing where there is none, or it is damaged."""
    try:
        return msgspec.json.decode(storage.read_bytes(storage.join(folder, FILE)), type=tuple[Entry, ...])
    except (storage.NotFoundError, msgspec.MsgspecError):
        return ()


def before(inputs: Iterable[Input]) -> tuple[Entry, ...]:
    """What was done to the documents of these inputs before: known where all lie in one stage's folder."""
    folders = {storage.parent(source.path) for source in inputs}
    return read(folders.pop()) if len(folders) == 1 else ()


def write(folder: str, entries: tuple[Entry, ...]) -> None:
    """Write a folder's lineage."""
    encoded = msgspec.json.format(msgspec.json.encode(entries), indent=1) + b"\n"
    storage.write_bytes(storage.join(folder, FILE), encoded)
