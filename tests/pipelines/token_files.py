"""Documents encoded to token ids, and files of them read slowly, by the definitions of their formats."""

from __future__ import annotations

import json
import struct
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tokenizers

from corpus import table
from pipelines.cli import run
from pipelines.tokens.manifest import Manifest, read_manifest
from tests.tokenizer.samples import TEXT, small_vocabulary

START, END = "<|begin_of_text|>", "<|end_of_text|>"
#: Documents: lines of the sample, one that spells a special token, one of many lines, odd characters.
TEXTS = [*filter(None, TEXT.splitlines()), f"до {END} после", TEXT * 3, "🦊\u0000\u0301", " "]


def home_in(folder: Path) -> Path:
    """Two shards of documents, and a tokenizer."""
    small_vocabulary().save(folder / "tokenizer")
    (folder / "in").mkdir()
    for name, texts in {"a": TEXTS[:4], "b": TEXTS[4:]}.items():
        write(folder / f"in/{name}.parquet", texts)
    return folder


def write(path: Path, texts: list[str | None], **more: list[Any]) -> None:
    ids = pa.array([table.doc_id(f"{path.stem}:{n}") for n in range(len(texts))], pa.binary(16))
    pq.write_table(pa.table({"doc_id": ids, "text": pa.array(texts, pa.string()), **more}), path)


def encode(home: Path, *arguments: str, out: str = "out", tokenizer: str = "tokenizer") -> int:
    base = ["encode", str(home / "in"), "--tokenizer", str(home / tokenizer), "--out", str(home / out)]
    return run([*base, "--executor", "inline", "--quiet", *arguments])


def encoded(home: Path, *arguments: str, out: str = "out", tokenizer: str = "tokenizer") -> Manifest:
    assert encode(home, *arguments, out=out, tokenizer=tokenizer) == 0
    return read_manifest(str(home / out))


def library(home: Path, tokenizer: str = "tokenizer") -> tokenizers.Tokenizer:
    theirs = tokenizers.Tokenizer.from_file(str(home / tokenizer / "tokenizer.json"))
    theirs.encode_special_tokens = True  # text that spells a special token is ordinary text
    return theirs


def expected(
    home: Path, texts: list[str], start: int | None = None, end: int | None = None
) -> list[list[int]]:
    """The ids of documents by the tokenizers library."""
    theirs = library(home)
    around = ([] if start is None else [start], [] if end is None else [end])
    return [around[0] + theirs.encode(text, add_special_tokens=False).ids + around[1] for text in texts]


def read_flat(stem: Path, kind: str) -> list[list[int]]:
    """Documents of a flat file, as a training loop reads them."""
    offsets = np.load(stem.with_name(stem.name + ".npy"))
    assert offsets.dtype == np.uint64
    ids = np.memmap(stem.with_name(stem.name + ".bin"), dtype=kind, mode="r")
    return [ids[int(a) : int(b)].tolist() for a, b in pairwise(offsets)]


def read_megatron(stem: Path) -> list[list[int]]:
    """Documents of an indexed dataset, read slowly by the definition of its bytes."""
    index = stem.with_name(stem.name + ".idx").read_bytes()
    data = stem.with_name(stem.name + ".bin").read_bytes()
    assert index[:9] == b"MMIDIDX\x00\x00"
    version, code, sequences, documents = struct.unpack_from("<QBQQ", index, 9)
    letter = {4: "i", 8: "H"}[code]
    width = struct.calcsize(letter)
    at = 34
    sizes = struct.unpack_from(f"<{sequences}i", index, at)
    pointers = struct.unpack_from(f"<{sequences}q", index, at + 4 * sequences)
    bounds = struct.unpack_from(f"<{documents}q", index, at + 12 * sequences)
    assert version == 1
    assert at + 12 * sequences + 8 * documents == len(index)
    found = [list(struct.unpack_from(f"<{n}{letter}", data, p)) for n, p in zip(sizes, pointers, strict=True)]
    assert sum(sizes) * width == len(data)
    return [list(chain(*found[a:b])) for a, b in pairwise(bounds)]


def read_datatrove(stem: Path, kind: str) -> list[list[int]]:
    """Documents of datatrove's files: ids, and where documents end."""
    ends = np.fromfile(stem.with_name(stem.name + ".ds.index"), "<u8").tolist()
    ids = np.fromfile(stem.with_name(stem.name + ".ds"), kind)
    assert len(ids) == ends[-1]
    return [ids[start:end].tolist() for start, end in pairwise([0, *ends])]


def read_litdata(stem: Path, kind: str) -> list[int]:
    """Ids of a chunk of litdata, which knows no documents, read by the definition of its bytes."""
    data = stem.with_name(stem.name + ".bin").read_bytes()
    assert struct.unpack_from("<III", data) == (1, 12, len(data))  # items, where each begins, where all end
    return np.frombuffer(data, kind, offset=12).tolist()


def read_columns(stem: Path) -> list[list[int]]:
    rows = pq.read_table(stem.with_name(stem.name + ".parquet"))
    assert rows.schema.field("ids").type == pa.list_(pa.uint32())
    assert rows["length"].to_pylist() == [len(ids) for ids in rows["ids"].to_pylist()]
    return rows["ids"].to_pylist()


def read_mds(stem: Path, kind: str) -> list[list[int]]:
    """Samples of a shard of MosaicML streaming, read slowly by the definition of its bytes."""
    data = stem.with_name(stem.name + ".mds").read_bytes()
    samples = struct.unpack_from("<I", data)[0]
    offsets = struct.unpack_from(f"<{samples + 1}I", data, 4)
    about = json.loads(data[4 * (samples + 2) : offsets[0]])
    assert about["column_encodings"] == [f"ndarray:{kind}"]
    assert offsets[-1] == len(data)
    letter = {"uint16": "H", "uint32": "I"}[kind]
    found = []
    for start, end in pairwise(offsets):
        size, shape, length = struct.unpack_from("<IBI", data, start)
        assert (size, shape) == (end - start - 4, 1 << 2 | 2)  # one axis, its length in a uint32
        found.append(list(struct.unpack_from(f"<{length}{letter}", data, start + 9)))
    return found


#: Formats whose files know documents.
FORMS = ("flat", "megatron", "datatrove", "parquet", "mds")


def documents(home: Path, manifest: Manifest, split: str = "train", out: str = "out") -> list[list[int]]:
    """All documents of a split, by its format's reader."""
    found: list[list[int]] = []
    for entry in manifest.shards:
        if entry.split == split:
            stem = home / out / entry.name
            match manifest.format:
                case "flat":
                    found += read_flat(stem, manifest.dtype)
                case "megatron":
                    found += read_megatron(stem)
                case "mds":
                    found += read_mds(stem, manifest.dtype)
                case "datatrove":
                    found += read_datatrove(stem, manifest.dtype)
                case _:
                    found += read_columns(stem)
    return found
