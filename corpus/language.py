"""Stage `identify`: the language of each document and of its lines, and what of it is Russian.

The model (`corpus.langid`, in Rust) is a softmax over letter n-grams and words, with a section for Cyrillic
and one for Latin script, so that code, links and names in Latin letters do not vote on the language of a
Russian page. Letters decide beside it: a text with more than a stated share of letters that Russian does
not have is not Russian, whatever its words are. Spelling before 1918 is a label of its own; it is Russian
and is kept, marked in the column `orthography`.

Languages are written as BCP-47 tags: `ru`, `uk`, `sah`, `sr-Latn`; Russian in Latin letters is `ru-Latn`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from corpus import table
from corpus.langid import fasttext_model
from corpus.table import with_columns
from rust_ext import LANGUAGE_COUNTS, LanguageModel
from rust_ext.arrow import Buffers, text_buffers

MODEL = Path(__file__).parent / "assets" / "langid.model"

RUSSIAN = "ru"
#: Russian as it was spelled before 1918, as a label of the model.
OLD_RUSSIAN = "ru-petr1708"

#: Spelling before 1918 by letters, for models without a label for it: at least this share of ѣ ѳ ѵ among
#: Cyrillic letters and of words ending in ъ among words. Drama of the 1900s in old spelling has .019 and .22,
#: Russian of today below .0001 and .011.
PREREFORM_LETTERS = 0.003
PREREFORM_FINAL_HARD_SIGNS = 0.05

SHARES = pa.list_(pa.struct([pa.field("lang", pa.string()), pa.field("share", pa.float32())]))

Counts = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Identify:
    """Say what language each text is and keep what is Russian (keep = "all": only add the columns)."""

    name: ClassVar[str] = "identify"
    version: ClassVar[int] = 6
    needs: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("lang", pa.string()),
            pa.field("lang_score", pa.float32()),
            pa.field("lang_second", pa.string()),
            pa.field("russian_score", pa.float32()),
            pa.field("orthography", pa.string()),
            pa.field("shares", SHARES),
            pa.field("russian_share", pa.float32()),
            pa.field("cyrillic_share", pa.float32()),
            pa.field("foreign_letter_share", pa.float32()),
            pa.field("mixed_word_share", pa.float32()),
            pa.field("trimmed_letters", pa.int64()),
        ]
    )

    reasons: ClassVar[Mapping[str, str]] = {
        "not_russian": "another language",
        "language_uncertain": "Russian with too low a score",
        "too_short_for_language": "too few letters to identify the language",
    }

    keep: str = field(
        default="russian",
        metadata={"help": 'what stays: "russian", or "all" to add the columns and drop nothing'},
    )
    model: str = field(
        default="",
        metadata={
            "help": 'a fastText model to use instead: a file, or "lid.176" for the bundled one',
            "input": True,
            "not_files": ("lid.176",),
        },
    )
    trim: int = field(
        default=0,
        metadata={"help": "fewest letters of a passage in another language that is cut out (0: none is)"},
    )
    # FineWeb's threshold for fastText's lid.176 (datatrove, LanguageFilter); docs/measured/language.md.
    min_score: float = field(
        default=0.65,
        metadata={"help": "least probability of Russian (0 to 1)"},
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
    # Under 40 letters a neighbour's sentence often holds none of its own letters (docs/measured/language.md).
    min_letters: int = field(
        default=40,
        metadata={"help": "fewest letters of a text whose language is identified"},
    )

    def __post_init__(self) -> None:
        if self.keep not in ("russian", "all"):
            raise ValueError(f'keep is "{self.keep}"; set it to "russian" or "all"')
        for name in ("min_score", "max_foreign_letters", "max_bulgarian_hard_signs", "min_cyrillic_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}; set it to a share from 0 to 1")
        for name in ("min_letters", "trim"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}; set it to 0 or more")

    def open(self) -> Callable[[pa.Table], pa.Table]:
        """The function that identifies a batch; loads the models."""
        load_model()
        if self.model:
            fasttext_model.load(self.model)
        return functools.partial(identify, self)


@functools.cache
def load_model() -> LanguageModel:
    """The own model, once a process."""
    return LanguageModel(MODEL.read_bytes())


@dataclass
class Identified:
    """What a model says of n texts: the likeliest languages with their chances, and Russian's."""

    ranked: list[list[tuple[str, float]]]
    russian: NDArray[np.float32]
    prereform: NDArray[np.bool_]


def identify(stage: Identify, batch: pa.Table) -> pa.Table:
    """The rows of `batch` with the columns of `Identify.adds` and the verdict."""
    model = load_model()
    texts = text_buffers(batch.column("text"))
    read = model.read(
        texts,
        cyrillic=stage.min_cyrillic_share,
        wanted=[n for n, label in enumerate(model.labels) if label in (RUSSIAN, OLD_RUSSIAN)],
        trim_letters=stage.trim,
        trim_least=stage.min_letters,
    )
    if any(text is not None for text in read["trimmed"]):
        batch = _with_texts(batch, read["trimmed"])
        texts = text_buffers(batch.column("text"))
    counts = dict(zip(LANGUAGE_COUNTS, read["counts"].astype(np.float64), strict=True))
    cyrillic = _ratio(counts["cyrillic"], counts["letters"])
    if stage.model:
        found = _by_fasttext(stage.model, texts, counts, cyrillic)
    else:
        found = _by_own(model.labels, read["labels"], read["chances"], read["wanted"])
    foreign = _foreign(counts, found.prereform)
    hard = _hard_signs(counts)
    not_russian = (foreign > stage.max_foreign_letters) | (hard > stage.max_bulgarian_hard_signs)
    chosen = [_chosen(row, no) for row, no in zip(found.ranked, not_russian, strict=True)]
    shares, russian_share = _shares(read["share_ends"], read["share_labels"], read["shares"], model.labels)
    columns: dict[str, pa.Array] = {
        "lang": pa.array([name for name, _, _ in chosen], pa.string()),
        "lang_score": pa.array([score for _, score, _ in chosen], pa.float32()),
        "lang_second": pa.array([second for _, _, second in chosen], pa.string()),
        "russian_score": pa.array(found.russian + np.float32(0), pa.float32()),  # an empty sum is -0
        "orthography": pa.array(np.where(found.prereform, "prereform", "modern").tolist(), pa.string()),
        "shares": shares,
        "russian_share": pa.array(russian_share, pa.float32()),
        "cyrillic_share": pa.array(cyrillic, pa.float32()),
        "foreign_letter_share": pa.array(foreign, pa.float32()),
        "mixed_word_share": pa.array(_ratio(counts["mixed_words"], counts["words"]), pa.float32()),
        "trimmed_letters": pa.array(read["trimmed_letters"].astype(np.int64), pa.int64()),
    }
    verdicts: list[tuple[str | None, str | None]] = [(None, None)] * batch.num_rows
    if stage.keep == "russian":
        rows = zip(chosen, found.russian, counts["letters"], cyrillic, foreign, hard, strict=True)
        verdicts = [_verdict(stage, name, *row) for (name, _, _), *row in rows]
    columns[table.DROP] = pa.array([reason for reason, _ in verdicts], pa.string())
    columns[table.DROP_DETAIL] = pa.array([detail for _, detail in verdicts], pa.string())
    return with_columns(batch, columns)


def _by_own(
    labels: list[str],
    numbers: NDArray[np.int32],
    chances: NDArray[np.float32],
    russian: NDArray[np.float32],
) -> Identified:
    names = [RUSSIAN if label == OLD_RUSSIAN else label for label in labels]
    ranked = [
        [(names[label], float(chance)) for label, chance in zip(*row, strict=True) if label >= 0]
        for row in zip(numbers.T.tolist(), chances.T.tolist(), strict=True)
    ]
    return Identified(ranked, russian, numbers[0] == labels.index(OLD_RUSSIAN))


def _with_texts(batch: pa.Table, trimmed: list[str | None]) -> pa.Table:
    """`batch` with the texts that lost passages in place of the whole ones."""
    at = batch.schema.get_field_index("text")
    whole = batch.column(at)
    texts = pa.array(trimmed, pa.large_string()).cast(whole.type)
    kept = pc.coalesce(texts, whole)
    return batch.set_column(at, batch.schema.field(at), kept)


def _by_fasttext(
    model: str,
    texts: Buffers,
    counts: Counts,
    cyrillic: NDArray[np.float64],
) -> Identified:
    prereform = _is_prereform(counts)
    ranked = fasttext_model.predict(model, texts, cyrillic, prereform)
    russian = np.array([dict(row).get(RUSSIAN, 0.0) for row in ranked], np.float32)
    return Identified(ranked, russian, prereform)


def _chosen(ranked: list[tuple[str, float]], not_russian: bool) -> tuple[str | None, float, str | None]:
    """Language, its probability and the language after it; where letters exclude Russian, the next label."""
    second = ranked[1][0] if len(ranked) > 1 else None
    if not_russian and ranked and ranked[0][0] == RUSSIAN:
        ranked, second = ranked[1:], RUSSIAN
    return (*ranked[0], second) if ranked else (None, 0.0, None)


def _shares(
    ends: NDArray[np.int32], numbers: NDArray[np.int32], shares: NDArray[np.float32], labels: list[str]
) -> tuple[pa.Array, NDArray[np.float64]]:
    """The column of shares, and each text's share of Russian in any spelling."""
    names = np.array(labels)[numbers] if len(numbers) else np.array([], str)
    pairs = pa.StructArray.from_arrays(
        [pa.array(names.tolist(), pa.string()), pa.array(shares, pa.float32())],
        fields=list(SHARES.value_type),
    )
    column = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pairs).cast(SHARES)
    is_russian = np.isin(names, (RUSSIAN, OLD_RUSSIAN))
    sums = np.concatenate(([0.0], np.cumsum(np.where(is_russian, shares, 0.0), dtype=np.float64)))
    return column, np.clip(sums[ends[1:]] - sums[ends[:-1]], 0, 1)


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return part / np.maximum(whole, 1)


def _is_prereform(counts: Counts) -> NDArray[np.bool_]:
    """Old letters *and* final hard signs: neither Ukrainian nor Old East Slavic manuscripts have both so."""
    letters = _ratio(counts["prereform"], counts["cyrillic"]) >= PREREFORM_LETTERS
    return letters & (_ratio(counts["hard_sign_final"], counts["words"]) >= PREREFORM_FINAL_HARD_SIGNS)


def _foreign(counts: Counts, prereform: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Share of Cyrillic letters that are not Russian; і ѣ ѳ ѵ count as Russian in old spelling."""
    old = np.where(prereform, counts["dotted_i"] + counts["prereform"], 0)
    return _ratio(counts["cyrillic"] - counts["russian"] - old, counts["cyrillic"])


def _hard_signs(counts: Counts) -> NDArray[np.float64]:
    return _ratio(counts["hard_sign_inside"], counts["cyrillic"])


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
