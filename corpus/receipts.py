"""What tasks leave behind in a stage's folder, and how it is read back.

    FOLDER/NAME.parquet             kept rows
    FOLDER/_dropped/NAME.parquet    dropped rows with reason and detail
    FOLDER/_work/PHASE/NAME         what phases pass to each other
    FOLDER/_sites/NAME.parquet      of extract: what sites say of all their pages (robots.txt, tdmrep.json)
    FOLDER/_receipts/NAME.json      written last: done means it is here with the right key
    FOLDER/_receipts.jsonl          all receipts in one file, so that nothing to do takes two requests
    FOLDER/_failed/NAME.json        why the last try failed
    FOLDER/_running/NAME.json       heartbeats of tasks that take longer than seconds
    FOLDER/_sums.json               sums over the receipts, for `bukvar status`
    FOLDER/_plan.json               which stage, parameters and inputs the folder belongs to
    FOLDER/_driver.json             the driver that works on the folder

Names that begin with `_` are passed over by pyarrow, Spark and DIR/*.parquet, so the folder opens as a
dataset as it is. Receipts hold seconds and versions; outputs never do.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import platform
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import pyarrow as pa

from corpus import storage
from corpus.inputs import Input

RECEIPTS: Final = "_receipts"
INDEX: Final = "_receipts.jsonl"
DROPPED: Final = "_dropped"
FAILED: Final = "_failed"
RUNNING: Final = "_running"
WORK: Final = "_work"
SITES: Final = "_sites"
PLAN: Final = "_plan.json"
SUMS: Final = "_sums.json"
DRIVER: Final = "_driver.json"
#: How a file begins by which machines show that they see the folder.
PROBE: Final = "_probe-"

#: Receipts read at a time: an object store answers each in tens of milliseconds.
_READERS: Final = 32
#: Outputs hashed at a time: of an object store each may lie in memory, 32 MB of it.
_HASHERS: Final = 8


@dataclass(frozen=True)
class OutputFile:
    """One file that a task wrote: path relative to the stage's folder, SHA-256, bytes, rows."""

    path: str
    digest: str
    bytes: int
    rows: int | None = None


@dataclass(frozen=True)
class Receipt:
    """What one task did. `rows_in == rows_out + sum(dropped.values())` wherever rows are documents."""

    stage: str
    version: int
    phase: str
    name: str
    key: str
    parameters: dict[str, Any]
    inputs: tuple[Input, ...]
    outputs: tuple[OutputFile, ...]
    #: Whether its rows are documents, which funnel and sums count.
    documents: bool = True
    rows_in: int = 0
    rows_out: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    #: What never was a document (request records, say), by kind.
    skipped: dict[str, int] = field(default_factory=dict)
    #: What a person should know of the input, by kind: where a file is cut short, say.
    notes: dict[str, str] = field(default_factory=dict)
    #: Bytes of UTF-8 text (of the input file where the input is a crawl).
    bytes_in: int = 0
    bytes_out: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory_mb: int = 0
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Line:
    """A receipt in the index, with the size and time of the file that it was read from."""

    size: int
    mtime_ns: int
    receipt: Receipt


class Folder:
    """A stage's folder as one listing and its receipts, read once."""

    def __init__(self, location: str, files: Mapping[str, storage.File], receipts: Mapping[str, Receipt]):
        self.location = location
        #: Path below the folder -> size and time.
        self.files = files
        self.receipts = receipts

    def is_done(self, name: str, key: str) -> bool:
        """Whether a task's receipt has this key and its outputs lie there with the sizes it states."""
        receipt = self.receipts.get(name)
        if receipt is None or receipt.key != key:
            return False
        return all(o.path in self.files and self.files[o.path].size == o.bytes for o in receipt.outputs)

    def below(self, part: str) -> list[str]:
        """Paths of the files in a folder of the folder, sorted."""
        return sorted(path for path in self.files if path.startswith(f"{part}/"))


def read_folder(location: str, known: Mapping[str, Receipt] | None = None) -> Folder:
    """List a stage's folder once and read its receipts: from the index, and one by one where that is older.
    `known` are receipts that this process has from the tasks themselves; those that lie there are not read.

    A receipt that can't be read counts as missing; its task is done again.
    """
    files = storage.list_tree(location)
    indexed = _read_index(location) if INDEX in files and not known else {}
    found: dict[str, Receipt] = {}
    missing = []
    for path, file in files.items():
        if not path.startswith(f"{RECEIPTS}/") or not path.endswith(".json"):
            continue
        name = path.removeprefix(f"{RECEIPTS}/").removesuffix(".json")
        line = indexed.get(name)
        if known and name in known:
            found[name] = known[name]
        elif line is not None and (line.size, line.mtime_ns) == (file.size, file.mtime_ns):
            found[name] = line.receipt
        else:
            missing.append(name)
    if missing:
        with ThreadPoolExecutor(_READERS) as pool:
            read = pool.map(lambda name: read_receipt(location, name), missing)
            found |= {receipt.name: receipt for receipt in read if receipt is not None}
    return Folder(location, files, dict(sorted(found.items())))


def intact(location: str, receipts: Iterable[Receipt]) -> list[Receipt]:
    """Those whose outputs have the digests that they state. Reads all outputs; sizes are compared by
    `Folder.is_done`, and do where all writers of a file had the same key."""

    def is_intact(receipt: Receipt) -> bool:
        try:
            return all(
                storage.sha256(storage.join(location, output.path))[0] == output.digest
                for output in receipt.outputs
            )
        except storage.NotFoundError:
            return False

    wanted = list(receipts)
    with ThreadPoolExecutor(_HASHERS) as pool:
        found = pool.map(is_intact, wanted)
        return [receipt for receipt, good in zip(wanted, found, strict=True) if good]


def _read_index(location: str) -> dict[str, _Line]:
    try:
        data = storage.read_bytes(storage.join(location, INDEX))
        lines = [msgspec.json.decode(line, type=_Line) for line in data.splitlines()]
    except msgspec.MsgspecError:
        return {}  # of an older version, or damaged: the receipts themselves are read
    return {line.receipt.name: line for line in lines}


def write_index(folder: Folder) -> None:
    """Write all receipts of a folder, as it is listed, into one file."""
    lines = []
    for name, receipt in folder.receipts.items():
        file = folder.files[f"{RECEIPTS}/{name}.json"]
        lines.append(msgspec.json.encode(_Line(file.size, file.mtime_ns, receipt)))
    storage.write_bytes(storage.join(folder.location, INDEX), b"".join(line + b"\n" for line in lines))


def read_receipt(folder: str, name: str) -> Receipt | None:
    """The receipt of a task, or None where it is missing or unreadable (then the task is to be done)."""
    location = storage.join(folder, RECEIPTS, f"{name}.json")
    try:
        return msgspec.json.decode(storage.read_bytes(location), type=Receipt)
    except (msgspec.MsgspecError, storage.NotFoundError):
        return None


def read_receipts(folder: str) -> Iterator[Receipt]:
    """All receipts of a stage's folder, by name. The manifest is a fold over them."""
    yield from read_folder(folder).receipts.values()


def write_receipt(folder: str, receipt: Receipt) -> None:
    """Publish a task's receipt: from here on it is done."""
    storage.write_bytes(
        storage.join(folder, RECEIPTS, f"{receipt.name}.json"),
        msgspec.json.format(msgspec.json.encode(receipt, order="deterministic"), indent=1) + b"\n",
    )


def retract(folder: str, receipts: Iterable[Receipt]) -> None:
    """Take back what tasks wrote: outputs first, then the receipts.

    So no receipt ever stands beside files of another try, and no file that only the earlier try wrote (its
    dropped rows, say) outlives it.
    """
    gone = list(receipts)
    storage.delete_all(storage.join(folder, output.path) for receipt in gone for output in receipt.outputs)
    storage.delete_all(storage.join(folder, RECEIPTS, f"{receipt.name}.json") for receipt in gone)


def digest_of(value: Any) -> str:
    """Digest of plain data: SHA-256 of its JSON with sorted keys."""
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()


@functools.cache
def versions() -> dict[str, str]:
    """Versions that a receipt records: ours, Python's and pyarrow's."""
    try:
        own = importlib.metadata.version("bukvar")
    except importlib.metadata.PackageNotFoundError:
        own = "source"
    return {"bukvar": own, "python": platform.python_version(), "pyarrow": pa.__version__}
