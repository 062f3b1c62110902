"""The log of a run: what happened, as JSON lines; one a task.

On a disk it is the file `_log.jsonl`, which each command appends to. An object store can't append: there the
lines are files of `_log/`, one a command and minute in which something happened, whose names sort by time.
"""

from __future__ import annotations

import os
import platform
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from corpus import storage
from corpus.errors import BukvarError
from pipelines.command_log import json_lines
from pipelines.engine import Reporter
from pipelines.layout import LOG, LOGS
from pipelines.progress import Logged

#: Seconds between two files of a log on an object store: what a killed driver may lose of it. Receipts hold
#: what was done in any case.
UPLOAD_EVERY: Final = 60.0


@contextmanager
def logged(reporter: Reporter, folder: str) -> Iterator[Logged]:
    """A reporter that passes everything on to `reporter` and writes it into the log of a run's folder."""
    path = storage.local_path(storage.join(folder, LOG))
    if path is None:
        lines = _Lines(storage.join(folder, LOGS))
        with lines.uploaded():
            yield Logged(reporter, json_lines(lines))
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with storage.translated(str(path)), path.open("a", encoding="utf-8") as stream:
        yield Logged(reporter, json_lines(stream))


class _Lines:
    """A text stream whose lines become files of a folder of an object store."""

    def __init__(self, folder: str) -> None:
        host = re.sub(r"[^A-Za-z0-9]", "-", platform.node())
        self._folder = folder
        self._name = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{host}-{os.getpid()}"
        self._pending: list[str] = []
        self._files = 0
        self._lock = threading.Lock()

    def write(self, text: str) -> None:
        with self._lock:
            self._pending.append(text)

    def flush(self) -> None:
        """Lines are uploaded when it is time to."""

    @contextmanager
    def uploaded(self) -> Iterator[None]:
        """Upload lines every `UPLOAD_EVERY` seconds while the block runs, and what is left behind it."""
        ended = threading.Event()
        uploader = threading.Thread(target=self._keep_uploading, args=(ended,), daemon=True)
        uploader.start()
        try:
            yield
        finally:
            ended.set()
            uploader.join()
            self._upload()

    def _keep_uploading(self, ended: threading.Event) -> None:
        while not ended.wait(UPLOAD_EVERY):
            self._upload()

    def _upload(self) -> None:
        with self._lock:
            lines, self._pending = self._pending, []
        if not lines:
            return
        location = storage.join(self._folder, f"{self._name}-{self._files:06d}.jsonl")
        try:
            storage.write_bytes(location, "".join(lines).encode())
            self._files += 1
        except BukvarError:  # a log stops no run: tried again with the next lines
            with self._lock:
                self._pending = lines + self._pending
