"""Locations as text: paths and URLs joined and taken apart, and the names of files that are being written.

No file is looked at here; `corpus.storage` gives all of these names too.
"""

from __future__ import annotations

import os
import platform
import posixpath
import re
import secrets
from pathlib import Path
from typing import Final

#: The scheme of a URL; a local path has none.
URL: Final = re.compile(r"^([a-z][a-z0-9+.-]*)://")
#: Suffix of a file being written; `corpus.leftovers` removes what a killed task left behind.
PARTIAL: Final = ".partial"


def is_url(location: str) -> bool:
    """Whether the location is a URL (file:// included) rather than a local path."""
    return bool(URL.match(location))


def is_utf8(name: str) -> bool:
    """Whether a name that the system gave is UTF-8: bytes that are not come as lone surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def absolute(location: str) -> str:
    """The location for a process with another current folder: local paths made whole, URLs as they are."""
    return location if is_url(location) else str(Path.cwd() / location)


def join(location: str, *parts: str) -> str:
    """Append parts to a location; a URL's query (options of the filesystem) stays at its end."""
    base, mark, query = location.partition("?") if is_url(location) else (location, "", "")
    return posixpath.join(base, *parts) + mark + query


def parent(location: str) -> str:
    """The folder of a location."""
    base, mark, query = location.partition("?") if is_url(location) else (location, "", "")
    return posixpath.dirname(base.rstrip("/")) + mark + query


def path_part(location: str) -> str:
    """A location without a URL's query; a local name may hold a question mark."""
    return location.partition("?")[0] if is_url(location) else location


def base_name(location: str) -> str:
    """Last part of a location."""
    return posixpath.basename(path_part(location).rstrip("/"))


def partial_name(name: str) -> str:
    """A name under which a file is written: it says by whom, and no two writers have the same."""
    return f".{name[-120:]}.{host()}.{os.getpid()}.{secrets.token_hex(4)}{PARTIAL}"


def host() -> str:
    """This machine's name as it stands in the names of partial files."""
    return re.sub(r"[^A-Za-z0-9]", "-", platform.node())


def is_partial(name: str) -> bool:
    """Whether a file of this name is being written, or was when its writer was killed."""
    return name.startswith(".") and name.endswith(PARTIAL)
