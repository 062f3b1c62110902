"""The manifest of a published dataset: what it consists of, how it came about; and the check against it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import storage
from corpus.documents import parquet_schema
from corpus.errors import BukvarError, UsageError, one_line
from corpus.receipts import WORK, OutputFile, digest_of, read_receipts, versions
from pipelines import lineage
from pipelines.account import Run
from pipelines.contents import Contents, TextDigest, add_up, by_count
from pipelines.subsets import SAMPLE

MANIFEST: Final = "manifest.json"
_READ_ROWS: Final = 4_000
#: Hexadecimal digits of a doc_id.
_HEX: Final = 32


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
            "and run a command that was stopped again"
        )
    try:
        manifest = msgspec.json.decode(storage.read_bytes(location), type=Manifest)
    except msgspec.MsgspecError as error:
        raise UsageError(f"{location}: damaged ({error})") from error
    for entry in (*manifest.files, *([manifest.sample] if manifest.sample else [])):
        if entry.path.startswith("/") or ".." in entry.path.split("/"):
            raise UsageError(f"{location}: damaged ({entry.path!r} is no path below the dataset)")
    return manifest


def verify(target: str) -> list[str]:
    """Faults of a published dataset against its manifest; an empty list means that all is as written.

    Every file is read whole: its bytes against size and SHA-256, its rows against count, schema and digest of
    the texts; and no doc_id stands twice in the dataset.
    """
    manifest = read_manifest(target)
    faults: list[str] = []
    ids: list[pa.Array] = []
    for entry in manifest.files:
        location = storage.join(target, entry.path)
        fault = _file_fault(location, entry)
        found = [fault] if fault else _row_faults(location, entry, manifest.columns, ids)
        faults += [f"{entry.path}: {one}" for one in found]
    if manifest.sample is not None:
        location = storage.join(target, manifest.sample.path)
        fault = _file_fault(location, manifest.sample)
        found = [fault] if fault else _row_faults(location, manifest.sample, manifest.columns, [])
        faults += [f"{manifest.sample.path}: {one}" for one in found]
    if twice := _twice(ids):
        others = f", and {len(twice) - 1:,} others" if len(twice) > 1 else ""
        faults.append(f"doc_id {twice[0]} stands more than once{others}: the published documents had it so")
    known = {storage.join(target, entry.path) for entry in manifest.files}
    listed = storage.list_files(storage.join(target, "data"))
    return faults + [f"data/{storage.base_name(f)}: not in the manifest" for f in listed if f not in known]


def _file_fault(location: str, entry: FileEntry) -> str:
    if not storage.exists(location):
        return "missing"
    digest, size = storage.sha256(location)
    if size != entry.bytes:
        return f"{size} bytes, the manifest says {entry.bytes}"
    return "" if digest == entry.sha256 else "content differs from the manifest's SHA-256"


def _row_faults(location: str, entry: FileEntry, columns: dict[str, str], ids: list[pa.Array]) -> list[str]:
    """Faults of a file's rows; its doc_ids are added to `ids`."""

    def read(stream: Any) -> tuple[list[str], list[pa.Array]]:
        file = pq.ParquetFile(stream, pre_buffer=False)
        if {f.name: str(f.type) for f in file.schema_arrow} != columns:
            return ["its columns are not those of the manifest"], []
        digest, rows, found = TextDigest(), 0, []
        wanted = [name for name in ("doc_id", "text") if name in columns]
        for batch in file.iter_batches(_READ_ROWS, columns=wanted, use_threads=False):
            part = pa.Table.from_batches([batch])
            rows += part.num_rows
            if "text" in wanted:
                digest.add(part.column("text"))
            if "doc_id" in wanted:
                found.extend(part.column("doc_id").cast(pa.string()).cast(pa.binary()).chunks)
        faults = [] if rows == entry.rows else [f"{rows} rows, the manifest says {entry.rows}"]
        if entry.text and "text" in columns and digest.hex() != entry.text:
            faults.append("its texts are not those of the manifest")
        return faults, found

    try:
        with storage.translated(location):
            faults, found = storage.reading(location, read)
    except pa.ArrowException as error:
        return [f"not readable as Parquet ({one_line(error)})"]
    ids.extend(found)
    return faults


def _twice(ids: list[pa.Array]) -> list[str]:
    """Identities that stand more than once, in their order. Documents without one don't count."""
    found = pa.chunked_array(ids, pa.binary()).drop_null()
    try:  # 32 hexadecimal digits each, as we write them: sorted in a tenth of the time, without objects
        values = np.concatenate([_fixed(one) for one in (*found.chunks, pa.array([], pa.binary()))])
    except pa.ArrowInvalid:
        counts = found.value_counts()
        often = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")
        return sorted(one.decode("utf-8", "replace") for one in often.to_pylist())
    values.sort()
    return [one.decode() for one in np.unique(values[1:][values[1:] == values[:-1]]).tolist()]


def _fixed(ids: pa.Array) -> Any:
    """Identities of 32 bytes each as a numpy array. Raises ArrowInvalid where one is longer or shorter."""
    fixed = ids.cast(pa.binary(_HEX))
    start = fixed.offset * _HEX
    return np.frombuffer(fixed.buffers()[1], np.uint8)[start : start + len(fixed) * _HEX].view(f"S{_HEX}")
