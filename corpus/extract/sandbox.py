"""Main text by trafilatura in a child process that can be ended, so that no page takes a shard with it.

Owns: the child's life. It is started at the first page and reused; ended and replaced when a page passes
the time limit, when it dies, after a number of pages, and when it has grown; it ends with its parent. A
page's outcome depends on the page alone: a page whose child died is tried once more in a fresh one, and
a loaded machine does not make a page late (see `_Clock`).

The reasons for which a page has no text are those of `corpus.table.DROP_REASONS`: page_too_large,
extract_timeout, extract_crashed, no_main_text, and `error:<Type>` for what the extractor raised.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import sys
import threading
import time
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from corpus.errors import StageError
from corpus.extract.child import ANSWER, ERROR, PAGE, READY

CHILD = Path(__file__).with_name("child.py")
FAVORS = ("precision", "balanced", "recall")

#: Seconds a child may take to start: importing trafilatura takes 1 on an idle machine.
START_S = 60.0
#: A child that computes but gets little processor time is waited for up to so many times the limit.
PATIENCE = 6
#: KiB at which a child is replaced: a page of 3 MB leaves up to 360 MiB behind, most 150
#: (docs/measured/extract.md).
GROWN_KIB = 600 * 1024


@dataclass(frozen=True)
class Extracted:
    """What became of a page: a text, or the reason why there is none and what decided."""

    text: str = ""
    title: str = ""
    drop: str | None = None
    detail: str | None = None


class _LateError(Exception):
    """The page passed its time limit."""


class _DeadError(Exception):
    """The child ended before it answered."""


@dataclass
class Sandbox:
    """`extract(html, url)` by a child process. One per worker; calls from several threads take turns.

    timeout_s: processor or wall seconds a page may take, whichever is fair (`_Clock`).
    max_bytes: size of a page in UTF-8 above which it is not tried: at 3 MB plain paragraphs take 3.5 s,
        line breaks 8 s, links 12 s (docs/measured/extract.md).
    memory_bytes: address space of the child, 0 for no limit.
    favor: "precision", "balanced" or "recall", as trafilatura understands them.
    recycle_pages: pages after which the child is replaced.
    command: the child to run instead, for tests.
    """

    timeout_s: float = 10.0
    max_bytes: int = 3_000_000
    memory_bytes: int = 2 << 30
    favor: str = "precision"
    recycle_pages: int = 2_000
    command: tuple[str, ...] = (str(CHILD),)
    started: int = field(default=0, init=False)
    _child: _Child | None = field(default=None, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.favor not in FAVORS:
            raise ValueError(f"favor must be one of {', '.join(FAVORS)}, not {self.favor!r}")
        if self.timeout_s <= 0 or self.max_bytes <= 0 or self.recycle_pages <= 0 or self.memory_bytes < 0:
            raise ValueError(
                "timeout_s, max_bytes and recycle_pages must be above 0, memory_bytes at least 0"
            )

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child; the next page starts another."""
        with self._lock:
            self._end()

    def extract(self, html: str, url: str | None = None) -> Extracted:
        """The main text of a decoded page, or why there is none. Never raises for what a page holds."""
        raw = html.encode(errors="replace")
        if len(raw) > self.max_bytes:
            return Extracted(drop="page_too_large", detail=f"bytes={len(raw)} > {self.max_bytes}")
        with self._lock:
            return self._ask(raw, (url or "").encode(errors="replace"))

    def _ask(self, raw: bytes, url: bytes) -> Extracted:
        detail = ""
        for _ in range(2):
            child = self._ready()
            try:
                return self._read(*child.ask(PAGE.pack(len(url), len(raw)) + url + raw, self.timeout_s))
            except _LateError:
                self._end()
                return Extracted(drop="extract_timeout", detail=f"seconds > {self.timeout_s:g}")
            except _DeadError as dead:
                # Killed from outside, or by this page? A second child shows which.
                self._end()
                detail = str(dead)
        return Extracted(drop="extract_crashed", detail=detail)

    def _read(self, status: int, held: int, title: str, text: str) -> Extracted:
        if held > GROWN_KIB:
            self._end()
        if status == ERROR:
            if title == "MemoryError":
                self._end()  # what it allocated is in pieces
            return Extracted(drop=f"error:{title}", detail=text or None)
        if not text.strip():
            return Extracted(title=title, drop="no_main_text")
        return Extracted(text=text, title=title)

    def _ready(self) -> _Child:
        child = self._child
        if child is not None and (child.pages >= self.recycle_pages or child.owner != os.getpid()):
            self._end()
        if self._child is None:
            hard_limit = 2 * PATIENCE * self.timeout_s
            self._child = _start([*self.command, self.favor, str(self.memory_bytes), f"{hard_limit:g}"])
            self.started += 1
        return self._child

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.end()


def _start(arguments: list[str]) -> _Child:
    """A child that said it is ready. One that was killed while it started gets a successor."""
    cause = ""
    for _ in range(2):
        child = _Child(arguments)
        try:
            child.await_ready()
            return child
        except (_DeadError, _LateError) as error:
            cause = str(error) or f"not ready after {START_S:g} s"
            child.end()
    raise StageError(
        f"the extraction child does not start ({cause}); "
        f"see what this says: {sys.executable} -c 'import trafilatura'"
    )


class _Child:
    """A running child and the two pipes to it."""

    def __init__(self, arguments: list[str]) -> None:
        self.owner = os.getpid()
        self.pages = 0
        # -P: a file of ours called like a module of theirs must not be imported in its place.
        command = [sys.executable, "-P", *arguments, str(self.owner)]
        self.process = subprocess.Popen(  # noqa: S603 - our own script by this interpreter
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )
        self.end = weakref.finalize(self, _finish, self.process, self.owner)
        # Written and read without blocking, since a hung child may leave a pipe full or empty.
        self.writer = cast(IO[bytes], self.process.stdin).fileno()
        self.reader = cast(IO[bytes], self.process.stdout).fileno()
        os.set_blocking(self.writer, False)
        os.set_blocking(self.reader, False)

    def await_ready(self) -> None:
        clock, received = _Clock(self.process.pid, START_S), b""
        with selectors.DefaultSelector() as ready:
            ready.register(self.reader, selectors.EVENT_READ)
            while not received:
                if ready.select(clock.wait()):
                    received = self._receive()
        if received != READY:
            raise _DeadError(f"said {received[:20]!r} for ready")

    def ask(self, message: bytes, limit: float) -> tuple[int, int, str, str]:
        """Send a page and wait for its answer: (status, KiB held, title, text)."""
        self.pages += 1
        clock, left, answer = _Clock(self.process.pid, limit), memoryview(message), bytearray()
        with selectors.DefaultSelector() as ready:
            ready.register(self.writer, selectors.EVENT_WRITE)
            ready.register(self.reader, selectors.EVENT_READ)
            while not _complete(answer):
                for key, _ in ready.select(clock.wait()):
                    if key.fd == self.reader:
                        answer += self._receive()
                    else:
                        left = left[self._send(left) :]
                        if not left:
                            ready.unregister(self.writer)
        status, held, title, _ = ANSWER.unpack_from(answer)
        rest = bytes(answer[ANSWER.size :])
        return status, held, rest[:title].decode(), rest[title:].decode()

    def _send(self, data: memoryview) -> int:
        try:
            return os.write(self.writer, data[:1_048_576])
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            raise _DeadError(self._epitaph()) from None

    def _receive(self) -> bytes:
        try:
            data = os.read(self.reader, 1_048_576)
        except BlockingIOError:
            return b""
        if not data:
            raise _DeadError(self._epitaph())
        return data

    def _epitaph(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return f"exit code {self.process.wait(timeout=5)}"
        return "closed its pipe"


def _finish(process: subprocess.Popen[bytes], owner: int) -> None:
    """Kill and bury. After a fork the child is still the first process's: only our ends are closed."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    if os.getpid() == owner:
        process.kill()
        process.wait()
    else:
        process.returncode = 0


def _complete(answer: bytearray) -> bool:
    if len(answer) < ANSWER.size:
        return False
    _, _, title, text = ANSWER.unpack_from(answer)
    return bool(len(answer) >= ANSWER.size + title + text)


class _Clock:
    """The time one page may take.

    The limit is in wall seconds while the machine is idle. A child that computes on a loaded machine gets
    the limit in processor seconds, so that load does not decide which pages a corpus holds; one that
    sleeps is late at once, and one that computes is, too, after `PATIENCE` limits.
    """

    def __init__(self, pid: int, limit: float) -> None:
        self.pid, self.limit = pid, limit
        self.before = processor_seconds(pid)
        now = time.monotonic()
        self.deadline, self.last = now + limit, now + PATIENCE * limit

    def wait(self) -> float:
        """Seconds until the next look; raises _LateError when the page's time is over."""
        now = time.monotonic()
        if now >= self.deadline:
            left = self.limit - (processor_seconds(self.pid) - self.before)
            if left <= 0 or now >= self.last or not _computing(self.pid):
                raise _LateError
            self.deadline = now + max(0.05, left)
        return self.deadline - now


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; empty where there is none."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return []


def processor_seconds(pid: int) -> float:
    """Processor time that a process has used, in seconds; 0 where it is gone."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def _computing(pid: int) -> bool:
    """Running, ready to run, or waiting for a page of memory. False where that can't be known."""
    return _stat(pid)[:1] in (["R"], ["D"])
