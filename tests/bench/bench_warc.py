"""Reading and gating a crawl, beside FastWARC and warcio, in one run.

    BUKVAR_DATA=DIR python tests/bench/bench_warc.py [FILE.warc.gz]

Without FILE, one is written from DIR's other_language_pages, gold_pages_ru and wcxb: real pages with a
request and a metadata record each, as Common Crawl writes them, 8% of them Russian. Times are processor
seconds of this process, the best of five.
"""

from __future__ import annotations

import io
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
from fastwarc.warc import ArchiveIterator as FastWarc
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from corpus.extract.gate import judge
from corpus.extract.warc import read


def material(data: Path) -> list[tuple[str, bytes]]:
    pages = []
    for folder in ("other_language_pages", "gold_pages_ru"):
        with (data / folder / "pages.warc.gz").open("rb") as stream:
            for record in ArchiveIterator(stream):
                if record.rec_type in ("response", "resource"):
                    url = record.rec_headers.get_header("WARC-Target-URI")
                    pages.append((url, record.content_stream().read()))
    table = pq.read_table(data / "wcxb" / "dev.parquet", columns=["html"])
    pages += [(f"http://wcxb.test/{i}", h) for i, h in enumerate(table["html"].to_pylist())]
    random.Random(1).shuffle(pages)
    return pages


def write(pages: list[tuple[str, bytes]], path: Path) -> None:
    with path.open("wb") as out:
        writer = WARCWriter(out, gzip=True)
        for url, body in pages:
            ask = StatusAndHeaders("GET / HTTP/1.1", [("Host", "x")], is_http_request=True)
            head = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
            request = writer.create_warc_record(url, "request", payload=io.BytesIO(), http_headers=ask)
            response = writer.create_warc_record(url, "response", payload=io.BytesIO(body), http_headers=head)
            writer.write_request_response_pair(request, response)
            note = io.BytesIO(b"fetchTimeMs: 255\r\n")
            writer.write_record(writer.create_warc_record(url, "metadata", payload=note))


def ours(path: Path) -> None:
    for _ in read(path):
        pass


def ungated(path: Path) -> None:
    for _ in read(path, gate="off"):
        pass


def fastwarc(path: Path) -> None:
    for _ in FastWarc(str(path), fsspec_args=False):
        pass


def fastwarc_bodies(path: Path) -> None:
    for record in FastWarc(str(path), fsspec_args=False):
        record.reader.read()


def warcio(path: Path) -> None:
    with path.open("rb") as stream:
        for _ in ArchiveIterator(stream):
            pass


def seconds(function: Callable[[Path], None], path: Path) -> float:
    start = time.process_time()
    function(path)
    return time.process_time() - start


def main() -> None:
    data = os.environ.get("BUKVAR_DATA", "")
    if not data:
        sys.exit("set BUKVAR_DATA to the folder that holds other_language_pages, gold_pages_ru and wcxb")
    pages = material(Path(data))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder) / "crawl.warc.gz"
        if not path.exists():
            write(pages, path)
        readers = [ours, ungated, fastwarc, fastwarc_bodies, warcio]
        best = {f: min(seconds(f, path) for _ in range(5)) for f in readers if f is not warcio}
        best[warcio] = seconds(warcio, path)
        size = path.stat().st_size / 1e6
        print(f"{size:.0f} MB gzipped, {sum(len(b) for _, b in pages) / 1e6:.0f} MB of pages")
        for function, spent in best.items():
            rate, ratio = size / spent, spent / best[ours]
            print(f"{function.__name__:16s} {spent:7.3f} s {rate:7.0f} gz MB/s {ratio:6.2f} x ours")
    total = sum(len(body) for _, body in pages)
    start = time.process_time()
    kept = sum(judge(body).keep for _, body in pages)
    spent = time.process_time() - start
    print(f"gate alone: {total / spent / 1e6:.0f} MB/s, {kept} of {len(pages)} pages kept")


if __name__ == "__main__":
    main()
