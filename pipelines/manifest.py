"""The manifest of a published dataset: what it consists of, how it came about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import pyarrow.parquet as pq

from corpus import storage
from corpus.documents import parquet_schema
from corpus.errors import BukvarError, UsageError
from corpus.receipts import WORK, OutputFile, digest_of, read_receipts, versions
from pipelines import lineage
from pipelines.account import Run
from pipelines.contents import Contents, TextDigest, add_up, by_count
from pipelines.subsets import SAMPLE

MANIFEST: Final = "manifest.json"


@dataclass(frozen=True)
class FileEntry:
    """A file of the dataset: its path below the dataset's folder, and what it must hold."""

    path: str
    sha256: str
    bytes: int
    rows: int
    #: Digest of the column `text` (`contents.TextDigest`).
    text: str = ""


@dataclass(frozen=True)
class Change:
    """A version after the first: how many documents went, from how many files, and why."""

    version: int
    rows: int
    files: int
    reason: str


@dataclass(frozen=True)
class Manifest:
    """What a published dataset consists of."""

    title: str
    version: int
    rows: int
    text_bytes: int
    columns: dict[str, str]
    files: tuple[FileEntry, ...]
    #: What each stage did to the documents, the publishing included.
    lineage: tuple[lineage.Entry, ...] = ()
    recipe: str = ""
    license: str = ""
    contact: str = ""
    #: Counts over the documents: by language, host (the most frequent), year, flags, masks.
    contents: dict[str, Any] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    #: The configuration `sample`, whose documents are in `files` too.
    sample: FileEntry | None = None
    #: Column by whose values files are cut into configurations.
    subsets: str = ""
    made_with: dict[str, str] = field(default_factory=dict)

    def digest(self) -> str:
        """Digest of what the dataset consists of: SHA-256 of the paths and SHA-256 of its files."""
        return digest_of([[entry.path, entry.sha256] for entry in self.files])


def make_manifest(stage: Any, target: str, run: Run) -> Manifest:
    """The manifest of a published folder, from its receipts and the contents that the tasks counted."""
    contents, files, rows, text, sample = Contents(), [], 0, 0, None
    encoded = []
    for receipt in read_receipts(target):
        text += receipt.bytes_out
        for output in receipt.outputs:
            if output.path == SAMPLE:
                sample = output
            elif output.path.startswith(f"{WORK}/") and output.path.endswith("/counts"):
                encoded.append(storage.read_bytes(storage.join(target, output.path)))
            elif output.path.startswith("data/"):
                files.append(output)
                rows += output.rows or 0
    contents = add_up(encoded)
    if not files:
        raise UsageError(f"{target}: nothing was published")
    schema = parquet_schema(storage.join(target, files[0].path))
    return Manifest(
        title=stage.title or run.title,
        version=1,
        rows=rows,
        text_bytes=text,
        columns={f.name: str(f.type) for f in schema},
        files=tuple(
            FileEntry(f.path, f.digest, f.bytes, f.rows or 0, contents.texts.get(f.path, "")) for f in files
        ),
        lineage=lineage.read(target),
        recipe=run.recipe,
        license=stage.license,
        contact=stage.contact,
        sample=None if sample is None else _sample_entry(target, sample),
        subsets=stage.subsets,
        contents=summary(contents) | ({"tokenizer": tokenizer_name(stage)} if stage.tokenizer else {}),
        made_with=versions(),
    )


def tokenizer_name(stage: Any) -> str:
    """The name of the tokenizer that tokens were counted by: its own, or its folder's."""
    return storage.base_name(stage.tokenizer)


def _sample_entry(target: str, output: OutputFile) -> FileEntry:
    digest = TextDigest()
    rows = storage.reading(storage.join(target, output.path), pq.read_table)
    if "text" in rows.column_names:
        digest.add(rows.column("text"))
    return FileEntry(output.path, output.digest, output.bytes, output.rows or 0, digest.hex())


def summary(contents: Contents) -> dict[str, Any]:
    """Counts as the manifest holds them: of hosts and other open sets, the most frequent and their number."""
    counts = {name: by_count(found) for name, found in contents.counts.items()}
    return {
        "counts": counts,
        "different": {
            **{name: len(found) for name, found in contents.counts.items()},
            "domain_bytes": len(contents.domain_bytes),
        },
        "years": dict(sorted(contents.years.items())),
        "flags": dict(contents.flags),
        "masked": dict(contents.sums),
        "tokens": contents.tokens,
        "domain_bytes": by_count(contents.domain_bytes),
        "first": contents.first,
        "last": contents.last,
    }


def write_manifest(target: str, manifest: Manifest) -> None:
    """Write the manifest: from here on the dataset is published."""
    encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    storage.write_bytes(storage.join(target, MANIFEST), encoded)


def is_dataset(location: str) -> bool:
    """Whether a location is a folder that publish wrote to its end."""
    try:
        read_manifest(location)
    except BukvarError:
        return False
    return True


def read_manifest(target: str) -> Manifest:
    """The manifest of a published dataset. Raises UsageError where there is none or it is damaged."""
    location = storage.join(target, MANIFEST)
    if not storage.exists(location):
        raise UsageError(
            f"{target}: no {MANIFEST} here; name a folder that `bukvar publish` or `bukvar encode` wrote, "
            "or run that command again if it was stopped"
        )
    try:
        manifest = msgspec.json.decode(storage.read_bytes(location), type=Manifest)
    except msgspec.MsgspecError as error:
        raise UsageError(f"{location}: damaged ({error})") from error
    for entry in (*manifest.files, *([manifest.sample] if manifest.sample else [])):
        if entry.path.startswith("/") or ".." in entry.path.split("/"):
            raise UsageError(f"{location}: damaged ({entry.path!r} is no path below the dataset)")
    return manifest
