"""Fitting the filter to labels of one's own: a preset file that holds rules and a model.

The trees of the fit are added to those of a model that is there already (the bundled one), so a few hundred
labels move verdicts where they say something and leave the rest alone; how many trees, is chosen by
cross-validation, and none is an answer. Thresholds are chosen on margins of models that did not see the
documents. The figures of the report are of a second cross-validation around all of that, so no document is
judged by trees or thresholds that were chosen with documents of its host.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from corpus import trees
from corpus.quality import model
from corpus.quality.calibrate import fitted as loosened
from corpus.quality.choose import CANDIDATES, Rows, above
from corpus.quality.rules import MARGIN, Rule, merge
from corpus.quality.signals import SIGNALS

#: Fewest labelled documents of junk. Of good ones `Options.fewest_good` are needed.
FEWEST_JUNK: Final = 20
#: Fewest documents of a kind for which a rule is added, and the share of them that it must add.
KIND: Final = 15
GAIN: Final = 0.3
#: An added threshold is so many times the largest value of good text; so many are added at most.
ROOM: Final = 1.5
MOST_ADDED: Final = 3
#: Signals that tell kinds of text and topics of spam, of which a rule may be added.
TOPICS: Final = tuple(name for name in SIGNALS.names if name.startswith("excess_"))

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Options:
    """Of the fit. `keep`: share of good documents that the thresholds keep."""

    keep: float = 0.98
    folds: int = 5
    rounds: tuple[int, ...] = (0, 10, 20, 40, 80, 160)
    leaves: int = 6
    rate: float = 0.06
    seed: int = 1

    @property
    def fewest_good(self) -> int:
        """Good documents without which no threshold can promise `keep` for documents that were not seen."""
        return max(20, math.ceil(round(self.keep / (1 - self.keep), 6)))


@dataclass(frozen=True)
class Labelled:
    """Documents that people have read: rows of signals, verdicts, kinds, and the host of each."""

    rows: Rows
    good: Bools
    kind: npt.NDArray[np.str_]
    host: npt.NDArray[np.str_]

    def take(self, mask: Bools) -> Labelled:
        """The documents at which a mask is true."""
        return Labelled(self.rows[mask], self.good[mask], self.kind[mask], self.host[mask])


@dataclass(frozen=True)
class Kind:
    """Of one kind of documents: how many, and the shares dropped by the old preset and by the new one."""

    kind: str
    good: bool
    documents: int
    before: float
    after: float


@dataclass(frozen=True)
class Report:
    """What the fit is worth; `after` is cross-validated by host throughout."""

    documents: int
    hosts: int
    kinds: tuple[Kind, ...]
    #: Shares of good documents kept and of junk dropped.
    kept_before: float
    kept_after: float
    dropped_before: float
    dropped_after: float
    #: Trees added to the model, and the loss (bits a document, classes weighed alike) by number of trees.
    trees: int
    losses: Mapping[int, float]
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Fitted:
    """A preset file's bytes, its rules, and what it is worth."""

    data: bytes
    rules: tuple[Rule, ...]
    report: Report


def fit(labelled: Labelled, base: bytes, rules: Sequence[Rule], options: Options | None = None) -> Fitted:
    """Fits trees and thresholds to labelled documents, beginning with the model file `base` and `rules`.

    Raises ValueError where there are too few documents, and for a model of other signals.
    """
    options = options or Options()
    _check(labelled, options)
    start = model.read(base, SIGNALS.names).margins(labelled.rows).astype(np.float64)
    dropped = np.zeros(len(labelled.good), np.bool_)
    folds = folds_of(labelled.host, options.folds)
    for fold in range(options.folds):
        seen, held = folds != fold, folds == fold
        part = labelled.take(seen)
        if held.any() and part.good.any() and not part.good.all():
            fit_of_part = _fit(part, start[seen], rules, options)
            margins = start[held] + fit_of_part.score(labelled.rows[held])
            dropped[held] = failed(labelled.rows[held], margins, fit_of_part.rules)
    whole = _fit(labelled, start, rules, options)
    before = failed(labelled.rows, start, rules)
    data = _file(base, whole, labelled, options)
    return Fitted(data, whole.rules, _report(labelled, before, dropped, whole))


def _check(labelled: Labelled, options: Options) -> None:
    good, junk = int(labelled.good.sum()), int((~labelled.good).sum())
    if good < options.fewest_good or junk < FEWEST_JUNK:
        raise ValueError(
            f"{good} documents labelled good and {junk} labelled junk: to keep {options.keep:g} of good text "
            f"at least {options.fewest_good} and {FEWEST_JUNK} are needed; label more"
        )


def folds_of(hosts: npt.NDArray[np.str_], folds: int) -> Integers:
    """The fold of each document: documents of a host stay together, large hosts are dealt out first."""
    names, counts = np.unique(hosts, return_counts=True)
    digests = [hashlib.sha256(str(name).encode()).digest() for name in names]
    sizes, place = [0] * folds, {}
    for at in sorted(range(len(names)), key=lambda at: (-counts[at], digests[at])):
        smallest = min(range(folds), key=lambda fold: (sizes[fold], fold))
        place[names[at]] = smallest
        sizes[smallest] += int(counts[at])
    return np.array([place[host] for host in hosts], np.int64)


@dataclass(frozen=True)
class _Part:
    """Trees and rules fitted to some documents."""

    ensemble: trees.Ensemble
    covers: trees.Ensemble
    rules: tuple[Rule, ...]
    losses: Mapping[int, float]

    def score(self, rows: Rows) -> Floats:
        return _score(self.ensemble, self.covers, rows)


def _score(ensemble: trees.Ensemble, covers: trees.Ensemble, rows: Rows) -> Floats:
    """What trees add to the margins of rows: by the kernel, as a model of nothing else."""
    if not ensemble.trees:
        return np.zeros(len(rows))
    alone = trees.TreeFile({}, {"junk": ensemble, "junk.cover": covers})
    found = model.read(model.to_bytes(alone, SIGNALS.names), SIGNALS.names).margins(rows)
    return found.astype(np.float64)


def _fit(labelled: Labelled, start: Floats, rules: Sequence[Rule], options: Options) -> _Part:
    """Chooses the number of trees, then thresholds on margins of trees that did not see the document."""
    folds = folds_of(labelled.host, options.folds)
    margins = np.repeat(start[:, None], len(options.rounds), axis=1)
    for fold in range(options.folds):
        seen, held = folds != fold, folds == fold
        if held.any() and labelled.good[seen].any() and not labelled.good[seen].all():
            grown = _grow(labelled.take(seen), start[seen], options)
            for at, rounds in enumerate(options.rounds):
                first = [replace(one, trees=one.trees[:rounds]) for one in grown]
                margins[held, at] += _score(first[0], first[1], labelled.rows[held])
    losses = [_loss(margins[:, at], labelled.good) for at in range(len(options.rounds))]
    best = int(np.argmin(losses))
    chosen = thresholds(labelled, margins[:, best], rules, options.keep)
    ensemble, covers = _grow(labelled, start, replace(options, rounds=(options.rounds[best],)))
    return _Part(ensemble, covers, chosen, dict(zip(options.rounds, losses, strict=True)))


def _weights(good: Bools) -> Floats:
    """Good documents and junk count alike."""
    share = max(float(good.mean()), 1e-9)
    weights: Floats = np.where(good, 0.5 / share, 0.5 / max(1 - share, 1e-9))
    return weights


def _loss(margins: Floats, good: Bools) -> float:
    bits = np.logaddexp(0, np.where(good, margins, -margins)) / math.log(2)
    return float(np.average(bits, weights=_weights(good)))


def _grow(labelled: Labelled, start: Floats, options: Options) -> tuple[trees.Ensemble, trees.Ensemble]:
    """Trees that correct the margins `start`, and the rows in each of their leaves."""
    rounds = max(options.rounds)
    if rounds == 0:
        return trees.Ensemble(()), trees.Ensemble(())
    import lightgbm

    settings = {
        "objective": "binary",
        "num_leaves": options.leaves,
        "learning_rate": options.rate,
        "min_data_in_leaf": max(8, len(start) // 40),
        "feature_fraction": 0.3,
        "lambda_l2": 5.0,
        "path_smooth": 2.0,
        "max_bin": 63,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "seed": options.seed,
        "verbosity": -1,
    }
    names = [f"f{at}" for at in range(labelled.rows.shape[1])]
    data = lightgbm.Dataset(
        _without_style(labelled.rows), (~labelled.good).astype(np.int32), weight=_weights(labelled.good),
        init_score=start, feature_name=names, params=settings,
    )  # fmt: skip
    dump = lightgbm.train(settings, data, num_boost_round=rounds).dump_model()
    return trees.from_lightgbm(dump), trees.covers(dump)


def _without_style(rows: Rows) -> Rows:
    """The rows with constants for signals that tell genres: labels of few hosts would teach their genres."""
    from corpus.quality.fit import STYLE

    topics = ("topic_", "excess_", "spam_")
    columns = [at for at, name in enumerate(SIGNALS.names) if name in STYLE and not name.startswith(topics)]
    rows = rows.copy()
    rows[:, columns] = 0
    return rows


def failed(rows: Rows, margins: Floats, rules: Sequence[Rule]) -> Bools:
    """Which documents fail one of the rules."""
    result = np.zeros(len(rows), np.bool_)
    for rule in rules:
        values = margins if rule.signal == MARGIN else rows[:, SIGNALS.names.index(rule.signal)]
        result |= rule.fails(values)
    return result


def thresholds(labelled: Labelled, margins: Floats, rules: Sequence[Rule], keep: float) -> tuple[Rule, ...]:
    """The rules fitted to labelled documents, the margin's last.

    A rule that drops more than a quarter of the good text that may go is loosened, a few are added where a
    kind of junk passes that lies far from all good text, and the margin's threshold is where `keep` of good
    text stays: with one document more than was seen, as a conformal predictor counts.
    """
    own = [rule for rule in rules if rule.signal != MARGIN]
    columns = {name: labelled.rows[labelled.good, at] for at, name in enumerate(SIGNALS.names)}
    chosen = loosened(own, columns, (1 - keep) / 4)
    chosen = list(merge(chosen, _added(labelled, margins, chosen)))
    good = np.where(failed(labelled.rows, margins, chosen), np.inf, margins)[labelled.good]
    place = math.ceil(round((len(good) + 1) * keep, 6)) - 1
    limit = np.sort(good)[min(place, len(good) - 1)]
    limit = limit if np.isfinite(limit) else margins[labelled.good].max()
    return (*chosen, Rule(MARGIN, float(math.ceil(limit * 20 + 1e-6) / 20)))


def _added(labelled: Labelled, margins: Floats, rules: Sequence[Rule]) -> list[Rule]:
    """Rules that drop much of a kind of junk which the others and a margin above all good text let pass."""
    added: list[Rule] = []
    top = Rule(MARGIN, float(margins[labelled.good].max()))
    for _ in range(MOST_ADDED):
        passes = ~failed(labelled.rows, margins, [*rules, *added, top]) & ~labelled.good
        gains = [(_gain(labelled, passes, rule), rule) for rule in _candidates(labelled)]
        gain, best = max(gains, key=lambda pair: (pair[0], str(pair[1])), default=(0.0, top))
        if gain < GAIN:
            break
        added.append(best)
    return added


def _candidates(labelled: Labelled) -> list[Rule]:
    names = [name for name, least in CANDIDATES if not least] + list(TOPICS)
    most = {name: float(labelled.rows[labelled.good, SIGNALS.names.index(name)].max()) for name in names}
    return [Rule(name, above(ROOM * value)) for name, value in most.items() if value > 0]


def _gain(labelled: Labelled, passes: Bools, rule: Rule) -> float:
    fails = passes & rule.fails(labelled.rows[:, SIGNALS.names.index(rule.signal)])
    kinds, counts = np.unique(labelled.kind[~labelled.good], return_counts=True)
    junk = ~labelled.good
    gains = [
        float(fails[junk & (labelled.kind == kind)].mean())
        for kind, count in zip(kinds, counts, strict=True)
        if count >= KIND
    ]
    return max(gains, default=0.0)


def _file(base: bytes, part: _Part, labelled: Labelled, options: Options) -> bytes:
    """The preset file: the base's model with the trees behind its own, and the rules in the header."""
    old = trees.from_bytes(model.MAGIC, base)
    ensembles = dict(old.ensembles)
    for name, more in (("junk", part.ensemble), ("junk.cover", part.covers)):
        ensembles[name] = replace(ensembles[name], trees=(*ensembles[name].trees, *more.trees))
    header: dict[str, Any] = {
        "what": "preset of bukvar's filter: rules, and boosted trees over signals of documents",
        model.RULES: [str(rule) for rule in part.rules],
        "model_before_sha256": hashlib.sha256(base).hexdigest(),
        "labelled": {"good": int(labelled.good.sum()), "junk": int((~labelled.good).sum())},
        "options": asdict(options),
    }
    return model.to_bytes(replace(old, header=header, ensembles=ensembles), SIGNALS.names)


def _report(labelled: Labelled, before: Bools, after: Bools, part: _Part) -> Report:
    kinds = []
    for verdict in (True, False):
        of = labelled.good == verdict
        for kind in np.unique(labelled.kind[of]):
            mask = of & (labelled.kind == kind)
            shares = float(before[mask].mean()), float(after[mask].mean())
            kinds.append(Kind(str(kind), verdict, int(mask.sum()), *shares))
    good = labelled.good
    return Report(
        documents=len(good),
        hosts=len(np.unique(labelled.host)),
        kinds=tuple(kinds),
        kept_before=float(1 - before[good].mean()),
        kept_after=float(1 - after[good].mean()),
        dropped_before=float(before[~good].mean()),
        dropped_after=float(after[~good].mean()),
        trees=len(part.ensemble.trees),
        losses=part.losses,
        rules=tuple(str(rule) for rule in part.rules),
    )
