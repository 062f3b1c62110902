"""What a stage did: sums over its receipts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from corpus import storage
from corpus.inputs import is_shard
from corpus.receipts import DROPPED, Receipt


@dataclass(frozen=True)
class StageResult:
    """What a stage did, this time and in all: the sums are over all receipts, done now or before."""

    stage: str
    folder: str
    tasks: int
    done_before: int
    rows_in: int
    rows_out: int
    dropped: dict[str, int]
    skipped: dict[str, int] = field(default_factory=dict)
    bytes_in: int = 0
    bytes_out: int = 0
    seconds: float = 0.0
    #: Inputs of others in which there was no record at all, and what a person should know of others, by name.
    without_records: tuple[str, ...] = ()
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def worked(self) -> int:
        """Tasks that were done now, not by an earlier command."""
        return self.tasks - self.done_before

    def empty(self) -> str:
        """Why no document came out."""
        if not self.rows_in and self.skipped:
            return (
                f"{self.stage}: no documents: all records are of kinds that hold none ({_most(self.skipped)})"
            )
        if not self.rows_in:
            return f"{self.stage}: no documents: there is no record in what it read"
        said = f"{self.stage}: none of {self.rows_in} documents is left ({_most(self.dropped)})"
        if storage.list_files(storage.join(self.folder, DROPPED)):  # `encode` and others only count them
            said += f"; read them with `bukvar inspect {self.folder} --dropped`"
        return said

    def remarks(self) -> list[str]:
        """What a person should know beside the funnel, a line each."""
        said = [f"{self.stage}: {name}: {text}" for name, text in sorted(self.notes.items())]
        noted = {name.rpartition(": ")[0] for name in self.notes}
        empty = [name for name in self.without_records if name not in noted]
        if empty:
            more = f" and {len(empty) - 5} more" if len(empty) > 5 else ""
            said.append(f"{self.stage}: no record in {', '.join(empty[:5])}{more}")
        if self.documents_are_gone:
            said.append(self.empty())
        return said

    @property
    def documents_are_gone(self) -> bool:
        """Whether it read or should have read documents and none came out."""
        return not self.rows_out and bool(self.rows_in or self.without_records or self.skipped)


def _most(counts: dict[str, int]) -> str:
    """The three largest of some counts by name, for a message."""
    worst = sorted(counts.items(), key=lambda item: -item[1])[:3]
    return ", ".join(f"{name} {count}" for name, count in worst)


@dataclass(frozen=True)
class Run:
    """What a stage may say of the run that it belongs to: title, what the stages before it did, recipe."""

    title: str
    results: tuple[StageResult, ...] = ()
    recipe: str = ""


def summarize(
    stage: str, folder: str, receipts: Iterable[Receipt], tasks: int = 0, before: int = 0
) -> StageResult:
    """Fold receipts into sums: documents by the phases that write shards, seconds by all."""
    dropped: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    sums = Counter[str]()
    empty: list[str] = []
    notes: dict[str, str] = {}
    seconds, count = 0.0, 0
    for receipt in receipts:
        count += 1
        seconds += receipt.seconds
        names = ", ".join(i.name for i in receipt.inputs[:3])
        for kind, text in receipt.notes.items():
            of_several = f"{receipt.name}: {kind}" if notes.get(kind, text) != text else kind
            notes[f"{names}: {kind}" if len(receipt.inputs) == 1 else of_several] = text
        if not receipt.documents:
            continue
        given = [i.name for i in receipt.inputs if not is_shard(i.name)]
        if given and not receipt.rows_in and not receipt.skipped:
            empty.append(names)
        dropped.update(receipt.dropped)
        skipped.update(receipt.skipped)
        sums.update(
            rows_in=receipt.rows_in,
            rows_out=receipt.rows_out,
            bytes_in=receipt.bytes_in,
            bytes_out=receipt.bytes_out,
        )
    return StageResult(
        stage=stage,
        folder=folder,
        tasks=tasks or count,
        done_before=before,
        dropped=dict(sorted(dropped.items())),
        skipped=dict(sorted(skipped.items())),
        seconds=round(seconds, 3),
        rows_in=sums["rows_in"],
        rows_out=sums["rows_out"],
        bytes_in=sums["bytes_in"],
        bytes_out=sums["bytes_out"],
        without_records=tuple(sorted(empty)),
        notes=notes,
    )
