"""Word lists of known language to which the language model is fitted: a lexicon, words, forms of words, and
words with their frequencies.

A reader deals a list into lines of a few words, which count as texts. Lists of languages that borrow from
Russian hold its words: `without_russian` takes them out, since in a list, where no other word stands beside
them, they would teach that «соль» and «сахар» are Mari.
"""

from __future__ import annotations

import collections
import itertools
import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from corpus.langid.tags import names

WORD = re.compile(r"\w")
LETTERS = re.compile(r"[^\W\d_]+")

#: The commonest Russian words of subtitles, a word and its count a line.
RUSSIAN_LIST = Path("hermitdave+FrequencyWords", "content", "2018", "ru", "ru_50k.txt")

CLDR = "unicode-org+cldr-json"

#: Languages whose words are in a good part the same as the Russian ones by descent.
SLAVIC = frozenset(("ru", "uk", "be", "bg", "mk", "sr", "rsk", "cu", "orv"))

#: Shorter words are often the same in languages that have nothing to do with each other.
SHORTEST_LOAN = 4

#: Names of languages that the lists alone use, where they hold them in Cyrillic.
GATITOS = {"crh": "crh-Cyrl"}
UNILEX_NAMES = {"crh": "crh-Cyrl", "uz": "uz-Cyrl"}

#: Languages that are read from sources of many.
SUBTITLES = ("bg", "mk", "ru", "sr")
UNILEX = names("""
    alt av ba be bg bua ce chm crh cv kaa kjh kk krc kum kv ky mk myv nog os sah sr tab tt tyv udm uk uz xal
""")
PLACES = names("be bg ru uk mk sr kk ky tg mn tt os sah cv ce uz-Cyrl az-Cyrl")

#: Lines that are drawn from a list with frequencies, the words that are drawn from, and the power of the
#: counts by which they are drawn: rare words, which no text holds, come up more often than they are said.
DRAWN = 12_000
COMMONEST = 30_000
POWER = 0.7
FOREIGN = 40

_LATIN, _CYRILLIC = "abcčćdđefghijklmnoprsštuvzž", "абцчћдђефгхијклмнопрсштувзж"
#: Letters of Serbian in Latin script -> those of Cyrillic.
SERBIAN = str.maketrans(_LATIN + _LATIN.upper(), _CYRILLIC + _CYRILLIC.upper())


def in_cyrillic(text: str) -> str:
    """Serbian in Latin letters written in Cyrillic ones."""
    for latin, letter in (("lj", "љ"), ("nj", "њ"), ("dž", "џ")):
        text = text.replace(latin, letter).replace(latin.upper(), letter.upper())
        text = text.replace(latin.capitalize(), letter.upper())
    return text.translate(SERBIAN)


def lexicon(root: Path) -> Iterator[tuple[str, str, str]]:
    """GATITOS: the same English words and phrases in many languages, dealt into lines of three.

    Lines hold what begins with the same letters in English, so that no word is in both halves.
    """
    for path in sorted((root / "gatitos").glob("en_*.tsv")):
        name = path.stem.removeprefix("en_")
        found: dict[str, dict[str, None]] = {}
        for line in path.read_text("utf-8").splitlines():
            english, _, text = line.partition("\t")
            found.setdefault(english[:2].lower(), {})[text.split("\t")[0]] = None
        for letters, entries in found.items():
            texts = list(entries)
            for at in range(0, len(texts), 3):
                yield GATITOS.get(name, name), f"gatitos {letters}", " ".join(texts[at : at + 3])


def words(root: Path) -> Iterator[tuple[str, str, str]]:
    """Lists of words of a folder a language (in words and in pairs), dealt into lines of six."""
    for path in sorted(root.glob("*/*.*")):
        if path.name.endswith(("wordlist", "bigrams")):
            yield from _lines_of_words(path.parent.name, path.read_text("utf-8").split("\n")[:60_000])


def forms(lang: str) -> Callable[[Path], Iterator[tuple[str, str, str]]]:
    """UniMorph: a lemma, one of its forms and what form it is a line; the forms, dealt into lines of six."""

    def read(root: Path) -> Iterator[tuple[str, str, str]]:
        rows = [
            line.split("\t") for line in (root / root.name.rpartition("+")[2]).read_text("utf-8").split("\n")
        ]
        yield from _lines_of_words(lang, list(dict.fromkeys(row[1] for row in rows if len(row) > 1)))

    return read


def _lines_of_words(lang: str, entries: list[str]) -> Iterator[tuple[str, str, str]]:
    entries = [entry for entry in entries if WORD.search(entry) and "?" not in entry]
    random.Random(lang).shuffle(entries)  # noqa: S311 - shuffled again in the same way
    for at in range(0, len(entries), 6):
        line = " ".join(entries[at : at + 6])
        yield lang, line, line


def subtitles(root: Path) -> Iterator[tuple[str, str, str]]:
    """FrequencyWords: the 50,000 commonest words of a language's subtitles; Serbian ones in Latin letters.

    Some subtitles are in another language than their list says: what is said `FOREIGN` times as often in
    another list is left out. The Ukrainian list is not read: a third of it is Russian.
    """
    shares: dict[str, dict[str, float]] = {}
    for lang in SUBTITLES:
        text = (root / "content" / "2018" / lang / f"{lang}_50k.txt").read_text("utf-8")
        rows = (line.split(" ") for line in (in_cyrillic(text) if lang == "sr" else text).splitlines())
        counts: collections.Counter[str] = collections.Counter()
        for row in rows:
            counts[row[0]] += int(row[1])
        whole = sum(counts.values())
        shares[lang] = {word: count / whole for word, count in counts.items()}
    for lang, mine in shares.items():
        most = {word: max(other.get(word, 0) for other in shares.values()) for word in mine}
        yield from _drawn(
            lang, [(word, share) for word, share in mine.items() if share * FOREIGN > most[word]]
        )


def place_names(root: Path, languages: tuple[str, ...] = PLACES) -> Iterator[tuple[str, str, str]]:
    """CLDR: names of countries, languages and cities, dealt twice into lines of six.

    Lines hold names of which the keys begin alike, so that no name is in both halves. Texts hold few lists of
    names, and those of many languages look alike.
    """
    for lang in languages:
        found: dict[str, list[str]] = {}
        for package, part in (
            ("localenames", "territories"),
            ("localenames", "languages"),
            ("dates", "timeZoneNames"),
        ):
            path = root / "cldr-json" / f"cldr-{package}-full" / "main" / lang / f"{part}.json"
            for key, name in _names(json.loads(path.read_text("utf-8")), ""):
                found.setdefault(f"{part} {key[:1]}", []).append(name)
        for group, entries in found.items():
            for seed in (1, 2):
                random.Random(f"{lang} {seed}").shuffle(entries)  # noqa: S311 - shuffled again in the same way
                for at in range(0, len(entries), 6):
                    yield lang, f"cldr {group}", ", ".join(entries[at : at + 6])


def _names(tree: Any, key: str) -> Iterator[tuple[str, str]]:
    """(key, name) of the entries below, the key of a city being that of its time zone."""
    if not isinstance(tree, dict):
        return
    for name, below in tree.items():
        if isinstance(below, str):
            if name == "exemplarCity":
                yield key, below
            elif key in ("territories", "languages"):
                yield name, below
        else:
            yield from _names(below, name)


def unilex(root: Path) -> Iterator[tuple[str, str, str]]:
    """Unilex: words of a language's web pages and their frequencies, after a head of comments."""
    for lang in UNILEX:
        text = (root / "data" / "frequency" / f"{lang}.txt").read_text("utf-8")
        rows = (line.split("\t") for line in text.splitlines()[1:])
        yield from _drawn(
            UNILEX_NAMES.get(lang, lang), [(row[0], int(row[1])) for row in rows if len(row) == 2]
        )


def _drawn(lang: str, counted: Sequence[tuple[str, float]]) -> Iterator[tuple[str, str, str]]:
    """Lines of two to five of the words, drawn by their counts."""
    draw = random.Random(lang)  # noqa: S311 - drawn again in the same way
    counted = sorted(counted, key=lambda row: (-row[1], row[0]))[:COMMONEST]
    entries = [word for word, _ in counted]
    sums = list(itertools.accumulate(count**POWER for _, count in counted))
    for _ in range(min(DRAWN, 2 * len(entries))):
        line = " ".join(draw.choices(entries, cum_weights=sums, k=draw.choice((2, 3, 4, 5))))
        yield lang, line, line


def russian_words(root: Path) -> frozenset[str]:
    """Russian words of subtitles and place names that are not too short to be told from another language's.

    Raises FileNotFoundError that names the file where one is missing.
    """
    path = root / RUSSIAN_LIST
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: the list is not there; docs/measured/language.md says how to get it"
        )
    found = [line.split(" ")[0] for line in path.read_text("utf-8").splitlines()]
    for _, _, text in place_names(root / CLDR, ("ru",)):
        found += LETTERS.findall(text.lower())
    return frozenset(word for word in found if len(word) >= SHORTEST_LOAN)


def without_russian(text: str, russian: frozenset[str]) -> str:
    """A line without its words that are Russian ones."""
    return LETTERS.sub(lambda word: "" if word.group().lower() in russian else word.group(), text)
