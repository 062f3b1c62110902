"""How much damage repair undoes, what it does to clean text, and what it costs, beside ftfy in one run.

    python -m tests.bench.bench_repair damage [--documents N]    share of damaged documents restored
    python -m tests.bench.bench_repair clean                     clean documents and paragraphs that change
    python -m tests.bench.bench_repair speed                     MB of UTF-8 per CPU second

Texts come from `$BUKVAR_DATA` (`text_ru`, `langid`, `wcxb`); without it the command says so and ends.
`damage` takes documents of the sources that the letter model never saw (news, wikinews, dialogue) and
every tenth of those it did, which it did not see either. Single-threaded; CPU seconds, the best of
three.
"""

from __future__ import annotations

import argparse
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

ONLY_MOJIBAKE = Repair(**{kind: kind == "mojibake" for kind in KINDS})
SEEN = ("ruslit", "rusdracor", "phpdoc_ru")
UNSEEN = ("news", "wikinews", "koziev")
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
    wordy = [number for number, line in enumerate(lines) if len(re.findall("[а-яё]", line)) >= 20]
    one = draw.choice(wordy) if wordy else 0
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


def damage(documents: int) -> None:
    draw = random.Random(1)
    sample: list[str] = []
    for name in SEEN + UNSEEN:
        all_texts = texts(f"text_ru/{name}.parquet")
        held_out = all_texts[9::10] if name in SEEN else all_texts
        sample += [text[:LONGEST] for text in draw.sample(held_out, min(documents, len(held_out)))]
    print(f"{len(sample)} documents; share that comes back identical, whole/half of lines/one line broken")
    for layers in MISREADINGS:
        row = []
        for which in ("whole", "half", "one"):
            pairs = [damaged(text, layers, which, draw) for text in sample]
            row.append(sum(repair(broken, ONLY_MOJIBAKE)[0] == whole for whole, broken in pairs) / len(pairs))
            if which == "whole":
                few = pairs[:: max(1, len(pairs) // 20)][:20]
                theirs = sum(ftfy.fix_encoding(broken) == whole for whole, broken in few) / len(few)
        name = ", then ".join(f"{written} as {read}" for written, read in layers)
        print(f"{name:45} {row[0]:.4f} {row[1]:.4f} {row[2]:.4f}   ftfy (whole, 20 documents) {theirs:.2f}")


def clean_sets() -> Iterator[tuple[str, list[str]]]:
    russian = [text for name in SEEN + UNSEEN for text in texts(f"text_ru/{name}.parquet")]
    yield "documents ru", russian
    yield "lines ru", [line for text in russian for line in text.split("\n") if len(line) >= 20]
    yield "sentences, 14 languages", texts("langid/sentences.parquet")
    udhr = texts("langid/udhr_cyrillic.parquet")
    yield (
        "declaration, 35 versions, cut",
        [text[at : at + 300] for text in udhr for at in range(0, len(text), 300)],
    )
    english = texts("wcxb/dev.parquet", "gold_text")
    yield "pages en", english


def clean() -> None:
    for name, rows in clean_sets():
        column, counts = repair_column(pa.array(rows, pa.large_string()), ONLY_MOJIBAKE)
        changed = [at for at, count in enumerate(counts["repaired_mojibake"].to_pylist()) if count]
        print(f"{name:32} {len(rows):9} of which changed: {len(changed)}")
        for at in changed[:8]:
            was, now = rows[at], column[at].as_py()
            first = next((n for n, (a, b) in enumerate(zip(was, now, strict=False)) if a != b), 0)
            print(
                "     ",
                ascii(was[max(0, first - 20) : first + 30]),
                "->",
                repr(now[max(0, first - 20) : first + 30]),
            )


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
    parser.add_argument("what", choices=["damage", "clean", "speed"])
    parser.add_argument("--documents", type=int, default=60, help="documents a source for `damage`")
    arguments = parser.parse_args()
    if arguments.what == "damage":
        damage(arguments.documents)
    elif arguments.what == "clean":
        clean()
    else:
        speed()


if __name__ == "__main__":
    main()
