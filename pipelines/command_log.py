"""What a command does as JSON lines, on request (`--log FILE`): its beginning and end, and tasks as they go.

One log a process, since a process is one command. Lines are appended, so that several commands of a job can
share a file; `-` is stderr, where the lines stand in place of progress for people.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import structlog

#: Levels, from the most that is said to the least.
LEVELS: Final = ("debug", "info", "warning", "error")
#: Name and password of a URL.
_SECRET: Final = re.compile(r"(?<=://)[^/@\s]+@|(?<=access_key=)[^&\s]+|(?<=secret_key=)[^&\s]+")


@dataclass
class CommandLog:
    """The log of this command. `on_stderr`: it stands where progress would."""

    log: structlog.typing.FilteringBoundLogger
    stream: Any
    on_stderr: bool
    command: str
    began: float


_open: list[CommandLog] = []


def current() -> CommandLog | None:
    """The log that this command was asked for; None without --log."""
    return _open[-1] if _open else None


def json_lines(stream: Any, level: str = "debug") -> structlog.typing.FilteringBoundLogger:
    """A logger that writes a JSON line for each event of `level` or above."""
    import structlog

    logger: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(stream),
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.add_log_level,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
    )
    return logger


def begin(target: str, level: str, command: str, arguments: Sequence[str]) -> None:
    """Open the log and write that the command begins. Raises OSError where the file can't be written."""
    stream = sys.stderr if target == "-" else Path(target).open("a", encoding="utf-8", buffering=1)  # noqa: SIM115 - until `end`
    log = json_lines(stream, level)
    _open.append(CommandLog(log, stream, target == "-", command, time.monotonic()))
    log.info("command_begun", command=command, arguments=[_SECRET.sub("", one) for one in arguments])


def failed(message: str, code: int) -> bool:
    """Write why the command fails, where there is a log; whether that was on stderr, where people look."""
    found = current()
    if found is None:
        return False
    with suppress(OSError):  # a full disk: the message stands on stderr too
        said = _SECRET.sub("", message)
        found.log.error("command_failed", command=found.command, exit_code=code, message=said)
    return found.on_stderr


def end(code: int) -> None:
    """Write that the command has ended, and close its log."""
    found = current()
    if found is None:
        return
    _open.clear()
    seconds = round(time.monotonic() - found.began, 3)
    with suppress(OSError):
        found.log.info("command_ended", command=found.command, exit_code=code, seconds=seconds)
        if not found.on_stderr:
            found.stream.close()
