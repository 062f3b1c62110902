"""One driver a folder: who works on it says so in `_driver.json` and renews that while it works.

A second driver, on this machine or another, is refused with the first one's name and its last sign of
life. The lease of a driver that is gone (its process ended, or no sign of life for `EXPIRES` seconds) is
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
from corpus.receipts import DRIVER

#: Seconds between signs of life, and seconds without one after which a driver counts as gone: a slow store
#: may keep a write for a minute.
RENEW: Final = 20.0
EXPIRES: Final = 120.0


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
        """Whether its driver still works, as far as can be known from here."""
        if self.host == socket.gethostname() and self.boot == _boot():
            return storage.is_alive(self.pid)
        return time.time() - self.seen < EXPIRES

    def __str__(self) -> str:
        ago = max(0, round(time.time() - self.seen))
        return f"process {self.pid} on {self.host}, last sign of life {ago} s ago"


@contextmanager
def lease(folder: str) -> Iterator[None]:
    """Hold a folder while the block runs.

    Raises UsageError where another driver holds it, RunError at the end where another took it over (this one
    was silent for too long).
    """
    location = storage.join(folder, DRIVER)
    held = read(folder)
    if held is not None and held.is_held() and held.token not in _OWN:
        raise UsageError(
            f"{folder}: another bukvar works on this folder ({held}); wait for it, or choose another --out"
        )
    if held is not None and held.token in _OWN:  # a run and its stage of the same folder
        yield
        return
    now = time.time()
    own = Lease(socket.gethostname(), os.getpid(), _boot(), secrets.token_hex(8), now, now)
    _take(location, own, held)
    _OWN.add(own.token)
    ended = threading.Event()
    renewer = threading.Thread(target=_renew, args=(location, own, ended), daemon=True)
    renewer.start()
    try:
        yield
        last = read(folder)
        if last is not None and last.token != own.token:
            raise RunError(f"{folder}: taken over by another bukvar ({last}); run the same command again")
    finally:
        ended.set()
        renewer.join()
        _OWN.discard(own.token)
        with suppress(BukvarError):
            last = read(folder)
            if last is not None and last.token == own.token:
                _give_up(location, own)


def _give_up(location: str, own: Lease) -> None:
    """Delete the lease. On an object store it is written as long expired instead: deleting leaves a marker of
    the folder behind there."""
    if storage.local_path(location) is not None:
        storage.delete(location)
    else:
        storage.write_bytes(location, msgspec.json.encode(dataclasses.replace(own, host="", seen=0.0)))


#: Tokens of the leases that this process holds.
_OWN: set[str] = set()


def read(folder: str) -> Lease | None:
    """The lease that lies in a folder; None where there is none or it is damaged."""
    try:
        return msgspec.json.decode(storage.read_bytes(storage.join(folder, DRIVER)), type=Lease)
    except (msgspec.MsgspecError, storage.NotFoundError):
        return None


def _take(location: str, own: Lease, held: Lease | None) -> None:
    """Write our lease. On a disk only one of two that try at once succeeds; on an object store the last one
    does, and the first notices when it renews."""
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


def _renew(location: str, own: Lease, ended: threading.Event) -> None:
    while not ended.wait(RENEW):
        with suppress(BukvarError):
            last = read(storage.parent(location))
            if last is None or last.token == own.token:  # else another took over: see `lease`
                seen = dataclasses.replace(own, seen=time.time())
                storage.write_bytes(location, msgspec.json.encode(seen))


def _boot() -> str:
    """What tells this start of this machine from others."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    return ""
