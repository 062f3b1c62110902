"""The texts that vocabularies are trained on and measured on, and where the line between them runs.

A document belongs to the test half if the SHA-256 of its id begins with a byte below `TEST`, to development
if below `DEVELOPMENT`; the rest is for training. An id is the dataset's own, or a file's path below its
folder.
NTREX, XQuAD, wikinews and gold_pages_ru are measured on and never trained on.
"""

from __future__ import annotations

import hashlib
import json
import os
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

TEST: Final = 10
DEVELOPMENT: Final = 20
#: Of wcxb's 14 MB a larger share, so that there are 1.7 MB to measure on.
WCXB_TEST: Final = 32
#: The most that is measured on of a domain, in bytes: figures move by less than .1 % beyond.
MOST: Final = 2_000_000
RUSSIAN: Final = ("koziev", "news", "phpdoc_ru", "rusdracor", "ruslit")

Documents = Iterator[tuple[str, str]]
"""Ids and texts."""


def data() -> Path:
    return Path(os.environ["BUKVAR_DATA"])


def baselines() -> Path:
    """Folder of other makers' tokenizers: `baselines`, or `rivals` in older copies of the data."""
    named = data() / "baselines"
    return named if named.is_dir() else data() / "rivals"


def first_byte(name: str) -> int:
    return hashlib.sha256(name.encode()).digest()[0]


def text_ru(source: str) -> Documents:
    table = pq.read_table(data() / "text_ru" / f"{source}.parquet", columns=["id", "text"])
    yield from zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True)


def wcxb() -> Documents:
    """The main texts of web pages, as a person marked them; nearly all English."""
    table = pq.read_table(data() / "wcxb" / "dev.parquet", columns=["id", "gold_text"])
    for number, text in zip(table["id"].to_pylist(), table["gold_text"].to_pylist(), strict=True):
        if text:
            yield f"wcxb/{number}", text


def python_source() -> Documents:
    """The running Python's own library, without its tests and without installed packages."""
    root = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if not {"site-packages", "test", "tests", "idle_test"} & set(name.split("/")):
            yield f"python/{name}", path.read_text(encoding="utf-8", errors="replace")


def parquet(path: Path) -> Documents:
    """A file of the person at the keyboard: columns id and text."""
    table = pq.read_table(path, columns=["id", "text"])
    for number, text in zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True):
        yield f"{path.stem}/{number}", text


def ntrex() -> Documents:
    table = pq.read_table(data() / "langid" / "sentences.parquet")
    texts = [
        row["text"] for row in table.to_pylist() if row["lang"] == "rus" and row["source"].startswith("NTREX")
    ]
    yield "ntrex", "\n".join(texts)


def xquad(language: str) -> Documents:
    articles = json.loads((data() / "benchmarks" / "xquad" / f"xquad.{language}.json").read_text())["data"]
    for number, article in enumerate(articles):
        yield f"xquad/{number}", "\n".join(part["context"] for part in article["paragraphs"])


def gold_pages() -> Documents:
    table = pq.read_table(data() / "gold_pages_ru" / "gold.parquet", columns=["url", "gold_text"])
    yield from zip(table["url"].to_pylist(), table["gold_text"].to_pylist(), strict=True)


def part(documents: Documents, low: int, high: int) -> Iterator[str]:
    """Texts of the documents whose first byte lies in low..high-1."""
    return (text for name, text in documents if low <= first_byte(name) < high)


def up_to(texts: Iterator[str], most: int = MOST) -> list[str]:
    """Texts up to so many bytes; the last one, where it is long, is cut at a line end."""
    found, size = [], 0
    for text in texts:
        left = most - size
        piece = text if len(text.encode()) <= left else text[: left // 2].rpartition("\n")[0]
        found.append(piece)
        size += len(piece.encode())
        if piece is not text:
            break
    return [text for text in found if text]


def russian_domains(low: int, high: int, russian: Sequence[Path] = ()) -> dict[str, list[str]]:
    """Held-out documents of the sources that are trained on."""
    names = {"news": "news", "ruslit": "fiction", "rusdracor": "drama", "koziev": "dialogue"}
    names["phpdoc_ru"] = "manuals"
    found = {domain: up_to(part(text_ru(source), low, high)) for source, domain in names.items()}
    return found | {path.stem: up_to(part(parquet(path), low, high)) for path in russian}


def unseen_domains() -> dict[str, list[str]]:
    """Russian of sources that are never trained on."""
    return {
        "wikinews": up_to(text for _, text in text_ru("wikinews")),
        "web news": up_to(text for _, text in gold_pages()),
        "NTREX": up_to(text for _, text in ntrex()),
        "wiki": up_to(text for _, text in xquad("ru")),
    }


def other_domains(low: int, high: int, english: list[Path], code: list[Path]) -> dict[str, list[str]]:
    """English and code."""
    found = {
        "en web": up_to(part(wcxb(), *((0, WCXB_TEST) if low == 0 else (WCXB_TEST, WCXB_TEST + 20)))),
        "en wiki": up_to(text for _, text in xquad("en")),
    }
    found |= {f"en {path.stem}": up_to(part(parquet(path), low, high)) for path in english}
    found["py"] = up_to(part(python_source(), 2 * low, 2 * high))
    found |= {path.stem: up_to(part(parquet(path), low, high)) for path in code}
    return found


def training(
    english: list[Path], code: list[Path], russian: Sequence[Path] = ()
) -> dict[str, dict[str, Documents]]:
    """Language -> source -> documents, those of test and development still among them."""
    return {
        "ru": {source: text_ru(source) for source in RUSSIAN}
        | {path.stem: parquet(path) for path in russian},
        "en": {"wcxb": wcxb()} | {path.stem: parquet(path) for path in english},
        "code": {"python": python_source()} | {path.stem: parquet(path) for path in code},
    }


def first_trained(source: str) -> int:
    """The first byte from which documents of a source are trained on."""
    return {"wcxb": WCXB_TEST + 20, "python": 2 * DEVELOPMENT}.get(source, DEVELOPMENT)
