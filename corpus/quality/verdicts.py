"""Stage `filter`: thresholds on the signals. Signals stay as columns, so that thresholds can be re-tried.

A rule is a signal, a direction and a threshold; each has a drop reason of its own. A row that fails goes by
the first rule of `RULES` that it fails; `drop_detail` names every one, with value and threshold.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

import numpy as np
import pyarrow as pa

from corpus import table
from corpus.quality.signals import SIGNALS, measure, russian_stop_words
from corpus.table import with_columns


@dataclass(frozen=True)
class Rule:
    """Drop for `reason` where `signal` is below (`least`) or else above the threshold `parameter`."""

    reason: str
    signal: str
    parameter: str
    least: bool = False


#: In the order in which a reason is chosen.
RULES: Final = (
    Rule("too_few_words", "words", "min_words", least=True),
    Rule("too_many_words", "words", "max_words"),
    Rule("duplicate_lines", "dup_line_frac", "max_dup_line_frac"),
    Rule("duplicate_line_chars", "dup_line_char_frac", "max_dup_line_char_frac"),
    Rule("duplicate_paragraphs", "dup_para_frac", "max_dup_para_frac"),
    Rule("duplicate_paragraph_chars", "dup_para_char_frac", "max_dup_para_char_frac"),
    Rule("top_2_gram", "top_2_gram_frac", "max_top_2_gram_frac"),
    Rule("top_3_gram", "top_3_gram_frac", "max_top_3_gram_frac"),
    Rule("top_4_gram", "top_4_gram_frac", "max_top_4_gram_frac"),
    Rule("duplicate_5_grams", "dup_5_gram_frac", "max_dup_5_gram_frac"),
    Rule("duplicate_6_grams", "dup_6_gram_frac", "max_dup_6_gram_frac"),
    Rule("duplicate_7_grams", "dup_7_gram_frac", "max_dup_7_gram_frac"),
    Rule("duplicate_8_grams", "dup_8_gram_frac", "max_dup_8_gram_frac"),
    Rule("duplicate_9_grams", "dup_9_gram_frac", "max_dup_9_gram_frac"),
    Rule("duplicate_10_grams", "dup_10_gram_frac", "max_dup_10_gram_frac"),
    Rule("few_sentence_ends", "line_punct_ratio", "min_line_punct_ratio", least=True),
    Rule("short_lines", "short_line_ratio", "max_short_line_ratio"),
    Rule("duplicate_chars", "char_dup_ratio", "max_char_dup_ratio"),
    Rule("many_line_breaks", "newline_ratio", "max_newline_ratio"),
    Rule("words_too_short", "mean_word_length", "min_mean_word_length", least=True),
    Rule("words_too_long", "mean_word_length", "max_mean_word_length"),
    Rule("many_hashes", "hash_ratio", "max_symbol_ratio"),
    Rule("many_ellipses", "ellipsis_ratio", "max_symbol_ratio"),
    Rule("many_bullets", "bullet_line_ratio", "max_bullet_line_ratio"),
    Rule("many_ellipsis_lines", "ellipsis_line_ratio", "max_ellipsis_line_ratio"),
    Rule("few_alpha_words", "alpha_word_ratio", "min_alpha_word_ratio", least=True),
    Rule("few_stop_words", "stop_words", "min_stop_words", least=True),
    Rule("lorem_ipsum", "c4_lorem_ipsum", "max_lorem_ipsum"),
    Rule("curly_brackets", "c4_curly_brackets", "max_curly_brackets"),
)

#: Rae et al. 2021 (arXiv 2112.11446), table A1 for repetition, section A1.1 for quality.
GOPHER: Final[dict[str, float]] = {
    "min_words": 50,
    "max_words": 100_000,
    "min_mean_word_length": 3,
    "max_mean_word_length": 10,
    "max_symbol_ratio": 0.1,
    "max_bullet_line_ratio": 0.9,
    "max_ellipsis_line_ratio": 0.3,
    "min_alpha_word_ratio": 0.8,
    "min_stop_words": 2,
    "max_dup_line_frac": 0.30,
    "max_dup_para_frac": 0.30,
    "max_dup_line_char_frac": 0.20,
    "max_dup_para_char_frac": 0.20,
    "max_top_2_gram_frac": 0.20,
    "max_top_3_gram_frac": 0.18,
    "max_top_4_gram_frac": 0.16,
    "max_dup_5_gram_frac": 0.15,
    "max_dup_6_gram_frac": 0.14,
    "max_dup_7_gram_frac": 0.13,
    "max_dup_8_gram_frac": 0.12,
    "max_dup_9_gram_frac": 0.11,
    "max_dup_10_gram_frac": 0.10,
}

#: What FineWeb-2 uses for Russian (github.com/huggingface/fineweb-2).
FINEWEB2_RU: Final[dict[str, float]] = {
    # Not language-specific there: datatrove's defaults, which are Gopher's.
    "min_words": 50,
    "max_words": 100_000,
    "max_symbol_ratio": 0.1,
    "max_bullet_line_ratio": 0.9,
    "max_ellipsis_line_ratio": 0.3,
    # configs/rus_Cyrl.yml.
    "max_dup_line_frac": 0.322,
    "max_top_2_gram_frac": 0.184,
    "max_top_3_gram_frac": 0.164,
    "max_top_4_gram_frac": 0.146,
    "max_dup_5_gram_frac": 0.168,
    "max_dup_6_gram_frac": 0.156,
    "max_dup_7_gram_frac": 0.145,
    "max_dup_8_gram_frac": 0.133,
    "max_dup_9_gram_frac": 0.121,
    "max_dup_10_gram_frac": 0.109,
    "min_line_punct_ratio": 0.231,
    "max_newline_ratio": 0.139,
    "min_mean_word_length": 3,
    "max_mean_word_length": 11,
    "min_alpha_word_ratio": 0.713,
    # fineweb-2-pipeline.py: the same for all languages. Paragraph rules, the share of characters in
    # duplicate lines (Gopher's), short lines and C4 are off there.
    "max_char_dup_ratio": 0.1,
    "min_stop_words": 2,
}

PRESETS: Final[dict[str, dict[str, float]]] = {
    "fineweb2-ru": FINEWEB2_RU,
    "gopher": GOPHER,
    "none": {},
}


def _threshold(text: str) -> float | None:
    return field(default=None, metadata={"help": f"{text}; the preset's where not given, inf: off"})


def _least(text: str) -> float | None:
    return field(default=None, metadata={"help": f"{text}; the preset's where not given, 0: off"})


@dataclass(frozen=True)
class Filter:
    """Compute quality signals (Gopher, C4, FineWeb) and drop what fails the preset's thresholds.

    A threshold given replaces the preset's.
    """

    name: ClassVar[str] = "filter"
    version: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[pa.Schema] = SIGNALS

    reasons: ClassVar[Mapping[str, str]] = {
        "too_few_words": "fewer words than the limit",
        "too_many_words": "more words than the limit",
        "duplicate_lines": "too many repeated lines",
        "duplicate_line_chars": "too much text in repeated lines (Gopher)",
        "duplicate_paragraphs": "too many repeated paragraphs",
        "duplicate_paragraph_chars": "too much text in repeated paragraphs",
        **{f"top_{n}_gram": f"one {n}-gram makes up too much of the text" for n in (2, 3, 4)},
        **{f"duplicate_{n}_grams": f"too much text in repeated {n}-grams" for n in range(5, 11)},
        "few_sentence_ends": "too few lines end a sentence",
        "short_lines": "too many short lines",
        "duplicate_chars": "too much text in repeated lines (FineWeb)",
        "many_line_breaks": "too many line ends for the number of words: a list",
        "words_too_short": "mean word length below the limit",
        "words_too_long": "mean word length above the limit",
        "many_hashes": "too many '#'",
        "many_ellipses": "too many ellipses",
        "many_bullets": "too many lines with bullets",
        "many_ellipsis_lines": "too many lines end in an ellipsis",
        "few_alpha_words": "too few tokens hold a letter",
        "few_stop_words": "too few different stop words",
        "lorem_ipsum": "filler text",
        "curly_brackets": "curly brackets, as in program code",
    }

    preset: str = field(
        default="fineweb2-ru",
        metadata={"help": 'thresholds to begin with: "fineweb2-ru", "gopher" or "none"'},
    )
    stop_words: tuple[str, ...] = field(
        default=(),
        metadata={"help": "words of which min_stop_words must occur; the project's Russian list where empty"},
    )
    min_words: float | None = _least("fewest words")
    max_words: float | None = _threshold("most words")
    min_mean_word_length: float | None = _least("least mean length of a word, in characters")
    max_mean_word_length: float | None = _threshold("largest mean length of a word, in characters")
    min_alpha_word_ratio: float | None = _least("least share of tokens with a letter")
    min_stop_words: float | None = _least("fewest different stop words")
    max_symbol_ratio: float | None = _threshold("most '#', and most ellipses, a token")
    max_bullet_line_ratio: float | None = _threshold("largest share of lines with a bullet")
    max_ellipsis_line_ratio: float | None = _threshold("largest share of lines that end in an ellipsis")
    max_dup_line_frac: float | None = _threshold("largest share of repeated lines")
    max_dup_line_char_frac: float | None = _threshold("largest share of characters in repeated lines")
    max_dup_para_frac: float | None = _threshold("largest share of repeated paragraphs")
    max_dup_para_char_frac: float | None = _threshold("largest share of characters in repeated paragraphs")
    max_top_2_gram_frac: float | None = _threshold("largest share of characters in the top 2-gram")
    max_top_3_gram_frac: float | None = _threshold("largest share of characters in the top 3-gram")
    max_top_4_gram_frac: float | None = _threshold("largest share of characters in the top 4-gram")
    max_dup_5_gram_frac: float | None = _threshold("largest share of characters in repeated 5-grams")
    max_dup_6_gram_frac: float | None = _threshold("largest share of characters in repeated 6-grams")
    max_dup_7_gram_frac: float | None = _threshold("largest share of characters in repeated 7-grams")
    max_dup_8_gram_frac: float | None = _threshold("largest share of characters in repeated 8-grams")
    max_dup_9_gram_frac: float | None = _threshold("largest share of characters in repeated 9-grams")
    max_dup_10_gram_frac: float | None = _threshold("largest share of characters in repeated 10-grams")
    min_line_punct_ratio: float | None = _least("least share of lines that end a sentence")
    max_short_line_ratio: float | None = _threshold("largest share of lines of at most 30 characters")
    max_char_dup_ratio: float | None = _threshold("largest share of characters in repeated lines, FineWeb's")
    max_newline_ratio: float | None = _threshold("most line ends a token")
    max_lorem_ipsum: float | None = _threshold("most occurrences of 'lorem ipsum' (C4: 0)")
    max_curly_brackets: float | None = _threshold("most curly brackets (C4: 0)")

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise ValueError(f'preset is "{self.preset}"; set it to one of {", ".join(PRESETS)}')
        for rule in RULES:
            value = getattr(self, rule.parameter)
            if value is not None and not value >= 0:
                raise ValueError(f"{rule.parameter} is {value}; set it to 0 or more")

    def threshold(self, parameter: str) -> float | None:
        """The threshold in force: given, or the preset's; None where the rule is off."""
        given: float | None = getattr(self, parameter)
        return PRESETS[self.preset].get(parameter) if given is None else given

    def open(self) -> Callable[[pa.Table], pa.Table]:
        if not self.stop_words:
            return functools.partial(judge, dataclasses.replace(self, stop_words=russian_stop_words()))
        return functools.partial(judge, self)


def judge(stage: Filter, batch: pa.Table) -> pa.Table:
    """The rows of `batch` with all signals and the verdict."""
    signals = measure(batch.column("text"), stage.stop_words)
    reasons: list[str | None] = [None] * batch.num_rows
    details: list[str | None] = [None] * batch.num_rows
    for rule in RULES:
        limit = stage.threshold(rule.parameter)
        if limit is None:
            continue
        values = signals[rule.signal].to_numpy(zero_copy_only=False)
        failed = values < limit if rule.least else values > limit
        for row in np.flatnonzero(failed):
            detail = f"{rule.signal}={values[row]:.4g} {'<' if rule.least else '>'} {limit:g}"
            reasons[row] = reasons[row] or rule.reason
            details[row] = detail if details[row] is None else f"{details[row]}; {detail}"
    verdict = {
        table.DROP: pa.array(reasons, pa.string()),
        table.DROP_DETAIL: pa.array(details, pa.string()),
    }
    return with_columns(batch, {**signals, **verdict})
