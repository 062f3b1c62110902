"""The language model beside its peers, on the half of each source that the model of the run never saw.

    BUKVAR_DATA=... python tests/bench/bench_language.py [--model HALF.model] [--half 1] [--figure FILE.svg]

Reads langid/sentences.parquet (NTREX-128, Tatoeba), langid/udhr_cyrillic.parquet and text_ru/*.parquet,
quality/dev.parquet.
HALF.model is fitted by `python -m scripts.fit.language SOURCES HALF.model --half 0`, which learns from the
other half only; without it the bundled model is measured, which has seen these texts. Peers run where they
can be imported: fasttext with lid.176, py3langid, heliport, gcld3 (cld3-py), pycld2, eld, lingua.

NTREX says the same in each language: a sentence is in one half with all its translations.
"""

from __future__ import annotations

import argparse
import collections
import functools
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus import language
from corpus.langid import fasttext_model
from corpus.langid.tags import TAGS, tag
from corpus.language import Identify
from rust_ext import LanguageModel
from scripts.fit.language_augment import old_spelling, transliterated
from scripts.fit.language_sources import Text, shared_declarations, shared_sentences

Predict = Callable[[list[str]], list[str | None]]
Rows = list[tuple[str, str]]

#: Codes of the peers that mean a language of the sets; Bosnian in Cyrillic is Serbian here.
SAME = {
    "mn": "mn",
    "khk": "mn",
    "sh": "sr",
    "hbs": "sr",
    "bs": "sr",
    "hr": "sr",
    "be-tarask": "be",
    "chm": "mhr",
}


def own(texts: list[str]) -> list[str | None]:
    batch = pa.table({"text": pa.array(texts, pa.large_string())})
    found: list[str | None] = Identify(keep="all").open()(batch)["lang"].to_pylist()
    return found


def fasttext_alone(texts: list[str]) -> list[str | None]:
    model = fasttext_model.load("lid.176")
    labels, _ = model.predict([text.replace("\n", " ") for text in texts])
    return [tag(names[0]) for names in labels]


def peers() -> Iterable[tuple[str, Predict]]:
    """Every peer that can be imported here, with what tells languages."""
    yield "lid.176", fasttext_alone
    for name, make in (
        ("py3langid", _py3langid),
        ("heliport", _heliport),
        ("cld3", _cld3),
        ("cld2", _cld2),
        ("eld", _eld),
        ("lingua", _lingua),
    ):
        try:
            yield name, make()
        except ImportError as error:
            print(f"  {name}: not installed ({error})")


def _each(tell: Callable[[str], str | None]) -> Predict:
    return lambda texts: [_named(tell(text)) for text in texts]


def _named(code: str | None) -> str | None:
    short = TAGS.get(code, code) if code else code
    return SAME.get(short, short) if short else short


def _py3langid() -> Predict:
    import py3langid

    return _each(lambda text: str(py3langid.classify(text)[0]))


def _heliport() -> Predict:
    import heliport

    identifier = heliport.Identifier()
    return lambda texts: [
        _named(tag(str(identifier.identify(text.replace("\n", " "))).split("_")[0])) for text in texts
    ]


def _cld3() -> Predict:
    import gcld3

    found = gcld3.NNetLanguageIdentifier(min_num_bytes=0, max_num_bytes=4000)
    return _each(lambda text: str(found.FindLanguage(text=text).language))


def _cld2() -> Predict:
    import pycld2

    def tell(text: str) -> str | None:
        try:
            return str(pycld2.detect(text)[2][0][1])
        except pycld2.error:
            return None

    return _each(tell)


def _eld() -> Predict:
    from eld import LanguageDetector

    detector = LanguageDetector()
    return _each(lambda text: detector.detect(text).language)


def _lingua() -> Predict:
    from lingua import LanguageDetectorBuilder

    detector = LanguageDetectorBuilder.from_all_languages().with_low_accuracy_mode().build()

    def tell(text: str) -> str | None:
        found = detector.detect_language_of(text)
        return found.iso_code_639_1.name.lower() if found else None

    return _each(tell)


def halves(folder: Path, half: int) -> dict[str, Rows]:
    """The sets: (language, text) of the half."""
    root = folder / "langid"
    sets: dict[str, Rows] = collections.defaultdict(list)
    for name, group, text in shared_sentences(root):
        if Text(name, "", group, text).half == half:
            kind = "NTREX sentences" if group.startswith("ntrex") else "Tatoeba sentences"
            sets[kind].append((TAGS.get(name, name), text))
    for name, group, text in shared_declarations(root):
        if Text(name, "", group, text).half == half and sum(map(str.isalpha, text)) >= 40:
            sets["UDHR sentences"].append((TAGS.get(name, name), text))
    sets["NTREX in capitals"] = [(lang, text.upper()) for lang, text in sets["NTREX sentences"]]
    by_language: dict[str, list[str]] = collections.defaultdict(list)
    for lang, text in sets["NTREX sentences"]:
        by_language[lang].append(text)
    sets["documents of 8 sentences"] = [
        (lang, "\n".join(texts[at : at + 8]))
        for lang, texts in by_language.items()
        for at in range(0, len(texts) - 7, 8)
    ]
    return dict(sets)


def same(lang: str, name: str | None) -> bool:
    """Whether it is the language, in whatever script: some of Tatoeba's Tatar is in Latin letters."""
    found = _named(name)
    return found is not None and found.partition("-")[0] == lang.partition("-")[0]


def recall(rows: Rows, found: list[str | None]) -> tuple[float, float, float, str]:
    """Mean recall over languages, Russian's, the largest share taken for Russian and whose that is."""
    right: dict[str, list[bool]] = collections.defaultdict(list)
    russian: dict[str, list[bool]] = collections.defaultdict(list)
    for (lang, _), name in zip(rows, found, strict=True):
        right[lang].append(same(lang, name))
        russian[lang].append(_named(name) == "ru")
    leak, whose = max((float(np.mean(russian[lang])), lang) for lang in russian if lang != "ru")
    mean = float(np.mean([np.mean(values) for values in right.values()]))
    return mean, float(np.mean(right.get("ru", [False]))), leak, whose


def table_of_peers(sets: dict[str, Rows]) -> None:
    everybody = [("own", own), *peers()]
    for kind, rows in sets.items():
        print(f"{kind}: {len(rows)} in {len({lang for lang, _ in rows})} languages")
        for name, predict in everybody:
            started = time.process_time()
            found = predict([text for _, text in rows])
            seconds = time.process_time() - started
            mean, russian, leak, whose = recall(rows, found)
            print(
                f"  {name:10} recall {mean:.4f}  Russian {russian:.4f}  leak {leak:.4f} ({whose})"
                f"  {len(rows) / seconds:,.0f} texts/s"
            )


def errors(rows: Rows) -> None:
    found = own([text for _, text in rows])
    wrong = collections.Counter(
        (lang, name) for (lang, _), name in zip(rows, found, strict=True) if not same(lang, name)
    )
    sizes = collections.Counter(lang for lang, _ in rows)
    shown = [f"{a}->{b} {n / sizes[a]:.4f}" for (a, b), n in wrong.most_common(12)]
    print(f"  confusions: {', '.join(shown)}")


def cyrillic_letters(text: str) -> int:
    return sum("\u0400" <= c <= "\u04ff" for c in text)


def russian_kinds(folder: Path) -> None:
    """Kinds of Russian that models lose: the share called ru (or ru-Latn)."""
    import random

    draw = random.Random(1)
    read = functools.partial(pq.read_table, columns=["text"])
    lines = {
        name: [
            line
            for text in read(folder / "text_ru" / f"{name}.parquet")["text"].to_pylist()
            for line in text.split("\n")
            if cyrillic_letters(line) >= max(15, 0.5 * sum(map(str.isalpha, line)))
        ]
        for name in ("news", "wikinews", "koziev", "phpdoc_ru", "ruslit")
    }
    chat = pq.read_table(folder / "quality" / "dev.parquet", columns=["kind", "text"]).to_pylist()
    lines["chat"] = [
        line
        for row in chat
        if row["kind"] == "telegram_spam"
        for line in row["text"].split("\n")
        if cyrillic_letters(line) >= max(15, 0.5 * sum(map(str.isalpha, line)))
    ]
    sample = {name: draw.sample(values, min(3000, len(values))) for name, values in lines.items()}
    code = "\nfor (int i = 0; i < values.length; i++) { total += values[i].toString(); }"
    names = " (Windows, NVIDIA GeForce, John Smith)"
    kinds: dict[str, tuple[list[str], str]] = {
        "lines of news (unseen source)": (sample["news"], "ru"),
        "lines of wikinews (unseen source)": (sample["wikinews"], "ru"),
        "lines of dialogue": (sample["koziev"], "ru"),
        "lines of Telegram messages": (sample["chat"], "ru"),
        "the same in capitals": ([text.upper() for text in sample["koziev"]], "ru"),
        "news with names in Latin letters": ([text + names for text in sample["news"]], "ru"),
        "news with a line of code": ([text + code for text in sample["news"]], "ru"),
        "old spelling (made), all kinds": ([old_spelling(text, draw) for text in sample["wikinews"]], "ru"),
        "in Latin letters (made)": (
            [transliterated(text, "ru", draw) for text in sample["wikinews"]],
            "ru-Latn",
        ),
    }
    for kind, (texts, expected) in kinds.items():
        found = own(texts)
        print(f"  {kind:36} {np.mean([name == expected for name in found]):.4f} of {len(texts)}")


def whole_documents(folder: Path) -> None:
    for path in sorted((folder / "text_ru").glob("*.parquet")):
        table = pq.read_table(path, columns=["text"])
        started = time.process_time()
        result = Identify().open()(table)
        seconds = time.process_time() - started
        drops = collections.Counter(result["drop"].to_pylist())
        kept = drops.pop(None, 0)
        size = table["text"].nbytes / 1e6
        print(
            f"  {path.stem:10} kept {kept / table.num_rows:.4f} of {table.num_rows} {dict(drops)} "
            f"{table.num_rows / seconds:.0f} documents/s {size / seconds:.0f} MB/s"
        )


def speed(folder: Path) -> None:
    """Documents of 3,300 letters a second of one core; and that the time grows with the size alone."""
    texts: list[str] = []
    for name in ("news", "ruslit", "koziev", "phpdoc_ru"):
        for text in pq.read_table(folder / "text_ru" / f"{name}.parquet", columns=["text"])[
            "text"
        ].to_pylist():
            texts.extend(text[at : at + 4_000] for at in range(0, min(len(text) - 4_000, 12_000), 4_000))
    texts = [text for text in texts if sum(map(str.isalpha, text)) > 2_800][:4_000]
    letters = sum(map(str.isalpha, "".join(texts))) / len(texts)
    for times in (1, 4, 16):
        batch = pa.table(
            {"text": pa.array([text * times for text in texts[: 4_000 // times]], pa.large_string())}
        )
        stage = Identify(keep="all").open()
        started = time.process_time()
        stage(batch)
        seconds = time.process_time() - started
        size = batch["text"].nbytes / 1e6
        print(
            f"  {batch.num_rows} documents of {letters * times:,.0f} letters: "
            f"{batch.num_rows / seconds:,.0f} documents/s, {size / seconds:.0f} MB/s"
        )


def reliability(sets: dict[str, Rows], figure: Path | None) -> None:
    """How often a score is right: in ten bins, and the expected calibration error."""
    rows = [row for kind in ("NTREX sentences", "Tatoeba sentences", "UDHR sentences") for row in sets[kind]]
    batch = pa.table({"text": pa.array([text for _, text in rows], pa.large_string())})
    result = Identify(keep="all", max_foreign_letters=1, max_bulgarian_hard_signs=1).open()(batch)
    score = result["lang_score"].to_numpy()
    right = np.array(
        [same(lang, name) for (lang, _), name in zip(rows, result["lang"].to_pylist(), strict=True)]
    )
    points, error = [], 0.0
    for low in np.arange(0, 1, 0.1):
        part = (score > low) & (score <= low + 0.1)
        if part.any():
            points.append((float(score[part].mean()), float(right[part].mean()), int(part.sum())))
            error += abs(points[-1][0] - points[-1][1]) * points[-1][2] / len(rows)
    print("  score, share right, texts: " + "; ".join(f"{s:.3f} {r:.3f} {n}" for s, r, n in points))
    print(f"  expected calibration error {error:.4f} over {len(rows)} texts")
    if figure:
        draw_reliability(points, error, figure)


def draw_reliability(points: list[tuple[float, float, int]], error: float, path: Path) -> None:
    import matplotlib.pyplot as plt

    plt.rcParams["svg.hashsalt"] = "bukvar"
    figure, axes = plt.subplots(figsize=(4.2, 4))
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
    axes.plot([s for s, _, _ in points], [r for _, r, _ in points], marker="o")
    for score, share, count in points:
        axes.annotate(f"{count:,}", (score, share), textcoords="offset points", xytext=(4, -12), fontsize=7)
    axes.set(xlabel="lang_score", ylabel="share that is right", title=f"calibration error {error:.3f}")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main() -> int:
    if "BUKVAR_DATA" not in os.environ:
        print("set BUKVAR_DATA to the folder that holds langid/ and text_ru/", file=sys.stderr)
        return 2
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, help="a model fitted to one half (default: the bundled one)")
    parser.add_argument("--half", type=int, default=1, help="the half to measure on")
    parser.add_argument("--figure", type=Path, help="where to draw how often a score is right (SVG)")
    options = parser.parse_args()
    folder = Path(os.environ["BUKVAR_DATA"])
    sets: dict[str, Any] = halves(folder, options.half)
    bundled = language.load_model
    if options.model:
        half_model = LanguageModel(options.model.read_bytes())
        language.load_model = lambda: half_model  # type: ignore[assignment]
    table_of_peers(sets)
    for kind in ("NTREX sentences", "Tatoeba sentences", "UDHR sentences"):
        print(kind)
        errors(sets[kind])
    print("how often a score is right")
    reliability(sets, options.figure)
    print("kinds of Russian")
    russian_kinds(folder)
    print("whole documents (the bundled model)")
    language.load_model = bundled
    whole_documents(folder)
    print("speed (the bundled model)")
    speed(folder)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
