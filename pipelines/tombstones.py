"""Tombstones: what was taken out of a dataset on request. They lie in it; later publishes obey them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec
import pyarrow as pa

from corpus import storage
from corpus.errors import UsageError

FILE: Final = "tombstones.jsonl"


@dataclass(frozen=True)
class Tombstone:
    """One request: documents of this address, host (and those below it), id, or with this phrase."""

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
        urls, hosts = _texts(rows, "url"), _texts(rows, "host")
        ids, texts = _ids(rows), _texts(rows, "text") if self._of("phrase") else [""] * rows.num_rows
        wanted_urls, wanted_ids = self._of("url"), self._of("id")
        wanted_hosts, phrases = self._of("host"), self._of("phrase")
        return [
            place
            for place in range(rows.num_rows)
            if urls[place] in wanted_urls
            or ids[place] in wanted_ids
            or any(domain in wanted_hosts for domain in _domains(hosts[place]))
            or any(phrase in texts[place] for phrase in phrases)
        ]

    def _of(self, kind: str) -> set[str]:
        return {stone.value for stone in self.stones if stone.kind == kind}


def _texts(rows: pa.Table, name: str) -> list[str]:
    if name not in rows.column_names:
        return [""] * rows.num_rows
    return [value or "" for value in rows.column(name).to_pylist()]


def _ids(rows: pa.Table) -> list[str]:
    if "doc_id" not in rows.column_names:
        return [""] * rows.num_rows
    return [v.hex() if isinstance(v, bytes) else str(v) for v in rows.column("doc_id").to_pylist()]


def _domains(host: str) -> list[str]:
    """A host and the domains above it: a.b.ru, b.ru, ru."""
    parts = host.split(".")
    return [".".join(parts[n:]) for n in range(len(parts))]


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
