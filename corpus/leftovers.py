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
#: The writer of a file of another machine.
ELSEWHERE: Final = 0
#: Seconds by which the clocks may differ that processes and files are dated by: a shared disk has its own.
CLOCKS: Final = 60.0


def clean_leftovers(folder: str, wait: float = ENDING) -> None:
    """Remove what killed tasks left half-written in a folder (hidden names ending in `.partial`): of this
    machine where the writer is gone, of another where the file has not changed for `EXPIRED` seconds.

    Call it while no task writes there: by who holds the folder's lease, before its tasks begin or after they
    have ended. A process of this machine that writes there all the same is a worker that is being ended,
    and gets `wait` seconds to do so; what it writes after that stays until the next command.
    """
    end = time.monotonic() + wait
    while True:
        ending: dict[str, int] = {}
        for location, changed in _partials(folder).items():
            writer = _writer(storage.base_name(location))
            if _is_left_behind(writer, changed):
                storage.delete(location)
            elif writer not in (ELSEWHERE, os.getpid()):
                ending[location] = writer
        if not ending or time.monotonic() >= end:
            return
        while time.monotonic() < end and any(
            is_alive(writer) and storage.exists(location) for location, writer in ending.items()
        ):
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


def _is_left_behind(writer: int, changed: float) -> bool:
    """Whether nobody writes a file any more. A process that began after the file's last change has the number
    of its writer by chance: a container that is started again counts from one."""
    if writer == ELSEWHERE:
        return time.time() - changed > EXPIRED
    return not is_alive(writer) or began(writer) > changed + CLOCKS


def _writer(name: str) -> int:
    """The process that writes a file of this name; `ELSEWHERE` where it is one of another machine."""
    *_, host, pid, _, _ = ["", "", *name.split(".")]
    return int(pid) if host == storage.host() and pid.isdigit() else ELSEWHERE


def began(pid: int) -> float:
    """When a process of this machine began; 0 where that can't be known (no /proc, or it is gone)."""
    with suppress(OSError, ValueError, IndexError, AttributeError):
        ticks = int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2].split()[19])
        now, uptime = time.time(), time.clock_gettime(time.CLOCK_BOOTTIME)
        return min(now, now - uptime + ticks / os.sysconf("SC_CLK_TCK"))
    return 0.0


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
