"""Choosing thresholds: rules and the model's margin, on documents that the model was not fitted to.

A rule is taken where a threshold that costs no genre more than a few of its documents drops junk that
nothing before it drops. Thresholds may be chosen on documents that a model must not be fitted to: a threshold
is a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.quality.rules import Rule
from corpus.quality.signals import SIGNALS

Rows = npt.NDArray[np.float32]

#: Share of plain junk that is dropped, as a mean over its kinds. More of it would cost good text, which is
#: worth more, and first that of genres that resemble no source of the fit.
DROP: Final = 0.91
#: Junk that costs a fit more than it brings: fluent text, which only its purpose makes junk.
FLUENT: Final = frozenset(
    {"spun", "sentence_soup", "markov2", "telegram_spam", "essay_mill", "essay_mill_fullpage", "service_seo"}
    | {"service_seo_fullpage"}
)
#: Sources whose share says nothing of other sources: lists of paraphrases and of questions cut from one
#: sentence. Rules spare them, and the model is fitted to them; shares of good text are counted without them.
ODD: Final = frozenset({"koziev", "koziev_more"})
#: Share of a genre, and of a source, that one rule may cost.
COST: Final = 0.002
COST_SOURCE: Final = 0.01
#: Share of a kind of junk that a rule must add to be taken.
GAIN: Final = 0.02
#: A genre or source of fewer documents is not asked.
FEW: Final = 120

#: What may become a rule, in the order in which rules are asked: signal, and whether small values are bad.
CANDIDATES: Final = (
    *(("inner_question_ratio", False), ("broken_case_ratio", False)),
    *(("service_kinds", False), ("topic_shop", False), ("unknown_word_ratio", False)),
    *(("address_ratio", False), ("phone_ratio", False), ("name_ratio", False)),
    *(("menu_kinds", False), ("navigation_kinds", False), ("topic_navigation", False)),
    *(("spam_kinds", False), ("headline_ratio", False)),
    *(("teaser_line_ratio", False), ("dup_10_gram_frac", False), ("dup_sentence_ratio", False)),
    *(("dup_3_gram_ratio", False), ("template_line_ratio", False), ("same_start_ratio", False)),
    *(
        ("pair_score", True),
        ("pair_unseen", False),
        ("bare_sentence_ratio", False),
    ),
    *(("mixed_script_ratio", False), ("sentence_words", False)),
    *(("top_word_ratio", False), ("lone_letter_ratio", False)),
)
#: Rules that hold by what they mean: a text of few words says little, a table of numbers and filler text
#: nothing (in good text of the development set .24 of the tokens or more have a letter). Words of a topic
#: that spam advertises, less those of reports, stand closer in spam than in the densest 1,200 characters of
#: articles about the topic (docs/measured/quality.md).
GIVEN: Final = (
    Rule("words", 10.0, least=True),
    Rule("alpha_word_ratio", 0.15, least=True),
    Rule("c4_lorem_ipsum", 0.0),
    Rule("excess_casino", 0.045),
    Rule("excess_betting", 0.09),
    Rule("excess_escort", 0.055),
    Rule("excess_essay_mill", 0.05),
    Rule("excess_loan", 0.08),
    Rule("excess_pharmacy", 0.08),
    Rule("excess_occult", 0.07),
    Rule("excess_earnings", 0.07),
)


@dataclass(frozen=True)
class Judged:
    """Rows of signals, margins of models that did not see the documents, and what the documents are."""

    rows: Rows
    margins: npt.NDArray[np.float64]
    good: npt.NDArray[np.bool_]
    kind: npt.NDArray[np.str_]
    source: npt.NDArray[np.str_]


def rows(columns: Mapping[str, pa.Array | pa.ChunkedArray]) -> Rows:
    """Columns of signals as rows of the model: single precision, in the order of `SIGNALS`."""
    values = [columns[name].to_numpy(zero_copy_only=False).astype(np.float32) for name in SIGNALS.names]
    return np.ascontiguousarray(np.stack(values, axis=1)) if values else np.zeros((0, 0), np.float32)


def preset(judged: Judged, drop: float = DROP) -> list[Rule]:
    """Rules, the model's margin last: the highest at which `drop` of plain junk goes."""
    chosen = list(GIVEN)
    dropped = failed(judged, chosen)
    junk = ~judged.good
    for signal, least in CANDIDATES:
        rule = _threshold(judged, signal, least)
        fails = failed(judged, [rule])
        kinds = np.unique(judged.kind[junk])
        gain = max(float((fails & ~dropped)[junk & (judged.kind == kind)].mean()) for kind in kinds)
        if gain >= GAIN:
            chosen.append(rule)
            dropped |= fails
    for margin in np.arange(12.0, 0.0, -0.05):
        if _plain(judged, dropped | (judged.margins > margin)) >= drop:
            break
    return [*chosen, Rule("junk_margin", float(np.round(margin, 2)))]


def _threshold(judged: Judged, signal: str, least: bool) -> Rule:
    """The threshold of a signal that costs no genre and no source more than it may."""
    values = judged.rows[:, SIGNALS.names.index(signal)].astype(np.float64)
    values = -values if least else values
    limits = []
    for names, cost in ((judged.kind, COST), (judged.source, COST_SOURCE)):
        for name in np.unique(names[judged.good]):
            group = values[judged.good & (names == name)]
            if len(group) >= FEW:
                limits.append(np.quantile(group, 1 - cost, method="higher"))
    limit = max(limits)
    rounded = above(limit)
    return Rule(signal, -rounded if least else rounded, least=least)


def above(value: float) -> float:
    """A number of two digits at or above `value`, so that a threshold is not made for one document."""
    if value == 0:
        return 0.0
    step = 10.0 ** (np.floor(np.log10(abs(value))) - 1)
    return float(np.round(np.ceil(value / step) * step, 12))


def failed(judged: Judged, rules: Sequence[Rule]) -> npt.NDArray[np.bool_]:
    """Which documents fail one of the rules."""
    result = np.zeros(len(judged.good), np.bool_)
    for rule in rules:
        known = rule.signal == "junk_margin"
        values = judged.margins if known else judged.rows[:, SIGNALS.names.index(rule.signal)]
        result |= rule.fails(values)
    return result


def _plain(judged: Judged, dropped: npt.NDArray[np.bool_]) -> float:
    """The share of plain junk that is dropped, as a mean over its kinds."""
    plain = ~judged.good & ~np.isin(judged.kind, sorted(FLUENT))
    kinds = np.unique(judged.kind[plain])
    return float(np.mean([dropped[plain & (judged.kind == kind)].mean() for kind in kinds]))


def written(rules: Sequence[Rule]) -> str:
    """A preset's file."""
    lines = [
        "# Chosen by `python -m corpus.quality.fit` (docs/measured/quality.md): what fails a rule is dropped."
    ]
    lines.append("# junk_margin is the margin of the model.")
    return "\n".join([*lines, *map(str, rules), ""])


def report(judged: Judged, rules: Sequence[Rule]) -> str:
    """Share kept of each genre and dropped of each kind of junk, and what each rule alone drops."""
    dropped = failed(judged, rules)
    lines = []
    for good, word in ((True, "kept"), (False, "dropped")):
        kinds = np.unique(judged.kind[judged.good == good])
        shares: dict[str, Any] = {
            str(kind): float((dropped != good)[(judged.good == good) & (judged.kind == kind)].mean())
            for kind in kinds
        }
        lines.append(f"{word}: mean {np.mean(list(shares.values())):.4f}")
        lines += [f"  {kind:24} {share:.3f}" for kind, share in shares.items()]
    for rule in rules:
        alone = failed(judged, [rule])
        lines.append(
            f"{rule!s:32} good {alone[judged.good].mean():.4f}  junk {alone[~judged.good].mean():.3f}"
        )
    return "\n".join(lines)
