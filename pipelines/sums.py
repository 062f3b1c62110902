"""What a stage has done so far, as one small file, so that `bukvar status` need not read every receipt.

The driver writes `_sums.json` every few seconds while it works and when it is done. It is a convenience:
receipts decide what is done. Of a driver that was killed it is old, and receipts are read instead.
"""

from __future__ import annotations

import dataclasses
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import msgspec

from corpus import storage
from corpus.errors import BukvarError
from corpus.receipts import INDEX, SUMS, Receipt
from pipelines.account import StageResult, summarize
from pipelines.lease import read as read_lease

#: Seconds between two states of the file, and how much longer than adding up takes they lie apart at least.
WRITE_EVERY: Final = 10.0
_SHARE: Final = 20.0


@dataclass(frozen=True)
class Sums:
    """Sums over the receipts at a time; `ended` where the driver has ended since, well or not."""

    result: StageResult
    ended: bool
    written: float


class Tally:
    """Keeps the file of a folder up to date while tasks are done. Receipts by name, of earlier runs too."""

    def __init__(self, stage: str, folder: str) -> None:
        self._stage, self._folder = stage, folder
        self.receipts: dict[str, Receipt] = {}
        self._next = time.monotonic() + WRITE_EVERY

    def add(self, receipt: Receipt) -> None:
        """Count a receipt, and write the file where it is time to."""
        self.receipts[receipt.name] = receipt
        if time.monotonic() >= self._next:
            self.write(ended=False)

    def write(self, *, ended: bool) -> None:
        """Write the file; one that can't be written stops nothing."""
        began = time.monotonic()
        result = summarize(self._stage, "", self.receipts.values())
        short = dataclasses.replace(result, notes={}, without_records=())
        with suppress(BukvarError):
            encoded = msgspec.json.encode(Sums(short, ended, round(time.time(), 3)))
            storage.write_bytes(storage.join(self._folder, SUMS), encoded)
        now = time.monotonic()
        self._next = now + max(WRITE_EVERY, _SHARE * (now - began))


def has_ended(folder: str) -> bool:
    """Whether the last driver of a folder came to the end of its plan, with failed tasks or without."""
    try:
        return msgspec.json.decode(storage.read_bytes(storage.join(folder, SUMS)), type=Sums).ended
    except (msgspec.MsgspecError, storage.NotFoundError):
        return storage.exists(storage.join(folder, INDEX))


def is_worked_on(folder: str) -> bool:
    """Whether a driver works on a folder now, as far as can be known from here."""
    held = read_lease(folder)
    return held is not None and held.is_held()


def read_sums(folder: str) -> StageResult | None:
    """The sums of a folder where they can be relied on: its driver has ended since, or works and renews them.
    None elsewhere."""
    try:
        found = msgspec.json.decode(storage.read_bytes(storage.join(folder, SUMS)), type=Sums)
    except (msgspec.MsgspecError, storage.NotFoundError):
        return None
    if not found.ended and not is_worked_on(folder):
        return None
    return dataclasses.replace(found.result, folder=folder)
