"""Jinja templates that lie in pipelines/assets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from pipelines import progress

_RUSSIAN_UNITS: Final = {
    "B": "Б", "kB": "кБ", "MB": "МБ", "GB": "ГБ", "TB": "ТБ", "s": "с", "min": "мин", "h": "ч",
}  # fmt: skip


@cache
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    made = Environment(
        loader=PackageLoader("pipelines", "assets"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"size": progress.size, "duration": progress.duration}
    made.filters |= {"number": "{:,}".format, "figure": figure}
    made.filters |= {"units": russian_units, "short": short, "edges": edges, "cell": cell}
    return made


def figure(value: Any) -> str:
    """A value of a table: counts with separators, rates with three decimals, "-" for none."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def cell(value: Any) -> str:
    """A value of which nothing is known, in Markdown: one line in which no mark means anything."""
    return re.sub(r"([\\`*\[\]<>|&])", r"\\\1", " ".join(str(value).split()))


def short(value: float) -> str:
    """A number of a plot's axis in three digits: 0.0123, 1.25, 340, 12k."""
    for bound, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= bound:
            return f"{value / (1e3 if unit == 'k' else bound):.3g}{unit}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def edges(values: Sequence[float]) -> list[str]:
    """Numbers along an axis in as many digits as tell them apart: 0.9991, 0.9996, 1."""
    for digits in range(3, 8):
        shown = [short(value) if digits == 3 else f"{value:.{digits}g}" for value in values]
        if len(set(shown)) == len(set(values)):
            break
    return shown


def russian_units(text: str) -> str:
    """A size or duration with its units in Russian."""
    text = re.sub(r"(?<=\d)\.(?=\d)", ",", text)
    return re.sub(r"[A-Za-z]+", lambda unit: _RUSSIAN_UNITS.get(unit.group(), unit.group()), text)


def render(name: str, **values: Any) -> str:
    """Fill a template; a value that it lacks is an error."""
    text: str = _environment().get_template(name).render(**values)
    return text
