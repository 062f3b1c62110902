"""How well a tokenizer fits a language: fertility by domain, morpheme boundaries, use of the vocabulary.

Every figure is a plain count over the texts given; `Evaluation` keeps them, as a table, as JSON, and, with
`tokenizer.plots`, as pictures. What they can and cannot say about a language model stands in
docs/measured/tokenizer.md.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from tokenizer.baselines import Baseline
from tokenizer.encode import Ids, Offsets

#: Letter runs, inner hyphens included: the words of "tokens per word".
WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
#: Of the Rényi efficiency: the value at which it followed translation quality best (Zouhar et al. 2023).
RENYI_ALPHA = 2.5
#: Used, but so seldom that an embedding row learns nothing.
SELDOM = 20

Boundaries = Mapping[str, Sequence[int]]
Forms = Sequence[tuple[str, int, Sequence[str]]]


@dataclass(frozen=True)
class DomainFigures:
    """Of one tokenizer on one domain. one_token, two_tokens: shares of word occurrences that take one token,
    and at most two. renyi: efficiency of the token distribution, 0 to 1."""

    domain: str
    words: int
    tokens: int
    tokens_per_word: float
    chars_per_token: float
    bytes_per_token: float
    one_token: float
    two_tokens: float
    renyi: float


@dataclass(frozen=True)
class BoundaryFigures:
    """Cuts inside " " + lemma against its morpheme boundaries, all lemmas together (micro)."""

    lemmas: int
    precision: float
    recall: float
    f1: float
    tokens_per_lemma: float


@dataclass(frozen=True)
class ConsistencyFigures:
    """Over all pairs of forms of a lemma: exact: both begin with the same tokens, which end where the stem
    ends; shared: bytes of the common first tokens, as a share of the stem (at most 1). split_...: of pairs
    of which both forms take two tokens or more: a form that is one token has no stem to share."""

    pairs: int
    exact: float
    shared: float
    split_pairs: int
    split_exact: float
    split_shared: float


@dataclass(frozen=True)
class Figures:
    """Of one tokenizer. renyi: efficiency of the token distribution over all texts. unused and seldom:
    ordinary tokens used never, and fewer than 20 times, in all texts. unreachable: tokens that no text can
    give, where known. lost_scalars: Unicode scalars that do not come back, None when not asked for."""

    name: str
    vocabulary_size: int
    domains: tuple[DomainFigures, ...]
    renyi: float
    unused: int
    seldom: int
    unreachable: int | None
    lost_scalars: int | None
    boundaries: BoundaryFigures | None
    consistency: ConsistencyFigures | None

    @property
    def tokens_per_word(self) -> float:
        """Mean over domains, each counting alike."""
        rates = [one.tokens_per_word for one in self.domains]
        return sum(rates) / len(rates) if rates else math.nan


@dataclass(frozen=True)
class Evaluation:
    """Figures of all tokenizers over the same texts (`bytes` UTF-8 bytes of each domain)."""

    bytes: Mapping[str, int]
    tokenizers: tuple[Figures, ...]
    renyi_alpha: float = field(default=RENYI_ALPHA)
    seldom_below: int = field(default=SELDOM)

    def to_json(self) -> str:
        """All figures, keys sorted, NaN as null."""
        return json.dumps(_finite(asdict(self)), ensure_ascii=False, indent=1, sort_keys=True) + "\n"

    def rows(self) -> list[dict[str, str | int | float | None]]:
        """One row a tokenizer, for a table: what fits on a screen."""
        return [_row(one) for one in self.tokenizers]

    def table(self) -> str:
        """`rows` as a Markdown table."""
        rows = self.rows()
        if not rows:
            return ""
        lines = ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
        lines += ["| " + " | ".join(map(_cell, row.values())) + " |" for row in rows]
        return "\n".join(lines) + "\n"


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value


def _cell(value: str | int | float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _row(figures: Figures) -> dict[str, str | int | float | None]:
    row: dict[str, str | int | float | None] = {"tokenizer": figures.name, "ids": figures.vocabulary_size}
    row |= {f"t/w {one.domain}": one.tokens_per_word for one in figures.domains}
    words = sum(one.words for one in figures.domains)
    tokens = sum(one.tokens for one in figures.domains)
    for name, key in (("chars/t", "chars_per_token"), ("bytes/t", "bytes_per_token")):
        total = sum(getattr(one, key) * one.tokens for one in figures.domains if one.tokens)
        row[name] = total / tokens if tokens else None
    for name, key in (("1 token", "one_token"), ("<= 2", "two_tokens")):
        total = sum(getattr(one, key) * one.words for one in figures.domains if one.words)
        row[name] = total / words if words else None
    cuts, forms = figures.boundaries, figures.consistency
    row |= {"P": cuts.precision, "R": cuts.recall, "F1": cuts.f1} if cuts else {}
    row |= {"same stem": forms.exact, "split": forms.split_exact} if forms else {}
    row |= {
        "Rényi": figures.renyi,
        "unused": figures.unused,
        "seldom": figures.seldom,
        "lost": figures.lost_scalars,
    }
    return row


def evaluate(
    tokenizers: Sequence[Baseline],
    texts: Mapping[str, Sequence[str]],
    *,
    boundaries: Boundaries | None = None,
    forms: Forms | None = None,
    scalars: bool = False,
) -> Evaluation:
    """Measure tokenizers over the same texts.

    texts: domain -> documents, which no tokenizer measured should have been trained on. boundaries: lemma ->
    character offsets of its morpheme boundaries, ends excluded. forms: (lemma, characters of the common stem,
    its forms). scalars: encode and decode every Unicode scalar, too (about a second a tokenizer of ours, more
    for others). ValueError when there is no text.
    """
    if not any(documents for documents in texts.values()):
        raise ValueError("there is no text to evaluate on")
    words = {domain: word_counts(documents) for domain, documents in texts.items()}
    figures = [_measure(one, texts, words, boundaries, forms, scalars) for one in tokenizers]
    sizes = {
        domain: sum(len(text.encode("utf-8")) for text in documents) for domain, documents in texts.items()
    }
    return Evaluation(bytes=sizes, tokenizers=tuple(figures))


def word_counts(documents: Iterable[str]) -> Counter[str]:
    """The words of "tokens per word", as they are spelt, with how often they occur."""
    counts: Counter[str] = Counter()
    for text in documents:
        counts.update(WORD.findall(text))
    return counts


def _measure(
    baseline: Baseline,
    texts: Mapping[str, Sequence[str]],
    words: Mapping[str, Counter[str]],
    boundaries: Boundaries | None,
    forms: Forms | None,
    scalars: bool,
) -> Figures:
    used = np.zeros(baseline.vocabulary_size, dtype=np.int64)
    domains = []
    for domain, documents in texts.items():
        ids, _ = baseline.encode(documents)
        counts = np.bincount(ids, minlength=baseline.vocabulary_size)
        used += counts
        domains.append(_domain(baseline, domain, documents, words[domain], counts))
    ordinary = np.array([bool(piece) for piece in baseline.pieces])
    return Figures(
        name=baseline.name,
        vocabulary_size=baseline.vocabulary_size,
        domains=tuple(domains),
        renyi=renyi_efficiency(used, baseline.vocabulary_size),
        unused=int((ordinary & (used == 0)).sum()),
        seldom=int((ordinary & (used > 0) & (used < SELDOM)).sum()),
        unreachable=baseline.unreachable,
        lost_scalars=lost_scalars(baseline) if scalars else None,
        boundaries=boundary_figures(baseline, boundaries) if boundaries else None,
        consistency=consistency_figures(baseline, forms) if forms else None,
    )


def _domain(
    baseline: Baseline,
    domain: str,
    documents: Sequence[str],
    words: Counter[str],
    counts: npt.NDArray[np.int64],
) -> DomainFigures:
    tokens, total = int(counts.sum()), words.total()
    _, offsets = baseline.encode([baseline.word_prefix + word for word in words])
    lengths = np.diff(offsets)
    occurrences = np.fromiter(words.values(), dtype=np.int64, count=len(words))
    chars = sum(map(len, documents))
    size = sum(len(text.encode("utf-8")) for text in documents)
    return DomainFigures(
        domain=domain,
        words=total,
        tokens=tokens,
        tokens_per_word=_ratio(tokens, total),
        chars_per_token=_ratio(chars, tokens),
        bytes_per_token=_ratio(size, tokens),
        one_token=_ratio(int(occurrences[lengths <= 1].sum()), total),
        two_tokens=_ratio(int(occurrences[lengths <= 2].sum()), total),
        renyi=renyi_efficiency(counts, baseline.vocabulary_size),
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def renyi_efficiency(counts: npt.NDArray[np.int64], size: int, alpha: float = RENYI_ALPHA) -> float:
    """Rényi entropy of the token distribution over that of a uniform one over `size` tokens (0 to 1)."""
    total = int(counts.sum())
    if total == 0 or size < 2:
        return math.nan
    shares = counts[counts > 0] / total
    return float(np.log((shares**alpha).sum()) / (1 - alpha) / math.log(size))


def _cuts(baseline: Baseline, words: Sequence[str]) -> list[list[int]]:
    """Of each word, encoded as after a space: the byte offsets in the word at which a token ends, its end
    included."""
    ids, offsets = baseline.encode([baseline.word_prefix + word for word in words])
    lengths = np.fromiter(
        (len(piece) for piece in baseline.pieces), dtype=np.int64, count=len(baseline.pieces)
    )
    parts = zip(words, _parts(ids, offsets), strict=True)
    return [_word_cuts(lengths[part], len(word.encode("utf-8"))) for word, part in parts]


def _parts(ids: Ids, offsets: Offsets) -> Iterable[Ids]:
    return (ids[start:end] for start, end in pairwise(offsets.tolist()))


def _word_cuts(lengths: npt.NDArray[np.int64], size: int) -> list[int]:
    ends = np.cumsum(lengths)
    space = int(ends[-1]) - size if len(ends) else 0
    return [end - space for end in ends.tolist() if end > space]


def boundary_figures(baseline: Baseline, boundaries: Boundaries) -> BoundaryFigures:
    """Token cuts inside lemmas against morpheme boundaries; a cut inside a character is a wrong one."""
    lemmas = list(boundaries)
    right = cut = gold = tokens = 0
    for lemma, ends in zip(lemmas, _cuts(baseline, lemmas), strict=True):
        found = set(ends[:-1])
        wanted = {len(lemma[:at].encode("utf-8")) for at in boundaries[lemma]}
        right += len(found & wanted)
        cut += len(found)
        gold += len(wanted)
        tokens += len(ends)
    precision, recall = _ratio(right, cut), _ratio(right, gold)
    f1 = 2 * right / (cut + gold) if cut + gold else math.nan
    return BoundaryFigures(len(lemmas), precision, recall, f1, _ratio(tokens, len(lemmas)))


@dataclass
class _Pairs:
    """Pairs of forms: how many, those whose common tokens end where the stem does, and the shares of stems
    that common tokens cover, added up."""

    pairs: int = 0
    exact: int = 0
    shared: float = 0.0


def consistency_figures(baseline: Baseline, forms: Forms) -> ConsistencyFigures:
    """How alike the forms of a lemma begin, over all pairs of forms of each lemma."""
    words = [form for _, _, group in forms for form in group]
    ids, offsets = baseline.encode([baseline.word_prefix + word for word in words])
    tokens = [part.tolist() for part in _parts(ids, offsets)]
    # Of all pairs, and of those in which both forms are split.
    every, split = _Pairs(), _Pairs()
    start = 0
    for _, stem, group in forms:
        members = list(zip(group, tokens[start : start + len(group)], strict=True))
        start += len(group)
        for (one, left), (_, right) in combinations(members, 2):
            common = _common_bytes(baseline, left, right, one)
            size = len(one[:stem].encode("utf-8"))
            shared = min(max(common, default=0), size) / size if size else 0.0
            for sums in (every, split) if min(len(left), len(right)) >= 2 else (every,):
                sums.pairs += 1
                sums.exact += size in common
                sums.shared += shared
    return ConsistencyFigures(
        every.pairs,
        _ratio(every.exact, every.pairs),
        _ratio(every.shared, every.pairs),
        split.pairs,
        _ratio(split.exact, split.pairs),
        _ratio(split.shared, split.pairs),
    )


def _common_bytes(baseline: Baseline, left: list[int], right: list[int], word: str) -> list[int]:
    """Byte offsets in the word at which the tokens that both forms begin with end."""
    space = sum(len(baseline.pieces[token]) for token in left) - len(word.encode("utf-8"))
    ends, end = [], -space
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        end += len(baseline.pieces[one])
        ends.append(end)
    return ends


#: Scalars encoded together; a block that does not come back is looked into scalar by scalar.
_BLOCK = 256


def lost_scalars(baseline: Baseline, span: range = range(0x110000)) -> int:
    """Unicode scalars (1,112,064 of them, unless a narrower span is given) that do not come back as they went
    in."""
    codes = [code for code in span if not 0xD800 <= code < 0xE000]
    blocks = ["".join(map(chr, codes[at : at + _BLOCK])) for at in range(0, len(codes), _BLOCK)]
    doubtful = [char for block in _not_back(baseline, blocks) for char in block]
    return len(_not_back(baseline, doubtful))


def _not_back(baseline: Baseline, texts: list[str]) -> list[str]:
    ids, offsets = baseline.encode(texts)
    parts = _parts(ids, offsets)
    return [text for text, part in zip(texts, parts, strict=True) if baseline.decode(part.tolist()) != text]
