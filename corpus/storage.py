"""Files on local disks and object stores, by one set of names.

A location is a path or a URL of a pyarrow filesystem (s3://bucket/key, gs://, hdfs://, file://), or, to be
read only, of a repository on the hub (hf://datasets/owner/name/path). Everything here takes locations;
nothing else in the project opens files for data. A file appears under its name whole or not at all: on a disk
and on HDFS it is written beside its place and renamed, an object is put when all of its bytes are there.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import posixpath
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import pyarrow as pa
from pyarrow import fs

from corpus import s3
from corpus.errors import UsageError
from corpus.faults import (
    NotFoundError,
    impatient,
    is_of_the_store,
    is_system_error,
    passes_by_itself,
    patient,
    patiently,
    stops_everything,
    translate,
    translated,
)
from corpus.filesystems import HUB, open_filesystem
from corpus.locations import (
    PARTIAL,
    absolute,
    base_name,
    host,
    is_partial,
    is_url,
    is_utf8,
    join,
    parent,
    partial_name,
    path_part,
)
from corpus.walking import File, list_local, walk_local

__all__ = [
    "HUB", "PARTIAL", "File", "NotFoundError", "absolute", "base_name", "host", "impatient",
    "is_of_the_store", "is_partial", "is_system_error", "is_url", "is_utf8", "join", "open_filesystem",
    "parent", "partial_name", "passes_by_itself", "path_part", "patient", "patiently", "stops_everything",
    "translate", "translated",
]  # fmt: skip

T = TypeVar("T")

#: Bytes up to which a file of an object store is read whole: one or two requests instead of one a column.
_WHOLE: Final = 32 << 20
#: Bytes of a file being written to an object store that are held in memory; more of it lies on the disk.
_SPOOL: Final = 32 << 20
#: Files deleted at a time.
_DELETERS: Final = 32
#: Types of file systems that show a file while it is written: it is written beside its place and moved.
_SHOWING: Final = ("hdfs",)


def check_writable(location: str) -> None:
    """Raise UsageError for a location that files can only be read from."""
    if location.startswith(f"{HUB}://"):
        raise UsageError(
            f"{location}: a hub's files are read only; datasets go there by `bukvar publish --to "
            "hf://datasets/OWNER/NAME`, or by publish.to in a recipe"
        )


def local_path(location: str) -> Path | None:
    """The local path of a location, or None on an object store."""
    filesystem, path = open_filesystem(location)
    return Path(path) if isinstance(filesystem, fs.LocalFileSystem) else None


def info(location: str) -> fs.FileInfo:
    """FileInfo (type, size, mtime) of a location."""
    filesystem, path = open_filesystem(location)
    found = patiently(location, lambda: filesystem.get_file_info(path))
    expect(location, found.size or 0)
    return found


def file(location: str) -> File:
    """Size and time of the last change of a file."""
    found = info(location)
    return File(int(found.size or 0), int(found.mtime_ns or 0))


def exists(location: str) -> bool:
    """Whether there is a file or folder at a location."""
    return bool(info(location).type != fs.FileType.NotFound)


def list_files(folder: str, *, recursive: bool = False) -> list[str]:
    """Files of a folder as locations, sorted; none where the folder is missing.

    Raises RunError where the folder may not be read. Local listings are made with os.scandir since pyarrow
    leaves out what it may not read without a word.
    """
    filesystem, path = open_filesystem(folder)
    if isinstance(filesystem, fs.LocalFileSystem):
        start = len(path.rstrip("/")) + 1
        return sorted(join(folder, found[start:]) for found in list_local(path, recursive))
    selector = fs.FileSelector(path, allow_not_found=True, recursive=recursive)
    found = patiently(folder, lambda: filesystem.get_file_info(selector))
    start = len(path.rstrip("/")) + 1
    return sorted(join(folder, f.path[start:]) for f in found if _is_whole(f))


def list_partials(folder: str) -> dict[str, File]:
    """Partial files below a folder of a file system that is not local, by location: of those that show them,
    none elsewhere."""
    filesystem, path = open_filesystem(folder)
    if filesystem.type_name not in _SHOWING:
        return {}
    selector = fs.FileSelector(path, allow_not_found=True, recursive=True)
    found = patiently(folder, lambda: filesystem.get_file_info(selector))
    start = len(path.rstrip("/")) + 1
    return {
        join(folder, f.path[start:]): File(f.size, f.mtime_ns or 0) for f in found if is_partial(f.base_name)
    }


def _is_whole(found: fs.FileInfo) -> bool:
    return found.type == fs.FileType.File and not is_partial(found.base_name)


def list_tree(folder: str, dead_links: list[str] | None = None) -> dict[str, File]:
    """All files below a folder, by path below it, sorted; none where the folder is missing. On an
    object store that is one request for a thousand files. `dead_links` gets the paths of links to files that
    are not there."""
    filesystem, path = open_filesystem(folder)
    if isinstance(filesystem, fs.LocalFileSystem):
        start = len(path.rstrip("/")) + 1
        dead: list[str] = []
        found_here = {
            entry.path[start:]: File(stat.st_size, stat.st_mtime_ns)
            for entry, stat in walk_local(path, dead_links=dead)
        }
        if dead_links is not None:
            dead_links += [place[start:] for place in dead]
        return found_here
    selector = fs.FileSelector(path, allow_not_found=True, recursive=True)
    found = patiently(folder, lambda: filesystem.get_file_info(selector))
    start = len(path.rstrip("/")) + 1
    files = {f.path[start:]: File(f.size, f.mtime_ns or 0) for f in found if _is_whole(f)}
    for name, one in files.items():
        expect(join(folder, name), one.size)
    return dict(sorted(files.items()))


#: Objects that are known to be larger than `_WHOLE`: nobody asks a store for one of them whole.
_large: set[str] = set()


def expect(location: str, size: int) -> None:
    """Take note of a file's size, as whoever named the file knows it. It decides how a store is asked for the
    file, and nothing else."""
    if size > _WHOLE and is_url(location):
        _large.add(location)


def open_input(location: str) -> Any:
    """A seekable binary stream (pyarrow.NativeFile), uncompressed by us: the bytes as they lie."""
    filesystem, path = open_filesystem(location)
    if isinstance(filesystem, fs.LocalFileSystem):
        with translated(location):
            return filesystem.open_input_file(path)
    return patiently(location, lambda: _open_remote(location, filesystem, path))


def _open_remote(location: str, filesystem: fs.FileSystem, path: str) -> Any:
    data = s3.read_small(location, _WHOLE) if location not in _large else None
    if data is not None:
        return pa.BufferReader(data)
    stream = filesystem.open_input_file(path)
    if stream.size() > _WHOLE:
        _large.add(location)
        return stream
    with stream:
        return pa.BufferReader(stream.read_buffer())


def reading(location: str, read: Callable[[Any], T]) -> T:
    """What `read` makes of a file's stream. It is done again, from the opening on, where the server does not
    answer in the middle; other errors are raised as they come."""

    def once() -> T:
        with open_input(location) as stream:
            return read(stream)

    return patiently(location, once, plain=True)


def read_bytes(location: str) -> bytes:
    """The content of a small file."""
    with translated(location):
        return reading(location, lambda stream: bytes(stream.read()))


def copy(location: str, target: Path) -> None:
    """Copy a file to a local path."""

    def read(stream: Any) -> None:
        with target.open("wb") as made:
            while chunk := stream.read(1 << 20):
                made.write(chunk)

    with translated(location):
        reading(location, read)


@contextmanager
def write_atomic(location: str, scratch: str = "") -> Iterator[Any]:
    """A binary stream whose content appears under its name only when the block ends without an error.

    On an object store it is put then, and again where the server does not answer. Until then it is kept in
    memory, and above 32 MB in the folder `scratch` (the system's temporary one where empty): a stream of
    pyarrow's can't be given up, what was written to it appears in any case.
    """
    check_writable(location)
    filesystem, path = open_filesystem(location)
    if not isinstance(filesystem, fs.LocalFileSystem):
        with (
            translated(scratch or tempfile.gettempdir()),
            tempfile.SpooledTemporaryFile(_SPOOL, dir=scratch or None) as spool,
        ):
            yield spool
            size = spool.tell()
            spool.seek(0)
            _put(location, _mapped(spool) if size > _SPOOL else spool.read())
        return
    with translated(location):
        final = Path(path)
        final.parent.mkdir(parents=True, exist_ok=True)
        partial = final.with_name(partial_name(final.name))
        try:
            with pa.OSFile(str(partial), "wb") as stream:
                yield stream
            with partial.open("rb") as written:
                os.fsync(written.fileno())
            partial.replace(final)
        finally:
            partial.unlink(missing_ok=True)


def upload(source: Path, location: str) -> None:
    """Put a local file in an object store under its name there."""
    check_writable(location)
    with translated(str(source)), source.open("rb") as stream:
        _put(location, _mapped(stream) if source.stat().st_size else b"")


def _mapped(stream: Any) -> Any:
    """The content of an open file that is not empty, as a buffer."""
    return pa.py_buffer(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))


def _put(location: str, data: Any) -> None:
    """Write an object whole, in one call: so ctrl-C can't come between two parts of it. Where it would
    show meanwhile it is written beside its place and moved."""
    filesystem, path = open_filesystem(location)

    def put() -> None:
        if filesystem.type_name in _SHOWING:
            _put_beside(filesystem, path, data)
            return
        with filesystem.open_output_stream(path) as stream:
            stream.write(data)

    patiently(location, put)


def _put_beside(filesystem: fs.FileSystem, path: str, data: Any) -> None:
    folder, name = posixpath.split(path)
    partial = posixpath.join(folder, partial_name(name))
    try:
        with filesystem.open_output_stream(partial) as stream:
            stream.write(data)
        filesystem.move(partial, path)
    except BaseException:
        with suppress(OSError):
            filesystem.delete_file(partial)
        raise


def write_bytes(location: str, data: bytes) -> None:
    """Write a small file atomically. Raises UsageError on a hub."""
    check_writable(location)
    if local_path(location) is None:
        _put(location, data)
        return
    with write_atomic(location) as stream:
        stream.write(data)


def delete(location: str) -> None:
    """Delete a file if it is there."""
    check_writable(location)
    if s3.delete(location):
        return
    filesystem, path = open_filesystem(location)

    def remove() -> None:
        if filesystem.get_file_info(path).type == fs.FileType.File:
            filesystem.delete_file(path)

    with suppress(NotFoundError):  # a first try did it whose answer was lost
        patiently(location, remove)


def delete_all(locations: Iterable[str]) -> None:
    """Delete files, several at a time: an object store answers each in tens of milliseconds."""
    wanted = list(locations)
    if len(wanted) < 2:
        for location in wanted:
            delete(location)
        return
    with ThreadPoolExecutor(_DELETERS) as pool:
        for _ in pool.map(delete, wanted):
            pass


def sha256(location: str) -> tuple[str, int]:
    """SHA-256 (hex) and size in bytes of a file's content."""

    def read(stream: Any) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
            size += len(chunk)
        return digest.hexdigest(), size

    with translated(location):
        return reading(location, read)
