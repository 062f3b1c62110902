"""Listings of local folders, made with os.scandir: pyarrow leaves out what it may not read without a word."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from stat import S_ISDIR, S_ISREG

from corpus.faults import translate
from corpus.locations import is_partial


@dataclass(frozen=True)
class File:
    """Size in bytes and time of the last change of a file."""

    size: int
    mtime_ns: int


def list_local(path: str, recursive: bool) -> Iterator[str]:
    """Paths of the files in a folder, or below it."""
    if recursive:
        yield from (entry.path for entry, _ in walk_local(path))
        return
    yield from (entry.path for entry, stat in _scan(path) if S_ISREG(stat.st_mode))


def walk_local(
    path: str, above: frozenset[tuple[int, int]] = frozenset(), dead_links: list[str] | None = None
) -> Iterator[tuple[os.DirEntry[str], os.stat_result]]:
    """All files below a folder. `above`: the folders that lead here; a link back to one of them is passed
    over."""
    with suppress(FileNotFoundError):
        top = os.stat(path)  # noqa: PTH116 - a path as the scan gives it
        above |= {(top.st_dev, top.st_ino)}
    for entry, stat in _scan(path, dead_links):
        if not S_ISDIR(stat.st_mode):
            yield entry, stat
        elif (stat.st_dev, stat.st_ino) not in above:
            yield from walk_local(entry.path, above, dead_links)


def _scan(
    path: str, dead_links: list[str] | None = None
) -> Iterator[tuple[os.DirEntry[str], os.stat_result]]:
    """Files and folders of a folder, by name, links followed. Passes over partial files, links that lead
    nowhere or to themselves (which `dead_links` gets), and what ends while we look."""
    try:
        entries = sorted(os.scandir(path), key=lambda e: e.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise translate(error, path) from error
    for entry in entries:
        try:
            stat = entry.stat()
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ELOOP):
                if dead_links is not None and entry.is_symlink():
                    dead_links.append(entry.path)
                continue
            raise translate(error, entry.path) from error
        if S_ISDIR(stat.st_mode) or not is_partial(entry.name):
            yield entry, stat
