"""The file system of a location: pyarrow's, one object for each store and its options."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Final

import pyarrow as pa
from pyarrow import fs

from corpus import credentials, s3
from corpus.errors import UsageError
from corpus.faults import first_line
from corpus.locations import URL, is_utf8, path_part

#: Scheme of the hub's repositories.
HUB: Final = "hf"
#: What a location may be, for messages.
_SCHEMES: Final = "use a path, s3://, gs://, hdfs:// or hf://"


@cache
def _local() -> fs.FileSystem:
    return fs.LocalFileSystem()


@cache
def _hub() -> fs.FileSystem:
    try:
        from huggingface_hub import HfFileSystem
    except ImportError as error:
        raise UsageError("hf:// needs the package huggingface_hub: pip install 'bukvar[hub]'") from error
    return fs.PyFileSystem(fs.FSSpecHandler(HfFileSystem()))


@cache
def _filesystem(root: str) -> fs.FileSystem:
    # One filesystem object per scheme and bucket: making an S3 client costs milliseconds and threads.
    return fs.FileSystem.from_uri(root)[0]


def open_filesystem(location: str) -> tuple[fs.FileSystem, str]:
    """The filesystem of a location, and the path within it. Raises UsageError for an unknown scheme, and for
    a name that is not UTF-8."""
    if not location.isascii() and not is_utf8(location):
        shown = os.fsencode(location).decode("utf-8", "backslashreplace")
        raise UsageError(f"{shown}: the name is not UTF-8; rename the file (convmv renames many)")
    match = URL.match(location)
    if not match:
        return _local(), str(Path.cwd() / location)
    scheme = match.group(1)
    if scheme == "file":
        return _local(), location.removeprefix("file://")
    if scheme == HUB:
        return _hub(), location[match.end() :].rstrip("/")
    if scheme == "s3":
        return _of_s3(location)
    if scheme in ("http", "https"):
        raise UsageError(
            f"{location}: web addresses are not read; download the file first (curl -O), or {_SCHEMES}"
        )
    rest, _, query = location[match.end() :].partition("?")
    bucket, _, _ = rest.partition("/")
    try:
        filesystem = _filesystem(f"{scheme}://{bucket}" + (f"?{query}" if query else ""))
        below = rest[len(bucket) :]
        name = bucket.rpartition("@")[2] if scheme in ("gs", "gcs") else ""
        return filesystem, name + below or "/"
    except (pa.ArrowInvalid, OSError) as error:
        raise UsageError(f"{location}: {first_line(error)}; {_SCHEMES}") from error


def _of_s3(location: str) -> tuple[fs.FileSystem, str]:
    place = s3.parse(location)
    _, clean = credentials.split(location)
    root = f"s3://{s3.userinfo(place.credentials)}{place.bucket}" + (f"?{place.query}" if place.query else "")
    if "allow_delayed_open" not in place.query:  # one request for a small file, not three
        root += ("&" if place.query else "?") + "allow_delayed_open=true"
    try:
        path = path_part(clean).removeprefix("s3://")
        return _filesystem(root), path[path.partition("/")[0].rfind("@") + 1 :] or "/"
    except (pa.ArrowInvalid, OSError) as error:  # whose message may hold the root, secret included
        said = credentials.hidden(first_line(error))
        raise UsageError(f"{clean}: {said}; {_SCHEMES}") from None
