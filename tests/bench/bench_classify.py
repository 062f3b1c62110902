"""The classifier beside fastText, on the same texts and the same tenth held out.

    BUKVAR_DATA=... python tests/bench/bench_classify.py

Two tasks of quality/dev.parquet: advertising of five kinds against good text, news against other good text.
fastText (one thread, word pairs, 16 dimensions, 2^20 buckets) gets words in lower case; CPU time.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from pathlib import Path

import fasttext
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus import classify
from rust_ext.arrow import text_buffers

ADVERTISING = {"telegram_spam", "service_seo", "essay_mill", "escort", "casino"}


def plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def compare(name: str, positive: list[str], negative: list[str]) -> None:
    rows = [(text, True) for text in dict.fromkeys(positive)] + [
        (text, False) for text in dict.fromkeys(negative)
    ]
    held = [row for row in rows if classify.is_held(row[0])]
    texts, labels = [text for text, _ in held], np.array([label for _, label in held], np.bool_)
    size = sum(len(text.encode()) for text in texts) / 1e6
    print(f"{name}: {len(rows)} texts, {len(held)} of them held out")
    started = time.process_time()
    model, report = classify.train(
        [pa.array([text for text, label in rows if label])],
        [pa.array([text for text, label in rows if not label])],
        classify.Training(),
    )
    trained = time.process_time()
    model.scores(text_buffers(pa.array(texts * 5, pa.large_string())))
    applied = time.process_time() - trained
    print(
        f"  own          AUC {report.auc:.4f}  precision {report.precision:.3f}  recall {report.recall:.3f}",
        end="",
    )
    print(f"  {trained - started:.1f} s  {5 * size / applied:.0f} MB/s applied")
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        for text, label in rows:
            if not classify.is_held(text):
                file.write(f"__label__{int(label)} {plain(text)}\n")
        file.flush()
        for epochs in (5, 25):
            started = time.process_time()
            peer = fasttext.train_supervised(
                file.name, wordNgrams=2, epoch=epochs, dim=16, thread=1, verbose=0, bucket=1 << 20
            )
            trained = time.process_time()
            found = (dict(zip(*peer.predict(plain(text), k=2), strict=True)) for text in texts)
            scores = np.array([one.get("__label__1", 0.0) for one in found], np.float32)
            applied = time.process_time() - trained
            chosen = scores >= 0.5
            print(f"  fastText {epochs:2}  AUC {classify.auc(scores, labels):.4f}", end="")
            print(f"  precision {(chosen & labels).sum() / max(chosen.sum(), 1):.3f}", end="")
            print(f"  recall {(chosen & labels).sum() / labels.sum():.3f}", end="")
            print(f"  {trained - started:.1f} s  {size / applied:.0f} MB/s applied")


def main() -> None:
    table = pq.read_table(Path(os.environ["BUKVAR_DATA"]) / "quality" / "dev.parquet")
    rows = list(zip(*(table.column(name).to_pylist() for name in ("text", "good", "kind")), strict=True))
    good = [text for text, is_good, _ in rows if is_good]
    compare("advertising against good text", [t for t, g, k in rows if not g and k in ADVERTISING], good)
    news = [text for text, is_good, kind in rows if is_good and kind == "news"]
    compare("news against other good text", news, [t for t, g, k in rows if g and k != "news"])


if __name__ == "__main__":
    main()
