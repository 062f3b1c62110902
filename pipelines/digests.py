"""Digests of inputs, remembered in the folder of what is made of them, so that a second look reads no file.

A file with the name, size and time of change of before is the file of before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec

from corpus import storage
from corpus.storage import File

FILE: Final = "_inputs.jsonl"


@dataclass(frozen=True)
class _Entry:
    name: str
    size: int
    mtime_ns: int
    digest: str
    rows: int | None
    shape: str = ""


@dataclass
class Digests:
    """Remembered digests and rows by name; `folder` empty: nothing is remembered."""

    folder: str = ""
    _known: dict[str, _Entry] = field(default_factory=dict)
    _saved: dict[str, _Entry] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.folder:
            return
        try:
            lines = storage.read_bytes(storage.join(self.folder, FILE)).splitlines()
            entries = [msgspec.json.decode(line, type=_Entry) for line in lines]
        except (storage.NotFoundError, msgspec.MsgspecError):
            entries = []
        self._saved = {entry.name: entry for entry in entries}

    def find(self, name: str, file: File) -> tuple[str, int | None, str] | None:
        """Digest, rows and `Input.shape` of a file that was seen before and has not changed since."""
        entry = self._saved.get(name)
        if entry is None or (entry.size, entry.mtime_ns) != (file.size, file.mtime_ns):
            return None
        self._known[name] = entry
        return entry.digest, entry.rows, entry.shape

    def add(self, name: str, file: File, found: tuple[str, int | None, str]) -> None:
        """Remember a file that was read, with what `find` is to return."""
        self._known[name] = _Entry(name, file.size, file.mtime_ns, *found)

    def save(self) -> None:
        """Write what is known, where that has changed."""
        if self.folder and self._known != self._saved:
            lines = (msgspec.json.encode(self._known[name]) + b"\n" for name in sorted(self._known))
            storage.write_bytes(storage.join(self.folder, FILE), b"".join(lines))
            self._saved = dict(self._known)
