"""Speed of the signals, and agreement with datatrove where it is installed.

    BUKVAR_DATA=... python tests/bench/bench_signals.py
    BUKVAR_DATA=... PYTHON_WITH_DATATROVE=/path/to/python python tests/bench/bench_signals.py

datatrove (with spacy) belongs into an environment of its own, named by PYTHON_WITH_DATATROVE; it is run as
a child on the same texts, once with this project's tokens and once with spaCy's. CPU time, one thread.
"""

from __future__ import annotations

import collections
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.quality.signals import measure, russian_stop_words
from corpus.quality.verdicts import Filter
from rust_ext import text_tokens
from tests.oracles.signals import signals as slow_signals

#: FineWeb-2's own 22 (configs/rus_Cyrl.yml), for a comparison of like with like.
FINEWEB2_STOP_WORDS = (
    *("в", "и", "на", "с", "года", "по", "году", "из", "был", "к", "не", "от", "что", "за", "для", "его"),
    *("как", "а", "он", "также", "до", "после"),
)

CHILD = r"""
import collections, json, sys, time
from datatrove.data import Document
from datatrove.pipeline.filters import fineweb_quality_filter as fq, gopher_quality_filter as gq
from datatrove.pipeline.filters import gopher_repetition_filter as gr
rows, stop = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
split = gr.split_into_words
for mode in ("tokens", "spacy"):
    filters = [
        gr.GopherRepetitionFilter(language="rus_Cyrl", dup_para_frac=0, dup_line_char_frac=0,
            dup_para_char_frac=0, dup_line_frac=.322, top_n_grams=[(2, .184), (3, .164), (4, .146)],
            dup_n_grams=[(5, .168), (6, .156), (7, .145), (8, .133), (9, .121), (10, .109)]),
        fq.FineWebQualityFilter(language="rus_Cyrl", short_line_thr=999, char_duplicates_ratio=.1,
            line_punct_thr=.231, new_line_ratio=.139),
        gq.GopherQualityFilter(language="rus_Cyrl", max_avg_word_length=11, stop_words=stop,
            max_non_alpha_words_ratio=.713),
    ]
    agree, apart, started = 0, collections.Counter(), time.process_time()
    for text, tokens, detail in rows:
        words = (lambda t, l: tokens) if mode == "tokens" else split
        gr.split_into_words = gq.split_into_words = fq.split_into_words = words
        results = (f.filter(Document(text=text, id="")) for f in filters)
        reason = next((r[1] for r in results if r is not True), None)
        agree += (reason is None) == (detail is None)
        if (reason is None) != (detail is None):
            apart[str(reason), (detail or "kept").split("=")[0]] += 1
    seconds = time.process_time() - started
    size = sum(len(text.encode()) for text, *_ in rows) / 1e6
    same = f"keep/drop as here {agree} of {len(rows)} {dict(apart)}"
    print(f"  datatrove on {mode}: {size / seconds:.2f} MB/s, {same}")
"""


def texts_of(folder: Path) -> dict[str, pa.ChunkedArray]:
    return {
        path.stem: pq.read_table(path, columns=["text"])["text"]
        for path in sorted((folder / "text_ru").glob("*.parquet"))
    }


def speed(name: str, column: pa.ChunkedArray) -> None:
    started = time.process_time()
    measure(column, russian_stop_words())
    fast = column.nbytes / 1e6 / (time.process_time() - started)
    sample = [t for t in column.slice(0, 40).to_pylist() if t and len(t) < 30_000]
    started = time.process_time()
    for text in sample:
        slow_signals(text, russian_stop_words())
    slow = sum(len(text.encode()) for text in sample) / 1e6 / (time.process_time() - started)
    print(f"  {name:10} {fast:6.1f} MB/s, oracle {slow:.2f} MB/s, {fast / slow:.0f} times")


def hostile() -> None:
    inputs = {
        "one line of words": "слово и дело " * 2_200_000,
        "one word": "а" * 25_000_000,
        "symbols": "!?" * 25_000_000,
        "line ends": "\n" * 50_000_000,
        "one-letter lines": "а\n" * 16_000_000,
        "distinct numbers": " ".join(map(str, range(6_000_000))),
    }
    for name, text in inputs.items():
        for share in (4, 1):
            column = pa.array([text[: len(text) // share]], pa.large_string())
            started = time.process_time()
            measure(column, ())
            seconds = time.process_time() - started
            print(f"  {name:18} {column.nbytes / 1e6:5.0f} MB in {seconds:5.2f} s")


def stop_words(columns: dict[str, pa.ChunkedArray]) -> None:
    """Share of 60-word pieces with fewer than two stop words, by FineWeb-2's list and by ours."""
    for name, column in columns.items():
        pieces = []
        for text in column.slice(0, 400).to_pylist():
            words = (text or "").split()
            pieces += [" ".join(words[i : i + 60]) for i in range(0, min(len(words), 3000) - 60, 60)]
        shares = []
        for stop in (FINEWEB2_STOP_WORDS, russian_stop_words()):
            counts = measure(pa.array(pieces, pa.large_string()), stop)["stop_words"].to_numpy()
            shares.append((counts < 2).mean())
        print(f"  {name:10} FineWeb-2's {shares[0]:.4f}, ours {shares[1]:.4f} of {len(pieces)} pieces")


def datatrove(python: str, folder: Path, columns: dict[str, pa.ChunkedArray]) -> None:
    texts = pq.read_table(folder / "gold_pages_ru" / "gold.parquet")["gold_text"].to_pylist()
    for column in columns.values():
        step = max(1, len(column) // 200)
        texts += [t for t in column.to_pylist()[::step] if t and len(t) < 60_000]
    batch = pa.table({"text": pa.array(texts, pa.large_string())})
    started = time.process_time()
    details = Filter(stop_words=FINEWEB2_STOP_WORDS).open()(batch)["drop_detail"].to_pylist()
    print(f"  here: {batch['text'].nbytes / 1e6 / (time.process_time() - started):.1f} MB/s (stage filter)")
    with tempfile.TemporaryDirectory() as place:
        rows, stop = Path(place, "rows.json"), Path(place, "stop.json")
        rows.write_text(json.dumps([(t, text_tokens(t), d) for t, d in zip(texts, details, strict=True)]))
        stop.write_text(json.dumps(FINEWEB2_STOP_WORDS))
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        subprocess.run([python, "-c", CHILD, rows, stop], check=True, env=environment)


def verdicts(columns: dict[str, pa.ChunkedArray]) -> None:
    function = Filter().open()
    for name, column in columns.items():
        counts = collections.Counter(function(pa.table({"text": column}))["drop"].to_pylist())
        print(f"  {name:10} kept {counts.pop(None, 0)} of {len(column)}, {dict(counts.most_common(5))}")


def main() -> int:
    if "BUKVAR_DATA" not in os.environ:
        print("set BUKVAR_DATA to the folder that holds text_ru/ and gold_pages_ru/", file=sys.stderr)
        return 2
    folder = Path(os.environ["BUKVAR_DATA"])
    columns = texts_of(folder)
    print("speed")
    for name, column in columns.items():
        speed(name, column)
    print("hostile input")
    hostile()
    print("stop words")
    stop_words(columns)
    print("verdicts of the preset fineweb2-ru")
    verdicts(columns)
    if python := os.environ.get("PYTHON_WITH_DATATROVE"):
        print("datatrove")
        datatrove(python, folder, columns)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
