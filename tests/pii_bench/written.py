"""One writing of one identifier."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Written:
    """`before` + `value` + `after`: the label, what has to be masked, and what may follow.

    `way` is plain, spaced, broken (over lines), disguised (letters of the same look, characters without
    width, «собака») or words.
    """

    value: str
    before: str = ""
    after: str = ""
    way: str = "plain"
