"""Pictures of an `Evaluation`, as SVG text: the same figures give the same bytes."""

from __future__ import annotations

import io
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from tokenizer.evaluate import Evaluation

#: SVG ids are drawn from this instead of from a random number.
_SALT = "bukvar"


def _svg(figure: Figure) -> str:
    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": _SALT, "svg.fonttype": "none"}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight")
    return out.getvalue()


def draw(evaluation: Evaluation) -> dict[str, str]:
    """All pictures that the figures allow, by file name."""
    found = {"fertility.svg": fertility(evaluation)}
    if any(one.boundaries is not None for one in evaluation.tokenizers):
        found["boundaries.svg"] = boundaries(evaluation)
    return found


def fertility(evaluation: Evaluation) -> str:
    """Bars: tokens per word of each tokenizer, by domain. Fewer is better."""
    domains = list(evaluation.bytes)
    rows = sorted(evaluation.tokenizers, key=lambda one: one.tokens_per_word)
    figure = Figure(figsize=(8, 1 + 0.36 * len(rows) * max(1, len(domains) * 0.6)))
    axes: Any = figure.subplots()
    height = 0.8 / max(1, len(domains))
    for place, domain in enumerate(domains):
        values = [one.domains[place].tokens_per_word for one in rows]
        axes.barh([row + place * height for row in range(len(rows))], values, height, label=domain)
    axes.set_yticks(
        [row + 0.4 - height / 2 for row in range(len(rows))],
        [f"{one.name}\n{one.vocabulary_size:,} ids" for one in rows],
    )
    axes.invert_yaxis()
    axes.set_xlabel("tokens per word (fewer is better)")
    if len(domains) > 1:
        axes.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)
    return _svg(figure)


def boundaries(evaluation: Evaluation) -> str:
    """Points: boundary precision over tokens per word; up and left is better. Tokenizers measured without
    boundaries are left out."""
    figure = Figure(figsize=(8, 5))
    axes: Any = figure.subplots()
    for one in evaluation.tokenizers:
        if one.boundaries is not None:
            axes.plot(one.tokens_per_word, one.boundaries.precision, "o")
            place = (one.tokens_per_word, one.boundaries.precision)
            axes.annotate(one.name, place, textcoords="offset points", xytext=(5, 3), fontsize="small")
    axes.set_xlabel("tokens per word, mean of domains (fewer is better)")
    axes.set_ylabel("cuts that are morpheme boundaries (more is better)")
    return _svg(figure)
