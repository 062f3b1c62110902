"""Labels that people give to documents: kept by digests of the texts, without the texts."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

#: What a label calls a document that is good text of no kind that was asked for.
GOOD: Final = "good"


@dataclass(frozen=True)
class Label:
    """What one reader called one document."""

    sha256: str
    kind: str
    good: bool
    reader: str


@dataclass(frozen=True)
class Agreement:
    """Of two readers: documents that both read, share called the same, Cohen's kappa (0: as by chance)."""

    documents: int
    same: float
    kappa: float
    apart: tuple[tuple[str, str, int], ...]


def digest(text: str) -> str:
    """SHA-256 of a text in UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read_labels(path: Path) -> list[Label]:
    """The labels of a file, one JSON object a line; of a reader's labels of one text the last counts.

    Raises ValueError that names a line which is none.
    """
    found: dict[tuple[str, str], Label] = {}
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    for number, line in enumerate(lines, 1):
        try:
            label = Label(**json.loads(line))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}, line {number}: not a label ({error})") from None
        found[label.sha256, label.reader] = label
    return list(found.values())


def append(path: Path, label: Label) -> None:
    """Writes a label behind the others."""
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(asdict(label), ensure_ascii=False) + "\n")


def agreement(labels: Iterable[Label], first: str, second: str) -> Agreement:
    """How far two readers agree on the documents that both have read."""
    of = {(label.sha256, label.reader): label.kind for label in labels}
    texts = sorted({sha for sha, reader in of if reader == first and (sha, second) in of})
    pairs = [(of[sha, first], of[sha, second]) for sha in texts]
    if not pairs:
        return Agreement(0, 0.0, 0.0, ())
    same = sum(a == b for a, b in pairs) / len(pairs)
    counts = [Counter(pair[side] for pair in pairs) for side in (0, 1)]
    chance = sum(counts[0][kind] * counts[1][kind] for kind in counts[0]) / len(pairs) ** 2
    kappa = 1.0 if chance == 1 else (same - chance) / (1 - chance)
    apart = Counter(pair for pair in pairs if pair[0] != pair[1]).most_common()
    return Agreement(len(pairs), same, kappa, tuple((a, b, count) for (a, b), count in apart))


def agreed(labels: Sequence[Label]) -> dict[str, Label]:
    """Labels by digest; a text that readers called good and junk both is left out."""
    found: dict[str, Label] = {}
    disputed = set()
    for label in labels:
        known = found.setdefault(label.sha256, label)
        if known.good != label.good:
            disputed.add(label.sha256)
    return {sha: label for sha, label in found.items() if sha not in disputed}
