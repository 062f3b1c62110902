"""Hosts and addresses as people write them and as crawls hold them, compared."""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from urllib.parse import unquote

import pyarrow as pa

from corpus.documents import host_of


def forms(host: str) -> list[str]:
    """A host as crawls write it: in lower case, as letters and as punycode. Raises ValueError for none."""
    plain = host.strip().lower().strip(".")
    if not plain or re.search(r"[\s/:@]", plain):
        raise ValueError(f"{host!r}: no name of a host; write it like example.ru")
    found = {plain}
    with suppress(UnicodeError):
        found.add(plain.encode("idna").decode())
    with suppress(UnicodeError):
        found.add(plain.encode("ascii").decode("idna"))
    return sorted(found)


def hosts_of(rows: pa.Table) -> list[str]:
    """The host of each row, by its column or its address; empty where neither says it."""
    pairs = zip(texts(rows, "host"), texts(rows, "url"), strict=True)
    return [(host or host_of(url) or "").rstrip(".").lower() for host, url in pairs]


def is_within(host: str, wanted: Collection[str]) -> bool:
    """Whether a host is one of these or below one: a.b.ru is within b.ru."""
    parts = host.split(".")
    return any(".".join(parts[n:]) in wanted for n in range(len(parts)))


def address(url: str) -> str:
    """An address as two of them are compared: without scheme, fragment and last slash, its host in lower case
    and letters (пример.рф), escapes of the path (%D1%8F) undone."""
    bare = re.sub(r"^[a-z][a-z0-9+.-]*://", "", url.strip(), flags=re.IGNORECASE).partition("#")[0]
    host, slash, path = bare.partition("/")
    host = host.lower()
    if "xn--" in host:
        with suppress(UnicodeError):
            host = host.encode("ascii").decode("idna")
    return f"{host}{slash}{unquote(path)}".rstrip("/")


def texts(rows: pa.Table, name: str) -> list[str]:
    """A column's texts; empty ones where it is null or not there."""
    if name not in rows.column_names:
        return [""] * rows.num_rows
    return [value or "" for value in rows.column(name).to_pylist()]
