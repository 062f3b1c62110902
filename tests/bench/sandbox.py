"""What the sandbox costs: `python tests/bench/sandbox.py` (bundled crawl, one core, processor and wall time).

The same Russian pages through trafilatura in this process and through the child, in turns, best of three;
then a page at the size limit of each hostile shape: seconds, and what the child holds afterwards.
"""

from __future__ import annotations

import csv
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator

from corpus.extract.child import trafilatura_extractor
from corpus.extract.sandbox import Sandbox, processor_seconds

CRAWL = Path(__file__).parents[1] / "data" / "crawl"


def russian_pages() -> list[str]:
    with (CRAWL / "index.tsv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    charsets = {r["url"]: r["charset"] for r in rows if r["lang"] == "rus" and "malformed" not in r["what"]}
    pages = []
    for path in sorted(CRAWL.glob("crawl-0000[0-7].warc.gz")):
        with path.open("rb") as stream:
            for record in ArchiveIterator(stream):
                charset = charsets.get(record.rec_headers.get_header("WARC-Target-URI") or "")
                if charset and record.rec_type == "response":
                    body = record.content_stream().read()
                    if len(body) <= 3_000_000:
                        pages.append(body.decode(charset, errors="replace"))
    return pages


def cpu() -> float:
    mine, theirs = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return mine.ru_utime + mine.ru_stime + theirs.ru_utime + theirs.ru_stime


def timed(work: Callable[[], object]) -> tuple[float, float]:
    wall, used = time.perf_counter(), cpu()
    work()
    return cpu() - used, time.perf_counter() - wall


def through_child(pages: Sequence[str]) -> None:
    with Sandbox() as sandbox:  # its processor time is counted when it is closed
        for page in pages:
            sandbox.extract(page)


def main() -> None:
    pages = russian_pages()
    size = sum(len(page.encode()) for page in pages)
    print(f"{len(pages)} pages, {size / 1e6:.1f} MB")
    extract = trafilatura_extractor("precision")
    best: dict[str, tuple[float, float]] = {}
    for _ in range(3):
        for name, work in (
            ("in process", lambda: [extract(page, None) for page in pages]),
            ("sandbox", lambda: through_child(pages)),
            ("start and end of a child", lambda: through_child(["<p>"])),
        ):
            best[name] = min(best.get(name, (1e9, 1e9)), timed(work))
    for name, (used, wall) in best.items():
        print(f"{name:>24}: {used:6.2f} s cpu, {wall:6.2f} s wall, {len(pages) / used:6.1f} pages/s of cpu")
    shapes = {
        "paragraphs": "<p>одна строка, две строки и три.</p>\n",
        "links": '<a href="/x">ссылка</a> ',
        "br": "слово<br>",
    }
    for name, unit in shapes.items():
        page = "<html><body>" + unit * (2_990_000 // len(unit.encode()))
        with Sandbox(timeout_s=120) as sandbox:
            sandbox.extract("<p>")
            child = sandbox._child
            assert child is not None
            pid = child.process.pid
            before = processor_seconds(pid)
            sandbox.extract(page)
            used = processor_seconds(pid) - before
            held = Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0]
        print(f"{name:>24}: page of 3 MB: {used:5.1f} s cpu, child then holds {int(held) // 1024} MiB")


if __name__ == "__main__":
    main()
