"""Ready additions: tokens learnt once, in small files of this package, for bases that they fit.

A file (`assets/ready/NAME-BASE.json.xz`) holds nothing of the base's vocabulary beyond what its merges name
by id: for each new token the two ids that make it, new ones numbered on from the base's rows. So it is
useless without the base, which the user has, and fits exactly the base whose digest it names.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from tokenizer.adapt.arrange import arrange
from tokenizer.adapt.base import Base
from tokenizer.adapt.learn import Adapted
from tokenizer.adapt.load import tokens_digest
from tokenizer.vocabulary import NO_MERGE

FOLDER: Final = Path(__file__).parent.parent / "assets" / "ready"
_VERSION: Final = 1


@dataclass(frozen=True)
class Addition:
    """name: such as ru-32k; base: its short name; digest: `tokens_digest` of its tokens in rank order.
    merges: pairs of ranks of the base and, from its number of tokens on, of the tokens made before. about:
    what it was learnt from, and under which licences."""

    name: str
    base: str
    digest: str
    merges: tuple[tuple[int, int], ...]
    about: Mapping[str, Any]

    def write(self, path: Path) -> None:
        """Write a file: the differences of ranks, compressed."""
        data = {
            "version": _VERSION,
            "name": self.name,
            "base": self.base,
            "digest": self.digest,
            "about": dict(self.about),
            "left": _differences([left for left, _ in self.merges]),
            "right": _differences([right for _, right in self.merges]),
        }
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
        path.write_bytes(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME))

    @classmethod
    def read(cls, path: Path) -> Addition:
        """Read what `write` wrote. ValueError for another file."""
        try:
            data = json.loads(lzma.decompress(path.read_bytes()))
            left, right = np.cumsum(data["left"]).tolist(), np.cumsum(data["right"]).tolist()
            version = int(data["version"])
            made = cls(
                str(data["name"]),
                str(data["base"]),
                str(data["digest"]),
                tuple(zip(left, right, strict=True)),
                dict(data["about"]),
            )
        except (lzma.LZMAError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is no file of ready tokens: {error}") from error
        if version != _VERSION:
            raise ValueError(f"{path} is of version {version}, not {_VERSION}")
        return made


def _differences(values: list[int]) -> list[int]:
    return [int(one) for one in np.diff(np.asarray([0, *values], dtype=np.int64))]


def addition_of(adapted: Adapted, name: str, base: str, about: Mapping[str, Any]) -> Addition:
    """What was learnt, for a file. ValueError where ids were freed: a ready addition only adds."""
    if adapted.freed:
        raise ValueError("ready tokens only add: learn them without swap and fixed size")
    ranks = dict(adapted.base.rank_of)
    merges = []
    for token, (left, right) in zip(adapted.new, adapted.parts, strict=True):
        merges.append((ranks[left], ranks[right]))
        ranks[token] = len(ranks)
    return Addition(name, base, tokens_digest(adapted.base.tokens), tuple(merges), about)


def available() -> dict[str, list[str]]:
    """Name -> short names of the bases it is there for."""
    found: dict[str, list[str]] = {}
    for path in sorted(FOLDER.glob("*.json.xz")):
        name, _, base = path.name.removesuffix(".json.xz").partition("@")
        found.setdefault(name, []).append(base)
    return found


def adapted_with(base: Base, name: str, most: int | None = None) -> Adapted:
    """The base with ready tokens (the first `most`, if given). ValueError where there are none of the name,
    or none for the base."""
    there = available()
    if name not in there:
        known = ", ".join(there) or "none"
        raise ValueError(f"there are no ready tokens {name!r}; there are: {known}")
    digest = tokens_digest(base.tokens)
    for path in sorted(FOLDER.glob(f"{name}@*.json.xz")):
        addition = Addition.read(path)
        if addition.digest == digest:
            return extended_by(base, addition, most)
    raise ValueError(f"the ready tokens {name} fit {', '.join(there[name])}, not this base: learn from texts")


def extended_by(base: Base, addition: Addition, most: int | None = None) -> Adapted:
    """The base with the tokens of an addition that fits it."""
    merges = addition.merges[: most or None]
    tokens = list(base.tokens)
    for left, right in merges:
        if max(left, right) >= len(tokens):
            raise ValueError(f"the ready tokens {addition.name} are damaged: a token is made of a later one")
        tokens.append(tokens[left] + tokens[right])
    new = tokens[len(base.tokens) :]
    made = arrange(base, ()).with_tokens(new)
    wrong = [token for token in new if made.merges[made.rank_of[token] - 256] == NO_MERGE]
    if wrong:
        raise ValueError(f"{len(wrong)} ready tokens cannot be reached, such as {wrong[0]!r}")
    parts = tuple((tokens[left], tokens[right]) for left, right in merges)
    return Adapted(base, made, tuple(new), parts)
