"""Reading Parquet, encoding and writing token ids, beside the encoder alone on texts in memory.

    BUKVAR_DATA=DATA python -m tests.bench.bench_encode_stage [--tokenizer PATH] [--rounds 3]

Input: the documents of DATA/text_ru, written anew into one Parquet file of bukvar's settings. Both use one
thread of one process, take turns, and start with a fresh encoder, so each round is cold. Speeds are MB of
text a CPU second, the best of the rounds.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.writing import parquet_settings
from pipelines.encode import Encode
from pipelines.engine import Job, run_stage
from pipelines.execute import run_inline
from pipelines.inputs import inputs_of
from pipelines.progress import Silent
from pipelines.tokens import coder


def main() -> None:
    parser = argparse.ArgumentParser()
    data = Path(os.environ["BUKVAR_DATA"])
    parser.add_argument("--tokenizer", default=str(data / "rivals/openai_o200k_base"))
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    files = sorted((data / "text_ru").glob("*.parquet"))
    texts = pa.chunked_array(
        [c for f in files for c in pq.read_table(f, columns=["text"])["text"].cast(pa.large_string()).chunks]
    ).combine_chunks()
    texts = texts.drop_null()
    size = sum(len(text.as_py().encode()) for text in texts)
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "texts.parquet"
        table = pa.table({"text": texts})
        pq.write_table(table, source, row_group_size=4000, **parquet_settings(table.schema))
        best: dict[str, float] = {}
        for number in range(arguments.rounds):
            coder._opened.cache_clear()
            encode = coder.open_coder(Path(arguments.tokenizer)).encode
            batches = [texts[at : at + 512] for at in range(0, len(texts), 512)]
            _time(best, "encoder alone", lambda: [encode(batch) for batch in batches])  # noqa: B023 - called at once
            for form in ("flat", "megatron", "parquet"):
                coder._opened.cache_clear()
                coder.open_coder(Path(arguments.tokenizer))  # opening is no part of it
                out = str(Path(name) / f"{form}-{number}")
                stage = Encode(tokenizer=arguments.tokenizer, format=form)
                job = Job(stage, tuple(inputs_of("documents", [str(source)])), out)
                _time(best, f"stage, {form}", lambda: run_stage(job, run_inline, Silent()))  # noqa: B023 - called at once
    for label, seconds in best.items():
        share = best["encoder alone"] / seconds
        print(f"{label:16} {size / seconds / 1e6:7.1f} MB/s   {share:.2f} of the encoder alone")
    print(f"{len(texts)} documents, {size / 1e6:.1f} MB")


def _time(best: dict[str, float], label: str, function: object) -> None:
    started = time.process_time()
    function()  # type: ignore[operator]
    best[label] = min(best.get(label, float("inf")), time.process_time() - started)


if __name__ == "__main__":
    main()
