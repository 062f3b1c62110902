"""A child for the sandbox's tests: it does to itself what the page says, and else gives the page back."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from corpus.extract import child


def extract(html: str, _: str | None) -> str | None:  # noqa: C901 - a list of behaviours, nothing nested
    word, _, rest = html.partition(" ")
    if word == "SLEEP":
        time.sleep(1_000)
    if word == "COMPUTE":
        while True:
            pass
    if word == "STOP":
        os.kill(os.getpid(), signal.SIGSTOP)
    if word == "DIE":
        os.kill(os.getpid(), signal.SIGSEGV)
    if word == "DIE-ONCE" and not Path(rest).exists():
        Path(rest).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if word == "RAISE":
        raise RecursionError("too deep")
    if word == "EXIT":
        sys.exit(3)
    if word == "EAT":
        return str(len(bytearray(1 << 40)))
    if word == "PRINT":
        print("to stdout")
        os.write(1, b"to the descriptor")
        os.write(2, b"to stderr")
    if word == "CONNECT":
        socket.create_connection(("192.0.2.1", 80))
    if word == "RUN":
        subprocess.run(["true"], check=True)
    if word == "NOTHING":
        return None
    return html


if __name__ == "__main__":
    child.main(lambda _: extract)
