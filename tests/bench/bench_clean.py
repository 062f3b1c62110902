"""What stage clean takes: from books and news next to nothing, from extracted pages what is no text.

    BUKVAR_DATA=... python tests/bench/bench_clean.py

text_ru holds edited text: what goes there is a loss (or boilerplate that its makers left). gold_pages_ru has
pages with their main text marked by hand: trafilatura extracts, lines go, and a line that goes although the
marked text holds it is a false alarm.
"""

from __future__ import annotations

import collections
import os
import re
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import trafilatura
from warcio.archiveiterator import ArchiveIterator

from corpus.clean.lines import Clean, category


def edited_text(folder: Path) -> None:
    for path in sorted((folder / "text_ru").glob("*.parquet")):
        column = pq.read_table(path, columns=["text"])["text"]
        column = pa.chunked_array([column.take(list(range(0, len(column), max(1, len(column) // 600))))])
        started = time.process_time()
        result = Clean().open()(pa.table({"text": column}))
        seconds = time.process_time() - started
        lines = sum((t or "").count("\n") + 1 for t in column.to_pylist())
        gone = sum(result["lines_dropped"].to_pylist())
        chars = sum(result["chars_dropped"].to_pylist()) / max(
            1, sum(len(t or "") for t in column.to_pylist())
        )
        print(
            f"  {path.stem:10} {gone} of {lines} lines, {chars:.6f} of the characters, "
            f"{column.nbytes / 1e6 / seconds:.1f} MB/s"
        )


def squeeze(text: str) -> str:
    return re.sub(r"\W+", " ", text.lower()).strip()


def pages(folder: Path) -> None:
    gold = pq.read_table(folder / "gold_pages_ru" / "gold.parquet").to_pylist()
    marked = {row["url"]: f" {squeeze(row['gold_text'])} " for row in gold}
    gone: collections.Counter[str] = collections.Counter()
    wrong: collections.Counter[str] = collections.Counter()
    lines = outside = 0
    with (folder / "gold_pages_ru" / "pages.warc.gz").open("rb") as stream:
        for record in ArchiveIterator(stream):
            url = record.rec_headers.get_header("WARC-Target-URI")
            if record.rec_type != "response" or url not in marked:
                continue
            text = trafilatura.extract(record.content_stream().read()[:400_000]) or ""
            for line in text.split("\n"):
                inside = f" {squeeze(line)} " in marked[url] and bool(squeeze(line))
                lines += 1
                outside += not inside
                if kind := category(line):
                    gone[kind] += 1
                    if inside:
                        wrong[kind] += 1
                        print(f"    in the marked text: {line[:100]}")
    print(f"  {lines} lines extracted, {outside} of them outside the marked text")
    print(f"  {gone.total()} went: {dict(gone)}; {wrong.total()} of them in the marked text: {dict(wrong)}")


def main() -> int:
    if "BUKVAR_DATA" not in os.environ:
        print("set BUKVAR_DATA to the folder that holds text_ru/ and gold_pages_ru/", file=sys.stderr)
        return 2
    folder = Path(os.environ["BUKVAR_DATA"])
    print("edited text")
    edited_text(folder)
    print("extracted pages")
    pages(folder)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
