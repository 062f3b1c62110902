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
    base = re.split(r"[*?\[]", location, maxsplit=1)[0].rpartition("/")[0]
    pattern = re.compile(glob_to_regex(location))
    return [f for f in storage.list_files(base, recursive=True) if pattern.fullmatch(f)]


def glob_to_regex(pattern: str) -> str:
    """Regular expression of a glob in which * stays within a folder and ** crosses folders."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]*\])", pattern)
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(known.get(p, p if p.startswith("[") else re.escape(p)) for p in parts)
