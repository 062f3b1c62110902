"""The child process of `corpus.extract.sandbox`: reads pages from stdin, writes main texts to stdout.

Run as a script, with `python -P child.py FAVOR MEMORY_BYTES HARD_LIMIT_S PARENT_PID`; it imports nothing
of corpus, so that it starts with what trafilatura needs and no more.

When it is ready to work it writes the byte `READY`. From then on messages are lengths (u32,
little-endian), then bytes. A page is (len url, len html, url, html), UTF-8; no
URL is an empty one. An answer is (status, KiB of memory held, len title, len text, title, text): status 0
is a text (empty: none found), status 1 an exception whose type stands in `title` and message in `text`.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import gc
import html as html_entities
import os
import re
import resource
import signal
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

PAGE = struct.Struct("<II")
ANSWER = struct.Struct("<IIII")
TEXT, ERROR = 0, 1
READY = b"\x06"

#: (main text or None) of (html, url).
Extractor = Callable[[str, str | None], str | None]

_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{0,2000})", re.IGNORECASE)
_PR_SET_PDEATHSIG = 1
#: What no extractor needs: an attempt becomes an error of that page.
_FORBIDDEN = frozenset({"socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec"})


def trafilatura_extractor(favor: str) -> Extractor:
    """trafilatura's main text, without comments, metadata, links and its deduplication.

    Its `deduplicate` remembers earlier pages, so a page's text would depend on what came before it.
    """
    import logging

    import trafilatura

    logging.disable(logging.CRITICAL)
    options: dict[str, Any] = {
        "favor_precision": favor == "precision",
        "favor_recall": favor == "recall",
        "include_comments": False,
        "with_metadata": False,
        "deduplicate": False,
    }

    def extract(html: str, url: str | None) -> str | None:
        text: str | None = trafilatura.extract(html, url=url, **options)
        return text

    return extract


def title_of(html: str) -> str:
    """The words of the first title element, "" where there is none near the top."""
    found = _TITLE.search(html, 0, 100_000)
    return " ".join(html_entities.unescape(found[1]).split()) if found else ""


def confine(memory_bytes: int, parent: int) -> None:
    """Bound the process's memory, tie its life to its parent's, keep it off the network."""
    if memory_bytes:
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        bound = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
        resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl-C is the parent's to handle
    with contextlib.suppress(OSError, AttributeError):
        # Linux: die with the parent even in the middle of a page. Elsewhere end of input does it later.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(0)

    def forbid(event: str, _: tuple[Any, ...]) -> None:
        if event in _FORBIDDEN:
            raise PermissionError(f"{event} inside the extraction sandbox")

    sys.addaudithook(forbid)


def resident_kib() -> int:
    """KiB of memory held now; the largest ever held where /proc is missing."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * (resource.getpagesize() // 1024)
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def serve(extract: Extractor, source: BinaryIO, sink: BinaryIO, hard_limit_s: float) -> None:
    """Answer pages until the input ends. A page past the hard limit ends the process (C code included)."""
    sink.write(READY)
    sink.flush()
    while len(head := source.read(PAGE.size)) == PAGE.size:
        url_size, html_size = PAGE.unpack(head)
        url = source.read(url_size).decode()
        html = source.read(html_size).decode()
        if hard_limit_s:
            # Only reached where the parent is gone: it ends slow children itself, and sooner.
            faulthandler.dump_traceback_later(hard_limit_s, exit=True)
        try:
            status, title, text = TEXT, title_of(html), extract(html, url or None) or ""
        except Exception as error:  # whatever a page makes the extractor raise is that page's answer
            status, title, text = ERROR, type(error).__name__, str(error)[:200]
        faulthandler.cancel_dump_traceback_later()
        del html
        first, second = title.encode(errors="replace"), text.encode(errors="replace")
        sink.write(ANSWER.pack(status, resident_kib(), len(first), len(second)) + first + second)
        sink.flush()


def private_stdout() -> BinaryIO:
    """Our end of stdout, under a number of its own: what a library prints goes nowhere."""
    sink = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.close(null)
    faulthandler.enable(file=2)
    return sink


def main(make: Callable[[str], Extractor] = trafilatura_extractor) -> None:
    """Serve requests from stdin until it ends. argv: favor, memory in bytes, hard limit in seconds, the
    parent's process id."""
    favor, memory, hard_limit, parent = sys.argv[1:5]
    sink = private_stdout()
    confine(int(memory), int(parent))
    extract = make(favor)
    # What importing left is never garbage, and a page's tree is freed by reference counts: collecting
    # seldom saves a seventh of the time (docs/measured/extract.md).
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    serve(extract, sys.stdin.buffer, sink, float(hard_limit))


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main()
