"""One driver a folder: who works on it says so in `_driver.json` and renews that while it works.

A second driver, on this machine or another, is refused with the first one's name and its last
heartbeat. The lease of a driver that is gone (its process ended, or no heartbeat for `EXPIRES` seconds) is
taken over.
"""

from __future__ import annotations

import dataclasses
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from corpus import storage
from corpus.errors import BukvarError, RunError, UsageError
from corpus.faults import stopping
from corpus.leftovers import CLOCKS, began, is_alive
from corpus.receipts import DRIVER

#: Seconds between heartbeats, and seconds without one after which a driver counts as gone: a slow store
#: may keep a write for a minute.
RENEW: Final = 20.0
EXPIRES: Final = 120.0
#: Seconds that a heartbeat which is being given has left when the process is asked to stop: a store that
#: does not answer holds nobody up.
_LAST_WORDS: Final = 10.0
#: Seconds to the first heartbeat: of two drivers that began in the same moment on an object store, the
#: first then finds the second one's lease.
FIRST: Final = 2.0


@dataclass(frozen=True)
class Lease:
    """Who works on a folder. `boot` tells a process from a later one with its number."""

    host: str
    pid: int
    boot: str
    token: str
    started: float
    seen: float

    def is_held(self) -> bool:
        """Whether its driver still works, as far as can be known from here. A process that began after the
        driver has its number by chance."""
        if self.host == socket.gethostname() and self.boot == _boot():
            fresh = time.time() - self.seen < EXPIRES
            return is_alive(self.pid) and (fresh or began(self.pid) <= self.started + CLOCKS)
        return time.time() - self.seen < EXPIRES

    def __str__(self) -> str:
        ago = max(0, round(time.time() - self.seen))
        return f"process {self.pid} on {self.host}, last heartbeat {ago} s ago"


class Held:
    """A folder that this process holds; `after` is the lease of a driver that did not give it up: it was
    killed, or has been silent for too long and may still write."""

    def __init__(self, folder: str, token: str, after: Lease | None = None) -> None:
        self.folder, self.token, self.after = folder, token, after
        self._taken_by: Lease | None = None

    def look(self) -> None:
        """See whether another driver took the folder over: `check` says so from then on."""
        last = read(self.folder)
        if last is not None and last.token != self.token:
            self._taken_by = last

    @property
    def is_ours(self) -> bool:
        """Whether nobody took the folder over, as far as was seen."""
        return self._taken_by is None

    def check(self) -> None:
        """Raise RunError where another driver took the folder over: two would remove each other's files."""
        if self._taken_by is not None:
            raise RunError(
                f"{self.folder}: taken over by another bukvar ({self._taken_by}); wait for it, then run the "
                "same command again"
            )


@contextmanager
def lease(folder: str) -> Iterator[Held]:
    """Hold a folder while the block runs.

    Raises UsageError where another driver holds it, RunError at the end where another took it over (this one
    was silent for too long).
    """
    location = storage.join(folder, DRIVER)
    found = read(folder)
    if found is not None and found.token in _OWN:  # a run and its stage of the same folder
        yield _OWN[found.token]
        return
    if found is not None and found.is_held():
        raise UsageError(
            f"{folder}: another bukvar works on this folder ({found}); wait for it, or choose another --out"
        )
    if not _OWN:
        stopping.clear()  # of an earlier command of this process
    now = time.time()
    own = Lease(socket.gethostname(), os.getpid(), _boot(), secrets.token_hex(8), now, now)
    _take(location, own, found)
    held = Held(folder, own.token, found if found is not None and found.host else None)
    _OWN[own.token] = held
    ended = threading.Event()
    renewer = threading.Thread(target=_renew, args=(location, own, held, ended), daemon=True)
    renewer.start()
    try:
        yield held
        held.look()
        held.check()
    except KeyboardInterrupt:
        stopping.set()
        raise
    finally:
        ended.set()
        renewer.join(_LAST_WORDS if stopping.is_set() else None)
        del _OWN[own.token]
        with suppress(BukvarError):
            held.look()
            if held.is_ours:
                _give_up(location, own)


def _give_up(location: str, own: Lease) -> None:
    """Delete the lease. On an object store it is written as long expired instead: deleting leaves a marker of
    the folder behind there."""
    if storage.local_path(location) is not None:
        storage.delete(location)
    else:
        storage.write_bytes(location, msgspec.json.encode(dataclasses.replace(own, host="", seen=0.0)))


#: What this process holds, by the leases' tokens.
_OWN: dict[str, Held] = {}


def read(folder: str) -> Lease | None:
    """The lease that lies in a folder; None where there is none or it is damaged."""
    try:
        return msgspec.json.decode(storage.read_bytes(storage.join(folder, DRIVER)), type=Lease)
    except (msgspec.MsgspecError, storage.NotFoundError):
        return None


def _take(location: str, own: Lease, held: Lease | None) -> None:
    """Write our lease. On a disk only one of two that try at once succeeds; on an object store the last one
    does, and the first notices when it renews and stops."""
    path = storage.local_path(location)
    if path is None:
        storage.write_bytes(location, msgspec.json.encode(own))
        return
    with storage.translated(location):
        path.parent.mkdir(parents=True, exist_ok=True)
    if held is not None or path.exists():
        with suppress(FileNotFoundError):
            path.unlink()  # of a driver that is gone
    try:
        with storage.translated(location), path.open("xb") as stream:
            stream.write(msgspec.json.encode(own))
    except BukvarError as error:
        if isinstance(error.__cause__, FileExistsError):
            raise UsageError(
                f"{path.parent}: another bukvar began to work on this folder just now"
            ) from error
        raise


def _renew(location: str, own: Lease, held: Held, ended: threading.Event) -> None:
    wait = FIRST
    while not ended.wait(wait):
        wait = RENEW
        with suppress(BukvarError):
            held.look()
            if not held.is_ours:
                return
            storage.write_bytes(location, msgspec.json.encode(dataclasses.replace(own, seen=time.time())))


def _boot() -> str:
    """What tells this start of this machine, and the container that this process runs in, from others: a
    process number means nothing outside."""
    found = ""
    with suppress(OSError):
        found = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    with suppress(OSError):
        found += f" {Path('/proc/self/ns/pid').readlink()}"
    return found
