"""How much damage repair undoes, what it does to clean text, and what it costs, beside ftfy in one run.

    python -m tests.bench.bench_repair damage [--documents N] [--half H]     damaged documents restored
    python -m tests.bench.bench_repair clean [--kind mojibake] [--show N]    clean documents that change
    python -m tests.bench.bench_repair limits                    what clean and misread lines cost
    python -m tests.bench.bench_repair speed                     MB of UTF-8 per CPU second

Texts come from `$BUKVAR_DATA` (`text_ru`, `langid`, `wcxb`); without it the command says so and ends.
`damage` takes documents of the sources that the letter model and the lexicon never saw (news, wikinews) and
those of the others that stayed out of their fits (every tenth, of dialogue every second). The constants of
repair were chosen on the half 0 of them, so that 1 is the half to report. One line: of at least 20 letters
where the document has such, else its longest. Single-threaded; CPU seconds, the best of three.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import ftfy
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.clean.repair import KINDS, Repair, repair, repair_column
from corpus.extract import content, warc
from corpus.extract.decode import decode
from tests.oracles import repair_single

ONLY_MOJIBAKE = Repair(**{kind: kind == "mojibake" for kind in KINDS})
SEEN = ("ruslit", "rusdracor", "phpdoc_ru")
UNSEEN = ("news", "wikinews", "koziev")
# Documents that stay out of the fits of letters and words: (the first, one of how many).
HELD_OUT = {"ruslit": (9, 10), "rusdracor": (9, 10), "phpdoc_ru": (9, 10), "koziev": (1, 2)}
# Longer documents are cut: a misreading shows in the first pages or nowhere.
LONGEST = 10_000
MISREADINGS = [
    (("utf-8", "latin-1"),),
    (("utf-8", "cp1252"),),
    (("utf-8", "cp1251"),),
    (("utf-8", "koi8-r"),),
    (("utf-8", "cp866"),),
    (("cp1251", "latin-1"),),
    (("cp1251", "cp1252"),),
    (("koi8-r", "cp1251"),),
    (("cp1251", "koi8-r"),),
    (("cp866", "cp1251"),),
    (("utf-8", "cp1252"), ("utf-8", "cp1252")),
    (("utf-8", "cp1251"), ("utf-8", "cp1251")),
    (("utf-8", "cp1251"), ("utf-8", "cp1252")),
    (("cp1251", "latin-1"), ("utf-8", "cp1251")),
    (("koi8-r", "cp1251"), ("utf-8", "latin-1")),
]
Layers = tuple[tuple[str, str], ...]


def data() -> Path:
    folder = os.environ.get("BUKVAR_DATA")
    if not folder:
        sys.exit("set BUKVAR_DATA to the folder of measuring data; without it there is nothing to measure")
    return Path(folder)


def texts(path: str, column: str = "text") -> list[str]:
    return list(pq.read_table(data() / path, columns=[column])[column].to_pylist())


def character(byte: int, charset: str) -> str:
    """Undefined bytes become the control of the same number, as in browsers."""
    try:
        return bytes([byte]).decode(charset)
    except UnicodeDecodeError:
        return chr(byte)


def misread(text: str, layers: Layers) -> str:
    for written, read in layers:
        shown = [character(byte, read) for byte in range(256)]
        text = "".join([shown[byte] for byte in text.encode(written)])
    return text


def damaged(text: str, layers: Layers, which: str, draw: random.Random) -> tuple[str, str]:
    """(the text as it should come back, the damaged text). Characters that the charset lacks are left out."""
    charset = layers[0][0]
    lines = text.split("\n")
    letters = [len(re.findall("[а-яё]", line)) for line in lines]
    wordy = [number for number, count in enumerate(letters) if count >= min(20, max(letters))]
    one = draw.choice(wordy)
    whole, broken = [], []
    for number, line in enumerate(lines):
        if (
            which == "whole"
            or (which == "half" and draw.random() < 0.5)
            or (which == "one" and number == one)
        ):
            kept = line.encode(charset, "ignore").decode(charset)
            whole.append(kept)
            broken.append(misread(kept, layers))
        else:
            whole.append(line)
            broken.append(line)
    return "\n".join(whole), "\n".join(broken)


def beginning(text: str) -> str:
    """Whole lines, up to `LONGEST` characters where the first line is no longer."""
    return text if len(text) <= LONGEST else text[: text.rfind("\n", 0, LONGEST)]


def damage(documents: int, half: int | None, only: int | None) -> None:
    draw = random.Random(1)
    sample: list[str] = []
    for name in SEEN + UNSEEN:
        all_texts = texts(f"text_ru/{name}.parquet")
        first, step = HELD_OUT.get(name, (0, 1))
        held_out = all_texts[first::step]
        sample += [beginning(text) for text in draw.sample(held_out, min(documents, len(held_out)))]
    sample = sample if half is None else sample[half::2]
    print(f"{len(sample)} documents; share that comes back identical, whole/half of lines/one line broken")
    for layers in MISREADINGS if only is None else MISREADINGS[only : only + 1]:
        row = []
        for which in ("whole", "half", "one"):
            pairs = [damaged(text, layers, which, draw) for text in sample]
            row.append(sum(repair(broken, ONLY_MOJIBAKE)[0] == whole for whole, broken in pairs) / len(pairs))
            if which == "whole":
                few = pairs[:: max(1, len(pairs) // 20)][:20]
                theirs = sum(ftfy.fix_encoding(broken) == whole for whole, broken in few) / len(few)
        name = ", then ".join(f"{written} as {read}" for written, read in layers)
        print(f"{name:45} {row[0]:.4f} {row[1]:.4f} {row[2]:.4f}   ftfy (whole, 20 documents) {theirs:.2f}")


def cut(text: str, draw: random.Random) -> Iterator[str]:
    """A text in pieces of whole lines, 200 to 5,000 characters by chance; a longer line is a piece."""
    piece: list[str] = []
    size, most = 0, draw.randint(200, 5_000)
    for line in text.split("\n"):
        piece.append(line)
        size += len(line) + 1
        if size >= most:
            yield "\n".join(piece)
            piece, size, most = [], 0, draw.randint(200, 5_000)
    if size:
        yield "\n".join(piece)


def page_texts(name: str) -> list[str]:
    """Main texts of a crawl's pages, unrepaired."""
    found = []
    for batch in warc.read(data() / name / "pages.warc.gz", gate="russian"):
        for page in batch.pages:
            text = content.extract(decode(page.body, page.http_charset).text, url=page.url).text
            if text:
                found.append(text)
    return found


# Pre-reform Russian: there is no corpus of it at hand, so modern fiction is set in the old spelling by rules
# (ъ after final consonants, і before vowels, ѣ in the commonest stems).
OLD_SPELLING = [
    (re.compile(r"(?<=[бвгджзклмнпрстфхцчшщ])(?![а-яё])", re.IGNORECASE), "ъ"),
    (re.compile(r"и(?=[аеёийоуыэюя])"), "і"),
    (re.compile(r"\b(т|вс|гд|зд|д|л|м|с|б)е(?=[а-я])"), r"\1ѣ"),
]


def old_spelling(text: str) -> str:
    for pattern, letters in OLD_SPELLING:
        text = pattern.sub(letters, text)
    return text


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def clean_sets() -> Iterator[tuple[str, list[str]]]:
    draw = random.Random(2)
    for name in SEEN + UNSEEN:
        whole = texts(f"text_ru/{name}.parquet")
        yield f"{name}, whole", whole
        yield f"{name}, in pieces", [piece for text in whole for piece in cut(text, draw)]
        lines = {line for text in whole for line in text.split("\n") if len(line) >= 5}
        yield f"{name}, different lines", sorted(lines)
    for name in ("gold_pages_ru", "manuals", "laws", "far_cp1251"):
        found = page_texts(name)
        yield f"{name}, main texts", found
        yield f"{name}, in pieces", [piece for text in found for piece in cut(text, draw)]
    rows = pq.read_table(data() / "langid/sentences.parquet").to_pylist()
    for lang in sorted({row["lang"] for row in rows}):
        yield f"sentences {lang}", [row["text"] for row in rows if row["lang"] == lang]
    udhr = texts("langid/udhr_cyrillic.parquet")
    yield "declaration, 35 versions", udhr
    yield "declaration, in pieces", [piece for text in udhr for piece in cut(text, draw)]
    pairs = sorted((data() / "benchmarks/rublimp/datasets").glob("*.csv"))
    yield (
        "RuBLiMP, its authentic sentences",
        [row["source_sentence"] for path in pairs for row in table(path)],
    )
    paragraphs = [
        paragraph
        for article in json.loads((data() / "benchmarks/xquad/xquad.ru.json").read_bytes())["data"]
        for paragraph in article["paragraphs"]
    ]
    yield "XQuAD ru, paragraphs", [paragraph["context"] for paragraph in paragraphs]
    yield "XQuAD ru, questions", [ask["question"] for paragraph in paragraphs for ask in paragraph["qas"]]
    yield "wcxb, main texts (English)", texts("wcxb/dev.parquet", "gold_text")
    fiction = texts("text_ru/ruslit.parquet")[::8]
    yield "fiction in old spelling", [old_spelling(piece) for text in fiction for piece in cut(text, draw)]


ONE_KIND = {
    name: Repair(**{kind: kind == name for kind in KINDS}) for name in ("mojibake", "entities", "homoglyphs")
}


def clean(kind: str, show: int) -> None:
    draw = random.Random(3)
    documents = total = 0
    whole: set[str] = set()
    for name, rows in clean_sets():
        rows = [row for row in rows if row]
        if not name.endswith(("in pieces", "lines", "old spelling")):
            whole.update(rows)
        column, counts = repair_column(pa.array(rows, pa.large_string()), ONE_KIND[kind])
        changed = [at for at, count in enumerate(counts[f"repaired_{kind}"].to_pylist()) if count]
        print(f"{name:32} {len(rows):9} of which changed: {len(changed)}", flush=True)
        documents, total = documents + len(rows), total + len(changed)
        for at in draw.sample(changed, min(show, len(changed))):
            show_changes(rows[at], column[at].as_py())
    print(f"{documents} texts, of which changed: {total}")
    print(
        f"among them {len(whole)} different ones that are no parts of others: documents, sentences, questions"
    )


def show_changes(was: str, now: str) -> None:
    """The first changed line with what stands around the change."""
    for before, after in zip(was.split("\n"), now.split("\n"), strict=False):
        first = next((n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), None)
        if first is not None:
            part = slice(max(0, first - 30), first + 40)
            print("     ", repr(before[part]), "->", repr(after[part]))
            return


def limits() -> None:
    """What lines cost, in tenths of a nat a character, by the oracle; single.rs has its limits between."""
    draw = random.Random(4)
    lines = [
        line.strip() for name in SEEN + UNSEEN for line in texts(f"text_ru/{name}.parquet")[9].split("\n")
    ]
    lines = [line for line in draw.sample(lines, len(lines)) if len(re.findall("[а-яё]", line)) >= 12][:600]
    rows: dict[str, list[float]] = {"clean": [cost_of(line) for line in lines], "misread": []}
    for layers in MISREADINGS[5:10]:
        kept = [line.encode(layers[0][0], "ignore").decode(layers[0][0]) for line in lines]
        rows["misread"] += [cost_of(misread(line, layers)) for line in kept]
    for name, costs in rows.items():
        marks = [sorted(costs)[int(share * (len(costs) - 1))] for share in (0, 0.01, 0.5, 0.99, 1)]
        print(
            f"{name:8} {len(costs)} lines; least, 1%, median, 99%, most:", *(f"{cost:.0f}" for cost in marks)
        )
    fiction = "".join(texts("text_ru/ruslit.parquet")[:30]).lower()
    for name, text in (
        ("Russian", fiction),
        ("koi8-r as cp1251", misread_letters(fiction, "koi8-r", "cp1251")),
    ):
        letters = re.findall("[а-яё]", text.lower())
        share = sum(letter in "оаинтс" for letter in letters) / len(letters)
        print(f"оаинтс of the letters of {name}: {share:.0%}")


def cost_of(line: str) -> float:
    reading = repair_single.read(line.replace("\n", " "), None)
    return reading.cost / reading.pairs


def misread_letters(text: str, written: str, read: str) -> str:
    return misread(text.encode(written, "ignore").decode(written), ((written, read),))


def best_of_three(work: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def speed() -> None:
    news = texts("text_ru/news.parquet")
    plain = [text for text in news if repair(text)[0] == text]
    sets = {
        "news as they are": news,
        "one plain paragraph, repeated": ["Ещё одна строка, в которой всё в порядке — и так далее.\n" * 40]
        * 5000,
        "news broken (utf-8 as cp1251)": [misread(text, MISREADINGS[2]) for text in news[:500]],
        "news that change in nothing": plain,
    }
    for name, rows in sets.items():
        column = pa.array(rows, pa.large_string())
        size = sum(len(text.encode()) for text in rows) / 1e6
        ours = best_of_three(lambda column=column: repair_column(column))
        one_by_one = best_of_three(lambda rows=rows: [repair(text) for text in rows])
        few = rows[:200]
        part = sum(len(text.encode()) for text in few) / 1e6
        start = time.process_time()
        for text in few:
            ftfy.fix_text(text)
        theirs = part / (time.process_time() - start)
        print(
            f"{name:32} column {size / ours:8.1f} MB/s, strings {size / one_by_one:7.1f}, ftfy {theirs:.2f}, "
            f"column/ftfy {size / ours / theirs:.0f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["damage", "clean", "limits", "speed"])
    parser.add_argument("--documents", type=int, default=60, help="documents a source for `damage`")
    parser.add_argument("--half", type=int, choices=[0, 1], help="every second document for `damage`")
    parser.add_argument("--only", type=int, choices=range(len(MISREADINGS)), help="one row of `damage`")
    parser.add_argument("--kind", choices=list(ONE_KIND), default="mojibake", help="repair for `clean`")
    parser.add_argument("--show", type=int, default=8, help="changes a source that `clean` prints")
    arguments = parser.parse_args()
    if arguments.what == "damage":
        damage(arguments.documents, arguments.half, arguments.only)
    elif arguments.what == "clean":
        clean(arguments.kind, arguments.show)
    elif arguments.what == "limits":
        limits()
    else:
        speed()


if __name__ == "__main__":
    main()
