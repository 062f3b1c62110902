"""What the language model makes of forum and chat lines: the share called Russian, by length and kind.

    python tests/bench/bench_language_chat.py SOURCES [--model HALF.model] [--show 40]

SOURCES holds checkouts of umputun/tg-spam (the chat lines of data/ham-samples.txt), sismetanin/rusentitweet
(rusentitweet_full.csv) and UniversalDependencies/UD_Russian-Taiga (its sentences of genre social, of half 1:
a HALF.model fitted with `--half 0` has not seen them), each as owner+name. The first two are in no fit.
--show prints lines that are not called Russian, to be read: some of them are not.

Beside each line as it is: in capitals, with names in Latin letters, with a line of code, in Latin letters.
"""

from __future__ import annotations

import argparse
import collections
import csv
import random
import re
from pathlib import Path

import pyarrow as pa

from corpus import language
from corpus.language import Identify
from rust_ext import LanguageModel
from scripts.fit.language_augment import transliterated
from scripts.fit.language_sources import Text

#: What a line holds beside its text: links, people and topics addressed.
MARKUP = re.compile(r"https?:\S+|[@#]\w+|&\w+;")
CYRILLIC = re.compile(r"[\u0400-\u04ff]")
CODE = " for (int i = 0; i < values.length; i++) { total += values[i]; }"
NAMES = " (Windows, NVIDIA GeForce, John Smith)"
MOST = 4_000


def chat(root: Path) -> list[str]:
    return (root / "umputun+tg-spam" / "data" / "ham-samples.txt").read_text("utf-8").splitlines()


def tweets(root: Path) -> list[str]:
    with (root / "sismetanin+rusentitweet" / "rusentitweet_full.csv").open(encoding="utf-8") as file:
        return [" ".join(row["text"].split()) for row in csv.DictReader(file)]


def social(root: Path) -> list[str]:
    found, genre = [], ""
    for path in sorted((root / "UniversalDependencies+UD_Russian-Taiga").glob("*.conllu")):
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("# genre = "):
                genre = line[10:]
            elif line.startswith("# text = "):
                text = line[9:]
                if genre == "social" and Text("ru", "", " ".join(text.split()), text).half == 1:
                    found.append(text)
    return found


def lines(found: list[str]) -> list[str]:
    """The lines without markup that have a Cyrillic letter, half of their letters at least."""
    plain = (" ".join(MARKUP.sub(" ", line).split()) for line in found)
    kept = [line for line in plain if 0 < len(CYRILLIC.findall(line)) >= 0.5 * sum(map(str.isalpha, line))]
    return random.Random(1).sample(kept, min(MOST, len(kept)))


def languages(texts: list[str]) -> list[str | None]:
    batch = pa.table({"text": pa.array(texts, pa.large_string())})
    named: list[str | None] = Identify(keep="all").open()(batch)["lang"].to_pylist()
    return named


def length(text: str) -> str:
    letters = len(CYRILLIC.findall(text))
    return "to 14" if letters < 15 else "15 to 39" if letters < 40 else "from 40"


def share(texts: list[str], expected: str = "ru") -> str:
    named = languages(texts)
    return f"{sum(name == expected for name in named) / max(1, len(named)):.4f}"


def report(name: str, texts: list[str], show: int) -> None:
    named = languages(texts)
    print(f"{name}: {len(texts)} lines")
    by_length: dict[str, list[bool]] = collections.defaultdict(list)
    for text, lang in zip(texts, named, strict=True):
        by_length[length(text)].append(lang == "ru")
    for part in ("to 14", "15 to 39", "from 40"):
        right = by_length[part]
        print(f"  {part:8} Cyrillic letters: {sum(right) / max(1, len(right)):.4f} of {len(right)} are ru")
    longer = [text for text in texts if length(text) != "to 14"]
    draw = random.Random(2)
    print(
        f"  from 15: in capitals {share([text.upper() for text in longer])},"
        f" with names {share([text + NAMES for text in longer])},"
        f" with code {share([text + CODE for text in longer])},"
        f" in Latin letters {share([transliterated(t, 'ru', draw) for t in longer], 'ru-Latn')} (ru-Latn)"
    )
    lost = [(lang, text) for text, lang in zip(texts, named, strict=True) if lang != "ru"]
    print(f"  not ru: {collections.Counter(lang for lang, _ in lost).most_common(8)}")
    for lang, text in lost[:show]:
        print(f"    {lang:8} {text[:110]}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("sources", type=Path)
    parser.add_argument("--model", type=Path, help="a model fitted to one half (default: the bundled one)")
    parser.add_argument("--show", type=int, default=0, help="lines of each kind to print that are not ru")
    options = parser.parse_args()
    if options.model:
        half_model = LanguageModel(options.model.read_bytes())
        language.load_model = lambda: half_model  # type: ignore[assignment]
    for read in (chat, tweets, social):
        report(read.__name__, lines(read(options.sources)), options.show)


if __name__ == "__main__":
    main()
