"""What a stage's folder holds after its tasks: compared with what they returned, and rid of what no task of
the plan wrote."""

from __future__ import annotations

import posixpath
import time
from collections.abc import Iterable, Mapping
from typing import Final

from corpus import receipts as records
from corpus import storage
from corpus.errors import RunError
from corpus.receipts import Folder, Receipt, read_folder

#: Pauses in seconds between looks for files that were said to be there: NFS may hide them for half a minute.
LATE: Final = (1.0, 5.0, 30.0)


def check_stored(before: Folder, receipts: Mapping[str, Receipt]) -> Folder:
    """The folder as it is listed now. Raises RunError where storage does not hold what the tasks returned;
    a shared disk may show other machines' files some seconds late."""
    location = before.location
    for wait in (*LATE, None):
        folder = read_folder(location, {**before.receipts, **receipts})
        lost = [r for r in receipts.values() if not folder.is_done(r.name, r.key)]
        if not lost:
            return folder
        if wait is not None:
            time.sleep(wait)
    if lost[0].name not in folder.receipts:
        raise RunError(
            f"{location}: {len(lost)} of {len(receipts)} tasks were done elsewhere ({lost[0].name} ...): the "
            "machines do not share this folder; give an --out that all of them see"
        )
    raise RunError(
        f"{location}: files of {len(lost)} of {len(receipts)} tasks are gone or changed since they were "
        f"written ({lost[0].name} ...); see that nothing else writes there and run the same command again"
    )


def check_intact(location: str, receipts: Mapping[str, Receipt]) -> None:
    """Raise RunError where another driver's tasks wrote over a file of ours since its receipt."""
    good = {receipt.name for receipt in records.intact(location, receipts.values())}
    bad = sorted(set(receipts) - good)
    if bad:
        raise RunError(
            f"{location}: files of {len(bad)} of {len(receipts)} tasks were written by a bukvar with other "
            f"parameters or inputs meanwhile ({bad[0]} ...); end it and run the same command again"
        )


def forget_failures(folder: Folder, done: Iterable[Receipt]) -> None:
    """Delete the records of earlier failures of tasks that are done now."""
    failures = [f"{records.FAILED}/{receipt.name}.json" for receipt in done]
    storage.delete_all(storage.join(folder.location, path) for path in failures if path in folder.files)


def forget_heartbeats(folder: Folder) -> None:
    """Delete those of workers that were killed; while we hold the lease and no task runs, all are."""
    storage.delete_all(storage.join(folder.location, path) for path in folder.below(records.RUNNING))


def remove_stale(folder: Folder) -> None:
    """Remove shards, dropped rows and work files that no receipt states: of a plan that is no more, or of a
    task that was killed before its receipt and did not write them again."""
    written = {output.path for receipt in folder.receipts.values() for output in receipt.outputs}
    stale = []
    for path in folder.files:
        part = posixpath.dirname(path).partition("/")[0]
        ours = part in (records.DROPPED, records.WORK, records.SITES) or (
            part in ("", "data", "sample") and path.endswith(".parquet")
        )
        ours |= path.startswith(records.PROBE)  # of a driver that was killed while machines looked for it
        if ours and path not in written:
            stale.append(storage.join(folder.location, path))
    storage.delete_all(stale)
