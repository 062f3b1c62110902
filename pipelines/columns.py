"""What several files of a published dataset say to its readers: columns, limits, citation."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

from corpus.quality.signals import MEANING

if TYPE_CHECKING:
    from pipelines.manifest import Manifest

#: What each column means to a reader, in English and in Russian.
COLUMNS: Final[dict[str, tuple[str, str]]] = {
    "doc_id": ("identity, the same in every run", "идентификатор, одинаковый при каждом запуске"),
    "url": ("address of the page", "адрес страницы"),
    "host": ("host of the address", "хост адреса"),
    "fetched_at": ("when the page was fetched (UTC)", "когда страница получена (UTC)"),
    "source": ("file and offset of the record", "файл и смещение записи"),
    "text": ("the document", "текст документа"),
    "title": ("title as the page states it", "заголовок страницы"),
    "author": ("author as the page states it", "автор, указанный на странице"),
    "date": ("date of publication as the page states it", "дата публикации, указанная на странице"),
    "declared_language": ("language as the page declares it", "язык, объявленный страницей"),
    "canonical_url": ("address that the page calls its own", "адрес, который страница называет своим"),
    "page_kind": ("likeliest kind of page", "наиболее вероятный вид страницы"),
    "content_confidence": (
        "how sure the extractor is of the main text, 0 to 1",
        "уверенность в границах основного текста, от 0 до 1",
    ),
    "noindex": ("the page asks not to be indexed", "страница просит её не индексировать"),
    "noai": ("the page asks not to be used for AI", "страница просит не использовать её для ИИ"),
    "tdm_reserved": (
        "text and data mining is reserved (TDM reservation)",
        "права на анализ текста и данных сохранены (TDM reservation)",
    ),
    "train_ai_disallowed": (
        "asks not to be used for training (Content-Usage, Content-Signal)",
        "просит не использовать для обучения (Content-Usage, Content-Signal)",
    ),
    "robots_disallowed": (
        "robots.txt closes the page to robots that gather training data",
        "robots.txt закрывает страницу для роботов, собирающих данные для обучения",
    ),
    "declared_charset": ("charset as declared", "объявленная кодировка"),
    "charset": ("charset by which the page was decoded", "кодировка, в которой страница прочитана"),
    "replaced_characters": ("characters that could not be decoded", "символы, которые не удалось прочитать"),
    "truncated": (
        "why only a part of the page was archived; null for whole pages",
        "почему в архиве только часть страницы; пусто, если она целая",
    ),
    "lang": ("language, BCP-47", "язык, BCP-47"),
    "lang_score": ("how sure the language is, 0 to 1", "уверенность в языке, от 0 до 1"),
    "lang_second": ("the language that comes second", "второй по вероятности язык"),
    "russian_score": (
        "probability of Russian, in old spelling or new",
        "вероятность русского языка, в старой или новой орфографии",
    ),
    "orthography": (
        "prereform for Russian as spelled before 1918, else modern",
        "prereform для дореформенной орфографии, иначе modern",
    ),
    "shares": ("languages of the lines by share of letters", "языки строк с долями букв"),
    "russian_share": ("Russian's share of the letters", "доля букв в русских строках"),
    "cyrillic_share": ("Cyrillic letters among all letters", "доля кириллицы среди букв"),
    "foreign_letter_share": (
        "letters outside the Russian alphabet among Cyrillic ones",
        "доля нерусских букв среди кириллических",
    ),
    "mixed_word_share": ("words that mix Latin and Cyrillic letters", "доля слов из латиницы и кириллицы"),
    "trimmed_letters": ("letters of passages cut out as foreign", "буквы вырезанных иноязычных мест"),
    "notices": (
        "age marks, foreign agents' statements and copyright lines that were taken out of the text",
        "знаки возраста, пометки иноагентов и строки об авторских правах, вынутые из текста",
    ),
    "lines_dropped": ("boilerplate lines taken out", "сколько служебных строк удалено"),
    "chars_dropped": ("their characters", "сколько в них символов"),
    "host_lines_dropped": (
        "lines taken out that stand on many pages of the host",
        "удалённые строки, общие для многих страниц хоста",
    ),
    "host_chars_dropped": ("their characters", "сколько в них символов"),
    "masked": ("places where personal data or secrets were masked", "сколько мест замаскировано"),
    "masks": ("where each mask stands, and its kind", "где стоит каждая маска и какого она рода"),
    "register": ("kind of text", "жанр текста"),
    "register_probability": ("probability of the register", "вероятность жанра"),
    "junk_margin": (
        "log of the odds that the document is junk",
        "логарифм шансов, что документ — мусор",
    ),
    "quality": ("probability that the document is good, 0 to 1", "вероятность хорошего документа, от 0 до 1"),
    "class_score": ("score of a classifier of one's own", "оценка собственного классификатора"),
    "cluster_size": (
        "documents in its cluster of duplicates, this one included",
        "сколько документов в его группе дубликатов, считая его самого",
    ),
    "domain": ("registered domain of the host", "зарегистрированный домен хоста"),
    "contaminated_by": ("benchmarks whose texts it shares", "тесты, с текстами которых он совпадает"),
    "mix_source": ("source of the mixture that the document is of", "источник смеси, из которого документ"),
    "mix_epoch": ("which time the document is read in the mixture", "который раз документ входит в смесь"),
    "contaminated_words": ("words shared with benchmarks", "сколько слов общих с тестами"),
}
#: Columns of a family: beginning -> meaning, the rest of the name being what it is of.
_FAMILIES: Final = (
    ("repaired_", "repairs of the kind: ", "исправления вида: "),
    ("lines_dropped_", "boilerplate lines of the kind: ", "удалённые служебные строки вида: "),
    ("masked_", "masks of the kind: ", "маски рода: "),
)
#: Known limits of what bukvar makes, as the card states them.
LIMITS: Final = (
    "Web text repeats the errors, opinions and prejudices of its authors.",
    "The language of short documents is identified less surely.",
    "Near duplicates below the threshold of similarity remain.",
    "Filters come before the search for near duplicates, so cluster_size counts what survived the filters.",
)
LIMITS_RU: Final = (
    "Тексты из сети повторяют ошибки, мнения и предрассудки своих авторов.",
    "Язык коротких документов определён менее надёжно.",
    "Похожие документы ниже порога сходства остались.",
    "Фильтры стоят до поиска дубликатов, поэтому cluster_size считает то, что прошло фильтры.",
)


@cache
def signals_in_russian() -> dict[str, str]:
    """What each quality signal is, in Russian."""
    text = resources.files("pipelines").joinpath("assets/signals.ru.toml").read_text(encoding="utf-8")
    return {name: str(meaning) for name, meaning in tomllib.loads(text).items()}


def meaning(name: str) -> tuple[str, str]:
    """What a column means, in English and in Russian; empty where nothing is known of it."""
    if name in COLUMNS:
        return COLUMNS[name]
    for begin, english, russian in _FAMILIES:
        if name.startswith(begin):
            kind = name.removeprefix(begin).replace("_", " ")
            return english + kind, russian + kind
    if name in MEANING:
        return MEANING[name], f"признак качества: {signals_in_russian()[name]}"
    return "", ""


def split_of(path: str) -> str:
    """The split that a shard is of."""
    return path.removeprefix("data/").partition("-")[0]


def subset_of(path: str) -> str:
    """The subset that a shard of a dataset with subsets is of."""
    return path.removeprefix("data/").split("-")[1]


def citation(manifest: Manifest) -> str:
    """How to cite a dataset, as BibTeX: the digests of its shards say which version is meant."""
    year = manifest.contents.get("last", "")[:4]
    lines = [
        f"title = {{{manifest.title}}}",
        *([f"year = {{{year}}}"] if year else []),
        f"version = {{{manifest.version}}}",
        f"note = {{{manifest.rows} documents; manifest {manifest.digest()[:16]}; made with bukvar "
        f"{manifest.made_with.get('bukvar', '')}}}",
    ]
    return "@misc{dataset,\n  " + ",\n  ".join(lines) + "\n}"
