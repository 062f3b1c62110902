"""Who asks not to be used: by columns of the documents, by rules of their sites, and by lists.

docs/publish.md has the table of vocabularies: what each is, where it is read, what it does.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from corpus import storage
from corpus.errors import UsageError
from corpus.extract.sites import SITES, Sites
from corpus.inputs import Input
from pipelines import hosts

#: Beginning of the drop reason of a vocabulary.
REASON: Final = "opt_out_"
#: The vocabulary of lists that a person names; it is always heeded.
ASKED: Final = "asked"


class Vocabulary(NamedTuple):
    """What a drop for it means, and the column of the documents that says it (lists have none)."""

    meaning: str
    column: str = ""


VOCABULARIES: Final[Mapping[str, Vocabulary]] = {
    "noai": Vocabulary("the page asks not to be used for AI (robots meta or X-Robots-Tag: noai)", "noai"),
    "tdm": Vocabulary("the page or its site reserves text and data mining (TDM reservation)", "tdm_reserved"),
    "aipref": Vocabulary(
        "the page or its site asks not to be used for training (AIPREF: Content-Usage, Content-Signal)",
        "train_ai_disallowed",
    ),
    "robots": Vocabulary(
        "robots.txt of the site closes the page to robots that gather training data", "robots_disallowed"
    ),
    "noindex": Vocabulary(
        "the page asks not to be indexed (robots meta or X-Robots-Tag: noindex)", "noindex"
    ),
    ASKED: Vocabulary("its host or address is on a list of those who asked not to be used"),
}
CHOICES: Final = tuple(name for name in VOCABULARIES if name != ASKED)
#: Those that sites speak in.
OF_SITES: Final = ("tdm", "aipref", "robots")
#: Those that speak of training; noindex speaks of search engines.
DEFAULT: Final = ("noai", "tdm", "aipref", "robots")


@dataclass(frozen=True)
class OptOuts:
    """Everything that was said outside of the documents."""

    sites: Sites
    hosts: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()

    def flags(self, rows: pa.Table) -> dict[str, list[bool]]:
        """Of each vocabulary that says anything of these rows, whether it asks of each not to be used."""
        found = {
            name: rows.column(one.column).fill_null(False).to_pylist()
            for name, one in VOCABULARIES.items()
            if one.column in rows.column_names
        }
        if not (len(self.sites) or self.hosts or self.addresses):
            return found
        for name in OF_SITES if len(self.sites) else ():
            found.setdefault(name, [False] * rows.num_rows)
        pairs = zip(hosts.hosts_of(rows), hosts.texts(rows, "url"), strict=True)
        for place, (host, url) in enumerate(pairs):
            for name in (*self.sites.reserved(host, url), *self._asked(host, url)):
                found.setdefault(name, [False] * rows.num_rows)[place] = True
        return found

    def columns(self, flags: Mapping[str, list[bool]]) -> dict[str, pa.Array]:
        """What sites say joined with what pages say, as columns; none where no site says anything."""
        names = OF_SITES if len(self.sites) else ()
        return {VOCABULARIES[name].column: pa.array(flags[name], pa.bool_()) for name in names}

    def _asked(self, host: str, url: str) -> tuple[str, ...]:
        listed = hosts.is_within(host, self.hosts)
        return (ASKED,) if listed or (self.addresses and hosts.address(url) in self.addresses) else ()


@functools.lru_cache(2)
def opened(sites: tuple[Input, ...], asked: tuple[Input, ...]) -> OptOuts:
    """What these files say, read once a process."""
    return OptOuts(Sites(_rows(sites)), *read_asked([source.path for source in asked]))


def _rows(sites: Sequence[Input]) -> Iterator[tuple[str, str]]:
    for source in sites:
        with storage.translated(source.name), storage.open_input(source.path) as stream:
            try:
                read = pq.read_table(stream, columns=SITES.names)
            except (pa.ArrowException, KeyError) as error:
                raise UsageError(
                    f"publish.sites: {source.name} is not what extract keeps in STAGE/_sites"
                ) from error
        yield from zip(read.column("host").to_pylist(), read.column("rules").to_pylist(), strict=True)


def read_asked(locations: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Hosts and addresses of lists. A line with a slash is an address; # begins a comment.

    Raises UsageError that names a line which is neither.
    """
    found: set[str] = set()
    addresses: set[str] = set()
    for location in locations:
        lines = storage.read_bytes(location).decode("utf-8-sig", "replace").splitlines()
        for number, line in enumerate(lines, 1):
            entry = re.sub(r"(^|\s)#.*", "", line).strip()
            if not entry:
                continue
            if re.search(r"\s", entry) or "." not in entry:
                raise UsageError(f"publish.asked: {location}: line {number} is neither a host nor an address")
            bare = entry.rstrip("/")
            if "/" in bare or "#" in bare:
                addresses.add(hosts.address(entry))
                continue
            try:
                found.update(hosts.forms(bare))
            except ValueError as error:
                raise UsageError(f"publish.asked: {location}: line {number}: {error}") from error
    return frozenset(found), frozenset(addresses)
