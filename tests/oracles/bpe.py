"""The oracle of training and encoding: quadratic, since every step is written as it is defined and nothing is
kept between steps."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from tokenizer.split import split
from tokenizer.train import ALPHABET, Penalty, TrainParameters

LOG_TERMS = 11
EXP_TERMS = 15


def power(x: float, y: float) -> float:
    """x to the power y for x >= 0 and y > 0, by + - * / and scaling alone: the same on every machine."""
    if x <= 0.0 or y == 1.0:
        return max(x, 0.0)
    mantissa, exponent = math.frexp(x)
    mantissa, exponent = mantissa * 2, exponent - 1
    if mantissa > math.sqrt(2):
        mantissa, exponent = mantissa * 0.5, exponent + 1
    z = (mantissa - 1.0) / (mantissa + 1.0)
    total = 0.0
    for term in reversed(range(LOG_TERMS)):
        total = total * (z * z) + 1.0 / (2 * term + 1)
    ln2 = math.log(2)
    log = y * (exponent * ln2 + 2.0 * z * total)
    twos = math.floor(log / ln2 + 0.5)
    rest = log - twos * ln2
    result = 1.0
    for term in reversed(range(1, EXP_TERMS)):
        result = result * rest / term + 1.0
    return math.ldexp(result, twos)


@dataclass
class Pair:
    """count: occurrences in the corpus; types: occurrences in word types; of these, partial and whole cross a
    morpheme boundary, whole with a union that begins and ends at one."""

    count: int = 0
    types: int = 0
    partial: int = 0
    whole: int = 0

    def score(self, penalty: Penalty | None) -> float:
        """The count; or count^c * (1 - lambda * q^gamma), at least 0; q: share of types that cross."""
        if penalty is None:
            return self.count
        base = power(float(self.count), penalty.exponent)
        crossing = self.partial + (1.0 - penalty.kappa) * self.whole
        if self.partial == self.whole == 0:
            return base
        return max(0.0, base * (1.0 - penalty.penalty * power(crossing / self.types, penalty.gamma)))


@dataclass
class Word:
    """ids[i] is a token, starts[i] whether a morpheme begins where it does."""

    count: int
    ids: list[int]
    starts: list[bool]

    def see(self, pairs: dict[tuple[int, int], Pair]) -> None:
        """Adds the word's pairs to the tally."""
        for at, ids in enumerate(zip(self.ids, self.ids[1:], strict=False)):
            pair = pairs.setdefault(ids, Pair())
            pair.count += self.count
            pair.types += 1
            ends = at + 2 == len(self.ids) or self.starts[at + 2]
            if self.starts[at + 1]:
                if self.starts[at] and ends:
                    pair.whole += 1
                else:
                    pair.partial += 1

    def join(self, left: int, right: int, new: int) -> None:
        """Joins every pair left, right, from the left."""
        at = 0
        while at + 1 < len(self.ids):
            if (self.ids[at], self.ids[at + 1]) == (left, right):
                self.ids[at : at + 2] = [new]
                del self.starts[at + 1]
            at += 1


@dataclass
class Group:
    """The words of one source."""

    words: list[Word]
    characters: int
    exhausted: bool = False

    @classmethod
    def of(cls, counts: Mapping[bytes, int], starts: Mapping[bytes, Sequence[int]], longest: int) -> Group:
        """Every pretoken of up to `longest` bytes as single bytes."""
        ids = {byte[0]: index for index, byte in enumerate(ALPHABET)}
        pieces = {piece: number for piece, number in counts.items() if len(piece) <= longest}
        words = [
            Word(
                number,
                [ids[byte] for byte in piece],
                [at == 0 or at in starts.get(piece, ()) for at in range(len(piece))],
            )
            for piece, number in pieces.items()
        ]
        return cls(words, sum(len(piece.decode()) * number for piece, number in pieces.items()))

    def cost(self) -> Fraction:
        """Tokens a character."""
        return Fraction(sum(len(word.ids) * word.count for word in self.words), self.characters or 1)

    def pairs(self) -> dict[tuple[int, int], Pair]:
        """The tally of all pairs."""
        pairs: dict[tuple[int, int], Pair] = {}
        for word in self.words:
            word.see(pairs)
        return pairs


@dataclass
class Learner:
    """The groups, the tokens so far, and how they came about."""

    groups: list[Group]
    parameters: TrainParameters
    penalty: Penalty | None
    tokens: list[bytes] = field(default_factory=lambda: list(ALPHABET))
    merges: list[tuple[int, int]] = field(default_factory=list)

    def merge(self, left: int, right: int) -> None:
        """Joins the pair everywhere."""
        self.merges.append((left, right))
        self.tokens.append(self.tokens[left] + self.tokens[right])
        for group in self.groups:
            for word in group.words:
                word.join(left, right, len(self.tokens) - 1)

    def release(self) -> None:
        """Ends the penalty."""
        self.penalty = None
        for group in self.groups:
            group.exhausted = False

    def best(self, group: Group) -> tuple[int, int] | None:
        """The pair of the highest score; ties go to the smaller left id, then to the smaller right one."""
        scores = {
            (left, right): tally.score(self.penalty)
            for (left, right), tally in group.pairs().items()
            if tally.count >= self.parameters.min_pair_count
            and self.tokens[left] + self.tokens[right] not in self.tokens
            and allowed(self.tokens[left] + self.tokens[right], self.parameters)
        }
        best = max(scores, key=lambda pair: (scores[pair], -pair[0], -pair[1]), default=None)
        return best if best is not None and scores[best] > 0 else None

    def step(self) -> bool:
        """Does one merge; false if there is none to do."""
        if self.penalty is not None and len(self.merges) >= self.penalty.release_merge:
            self.release()
        while True:
            running = [group for group in self.groups if not group.exhausted]
            if running:
                # Of equals, max takes the first.
                worst = max(running, key=Group.cost)
                best = self.best(worst)
                if best is not None:
                    self.merge(*best)
                    return True
                worst.exhausted = True
            elif self.penalty is not None:
                self.release()
            else:
                return False


def count(texts: Iterable[str], pattern: str) -> dict[bytes, int]:
    """Pretoken -> occurrences."""
    return dict(Counter(piece.encode() for text in texts for piece in split(text, pattern)))


def learn(
    counts: Mapping[bytes, int] | Sequence[Mapping[bytes, int]],
    parameters: TrainParameters,
    starts: Mapping[bytes, Sequence[int]] | None = None,
    merges: Sequence[tuple[int, int]] = (),
) -> list[tuple[int, int]]:
    """Merges; `starts`: pretoken -> byte offsets above 0 at which a morpheme begins. Several counts are
    groups in parity: the one whose text takes the most tokens a character chooses the next merge."""
    sources = [counts] if isinstance(counts, Mapping) else counts
    groups = [Group.of(source, starts or {}, parameters.max_pretoken_bytes) for source in sources]
    learner = Learner(groups, parameters, parameters.in_force if starts is not None else None)
    for left, right in merges:
        learner.merge(left, right)
    while len(learner.tokens) < parameters.tokens and learner.step():
        pass
    return learner.merges


def allowed(token: bytes, parameters: TrainParameters) -> bool:
    """Whether the constraints allow a token of these bytes."""
    if 0 < parameters.max_token_bytes < len(token):
        return False
    body = token.lstrip(bytes(range(0x80, 0xC0)))
    text, rest = body, b""
    try:
        letters = body.decode()
    except UnicodeDecodeError as error:
        text, rest = body[: error.start], body[error.start :]
        letters = text.decode()
    if parameters.whole_characters and letters and (rest or len(body) < len(token)):
        return False
    others = [letter for letter in letters if not letter.isalnum()]
    if 0 < parameters.max_punctuation < len(others) and not all(other.isspace() for other in others):
        return False
    if parameters.bare_words:
        start = next((at for at, c in enumerate(letters) if not c.isalnum() and c != " "), len(letters))
        if any(c.isalpha() for c in letters[start:]):
            return False
    return not parameters.one_script or len({script(c) for c in letters if c.isalpha()}) <= 1


def script(letter: str) -> str:
    """The writing system of a letter, as far as `one_script` distinguishes them."""
    name = unicodedata.name(letter, "").split(" ")[0]
    return name if name in ("LATIN", "CYRILLIC", "GREEK") else ""


def encode(text: str, merges: Sequence[tuple[int, int]], pattern: str) -> list[int]:
    """Token ids of a text: each pretoken's bytes, joined by the first merge that applies until none does."""
    ranks = {pair: 256 + index for index, pair in enumerate(merges)}
    ids = {byte: index for index, byte in enumerate(ALPHABET)}
    out: list[int] = []
    for piece in split(text, pattern):
        word = Word(1, [ids[bytes([byte])] for byte in piece.encode()], [False] * len(piece.encode()))
        while True:
            known = [ranks[pair] for pair in zip(word.ids, word.ids[1:], strict=False) if pair in ranks]
            if not known:
                break
            word.join(*merges[min(known) - 256], min(known))
        out += word.ids
    return out
