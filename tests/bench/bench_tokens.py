"""From Parquet to files of token ids: `bukvar encode` beside tokbin, datatrove and Megatron's preprocessing.

    BUKVAR_DATA=... python -m tests.bench.bench_tokens [--megabytes 20] [--rounds 1]

One Parquet file of Russian, one tokenizer (ru-32k, as tokenizer.json), in one run: MB of text a CPU second
and a second by the clock, the shares of the encoder alone (one thread, texts in memory), and whether the ids
are equal. The stage runs twice: in one thread, as where every processor has a task, and overlapped, as where
there are more processors than tasks; of that its busiest thread's CPU time is given too, which bounds the
clock on processors that have nothing else to do. tokbin 0.1, datatrove 0.10 and megatron-core are measured
where they are installed. Megatron's tools/preprocess_data.py is no part of its package: what it does for a
document (its Hugging Face tokenizer, then its own IndexedDatasetBuilder) is done here. --ours leaves the
others out.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib.util
import io
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tokenizers

from corpus.writing import parquet_settings
from pipelines import engine
from pipelines.encode import Encode
from pipelines.engine import Job, run_stage
from pipelines.execute import run_inline
from pipelines.inputs import inputs_of
from pipelines.progress import Silent
from pipelines.tokens import ahead, coder
from tests.bench import vocabulary_texts
from tokenizer.vocabulary import folder_of

END = "<|end_of_text|>"


def source(folder: Path, most: int) -> tuple[Path, list[str]]:
    texts, size = [], 0
    for _, text in vocabulary_texts.text_ru("news"):
        size += len(text.encode())
        if size > most:
            break
        texts.append(text)
    path = folder / "texts.parquet"
    rows = pa.table({"id": [str(n) for n in range(len(texts))], "text": texts})
    pq.write_table(rows, path, row_group_size=1000, **parquet_settings(rows.schema))
    return path, texts


def texts_of(path: Path) -> Iterator[str]:
    for batch in pq.ParquetFile(path).iter_batches(512, columns=["text"], use_threads=False):
        yield from batch.column(0).to_pylist()


def ours(path: Path, out: Path, form: str, tokenizer: Path, threads: int = 1) -> Any:
    stage = Encode(
        tokenizer=str(tokenizer), format=form, end=END, dtype="uint16" if form != "parquet" else ""
    )
    engine.threads_a_task = lambda *_: threads  # what it would find by itself depends on the machine
    run_stage(Job(stage, tuple(inputs_of("documents", [str(path)])), str(out)), run_inline, Silent())
    files = sorted((out / "train").glob("*.bin"))
    return np.concatenate([np.fromfile(file, np.uint16) for file in files]) if files else None


@contextlib.contextmanager
def thread_seconds(found: list[float]) -> Iterator[None]:
    """Appends the CPU seconds of this thread, and of those that make items ahead."""
    fill = ahead._Line.fill

    def timed_fill(line: Any, *arguments: Any) -> None:
        started = time.thread_time()
        fill(line, *arguments)
        found.append(time.thread_time() - started)

    ahead._Line.fill = timed_fill  # type: ignore[method-assign]
    started = time.thread_time()
    try:
        yield
    finally:
        found.append(time.thread_time() - started)
        ahead._Line.fill = fill  # type: ignore[method-assign]


def tokbin(path: Path, out: Path, tokenizer: Path) -> Any:
    from tokbin import Dataset

    theirs = tokenizers.Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        Dataset(str(out)).write("web", texts_of(path), theirs)


def datatrove(path: Path, out: Path, tokenizer: Path) -> Any:
    from datatrove.data import Document
    from datatrove.pipeline.tokens.tokenizer import DocumentTokenizer

    step = DocumentTokenizer(
        str(out), str(tokenizer / "tokenizer.json"), eos_token=END, shuffle_documents=False, batch_size=1000
    )
    for _ in step.run(Document(text=text, id=str(n)) for n, text in enumerate(texts_of(path))) or ():
        pass
    return np.concatenate([np.fromfile(file, np.uint16) for file in sorted(out.glob("*.ds"))])


def megatron(path: Path, out: Path, tokenizer: Path) -> Any:
    from tests.pipelines.test_token_readers import megatron_module

    module = megatron_module()
    theirs = tokenizers.Tokenizer.from_file(str(tokenizer / "tokenizer.json"))
    end = theirs.token_to_id(END)
    out.mkdir()
    builder = module.IndexedDatasetBuilder(str(out / "web.bin"), dtype=np.uint16)
    import torch

    for text in texts_of(path):
        ids = [*theirs.encode(text, add_special_tokens=False).ids, end]
        builder.add_document(torch.tensor(ids), [len(ids)])
    builder.finalize(str(out / "web.idx"))
    return np.fromfile(out / "web.bin", np.uint16)


def timed(function: Callable[[], Any]) -> tuple[tuple[float, float], Any]:
    """Seconds of the processor and by the clock, and what came out."""
    started, clock = time.process_time(), time.perf_counter()
    found = function()
    return (time.process_time() - started, time.perf_counter() - clock), found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--megabytes", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--ours", action="store_true")
    options = parser.parse_args()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ["RAYON_NUM_THREADS"] = "1"
    tokenizer = folder_of("ru-32k")
    peers = {"tokbin": tokbin, "datatrove": datatrove, "megatron": megatron}
    peers = {
        name: peer for name, peer in peers.items() if not options.ours and importlib.util.find_spec(name)
    }
    with tempfile.TemporaryDirectory() as name:
        path, texts = source(Path(name), int(options.megabytes * 1e6))
        size = sum(len(text.encode()) for text in texts) / 1e6
        column = pa.array(texts, pa.large_string())
        few = Path(name) / "few.parquet"
        pq.write_table(pa.table({"text": texts[:5]}), few)
        ours(few, Path(name) / "few", "parquet", tokenizer)  # what a stage imports is no part of it
        best: dict[str, tuple[float, float]] = {}
        ids: dict[str, Any] = {}
        busiest: dict[str, float] = {}
        for number in range(options.rounds):
            runs: dict[str, Callable[[], Any]] = {
                "encoder alone": lambda: [
                    coder.open_coder(tokenizer).encode(column[at : at + 512])
                    for at in range(0, len(texts), 512)
                ]
            }
            for form in ("flat", "megatron", "mds", "parquet"):
                for count, how in ((1, ""), (3, ", overlapped")):
                    out = Path(name) / f"{form}-{count}-{number}"
                    runs[f"bukvar, {form}{how}"] = functools.partial(ours, path, out, form, tokenizer, count)
            for peer, function in peers.items():
                out = Path(name) / f"peer-{peer}-{number}"
                runs[peer] = lambda out=out, function=function: function(path, out, tokenizer)  # type: ignore[misc]
            for label, run in runs.items():
                coder._opened.cache_clear()
                coder.open_coder(tokenizer)  # opening is no part of it
                threads: list[float] = []
                try:
                    with thread_seconds(threads):
                        seconds, found = timed(run)
                except Exception as error:  # a peer that does not run here is named, and left out
                    print(f"{label}: {type(error).__name__}: {error}"[:200])
                    continue
                busiest[label] = min(busiest.get(label, float("inf")), max(threads))
                earlier = best.get(label, seconds)
                best[label] = (min(earlier[0], seconds[0]), min(earlier[1], seconds[1]))
                ids[label] = found
        for label, seconds in best.items():
            found = ids[label]
            same = ""
            if isinstance(found, np.ndarray) and isinstance(ids.get("bukvar, flat"), np.ndarray):
                same = "same ids" if np.array_equal(found, ids["bukvar, flat"]) else "other ids"
            alone = best["encoder alone"]
            figures = "  ".join(
                f"{size / one:7.1f} MB/s {clock} {all_ / one:.2f}"
                for one, all_, clock in zip(seconds, alone, ("CPU", "wall"), strict=True)
            )
            if label.endswith("overlapped"):
                figures += f"  busiest thread {alone[0] / busiest[label]:.2f}"
            print(f"{label:28} {figures} of the encoder alone  {same}")
        print(f"{len(texts)} documents, {size:.1f} MB")


if __name__ == "__main__":
    main()
