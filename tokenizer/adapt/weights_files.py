"""A checkpoint's files: safetensors read by their headers, and every other kind refused by its name.

A safetensors file is 8 bytes (length of the header, little endian), a JSON header (name -> dtype, shape,
data_offsets) and the tensors' bytes one after the other. Nothing is mapped: tensors are read by `pread` in
pieces that the caller chooses, so memory is what the caller asks for, and a file on a slow disk is read once.
(The package safetensors maps files; docs/measured/adapt-weights.md has both measured.)
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tokenizer.files import read_json

INDEX: Final = "model.safetensors.index.json"
SINGLE: Final = "model.safetensors"
CONFIG: Final = "config.json"
#: Bytes of an element, for the kinds that the format knows; those below a byte are counted by their offsets.
WIDTHS: Final = {
    "F64": 8, "I64": 8, "U64": 8, "C64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2,
    "U16": 2, "I8": 1, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "F8_E4M3FNUZ": 1,
    "F8_E5M2FNUZ": 1,
}  # fmt: skip
#: Kinds of numbers that rows are computed in.
FLOATS: Final = ("F32", "F16", "BF16")
#: The format's own bound on a header, in bytes.
MOST_HEADER: Final = 100_000_000
#: What stands in place of a file that git-lfs has not brought.
_POINTER: Final = b"version https://git-lfs"
#: Files of other formats: the first that is found names the refusal.
_FOREIGN: Final = (
    ("adapter_config.json", "a PEFT adapter", "merge it into its base (merge_and_unload) and save that"),
    ("adapter_model*", "a PEFT adapter", "merge it into its base (merge_and_unload) and save that"),
    ("*.gguf", "a GGUF file", "take the safetensors that it was made from"),
    ("pytorch_model*.bin*", "a PyTorch .bin checkpoint", "save it with save_pretrained as safetensors"),
    ("consolidated*.safetensors", "Mistral's own format", "take the Hugging Face form of the model"),
    ("consolidated*.pth", "Meta's own format", "take the Hugging Face form of the model"),
    ("*.distcp", "a distributed PyTorch checkpoint", "convert it and save it as safetensors"),
    ("tf_model*.h5", "a TensorFlow checkpoint", "save it with save_pretrained as safetensors"),
    ("flax_model*.msgpack", "a Flax checkpoint", "save it with save_pretrained as safetensors"),
    ("*.pt", "a PyTorch .pt file", "save it with save_pretrained as safetensors"),
)

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Tensor:
    """Where a tensor lies: bytes begin..end of `path`, dtype as the format names it."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    path: Path
    begin: int
    end: int

    @property
    def size(self) -> int:
        """Bytes of the data."""
        return self.end - self.begin

    @property
    def rows(self) -> int:
        """Length of the first dimension; 0 of a scalar."""
        return self.shape[0] if self.shape else 0

    @property
    def columns(self) -> int:
        """Elements of a row: 1 of a vector."""
        return math.prod(self.shape[1:])

    @property
    def row_size(self) -> int:
        """Bytes of a row."""
        return self.columns * WIDTHS[self.dtype]


@dataclass(frozen=True)
class Shard:
    """A safetensors file: its tensors in the order of their bytes, its metadata, its size."""

    path: Path
    tensors: tuple[Tensor, ...]
    metadata: Mapping[str, str]
    size: int


@dataclass(frozen=True)
class Checkpoint:
    """A model's folder: shards by name, config.json, the index (None: one file)."""

    folder: Path
    shards: tuple[Shard, ...]
    config: dict[str, Any]
    index: dict[str, Any] | None

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All tensors by name."""
        return {tensor.name: tensor for shard in self.shards for tensor in shard.tensors}


def read_shard(path: Path) -> Shard:
    """The header of a safetensors file, checked: tensors lie one after the other, fill the file, and are as
    long as their shapes. ValueError, in one line, for a damaged, short or foreign file."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(len(_POINTER))
        if start == _POINTER:
            raise ValueError(f"{path} is a git-lfs pointer, not the weights; run `git lfs pull`")
        length = int.from_bytes(start[:8], "little")
        if size < 8 or length > min(size - 8, MOST_HEADER):
            raise ValueError(f"{path} is damaged or cut short: it has no safetensors header")
        file.seek(8)
        raw = file.read(length)
    try:
        header = json.loads(raw)
        metadata = dict(header.pop("__metadata__", None) or {})
        tensors = [_tensor(name, about, path, 8 + length) for name, about in header.items()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: its safetensors header is damaged: {error}") from error
    tensors.sort(key=lambda one: (one.begin, one.end))
    _check_layout(path, tensors, 8 + length, size)
    return Shard(path, tuple(tensors), metadata, size)


def _tensor(name: str, about: Mapping[str, Any], path: Path, base: int) -> Tensor:
    begin, end = map(int, about["data_offsets"])
    return Tensor(name, str(about["dtype"]), tuple(map(int, about["shape"])), path, base + begin, base + end)


def _check_layout(path: Path, tensors: list[Tensor], begin: int, size: int) -> None:
    for tensor in tensors:
        if tensor.begin != begin or tensor.end < begin:
            raise ValueError(f"{path}: {tensor.name} does not begin where the tensor before it ends")
        width = WIDTHS.get(tensor.dtype)
        if width is not None and math.prod(tensor.shape) * width != tensor.size:
            raise ValueError(
                f"{path}: {tensor.name} is {tensor.size} bytes long, not {tensor.shape} {tensor.dtype}"
            )
        begin = tensor.end
    if begin != size:
        missing = "is cut short" if begin > size else "has bytes that no tensor owns"
        raise ValueError(f"{path} {missing}: its header says {begin:,} bytes, it has {size:,}")


def open_checkpoint(folder: str | Path) -> Checkpoint:
    """Read the headers of a model's folder. ValueError, in one line, for a folder without config.json, for
    shards that are missing, damaged or disagree with the index, and for other formats, by their names."""
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder; name a model's folder with config.json and safetensors")
    index = read_json(folder / INDEX) if (folder / INDEX).is_file() else None
    if (folder / "adapter_config.json").is_file() or (index is None and not (folder / SINGLE).is_file()):
        raise ValueError(_refusal(folder))
    if not (folder / CONFIG).is_file():
        raise ValueError(f"{folder} holds no {CONFIG}; name the folder that transformers opens")
    config = read_json(folder / CONFIG)
    if index is None:
        return Checkpoint(folder, (read_shard(folder / SINGLE),), config, None)
    wanted = _weight_map(index, folder / INDEX)
    shards = tuple(read_shard(folder / name) for name in sorted(set(wanted.values())))
    _check_index(folder, shards, wanted)
    return Checkpoint(folder, shards, config, index)


def _refusal(folder: Path) -> str:
    for pattern, kind, cure in _FOREIGN:
        found = sorted(folder.glob(pattern))
        if found:
            return f"{folder} holds {kind} ({found[0].name}), not a model in safetensors; {cure}"
    others = sorted(path.name for path in folder.glob("*.safetensors"))
    if others:
        return f"{folder} holds {others[0]} but no {INDEX}; bring the index that lists the shards"
    return f"{folder} holds no {SINGLE} and no {INDEX}; name a model's folder in safetensors"


def _weight_map(index: Mapping[str, Any], path: Path) -> dict[str, str]:
    found = index.get("weight_map")
    if not isinstance(found, dict) or not found:
        raise ValueError(f"{path} has no weight_map")
    names = {str(tensor): str(file) for tensor, file in found.items()}
    odd = [file for file in names.values() if Path(file).name != file]
    if odd:
        raise ValueError(f"{path} names {odd[0]!r}, which is not a file of this folder")
    missing = sorted({file for file in names.values() if not (path.parent / file).is_file()})
    if missing:
        shown = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        raise ValueError(
            f"{path.parent}: {len(missing)} of {len(set(names.values()))} shards are missing: {shown}"
        )
    return names


def _check_index(folder: Path, shards: tuple[Shard, ...], wanted: Mapping[str, str]) -> None:
    found: dict[str, str] = {}
    for shard in shards:
        for tensor in shard.tensors:
            if tensor.name in found:
                raise ValueError(
                    f"{folder}: {tensor.name} lies in {found[tensor.name]} and in {shard.path.name}"
                )
            found[tensor.name] = shard.path.name
    for name in wanted.keys() - found.keys():
        raise ValueError(f"{folder}: {INDEX} names {name}, which {wanted[name]} does not hold")
    for name in found.keys() - wanted.keys():
        raise ValueError(f"{folder}: {found[name]} holds {name}, which {INDEX} does not name")


def read_at(descriptor: int, begin: int, size: int) -> Bytes:
    """Bytes of an open file. EOFError where it ends before."""
    out = np.empty(size, np.uint8)
    view, done = out.data, 0
    while done < size:
        got = os.preadv(descriptor, [view[done : done + (1 << 30)]], begin + done)
        if not got:
            raise EOFError(f"a file ended {size - done} bytes early: it changed while it was read")
        done += got
    return out


def header_bytes(tensors: list[tuple[str, str, tuple[int, ...], int]], metadata: Mapping[str, str]) -> bytes:
    """The length and header of a file that holds (name, dtype, shape, bytes) in this order; padded to 8."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    begin = 0
    for name, dtype, shape, size in tensors:
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, begin + size]}
        begin += size
    raw = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % 8)
    return len(raw).to_bytes(8, "little") + raw


def to_floats(raw: Bytes, dtype: str, columns: int) -> Floats:
    """Rows of raw bytes as float32, [rows, columns]: exact for the three kinds of `FLOATS`."""
    if dtype == "BF16":
        wide = raw.view("<u2").astype(np.uint32) << np.uint32(16)
        return wide.view(np.float32).reshape(-1, columns)
    kind = "<f4" if dtype == "F32" else "<f2"
    return raw.view(kind).astype(np.float32, copy=False).reshape(-1, columns)


def from_floats(rows: Floats, dtype: str) -> Bytes:
    """Rows as the bytes of `dtype`, rounded to the nearest (ties to even), [rows, bytes of a row].

    ValueError where a number is not finite or does not fit.
    """
    with np.errstate(over="ignore"):
        if dtype == "BF16":
            bits = np.ascontiguousarray(rows, np.float32).view(np.uint32)
            rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
            out = rounded.astype("<u2")
            finite = bool(np.all((out & 0x7F80) != 0x7F80))
        else:
            out = np.ascontiguousarray(rows).astype("<f4" if dtype == "F32" else "<f2")
            finite = bool(np.all(np.isfinite(out)))
    if not finite:
        raise ValueError(f"a new row holds numbers that are not finite in {dtype}; the base's rows do too")
    return out.view(np.uint8).reshape(len(rows), -1)


def row_blocks(rows: int, row_size: int, most: int) -> Iterator[tuple[int, int]]:
    """(first, end) of blocks of rows of at most `most` bytes, one row at least."""
    step = max(1, most // max(1, row_size))
    for first in range(0, rows, step):
        yield first, min(rows, first + step)
