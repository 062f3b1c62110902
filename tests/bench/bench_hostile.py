"""Encoding and counting what no text is: one word of many megabytes, each run in a process of its own.

    python -m tests.bench.bench_hostile VOCABULARY [--megabytes 1,4,16,64,100] [--baselines]

Kinds: one letter again and again; random letters, Latin and Cyrillic; random bytes, read as Latin-1; runs of
spaces and of "=", which have long tokens. Seconds are CPU seconds; memory is what the peak rises by while the
text, an Arrow array, is encoded. --baselines: tiktoken and tokenizers on the smallest size.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

KINDS = ("letter", "latin", "cyrillic", "bytes", "spaces", "equals")


def text(kind: str, size: int) -> str:
    """A word of about `size` bytes."""
    draw = np.random.default_rng(0)
    if kind == "letter":
        return "я" * (size // 2)
    if kind == "latin":
        return draw.integers(97, 123, size, dtype=np.uint8).tobytes().decode()
    if kind == "cyrillic":
        return draw.integers(0x430, 0x450, size // 2, dtype=np.uint16).tobytes().decode("utf-16le")
    if kind == "bytes":
        # Two in five take one byte of UTF-8, the others two.
        return draw.integers(0, 256, size * 2 // 3, dtype=np.uint8).tobytes().decode("latin-1")
    return {"spaces": " ", "equals": "="}[kind] * size


def encoder(name: str, path: str) -> Callable[[Any], int]:
    """A function from a text to the number of its ids."""
    from tokenizer.encode import Tokenizer
    from tokenizer.split import pattern_regex
    from tokenizer.vocabulary import Vocabulary

    vocabulary = Vocabulary.load(path)
    if name == "tiktoken":
        import tiktoken

        ranks = {token: rank for rank, token in enumerate(vocabulary.tokens)}
        regex = pattern_regex(vocabulary.pattern)
        baseline = tiktoken.Encoding("bench", pat_str=regex, mergeable_ranks=ranks, special_tokens={})
        return lambda text: len(baseline.encode_ordinary(text))
    if name == "tokenizers":
        import tokenizers

        from tokenizer import files

        other = tokenizers.Tokenizer.from_str(files.tokenizer_json(vocabulary).decode())
        return lambda text: len(other.encode(text, add_special_tokens=False))
    ours = Tokenizer(vocabulary)
    if name == "count":
        return lambda text: int(ours.count_batch(text)[0])
    return lambda text: len(ours.encode_batch(text)[0])


def peak() -> int:
    """The most memory held since it was set back, in KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def measure(name: str, path: str, kind: str, size: int) -> str:
    encode = encoder(name, path)
    given: Any = text(kind, size)
    bytes_ = len(given.encode())
    if name in ("encode", "count"):
        encode(pa.array(["тест"]))
        given = pa.array([given], pa.large_string())
    # Sets the peak back (Linux).
    Path("/proc/self/clear_refs").write_text("5")
    before, start = peak(), time.process_time()
    ids = encode(given)
    seconds = time.process_time() - start
    rise = (peak() - before) / 1024
    speed = bytes_ / 1e6 / seconds
    return f"{bytes_ / 1e6:7.1f} MB {seconds:8.2f} s {speed:7.2f} MB/s {ids:10} ids +{rise:.0f} MiB"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("vocabulary")
    parser.add_argument("--megabytes", default="1,4,16,64,100")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--baselines", action="store_true")
    options = parser.parse_args()
    sizes = [int(float(size) * 1e6) for size in options.megabytes.split(",")]
    runs = [
        (name, kind, size)
        for kind in options.kinds.split(",")
        for size in sizes
        for name in ("encode", "count")
    ]
    if options.baselines:
        runs += [
            (name, kind, min(sizes))
            for kind in options.kinds.split(",")
            for name in ("tiktoken", "tokenizers")
        ]
    for name, kind, size in runs:
        call = f"b.measure({name!r}, {options.vocabulary!r}, {kind!r}, {size})"
        code = f"import tests.bench.bench_hostile as b; print({call})"
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=Path(__file__).resolve().parents[2],
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        said = done.stdout.strip() or done.stderr.strip().splitlines()[-1:]
        print(f"{name:10} {kind:9} {said}", flush=True)


if __name__ == "__main__":
    main()
