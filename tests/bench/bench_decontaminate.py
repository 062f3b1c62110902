"""Decontamination: rate beside sets of strings in Python, memory, and recall on planted copies.

    BUKVAR_DATA=... python tests/bench/bench_decontaminate.py [--megabytes N] [--copies N]

Benchmarks are all of RuBLiMP (45 files) and XQuAD-ru of BUKVAR_DATA/benchmarks; documents are those of
BUKVAR_DATA/text_ru. The rate is of 1, 4 and 16 times a part of them, up to N megabytes at 16x. The peer keeps
13-grams of words as a set of Python strings, as harnesses of evaluation do, and reads part of the input.

Copies are texts of the benchmarks of at least 13 words, put between two beginnings of a document: as they
are; in capitals, without punctuation and with е for ё; with one word of each 12, or of each 8, changed for
another word of the text (seed 7002). "Before" counts documents with a match before anything was put in:
some hold the benchmark's sentences in truth, since RuBLiMP was drawn from texts of the web.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import resource
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.benchmarks import files_of, read_benchmarks
from corpus.transliteration import transliterated
from rust_ext import Decontaminator, dedup_words
from rust_ext.arrow import text_buffers

SEED = 7002
WORD = re.compile(r"\w+")


def texts_of_benchmarks(folder: Path) -> tuple[list[str], np.ndarray]:
    """Texts and the numbers of their items."""
    files = files_of([str(folder / "rublimp/datasets"), str(folder / "xquad/xquad.ru.json")])
    found = [texts for one in read_benchmarks(files) for _, texts in one.items]
    items = np.repeat(np.arange(len(found), dtype=np.uint32), [len(texts) for texts in found])
    return [text for texts in found for text in texts], items


def documents(folder: Path) -> list[str]:
    return [
        text
        for file in sorted((folder / "text_ru").glob("*.parquet"))
        for text in pq.read_table(file, columns=["text"])["text"].to_pylist()
        if text
    ]


def column(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    return text_buffers(pa.chunked_array([pa.array(texts, pa.large_string())]))


def resident() -> float:
    """MiB of this process that lie in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / (1 << 20)


def hits(kernel: Decontaminator, texts: list[str]) -> np.ndarray:
    return kernel.rows(column(texts), cut=False)[1]


def peer(texts: list[str], n: int) -> Callable[[str], bool]:
    """Whether a document shares an n-gram with the texts, by sets of strings."""
    grams = set()
    for text in texts:
        words = WORD.findall(text.lower())
        grams |= {" ".join(words[k : k + n]) for k in range(len(words) - n + 1)}

    def found(text: str) -> bool:
        words = WORD.findall(text.lower())
        return any(" ".join(words[k : k + n]) in grams for k in range(len(words) - n + 1))

    return found


def rate(kernel: Decontaminator, texts: list[str], repeats: int) -> tuple[float, float]:
    """Megabytes of the input and megabytes a second of processor time."""
    many = column(texts * repeats)
    started = time.process_time()
    kernel.rows(many, cut=False)
    seconds = time.process_time() - started
    size = len(many[0]) / 1e6
    return size, size / seconds


def one_in(text: str, words: int, rng: random.Random) -> str:
    """The text with one word of each `words`, at a place drawn anew, changed for another of its words."""
    parts = text.split()
    for start in range(0, len(parts), words):
        at = start + rng.randrange(min(words, len(parts) - start))
        parts[at] = rng.choice([part for part in parts if part != parts[at]] or ["иначе"])
    return " ".join(parts)


def planted(texts: list[str], hosts: list[str], rng: random.Random) -> dict[str, list[str]]:
    """Kind of copy -> documents that hold one."""
    kinds: dict[str, Callable[[str], str]] = {
        "exact": str,
        "capitals, no punctuation, ё as е": lambda t: re.sub(r"[^\w\s]", " ", t.upper()).replace("Ё", "Е"),
        "one word in 12 changed": lambda t: one_in(t, 12, rng),
        "one word in 8 changed": lambda t: one_in(t, 8, rng),
        "in Latin letters, by one of the schemes": lambda t: rng.choice(list(transliterated(t)) or [t]),
        "in Latin letters, each word by another": lambda t: " ".join(
            rng.choice(list(transliterated(word)) or [word]) for word in t.split()
        ),
    }
    return {
        kind: [f"{host} {change(text)} {host}" for text, host in zip(texts, hosts, strict=True)]
        for kind, change in kinds.items()
    }


def speed(kernel: Decontaminator, bench: list[str], clean: list[str], megabytes: int) -> None:
    size = sum(len(text.encode()) for text in clean) / 1e6
    part = clean[: max(1, int(len(clean) * megabytes / 16 / size))] if size * 16 > megabytes else clean
    for repeats in (1, 4, 16):
        measured, per_second = rate(kernel, part, repeats)
        print(f"documents {measured:8.1f} MB: {per_second:6.1f} MB/s a core")
    found = peer(bench, 13)
    small = part[: max(1, len(part) // 4)]
    started = time.process_time()
    for text in small:
        found(text)
    seconds = time.process_time() - started
    print(f"sets of strings in Python: {sum(len(t.encode()) for t in small) / 1e6 / seconds:.1f} MB/s a core")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=320, help="documents at 16x")
    parser.add_argument("--copies", type=int, default=1000)
    args = parser.parse_args()
    data = Path(os.environ["BUKVAR_DATA"])
    bench, items = texts_of_benchmarks(data / "benchmarks")
    clean = documents(data)
    rng = random.Random(SEED)
    rng.shuffle(clean)
    texts = column(bench)
    before = resident()
    started = time.process_time()
    kernel = Decontaminator(texts, items, n=13, min_words=8)
    seconds = time.process_time() - started
    words = int(kernel.words().sum())
    grown = resident() - before
    print(
        f"benchmarks: {len(bench):,} texts, {words:,} words; read in {seconds:.2f} s, {grown:,.0f} MiB more"
    )
    speed(kernel, bench, clean, args.megabytes)

    long = [text for text in bench if len(dedup_words(text)[1]) >= 13]
    copies = rng.sample(long, min(args.copies, len(long)))
    hosts = [rng.choice(clean)[:300] for _ in copies]
    kinds = planted(copies, hosts, rng)
    print(f"\ncopies of {len(copies)} texts of 13 words or more; before: of {len(clean):,} documents")
    latin = [(owner, one) for owner, text in zip(items, bench, strict=True) for one in transliterated(text)]
    both = column([*bench, *(text for _, text in latin)])
    owners = np.array([*items, *(owner for owner, _ in latin)], np.uint32)
    for n, translit in ((13, False), (10, False), (8, False), (13, True), (8, True)):
        before = resident()
        started = time.process_time()
        made = (both, owners) if translit else (column(bench), items)
        kernel = Decontaminator(*made, n=n, min_words=8)
        seconds, grown = time.process_time() - started, resident() - before
        recall = [f"{kind} {np.mean(hits(kernel, texts) > 0):.3f}" for kind, texts in kinds.items()]
        print(
            f"n = {n}{', translit' if translit else ''}: {'; '.join(recall)}; "
            f"before {int((hits(kernel, clean) > 0).sum())}; made in {seconds:.2f} s, {grown:,.0f} MiB more"
        )


if __name__ == "__main__":
    main()
