"""How often decode finds the charset, and what it costs, beside other detectors in one run.

    python -m tests.bench.bench_decode charsets [--pages N]    share of re-encoded pages read right
    python -m tests.bench.bench_decode authors                 windows-1251 pages against their authors' UTF-8
    python -m tests.bench.bench_decode limits                  what Cyrillic and other pages cost a pair
    python -m tests.bench.bench_decode speed                   pages and MB per CPU second

Pages come from `$BUKVAR_DATA` (`gold_pages_ru`, `manuals`, `laws`, `far_cp1251`); without it the command
says so and ends. `charsets` takes pages with at least 100 Cyrillic letters, strikes out what they
declare, and encodes them; characters that a charset lacks become numeric entities, as authors write
them. A page is right when its text is what the charset's own decoder gives. Compared with: resiliparse,
charset-normalizer, and where installed chardetng-py (what browsers do, in Rust) and chardet-rs (a port of
chardet 7 to Rust).
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import charset_normalizer
import pyarrow.parquet as pq
from resiliparse.parse.encoding import detect_encoding
from warcio.archiveiterator import ArchiveIterator

from corpus.extract.decode import decode
from rust_ext import gate_judge

CHARSETS = [
    "utf-8",
    "windows-1251",
    "koi8-r",
    "koi8-u",
    "cp866",
    "iso-8859-5",
    "mac-cyrillic",
    "utf-16le",
    "utf-16be",
]
CODECS = {"mac-cyrillic": "mac_cyrillic"}
META = re.compile(r"<meta[^>]*charset[^>]*>", re.IGNORECASE)
DECLARATION = re.compile(r"""charset\s*=\s*["']?[\w-]+["']?|encoding=["'][\w-]+["']""", re.IGNORECASE)
# The first 300,000 characters: a law of 8 MB says nothing more about its charset than its beginning.
LONGEST = 300_000
Detector = Callable[[bytes], str | None]


def data() -> Path:
    folder = os.environ.get("BUKVAR_DATA")
    if not folder:
        sys.exit("set BUKVAR_DATA to the folder of measuring data; without it there is nothing to measure")
    return Path(folder)


def bodies(name: str) -> Iterator[tuple[str, bytes]]:
    with (data() / name / "pages.warc.gz").open("rb") as stream:
        for record in ArchiveIterator(stream):
            if record.rec_type in ("response", "resource"):
                yield record.rec_headers.get_header("WARC-Target-URI"), record.content_stream().read()


def undeclared(name: str, most: int) -> list[str]:
    pages = []
    for _, body in bodies(name):
        text = DECLARATION.sub("", decode(body).text)[:LONGEST]
        if len(re.findall("[а-яёіїєґ]", text, re.IGNORECASE)) >= 100:
            pages.append(text)
        if len(pages) == most:
            break
    return pages


def normalizer(body: bytes) -> str | None:
    best = charset_normalizer.from_bytes(body).best()
    return best.encoding if best else None


def peers() -> dict[str, Detector]:
    found: dict[str, Detector] = {"resiliparse": detect_encoding, "charset-normalizer": normalizer}
    try:
        chardetng = importlib.import_module("chardetng_py")
        found["chardetng-py"] = lambda body: str(chardetng.detect(body, allow_utf8=True))
    except ImportError:
        print("chardetng-py is not installed and left out", file=sys.stderr)
    try:
        importlib.metadata.version("chardet-rs")  # it installs as `chardet`, as the package it ports does
        chardet = importlib.import_module("chardet")
        found["chardet-rs"] = lambda body: chardet.detect(body)["encoding"]
    except ImportError:
        print("chardet-rs is not installed and left out", file=sys.stderr)
    return found


def reads_right(detect: Detector, body: bytes, text: str) -> bool:
    try:
        return body.decode(detect(body) or "ascii") == text
    except (LookupError, UnicodeDecodeError):
        return False


def charsets(most: int) -> None:
    others = peers()
    for name in ("gold_pages_ru", "manuals", "far_cp1251", "laws"):
        pages = undeclared(name, most)
        print(f"{name}: {len(pages)} pages; ours undeclared, ours misdeclared, peers on up to 40 pages")
        for charset in CHARSETS:
            codec = CODECS.get(charset, charset)
            encoded = [text.encode(codec, "xmlcharrefreplace") for text in pages]
            expected = [body.decode(codec) for body in encoded]
            wrong = [
                other for other in ("utf-8", "windows-1251", "koi8-r", "windows-1252") if other != charset
            ]
            none = sum(decode(body).text == text for body, text in zip(encoded, expected, strict=True))
            despite = sum(
                decode(body, other).text == text
                for body, text in zip(encoded, expected, strict=True)
                for other in wrong
            )
            few = [(body, text) for body, text in zip(encoded, expected, strict=True) if len(body) < 200_000][
                :40
            ]
            row = {
                peer: sum(reads_right(detect, body, text) for body, text in few) / len(few)
                for peer, detect in others.items()
                if few
            }
            print(
                f"  {charset:14} {none / len(pages):.4f} {despite / len(pages) / len(wrong):.4f}  ",
                " ".join(f"{peer} {share:.2f}" for peer, share in row.items()),
            )


def authors() -> None:
    table = pq.read_table(data() / "far_cp1251" / "utf8_twins.parquet").to_pylist()
    published = {row["url"]: row["utf8_html"] for row in table}
    same = pages = 0
    for url, body in bodies("far_cp1251"):
        decoded = decode(body)
        if decoded.charset != "windows-1251":
            continue
        pages += 1
        versions = (decoded.text, published[url].lstrip("\ufeff"))
        ours, theirs = (META.sub("", text).replace("\r\n", "\n") for text in versions)
        if ours == theirs:
            same += 1
        else:
            print("differs:", url)
    print(f"{same} of {pages} windows-1251 pages equal their authors' UTF-8 but for declaration and BOM")


OTHERS = ("cp1252", "iso-8859-2", "cp1250", "cp1253", "iso-8859-7", "gb18030", "big5")


def limits() -> None:
    """Tenths of a nat a pair in the best Cyrillic reading: `DEAREST` in detect.rs lies between."""
    found: dict[str, list[float]] = {"Cyrillic pages, five charsets": [], "other pages, as they can be": []}
    for name in ("gold_pages_ru", "manuals", "far_cp1251"):
        for text in undeclared(name, 40):
            for charset in ("windows-1251", "koi8-r", "cp866", "iso-8859-5", "mac_cyrillic"):
                body = text.encode(charset, "xmlcharrefreplace")
                found["Cyrillic pages, five charsets"].append(gate_judge(body)[4])
    for _, body in bodies("other_language_pages"):
        text = decode(body).text
        for charset in OTHERS:
            encoded = text.encode(charset, "ignore")
            if sum(byte >= 128 for byte in encoded) >= 200:
                found["other pages, as they can be"].append(gate_judge(encoded)[4])
    for name, all_costs in found.items():
        costs = sorted(cost for cost in all_costs if cost)
        marks = [costs[int(share * (len(costs) - 1))] for share in (0, 0.01, 0.5, 0.99, 1)]
        shown = " ".join(f"{mark:.0f}" for mark in marks)
        print(f"{name}: {len(costs)}; least, 1%, median, 99%, most: {shown}")


def speed() -> None:
    pages = [body for _, body in bodies("gold_pages_ru")] + [body for _, body in bodies("far_cp1251")][:600]
    size = sum(map(len, pages)) / 1e6
    detectors: dict[str, Callable[[bytes], object]] = {"ours (text and all)": decode, **peers()}
    ours = 0.0
    for name, detect in detectors.items():
        some = pages if name != "charset-normalizer" else pages[::20]
        share = len(some) / len(pages)
        times = []
        for _ in range(3):
            start = time.process_time()
            for body in some:
                detect(body)
            times.append((time.process_time() - start) / share)
        ours = ours or min(times)
        print(
            f"{name:22} {len(pages) / min(times):9.0f} pages/s {size / min(times):8.1f} MB/s, "
            f"ours is {min(times) / ours:.1f} times as fast"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["charsets", "authors", "limits", "speed"])
    parser.add_argument("--pages", type=int, default=200, help="pages a source for `charsets`")
    arguments = parser.parse_args()
    if arguments.what == "charsets":
        charsets(arguments.pages)
    elif arguments.what == "authors":
        authors()
    elif arguments.what == "limits":
        limits()
    else:
        speed()


if __name__ == "__main__":
    main()
