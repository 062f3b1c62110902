"""Addresses against block lists: rate and memory by the size of the list, false hits of own lists, datatrove.

    python tests/bench/bench_addresses.py [PYTHON]

PYTHON is an interpreter that has datatrove with tldextract, fasteners and pyahocorasick; without it, the peer
is left out. Domains and addresses are drawn from a seed: syllables, zones by their share in Russian crawls,
one address in twenty below a listed domain.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time

import pyarrow as pa

from corpus.extract import blocklists
from rust_ext import AddressLists
from rust_ext.arrow import text_buffers

SYLLABLES = [a + b for a in "bvgdzklmnprstfh" for b in "aeiouy"]
ZONES = ["ru"] * 6 + ["com"] * 2 + ["net", "org", "info", "su", "рф", "xn--p1ai"]
SECTIONS = ["news", "catalog", "forum", "blog", "article", "category", "tag", "user", "page", "2019/05/14"]
#: Addresses that datatrove's filter and own lists are both asked about: none is of a page worth reading.
DISGUISED = [
    "http://kazino-vulkan.com/", "http://prostitutki-spb.com/", "http://1xbet-zerkalo.ru/",
    "http://igrovye-avtomaty-777.com/", "http://xn--80aswg-vulkan.ru/kazino-zerkalo", "http://казино-онлайн.рф/",
    "http://individualki-tula.info/", "http://diplom-na-zakaz.ru/", "http://lordfilm-hd.net/",
    "http://a.ru/skachat-besplatno-bez-registracii",
]  # fmt: skip
PEER = """
import json, sys, time
from datatrove.data import Document
from datatrove.pipeline.filters import URLFilter
urls = json.load(sys.stdin)
f = URLFilter()
f.filter(Document(text="", id="0", metadata={"url": "http://example.ru/"}))
docs = [Document(text="", id="0", metadata={"url": u}) for u in urls["many"]]
start = time.process_time()
for d in docs:
    f.filter(d)
rate = len(docs) / (time.process_time() - start)
blocked = sum(f.filter(Document(text="", id="0", metadata={"url": u})) is not True for u in urls["disguised"])
print(json.dumps({"rate": rate, "blocked": blocked}))
"""


def domains(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    choice = rng.choice
    return [
        "".join(choice(SYLLABLES) for _ in range(rng.randint(3, 6)))
        + f"{rng.randrange(count)}."
        + choice(ZONES)
        for _ in range(count)
    ]


def addresses(listed: list[str], count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    found = []
    for n in range(count):
        if n % 20 == 0:
            host = rng.choice(listed)
        else:
            host = "".join(rng.choice(SYLLABLES) for _ in range(4)) + "." + rng.choice(ZONES)
        www = rng.choice(["www.", "", "", "m."])
        found.append(f"http://{www}{host}/{rng.choice(SECTIONS)}/{rng.randrange(10**6)}.html")
    return found


def main() -> int:
    everything = domains(5_000_000, 1)
    many = addresses(everything[:10_000], 1_000_000, 2)
    column = text_buffers(pa.array(many, pa.large_string()))
    own = blocklists.OWN.read_bytes()
    for size in (0, 80_000, 1_250_000, 5_000_000):
        listed = "\n".join(everything[:size]).encode()
        start = time.process_time()
        lists = AddressLists([("big", listed), ("own", own)] if size else [("own", own)])
        built = time.process_time() - start
        rules, _, memory = lists.counts()
        for _ in range(2):
            start = time.process_time()
            hits = len(lists.rows(column))
            rate = len(many) / (time.process_time() - start)
        print(f"{size:>9} domains, {rules} rules: built in {built:.1f} s, {memory / 1e6:.0f} MB, "
              f"{rate / 1e6:.2f} million addresses/s, {hits} hits")  # fmt: skip
        if size == 5_000_000:
            plain = AddressLists([("big", listed)])
            start = time.process_time()
            plain.rows(column)
            print(
                f"  domains alone: {len(many) / (time.process_time() - start) / 1e6:.2f} million addresses/s"
            )
    lists = AddressLists([("own", own)])
    blocked = sum(lists.check(url) is not None for url in DISGUISED)
    print(f"of {len(DISGUISED)} disguised addresses own lists block {blocked}")
    if len(sys.argv) > 1:
        asked = json.dumps({"many": many[:20_000], "disguised": DISGUISED})
        out = subprocess.run(
            [sys.argv[1], "-c", PEER], input=asked, capture_output=True, text=True, check=False
        )
        print("datatrove URLFilter:", out.stdout.strip() or out.stderr[-300:])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
