"""Reading and gating crawls, beside pure inflation, FastWARC and warcio, in one run.

    cargo build --release --example inflate
    BUKVAR_DATA=DIR python tests/bench/bench_warc.py [--work DIR] [KIND ...]

Kinds of files: `crawl`, real pages of DIR's other_language_pages, gold_pages_ru and wcxb with a request and a
metadata record each, as Common Crawl writes them, 8% of them Russian, gzipped record by record; `small`, the
small windows-1251 and English pages of far_cp1251, likewise; `samples`, the gzipped files of warc_samples;
`plain` and `zstd`, `crawl` without compression and a zstd frame a record. They are written to
--work (default: a folder that is removed).

Times are processor seconds of this process (of its own for `inflate`), the best of five turns in which all
take part one after another. Pure inflation knows the members' offsets and has the file in memory: libdeflate
by `rust_ext/crates/warc/examples/inflate.rs` into one buffer, the others by their Python packages where
installed.
libdeflate is also timed with the file's reading, 256 KiB at a time.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import io
import os
import random
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from fastwarc.warc import ArchiveIterator as FastWarc
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

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


def small(data: Path) -> list[tuple[str, bytes]]:
    batches = read(data / "far_cp1251" / "pages.warc.gz", gate="off")
    return [(page.url, page.body) for batch in batches for page in batch.pages]


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


def recompress(path: Path, to: Path, compress: Callable[[bytes], bytes]) -> None:
    """The same records, each compressed by itself in another way."""
    data = path.read_bytes()
    with to.open("wb") as out:
        for start, end in members(data):
            out.write(compress(gzip.decompress(data[start:end])))


def as_zstd(record: bytes) -> bytes:
    return bytes(pa.compress(record, "zstd", asbytes=True))


def members(data: bytes) -> list[tuple[int, int]]:
    """Offsets of the gzip members of a file."""
    found, at = [], 0
    while at < len(data):
        inflater, end = zlib.decompressobj(31), at
        while not inflater.eof and end < len(data):
            inflater.decompress(data[end : end + (1 << 16)])
            end = min(end + (1 << 16), len(data))
        end -= len(inflater.unused_data)
        found.append((at, end))
        at = end
    return found


def ours(path: Path) -> None:
    for _ in read(path):
        pass


def ungated(path: Path) -> None:
    for _ in read(path, gate="off"):
        pass


def skim(path: Path) -> None:
    for _ in read(path, gate="skim"):
        pass


def quick(path: Path) -> None:
    for _ in read(path, gate="quick"):
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


INFLATE = Path(__file__).parents[2] / "target" / "release" / "examples" / "inflate"


def libdeflate(path: Path, figure: int = 0) -> float:
    """Seconds as the program says them: of inflation alone, or (1) of reading the file and inflating it."""
    done = subprocess.run([INFLATE, path, "1"], capture_output=True, text=True, check=True)
    return float(done.stdout.split(", ")[figure].split(" ")[0])


def by_package(name: str, path: Path) -> Callable[[Path], None] | None:
    """Inflation of known members by a package with zlib's interface; None where it is not installed."""
    try:
        inflate = importlib.import_module(name).decompress
    except ModuleNotFoundError:
        return None
    data = path.read_bytes()
    known = [(data[a:b], int.from_bytes(data[b - 4 : b], "little")) for a, b in members(data)]

    def run(_: Path) -> None:
        for member, size in known:
            inflate(member, 31, size or 1)

    return run


def seconds(function: Callable[[Path], float | None], paths: list[Path]) -> float:
    start = time.process_time()
    said = [function(path) for path in paths]
    spent = time.process_time() - start
    return sum(s for s in said if s is not None) if said[0] is not None else spent


PACKAGES = {"isal": "isal.isal_zlib", "zlib-ng": "zlib_ng.zlib_ng", "zlib": "zlib"}


def compare(kind: str, paths: list[Path], slow: bool) -> None:
    rows: dict[str, list[tuple[Callable[[Path], float | None], list[Path]]]] = {
        "read and gate": [(ours, paths)],
        "read, gate skim": [(skim, paths)],
        "read, gate off": [(ungated, paths)],
        "read, gate quick": [(quick, paths)],
    }
    if all(path.suffix == ".gz" for path in paths):
        rows["inflate alone: libdeflate"] = [(libdeflate, paths)]
        rows["read the file and inflate: libdeflate"] = [(partial(libdeflate, figure=1), paths)]
        for package, module in PACKAGES.items():
            by_path = [(by_package(module, path), [path]) for path in paths]
            if all(function for function, _ in by_path):
                rows[f"inflate alone: {package}"] = [(f, p) for f, p in by_path if f]
    rows["FastWARC, plain iteration"] = [(fastwarc, paths)]
    rows["FastWARC, bodies read"] = [(fastwarc_bodies, paths)]
    if slow:
        rows["warcio"] = [(warcio, paths)]
    best: dict[str, float] = {}
    for turn in range(5):
        for name, work in rows.items():
            if name == "warcio" and turn:
                continue
            try:
                spent = sum(seconds(*part) for part in work)
            except Exception as error:  # a peer may not know the container
                print(f"{name}: {error!r}"[:120])
                spent = float("nan")
            best[name] = min(spent, best.get(name, float("inf")))
    size = sum(path.stat().st_size for path in paths) / 1e6
    print(f"| {kind}, {size:.0f} MB | s | MB/s of the file | times ours |\n|---|---|---|---|")
    for name, spent in best.items():
        print(f"| {name} | {spent:.3f} | {size / spent:,.0f} | {spent / best['read and gate']:.2f} |")


def files(kind: str, data: Path, work: Path) -> list[Path]:
    if kind == "samples":
        return sorted((data / "warc_samples").rglob("*.warc.gz"))
    path = work / ("small.warc.gz" if kind == "small" else "crawl.warc.gz")
    if not path.exists():
        write(small(data) if kind == "small" else material(data), path)
    if kind in ("plain", "zstd"):
        gzipped, path = path, work / ("crawl.warc" if kind == "plain" else "crawl.warc.zst")
        if not path.exists():
            recompress(gzipped, path, bytes if kind == "plain" else as_zstd)
    return [path]


KINDS = ["crawl", "small", "samples", "plain", "zstd"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kinds", nargs="*", metavar="KIND", default=KINDS)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--slow", action="store_true", help="warcio too")
    options = parser.parse_args()
    data = os.environ.get("BUKVAR_DATA", "")
    if not data:
        sys.exit("set BUKVAR_DATA to the folder that holds other_language_pages, gold_pages_ru and wcxb")
    with tempfile.TemporaryDirectory() as folder:
        work = options.work or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        for kind in options.kinds:
            compare(kind, files(kind, Path(data), work), options.slow)


if __name__ == "__main__":
    main()
