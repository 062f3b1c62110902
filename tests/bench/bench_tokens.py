"""From Parquet to files of token ids: `bukvar encode` beside tokbin, datatrove and Megatron's preprocessing.

    BUKVAR_DATA=... python -m tests.bench.bench_tokens [--megabytes 20] [--rounds 1] [--characters N]

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
ALONE = "encoder alone"
OVERLAPPED = ", overlapped"


def source(folder: Path, most: int, characters: int = 0) -> tuple[Path, list[str]]:
    """A Parquet file of news of at most so many bytes, and its texts; cut where `characters` says so."""
    texts: list[str] = []
    size = 0
    for _, text in vocabulary_texts.text_ru("news"):
        size += len(text.encode())
        if size > most:
            break
        step = characters or max(len(text), 1)
        texts += [text[at : at + step] for at in range(0, len(text), step)]
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
    return sorted((out / "train").glob("*.bin"))


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
    return sorted(out.glob("*.ds"))


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
    return [out / "web.bin"]


def timed(function: Callable[[], Any]) -> tuple[tuple[float, float], Any]:
    """Seconds of the processor and by the clock, and what came out."""
    started, clock = time.process_time(), time.perf_counter()
    found = function()
    return (time.process_time() - started, time.perf_counter() - clock), found


def runs_of(
    path: Path, texts: list[str], folder: Path, tokenizer: Path, peers: dict[str, Callable[..., Any]]
) -> dict[str, Callable[[], Any]]:
    """What is measured, by label; each gives the files of ids that it wrote, if any."""
    column = pa.array(texts, pa.large_string())

    def encoder_alone() -> None:
        for at in range(0, len(texts), 512):
            coder.open_coder(tokenizer).encode(column[at : at + 512])

    runs: dict[str, Callable[[], Any]] = {ALONE: encoder_alone}
    for form in ("flat", "megatron", "mds", "parquet"):
        for count, how in ((1, ""), (3, OVERLAPPED)):
            out = folder / f"{form}-{count}"
            runs[f"bukvar, {form}{how}"] = functools.partial(ours, path, out, form, tokenizer, count)
    for peer, function in peers.items():
        runs[peer] = functools.partial(function, path, folder / f"peer-{peer}", tokenizer)
    return runs


def ids_of(files: Any) -> Any:
    """The ids in files; None where there are none, or where they are not one array of uint16."""
    return np.concatenate([np.fromfile(file, np.uint16) for file in files]) if files else None


def measured(
    label: str, run: Callable[[], Any], tokenizer: Path
) -> tuple[tuple[float, float, float], Any] | None:
    """Seconds of the processor, by the clock and of the busiest thread, and the ids; None for a peer that
    does not run here, which is named."""
    coder._opened.cache_clear()
    coder.open_coder(tokenizer)  # opening is no part of it
    threads: list[float] = []
    try:
        with thread_seconds(threads):
            (processor, clock), files = timed(run)
    except Exception as error:
        print(f"{label}: {type(error).__name__}: {error}"[:200])
        return None
    return (processor, clock, max(threads)), ids_of(files)


def report(best: dict[str, tuple[float, ...]], ids: dict[str, Any], size: float) -> None:
    """A line a run: MB a second of the processor and by the clock, with the shares of the encoder alone."""
    alone, own = best[ALONE], ids.get("bukvar, flat")
    for label, seconds in best.items():
        figures = "  ".join(
            f"{size / one:7.1f} MB/s {clock} {all_ / one:.2f}"
            for one, all_, clock in zip(seconds[:2], alone[:2], ("CPU", "wall"), strict=True)
        )
        if label.endswith(OVERLAPPED):
            figures += f"  busiest thread {alone[0] / seconds[2]:.2f}"
        same = ""
        if ids[label] is not None and own is not None:
            same = "same ids" if np.array_equal(ids[label], own) else "other ids"
        print(f"{label:28} {figures} of the encoder alone  {same}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--megabytes", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--characters", type=int, default=0, help="cut documents into ones of this length")
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
        path, texts = source(Path(name), int(options.megabytes * 1e6), options.characters)
        few = Path(name) / "few.parquet"
        pq.write_table(pa.table({"text": texts[:5]}), few)
        ours(few, Path(name) / "few", "parquet", tokenizer)  # what a stage imports is no part of it
        best: dict[str, tuple[float, ...]] = {}
        ids: dict[str, Any] = {}
        for number in range(options.rounds):
            folder = Path(name) / str(number)
            folder.mkdir()
            for label, run in runs_of(path, texts, folder, tokenizer, peers).items():
                found = measured(label, run, tokenizer)
                if found is not None:
                    best[label] = tuple(map(min, found[0], best.get(label, found[0])))
                    ids[label] = found[1]
        size = sum(len(text.encode()) for text in texts) / 1e6
        report(best, ids, size)
        print(f"{len(texts)} documents, {size:.1f} MB")


if __name__ == "__main__":
    main()
