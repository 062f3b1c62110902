"""What killed writers left half-written in a folder, on disk or on HDFS, and whether a process still runs.

Of object stores, `corpus.uploads` ends what they left open.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from corpus import storage

#: Age in seconds from which a partial file of another machine counts as left behind: no task writes one file
#: for so long without touching it.
EXPIRED: Final = 3600.0


def clean_leftovers(folder: str) -> None:
    """Remove what killed tasks left half-written in a folder (hidden names ending in `.partial`): of this
    machine where the writer is gone, of another where the file has not changed for `EXPIRED` seconds."""
    path = storage.local_path(folder)
    if path is None:
        for location, file in storage.list_partials(folder).items():
            if _is_left_behind(storage.base_name(location), file.mtime_ns / 1e9):
                storage.delete(location)
        return
    for leftover in path.rglob(f".*{storage.PARTIAL}"):
        with suppress(FileNotFoundError):
            if _is_left_behind(leftover.name, leftover.stat().st_mtime):
                leftover.unlink()


def _is_left_behind(name: str, changed: float) -> bool:
    *_, host, pid, _, _ = ["", "", *name.split(".")]
    if host == storage.host() and pid.isdigit():
        return not is_alive(int(pid))
    return time.time() - changed > EXPIRED


def is_alive(pid: int) -> bool:
    """Whether a process of this machine runs; one that was killed and that its parent has yet to take note of
    (a zombie) does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2][:1]
    except OSError:
        return True  # no /proc here, or it is gone just now: the next look tells
    return state not in (b"Z", b"X")
