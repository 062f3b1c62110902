"""Texts of known language to which the language model is fitted: named sources, licences and readers.

A source lies in a folder of its own under one root, named `owner+name` for a public repository. Nothing of
these texts enters the project: only the fitted weights do (corpus/assets/README.md names the sources).

Texts are dealt into two halves by a digest of their group (the sentence's number where a source says the same
in every language, the sentence itself elsewhere). Figures are measured on the half that a model never saw.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from corpus.langid.tags import CYRILLIC, LATIN, TAGS
from scripts.fit.language_lists import (
    CLDR,
    SLAVIC,
    forms,
    in_cyrillic,
    lexicon,
    place_names,
    russian_words,
    subtitles,
    unilex,
    without_russian,
    words,
)
from scripts.fit.language_sentences import benchmark, normalised, pairs

NTREX = "NTREX-128 (CC-BY-SA-4.0)"
#: What the groups of the sentences of NTREX begin with.
SHARED = "ntrex-shared"
CYRILLIC_LETTER = re.compile(r"[\u0400-\u052f\u1c80-\u1c8f\ua640-\ua69f]")
LATIN_LETTER = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")

#: Languages of sources that hold them in Latin script too, under the same name.
ALSO_LATIN = {"tt": "tt-Latn", "kaa": "kaa-Latn", "sr": "sr-Latn"}

#: Folders of messages, a file a language.
MESSAGES = frozenset(("i18n", "messages", "locales", "l10n", "msg"))

#: What a message holds beside text: links, templates, values, tags.
PLACEHOLDER = re.compile(
    r"\[\[[^|\]]*\|?|\]\]|\{\{[^|}]*[|:]?|\}\}|\$\d+|%(?:\d+\$)?[sd\d]|<[^>]*>|https?:\S+"
)

#: Names of languages that Android alone uses.
ANDROID = {"in": "id", "be-x-old": "be", "kk-Cyrl": "kk", "tg-Cyrl": "tg", "tt-Cyrl": "tt", "sr-Cyrl": "sr"}


@dataclass(frozen=True)
class Text:
    """One text: its language, where it is from, the group that is never divided between the halves, and how
    many times it is learned from."""

    lang: str
    source: str
    group: str
    text: str
    times: int = 1

    @property
    def half(self) -> int:
        """0 or 1: the half that the text's group was dealt to."""
        return hashlib.blake2b(self.group.encode(), digest_size=1).digest()[0] & 1


@dataclass(frozen=True)
class Source:
    """A folder under the root, its licence, the most texts taken of one language, and how to read it.

    Of a source that is `listed` words, those that are Russian too are left out where they are borrowed. Of
    one that is `public`, the sentences of the benchmark are left out. Its texts are learned from so many
    `times`.
    """

    folder: str
    licence: str
    most: int
    read: Callable[[Path], Iterator[tuple[str, str, str]]]
    listed: bool = False
    public: bool = False
    times: int = 1


def _tag(name: str) -> str:
    return TAGS.get(name, name)


def _plain(text: str) -> str:
    return " ".join(text.split())


def common_voice(root: Path) -> Iterator[tuple[str, str, str]]:
    """Sentences that people gave to be read aloud, a line each."""
    for folder in sorted((root / "server" / "data").iterdir()):
        if folder.is_dir() and _tag(folder.name) in CYRILLIC | LATIN:
            for path in sorted(folder.glob("*.txt")):
                for line in path.read_text("utf-8", "replace").splitlines()[:40_000]:
                    yield folder.name, line, line


def tatoeba(root: Path) -> Iterator[tuple[str, str, str]]:
    """LASER's cut of Tatoeba. Languages of sentences.parquet are left out: their other half is a test set."""
    taken = {"bel", "bul", "kaz", "mhr", "mkd", "mon", "orv", "rus", "tat", "ukr", "arz"}
    for path in sorted((root / "data" / "tatoeba" / "v1").glob("tatoeba.*-eng.*")):
        code = path.name.rsplit(".", 1)[1]
        if code not in taken:
            for line in path.read_text("utf-8").splitlines():
                yield code, line, line


def ntrex_latin(root: Path) -> Iterator[tuple[str, str, str]]:
    """NTREX's languages in Latin script, the sentences whose Russian is in sentences.parquet."""
    folder = root / "NTREX-128"
    mine = (root / "numbers.txt").read_text().split()
    for path in sorted(folder.glob("newstest2019-ref.*.txt")):
        lines = path.read_text("utf-8").splitlines()
        for number in mine:
            yield path.name.split(".")[1].split("-")[0], f"ntrex {number}", lines[int(number)]


def declarations(root: Path) -> Iterator[tuple[str, str, str]]:
    """The Universal Declaration in Latin script, an article a text."""
    for path in sorted((root / "declaration").glob("*.html")):
        page = path.read_text("utf-8")
        if len(CYRILLIC_LETTER.findall(page)) > 500:
            continue  # udhr_cyrillic.parquet holds these
        for number, piece in enumerate(re.findall(r"<p[^>]*>(.*?)</p>", page, re.S)):
            text = html.unescape(re.sub(r"<[^>]+>", " ", piece))
            yield path.stem, f"udhr {path.stem} {number}", text


def messages(root: Path) -> Iterator[tuple[str, str, str]]:
    """Messages of an interface in JSON, a file a language, wherever folders of messages lie."""
    for path in sorted(root.rglob("*.json")):
        if not MESSAGES & set(path.relative_to(root).parts):
            continue
        try:
            values = json.loads(path.read_text("utf-8"))
        except (ValueError, UnicodeDecodeError):
            continue
        if not isinstance(values, dict):
            continue
        for key, value in values.items():
            if isinstance(value, str) and not key.startswith("@"):
                yield path.stem, f"message {key}", PLACEHOLDER.sub(" ", value)


def android_strings(root: Path) -> Iterator[tuple[str, str, str]]:
    """Messages of an Android application: values-<language>/*.xml."""
    for path in sorted(root.rglob("values-*/*.xml")):
        name = path.parent.name.removeprefix("values-").removeprefix("b+").replace("+", "-")
        for key, value in re.findall(
            r'<string name="([^"]*)"[^>]*>(.*?)</string>', path.read_text("utf-8"), re.S
        ):
            text = re.sub(r"\\[nt]", " ", html.unescape(value)).replace("\\", "")
            yield ANDROID.get(name, name), f"message {key}", PLACEHOLDER.sub(" ", text)


def treebank(lang: str) -> Callable[[Path], Iterator[tuple[str, str, str]]]:
    """Sentences of a Universal Dependencies treebank: its lines `# text = `."""

    def read(root: Path) -> Iterator[tuple[str, str, str]]:
        for path in sorted(root.rglob("*.conllu")):
            for line in path.read_text("utf-8").splitlines():
                if line.startswith("# text = "):
                    yield lang, line[9:], line[9:]

    return read


def serbian_in_cyrillic(root: Path) -> Iterator[tuple[str, str, str]]:
    """A treebank that is written in Latin letters, in Cyrillic ones: Serbian has a letter for each."""
    for lang, group, text in treebank("sr")(root):
        yield lang, group, in_cyrillic(text)


def four_battles(root: Path) -> Iterator[tuple[str, str, str]]:
    """One book in five Uralic languages, a sentence a row."""
    for number, line in enumerate((root / "data-raw" / "four_battles.tsv").read_text("utf-8").splitlines()):
        for lang, text in zip(("kpv", "koi", "myv", "udm", "mhr"), line.split("\t"), strict=False):
            yield lang, f"battles {number}", text


def church_slavonic(root: Path) -> Iterator[tuple[str, str, str]]:
    """Liturgical books in Markdown, paragraphs cut into sentences."""
    for path in sorted(root.rglob("chapters/*.md")):
        for paragraph in path.read_text("utf-8").split("\n\n"):
            for sentence in re.split(r"(?<=[.:;!])\s", re.sub(r"[=~<>\[\]{}*#]|\[[^\]]*\]", " ", paragraph)):
                yield "cu", path.name + sentence, sentence


def shared_sentences(root: Path) -> Iterator[tuple[str, str, str]]:
    """sentences.parquet: the nth sentence of NTREX is the same in each language, and stays in one half."""
    counts: dict[str, int] = {}
    for row in pq.read_table(root / "sentences.parquet").to_pylist():
        group = row["text"]
        if row["source"] == NTREX:
            counts[row["lang"]] = counts.get(row["lang"], -1) + 1
            group = f"{SHARED} {counts[row['lang']]}"
        yield row["lang"], group, row["text"]


def shared_ntrex(root: Path) -> Iterator[tuple[str, str, str]]:
    return (row for row in shared_sentences(root) if row[1].startswith(SHARED))


def shared_tatoeba(root: Path) -> Iterator[tuple[str, str, str]]:
    return (row for row in shared_sentences(root) if not row[1].startswith(SHARED))


def shared_declarations(root: Path) -> Iterator[tuple[str, str, str]]:
    for row in pq.read_table(root / "udhr_cyrillic.parquet").to_pylist():
        for number, line in enumerate(re.split(r"\n|(?<=[.;:!?])\s", row["text"])):
            yield row["name"], f"udhr {row['name']} {number}", line


def russian(name: str) -> Callable[[Path], Iterator[tuple[str, str, str]]]:
    """Paragraphs of Russian documents, cut into sentences; every nth, so that all documents take part."""

    def read(root: Path) -> Iterator[tuple[str, str, str]]:
        table = pq.read_table(root / f"{name}.parquet", columns=["id", "text"])
        for row in table.to_pylist():
            sentences = [s for line in row["text"].split("\n") for s in re.split(r"(?<=[.!?…])\s", line)]
            for sentence in sentences[:: max(1, len(sentences) // 200)]:
                yield "ru", f"{name} {row['id']}", sentence

    return read


SA = "CC-BY-SA-4.0"
TATOEBA = "Tatoeba, CC-BY-2.0-FR"
UD = "UniversalDependencies+UD_"

#: Readers of sources in which what nobody translated is there in Russian.
TRANSLATED = (messages, android_strings)

SOURCES: tuple[Source, ...] = (
    Source("langid", "NTREX-128 CC-BY-SA-4.0", 100_000, shared_ntrex),
    # The only short sentences of most languages: beside 40,000 other texts of a language they would be lost.
    Source("langid", TATOEBA, 100_000, shared_tatoeba, times=4),
    Source("langid", "UDHR in Unicode, MIT", 100_000, shared_declarations),
    Source("text_ru", "public domain", 25_000, russian("ruslit")),
    Source("text_ru", "CC0-1.0", 8_000, russian("rusdracor")),
    Source("text_ru", "CC0-1.0", 15_000, russian("koziev")),
    Source("text_ru", "CC-BY-3.0", 12_000, russian("phpdoc_ru")),
    Source("mozilla+voice-web", "CC0-1.0", 20_000, common_voice),
    Source("facebookresearch+LASER", "Tatoeba, CC-BY-2.0-FR", 1_000, tatoeba),
    Source("MicrosoftTranslator+NTREX", SA, 1_000, ntrex_latin),
    Source("wooorm+udhr", "UDHR in Unicode, MIT", 200, declarations),
    Source("wikimedia+VisualEditor", "MIT", 2_000, messages),
    *(
        Source(f"wikimedia+mediawiki-extensions-{name}", "MIT", 1_000, messages)
        for name in ("Echo", "VisualEditor", "DiscussionTools", "Kartographer", "Thanks", "Citoid")
    ),
    Source("wikimedia+jquery.uls", "MIT", 1_000, messages),
    Source("wikimedia+wikimedia-portals", "MIT", 1_000, messages),
    Source("Krinkle+intuition", "MIT", 2_000, messages),
    Source("MusikAnimal+pageviews", "MIT", 1_000, messages),
    Source("ether+etherpad-lite", "Apache-2.0", 1_000, messages),
    Source("google+blockly", "Apache-2.0", 1_000, messages),
    Source("wikimedia+apps-android-wikipedia", "Apache-2.0", 2_000, android_strings),
    Source("commons-app+apps-android-commons", "Apache-2.0", 2_000, android_strings),
    Source("google-research+url-nlp", "CC-BY-4.0", 2_000, lexicon, listed=True),
    Source("slavonic+cu-md-sandbox", "MIT", 10_000, church_slavonic),
    Source("tesseract-ocr+langdata", "Apache-2.0", 7_000, words, listed=True),
    Source("tesseract-ocr+langdata_lstm", "Apache-2.0", 4_000, words, listed=True),
    Source("hermitdave+FrequencyWords", "CC-BY-SA-4.0", 12_000, subtitles, listed=True),
    Source("unicode-org+unilex", "Unicode-3.0", 6_000, unilex, listed=True),
    Source(CLDR, "Unicode-3.0", 2_000, place_names, listed=True),
    Source("unimorph+ady", "CC-BY-SA-3.0", 2_000, forms("ady"), listed=True),
    Source("unimorph+kbd", "CC-BY-SA-3.0", 2_000, forms("kbd"), listed=True),
    Source("s7777+BulgarianToEnglish", TATOEBA, 3_000, pairs("bg", "bul.txt"), public=True),
    Source("yuliyamkh+by-en-machine-translation", TATOEBA, 10_000, pairs("be", "data/bel.txt"), public=True),
    Source("langdoc+uralic", "public domain", 10_000, four_battles),
    Source(UD + "Abaza-ATB", SA, 10_000, treebank("abq")),
    Source(UD + "Abkhaz-AbNC", SA, 10_000, treebank("ab")),
    Source(UD + "Belarusian-HSE", SA, 10_000, treebank("be")),
    Source(UD + "Buryat-BDT", SA, 10_000, treebank("bua")),
    Source(UD + "Chukchi-HSE", SA, 10_000, treebank("ckt")),
    Source(UD + "Erzya-JR", SA, 10_000, treebank("myv")),
    Source(UD + "Kazakh-KTB", SA, 10_000, treebank("kk")),
    Source(UD + "Komi_Permyak-UH", SA, 10_000, treebank("koi")),
    Source(UD + "Komi_Zyrian-IKDP", SA, 10_000, treebank("kpv")),
    Source(UD + "Komi_Zyrian-Lattice", SA, 10_000, treebank("kpv")),
    Source(UD + "Kyrgyz-KTMU", SA, 10_000, treebank("ky")),
    Source(UD + "Macedonian-MTB", SA, 10_000, treebank("mk")),
    Source(UD + "Moksha-JR", SA, 10_000, treebank("mdf")),
    Source(UD + "Nenets-Tundra", SA, 10_000, treebank("yrk")),
    Source(UD + "Old_East_Slavic-Birchbark", SA, 10_000, treebank("orv")),
    Source(UD + "Old_East_Slavic-RNC", SA, 10_000, treebank("orv")),
    Source(UD + "Russian-GSD", SA, 10_000, treebank("ru")),
    Source(UD + "Russian-Taiga", SA, 10_000, treebank("ru")),
    Source(UD + "Serbian-SET", SA, 10_000, serbian_in_cyrillic),
    Source(UD + "Tatar-NMCTT", SA, 10_000, treebank("tt")),
    Source(UD + "Yakut-YKTDT", SA, 10_000, treebank("sah")),
)


def texts(root: Path, sources: tuple[Source, ...] = SOURCES) -> Iterator[Text]:
    """The texts of every source of the languages that the model distinguishes, each once a language.

    Of a source that holds more than `most` texts of a language, those with the smallest digests are taken.
    Raises FileNotFoundError that names the folder where a source is missing.
    """
    for source in sources:
        folder = root / source.folder
        if not folder.is_dir():
            raise FileNotFoundError(
                f"{folder}: the source is not there; docs/measured/language.md says how to get it"
            )
    seen: set[tuple[str, str]] = set()
    russian = russian_words(root) if any(source.listed for source in sources) else frozenset()
    known_sentences = benchmark(root) if any(source.public for source in sources) else frozenset()
    for source in sorted(sources, key=lambda source: source.read in TRANSLATED):
        found: dict[str, list[tuple[bytes, Text]]] = {}
        known = CYRILLIC | LATIN
        rows = [
            (_tag(name), group, _plain(raw))
            for name, group, raw in source.read(root / source.folder)
            if _tag(name) in known
        ]
        if source.listed:
            rows = [
                (lang, group, text if lang in SLAVIC else _plain(without_russian(text, russian)))
                for lang, group, text in rows
            ]
        if source.public:
            rows = [row for row in rows if normalised(row[2]) not in known_sentences]
        # Messages that nobody translated are there in Russian.
        russian_texts = (
            {text for lang, _, text in rows if lang == "ru"} if source.read in TRANSLATED else set()
        )
        for name, group, text in rows:
            lang = _by_script(name, text)
            if source.listed and name in ALSO_LATIN and lang != name:
                continue  # what is in Latin letters in such lists is English and names of files
            if lang and (lang, text) not in seen and (lang == "ru" or text not in russian_texts):
                seen.add((lang, text))
                digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
                found.setdefault(lang, []).append(
                    (digest, Text(lang, source.folder, group, text, source.times))
                )
        for rows_of_one in found.values():
            rows_of_one.sort(key=lambda pair: pair[0])
            most = source.most // 3 if rows_of_one[0][1].lang in LATIN else source.most
            yield from (text for _, text in rows_of_one[:most])


def _by_script(lang: str, text: str) -> str | None:
    """The tag of a text's language in its script; none where the model does not know it, or in a
    third script."""
    cyrillic, latin = len(CYRILLIC_LETTER.findall(text[:200])), len(LATIN_LETTER.findall(text[:200]))
    if latin > cyrillic:
        lang = ALSO_LATIN.get(lang, lang)
        return lang if lang in LATIN else None
    return lang if lang in CYRILLIC and cyrillic else None
