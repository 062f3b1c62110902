"""What a changed dataset uploads again, by Parquet settings: content-defined chunking, page index.

    BUKVAR_DATA=... python -m tests.bench.bench_publish [--rows 12000]

One file of documents with the columns of `lean` is written; then 20 rows are put in, taken out or changed, at
places drawn with a seed, and it is written again. A hub that keeps files in content-defined chunks (Xet's:
a gear hash, 8 to 128 KiB, 64 KiB on average) gets the chunks that it lacks; an object store gets the file.
"""

import argparse
import hashlib
import io
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus import table
from corpus.writing import ROW_GROUP_ROWS, parquet_settings

#: Xet's chunks: least and most bytes, and bits of the gear hash that are zero at a boundary.
LEAST, MOST, BITS = 8 << 10, 128 << 10, 16
CHANGED = 20
Change = Callable[[pa.Table, random.Random], pa.Table]


def documents(data: Path, rows: int) -> pa.Table:
    """Documents of several sources in turns, as crawls have them."""
    found = []
    for name in ("news", "wikinews", "technical"):
        for file in sorted((data / "text_ru").glob(f"{name}*.parquet")):
            found += pq.read_table(file, columns=["text"])["text"].to_pylist()[: rows // 3]
    random.Random(7).shuffle(found)
    hosts = [f"h{int.from_bytes(table.doc_id(t)[:2], 'big') % 997}.ru" for t in found]
    return pa.table(
        {
            "doc_id": [table.doc_id(t).hex() for t in found],
            "url": [f"https://{h}/{table.doc_id(t).hex()[:9]}" for h, t in zip(hosts, found, strict=True)],
            "host": hosts,
            "title": [t.partition("\n")[0][:80] for t in found],
            "text": pa.array(found, pa.large_string()),
            "lang": ["ru"] * len(found),
            "lang_score": pa.array([len(t) % 97 / 97 for t in found], pa.float32()),
            "cluster_size": pa.array([1] * len(found), pa.int32()),
        }
    )


def places(rows: pa.Table, draw: random.Random) -> list[int]:
    return sorted(draw.sample(range(rows.num_rows), CHANGED))


def inserted(rows: pa.Table, draw: random.Random) -> pa.Table:
    parts, first = [], 0
    for place in places(rows, draw):
        new = rows.slice(place, 1).to_pylist()[0]
        new["text"] = new["text"][::-1]
        new["doc_id"] = table.doc_id(new["text"]).hex()
        parts += [rows.slice(first, place - first), pa.Table.from_pylist([new], schema=rows.schema)]
        first = place
    return pa.concat_tables([*parts, rows.slice(first)])


def deleted(rows: pa.Table, draw: random.Random) -> pa.Table:
    gone = set(places(rows, draw))
    return rows.filter(pa.array([n not in gone for n in range(rows.num_rows)]))


def changed(rows: pa.Table, draw: random.Random) -> pa.Table:
    texts = rows["text"].to_pylist()
    for place in places(rows, draw):
        texts[place] = texts[place][::-1]
    at = rows.schema.get_field_index("text")
    return rows.set_column(at, rows.schema.field("text"), pa.array(texts, pa.large_string()))


def written(rows: pa.Table, settings: dict[str, object]) -> bytes:
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, rows.schema, **settings) as writer:
        for first in range(0, rows.num_rows, ROW_GROUP_ROWS):
            writer.write_table(rows.slice(first, ROW_GROUP_ROWS), row_group_size=ROW_GROUP_ROWS)
    return sink.getvalue()


def chunks(data: bytes) -> dict[bytes, int]:
    """Digest -> length of the content-defined chunks of a file."""
    gear = np.random.default_rng(11).integers(0, 2**64, 256, dtype=np.uint64)
    values = gear[np.frombuffer(data, np.uint8)]
    hashes = np.zeros(len(values), np.uint64)
    for back in range(64):
        hashes[back:] += values[: len(values) - back] << np.uint64(back)
    ends = np.flatnonzero(hashes >> np.uint64(64 - BITS) == 0) + 1
    found, start = {}, 0
    at = 0
    while start < len(data):
        at = int(np.searchsorted(ends, start + LEAST))
        end = min(int(ends[at]) if at < len(ends) else len(data), start + MOST, len(data))
        piece = data[start:end]
        found[hashlib.sha256(piece).digest()] = len(piece)
        start = end
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=12_000)
    rows = documents(Path(os.environ["BUKVAR_DATA"]), parser.parse_args().rows)
    size = sum(len(t.encode()) for t in rows["text"].to_pylist())
    print(f"{rows.num_rows} documents, {size / 1e6:.1f} MB of text")
    base = parquet_settings(rows.schema)
    variants = {
        "as it was: page index": base | {"use_content_defined_chunking": False, "write_page_index": True},
        "neither": base | {"use_content_defined_chunking": False, "write_page_index": False},
        "chunking, 256 KiB to 1 MiB (pyarrow's default)": base | {"use_content_defined_chunking": True},
        "the same without page index": base
        | {"use_content_defined_chunking": True, "write_page_index": False},
    }
    for least, most in ((64, 256), (128, 512), (512, 2048)):
        chunking = {"min_chunk_size": least << 10, "max_chunk_size": most << 10, "norm_level": 0}
        variants[f"chunking, {least} to {most} KiB"] = base | {"use_content_defined_chunking": chunking}
    first = 0
    kinds: dict[str, Change] = {"in": inserted, "out": deleted, "changed": changed}
    for name, settings in variants.items():
        began = time.process_time()
        old = written(rows, settings)
        seconds = time.process_time() - began
        first = first or len(old)
        have = chunks(old)
        again = {}
        for kind, change in kinds.items():
            new = chunks(written(change(rows, random.Random(5)), settings))
            again[kind] = sum(n for key, n in new.items() if key not in have) / len(old)
        read = time.process_time()
        pq.read_table(io.BytesIO(old), use_threads=False)
        read = time.process_time() - read
        shown = ", ".join(f"{kind} {share:.1%}" for kind, share in again.items())
        print(
            f"{name}: {len(old) / 1e6:.2f} MB ({len(old) / first - 1:+.1%}), {shown}; "
            f"{size / 1e6 / seconds:.0f} MB/s written, {size / 1e6 / read:.0f} read"
        )


if __name__ == "__main__":
    main()
