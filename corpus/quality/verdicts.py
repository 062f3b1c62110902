"""Stage `filter`: thresholds on the signals, and a model of them. Signals stay as columns, to be judged anew.

A rule is a signal, a direction and a threshold; each has a drop reason of its own. A row that fails goes by
the first rule that it fails, in the order of `PARAMETERS`, then of the preset's own; `drop_detail` names
every one, with value and threshold, and for the model the three signals that weighed most.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
import pyarrow as pa

from corpus import table
from corpus.errors import ShardError
from corpus.quality import choose
from corpus.quality import model as models
from corpus.quality.registers import REGISTER, register_columns
from corpus.quality.rules import ASSETS, MARGIN, Rule, holds_model, merge, parse, read_preset
from corpus.quality.signals import MEANING, SIGNALS, measure, quality_signals, russian_stop_words
from corpus.table import with_columns
from rust_ext import QualityModel, QualitySignals

#: Parameters that are thresholds, in the order in which a reason is chosen: name -> signals, small is bad.
PARAMETERS: Final[dict[str, tuple[tuple[str, ...], bool]]] = {
    "min_words": (("words",), True),
    "max_words": (("words",), False),
    "max_dup_line_frac": (("dup_line_frac",), False),
    "max_dup_line_char_frac": (("dup_line_char_frac",), False),
    "max_dup_para_frac": (("dup_para_frac",), False),
    "max_dup_para_char_frac": (("dup_para_char_frac",), False),
    "max_top_2_gram_frac": (("top_2_gram_frac",), False),
    "max_top_3_gram_frac": (("top_3_gram_frac",), False),
    "max_top_4_gram_frac": (("top_4_gram_frac",), False),
    "max_dup_5_gram_frac": (("dup_5_gram_frac",), False),
    "max_dup_6_gram_frac": (("dup_6_gram_frac",), False),
    "max_dup_7_gram_frac": (("dup_7_gram_frac",), False),
    "max_dup_8_gram_frac": (("dup_8_gram_frac",), False),
    "max_dup_9_gram_frac": (("dup_9_gram_frac",), False),
    "max_dup_10_gram_frac": (("dup_10_gram_frac",), False),
    "min_line_punct_ratio": (("line_punct_ratio",), True),
    "max_short_line_ratio": (("short_line_ratio",), False),
    "max_char_dup_ratio": (("char_dup_ratio",), False),
    "max_newline_ratio": (("newline_ratio",), False),
    "min_mean_word_length": (("mean_word_length",), True),
    "max_mean_word_length": (("mean_word_length",), False),
    "max_symbol_ratio": (
        (
            "hash_ratio",
            "ellipsis_ratio",
        ),
        False,
    ),
    "max_bullet_line_ratio": (("bullet_line_ratio",), False),
    "max_ellipsis_line_ratio": (("ellipsis_line_ratio",), False),
    "min_alpha_word_ratio": (("alpha_word_ratio",), True),
    "min_stop_words": (("stop_words",), True),
    "max_lorem_ipsum": (("c4_lorem_ipsum",), False),
    "max_curly_brackets": (("c4_curly_brackets",), False),
    "max_junk": ((MARGIN,), False),
}

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

#: Presets by name: values of parameters, or a file of rules.
PRESETS: Final[dict[str, Mapping[str, float] | Path]] = {
    "ru-web": ASSETS / "ru-web.rules",
    "fineweb2-ru": FINEWEB2_RU,
    "gopher": GOPHER,
    "none": {},
}


def preset_rules(name: str) -> tuple[Rule, ...]:
    """The rules of a preset: one of `PRESETS`, or a file of rules. ValueError says what is wrong with it."""
    preset = PRESETS.get(name, Path(name))
    if isinstance(preset, Path):
        if name not in PRESETS and not preset.is_file():
            raise ValueError(
                f'preset is "{name}"; set it to one of {", ".join(PRESETS)}, or to a file of rules'
            )
        return read_preset(preset)
    return tuple(rule for parameter, limit in preset.items() for rule in rules_of(parameter, limit))


def rules_of(parameter: str, limit: float) -> tuple[Rule, ...]:
    """The rules that a parameter stands for."""
    signals, least = PARAMETERS[parameter]
    return tuple(Rule(signal, limit, least) for signal in signals)


def _threshold(text: str) -> float | None:
    return field(default=None, metadata={"help": f"{text}; the preset's where not given, inf: off"})


def _least(text: str) -> float | None:
    return field(default=None, metadata={"help": f"{text}; the preset's where not given, 0: off"})


@dataclass(frozen=True)
class Filter:
    """Compute quality signals and drop what fails the preset's thresholds.

    A threshold given replaces the preset's.
    """

    name: ClassVar[str] = "filter"
    version: ClassVar[int] = 3
    needs: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[pa.Schema] = pa.unify_schemas([SIGNALS, REGISTER, pa.schema([(MARGIN, pa.float32())])])

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
        "looks_like_junk": "the model takes it for junk",
        **{f"low_{name}": f"below the limit: {text}" for name, text in MEANING.items()},
        **{f"high_{name}": f"above the limit: {text}" for name, text in MEANING.items()},
    }

    preset: str = field(
        default="ru-web",
        metadata={
            "help": 'rules to begin with: "ru-web", "fineweb2-ru", "gopher", "none", a file of rules, '
            "or what `bukvar filter fit` wrote",
            "input": True,
            "not_files": tuple(PRESETS),
        },
    )
    rules: tuple[str, ...] = field(
        default=(),
        metadata={"help": 'rules on any signal, such as "topic_casino > 0.02"; they replace the preset\'s'},
    )
    model: str = field(
        default="preset",
        metadata={
            "help": 'the model behind junk_margin and register: "preset" (the one that the preset\'s file '
            'brings, else the bundled one), "bundled", or a file of `corpus.quality.fit`',
            "input": True,
            "not_files": ("preset", "bundled"),
        },
    )
    measure: bool = field(
        default=True,
        metadata={"help": "false: judge by the columns of an earlier run, without measuring again"},
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
    max_junk: float | None = _threshold("largest margin of the model, the log of the odds that it is junk")

    def __post_init__(self) -> None:
        for parameter in PARAMETERS:
            value = getattr(self, parameter)
            if value is not None and not value >= 0:
                raise ValueError(f"{parameter} is {value}; set it to 0 or more")
        self.in_force()
        with contextlib.suppress(FileNotFoundError):  # whoever runs the stage names what is not there
            self._trees()

    def in_force(self) -> tuple[Rule, ...]:
        """The rules in force: the preset's, and those given, which replace it on the same signal."""
        given = [
            rule
            for parameter in PARAMETERS
            if (limit := getattr(self, parameter)) is not None
            for rule in rules_of(parameter, limit)
        ]
        rules = merge(merge(preset_rules(self.preset), given), [parse(rule) for rule in self.rules])
        order = [(signal, least) for signals, least in PARAMETERS.values() for signal in signals]
        place = {key: at for at, key in enumerate(order)}
        return tuple(sorted(rules, key=lambda rule: _place(rule, place)))

    def model_file(self) -> Path:
        """The file of the model: the parameter's, the preset's, or the bundled one."""
        if self.model not in ("preset", "bundled"):
            return Path(self.model)
        own = self.model == "preset" and self.preset not in PRESETS
        return Path(self.preset) if own and holds_model(Path(self.preset).read_bytes()) else models.BUNDLED

    def _trees(self) -> QualityModel:
        """The model. ValueError names the file of one that was fitted to other signals, or is damaged."""
        names = tuple(SIGNALS.names)
        file = self.model_file()
        try:
            return models.bundled(names) if file == models.BUNDLED else models.read(file.read_bytes(), names)
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from None

    def open(self) -> Callable[[pa.Table], pa.Table]:
        """The function that measures and judges a batch. Raises ValueError for a damaged model or preset."""
        trees = self._trees()
        own = quality_signals() if self.measure else None
        stop_words = self.stop_words or russian_stop_words()
        return functools.partial(_filter, _Judge(self.in_force(), trees), own, stop_words)


def _place(rule: Rule, place: Mapping[tuple[str, bool], int]) -> int:
    """Rules of parameters in their order, then the preset's own, then the model."""
    if rule.signal == MARGIN:
        return len(place) + 1
    return place.get((rule.signal, rule.least), len(place))


def _filter(
    judge: _Judge, own: QualitySignals | None, stop_words: Sequence[str], batch: pa.Table
) -> pa.Table:
    """The rows of `batch` with all signals and the verdict."""
    if own is not None:
        signals: dict[str, pa.Array] = measure(batch.column("text"), stop_words, own)
    elif missing := [name for name in SIGNALS.names if name not in batch.column_names]:
        raise ShardError(
            f"no column {missing[0]}: set filter.measure to true, or filter what filter has measured"
        )
    else:
        signals = {name: batch.column(name).combine_chunks() for name in SIGNALS.names}
    return with_columns(batch, {**signals, **judge(signals)})


@dataclass(frozen=True)
class _Judge:
    """Rules and a model: from signals to verdicts, without the text."""

    rules: tuple[Rule, ...]
    model: QualityModel

    def __call__(self, signals: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        rows = choose.rows(signals)
        margins = self.model.margins(rows)
        reasons: list[str | None] = [None] * len(rows)
        details: list[list[str]] = [[] for _ in reasons]
        for rule in self.rules:
            values = margins if rule.signal == MARGIN else signals[rule.signal].to_numpy(zero_copy_only=False)
            for row in np.flatnonzero(rule.fails(values)):
                reasons[row] = reasons[row] or rule.reason
                details[row].append(self._detail(rule, values[row], rows[row]))
        return {
            **register_columns(rows, self.model),
            MARGIN: pa.array(margins, pa.float32()),
            table.DROP: pa.array(reasons, pa.string()),
            table.DROP_DETAIL: pa.array(["; ".join(detail) or None for detail in details], pa.string()),
        }

    def _detail(self, rule: Rule, value: float, row: choose.Rows) -> str:
        detail = f"{rule.signal}={value:.4g} {'<' if rule.least else '>'} {rule.limit:g}"
        if rule.signal != MARGIN:
            return detail
        names = SIGNALS.names
        most = [f"{MEANING[names[at]]} ({names[at]}={row[at]:.3g})" for at in self.model.reasons(row, 3)]
        return f"{detail}: {', '.join(most)}"
