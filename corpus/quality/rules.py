"""Rules: a signal, a direction and a threshold; and presets, which are lists of them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from corpus.quality import model
from corpus.quality.signals import SIGNALS

ASSETS: Final = Path(__file__).parent.parent / "assets" / "quality"
#: The model's margin, of which a rule may be made as of a signal.
MARGIN: Final = "junk_margin"
_RULE: Final = re.compile(r"\s*([a-z_0-9]+)\s*([<>])\s*([-+.0-9a-z]+)\s*")

#: Reasons of rules that published filters have, and of the rules of `ru-web`; (signal, least) -> reason.
REASONS: Final[dict[tuple[str, bool], str]] = {
    ("words", True): "too_few_words",
    ("words", False): "too_many_words",
    ("dup_line_frac", False): "duplicate_lines",
    ("dup_line_char_frac", False): "duplicate_line_chars",
    ("dup_para_frac", False): "duplicate_paragraphs",
    ("dup_para_char_frac", False): "duplicate_paragraph_chars",
    **{(f"top_{n}_gram_frac", False): f"top_{n}_gram" for n in (2, 3, 4)},
    **{(f"dup_{n}_gram_frac", False): f"duplicate_{n}_grams" for n in range(5, 11)},
    ("line_punct_ratio", True): "few_sentence_ends",
    ("short_line_ratio", False): "short_lines",
    ("char_dup_ratio", False): "duplicate_chars",
    ("newline_ratio", False): "many_line_breaks",
    ("mean_word_length", True): "words_too_short",
    ("mean_word_length", False): "words_too_long",
    ("hash_ratio", False): "many_hashes",
    ("ellipsis_ratio", False): "many_ellipses",
    ("bullet_line_ratio", False): "many_bullets",
    ("ellipsis_line_ratio", False): "many_ellipsis_lines",
    ("alpha_word_ratio", True): "few_alpha_words",
    ("stop_words", True): "few_stop_words",
    ("c4_lorem_ipsum", False): "lorem_ipsum",
    ("c4_curly_brackets", False): "curly_brackets",
    (MARGIN, False): "looks_like_junk",
}


@dataclass(frozen=True)
class Rule:
    """Drop where `signal` is below (`least`) or else above `limit`; not a number never fails."""

    signal: str
    limit: float
    least: bool = False

    def __str__(self) -> str:
        return f"{self.signal} {'<' if self.least else '>'} {self.limit:.6g}"

    @property
    def reason(self) -> str:
        """The drop reason."""
        known = REASONS.get((self.signal, self.least))
        return known or f"{'low' if self.least else 'high'}_{self.signal}"

    def fails(self, values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Which values fail; the threshold is taken in the precision of the values."""
        limit = values.dtype.type(self.limit) if values.dtype.kind == "f" else self.limit
        result: npt.NDArray[np.bool_] = values < limit if self.least else values > limit
        return result


def parse(text: str) -> Rule:
    """A rule as it is written: `topic_casino > 0.04`, `words < 10`. ValueError says what is wrong."""
    found = _RULE.fullmatch(text)
    names = [*SIGNALS.names, MARGIN]
    if found is None:
        raise ValueError(f'rule "{text}": write it as SIGNAL > NUMBER or SIGNAL < NUMBER')
    signal, sign, number = found.groups()
    if signal not in names:
        near = difflib.get_close_matches(signal, names, 1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        raise ValueError(f'rule "{text}": there is no signal "{signal}"{hint}')
    try:
        limit = float(number)
    except ValueError:
        raise ValueError(f'rule "{text}": "{number}" is no number') from None
    if np.isnan(limit):
        raise ValueError(f'rule "{text}": the threshold is not a number')
    return Rule(signal, limit, least=sign == "<")


def read_preset(path: Path) -> tuple[Rule, ...]:
    """The rules of a preset's file: one a line (`#` begins a comment), or what `bukvar filter fit` wrote.

    ValueError names file and line.
    """
    try:
        data = path.read_bytes()
        lines = list(_rules_of_model(data)) if holds_model(data) else data.decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ValueError(f"preset {path}: {error}") from None
    rules = []
    for number, line in enumerate(lines, 1):
        written = line.partition("#")[0].strip()
        try:
            rules += [parse(written)] if written else []
        except ValueError as error:
            raise ValueError(f"preset {path}, line {number}: {error}") from None
    return tuple(rules)


def holds_model(data: bytes) -> bool:
    """Whether a preset's file brings a model of its own."""
    return data.startswith(model.MAGIC)


def _rules_of_model(data: bytes) -> tuple[str, ...]:
    header = model.header_of(data)
    if model.RULES not in header:
        raise ValueError("a model without rules; give it as filter.model, and a preset beside it")
    return tuple(map(str, header[model.RULES]))


def merge(first: Sequence[Rule], then: Sequence[Rule]) -> tuple[Rule, ...]:
    """The rules of `first`, those of `then` in the place of rules on the same signal and direction."""
    later: Mapping[tuple[str, bool], Rule] = {(rule.signal, rule.least): rule for rule in then}
    merged = [later.get((rule.signal, rule.least), rule) for rule in first]
    return tuple(dict.fromkeys([*merged, *then]))
