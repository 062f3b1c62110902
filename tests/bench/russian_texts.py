"""Russian of kinds that text_ru lacks, out of clones of public repositories, for bench_vocabularies.

    BUKVAR_DATA=... python -m tests.bench.russian_texts CLONES --out DIR

CLONES is a folder of clones by owner and name (CLONES/UniversalDependencies/UD_Russian-GSD); what is not
there is left out, with a word. Writes a Parquet file (id, text, source, license) a kind, to be given with
--russian, and says what each repository gave. Files of 4 MiB and more are passed over: the figures in
docs/measured/tokenizer.md were made without them. Sentences come forty a document, and long texts in pieces,
so that a document is a small part of its source. Left out are documents that are not Russian, repetitions,
and all that share eight words in a row with the texts that ours is measured on.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.extract.content import extract
from tests.bench import vocabulary_texts as texts

SENTENCES: Final = 40
#: Characters: a few pages.
PIECE: Final = 20_000
SHINGLE: Final = 8
#: Less is a heading.
FEWEST_LETTERS: Final = 150

Reader = Callable[[str], Iterator[str]]


@dataclass(frozen=True)
class Source:
    """files: a regular expression on paths below the repository. licence: what is stated of its texts.
    largest: bytes; files that are not smaller are passed over."""

    kind: str
    repository: str
    licence: str
    files: str
    read: Reader
    largest: int = 4 << 20


def plain(text: str) -> Iterator[str]:
    yield text


def markdown(text: str) -> Iterator[str]:
    """Without front matter, code, comments, pictures, tags and the targets of links."""
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    text = re.sub(r"(?ms)^[ \t]*(```|~~~).*?^[ \t]*\1[ \t]*$", "", text)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"(?m)^\[[^\]]+\]:.*$", "", text)
    yield re.sub(r"</?[a-zA-Z][^>\n]*>", "", text)


def html(text: str) -> Iterator[str]:
    yield extract(text).text


def sentences(found: Iterable[str]) -> Iterator[str]:
    """A document a few dozen different sentences."""
    once = list(dict.fromkeys(filter(None, map(str.strip, found))))
    for at in range(0, len(once), SENTENCES):
        yield "\n".join(once[at : at + SENTENCES])


def lines(text: str) -> Iterator[str]:
    yield from sentences(text.splitlines())


def columns(*names: str) -> Reader:
    """Of a table with a head, its cells parted by commas or tabs."""

    def read(text: str) -> Iterator[str]:
        tabs = "\t" in text.partition("\n")[0]
        rows = csv.DictReader(io.StringIO(text), delimiter="\t" if tabs else ",")
        yield from sentences(row[name] or "" for row in rows for name in names if name in row)

    return read


def field(name: str) -> Reader:
    """Of a JSON object."""

    def read(text: str) -> Iterator[str]:
        yield json.loads(text)[name]

    return read


def fields(*names: str) -> Reader:
    """Of JSON objects, in a list or one a line; what is a list there is tokens."""

    def read(text: str) -> Iterator[str]:
        rows = json.loads(text) if text.startswith("[") else map(json.loads, text.splitlines())
        found = (row[name] for row in rows for name in names if name in row)
        yield from sentences(unspaced(" ".join(one)) if isinstance(one, list) else str(one) for one in found)

    return read


def unspaced(text: str) -> str:
    """Of text with a space around every mark; which of them were there is a guess."""
    return re.sub(r"([(«“]) ", r"\1", re.sub(r" ([,.;:!?)»”%…])", r"\1", text))


def spaced(text: str) -> Iterator[str]:
    yield unspaced(text)


def conllu(text: str) -> Iterator[str]:
    yield from sentences(re.findall(r"(?m)^# text = (.*)", text))


def tagged(text: str) -> Iterator[str]:
    """A token a line, in the second column."""
    rows = (re.findall(r"(?m)^[^\t\n]*\t([^\t\n]+)", one) for one in re.split(r"\n\s*\n", text))
    yield from sentences(unspaced(" ".join(words)) for words in rows)


_WIKI = "Wikipedia's text: CC BY-SA"
SOURCES: Final = (
    Source("encyclopedia", "Babelscape/wikineural", _WIKI, r"data/wikineural/ru/(test|val)\.conllu", tagged),
    Source(
        "encyclopedia",
        "dialogue-evaluation/RuSimpleSentEval",
        _WIKI,
        r"(dev|public_test)_sents\.csv",
        columns("INPUT:source", "OUTPUT:output"),
    ),
    Source("encyclopedia", "dialogue-evaluation/RuSimpleSentEval", _WIKI, r"\w+_test_only\.csv", lines),
    Source("encyclopedia", "UniversalDependencies/UD_Russian-GSD", "CC BY-SA 4.0", r".*\.conllu", conllu),
    Source("encyclopedia", "UniversalDependencies/UD_Russian-PUD", "CC BY-SA 3.0", r".*\.conllu", conllu),
    Source("encyclopedia", "UniversalDependencies/UD_Russian-Taiga", "CC BY-SA 4.0", r".*\.conllu", conllu),
    Source(
        "encyclopedia",
        "evrog/Russian-QA-Jeopardy",
        "that of db.chgk.info: free, with attribution",
        r".*_validation\.csv",
        columns("QuestionText", "Answer"),
    ),
    Source(
        "medicine",
        "dair-mus/qazcode-nu",
        "protocols of a ministry: official documents",
        r"data/test_set/.*\.json",
        field("text"),
    ),
    Source(
        "medicine",
        "sb-ai-lab/MedBench",
        "Apache-2.0",
        # Not RuMedNLI, whose notes of patients are under another licence.
        r"data/RuMed(DaNet|NER|SymptomRec|Test|Top3)/.*\.jsonl",
        fields("context", "question", "symptoms", "tokens"),
    ),
    Source("press", "dialogue-evaluation/factRuEval-2016", "MIT", r"(dev|test)set/.*\.txt", plain),
    Source(
        "press",
        "dialogue-evaluation/morphoRuEval-2017",
        "OpenCorpora's text: CC BY-SA 3.0",
        r"unamb_sent_14_6\.conllu",  # in OpenCorpora_Texts.rar
        tagged,
        largest=64 << 20,
    ),
    Source("press", "nicolay-r/RuSentRel", "MIT", r".*/art\d+\.txt", plain),
    Source("law", "deep-foundation/russian-laws", "Unlicense", r"data/html/.*\.html", html),
    Source(
        "law",
        "dialogue-evaluation/RuREBus",
        "regions' programmes: official documents",
        r"(test|train)_data/.*\.txt",  # in the .zip files that lie there
        spaced,
    ),
    Source("docs", "pelmesh619/itmo_conspects", "Unlicense", r".*\.(md|tex)", markdown),
    Source("docs", "vuejs-translations/docs-ru", "CC BY 4.0", r".*\.md", markdown),
    Source("docs", "reactjs/ru.react.dev", "CC BY 4.0", r".*\.md", markdown),
    Source("docs", "rust-lang-ru/book", "MIT or Apache-2.0", r"rustbook-ru/.*\.md", markdown),
    Source("docs", "morsbox/rusrails", "MIT", r".*\.md", markdown),
    Source("docs", "yiisoft/yii2", "BSD-3-Clause", r"docs/.*-ru/.*\.md", markdown),
    Source("docs", "MicrosoftDocs/Dynamics-365-Operations.ru-ru", "CC BY 4.0", r".*\.md", markdown),
    Source("docs", "MicrosoftDocs/dynamics365smb-docs-pr.ru-ru", "CC BY 4.0", r".*\.md", markdown),
    Source("docs", "MicrosoftDocs/office-developer-client-docs.ru-RU", "CC BY 4.0", r".*\.md", markdown),
)


def files(clones: Path, source: Source) -> Iterator[tuple[str, str]]:
    """Paths and texts, in the order of their names."""
    root = clones / source.repository
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if re.fullmatch(source.files, name) and path.is_file() and path.stat().st_size < source.largest:
            yield name, path.read_text(encoding="utf-8", errors="replace")


def pieces(text: str) -> Iterator[str]:
    """Long texts cut after a line or a sentence."""
    while len(text) > PIECE:
        at = max(text.rfind("\n", 0, PIECE), text.rfind(". ", 0, PIECE)) + 1 or PIECE
        yield text[:at]
        text = text[at:]
    yield text


def is_russian(text: str) -> bool:
    """Three fifths of the letters are Cyrillic; next to none are those that Ukrainian and Belarusian have."""
    cyrillic = len(re.findall(r"[а-яё]", text, re.IGNORECASE))
    foreign = len(re.findall(r"[іїєў]", text, re.IGNORECASE))
    letters = len(re.findall(r"[^\W\d_]", text))
    return cyrillic > FEWEST_LETTERS and cyrillic > 0.6 * letters and foreign < 0.005 * cyrillic


def shingles(text: str) -> set[int]:
    words = re.findall(r"\w+", text.lower())
    return {hash(tuple(words[at : at + SHINGLE])) for at in range(len(words) - SHINGLE + 1)}


def measured_on() -> set[int]:
    """Shingles of the texts of sources that are never trained on."""
    unseen = (*texts.text_ru("wikinews"), *texts.gold_pages(), *texts.ntrex(), *texts.xquad("ru"))
    return set().union(*(shingles(text) for _, text in unseen))


def documents(clones: Path, source: Source) -> Iterator[tuple[str, str]]:
    for name, text in files(clones, source):
        parts = (part for read in source.read(text) for part in pieces(read))
        for number, part in enumerate(parts):
            tidy = re.sub(r"\n{3,}", "\n\n", part).strip()
            if is_russian(tidy):
                yield f"{source.repository}/{name}#{number}", tidy


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clones", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    forbidden, seen = measured_on(), set()
    kept: dict[str, list[dict[str, str]]] = {}
    for source in SOURCES:
        if not (options.clones / source.repository).is_dir():
            print(f"{source.repository}: not there, left out")
            continue
        found = {name: text for name, text in documents(options.clones, source) if text not in seen}
        seen.update(found.values())
        clean = {name: text for name, text in found.items() if forbidden.isdisjoint(shingles(text))}
        about = {"source": source.repository, "license": source.licence}
        rows = [{"id": name, "text": text, **about} for name, text in clean.items()]
        kept.setdefault(source.kind, []).extend(rows)
        size = sum(len(text.encode()) for text in clean.values()) / 1e6
        counts = f"{len(clean)} documents, {size:.2f} MB, {len(found) - len(clean)} shared with the measured"
        print(f"{source.kind}: {source.repository} ({source.licence}): {counts}", flush=True)
    for kind, documents_ in kept.items():
        table = pa.Table.from_pylist(documents_)
        pq.write_table(table, options.out / f"{kind}.parquet", compression="zstd")


if __name__ == "__main__":
    main()
