"""Good texts that the quality model is fitted to beside the development set.

`python -m scripts.fit.quality_texts --data DIR --repositories DIR --out extra.parquet`. DIR of `--data` has
`text_ru` and `langid`; that of `--repositories` has a folder `owner+name` for each public repository of
SOURCES. OUT has the columns that `corpus.quality.fit` reads. The same material gives the same rows: the
sources of a seed draw from one generator, in the order of SOURCES. Nothing of these texts enters the project.
"""

from __future__ import annotations

import argparse
import csv
import html
import json
import random
import re
import sys
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

#: Decimal logarithms of the shortest and the longest piece, in characters: 224 and 7,943.
SIZES: Final = (2.35, 3.9)
#: Shorter pieces are left out, in characters.
LEAST: Final = 150
#: Share of pieces of prose written as one line or, of sentences, as a line each.
RELAID: Final = 0.4

#: Sentences in a document of a source of sentences.
NTREX_RUNS: Final = (2, 3, 4, 5, 8, 12, 20)
TAIGA_RUNS: Final = (6, 10, 16, 25)
JOKES: Final = (1, 3, 6, 12, 25)
MESSAGES: Final = (4, 8, 14)
PARAGRAPHS: Final = (1, 1, 2, 4)
#: Share of pages that are taken whole, up to so many characters, and of poems whose lines are put back.
WHOLE: Final = 0.5
PAGE: Final = 30_000
VERSES: Final = 0.5
#: Least share of Cyrillic letters in a page: the rest of a documentation is not translated yet.
CYRILLIC: Final = 0.35

#: Genres of the treebank Taiga -> kinds of the fit.
GENRES: Final = {
    "social": "social",
    "poetry": "poems",
    "nonfiction-academic-encycl": "encyclopedia",
    "fiction-kids": "fiction",
    "news": "news",
}
#: What JSON escapes leave of messages where their backslashes were lost: an "n" for a newline, between
#: sentences or before a Russian word, and "u003e" for ">". An "n" inside a Russian word is its writer's.
LOST_NEWLINE: Final = re.compile(
    r"(?<![A-Za-z0-9а-яё])n+(?=[А-ЯЁа-яё])|(?<=[а-яё])n+(?=[А-ЯЁ]|https?:)|(?<=[.!?)…:])n+(?=[A-Z@]|https?:)"
)
LOST_ESCAPE: Final = re.compile(r"u00(22|26|27|3[ce])")

#: What Markdown writes that a page does not show -> what it shows instead.
MARKDOWN: Final = (
    (re.compile(r"\A---.*?\n---\n", re.DOTALL), ""),
    (re.compile(r"<!--.*?-->", re.DOTALL), ""),
    (re.compile(r"```[^\n]*\n(.*?)```", re.DOTALL), r"\1"),
    (re.compile(r"!\[[^\]]*\]\([^)]*\)"), ""),
    (re.compile(r"\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"^#+ *", re.MULTILINE), ""),
    (re.compile(r"[`*]{1,3}"), ""),
    (re.compile(r"<[^>\n]{1,200}>"), ""),
    (re.compile(r"\n{3,}"), "\n\n"),
)
#: Where a line of verse begins in a sentence written in one: at a capital behind a mark.
VERSE: Final = re.compile(r"([,.!?:;—-]) (?=[А-ЯЁ])")

SCHEMA: Final = pa.schema(
    [
        ("text", pa.string()),
        ("good", pa.bool_()),
        ("kind", pa.string()),
        ("source", pa.string()),
        ("use", pa.string()),
    ]
)


class Found(NamedTuple):
    """A document: its kind, its text, and what its source's name ends in where a source has parts."""

    kind: str
    text: str
    part: str = ""


@dataclass(frozen=True)
class Source:
    """A name, a file or folder under the data or the repositories, its licence, and how it is read.

    `use` is "fit" where a model that is given away may be fitted to the texts, and "measure" elsewhere.
    """

    name: str
    path: str
    licence: str
    read: Callable[[Path, random.Random], Iterable[Found]]
    seed: int = 5
    use: str = "fit"


def pieces(kind: str, tries: int) -> Callable[[Path, random.Random], Iterator[Found]]:
    """One piece of a document, documents in a drawn order, and from the first again until `tries` are cut."""

    def read(path: Path, rng: random.Random) -> Iterator[Found]:
        documents = pq.read_table(path, columns=["text"]).column("text").to_pylist()
        rng.shuffle(documents)
        for at in range(tries):
            cut = piece(documents[at % len(documents)], rng)
            if rng.random() < RELAID and kind == "fiction":
                cut = " ".join(cut.split())
            if len(cut) >= LEAST:
                yield Found(kind, cut)

    return read


def piece(text: str, rng: random.Random) -> str:
    """A part of a text: from the start of a line where one is near, to the end of one."""
    size = int(10 ** rng.uniform(*SIZES))
    start = rng.randrange(max(1, len(text) - size))
    cut = text[start : start + size]
    first = cut.find("\n")
    if 0 <= first < len(cut) / 3:
        cut = cut[first + 1 :]
    last = cut.rfind("\n")
    return (cut[:last] if last > len(cut) / 2 else cut).strip()


def runs(items: Sequence[str], sizes: Sequence[int], rng: random.Random) -> Iterator[Sequence[str]]:
    """The items in runs of drawn sizes, each item once."""
    start = 0
    while start < len(items):
        size = rng.choice(sizes)
        yield items[start : start + size]
        start += size


def ntrex(path: Path, rng: random.Random) -> Iterator[Found]:
    """Sentences of news: a line each, paragraphs of three, or one paragraph."""
    rows = pq.read_table(path, columns=["lang", "source", "text"]).to_pylist()
    sentences = [row["text"] for row in rows if row["lang"] == "rus" and row["source"].startswith("NTREX")]
    for run in runs(sentences, NTREX_RUNS, rng):
        layout = rng.random()
        paragraphs = [" ".join(run[at : at + 3]) for at in range(0, len(run), 3)]
        text = "\n".join(run) if layout < RELAID else ("\n\n" if layout < 0.7 else " ").join(paragraphs)
        if len(text) >= LEAST:
            yield Found("news", text)


def taiga(path: Path, rng: random.Random) -> Iterator[Found]:
    """Neighbouring sentences of a genre; threads and verse keep their lines."""
    for name in ("dev", "test"):
        found, genre = [], ""
        for line in lines_of(path / f"ru_taiga-ud-{name}.conllu"):
            genre = line.removeprefix("# genre = ") if line.startswith("# genre = ") else genre
            if line.startswith("# text ="):
                found.append((genre, line[9:]))
        for genre, group in groupby(found, key=lambda pair: pair[0]):
            for run in runs([text for _, text in group], TAIGA_RUNS, rng):
                lined = genre in ("social", "poetry") or rng.random() < RELAID
                text = ("\n" if lined else " ").join(run)
                if len(text) >= LEAST:
                    yield Found(GENRES[genre], text)


def jokes(path: Path, rng: random.Random) -> Iterator[Found]:
    """Runs of neighbouring dialogues out of jokes, from 300 drawn places."""
    with tarfile.open(path) as archive:
        members = [archive.extractfile(member) for member in archive if member.isfile()]
        data = b"".join(member.read() for member in members if member)
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    dialogues = [part.strip() for part in re.split(r"\n{3,}", text) if part.strip()]
    for start in sorted(rng.sample(range(len(dialogues) - 40), 300)):
        run = "\n\n".join(dialogues[start : start + rng.choice(JOKES)])
        if len(run.split()) >= 15:
            yield Found("dialogue", run)


def chats(path: Path, rng: random.Random) -> Iterator[Found]:
    """Neighbouring messages of a chat."""
    messages = [unescaped(line) for line in lines_of(path) if line.strip()]
    for run in runs(messages, MESSAGES, rng):
        text = "\n".join(run)
        if len(text.split()) >= 15:
            yield Found("social", text)


def unescaped(message: str) -> str:
    """A message without what is left of JSON escapes."""
    text = LOST_NEWLINE.sub("\n", message.replace("\\n", "\n"))
    return LOST_ESCAPE.sub(lambda code: chr(int(code[1], 16)), text)


def gsd(path: Path, _: random.Random) -> Iterator[Found]:
    """Long sentences of an encyclopedia, their quotes and dashes as printed."""
    for name in ("dev", "test"):
        for line in lines_of(path / f"ru_gsd-ud-{name}.conllu"):
            if line.startswith("# text = "):
                text = html.unescape(line[9:]).replace("``", "«").replace("''", "»").replace(" -- ", " — ")
                if len(text.split()) >= 28:
                    yield Found("encyclopedia", text)


def tweets(path: Path, rng: random.Random) -> Iterator[Found]:
    """300 drawn tweets of 14 words or more."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    texts = [row["text"] for row in rows if len(row["text"].split()) >= 14 and row["label"] != "skip"]
    for text in rng.sample(texts, 300):
        yield Found("tweets", text)


def pud(path: Path, _: random.Random) -> Iterator[Found]:
    """The sentences of an article in a line; names of news begin with n, those of an encyclopedia with w."""
    articles: dict[str, list[str]] = {}
    name = ""
    for line in lines_of(path / "ru_pud-ud-test.conllu"):
        if line.startswith("# newdoc id"):
            name = line.split("=")[1].strip()
        elif line.startswith("# text ="):
            articles.setdefault(name, []).append(line[9:].strip())
    for name, sentences in articles.items():
        text = " ".join(sentences)
        if len(text.split()) >= 30:
            yield Found("news", text, "_news") if name[0] == "n" else Found("encyclopedia", text, "_wiki")


def official(path: Path, rng: random.Random) -> Iterator[Found]:
    """Two pieces of each programme and report of ministries and regions, out of archives of texts."""
    for archive in sorted(path.glob("*.zip")):
        with zipfile.ZipFile(archive) as opened:
            names = sorted(name for name in opened.namelist() if name.endswith(".txt") and name[0] != "_")
            texts = [opened.read(name).decode("utf-8", "replace") for name in names]
        for text in texts:
            for _ in range(2):
                if len(cut := piece(text, rng)) >= LEAST:
                    yield Found("official", cut)


def pages(
    kind: str, most: int, *suffixes: str, marked: bool = True
) -> Callable[[Path, random.Random], Iterator[Found]]:
    """Pages of a folder in a drawn order, half of them in pieces; `marked`: Markdown is taken off."""

    def read(path: Path, rng: random.Random) -> Iterator[Found]:
        names = sorted(name for name in path.rglob("*") if name.suffix in suffixes)
        rng.shuffle(names)
        taken = 0
        for name in names:
            text = name.read_text("utf-8", "replace")
            text = plain(text) if marked else text
            letters = sum("а" <= c <= "я" for c in text.lower())
            if taken < most and len(text) >= LEAST and letters >= CYRILLIC * len(text):
                cut = text[:PAGE].strip() if rng.random() < WHOLE else piece(text, rng)
                taken += 1
                if len(cut) >= LEAST:
                    yield Found(kind, cut)

    return read


def plain(text: str) -> str:
    """Markdown as a page shows it."""
    for pattern, instead in MARKDOWN:
        text = pattern.sub(instead, text)
    return html.unescape(text)


def medicine(path: Path, rng: random.Random) -> Iterator[Found]:
    """Paragraphs of medical handbooks, the first 400 by one, two or four."""
    contexts = (json.loads(line)["context"] for line in lines_of(path) if line)
    for run in runs(list(dict.fromkeys(contexts))[:400], PARAGRAPHS, rng):
        if len(text := "\n".join(run).strip()) >= LEAST:
            yield Found("science", text)


def poems(path: Path, rng: random.Random) -> Iterator[Found]:
    """Poems a sentence a line; in half of them lines begin at capitals behind a mark, as most do in print."""
    found: list[list[str]] = []
    for line in lines_of(path):
        if line.startswith("# newdoc"):
            found.append([])
        elif line.startswith("# text ="):
            found[-1].append(line[9:])
    for sentences in found:
        text = "\n".join(sentences)
        text = VERSE.sub(r"\1\n", text) if rng.random() < VERSES else text
        if len(text) >= LEAST:
            yield Found("poems", text)


def lines_of(path: Path) -> list[str]:
    """The lines of a file, cut at newlines alone: texts hold other separators of lines."""
    return path.read_text("utf-8", "replace").split("\n")


SA: Final = "CC-BY-SA-4.0"
ANEKDOTS: Final = "Conversations/Data/extract_dialogues_from_anekdots.tar.xz"
UD: Final = "UniversalDependencies+UD_Russian-"
OFFICE: Final = "MicrosoftDocs+office-developer-client-docs.ru-RU"
LECTURES: Final = pages("science", 100, ".md", ".tex", marked=False)

#: Read from the data where a path says so, else from the repositories.
DATA: Final = ("langid", "text_ru")
SOURCES: Final = (
    Source("ntrex", "langid/sentences.parquet", SA, ntrex),
    Source("ud_taiga", f"{UD}Taiga", SA, taiga),
    Source("ruslit_more", "text_ru/ruslit.parquet", "public domain", pieces("fiction", 450)),
    Source("rusdracor_more", "text_ru/rusdracor.parquet", "CC0-1.0", pieces("plays", 200)),
    Source("phpdoc_ru_more", "text_ru/phpdoc_ru.parquet", "CC-BY-3.0", pieces("manual", 250)),
    Source("koziev_more", "text_ru/koziev.parquet", "CC0-1.0", pieces("dialogue", 250)),
    Source("anekdot", f"Koziev+NLP_Datasets/{ANEKDOTS}", "CC0-1.0", jokes, seed=7),
    Source("umputun_ham", "umputun+tg-spam/data/ham-samples.txt", "MIT", chats, seed=7),
    Source("gsd", f"{UD}GSD", SA, gsd, seed=7),
    Source(
        "rusentitweet", "sismetanin+rusentitweet/rusentitweet_full.csv", "none given", tweets, 7, "measure"
    ),
    Source("pud", f"{UD}PUD", "CC-BY-SA-3.0", pud, seed=7),
    # Documents of state and municipal bodies are objects of no copyright (Civil Code, article 1259).
    Source("rurebus", "dialogue-evaluation+RuREBus/train_data", "official documents", official, seed=9),
    Source("react", "reactjs+ru.react.dev/src/content", "CC-BY-4.0", pages("manual", 60, ".md"), seed=9),
    Source("yii2", "yiisoft+yii2/docs/guide-ru", "BSD-3-Clause", pages("manual", 90, ".md"), seed=9),
    Source("rustbook", "rust-lang-ru+book/rustbook-ru", "Apache-2.0", pages("manual", 80, ".md"), seed=9),
    Source("office", f"{OFFICE}/docs", "CC-BY-4.0", pages("manual", 120, ".md"), seed=9),
    Source("conspects", "pelmesh619+itmo_conspects", "CC0-1.0", LECTURES, seed=9),
    Source("rumeddanet", "sb-ai-lab+MedBench/data/RuMedDaNet/train_v1.jsonl", "Apache-2.0", medicine, seed=9),
    Source("udpoetry", f"{UD}Poetry/ru_poetry-ud-dev.conllu", SA, poems, seed=9),
)


def documents(
    data: Path, repositories: Path, sources: Sequence[Source] = SOURCES
) -> Iterator[dict[str, str | bool]]:
    """The rows of the sources. Raises FileNotFoundError that names a path where a source is missing."""
    generators: dict[int, random.Random] = {}
    for source in sources:
        rng = generators.setdefault(source.seed, random.Random(source.seed))  # noqa: S311 - no secrets
        path = (data if source.path.split("/")[0] in DATA else repositories) / source.path
        if not path.exists():
            raise FileNotFoundError(f"{path}: {source.name} ({source.licence}) is not there")
        for kind, text, part in source.read(path, rng):
            yield {"text": text, "good": True, "kind": kind, "source": source.name + part, "use": source.use}


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.fit.quality_texts", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with text_ru and langid")
    parser.add_argument(
        "--repositories", type=Path, required=True, help="folder with a folder owner+name each"
    )
    parser.add_argument("--out", type=Path, required=True, help="the Parquet file to write")
    options = parser.parse_args(argv)
    try:
        rows = list(documents(options.data, options.repositories))
    except FileNotFoundError as error:
        print(f"quality_texts: {error}", file=sys.stderr)
        return 1
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), options.out)
    for (source, kind, use), count in Counter(
        (row["source"], row["kind"], row["use"]) for row in rows
    ).items():
        print(f"{source:15} {kind:13} {use:8} {count:5}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
