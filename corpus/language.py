"""Stage `identify`: the language of each document, from fastText's lid.176 and from its letters.

fastText alone takes Russian for granted: on single sentences a third of the Old East Slavic and a sixth of
the Serbian with Latin look-alikes are "Russian" to it. Letters settle what it can't: і ї є ґ, ў, ј љ њ ћ ђ,
ѓ ќ, ә ғ қ ң ө ү һ, ҷ ҳ ӣ ӯ are not in the Russian alphabet, ъ before a consonant is Bulgarian. Spelling
before 1918 (ѣ і ѳ ѵ, ъ at the end of words) is Russian and is kept, marked in the column `orthography`.

The model sees only words that hold a Cyrillic letter: code, links and names in Latin script do not vote.
Measured in docs/identify.md: recall on technical pages rises from .90 to .99 by it.

Languages are written as BCP-47 tags (`ru`, `uk`, `sah`), as lid.176 names them: the shortest ISO 639 code.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpus import table
from corpus.table import with_columns
from corpus.texts import text_buffers
from rust_ext import LETTER_NAMES, letter_counts, text_samples

MODEL = Path(__file__).parent / "assets" / "lid.176.ftz"

#: Places of a text from which the model reads, and characters at each. On text_ru recall does not change
#: between 3 x 200 and 3 x 800 characters; the model's time does, fourfold (docs/identify.md).
WINDOWS = 3
WINDOW_CHARS = 300

#: Labels asked of the model: enough to find Russian's probability where it is not the first.
LABELS = 5

#: From this share of Cyrillic among the letters, only words with a Cyrillic letter are shown to the model;
#: below it a page is in another script, whatever its Cyrillic words are.
CYRILLIC_PAGE = 0.1

#: Spelling before 1918: at least this share of ѣ ѳ ѵ among Cyrillic letters and of words ending in ъ among
#: words. Drama of the 1900s in old spelling has .019 and .22, Russian of today below .0001 and .011.
PREREFORM_LETTERS = 0.003
PREREFORM_FINAL_HARD_SIGNS = 0.05

FINAL_HARD_SIGN = re.compile(r"[ъЪ]\b")
OLD_LETTERS = str.maketrans("ѣѢіІѳѲѵѴ", "еЕиИфФиИ")

Counts = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Identify:
    """Say what language each text is and keep what is Russian (keep = "all": only add the columns)."""

    name: ClassVar[str] = "identify"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("lang", pa.string()),
            pa.field("lang_score", pa.float32()),
            pa.field("russian_score", pa.float32()),
            pa.field("orthography", pa.string()),
            pa.field("cyrillic_share", pa.float32()),
            pa.field("foreign_letter_share", pa.float32()),
            pa.field("mixed_word_share", pa.float32()),
        ]
    )

    reasons: ClassVar[Mapping[str, str]] = {
        "not_russian": "another language",
        "language_uncertain": "Russian with too low a score",
        "too_short_for_language": "too few letters to tell the language",
    }

    keep: str = field(
        default="russian",
        metadata={"help": 'what stays: "russian", or "all" to add the columns and drop nothing'},
    )
    # FineWeb's threshold for fastText's lid.176 (datatrove, LanguageFilter); the cross-validation of
    # docs/identify.md finds nothing better from .5 to .8 once letters are looked at.
    min_score: float = field(
        default=0.65,
        metadata={"help": "least probability of Russian by lid.176 (0 to 1)"},
    )
    # Cross-validated: the 99.9th percentile of Russian is .008, the first of every neighbour that writes
    # with letters of its own .004 to .13.
    max_foreign_letters: float = field(
        default=0.01,
        metadata={"help": "largest share of letters outside the Russian alphabet among Cyrillic letters"},
    )
    # Bulgarian has .016 in the median, Russian at most .002.
    max_bulgarian_hard_signs: float = field(
        default=0.004,
        metadata={"help": "largest share of ъ before a consonant among Cyrillic letters"},
    )
    # Half of the pages of a Russian manual on programming lie below .45, a twentieth below .12.
    min_cyrillic_share: float = field(
        default=0.3,
        metadata={"help": "least share of Cyrillic among all letters (0 to 1)"},
    )
    # Under 40 letters a neighbour's sentence often holds none of its own letters (docs/identify.md).
    min_letters: int = field(
        default=40,
        metadata={"help": "fewest letters from which a language is told"},
    )

    def __post_init__(self) -> None:
        if self.keep not in ("russian", "all"):
            raise ValueError(f'keep is "{self.keep}"; set it to "russian" or "all"')
        for name in ("min_score", "max_foreign_letters", "max_bulgarian_hard_signs", "min_cyrillic_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}; set it to a share from 0 to 1")
        if self.min_letters < 0:
            raise ValueError(f"min_letters is {self.min_letters}; set it to 0 or more")

    def open(self) -> Callable[[pa.Table], pa.Table]:
        load_model()
        return functools.partial(identify, self)


@functools.cache
def load_model() -> Any:
    """lid.176, once a process."""
    import fasttext  # imported when needed: it takes a tenth of a second

    return fasttext.load_model(str(MODEL))


def identify(stage: Identify, batch: pa.Table) -> pa.Table:
    """The rows of `batch` with the columns of `Identify.adds` and the verdict."""
    data, offsets = text_buffers(batch.column("text"))
    counts = dict(zip(LETTER_NAMES, letter_counts(data, offsets).astype(np.float64), strict=True))
    cyrillic_share = _ratio(counts["cyrillic"], counts["letters"])
    samples = text_samples(data, offsets, cyrillic_share >= CYRILLIC_PAGE, WINDOWS, WINDOW_CHARS)
    prereform = _is_prereform(counts)
    samples = [_modern(s) if old else s for s, old in zip(samples, prereform, strict=True)]
    foreign = _foreign(counts, prereform)
    languages, scores, russian = _predict(samples, _not_russian_letters(stage, counts, foreign))
    columns: dict[str, pa.Array] = {
        "lang": pa.array(languages, pa.string()),
        "lang_score": pa.array(scores, pa.float32()),
        "russian_score": pa.array(russian, pa.float32()),
        "orthography": pa.array(np.where(prereform, "prereform", "modern").tolist(), pa.string()),
        "cyrillic_share": pa.array(cyrillic_share, pa.float32()),
        "foreign_letter_share": pa.array(foreign, pa.float32()),
        "mixed_word_share": pa.array(_ratio(counts["mixed_words"], counts["words"]), pa.float32()),
    }
    verdicts: list[tuple[str | None, str | None]] = [(None, None)] * batch.num_rows
    if stage.keep == "russian":
        hard = _hard_signs(counts)
        verdicts = [
            _verdict(stage, *row)
            for row in zip(languages, russian, counts["letters"], cyrillic_share, foreign, hard, strict=True)
        ]
    columns[table.DROP] = pa.array([reason for reason, _ in verdicts], pa.string())
    columns[table.DROP_DETAIL] = pa.array([detail for _, detail in verdicts], pa.string())
    return with_columns(batch, columns)


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return part / np.maximum(whole, 1)


def _is_prereform(counts: Counts) -> NDArray[np.bool_]:
    """Old letters *and* final hard signs: neither Ukrainian nor Old East Slavic manuscripts have both so."""
    letters = _ratio(counts["prereform"], counts["cyrillic"]) >= PREREFORM_LETTERS
    return letters & (_ratio(counts["hard_sign_final"], counts["words"]) >= PREREFORM_FINAL_HARD_SIGNS)


def _modern(text: str) -> str:
    """Old spelling as the model can read it: it takes ъ at the end of words for Bulgarian."""
    return FINAL_HARD_SIGN.sub("", text).translate(OLD_LETTERS)


def _foreign(counts: Counts, prereform: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Share of Cyrillic letters that are not Russian; і ѣ ѳ ѵ count as Russian in old spelling."""
    old = np.where(prereform, counts["dotted_i"] + counts["prereform"], 0)
    return _ratio(counts["cyrillic"] - counts["russian"] - old, counts["cyrillic"])


def _hard_signs(counts: Counts) -> NDArray[np.float64]:
    return _ratio(counts["hard_sign_inside"], counts["cyrillic"])


def _not_russian_letters(stage: Identify, counts: Counts, foreign: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (foreign > stage.max_foreign_letters) | (_hard_signs(counts) > stage.max_bulgarian_hard_signs)


def _predict(
    samples: list[str], not_russian: NDArray[np.bool_]
) -> tuple[list[str | None], list[float], list[float]]:
    """Language, its probability, and that of Russian; where letters exclude Russian, the next label."""
    filled = [sample or " " for sample in samples]
    labels, probabilities = load_model().predict(filled, k=LABELS) if filled else ([], [])
    languages: list[str | None] = []
    scores, russian = [], []
    for row, (names, values) in enumerate(zip(labels, probabilities, strict=True)):
        # lid.176's probabilities can pass 1 by a rounding error.
        ranked = [
            (n.removeprefix("__label__"), min(float(v), 1.0)) for n, v in zip(names, values, strict=True)
        ]
        russian.append(dict(ranked).get("ru", 0.0))
        if not samples[row]:
            ranked = []
        elif not_russian[row]:
            ranked = [pair for pair in ranked if pair[0] != "ru"]
        language, score = ranked[0] if ranked else (None, 0.0)
        languages.append(language)
        scores.append(score)
    return languages, scores, russian


def _verdict(
    stage: Identify,
    language: str | None,
    russian: float,
    letters: float,
    cyrillic: float,
    foreign: float,
    hard: float,
) -> tuple[str | None, str | None]:
    if letters < stage.min_letters:
        return "too_short_for_language", f"letters={letters:.0f} < {stage.min_letters}"
    if cyrillic < stage.min_cyrillic_share:
        return "not_russian", f"lang={language} cyrillic_share={cyrillic:.3f} < {stage.min_cyrillic_share:g}"
    if foreign > stage.max_foreign_letters:
        limit = stage.max_foreign_letters
        return "not_russian", f"lang={language} foreign_letter_share={foreign:.3f} > {limit:g}"
    if hard > stage.max_bulgarian_hard_signs:
        limit = stage.max_bulgarian_hard_signs
        return "not_russian", f"lang={language} hard_sign_share={hard:.4f} > {limit:g}"
    if russian >= stage.min_score:
        return None, None
    reason = "language_uncertain" if language == "ru" else "not_russian"
    return reason, f"lang={language} russian_score={russian:.3f} < {stage.min_score:g}"
