"""Counting and learning from 10 GB that stream through: time and peak memory.

    python tests/bench/bench_train_stream.py TEXT [--gigabytes 10] [--memory 536870912] [--threads 2]

TEXT is read again and again; each time the low four bits of every continuation byte are turned by another
of 16 masks, and ASCII letters moved on by as many, which makes other letters of letters, and so other words
of words: after 16 rounds there are up to 16 times the types, as many as real text of that size has.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tokenizer import train


def turned(byte: int, turn: int) -> int:
    """A letter's byte -> another letter's; other bytes stay."""
    if byte & 0xC0 == 0x80:
        return byte ^ turn
    if chr(byte).isascii() and chr(byte).isalpha():
        first = ord("a") if byte >= ord("a") else ord("A")
        return first + (byte - first + turn) % 26
    return byte


def stream(path: str, size: int) -> Iterator[bytes]:
    """Blocks of text, `size` bytes in all."""
    turn = 0
    while size > 0:
        table = bytes(turned(byte, turn % 16) for byte in range(256))
        for block in train.read_text(path):
            yield block.translate(table)
            size -= len(block)
            if size <= 0:
                return
        turn += 1


def peak() -> str:
    return f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text")
    parser.add_argument("--gigabytes", type=float, default=10)
    parser.add_argument("--memory", type=int, default=train.MEMORY)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--vocab-size", type=int, default=32_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "counts"
        start, cpu = time.perf_counter(), time.process_time()
        texts = stream(options.text, int(options.gigabytes * 1e9))
        train.count_shard(texts, "llama3", counts, threads=options.threads, memory=options.memory)
        middle, middle_cpu = time.perf_counter(), time.process_time()
        print(f"count: wall {middle - start:.1f} s, CPU {middle_cpu - cpu:.1f} s, {peak()}", flush=True)
        print(train.header(counts), f"{counts.stat().st_size} bytes", flush=True)
        model = train.learn(counts, train.TrainParameters(options.vocab_size, penalty=0.0))
        end, end_cpu = time.perf_counter(), time.process_time()
        print(f"learn: wall {end - middle:.1f} s, CPU {end_cpu - middle_cpu:.1f} s, {peak()}")
        print(f"last merge seen {model.counts[-1]} times")


if __name__ == "__main__":
    main()
