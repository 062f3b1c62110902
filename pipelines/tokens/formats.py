"""Files of token ids: flat memory maps, Megatron's indexed dataset, Parquet. Little-endian, fixed bytes.

    flat       NAME.bin  ids one after another; NAME.npy  n + 1 offsets of n documents, uint64
    megatron   NAME.bin, NAME.idx  as Megatron-Core's IndexedDataset reads them, one sequence a document
    datatrove  NAME.ds  ids one after another; NAME.ds.index  ends of n documents, uint64 (Nanotron's Nanoset)
    parquet    NAME.parquet  doc_id, ids, length
    mds        NAME.mds  MosaicML streaming's shards (pipelines.tokens.mds)
    litdata    NAME.bin  chunks of litdata's TokensLoader (pipelines.tokens.litdata), as litGPT reads them

A writer takes whole documents and is closed once; it gives the files that it wrote.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.writing import parquet_settings
from pipelines.tokens import litdata, mds

Ids = npt.NDArray[np.uint32]
Lengths = npt.NDArray[np.int64]

FLAT: Final = "flat"
MEGATRON: Final = "megatron"
DATATROVE: Final = "datatrove"
PARQUET: Final = "parquet"
MDS: Final = "mds"
LITDATA: Final = "litdata"
#: Format -> the types that its ids may have, by name; the smallest first.
TYPES: Final = {
    FLAT: ("uint16", "uint32"),
    MEGATRON: ("uint16", "int32"),
    DATATROVE: ("uint16", "uint32"),
    PARQUET: ("uint32",),
    MDS: ("uint16", "uint32"),
    LITDATA: ("uint16", "int32"),
}
#: Format -> endings of its files, that of the ids first.
ENDINGS: Final = {
    FLAT: (".bin", ".npy"),
    MEGATRON: (".bin", ".idx"),
    DATATROVE: (".ds", ".ds.index"),
    PARQUET: (".parquet",),
    MDS: (".mds",),
    LITDATA: (".bin",),
}
#: Formats whose files name their documents.
NAMING: Final = (PARQUET,)
#: Formats whose ids go to the file as they come.
STREAMED: Final = (FLAT, MEGATRON, DATATROVE)
#: Megatron's own bound: it takes uint16 for vocabularies below it (megatron.core, `DType.optimal_dtype`).
_MEGATRON_SMALL: Final = 65_500
_MAGIC: Final = b"MMIDIDX\x00\x00"
#: Codes of `megatron.core.datasets.indexed_dataset.DType`.
_CODES: Final = {"int32": 4, "uint16": 8}
#: Most tokens of one file: Megatron keeps a sequence's length in an int32, and Arrow's lists count in one.
MOST_TOKENS: Final = 2**31 - 1
#: Rows and tokens of a row group of Parquet.
_GROUP_ROWS: Final = 4_000
_GROUP_TOKENS: Final = 16 << 20

SCHEMA: Final = pa.schema(
    [
        pa.field("doc_id", pa.binary(16), nullable=False),
        pa.field("ids", pa.list_(pa.uint32()), nullable=False),
        pa.field("length", pa.uint32(), nullable=False),
    ]
)


def type_of(form: str, size: int, wanted: str = "") -> str:
    """The type of ids for a vocabulary of this size: the one that is wanted, else the smallest.

    ValueError where the format has no such type or the ids do not fit.
    """
    if wanted and wanted not in TYPES[form]:
        raise ValueError(f"encode.dtype: {form} has ids of {' or '.join(TYPES[form])}, not {wanted}")
    for name in [wanted] if wanted else TYPES[form]:
        bound = np.iinfo(name).max + 1
        if form == MEGATRON and name == "uint16" and not wanted:
            bound = _MEGATRON_SMALL - 1
        if size <= bound:
            return name
    widest = TYPES[form][-1]
    narrow = wanted and size <= np.iinfo(widest).max + 1
    advice = f"leave it empty or take {widest}" if narrow else "take another tokenizer"
    raise ValueError(
        f"encode.dtype: ids up to {size - 1:,} do not fit {wanted or widest} of {form}: {advice}"
    )


def most_tokens(form: str, wanted: int = MOST_TOKENS) -> int:
    """Tokens of a file at most: as wanted, and as the format's readers can take."""
    return min(wanted, mds.MOST_TOKENS) if form in (MDS, LITDATA) else wanted


class Stream(Protocol):
    """Where ids are written to."""

    def write(self, data: Any) -> Any: ...


class Writer(Protocol):
    """What a format is written by. `add` takes the ids of documents in one array, how many each has, and
    their doc_ids; `close` gives the local files that it wrote."""

    def add(self, ids: Ids, lengths: Lengths, doc_ids: pa.Array) -> None: ...

    def close(self) -> list[Path]: ...


def open_writer(form: str, stem: Path, kind: str, stream: Stream) -> Writer:
    """A writer: ids of the `STREAMED` formats go to `stream` as they come, their index, and other files, to
    local ones whose names begin with `stem`."""
    if form == PARQUET:
        return _Parquet(stem)
    if form == MDS:
        return mds.MdsWriter(stem, kind)
    if form == LITDATA:
        return litdata.ChunkWriter(stem, kind)
    return _Binary(stem, form, kind, stream)


class _Binary:
    """Ids in a stream and where documents begin in an index."""

    def __init__(self, stem: Path, form: str, kind: str, stream: Stream) -> None:
        self._index = stem.with_name(stem.name + ENDINGS[form][1])
        self._form, self._kind = form, kind
        self._type = np.dtype(kind).newbyteorder("<")
        self._stream = stream
        self._lengths: list[Lengths] = []

    def add(self, ids: Ids, lengths: Lengths, doc_ids: pa.Array) -> None:  # noqa: ARG002 - the index has none
        self._stream.write(np.ascontiguousarray(ids, self._type).data.cast("B"))
        self._lengths.append(lengths)

    def close(self) -> list[Path]:
        lengths = np.concatenate(self._lengths) if self._lengths else np.empty(0, np.int64)
        ends = np.cumsum(lengths).astype("<u8")
        with self._index.open("wb") as stream:
            if self._form == MEGATRON:
                _write_index(stream, lengths, self._kind)
            elif self._form == DATATROVE:
                stream.write(ends.tobytes())
            else:
                np.save(stream, np.concatenate([np.zeros(1, "<u8"), ends]), allow_pickle=False)
        return [self._index]


def _write_index(stream: Any, lengths: Lengths, kind: str) -> None:
    """Megatron's index: header, counts, lengths, byte offsets, and of each document its first sequence."""
    size = np.dtype(kind).itemsize
    stream.write(_MAGIC + struct.pack("<QBQQ", 1, _CODES[kind], len(lengths), len(lengths) + 1))
    stream.write(lengths.astype("<i4").tobytes())
    stream.write(((np.cumsum(lengths) - lengths) * size).astype("<i8").tobytes())
    stream.write(np.arange(len(lengths) + 1, dtype="<i8").tobytes())


class _Parquet:
    """A row a document."""

    def __init__(self, stem: Path) -> None:
        self._path = stem.with_name(stem.name + ".parquet")
        # Ids hardly repeat within a page's reach: a dictionary of them is built and given up.
        settings = parquet_settings(SCHEMA) | {"use_dictionary": False}
        self._writer = pq.ParquetWriter(self._path, SCHEMA, **settings)
        self._pending: list[pa.Table] = []
        self._rows = self._tokens = 0

    def add(self, ids: Ids, lengths: Lengths, doc_ids: pa.Array) -> None:
        offsets = np.zeros(len(lengths) + 1, np.int32)
        np.cumsum(lengths, out=offsets[1:])
        lists = pa.ListArray.from_arrays(pa.array(offsets), pa.array(ids))
        columns = [doc_ids, lists, pa.array(lengths.astype(np.uint32))]
        self._pending.append(pa.table(columns, schema=SCHEMA))
        self._rows += len(lengths)
        self._tokens += len(ids)
        if self._rows >= _GROUP_ROWS or self._tokens >= _GROUP_TOKENS:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            self._writer.write_table(pa.concat_tables(self._pending), row_group_size=_GROUP_ROWS)
        self._pending, self._rows, self._tokens = [], 0, 0

    def close(self) -> list[Path]:
        self._flush()
        self._writer.close()
        return [self._path]


def tokens_of(folder: Path, name: str, form: str, kind: str, start: int, count: int) -> npt.NDArray[Any]:
    """`count` ids of a file from the one with number `start` on."""
    path = folder / f"{name}{ENDINGS[form][0]}"
    if form == MDS:
        return mds.tokens_of(path, kind, start, count)
    if form != PARQUET:
        before = litdata.HEAD if form == LITDATA else 0
        size = np.dtype(kind).itemsize
        return np.fromfile(path, np.dtype(kind).newbyteorder("<"), count, offset=before + start * size)
    seen, found = 0, []
    for batch in pq.ParquetFile(path).iter_batches(_GROUP_ROWS, columns=["ids"]):
        ids = batch.column(0).flatten().to_numpy()
        found.append(ids[max(0, start - seen) : max(0, start + count - seen)])
        seen += len(ids)
        if seen >= start + count:
            break
    return np.concatenate(found) if found else np.empty(0, np.uint32)
