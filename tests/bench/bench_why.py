"""`bukvar why` and `bukvar inspect --where` on a run of many documents.

    python -m tests.bench.bench_why 10000000 [FOLDER]

Makes a run's folder as the stages write it, without texts (neither command reads them to find rows):
addresses and ids in the first stage, half kept and half dropped, in shards of 25,000 documents; then asks for
addresses at the front, in the middle and at the end, one that is dropped, one that is nowhere, and a doc_id.
Times are of new processes, imports included, processor seconds in brackets; the second of each pair finds the
files in the page cache.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus import table
from corpus.receipts import DROPPED, PLAN
from corpus.writing import ROW_GROUP_ROWS, parquet_settings

SHARD = 25_000
STAGES = ("extract", "identify", "clean", "filter", "dedup")


def address(number: int) -> str:
    """An address as hard to pack as a real one: 9,973 hosts in turn, and 64 bits that nothing tells."""
    slug = table.doc_id(f"slug {number}")[:8].hex()
    return f"https://site-{number % 9973}.example.ru/archive/{number % 97}/{slug}-{number:x}.html"


def write(path: Path, numbers: range, *, dropped: bool) -> None:
    ids = np.frombuffer(b"".join(table.doc_id(str(n)) for n in numbers), np.uint8)
    shard = path.stem
    rows = pa.table(
        {
            "doc_id": pa.FixedSizeBinaryArray.from_buffers(
                pa.binary(16), len(numbers), [None, pa.py_buffer(ids)]
            ),
            "url": [address(n) for n in numbers],
            "source": [f"crawl/{shard}.warc.gz:{n * 3000}" for n in numbers],
            "words": pa.array([n % 1000 for n in numbers], pa.int64()),
            "drop": pa.array(["not_cyrillic" if dropped else None] * len(numbers), pa.string()),
            "drop_detail": pa.array([None] * len(numbers), pa.string()),
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, path, row_group_size=ROW_GROUP_ROWS, **parquet_settings(rows.schema))


def make(run: Path, count: int) -> None:
    for stage in STAGES:
        (run / stage).mkdir(parents=True, exist_ok=True)
        plan = {"stage": stage, "version": 1, "parameters": {}, "inputs": []}
        (run / stage / PLAN).write_bytes(msgspec.json.encode(plan))
    for first in range(0, count, SHARD):
        name = f"crawl-{first // SHARD:05d}.warc-0123456789.parquet"
        half = first + SHARD // 2
        write(run / "extract" / name, range(first, half), dropped=False)
        write(run / "extract" / DROPPED / name, range(half, min(first + SHARD, count)), dropped=True)
    for stage in STAGES[1:]:  # one shard of each is read
        for name in {f"crawl-{n // SHARD:05d}.warc-0123456789.parquet" for n in (0, count // 2, count - 1)}:
            link = run / stage / name
            if not link.exists():
                link.hardlink_to(run / "extract" / name)


def timed(*arguments: str) -> str:
    seconds = []
    for _ in range(2):
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "pipelines.cli", *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        seconds.append(f"{time.perf_counter() - start:.2f} ({used:.2f})")
        if done.returncode > 1:
            raise SystemExit(done.stderr)
    return f"{' / '.join(seconds)} s, exit code {done.returncode}"


def main() -> None:
    count = int(sys.argv[1])
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(tempfile.mkdtemp(prefix="bukvar-why-"))
    if not (folder / "extract" / PLAN).exists():
        make(folder, count)
    size = sum(f.stat().st_size for f in (folder / "extract").rglob("*.parquet"))
    print(f"{count:,} documents, {size / 1e6:.0f} MB of Parquet in {folder}")
    asked = {
        "first": address(0),
        "middle": address(count // 2),
        "dropped": address(SHARD // 2 + 5),
        "last": address(count - 1),
        "nowhere": "https://nowhere.example.ru/",
        "doc_id": table.doc_id(str(count // 2)).hex(),
    }
    for name, value in asked.items():
        print(f"why {name:<8} {timed('why', value, str(folder))}")
    for where in ("words = 7", "url LIKE '%-12fd1.html%'"):
        took = timed("inspect", str(folder / "extract"), "--where", where, "--count")
        print(f"inspect --where {where!r} --count: {took}")


if __name__ == "__main__":
    main()
