"""Access keys that stand in URLs of S3 (s3://KEY:SECRET@bucket/...), kept apart from the locations.

`take` is called where text comes in that names locations: a command line, a recipe. From there on a location
is s3://bucket/..., so nothing that is written down or said can hold a secret, and who opens a store finds the
keys here. Tasks on other machines bring them along (`known`, `learn`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

#: A URL in a text of any kind, up to the quote or the line's end behind it. A secret may hold slashes.
_URL: Final = re.compile(r"s3://(?:(?P<keys>[^/@:\"'\n]+:[^@\"'\n]+)@)?(?P<rest>(?:(?!s3://)[^\"'\n])*)")


class Keys(NamedTuple):
    """What a URL names: its bucket with the options of its server, its path, "KEY:SECRET" or nothing."""

    store: str
    path: tuple[str, ...]
    keys: str


_known: list[Keys] = []


def take(text: str) -> str:
    """The text without access keys in its URLs; they are remembered."""

    def without(found: re.Match[str]) -> str:
        location = f"s3://{found['rest']}"
        entry = Keys(*_place(location), found["keys"] or "")
        if entry not in _known:
            _known.append(entry)
        return location

    return _URL.sub(without, text)


def hidden(text: str) -> str:
    """The text without access keys in its URLs, for a message."""
    return _URL.sub(lambda found: f"s3://{found['rest']}", text)


def split(location: str) -> tuple[str, str]:
    """Access keys of one URL of S3, its own or those that were taken for it, and the URL without them."""
    found = _URL.match(location)
    if found is None or not found["keys"]:
        return of(location), location
    return found["keys"], f"s3://{location[found.start('rest') :]}"


def of(location: str) -> str:
    """Access keys ("KEY:SECRET") for a location without its own: those of the URL of the same bucket that
    shares the longest path with it. Empty, for those of the environment, where there is none or it had none.
    """
    if not _known:
        return ""
    store, path = _place(location)
    found = [entry for entry in _known if entry.store == store]
    return max(found, key=lambda entry: _shared(entry.path, path)).keys if found else ""


def known() -> tuple[Keys, ...]:
    """All that was taken, for another process of the same command."""
    return tuple(_known)


def learn(entries: Sequence[Keys]) -> None:
    """Know what another process of the same command knows, and nothing else."""
    _known[:] = entries


def _place(location: str) -> tuple[str, tuple[str, ...]]:
    path, _, query = location.removeprefix("s3://").partition("?")
    bucket, *parts = path.rstrip("/").split("/")
    return f"{bucket}?{query}", tuple(parts)


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many parts two paths have in common at their beginnings."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count
