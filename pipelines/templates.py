"""Jinja templates that lie in pipelines/assets."""

from __future__ import annotations

from functools import cache
from typing import Any

from pipelines import progress


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
    return made


def figure(value: Any) -> str:
    """A value of a table: counts with separators, rates with three decimals, "-" for none."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def render(name: str, **values: Any) -> str:
    """Fill a template; a value that it lacks is an error."""
    text: str = _environment().get_template(name).render(**values)
    return text
