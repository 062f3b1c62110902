"""The end of a stage of a run, which may fail by itself: a dataset's card and manifest, the hub that gets it.

Why it failed is noted in the stage's folder, as the failure of a task is, so that status and report say it;
the note goes when the same command succeeds.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

import msgspec

from corpus import storage
from corpus.errors import BukvarError, one_line
from corpus.receipts import FAILED
from pipelines.account import Run
from pipelines.registry import StageRow

#: Name of the note, beside those of tasks: `_failed/finish.json`.
_NOTE: Final = "finish"


def finish(row: StageRow, stage: Any, folder: str, run: Run) -> bool:
    """Call what a row names for the end of its stage; whether that had failed before.

    Raises what it raises, once that is noted.
    """
    note = storage.join(folder, FAILED, f"{_NOTE}.json")
    try:
        row.done(stage, folder, run)
    except BukvarError as error:
        with suppress(BukvarError):  # what stopped the run comes first
            storage.write_bytes(
                note, msgspec.json.encode({"kind": type(error).__name__, "message": one_line(error)})
            )
        raise
    failed_before = bool(row.finish) and storage.exists(note)
    if failed_before:
        storage.delete(note)
    return failed_before
