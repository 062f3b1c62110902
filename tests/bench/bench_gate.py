"""The gate alone: how fast on each kind of page, and what it keeps of what the pipeline calls Russian.

    BUKVAR_DATA=DIR python -m tests.bench.bench_gate speed
    BUKVAR_DATA=DIR python -m tests.bench.bench_gate keep [--pages N]

`speed`: processor seconds of this process over whole pages, the best of five turns. `keep`: every page of
gold_pages_ru, far_cp1251, manuals, laws, other_language_pages and wcxb goes through `bukvar extract --set
extract.gate=off` and `bukvar identify`; those that come out as Russian are asked of the gate as they are,
encoded anew, as numeric entities and put into foreign pages, and each one lost is named; then pages without
Cyrillic, as they are and in legacy charsets of their languages. The last columns are reading the page's
record from gzip and from zstd with `extract.gate = "skim"`, and `extract.gate = "quick"`, which another table
shows for several sizes of its first look, on the pages as they are.
"""

from __future__ import annotations

import argparse
import gzip
import io
import itertools
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from corpus.extract.decode import decode
from corpus.extract.gate import ENOUGH, judge, judge_beginning
from corpus.extract.warc import LOOK_BYTES, read
from rust_ext import gate_judge

FOLDERS = ("gold_pages_ru", "far_cp1251", "manuals", "laws", "other_language_pages", "wcxb")
#: How pages are encoded anew: name and codec.
CHARSETS = {
    "windows-1251": "cp1251",
    "koi8-r": "koi8-r",
    "ibm866": "cp866",
    "iso-8859-5": "iso8859-5",
    "x-mac-cyrillic": "mac-cyrillic",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "utf-8": "utf-8",
}
#: Legacy charsets of other languages, none of which may be kept.
FOREIGN = ["cp1253", "iso8859-7", "gbk", "big5", "gb18030", "cp1250", "iso8859-2", "cp1252"]
FOREIGN += ["euc_jp", "shift_jis", "euc_kr"]
#: A page that says these of itself is not asked about its bytes alone.
DECLARATIONS = re.compile(r"""(?i)<\?xml[^>]*>|\b(?:charset|lang|xml:lang)\s*=\s*["']?[\w-]*["']?""")


def pages(data: Path, folder: str) -> Iterator[tuple[str, bytes, str | None]]:
    """URL, bytes and HTTP charset of each page of a folder."""
    if folder == "wcxb":
        table = pq.read_table(data / folder / "dev.parquet", columns=["html"])
        for number, html in enumerate(table["html"].to_pylist()):
            yield f"http://wcxb.test/{number}", html, None
        return
    for batch in read(data / folder / "pages.warc.gz", gate="off"):
        for page in batch.pages:
            yield page.url, page.body, page.http_charset


def write_crawl(data: Path, path: Path) -> dict[str, tuple[str, bytes, str | None]]:
    """All pages as one crawl under URLs of their own; returns folder, bytes and HTTP charset by URL."""
    known = {}
    with path.open("wb") as out:
        writer = WARCWriter(out, gzip=True)
        for folder in FOLDERS:
            for number, (_, body, charset) in enumerate(pages(data, folder)):
                url = f"http://{folder.replace('_', '-')}.test/{number}"
                kind = "text/html" + (f"; charset={charset}" if charset else "")
                head = StatusAndHeaders("200 OK", [("Content-Type", kind)], protocol="HTTP/1.1")
                record = writer.create_warc_record(
                    url, "response", payload=io.BytesIO(body), http_headers=head
                )
                writer.write_record(record)
                known[url] = (folder, body, charset)
    return known


def called_russian(crawl: Path, work: Path) -> set[str]:
    """URLs that come out of extract without a gate and of identify as Russian."""
    for command in (
        ["extract", str(crawl), "--out", str(work / "extracted"), "--set", "extract.gate=off"],
        ["identify", str(work / "extracted"), "--out", str(work / "identified")],
    ):
        program = [sys.executable, "-m", "pipelines.cli", *command, "--executor", "inline", "--quiet"]
        subprocess.run(program, check=True)
    table = ds.dataset(work / "identified", format="parquet").to_table(columns=["url", "lang"])
    langs = table["lang"].to_pylist()
    return {url for url, lang in zip(table["url"].to_pylist(), langs, strict=True) if lang in ("ru", "rus")}


def ways(decoded: str, foreign: list[str], number: int) -> Iterator[tuple[str, bytes, str | None]]:
    """The page in each way of writing it: name, bytes, HTTP charset."""
    bare = DECLARATIONS.sub("", decoded)
    for name, codec in CHARSETS.items():
        body = bare.encode(codec, "xmlcharrefreplace")
        yield f"{name}, undeclared", body, None
        yield f"{name}, declared wrongly", body, "iso-8859-1"
    yield "numeric entities", bare.encode("ascii", "xmlcharrefreplace"), None
    text = re.sub(r"\s+", " ", HIDDEN.sub(" ", TAG.sub(" ", HIDDEN.sub(" ", bare)))).replace("<", " ")[:3000]
    if len(CYRILLIC.findall(text)) < ENOUGH:
        return
    article = f"<p>{text}</p>"
    inside = put_into(foreign[number % len(foreign)], article)
    for name in ("utf-8", "windows-1251", "koi8-r"):
        yield (
            f"one article in a foreign page, {name}",
            inside.encode(CHARSETS[name], "xmlcharrefreplace"),
            None,
        )
    entities = article.encode("ascii", "xmlcharrefreplace").decode()
    inside = put_into(foreign[number % len(foreign)], entities)
    yield "one article in a foreign page, numeric entities", inside.encode("utf-8", "replace"), None


CYRILLIC = re.compile("[\u0400-\u047f]")
HIDDEN = re.compile(r"(?is)<!--.*?-->|<(script|style)\b.*?</\1[^>]*>")
TAG = re.compile(r"(?s)<[^>]*>")


def put_into(page: str, article: str) -> str:
    """The article between two elements in the middle of a page, outside its scripts, styles and comments."""
    hidden = [found.span() for found in HIDDEN.finditer(page)]
    ends = [found.end() for found in re.finditer(r"(?i)</(?:p|div)>", page)]
    open_ends = [at for at in ends if not any(start < at < end for start, end in hidden)]
    at = min(open_ends, key=lambda at: abs(at - len(page) // 2), default=len(page))
    return page[:at] + article + page[at:]


def keeps_quickly(body: bytes, charset: str | None) -> bool:
    """What quick reading of a page does, without its record's heads."""
    for size in (LOOK_BYTES, 8 * LOOK_BYTES):
        if len(body) > size and judge_beginning(body[:size], "", charset):
            return False
    return judge(body, charset).keep


def keeps_skimming(body: bytes, charset: str | None) -> bool:
    """Whether the page comes out of a record in a gzip member and in a zstd frame."""
    kind = "text/html" + (f"; charset={charset}" if charset else "")
    http = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n".encode() + body
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.test/\r\nContent-Length: {len(http)}"
    )
    record = head.encode() + b"\r\n\r\n" + http + b"\r\n\r\n"
    packed = gzip.compress(record, 6), bytes(pa.compress(record, "zstd", asbytes=True))
    return all(any(batch.pages for batch in read(io.BytesIO(file), gate="skim")) for file in packed)


def quick_looks(crawl: Path, russian: set[str]) -> None:
    """Quick reading with first looks of several sizes, and what it loses of what the whole page shows."""
    print("| first look, KiB | Russian pages lost | other kept pages lost | dropped | of these by a look |")
    print("|---|---|---|---|---|")
    whole = {page.url for batch in read(crawl) for page in batch.pages}
    skimmed = {page.url for batch in read(crawl, gate="skim") for page in batch.pages}
    print("pages that the default gate keeps and skimming does not:", sorted(whole - skimmed))
    for size in (4, 8, 16, 32, 64):
        kept: set[str] = set()
        details: list[str] = []
        for batch in read(crawl, gate="quick", look_bytes=size << 10):
            kept.update(page.url for page in batch.pages)
            details += batch.dropped.column("detail").to_pylist()
        lost = whole - kept
        looks = sum("first_bytes" in detail for detail in details)
        russian_lost = lost & russian
        print(f"| {size} | {len(russian_lost)} | {len(lost - russian)} | {len(details)} | {looks} |", *lost)


def keep(data: Path, most: int | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        known = write_crawl(data, work / "crawl.warc.gz")
        russian = called_russian(work / "crawl.warc.gz", work)
        quick_looks(work / "crawl.warc.gz", russian)
    asked: Counter[tuple[str, str]] = Counter()
    lost: Counter[tuple[str, str]] = Counter()
    lost_quickly: Counter[str] = Counter()
    lost_skimming: Counter[str] = Counter()
    named = []

    def ask(way: str, url: str, folder: str, body: bytes, charset: str | None) -> None:
        verdict = judge(body, charset)
        asked[way, folder] += 1
        lost_quickly[way] += not keeps_quickly(body, charset)
        lost_skimming[way] += not keeps_skimming(body, charset)
        if not verdict.keep:
            lost[way, folder] += 1
            named.append(
                {
                    "way": way,
                    "url": url,
                    "cyrillic": verdict.cyrillic,
                    "latin": verdict.latin,
                    "cost": verdict.pair_cost,
                }
            )

    foreign = [b.decode("utf-8", "replace") for f, b, _ in known.values() if f == "wcxb" and len(b) > 30_000][
        :200
    ]
    foreign = [DECLARATIONS.sub("", page) for page in foreign]
    by_folder: Counter[str] = Counter()
    for url, (folder, body, charset) in known.items():
        if url not in russian:
            continue
        ask("as it is", url, folder, body, charset)
        by_folder[folder] += 1
        if most is None or by_folder[folder] <= most:
            text = decode(body, charset).text
            for way, written, declared in ways(text, foreign, by_folder.total()):
                ask(way, url, folder, written, declared)
    print("pages that the pipeline calls Russian:", dict(by_folder))
    print("| way | pages | kept | share | skimming | quick |\n|---|---|---|---|---|---|")
    for way in dict.fromkeys(way for way, _ in asked):
        total, gone = (sum(n for (w, _), n in counts.items() if w == way) for counts in (asked, lost))
        quickly = total - lost_quickly[way]
        skimming = total - lost_skimming[way]
        print(f"| {way} | {total} | {total - gone} | {1 - gone / total:.4f} | {skimming} | {quickly} |")
    for row in named[:60]:
        print(json.dumps(row, ensure_ascii=False))
    drops(known, russian)


def drops(known: dict[str, tuple[str, bytes, str | None]], russian: set[str]) -> None:
    """Pages without Cyrillic letters anywhere outside tags, and foreign charsets."""
    print("| pages without Cyrillic | pages | dropped |\n|---|---|---|")
    for folder in FOLDERS:
        texts = [(u, b, decode(b, c).text) for u, (f, b, c) in known.items() if f == folder]
        without = [(u, b) for u, b, text in texts if not CYRILLIC.search(text)]
        if without:
            kept = [u for u, b in without if judge(b).keep]
            print(f"| {folder} | {len(without)} | {len(without) - len(kept)} |", *kept[:5])
        if folder != "other_language_pages":
            continue
        asked: Counter[str] = Counter()
        kept_in: Counter[str] = Counter()
        for (_, _, text), codec in itertools.product(texts, FOREIGN):
            body = DECLARATIONS.sub("", text).encode(codec, "ignore")
            if sum(byte > 127 for byte in body) >= 200 and not CYRILLIC.search(body.decode(codec, "ignore")):
                asked[codec] += 1
                kept_in[codec] += judge(body).keep
        print(f"| {folder}, encoded anew in {len(asked)} charsets | {asked.total()} |", end=" ")
        print(f"{asked.total() - kept_in.total()} |", dict(+kept_in))
    kept = [u for u, (f, b, c) in known.items() if f in FOLDERS[4:] and judge(b, c).keep and u not in russian]
    print("foreign folders, kept though not Russian by the pipeline:", len(kept), kept[:10])


def speed(data: Path) -> None:
    groups: dict[str, list[bytes]] = {}
    gold = [body for _, body, _ in pages(data, "gold_pages_ru")]
    texts = [decode(body).text for body in gold]
    far = [body for _, body, charset in pages(data, "far_cp1251")]
    groups["Russian news, as they are (UTF-8, windows-1251)"] = gold
    for name, codec in CHARSETS.items():
        groups[f"the same in {name}"] = [text.encode(codec, "xmlcharrefreplace") for text in texts]
    groups["the same in numeric entities"] = [t.encode("ascii", "xmlcharrefreplace") for t in texts]
    groups["Far encyclopedia, windows-1251"] = far
    groups["codes of law, long"] = [body for _, body, _ in pages(data, "laws")]
    others = [body for _, body, _ in pages(data, "other_language_pages")]
    groups["English, Greek, Polish, Chinese, UTF-8"] = others
    decoded = [decode(body).text for body in others]
    for codec in ("gb18030", "cp1253", "cp1250", "shift_jis"):
        groups[f"the same in {codec}"] = [text.encode(codec, "ignore") for text in decoded]
    groups["the same in numeric entities "] = [t.encode("ascii", "xmlcharrefreplace") for t in decoded]
    groups["English (wcxb)"] = [body for _, body, _ in pages(data, "wcxb")]
    dice = random.Random(1)
    groups["random bytes"] = [dice.randbytes(40_000) for _ in range(200)]
    groups["bytes above ASCII"] = [bytes(b | 0x80 for b in dice.randbytes(40_000)) for _ in range(200)]
    print("| pages | MB | kept | MB/s |\n|---|---|---|---|")
    for name, bodies in groups.items():
        size = sum(map(len, bodies))
        times = max(1, 20_000_000 // size)
        spent = min(
            timed(lambda b=bodies, n=times: [gate_judge(body, None) for _ in range(n) for body in b])
            for _ in range(5)
        )
        kept = sum(judge(body).keep for body in bodies)
        print(f"| {name} | {size / 1e6:.1f} | {kept} of {len(bodies)} | {size * times / spent / 1e6:,.0f} |")


def timed(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["speed", "keep"])
    parser.add_argument("--pages", type=int, help="pages a folder that are encoded anew; all without")
    options = parser.parse_args()
    data = os.environ.get("BUKVAR_DATA", "")
    if not data:
        sys.exit("set BUKVAR_DATA to the folder that holds " + ", ".join(FOLDERS))
    if options.what == "speed":
        speed(Path(data))
    else:
        keep(Path(data), options.pages)


if __name__ == "__main__":
    main()
