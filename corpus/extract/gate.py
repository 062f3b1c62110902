"""The gate: is there Russian-looking text in these bytes?

What decides, and the figures behind the constants: docs/measured/extract.md. The definition in plain Python
is tests/oracles/gate.py; a property test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rust_ext import gate_judge, gate_judge_beginning

#: Cyrillic letters from which a page is kept: see rust_ext/crates/gate/src/limits.rs.
ENOUGH: Final = 256


@dataclass(frozen=True, slots=True)
class Verdict:
    """`cyrillic` and `latin` count letters outside tags, up to the point where the verdict is certain.

    `pair_cost` is the mean cost of a letter pair in tenths of a nat, 0 where no single-byte one was tried.
    """

    keep: bool
    cyrillic: int
    latin: int
    charset: str
    pair_cost: int = 0


def judge(body: bytes, http_charset: str | None = None) -> Verdict:
    """Whether a payload may hold Russian text, by its raw bytes; fast."""
    return Verdict(*gate_judge(body, http_charset))


def judge_beginning(beginning: bytes, url: str = "", http_charset: str | None = None) -> Verdict | None:
    """The verdict on a page that its beginning shows to be foreign; None where more of it has to be read."""
    verdict = gate_judge_beginning(beginning, url, http_charset)
    return Verdict(*verdict) if verdict else None
