"""What a page becomes does not depend on which pages the process read before it.

Kernels remember what they met (names of classes, words, pretokens). Each page of a large varied crawl is read
in several orders, in this process and in fresh ones: every value of every result has to be the same.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa

from corpus.clean.lines import clean_text
from corpus.clean.repair import repair
from corpus.extract import content, warc
from corpus.extract.decode import decode
from corpus.extract.gate import judge
from corpus.quality.signals import measure, russian_stop_words

DATA = Path(__file__).parents[1] / "data"

#: Words that names of elements are read by. Joined by "_" and "-" they shared a hash of 64 bits once.
WORDS = re.findall(
    r"\w+",
    """article tabs tags share sidebar entry content comment footer nav menu related post body text author
    date meta title item card promo banner cookie popup form review user pager tools quote code faq slider
    wrap main column left right news story block widget""",
)
SENTENCES = (
    "Мама мыла раму, а Павел читал букварь вслух.",
    "Читайте также: самое интересное за неделю.",
    "На площади открыли новый памятник, сообщили вчера.",
    "Комментарии закрыты.",
    "Поезд пришёл в полдень, и все вышли на перрон.",
    "Цена 5 000 руб., доставка по городу.",
    "The train came at noon.",
)


def pages() -> list[bytes]:
    """The bundled crawl and pages whose class names differ by their punctuation only."""
    crawled = [
        page.body
        for path in sorted((DATA / "crawl").glob("crawl-*arc.gz")) + sorted((DATA / "ugly").glob("*.warc.gz"))
        for batch in warc.read(path, gate="off")
        for page in batch.pages
        if len(page.body) < 200_000
    ]
    rng = random.Random(12)
    return crawled + [_generated(rng) for _ in range(400)]


def _generated(rng: random.Random) -> bytes:
    def name() -> str:
        return rng.choice(["_", "-", "", " ", "__", "--"]).join(rng.sample(WORDS, 2))

    def text() -> str:
        return " ".join(rng.choices(SENTENCES, k=rng.randint(1, 4)))

    tags = rng.choices(["div", "p", "section", "li"], k=30)
    elements = [f'<{tag} class="{name()}" id="{name()}">{text()}</{tag}>' for tag in tags]
    title = f"<title>{rng.choice(SENTENCES)}</title>"
    return f"<html><meta charset=utf-8>{title}<body>{''.join(elements)}".encode()


def digest(page: bytes) -> str:
    """Of all that the kernels say of a page."""
    decoded = decode(page)
    found = content.extract(decoded.text)
    text = repair(found.text)
    measured = {k: v.to_pylist() for k, v in measure(pa.array([text[0]]), russian_stop_words()).items()}
    said = (judge(page), decoded, found, text, clean_text(text[0]), measured)
    return hashlib.sha256(repr(said).encode()).hexdigest()


def digests(order: int) -> list[str]:
    """By number of page; read in an order of its own."""
    todo = list(enumerate(pages()))
    random.Random(order).shuffle(todo)
    read = {number: digest(page) for number, page in todo}
    return [read[number] for number in sorted(read)]


def test_the_order_of_pages_changes_no_value_in_one_process_or_in_fresh_ones() -> None:
    first = digests(0)
    assert len(first) > 1000
    assert digests(1) == first
    for order in (2, 3):
        program = (
            "import json; from tests.properties.test_same_bytes import digests;"
            f"print(json.dumps(digests({order})))"
        )
        fresh = subprocess.run(
            [sys.executable, "-c", program],
            cwd=Path(__file__).parents[2],
            check=True,
            capture_output=True,
            text=True,
        )
        assert json.loads(fresh.stdout) == first
