"""Globs over files on disks and object stores."""

from __future__ import annotations

import re
from pathlib import Path

from corpus import storage
from corpus.storage import File


def expand(location: str) -> list[str]:
    """Locations that a glob (*, ?, [..], **) stands for, sorted; the location itself where it is no glob."""
    return list(files(location))


def files(location: str) -> dict[str, File | None]:
    """What `expand` gives, with sizes and times where a listing said them: an object store is asked once for
    a thousand files."""
    if not re.search(r"[*?\[]", storage.path_part(location)):
        return {location: None}
    if not storage.is_url(location):
        if Path(location).exists():  # a name with brackets or a question mark in it
            return {location: None}
        start, rest = ("/", location[1:]) if location.startswith("/") else (".", location)
        return dict.fromkeys(sorted(str(p) for p in Path(start).glob(rest) if p.is_file()))
    path, mark, query = location.partition("?")  # the filesystem's options: a URL's ? is no wildcard
    base = re.split(r"[*\[]", path, maxsplit=1)[0].rpartition("/")[0]
    pattern = re.compile(glob_to_regex(path))
    folder = f"{base}{mark}{query}"
    listed = ((storage.join(folder, path), file) for path, file in storage.list_tree(folder).items())
    return {place: file for place, file in listed if pattern.fullmatch(storage.path_part(place))}


def glob_to_regex(pattern: str) -> str:
    """Regular expression of a glob in which * stays within a folder and ** crosses folders."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]*\])", pattern)
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(known.get(p, p if p.startswith("[") else re.escape(p)) for p in parts)
