"""Two builds of the extension beside each other: every kernel, on the same input, in turn.

    BUKVAR_DATA=DIR python -m tests.bench.bench_builds OLD=old.so NEW=new.so [--turns 5]

For changes of how the extension is built: crates, profiles, compilers. Each build runs in its own process,
in turn; processor seconds, the least of the turns, one thread.
"""

from __future__ import annotations

import argparse
import gc
import importlib.machinery
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

#: Pages, texts and bytes that a kernel gets: a second's work or so.
PAGES, TEXT_BYTES = 400, 40_000_000


def load(path: str) -> None:
    """Makes a file the module `rust_ext._native`, whatever lies in the package."""
    loader = importlib.machinery.ExtensionFileLoader("rust_ext._native", path)
    spec = importlib.util.spec_from_file_location("rust_ext._native", path, loader=loader)
    assert spec is not None
    sys.modules["rust_ext._native"] = module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)


def jobs(data: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    import rust_ext
    from corpus.clean.repair import repair_column
    from corpus.extract.content import extract
    from corpus.quality.signals import measure, russian_stop_words
    from tokenizer.encode import Tokenizer
    from tokenizer.train import TrainParameters, count, learn

    crawl = data / "far_cp1251/pages.warc.gz"

    def read() -> list[bytes]:
        reader = rust_ext.WarcReader(str(crawl), True, 32 << 20)
        bodies: list[bytes] = []
        while (batch := reader.next_batch(256, 8 << 20))["records"]:
            bodies += [page[-1] for page in batch["pages"]]
        return bodies

    bodies = read()
    html = pq.read_table(data / "wcxb/dev.parquet", columns=["html"])["html"].slice(0, PAGES).to_pylist()
    fiction = pq.read_table(data / "text_ru/ruslit.parquet", columns=["text"])["text"]
    texts, size = [], 0
    for text in fiction.to_pylist():
        texts.append(text)
        size += len(text.encode())
        if size > TEXT_BYTES:
            break
    column = pa.chunked_array([pa.array(texts, pa.large_string())])
    # Two characters that make a text go through every repair.
    odd = pa.array(
        ["\u00ad" + text[:4000] + "\u0301" for text in texts for _ in range(20)], pa.large_string()
    )
    ids = np.arange(16 * len(texts), dtype=np.uint8)
    _, offsets, content = column.chunk(0).buffers()
    ends, buffer = np.frombuffer(offsets, np.int64)[: len(texts) + 1], np.frombuffer(content, np.uint8)

    def sign() -> None:
        signer = rust_ext.DedupSigner(0, bands=14, rows=8, ngram=5, seed=1, buckets=16, keep_signatures=False)
        signer.add(ids, (buffer, ends))

    parameters = TrainParameters(4000, penalty=0.0)
    counts = count(texts, parameters.pattern)
    tokenizer = Tokenizer(learn(counts, parameters).vocabulary())
    yield "warc and gate: far_cp1251", read
    yield "gate: its pages, ten times", lambda: [rust_ext.gate_judge(body) for body in bodies * 10]
    yield "decode: its pages", lambda: [rust_ext.decode_bytes(body) for body in bodies]
    yield f"content: {PAGES} pages of wcxb", lambda: [extract(page) for page in html]
    yield "repair: fiction as it is", lambda: repair_column(column)
    yield "repair: marks in every text", lambda: repair_column(odd)
    yield "text signals: fiction", lambda: measure(column, russian_stop_words())
    yield "dedup, sign: fiction", sign
    yield "train, count: fiction", lambda: count(texts, parameters.pattern)
    yield "train, learn 4,000 tokens", lambda: learn(counts, parameters)
    yield "encode: fiction", lambda: tokenizer.encode_batch(column.chunk(0))


def child(path: str) -> None:
    load(path)
    took = {}
    for name, job in jobs(Path(os.environ["BUKVAR_DATA"])):
        best = float("inf")
        for _ in range(3):
            gc.collect()
            started = time.process_time()
            job()
            best = min(best, time.process_time() - started)
        took[name] = best
    print(json.dumps(took))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("builds", nargs="*", metavar="NAME=FILE")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return child(options.child)
    builds = dict(one.split("=", 1) for one in options.builds)
    if len(builds) < 2:
        parser.error("two builds at least: NAME=FILE NAME=FILE")
    best: dict[str, dict[str, float]] = {name: {} for name in builds}
    for turn in range(options.turns):
        for name in sorted(builds, reverse=bool(turn % 2)):
            command = [sys.executable, "-m", "tests.bench.bench_builds", "--child", builds[name]]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            for job, seconds in json.loads(done.stdout.splitlines()[-1]).items():
                best[name][job] = min(seconds, best[name].get(job, float("inf")))
    first, *others = builds
    print(f"{'':32}" + "".join(f"{name:>10}" for name in builds) + "   ratio to the first")
    for job, seconds in best[first].items():
        times = "".join(f"{best[name][job]:10.3f}" for name in builds)
        print(f"{job:32}{times}   " + " ".join(f"{best[name][job] / seconds:.3f}" for name in others))
    return None


if __name__ == "__main__":
    main()
