"""A crawl on an object store is read as it comes, in bounded memory."""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from pyarrow.fs import S3FileSystem

from tests.pipelines.test_publish_s3 import server  # noqa: F401 - a fixture

#: Reads a crawl; says how many records, pages and bytes of memory it took beyond what a small one did.
READ = """
import json, resource, sys
from corpus.extract.warc import read
from corpus.inputs import Part

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

def count(location, part=None):
    batches = [(batch.records, len(batch.pages)) for batch in read(location, batch_records=256, part=part)]
    return sum(records for records, _ in batches), sum(pages for _, pages in batches)

count(sys.argv[1])
before = peak()
whole = count(sys.argv[2])
size = int(sys.argv[3])
parts = [count(sys.argv[2], Part(n, size * n // 3, size * (n + 1) // 3)) for n in range(3)]
print(json.dumps([*whole, peak() - before, parts]))
"""


def member(number: int, body: bytes) -> bytes:
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + body
    head = f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.example.ru/{number}\r\n"
    return gzip.compress(head.encode() + b"Content-Length: %d\r\n\r\n%s\r\n\r\n" % (len(block), block), 1)


@pytest.mark.slow
def test_a_crawl_on_s3_is_read_in_bounded_memory(server: str, tmp_path: Path) -> None:  # noqa: F811 - same
    """200 MB, of which every hundredth page is Russian; the reader may hold 1 + 16 + 32 MiB and a batch."""
    dice = random.Random(1)
    pages = ["<p>" + dice.randbytes(150_000).hex() for _ in range(40)]
    russian = "<p>" + "Мы все учились понемногу чему-нибудь и как-нибудь. " * 300
    crawl = tmp_path / "crawl.warc.gz"
    with crawl.open("wb") as out:
        for number in range(1200):
            page = russian if number % 100 == 0 else pages[number % 40]
            out.write(member(number, page.encode()))
    assert crawl.stat().st_size > 150_000_000
    filesystem = S3FileSystem(
        access_key="key",
        secret_key="right",  # noqa: S106 - of a server that lives for this test
        endpoint_override=server,
        scheme="http",
        allow_bucket_creation=True,
    )
    filesystem.create_dir("crawls")
    for name, data in (("small", member(0, russian.encode())), ("large", crawl.read_bytes())):
        with filesystem.open_output_stream(f"crawls/{name}.warc.gz", compression=None) as out:
            out.write(data)
    places = [f"s3://crawls/{n}.warc.gz?endpoint_override={server}&scheme=http" for n in ("small", "large")]
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "right"}
    done = subprocess.run(
        [sys.executable, "-c", READ, *places, str(crawl.stat().st_size)],
        env=os.environ | keys,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    records, kept, memory, parts = json.loads(done.stdout)
    assert (records, kept) == (1200, 12)
    assert [sum(column) for column in zip(*parts, strict=True)] == [1200, 12]
    assert all(380 < part[0] < 420 for part in parts), parts
    assert memory < 64 << 20, f"{memory / 1e6:.0f} MB"
