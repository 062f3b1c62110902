"""The manifest of token ids: what the files hold and how it came about; and the check against it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from corpus import storage
from corpus.errors import UsageError, one_line
from corpus.inputs import Input
from corpus.receipts import WORK, Receipt, read_receipts, versions
from pipelines import lineage
from pipelines.account import Run
from pipelines.encode import Encode, Figures
from pipelines.inputs import sides_of
from pipelines.tokens import litdata, mds
from pipelines.tokens.coder import Coder, is_tokenizer_file, open_coder
from pipelines.tokens.formats import ENDINGS, LITDATA, MDS, tokens_of, type_of
from pipelines.tokens.shards import SPLITS

MANIFEST: Final = Encode.seal
#: Says in a manifest that it is one of token ids.
KIND: Final = "token ids"
#: Folder of the copy of the tokenizer.
TOKENIZER: Final = "tokenizer"


@dataclass(frozen=True)
class Entry:
    """A file of ids, without ending, with what it holds. documents: sequences, where they are packed. files:
    ending -> SHA-256 and bytes. samples: of some documents the number of the first token, how many, and the
    SHA-256 of the text."""

    name: str
    split: str
    tokens: int
    documents: int
    files: dict[str, tuple[str, int]]
    samples: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True)
class Totals:
    """Sums over the files of a split."""

    tokens: int
    documents: int
    files: int


@dataclass(frozen=True)
class PackedTotals:
    """What packing made of a split's documents: how many sequences, how many documents were cut, tokens of
    padding, and the shares of both."""

    sequences: int
    documents: int
    cut: int
    padding: int
    cut_share: float
    padding_share: float


@dataclass(frozen=True)
class Manifest:
    """What a folder of token ids consists of."""

    kind: str
    tokens: int
    documents: int
    splits: dict[str, Totals]
    format: str
    dtype: str
    #: Digest of all that decides ids, number of ids, Unicode form, SHA-256 of the files of its copy.
    tokenizer: dict[str, Any]
    options: dict[str, Any]
    #: Column -> value -> tokens; column -> value -> documents.
    tokens_by: dict[str, dict[str, int]]
    documents_by: dict[str, dict[str, int]]
    #: Documents that were left out, by reason.
    dropped: dict[str, int]
    shards: tuple[Entry, ...]
    #: Split -> what packing did; empty where documents are not packed.
    packed: dict[str, PackedTotals] = dataclasses.field(default_factory=dict)
    lineage: tuple[lineage.Entry, ...] = ()
    made_with: dict[str, str] = dataclasses.field(default_factory=dict)


def finish(stage: Encode, target: str, run: Run) -> Manifest:  # noqa: ARG001 - the manifest has no title
    """Copy the tokenizer beside the ids, remove files of an earlier cut, and write the manifest last."""
    resolved, sides = sides_of(stage)
    copied = _copy_tokenizer(
        [file for side in sides if side.parameter == "tokenizer" for file in side.files], target
    )
    coder = _opened(target, resolved.pattern)  # type: ignore[attr-defined]  # sides_of gives back an Encode
    receipts = list(read_receipts(target))
    shards = tuple(entry for receipt in receipts for entry in _entries(target, receipt, stage.format))
    indexes = _indexes(shards, stage.format, type_of(stage.format, coder.size, stage.dtype))
    _remove_others(target, {*indexes, *(f"{e.name}{ending}" for e in shards for ending in e.files)})
    for name, data in indexes.items():
        storage.write_bytes(storage.join(target, name), data)
    tokens, documents = _by(target, receipts)
    packed = _packed(target, receipts, stage.sequence)
    totals = {split: _totals(shards, split, packed) for split in SPLITS}
    totals = {split: one for split, one in totals.items() if one.files}
    options = {f.name: getattr(stage, f.name) for f in dataclasses.fields(stage) if f.name != "tokenizer"}
    manifest = Manifest(
        kind=KIND,
        tokens=sum(e.tokens for e in shards),
        documents=sum(one.documents for one in totals.values()),
        splits=totals,
        format=stage.format,
        dtype=type_of(stage.format, coder.size, stage.dtype),
        tokenizer={
            "digest": coder.digest,
            "size": coder.size,
            "normalization": coder.normalization,
            "files": copied,
        },
        options=options,
        tokens_by=tokens,
        documents_by=documents,
        dropped=dict(sorted(sum((Counter(r.dropped) for r in receipts), Counter[str]()).items())),
        shards=shards,
        packed=packed,
        lineage=lineage.read(target),
        made_with=versions(),
    )
    encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    storage.write_bytes(storage.join(target, MANIFEST), encoded)
    return manifest


def _copy_tokenizer(files: list[Input], target: str) -> dict[str, str]:
    """Put the tokenizer's files beside the ids; their SHA-256 by name."""
    found = {}
    for file in files:
        name = storage.base_name(file.path)
        if len(files) > 1 and not is_tokenizer_file(file.name.partition("/")[2]):
            continue
        data = storage.read_bytes(file.path)
        storage.write_bytes(storage.join(target, TOKENIZER, name), data)
        found[name] = hashlib.sha256(data).hexdigest()
    return dict(sorted(found.items()))


def _opened(target: str, pattern: str) -> Coder:
    path = storage.local_path(storage.join(target, TOKENIZER))
    if path is None:
        raise UsageError(f"{target}: copy the folder to this machine first")
    files = list(path.iterdir()) if path.is_dir() else []
    try:
        return open_coder(files[0] if len(files) == 1 else path, pattern)
    except (ValueError, OSError) as error:
        raise UsageError(f"{path}: {one_line(error)}") from error


def _figures(target: str, receipt: Receipt) -> Iterator[Figures]:
    for output in receipt.outputs:
        if output.path.startswith(f"{WORK}/") and output.path.endswith("/figures"):
            yield msgspec.json.decode(storage.read_bytes(storage.join(target, output.path)), type=Figures)


def _entries(target: str, receipt: Receipt, form: str) -> Iterator[Entry]:
    written = {output.path: (output.digest, output.bytes) for output in receipt.outputs}
    for figures in _figures(target, receipt):
        for split, files in figures.files.items():
            for file in files:
                outputs = {ending: written[f"{file.name}{ending}"] for ending in ENDINGS[form]}
                samples = tuple(file.samples)
                yield Entry(file.name, split, file.tokens, file.documents, outputs, samples)


def _by(target: str, receipts: list[Receipt]) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, int]]]:
    """Tokens and documents by column and value, the most frequent first."""
    sums: tuple[dict[str, Counter[str]], dict[str, Counter[str]]] = ({}, {})
    for receipt in receipts:
        for figures in _figures(target, receipt):
            for into, given in zip(sums, (figures.tokens, figures.documents), strict=True):
                for name, counts in given.items():
                    into.setdefault(name, Counter()).update(counts)
    ordered = [
        {n: dict(sorted(c.items(), key=lambda one: (-one[1], one[0]))) for n, c in one.items()}
        for one in sums
    ]
    return ordered[0], ordered[1]


def _packed(target: str, receipts: list[Receipt], length: int) -> dict[str, PackedTotals]:
    sums: dict[str, Counter[str]] = {}
    for receipt in receipts:
        for figures in _figures(target, receipt):
            for split, packed in figures.packed.items():
                sums.setdefault(split, Counter()).update(dataclasses.asdict(packed))
    return {
        split: PackedTotals(
            one["sequences"],
            one["documents"],
            one["cut"],
            one["padding"],
            round(one["cut"] / one["documents"], 4),
            round(one["padding"] / (one["sequences"] * length), 4),
        )
        for split, one in sums.items()
        if one["sequences"]
    }


def _totals(shards: tuple[Entry, ...], split: str, packed: dict[str, PackedTotals]) -> Totals:
    own = [entry for entry in shards if entry.split == split]
    documents = packed[split].documents if split in packed else sum(e.documents for e in own)
    return Totals(sum(e.tokens for e in own), documents, len(own))


def _listed(target: str) -> list[str]:
    """Files of the splits, below the target."""
    return [
        f"{split}/{storage.base_name(path)}"
        for split in SPLITS
        for path in storage.list_files(storage.join(target, split))
    ]


def _indexes(shards: Iterable[Entry], form: str, kind: str) -> dict[str, bytes]:
    """The file of each split by which MosaicML streaming and litdata find the shards."""
    if form not in (MDS, LITDATA):
        return {}
    ending = ENDINGS[form][0]
    found: dict[str, list[tuple[str, Entry]]] = {}
    for entry in shards:
        found.setdefault(entry.split, []).append((f"{entry.name.partition('/')[2]}{ending}", entry))
    made = {}
    for split, some in found.items():
        some.sort(key=lambda one: one[0])
        if form == MDS:
            samples = [(name, entry.documents, entry.files[ending][1]) for name, entry in some]
            made[f"{split}/{mds.INDEX}"] = mds.index_json(samples, kind)
        else:
            chunks = [(name, entry.tokens) for name, entry in some]
            made[f"{split}/{litdata.INDEX}"] = litdata.index_json(chunks, kind)
    return made


def _remove_others(target: str, known: set[str]) -> None:
    for name in _listed(target):
        if name not in known:
            storage.delete(storage.join(target, name))


def is_tokens(target: str) -> bool:
    """Whether a folder's manifest is one of token ids."""
    location = storage.join(target, MANIFEST)
    if not storage.exists(location):
        return False
    try:
        return bool(
            msgspec.json.decode(storage.read_bytes(location), type=dict[str, Any]).get("kind") == KIND
        )
    except msgspec.MsgspecError:
        return False


def read_manifest(target: str) -> Manifest:
    """The manifest of a folder of token ids. Raises UsageError where it is damaged."""
    location = storage.join(target, MANIFEST)
    try:
        return msgspec.json.decode(storage.read_bytes(location), type=Manifest)
    except msgspec.MsgspecError as error:
        raise UsageError(f"{location}: damaged ({error})") from error


def verify(target: str) -> list[str]:
    """Faults of a folder of token ids against its manifest; an empty list means that all is as written.

    Every file is read whole against size and SHA-256; samples of the documents are decoded by the tokenizer
    beside the ids and compared with the digests of their texts.
    """
    manifest = read_manifest(target)
    faults = [fault for entry in manifest.shards for fault in _faults(target, entry)]
    for name, digest in manifest.tokenizer["files"].items():
        location = storage.join(target, TOKENIZER, name)
        if not storage.exists(location):
            faults.append(f"{TOKENIZER}/{name}: missing")
        elif storage.sha256(location)[0] != digest:
            faults.append(f"{TOKENIZER}/{name}: content differs from the manifest's SHA-256")
    indexes = _indexes(manifest.shards, manifest.format, manifest.dtype)
    for name, data in indexes.items():
        location = storage.join(target, name)
        if not storage.exists(location) or storage.read_bytes(location) != data:
            faults.append(f"{name}: not as the manifest has it")
    known = {f"{entry.name}{ending}" for entry in manifest.shards for ending in entry.files} | indexes.keys()
    faults += [f"{name}: not in the manifest" for name in _listed(target) if name not in known]
    return faults or _decoded_faults(target, manifest)


def _faults(target: str, entry: Entry) -> Iterator[str]:
    for ending, (digest, size) in entry.files.items():
        location = storage.join(target, f"{entry.name}{ending}")
        if not storage.exists(location):
            yield f"{entry.name}{ending}: missing"
            continue
        found, length = storage.sha256(location)
        if length != size:
            yield f"{entry.name}{ending}: {length} bytes, the manifest says {size}"
        elif found != digest:
            yield f"{entry.name}{ending}: content differs from the manifest's SHA-256"


def _decoded_faults(target: str, manifest: Manifest) -> list[str]:
    coder = _opened(target, manifest.options["pattern"])
    if coder.digest != manifest.tokenizer["digest"]:
        return [f"{TOKENIZER}: not the tokenizer of the manifest"]
    path = storage.local_path(target)
    assert path is not None  # noqa: S101 - _opened has refused what is not of this machine
    before, after = (int(bool(manifest.options[name])) for name in ("start", "end"))
    faults = []
    for entry in manifest.shards:
        for first, count, digest in entry.samples:
            ids = tokens_of(
                path, entry.name, manifest.format, manifest.dtype, first + before, count - before - after
            )
            try:
                same = hashlib.sha256(coder.decode(ids.tolist())).hexdigest() == digest
            except (ValueError, KeyError):
                same = False
            if not same:
                faults.append(f"{entry.name}: the ids from {first} on do not decode to the document")
    return faults
