"""A crawl of which 6% is Russian, to Russian documents in Parquet: bukvar beside datatrove's order.

    BUKVAR_DATA=DIR PYTHON_WITH_DATATROVE=/path/to/python python -m tests.bench.bench_crawl [--pages 2000]

The crawl is written from DIR's gold_pages_ru, far_cp1251 and manuals (a third each of the Russian pages) and
other_language_pages, again and again until there are so many, in an order drawn by a fixed seed. bukvar runs
`extract` and `identify` inline; datatrove runs WarcReader, Trafilatura(favour_precision=True), LanguageFilter
(the same lid.176.ftz, Russian above .65) and ParquetWriter in one process. Processor seconds of the programs
and their children: whole, start included, and without what the same programs take for a crawl of one page.
datatrove belongs into an environment of its own (`pip install "datatrove[io,processing]" lxml_html_clean`;
without the last, which lxml no longer brings, its Trafilatura waits for each page in vain); without it, ours
alone is measured.
"""

from __future__ import annotations

import argparse
import io
import itertools
import os
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.dataset as ds
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

ROOT = Path(__file__).parent.parent.parent
RUSSIAN = ("gold_pages_ru", "far_cp1251", "manuals")
#: What share of Common Crawl's pages is Russian.
SHARE = 0.06

PEER = """
import sys
import datatrove.utils.lid as lid
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.extractors import Trafilatura
from datatrove.pipeline.filters import LanguageFilter
from datatrove.pipeline.readers import WarcReader
from datatrove.pipeline.writers import ParquetWriter
crawl, model, out = sys.argv[1:]
lid.cached_asset_path_or_download = lambda *_, **__: model
LocalPipelineExecutor(
    [
        WarcReader(crawl, glob_pattern="*.warc.gz"),
        Trafilatura(favour_precision=True, timeout=10),
        LanguageFilter(languages=["ru"], language_threshold=0.65),
        ParquetWriter(out),
    ],
    logging_dir=out + "-log",
).run()
"""


def pages(folder: Path) -> list[bytes]:
    with (folder / "pages.warc.gz").open("rb") as stream:
        records = ArchiveIterator(stream)
        return [r.content_stream().read() for r in records if r.rec_type in ("response", "resource")]


def mixed(data: Path, count: int) -> list[bytes]:
    """So many pages, 6% of them Russian, a third of these from each source, each source in an order drawn."""
    draw = random.Random(6)

    def endless(name: str) -> Iterator[bytes]:
        of = [p for p in pages(data / name) if name == "other_language_pages" or is_russian(p)]
        draw.shuffle(of)
        return itertools.cycle(of)

    russian = itertools.cycle([endless(name) for name in RUSSIAN])
    other = endless("other_language_pages")
    wanted = round(count * SHARE)
    chosen = [next(next(russian)) for _ in range(wanted)] + [next(other) for _ in range(count - wanted)]
    draw.shuffle(chosen)
    return chosen


def is_russian(page: bytes) -> bool:
    """Enough for manuals, some of which are in English: hundreds of bytes beyond ASCII."""
    return sum(byte >= 0x80 for byte in page) > 500


def write(chosen: list[bytes], path: Path) -> None:
    path.parent.mkdir(parents=True)
    with path.open("wb") as out:
        writer = WARCWriter(out, gzip=True)
        for number, body in enumerate(chosen):
            head = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
            url = f"http://site{number % 97}.test/{number}"
            record = writer.create_warc_record(
                url, "response", payload=io.BytesIO(body), http_headers=head,
                warc_headers_dict={"WARC-Identified-Payload-Type": "text/html"},
            )  # fmt: skip
            writer.write_record(record)


def spent(commands: list[list[str]]) -> float:
    """Processor seconds of programs and all that they start, one after the other."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for command in commands:
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if done.returncode:
            sys.exit(f"{' '.join(command[:4])}: {done.stderr[-3000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def bukvar(crawl: Path, out: Path) -> tuple[float, Path]:
    command = [sys.executable, "-m", "pipelines.cli"]
    inline = ["--executor", "inline", "--quiet"]
    run = [
        [*command, "extract", str(crawl), "--out", str(out / "extract"), *inline],
        [*command, "identify", str(out / "extract"), "--out", str(out / "identify"), *inline],
    ]
    return spent(run), out / "identify"


def datatrove(crawl: Path, out: Path) -> tuple[float, Path]:
    model = str(ROOT / "corpus/assets/lid.176.ftz")
    command = [os.environ["PYTHON_WITH_DATATROVE"], "-c", PEER, str(crawl), model, str(out / "out")]
    return spent([command]), out / "out"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pages", type=int, default=2000)
    given = parser.parse_args()
    data = os.environ.get("BUKVAR_DATA")
    if not data:
        sys.exit("set BUKVAR_DATA to the folder that holds gold_pages_ru and the others")
    runs: list[Callable[[Path, Path], tuple[float, Path]]] = [bukvar]
    if os.environ.get("PYTHON_WITH_DATATROVE"):
        runs.append(datatrove)
    else:
        print("PYTHON_WITH_DATATROVE is not set: bukvar alone")
    chosen = mixed(Path(data), given.pages)
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        write(chosen, work / "crawl/crawl.warc.gz")
        write(pages(Path(data) / "gold_pages_ru")[:1], work / "one/crawl.warc.gz")
        print(f"{given.pages} pages, {sum(map(len, chosen)) / 1e6:.0f} MB, one core")
        print(f"{'':<10} {'documents':>9} {'s whole':>8} {'pages/s':>8} {'s less start':>12} {'pages/s':>8}")
        rates = []
        for run in runs:
            name = run.__name__
            start, _ = run(work / "one", work / name / "one")
            whole, out = run(work / "crawl", work / name / "crawl")
            rates.append((given.pages / whole, given.pages / (whole - start)))
            rows = ds.dataset(sorted(map(str, out.glob("*.parquet")))).count_rows()
            print(
                f"{name:<10} {rows:>9} {whole:>8.2f} {rates[-1][0]:>8.0f} {whole - start:>12.2f} "
                f"{rates[-1][1]:>8.0f}"
            )
        if len(rates) == 2:
            whole, net = (rates[0][k] / rates[1][k] for k in (0, 1))
            print(f"bukvar is {whole:.0f} times as fast, {net:.0f} times without the programs' start")


if __name__ == "__main__":
    main()
