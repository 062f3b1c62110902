"""Block lists of addresses: bukvar's own categories and files that a recipe names.

A file holds a rule a line: domains (UT1), a hosts file, AdBlock-like lines, own words (docs/addresses.md).
An address is judged by its bytes, before its page is decoded (rust_ext/crates/addresses).
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Final

from pyarrow import fs

from corpus import storage
from corpus.errors import UsageError
from rust_ext import AddressLists

OWN: Final = Path(__file__).parent.parent / "assets" / "addresses_ru.txt"
#: The lists in a folder of UT1.
_UT1: Final = ("domains", "urls")
#: Sections of `OWN`.
CATEGORIES: Final = ("casino", "escort", "essays", "pirates", "doorways")
REASON: Final = "blocked_address"


@functools.cache
def load(categories: tuple[str, ...], locations: tuple[str, ...]) -> AddressLists | None:
    """Own categories and files (of a folder, all of them), read once a process; None where neither is named.

    Raises UsageError with list, line and remedy where a line is no rule, and where files hold none at all.
    """
    if not categories and not locations:
        return None
    lists = [("own", _sections(set(categories)).encode())] if categories else []
    files = [file for location in locations for file in _files(location)]
    lists += [(_name(file), storage.read_bytes(file)) for file in files]
    try:
        read = AddressLists(lists)
    except ValueError as error:
        raise UsageError(f"extract.blocklists: {error}") from error
    if not read.counts()[0]:
        raise UsageError(
            f"extract.blocklists: no line of {', '.join(locations)} is a rule about addresses of pages; "
            "a rule is a line such as example.ru or /casino/ (docs/addresses.md)"
        )
    return read


def _files(location: str) -> list[str]:
    """The file itself, or the files of a folder in the order of their names; of one that holds `domains` or
    `urls` (a category of UT1), these: others beside them are patterns and notes."""
    if storage.info(location).type != fs.FileType.Directory:
        return [location]
    found = [
        path for path in storage.list_tree(location) if not storage.base_name(path).startswith((".", "_"))
    ]
    folders = {path.rpartition("/")[0] for path in found if storage.base_name(path) in _UT1}
    wanted = [p for p in found if p.rpartition("/")[0] not in folders or storage.base_name(p) in _UT1]
    return [storage.join(location, path) for path in sorted(wanted)]


def _name(file: str) -> str:
    """What a list is called: its file, of UT1's with the folder («adult/domains»)."""
    folder, _, name = file.rpartition("/")
    return f"{storage.base_name(folder)}/{name}" if name in _UT1 else storage.base_name(file)


def _sections(wanted: set[str]) -> str:
    """The lines of the categories that are wanted, the others emptied, so that line numbers stay."""
    kept, inside = [], False
    for line in OWN.read_text(encoding="utf-8").split("\n"):
        if header := re.fullmatch(r"\[(\w+)\]", line):
            inside = header[1] in wanted
        kept.append(line if inside else "")
    return "\n".join(kept)


def why(lists: AddressLists | None, url: str) -> str | None:
    """Why a page's address is blocked, as it stands in `drop_detail`; None where it is not."""
    found = lists.check(url) if lists is not None and url else None
    if found is None:
        return None
    name, category, rule = found
    return f"list={name} category={category or '-'} rule={rule}"
