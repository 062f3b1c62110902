"""What a storage's errors mean to a person, and which of them time may heal."""

from __future__ import annotations

import errno
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from corpus import credentials
from corpus.errors import BukvarError, RunError, TransientError, UsageError

T = TypeVar("T")

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_BARRED: Final = (errno.EACCES, errno.EPERM)
#: How the AWS SDK names what comes of missing or wrong credentials.
_REFUSED: Final = re.compile(
    r"ACCESS_DENIED|SIGNATURE_DOES_NOT_MATCH|INVALID_ACCESS_KEY_ID|INVALID_CLIENT_TOKEN_ID|"
    r"MISSING_AUTHENTICATION_TOKEN|UNRECOGNIZED_CLIENT|EXPIRED_TOKEN|HTTP status 403"
)
#: What passes by itself: a server that is overloaded or restarts, a connection that is cut.
_PASSING: Final = re.compile(
    r"HTTP status 5\d\d|HTTP status 429|NETWORK_CONNECTION|SLOW_DOWN|SERVICE_UNAVAILABLE|INTERNAL_FAILURE|"
    r"REQUEST_TIME|THROTTL|curlCode|[Cc]onnection (?:reset|refused|closed|timed out)|[Tt]imed? ?out|"
    r"Unavailable|expected to be able to read|Unexpected EOF"
)
#: How the clients of object stores name what a server did, as opposed to what a decompressor says of bytes.
_SERVER: Final = re.compile(r"AWS Error|curlCode|HTTP status|google::cloud|GCS")
#: Seconds for which an operation is tried again where a server does not answer: a store that restarts, or a
#: burst of refusals, takes a minute or two.
PATIENCE: Final = 300.0
_FIRST_PATIENCE: Final = 5.0
_LONGEST_WAIT: Final = 20.0


#: Packages whose errors are of the hub's connection and no OSError.
_HTTP: Final = ("httpx", "httpx2", "requests")


class NotFoundError(UsageError):
    """No file lies at a location."""


@contextmanager
def impatient() -> Iterator[None]:
    """Within the block a server that has not answered yet, and does not, is an error after seconds: what a
    person typed is wrong more often than a server is down."""
    yield from _with_impatience(on=True)


@contextmanager
def patient() -> Iterator[None]:
    """Within the block, also inside one of `impatient`, every server is waited for: for work of hours."""
    yield from _with_impatience(on=False)


def _with_impatience(*, on: bool) -> Iterator[None]:
    global _impatient
    before, _impatient = _impatient, on
    try:
        yield
    finally:
        _impatient = before


_impatient = False
#: Set where this process was asked to stop: from then on no server is waited for longer than seconds.
stopping: Final = threading.Event()
#: Stores that have answered this process, by scheme, bucket and options.
_answered: set[str] = set()


def _store(location: str) -> str:
    path, _, query = location.partition("?")
    return "/".join(path.split("/")[:3]) + "?" + query


def is_fault(error: BaseException) -> bool:
    """Whether an error is of a file system or a server: the hub's client raises those of its HTTP library."""
    return isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _HTTP


def patiently(location: str, operation: Callable[[], T], *, plain: bool = False) -> T:
    """Do an operation that may be done twice, again and again with growing pauses where a server does not
    answer, for `PATIENCE` seconds. Raises what `translate` makes of the error; with `plain`, what else went
    wrong than the server is raised as it came."""
    began = time.monotonic()
    wait = 0.5
    while True:
        try:
            found = operation()
        except Exception as error:
            if not is_fault(error):
                raise
            if plain and isinstance(error, OSError) and not passes_by_itself(error):
                raise
            meaning = translate(error, location)
            known = not _impatient or _store(location) in _answered
            end = began + (PATIENCE if known and not stopping.is_set() else _FIRST_PATIENCE)
            if not isinstance(meaning, TransientError) or time.monotonic() + wait > end:
                raise meaning from error
        else:
            _answered.add(_store(location))
            return found
        time.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311 - spreads requests, keeps no secret
        wait = min(2 * wait, _LONGEST_WAIT)


@contextmanager
def translated(location: str) -> Iterator[None]:
    """Turn what an operating system says into one line that says what to do."""
    try:
        yield
    except Exception as error:
        if not is_fault(error):
            raise
        raise translate(error, location) from error


def translate(error: Exception, location: str) -> BukvarError:
    """What an error of a file system or a server means to a person, on one line that says what to do."""
    location = credentials.hidden(location)
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(status, int):
        return _of_status(status, error, location)
    if not isinstance(error, OSError):
        return TransientError(f"{location}: the server does not answer as it should: {first_line(error)}")
    refused = _REFUSED.search(str(error))  # "the key that you provided does not exist", Amazon says
    if isinstance(error, FileNotFoundError) or ("does not exist" in str(error) and not refused):
        return NotFoundError(f"{location}: no such file or folder")
    code = _code(error)
    if code in _FULL:
        return RunError(f"{location}: the disk is full; free some space and run the same command again")
    if code == errno.EROFS:
        return RunError(f"{location}: the file system is read-only; choose another folder")
    if code in _BARRED:
        return RunError(f"{location}: no permission; check its owner and rights, or choose another folder")
    if refused:
        return RunError(
            f"{location}: the store refuses access; check the credentials (AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or a profile) and the rights on the bucket"
        )
    if code is None and _PASSING.search(str(error)):
        return TransientError(f"{location}: the server does not answer as it should: {first_line(error)}")
    if code == errno.ENOTDIR:
        return UsageError(f"{location}: a file stands where a folder is needed; choose another --out")
    return RunError(f"{location}: {first_line(error)}")


def _of_status(status: int, error: Exception, location: str) -> BukvarError:
    """What the hub's answer means. It says 401 of what is not there too, and 404 of what is private."""
    if status in (401, 403):
        return RunError(
            f"{location}: the hub refuses access ({status}); check the name, log in with `hf auth login` or "
            "set HF_TOKEN, and see that the token may do this"
        )
    if status == 404:
        return NotFoundError(
            f"{location}: no such file or repository, or it is private and no token was given"
        )
    if status in (409, 412):
        return RunError(f"{location}: changed by somebody else meanwhile; run the same command again")
    if status in (408, 429) or status >= 500:
        return TransientError(f"{location}: the server does not answer as it should: {first_line(error)}")
    return RunError(f"{location}: {first_line(error)}")


def is_system_error(error: OSError) -> bool:
    """Whether the operating system or a server said no, rather than a decompressor about the bytes that it
    was given."""
    return (
        _code(error) is not None
        or bool(_SERVER.search(str(error)))
        or type(error).__module__.partition(".")[0] in _HTTP
    )


def passes_by_itself(error: OSError) -> bool:
    """Whether a server is to blame that may answer later: the same operation is then to be done again."""
    return is_system_error(error) and isinstance(translate(error, ""), TransientError)


def is_of_the_store(error: OSError) -> bool:
    """Whether a store is to blame, and not what the file holds: it may answer later, or it refuses access."""
    return passes_by_itself(error) or (is_system_error(error) and bool(_REFUSED.search(str(error))))


def stops_everything(error: OSError) -> bool:
    """Whether no other task can do better: the disk is full, or rights are missing."""
    return _code(error) in _FULL + _BARRED


def _code(error: OSError) -> int | None:
    if error.errno is not None:
        return error.errno
    # pyarrow's errors carry the number in their text: "... [errno 28] No space left on device".
    found = re.search(r"\[errno (\d+)\]", str(error))
    return int(found.group(1)) if found else None


def first_line(error: BaseException) -> str:
    """The first line of an error's message, at most 300 characters; its type where it has none."""
    return (str(error) or type(error).__name__).strip().splitlines()[0][:300]
