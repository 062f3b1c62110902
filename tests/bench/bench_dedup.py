"""What dedup costs and how well it finds, beside datasketch and rensa in one run.

    python -m tests.bench.bench_dedup sign        documents signed per second of one core
    python -m tests.bench.bench_dedup quality     error of the Jaccard estimate, recall of LSH
    python -m tests.bench.bench_dedup scale       all four phases at 1x, 4x, 16x documents
    python -m tests.bench.bench_dedup resolve     group and resolve of 10 M synthetic documents
    python -m tests.bench.bench_dedup equal       group and resolve of 4 M documents that are all equal

Texts come from `$BUKVAR_DATA/text_ru/ruslit.parquet` (Russian fiction); without it the first three say so
and end. Times are CPU seconds of this process, the best of three. rensa is compared with where installed.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from datasketch import MinHash, MinHashLSH

from corpus.dedup import near
from corpus.dedup.near import Dedup
from rust_ext import dedup_kernels, dedup_signature, dedup_words

try:
    import rensa  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    rensa = None

PARAMS = Dedup()
VALUES = PARAMS.bands * PARAMS.rows
#: Characters of a document: 2.9 kB, 260 words.
CHARACTERS = 1650


def fiction(documents: int) -> list[str]:
    """So many pieces of fiction, from the start again where the source is too short."""
    path = Path(os.environ.get("BUKVAR_DATA", "")) / "text_ru" / "ruslit.parquet"
    if not path.is_file():
        sys.exit("set BUKVAR_DATA to the folder that holds text_ru/ruslit.parquet")
    text = "\n".join(pq.read_table(path, columns=["text"])["text"].to_pylist())
    pieces = [text[i : i + CHARACTERS] for i in range(0, len(text) - CHARACTERS, CHARACTERS)]
    return [pieces[i % len(pieces)] for i in range(documents)]


def tabled(texts: Sequence[str], first: int = 0) -> pa.Table:
    ids = [hashlib.blake2b(str(first + i).encode(), digest_size=16).digest() for i in range(len(texts))]
    return pa.table({"doc_id": pa.array(ids, pa.binary(16)), "text": pa.array(texts, pa.large_string())})


def cpu(work: Callable[[], Any], times: int = 3) -> float:
    best = float("inf")
    for _ in range(times):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def shingled(text: str) -> list[bytes]:
    words = reference_words(text)
    length = min(PARAMS.ngram, len(words))
    return [" ".join(words[i : i + length]).encode() for i in range(len(words) - length + 1 if words else 0)]


def reference_words(text: str) -> list[str]:
    """Words by our tokenizer, so that all sign the same shingles."""
    return dedup_words(text)[1]


# sign


def bench_sign(documents: int) -> None:
    texts = fiction(documents)
    size = sum(len(t.encode()) for t in texts)
    table = tabled(texts)
    print(f"{documents} documents, {size / documents:.0f} bytes each; kernels {dedup_kernels()}")
    with tempfile.TemporaryDirectory() as folder:
        ours = cpu(lambda: near.sign_tables(PARAMS, [table], folder / "0.sign"))
    print(f"{'bukvar: text to .sign file':42} {documents / ours:9.0f} docs/s {size / ours / 1e6:7.1f} MB/s")
    few = texts[: max(documents // 10, 500)]
    for name, sign in baselines():
        seconds = cpu(lambda sign=sign: [sign(t) for t in few])  # type: ignore[misc]
        rate = len(few) / seconds
        print(f"{name:42} {rate:9.0f} docs/s; bukvar is {documents / ours / rate:.1f} times as fast")


def baselines() -> Iterator[tuple[str, Callable[[str], Any]]]:
    import re

    word = re.compile(r"\w+")

    def split(text: str) -> list[str]:
        words = word.findall(text.lower().replace("ё", "е"))
        return [" ".join(words[i : i + PARAMS.ngram]) for i in range(max(len(words) - PARAMS.ngram + 1, 1))]

    def by_datasketch(text: str) -> Any:
        signed = MinHash(num_perm=VALUES, seed=1)
        signed.update_batch([s.encode() for s in split(text)])
        return signed.digest()

    yield "datasketch update_batch, shingles by re", by_datasketch
    if rensa is not None:

        def by_rensa(text: str) -> Any:
            signed = rensa.RMinHash(num_perm=VALUES, seed=1)
            signed.update(split(text))
            return signed.digest()

        yield "rensa RMinHash, shingles by re", by_rensa


# quality


def edited(words: list[str], edits: int, rng: random.Random) -> list[str]:
    changed = list(words)
    for _ in range(edits):
        changed[rng.randrange(len(changed))] = f"замена{rng.randrange(10**9)}"
    return changed


def bench_quality(pairs: int) -> None:
    rng = random.Random(1)
    texts = []
    for text in fiction(pairs):
        words = reference_words(text)
        texts.append(
            (" ".join(words), " ".join(edited(words, rng.choice((0, 1, 2, 3, 5, 8, 13, 21, 30)), rng)))
        )
    exact = np.array([jaccard(a, b) for a, b in texts])
    theory = float(np.sqrt(np.mean(exact * (1 - exact)) / VALUES))
    print(
        f"{pairs} pairs, Jaccard {exact.min():.2f}..{exact.max():.2f}; {VALUES} values, theory {theory:.4f}"
    )
    ours, bands_equal = ours_of(texts)
    theirs, lsh_found = datasketch_of(texts)
    for name, found in (("bukvar", ours), ("datasketch", theirs)):
        errors = found - exact
        print(f"{name:12} RMSE {np.sqrt(np.mean(errors**2)):.4f}  bias {errors.mean():+.4f}")
    print("J of pairs      number  found by bukvar  by datasketch  theory")
    for low, high in ((0.0, 0.5), (0.5, 0.65), (0.65, 0.75), (0.75, 0.85), (0.85, 0.95), (0.95, 1.01)):
        within = (exact >= low) & (exact < high)
        if within.any():
            theory = float(np.mean(1 - (1 - exact[within] ** PARAMS.rows) ** PARAMS.bands))
            print(
                f"{low:.2f}..{min(high, 1):.2f} {within.sum():10d} {bands_equal[within].mean():16.3f} "
                f"{lsh_found[within].mean():14.3f} {theory:7.3f}"
            )


def jaccard(a: str, b: str) -> float:
    one, two = set(shingled(a)), set(shingled(b))
    return len(one & two) / len(one | two)


def ours_of(texts: Sequence[tuple[str, str]]) -> tuple[Any, Any]:
    options: dict[str, int] = {"bands": PARAMS.bands, "rows": PARAMS.rows, "ngram": PARAMS.ngram, "seed": 1}
    estimates, shared = [], []
    for a, b in texts:
        (one, one_bands), (two, two_bands) = dedup_signature(a, **options), dedup_signature(b, **options)
        estimates.append(float((one == two).mean()))
        shared.append(bool((one_bands == two_bands).any()))
    return np.array(estimates), np.array(shared)


def datasketch_of(texts: Sequence[tuple[str, str]]) -> tuple[Any, Any]:
    index = MinHashLSH(params=(PARAMS.bands, PARAMS.rows), num_perm=VALUES)
    signed = []
    for i, pair in enumerate(texts):
        one, two = (MinHash(num_perm=VALUES, seed=1) for _ in pair)
        one.update_batch(shingled(pair[0]))
        two.update_batch(shingled(pair[1]))
        index.insert(i, one)
        signed.append((one, two))
    estimates = np.array([one.jaccard(two) for one, two in signed])
    return estimates, np.array([i in index.query(two) for i, (_, two) in enumerate(signed)])


# scale


def bench_scale(base: int) -> None:
    print("documents   sign   group  resolve   mark   CPU seconds;   us a document   clusters")
    for factor in (1, 4, 16):
        scale_once(base * factor)


def scale_once(documents: int) -> None:
    """Fiction with a word a document changed, a fifth of it near duplicates of another piece."""
    rng = random.Random(2)
    pieces = fiction(min(documents, 20_000))
    shards = []
    for first in range(0, documents, 5000):
        rows = range(first, min(first + 5000, documents))
        texts = []
        for i in rows:
            base = i if i % 5 else rng.randrange(documents)
            words = pieces[base % len(pieces)].split(" ")
            # Distinct in every 40th word, so that pieces used again are not duplicates by themselves.
            words[::40] = [f"{base}_{n}" for n in range(len(words[::40]))]
            words[::3] = [f"{base // len(pieces)}{w}" for w in words[::3]]
            texts.append(" ".join(words) + f" конец{i}")
        shards.append(tabled(texts, first))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        edges = [folder / f"{b}.edges" for b in range(PARAMS.buckets)]
        marks = [folder / f"{i:05d}.marks" for i in range(len(shards))]
        signs = [folder / f"{i:05d}.sign" for i in range(len(shards))]
        steps: list[Callable[[], Any]] = [
            lambda: [near.sign_tables(PARAMS, [s], path) for s, path in zip(shards, signs, strict=True)],
            lambda: [near.group_bucket(PARAMS, b, signs, edges[b]) for b in range(PARAMS.buckets)],
            lambda: near.resolve(signs, edges, marks),
            lambda: [near.mark_table(m)(s) for m, s in zip(marks, shards, strict=True)],
        ]
        seconds = [cpu(step, 2) for step in steps]
        clusters = near.resolve(signs, edges, marks).clusters
    row = "".join(f"{s:8.2f}" for s in seconds)
    print(f"{documents:9d}{row} {1e6 * sum(seconds) / documents:22.1f} {clusters:18d}", flush=True)


# resolve


def synthetic_shard(path: Path, shard: int, documents: int, total: int, buckets: int) -> None:
    """A .sign file without texts: a third of the documents fall into clusters of about eight, whose members
    share each band with a probability of .8 (a Jaccard similarity of .97) and one in ten their text."""
    rng = np.random.default_rng(shard)
    bands = PARAMS.bands
    cluster = rng.integers(0, total // 24, documents, np.uint64)
    alone = rng.random(documents) > 1 / 3
    mixed = rng.integers(0, 2**64, (bands, documents), np.uint64, endpoint=False)
    for band in range(bands):
        shared = ~alone & (rng.random(documents) < 0.8)
        mixed[band, shared] = _mix(cluster[shared] * np.uint64(64) + np.uint64(band))
    exact = rng.integers(0, 2**64, (documents, 2), np.uint64, endpoint=False)
    same = ~alone & (rng.random(documents) < 0.1)
    exact[same] = _mix(cluster[same] * np.uint64(64) + np.uint64(63))[:, None]
    words = np.where(same, 100, rng.integers(50, 500, documents)).astype("<u4")
    rows = np.arange(documents, dtype="<u4")
    keys = [*mixed, exact[:, 0]]
    places = [(k >> np.uint64(32)).astype(np.uint64) * np.uint64(buckets) >> np.uint64(32) for k in keys]
    order = [np.argsort(p, kind="stable") for p in places]
    counts = np.stack([np.bincount(p.astype(np.int64), minlength=buckets) for p in places], axis=1)
    ends = np.cumsum(counts, axis=0)
    with path.open("wb") as out:
        head = [0, bands, PARAMS.rows, PARAMS.ngram, buckets, 0]
        out.write(b"bukvsig1" + np.array(head, "<u4").tobytes())
        out.write(np.array([PARAMS.seed, documents], "<u8").tobytes() + counts.astype("<u8").tobytes())
        out.write(words.tobytes() + rng.bytes(16 * documents))
        for bucket in range(buckets):
            for section in range(bands + 1):
                end = ends[bucket, section]
                chosen = order[section][end - counts[bucket, section] : end]
                kind = [("hash", "<u8", (2,) if section == bands else ()), ("row", "<u4")]
                records = np.empty(len(chosen), np.dtype(kind))
                records["hash"] = exact[chosen] if section == bands else mixed[section, chosen]
                records["row"] = rows[chosen]
                out.write(records.tobytes())


def _mix(values: Any) -> Any:
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def measured(work: Callable[..., Any], *arguments: Any) -> tuple[float, float, Any]:
    """CPU seconds and peak MB of a call in a process of its own, less what the process holds before it."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (work, arguments))


def _measured(work: Callable[..., Any], arguments: Any) -> tuple[float, float, Any]:
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before, start = memory("VmRSS"), time.process_time()
    found = work(*arguments)
    return time.process_time() - start, memory("VmHWM") - before, found


def memory(name: str) -> float:
    """A line of /proc/self/status, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024


def bench_resolve(documents: int) -> None:
    per_shard = 100_000
    shards = -(-documents // per_shard)
    params = PARAMS
    cost = near.estimate(params, shards * per_shard, shards)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        signs = [folder / f"{i:05d}.sign" for i in range(shards)]
        for i, path in enumerate(signs):
            synthetic_shard(path, i, per_shard, shards * per_shard, params.buckets)
        disk = sum(p.stat().st_size for p in signs)
        print(f"{shards * per_shard} documents in {shards} shards, {disk / 1e9:.2f} GB of .sign")
        edges = [folder / f"{b}.edges" for b in range(params.buckets)]
        runs = [measured(near.group_bucket, params, b, signs, edges[b]) for b in range(params.buckets)]
        group_cost, resolve_cost = (cost[phase].memory / 2**20 for phase in ("group", "resolve"))
        print(
            f"group   {sum(r[0] for r in runs):6.1f} s of CPU for {params.buckets} buckets, peak "
            f"{max(r[1] for r in runs):.0f} MB each (estimate {group_cost:.0f}), "
            f"{sum(r[2][1] for r in runs)} near edges"
        )
        seconds, peak, found = measured(
            near.resolve, signs, edges, [folder / f"{i}.marks" for i in range(shards)]
        )
        print(
            f"resolve {seconds:6.1f} s of CPU, peak {peak:.0f} MB (estimate {resolve_cost:.0f}), "
            f"{found.clusters} clusters, largest {found.largest}"
        )


def equal_shard(path: Path, documents: int) -> None:
    """Sign a shard whose texts are all equal."""
    ids = pa.Array.from_buffers(pa.binary(16), documents, [None, pa.py_buffer(bytes(16 * documents))])
    texts = pa.array(["раз два три четыре пять шесть"] * documents, pa.large_string())
    near.sign_tables(PARAMS, [pa.table({"doc_id": ids, "text": texts})], path)


def bench_equal(documents: int) -> None:
    """What a corpus of equal documents takes, against the estimate: all hashes fall into one bucket."""
    shards = 20
    cost = near.estimate(PARAMS, documents, shards)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        signs = [folder / f"{i}.sign" for i in range(shards)]
        for path in signs:
            equal_shard(path, documents // shards)
        edges = [folder / f"{b}.edges" for b in range(PARAMS.buckets)]
        runs = [measured(near.group_bucket, PARAMS, b, signs, edges[b]) for b in range(PARAMS.buckets)]
        resolved = measured(near.resolve, signs, edges, [folder / f"{i}.marks" for i in range(shards)])
        for phase, found in (("group", max(runs, key=lambda r: r[1])), ("resolve", resolved)):
            estimate = cost[phase].memory / 2**20
            print(f"{phase:<8}{found[0]:6.1f} s of CPU, peak {found[1]:.0f} MB (estimate {estimate:.0f})")


def main() -> None:
    benches: dict[str, tuple[Callable[[int], None], int]] = {
        "sign": (bench_sign, 8000),
        "quality": (bench_quality, 3000),
        "scale": (bench_scale, 5000),
        "resolve": (bench_resolve, 10_000_000),
        "equal": (bench_equal, 4_000_000),
    }
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bench", choices=benches)
    parser.add_argument("--documents", type=int, help="documents (pairs, for quality)")
    chosen = parser.parse_args()
    work, default = benches[chosen.bench]
    work(chosen.documents or default)


if __name__ == "__main__":
    main()
