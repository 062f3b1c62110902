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
#: Seconds for which writers of this machine that still live are waited for: Ray says that it has ended before
#: all of its workers have, which may then wait for a slow disk.
ENDING: Final = 20.0
_LOOK_EVERY: Final = 0.1


def clean_leftovers(folder: str, wait: float = ENDING) -> None:
    """Remove what killed tasks left half-written in a folder (hidden names ending in `.partial`): of this
    machine where the writer is gone, of another where the file has not changed for `EXPIRED` seconds.

    Call it while no task writes there: by who holds the folder's lease, before its tasks begin or after they
    have ended. A process of this machine that writes there all the same is a worker that is being ended,
    and gets `wait` seconds to do so; what it writes after that stays until the next command.
    """
    end = time.monotonic() + wait
    while True:
        left = _partials(folder)
        for location, changed in left.items():
            if _is_left_behind(storage.base_name(location), changed):
                storage.delete(location)
        writers = {_writer(storage.base_name(location)) for location in left} - {None, os.getpid()}
        ending = [pid for pid in writers if pid is not None and is_alive(pid)]
        if not ending or time.monotonic() >= end:
            return
        while time.monotonic() < end and any(is_alive(pid) for pid in ending):
            time.sleep(_LOOK_EVERY)


def _partials(folder: str) -> dict[str, float]:
    """Locations of the partial files below a folder, with the times of their last changes."""
    path = storage.local_path(folder)
    if path is None:
        return {location: file.mtime_ns / 1e9 for location, file in storage.list_partials(folder).items()}
    found = {}
    for partial in path.rglob(f".*{storage.PARTIAL}"):
        with suppress(FileNotFoundError):
            found[str(partial)] = partial.stat().st_mtime
    return found


def _is_left_behind(name: str, changed: float) -> bool:
    writer = _writer(name)
    return time.time() - changed > EXPIRED if writer is None else not is_alive(writer)


def _writer(name: str) -> int | None:
    """The process that writes a file of this name; None where it is one of another machine."""
    *_, host, pid, _, _ = ["", "", *name.split(".")]
    return int(pid) if host == storage.host() and pid.isdigit() else None


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
