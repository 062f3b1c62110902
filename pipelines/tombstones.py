"""Tombstones: what was taken out of a dataset on request. They lie in it; later publishes obey them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import msgspec
import pyarrow as pa

from corpus import storage
from corpus.errors import UsageError
from pipelines import hosts

FILE: Final = "tombstones.jsonl"
#: Columns of which any shows what a request names.
_SHOWN_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "url": ("url",), "host": ("host", "url"), "id": ("doc_id",), "phrase": ("text",),
}  # fmt: skip


@dataclass(frozen=True)
class Tombstone:
    """One request: documents of this address (`hosts.address`), host (and those below it), id, or with this
    phrase."""

    kind: Literal["url", "host", "id", "phrase"]
    value: str
    reason: str = ""


@dataclass(frozen=True)
class Tombstones:
    """All requests of a dataset."""

    stones: tuple[Tombstone, ...] = ()

    def places(self, rows: pa.Table) -> list[int]:
        """Positions of the rows that a request names."""
        if not self.stones or not rows.num_rows:
            return []
        found: set[int] = set()
        if self._urls:
            urls = hosts.texts(rows, "url")
            found.update(n for n, url in enumerate(urls) if hosts.address(url) in self._urls)
        if self._hosts:
            found.update(
                n for n, host in enumerate(hosts.hosts_of(rows)) if hosts.is_within(host, self._hosts)
            )
        if wanted := self._of("id"):
            found.update(n for n, one in enumerate(_ids(rows)) if one in wanted)
        if phrases := self._of("phrase"):
            texts = hosts.texts(rows, "text")
            found.update(n for n, text in enumerate(texts) if any(phrase in text for phrase in phrases))
        return sorted(found)

    def hidden_from(self, columns: Collection[str]) -> list[str]:
        """Kinds of requests of which documents with these columns don't show whether they are meant."""
        kinds = dict.fromkeys(stone.kind for stone in self.stones)
        return [kind for kind in kinds if not any(name in columns for name in _SHOWN_BY[kind])]

    @cached_property
    def _urls(self) -> set[str]:
        return {hosts.address(url) for url in self._of("url")}

    @cached_property
    def _hosts(self) -> set[str]:
        found = self._of("host")
        for host in tuple(found):
            with suppress(ValueError):  # written by hand
                found.update(hosts.forms(host))
        return found

    def _of(self, kind: str) -> set[str]:
        return {stone.value for stone in self.stones if stone.kind == kind}


def _ids(rows: pa.Table) -> list[str]:
    if "doc_id" not in rows.column_names:
        return [""] * rows.num_rows
    return [v.hex() if isinstance(v, bytes) else str(v) for v in rows.column("doc_id").to_pylist()]


def read_tombstones(dataset: str) -> Tombstones:
    """The tombstones of a dataset; none where there are none. Raises UsageError that names a broken line."""
    try:
        data = storage.read_bytes(storage.join(dataset, FILE))
    except storage.NotFoundError:
        return Tombstones()
    return Tombstones(parse(data, f"{dataset}/{FILE}"))


def parse(data: bytes, where: str) -> tuple[Tombstone, ...]:
    """The tombstones of a file's content. Raises UsageError that names a broken line."""
    stones = []
    for number, line in enumerate(data.splitlines(), 1):
        try:
            stones.append(msgspec.json.decode(line, type=Tombstone))
        except msgspec.MsgspecError as error:
            raise UsageError(f"{where}: line {number} is no tombstone ({error})") from error
    return tuple(stones)


def write_tombstones(dataset: str, stones: Sequence[Tombstone]) -> None:
    """Write all tombstones of a dataset, each once, in the order they came."""
    lines: Iterable[bytes] = (msgspec.json.encode(stone) + b"\n" for stone in dict.fromkeys(stones))
    storage.write_bytes(storage.join(dataset, FILE), b"".join(lines))
