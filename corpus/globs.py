"""Globs over files on disks and object stores."""

from __future__ import annotations

import re
from pathlib import Path

from corpus import storage


def expand(location: str) -> list[str]:
    """Locations that a glob (*, ?, [..], **) stands for, sorted; the location itself where it is no glob."""
    if not re.search(r"[*?\[]", storage.path_part(location)):
        return [location]
    if not storage.is_url(location):
        if Path(location).exists():  # a name with brackets or a question mark in it
            return [location]
        start, rest = ("/", location[1:]) if location.startswith("/") else (".", location)
        return sorted(str(p) for p in Path(start).glob(rest) if p.is_file())
    path, mark, query = location.partition("?")  # the filesystem's options: a URL's ? is no wildcard
    base = re.split(r"[*\[]", path, maxsplit=1)[0].rpartition("/")[0]
    pattern = re.compile(glob_to_regex(path))
    found = storage.list_files(f"{base}{mark}{query}", recursive=True)
    return [file for file in found if pattern.fullmatch(storage.path_part(file))]


def glob_to_regex(pattern: str) -> str:
    """Regular expression of a glob in which * stays within a folder and ** crosses folders."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]*\])", pattern)
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(known.get(p, p if p.startswith("[") else re.escape(p)) for p in parts)
