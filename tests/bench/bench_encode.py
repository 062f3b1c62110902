"""Encoding speed beside gigatoken, tiktoken and tokenizers, in one run, ids compared.

    BUKVAR_DATA=DATA python -m tests.bench.bench_encode [--vocabulary PATH ...] [--threads 2]

Text: the documents of DATA/text_ru, cut at line ends into pieces of about 6 kB, shuffled by a fixed seed.
Cold is the first pass of a fresh encoder, warm the second. Speeds are MB a CPU second of this process, and by
the clock. With more threads than one only what each encoder has for many texts runs, on so many threads. The
slow tokenizers gets the first MB only. DATA/baselines holds the vocabularies (o200k and Llama 3 unless others
are named).
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from tests.bench.vocabulary_texts import baselines
from tokenizer import files
from tokenizer.adapt.load import load
from tokenizer.encode import Tokenizer
from tokenizer.split import pattern_regex
from tokenizer.vocabulary import Vocabulary

PIECE_BYTES = 6_500
SLOW_BYTES = 1_000_000
SEED = 20261123
#: Patterns whose one expression gigatoken does not take, by the names that it has for them.
GIGATOKEN_PATTERNS = {"cl100k": "cl100k", "deepseek3": "deepseek_v3"}


def pieces(folder: Path, limit: int) -> list[str]:
    """Documents cut at line ends, shuffled, up to `limit` bytes."""
    out: list[str] = []
    for path in sorted(folder.glob("*.parquet")):
        for text in pq.read_table(path, columns=["text"])["text"].to_pylist():
            out.extend(_cut(text))
    random.Random(SEED).shuffle(out)
    total = 0
    for count, text in enumerate(out):
        total += len(text.encode())
        if total > limit:
            return out[:count]
    return out


def _cut(text: str) -> Iterator[str]:
    lines: list[str] = []
    size = 0
    for line in text.splitlines(keepends=True):
        lines.append(line)
        size += len(line.encode())
        if size >= PIECE_BYTES:
            yield "".join(lines)
            lines, size = [], 0
    if lines:
        yield "".join(lines)


def digest(ids: Iterator[np.ndarray]) -> str:
    """Of the ids of all texts, so that no second copy is kept."""
    state = hashlib.blake2b(digest_size=8)
    for one in ids:
        state.update(np.ascontiguousarray(one, dtype=np.uint32).tobytes())
    return state.hexdigest()


def timed(work: Callable[[], object]) -> tuple[tuple[float, float], object]:
    """CPU and wall seconds, and what came out."""
    start, wall = time.process_time(), time.perf_counter()
    result = work()
    return (time.process_time() - start, time.perf_counter() - wall), result


def encoders(vocabulary: Vocabulary, path: Path) -> Iterator[tuple[str, Callable[[list[str]], object]]]:
    """Name and encoder of all texts, made anew for each measurement."""
    ours = Tokenizer(vocabulary)
    yield "bukvar encode_array", lambda texts: [ours.encode_array(text) for text in texts]
    batch = Tokenizer(vocabulary)
    yield "bukvar encode_batch", lambda texts: batch.encode_batch(texts)
    counting = Tokenizer(vocabulary)
    yield "bukvar count_batch", lambda texts: counting.count_batch(texts)
    yield from _gigatoken(vocabulary, path)
    import tiktoken

    ranks = {token: rank for rank, token in enumerate(vocabulary.tokens)}
    regex = pattern_regex(vocabulary.pattern)
    theirs = tiktoken.Encoding("bench", pat_str=regex, mergeable_ranks=ranks, special_tokens={})
    yield "tiktoken", lambda texts: [np.array(theirs.encode_ordinary(text)) for text in texts]
    import tokenizers

    hugging = tokenizers.Tokenizer.from_str(files.tokenizer_json(vocabulary).decode())
    yield (
        "tokenizers",
        lambda texts: [np.array(hugging.encode(text, add_special_tokens=False).ids) for text in texts],
    )


def many_texts(
    vocabulary: Vocabulary, path: Path, threads: int
) -> Iterator[tuple[str, Callable[[list[str]], object]]]:
    """The same on several threads; RAYON_NUM_THREADS is set."""
    batch = Tokenizer(vocabulary)
    yield "bukvar encode_batch", lambda texts: batch.encode_batch(texts, threads=threads)
    yield from _gigatoken(vocabulary, path, threads)
    import tiktoken

    ranks = {token: rank for rank, token in enumerate(vocabulary.tokens)}
    regex = pattern_regex(vocabulary.pattern)
    theirs = tiktoken.Encoding("bench", pat_str=regex, mergeable_ranks=ranks, special_tokens={})
    yield "tiktoken", lambda texts: theirs.encode_ordinary_batch(texts, num_threads=threads)
    import tokenizers

    hugging = tokenizers.Tokenizer.from_str(files.tokenizer_json(vocabulary).decode())
    yield (
        "tokenizers",
        lambda texts: [
            np.array(one.ids) for one in hugging.encode_batch_fast(texts, add_special_tokens=False)
        ],
    )


def _gigatoken(
    vocabulary: Vocabulary, path: Path, threads: int = 1
) -> Iterator[tuple[str, Callable[[list[str]], object]]]:
    try:
        import gigatoken
    except ImportError:
        print("gigatoken is not installed: not compared", file=sys.stderr)
        return
    try:
        one, all_ = (_gigatoken_open(gigatoken, vocabulary) for _ in range(2))
    except BaseException as error:  # its loader panics, which is no Exception, on what it does not take
        if isinstance(error, KeyboardInterrupt):
            raise
        print(f"gigatoken does not open {path.name}: {str(error)[:120]!r}", file=sys.stderr)
        return
    if threads == 1:
        yield "gigatoken encode", lambda texts: [one.encode(text) for text in texts]
    yield "gigatoken encode_batch", lambda texts: all_.encode_batch(texts, parallel=threads > 1)


def _gigatoken_open(gigatoken: Any, vocabulary: Vocabulary) -> Any:
    """From tokenizer.json; from ranks and its own name of the pattern where it knows the pattern only so."""
    pretokenizer = GIGATOKEN_PATTERNS.get(vocabulary.pattern)
    if pretokenizer is None:
        return gigatoken.Tokenizer.from_json(files.tokenizer_json(vocabulary).decode())
    lines = (b"%s %d\n" % (base64.b64encode(token), rank) for rank, token in enumerate(vocabulary.tokens))
    with tempfile.NamedTemporaryFile(suffix=".tiktoken") as file:
        file.write(b"".join(lines))
        file.flush()
        return gigatoken.Tokenizer.from_tiktoken(file.name, pretokenizer=pretokenizer)


def _arrays(result: object) -> Iterator[np.ndarray] | None:
    if isinstance(result, list):
        return iter(result)
    if isinstance(result, tuple):
        return iter([result[0]])
    return None


def opened(path: Path) -> Vocabulary:
    """Of DeepSeek's file, some added tokens of which text makes, the ordinary tokens, numbered from 0."""
    try:
        return Vocabulary.load(path)
    except ValueError:
        base = load(path)
        return Vocabulary(
            base.tokens,
            base.merges,
            base.pattern,
            normalization=base.normalization,
            ordered=base.ordered,
        )


def measure(path: Path, texts: list[str], threads: int) -> dict[str, object]:
    vocabulary = opened(path)
    size = sum(len(text.encode()) for text in texts)
    few, few_size = [], 0
    for text in texts:
        few.append(text)
        few_size += len(text.encode())
        if few_size > SLOW_BYTES:
            break
    rows: dict[str, object] = {}
    all_ = encoders(vocabulary, path) if threads == 1 else many_texts(vocabulary, path, threads)
    for name, encode in all_:
        given, bytes_ = (few, few_size) if name == "tokenizers" else (texts, size)
        # CPython keeps the UTF-8 of a string once it was asked for: new strings, so that the first encoder
        # does not pay for the others.
        given = [text.encode().decode() for text in given]
        cold, result = timed(lambda encode=encode, given=given: encode(given))
        arrays = _arrays(result)
        ids = digest(arrays) if arrays is not None else None
        del result
        warm, result = timed(lambda encode=encode, given=given: encode(given))
        del result
        speeds = {
            f"{pass_} {clock}": bytes_ / 1e6 / seconds
            for pass_, both in (("cold", cold), ("warm", warm))
            for clock, seconds in zip(("CPU", "wall"), both, strict=True)
        }
        rows[name] = {"MB/s": speeds, "ids": ids, "bytes": bytes_}
        figures = "  ".join(f"{pass_} {speed:7.1f}" for pass_, speed in speeds.items())
        print(f"{path.name:24} {name:24} {figures} MB/s  ids {ids}", flush=True)
    return rows


def main() -> int:
    data = os.environ.get("BUKVAR_DATA")
    if not data or not (Path(data) / "text_ru").is_dir():
        print("set BUKVAR_DATA to the folder that holds text_ru and baselines", file=sys.stderr)
        return 2
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = [baselines() / "openai_o200k_base", baselines() / "llama3"]
    parser.add_argument("--vocabulary", type=Path, nargs="+", default=default)
    parser.add_argument("--megabytes", type=float, default=156.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    args = parser.parse_args()
    texts = pieces(Path(data) / "text_ru", int(args.megabytes * 1e6))
    print(f"{len(texts)} pieces, {sum(len(text.encode()) for text in texts) / 1e6:.1f} MB")
    os.environ["RAYON_NUM_THREADS"] = str(args.threads)
    figures = {str(path): measure(path, texts, args.threads) for path in args.vocabulary}
    if args.out:
        args.out.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
