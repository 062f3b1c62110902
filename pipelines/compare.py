"""Two runs side by side: recipes, funnels, figures, and the documents that changed sides, as one HTML file.

Reads both runs' folders and changes nothing in them. The page needs nothing else, as a run's report does.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from corpus import storage
from corpus.errors import UsageError
from corpus.receipts import DROPPED, PLAN, read_receipts, versions
from corpus.table import DROP_DETAIL
from pipelines import registry
from pipelines.account import StageResult
from pipelines.fates import Move, changed_texts, kept_of, moves, rows_with_ids
from pipelines.findings import Findings, Sample, read_findings, reading_shard, sample, without_paths
from pipelines.layout import RECIPE, shards_of
from pipelines.report import read_evaluation, read_results, russian_reasons
from pipelines.templates import render

#: Values of a column with the largest differences that are shown.
_VALUES: Final = 12
_NAMES: Final = ("lang", "register", "orthography", "page_kind", "charset", "host")


@dataclass(frozen=True)
class Side:
    """One of the two runs."""

    title: str
    results: tuple[StageResult, ...]
    last: StageResult | None
    found: Findings
    evaluation: dict[str, Any]
    settings: dict[str, str]

    def documents(self) -> list[StageResult]:
        """The stages that pass documents on."""
        return [r for r in self.results if registry.row_of(r.stage).documents]

    def of(self, stage: str) -> StageResult | None:
        """A stage's result; None where the run has not done it."""
        return next((r for r in self.results if r.stage == stage), None)


@dataclass(frozen=True)
class Changed:
    """A pair of fates that differ, with samples. What decided stands with a sample as its detail."""

    move: Move
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class Comparison:
    """What differs between two runs."""

    first: Side
    second: Side
    #: (key, value in the first, value in the second) where they differ; "" for a key that a run has not.
    settings: tuple[tuple[str, str, str], ...]
    kept_in_both: int
    changed: tuple[Changed, ...]
    #: How many documents kept in both have another text; None where that was not counted.
    other_text: int | None
    text_samples: tuple[tuple[str, tuple[Sample, ...]], ...] = ()

    def kept_in_one(self, *, first: bool) -> int:
        """Documents that only one of the runs has kept, of those that both have met."""
        return sum(
            c.move.count
            for c in self.changed
            if (c.move.first.kept if first else c.move.second.kept)
            and not (c.move.first.absent or c.move.second.absent)
        )

    def plain(self) -> dict[str, Any]:
        """What a program reads: counts without samples."""
        return {
            "first": self.first.title,
            "second": self.second.title,
            "settings": [{"key": k, "first": a, "second": b} for k, a, b in self.settings],
            "funnel": [
                {"stage": stage, "first": _counts(one), "second": _counts(other)}
                for stage, one, other in self.stages()
            ],
            "kept_in_both": self.kept_in_both,
            "kept_in_first_alone": self.kept_in_one(first=True),
            "kept_in_second_alone": self.kept_in_one(first=False),
            "other_text": self.other_text,
            "changed": [
                {"first": c.move.first.said(), "second": c.move.second.said(), "documents": c.move.count}
                for c in self.changed
            ],
        }

    def groups(self) -> list[tuple[str, list[Changed]]]:
        """Changed fates by what they mean: lost in B, won in B, dropped by another rule, met by one only."""
        found: dict[str, list[Changed]] = {"lost": [], "won": [], "rule": [], "met": []}
        for one in self.changed:
            first, second = one.move.first, one.move.second
            absent = first.absent or second.absent
            found["met" if absent else "lost" if first.kept else "won" if second.kept else "rule"].append(one)
        return [(name, rows) for name, rows in found.items() if rows]

    def stages(self) -> list[tuple[str, StageResult | None, StageResult | None]]:
        """Stages of either run in the order of the job."""
        have = {r.stage for r in (*self.first.results, *self.second.results)}
        return [(s, self.first.of(s), self.second.of(s)) for s in registry.names() if s in have]

    def rules(self) -> list[tuple[str, str, int, int]]:
        """(stage, reason, rows in the first, rows in the second), the largest differences first."""
        rows = []
        for stage, one, other in self.stages():
            counts = [dict(side.dropped) if side else {} for side in (one, other)]
            rows += [(stage, r, counts[0].get(r, 0), counts[1].get(r, 0)) for r in {**counts[0], **counts[1]}]
        return sorted(rows, key=lambda row: (-abs(row[2] - row[3]), row))

    def values(self) -> list[tuple[str, list[tuple[str, int, int]]]]:
        """Column -> values whose counts differ, those that differ most first."""
        found = []
        for name in _NAMES:
            one, other = (dict(side.found.values.get(name, {})) for side in (self.first, self.second))
            rows = [(v, one.get(v, 0), other.get(v, 0)) for v in {**one, **other}]
            rows = sorted((r for r in rows if r[1] != r[2]), key=lambda r: (-abs(r[1] - r[2]), r))
            if rows:
                found.append((name, rows[:_VALUES]))
        return found


def compare(first: str, second: str) -> Comparison:
    """Read two runs, or two folders of stages. Raises UsageError for a folder that is neither, ShardError for
    a shard that can't be read."""
    if storage.absolute(first) == storage.absolute(second):
        raise UsageError(f"{first} and {second} are one folder; name two runs")
    one, other = (_side(run) for run in (first, second))
    for result in (*one.results, *other.results):
        _check(result)
    found = moves(one.results, other.results)
    texts = changed_texts(one.last, other.last) if one.last and other.last else None
    changed = [m for m in found if m.first != m.second]
    return Comparison(
        first=one,
        second=other,
        settings=tuple(_differences(one.settings, other.settings)),
        kept_in_both=sum(m.count for m in found if m.first.kept and m.second.kept),
        changed=tuple(_with_samples(changed, one, other)),
        other_text=texts[0] if texts else None,
        text_samples=tuple(_text_samples(texts[1], one, other)) if texts else (),
    )


def write_comparison(found: Comparison, target: str) -> None:
    """Write the page to a file or URL."""
    stages = [stage for stage, _, _ in found.stages()]
    html = render(
        "compare.html",
        title=f"{found.first.title} ↔ {found.second.title}",
        c=found,
        a=found.first,
        b=found.second,
        reasons=registry.reasons(stages),
        russian=russian_reasons(),
        versions=versions(),
    )
    storage.write_bytes(target, html.encode())


def _side(run: str) -> Side:
    results = read_results(run)
    if not results:
        raise UsageError(f"{run}: neither a run nor a stage's folder; name what --out named")
    last = kept_of(results)
    return Side(
        title=storage.base_name(storage.absolute(run)),
        results=tuple(results),
        last=last,
        found=read_findings(last.folder, last.rows_out) if last else Findings(),
        evaluation=read_evaluation(run),
        settings=_settings(run, results),
    )


def _check(result: StageResult) -> None:
    """Raise ShardError that names a shard which can't be read."""
    for file in (*shards_of(result.folder), *shards_of(storage.join(result.folder, DROPPED))):
        reading_shard(file, lambda _: None)


def _settings(run: str, results: Sequence[StageResult]) -> dict[str, str]:
    """Values in force, of the recipe or of the stages' parameters, and the versions that made the shards."""
    location = storage.join(run, RECIPE)
    if storage.exists(location):
        try:
            plain = tomllib.loads(storage.read_bytes(location).decode("utf-8", "replace"))
        except tomllib.TOMLDecodeError as error:
            raise UsageError(
                f"{location}: not TOML ({error}); it is written by the run, change it back"
            ) from error
        found = dict(_flat(plain))
    else:
        found = {}
        for result in results:
            plan = storage.join(result.folder, PLAN)
            read = msgspec.json.decode(storage.read_bytes(plan), type=dict[str, Any])
            found |= dict(_flat({result.stage: read.get("parameters", {})}))
    made = {
        name: v
        for result in results[:1]
        for r in read_receipts(result.folder)
        for name, v in r.versions.items()
    }
    return found | {f"version of {name}": version for name, version in sorted(made.items())}


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            items = value if isinstance(value, list) else [value]
            said = ", ".join(
                one if isinstance(one, str) else msgspec.json.encode(one).decode() for one in items
            )
            yield f"{before}{key}", without_paths(said)


def _differences(one: Mapping[str, str], other: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for key in dict.fromkeys((*one, *other)):
        if one.get(key) != other.get(key):
            yield key, one.get(key, ""), other.get(key, "")


def _with_samples(changed: Iterable[Move], one: Side, other: Side) -> Iterator[Changed]:
    """Sampled documents of each pair: text of the run that kept it, else of a dropped row; what decided."""
    known = list(changed)
    texts: dict[str, dict[str, Any]] = {}
    details: dict[tuple[str, str], str] = {}
    for side, fates in ((one, [m.first for m in known]), (other, [m.second for m in known])):
        ids_of: dict[str, list[str]] = {}
        for move, fate in zip(known, fates, strict=True):
            if not fate.absent:
                ids_of.setdefault(fate.stage, []).extend(move.sampled)
        for stage, ids in ids_of.items():
            folder = _folder(side, stage)
            for identity, row in rows_with_ids(folder, ids, ("url", "text", DROP_DETAIL)).items():
                if stage:
                    details[stage, identity] = str(row.get(DROP_DETAIL) or "")
                if row.get("text") or identity not in texts:
                    texts[identity] = row
    for move in known:
        yield Changed(move, tuple(_sample(move, identity, texts, details) for identity in move.sampled))


def _folder(side: Side, stage: str) -> str:
    if not stage:
        return side.last.folder if side.last else ""
    result = side.of(stage)
    return storage.join(result.folder, DROPPED) if result else ""


def _sample(
    move: Move, identity: str, texts: Mapping[str, dict[str, Any]], details: Mapping[tuple[str, str], str]
) -> Sample:
    row = texts.get(identity, {})
    said = [details.get((fate.stage, identity), "") for fate in (move.first, move.second) if fate.stage]
    return sample(row.get("url") or identity, " | ".join(filter(None, dict.fromkeys(said))), row.get("text"))


def _text_samples(ids: Sequence[str], one: Side, other: Side) -> Iterator[tuple[str, tuple[Sample, ...]]]:
    """Documents with another text: what each run has in the lines that the other has not."""
    if not ids or one.last is None or other.last is None:
        return
    rows = [rows_with_ids(side.folder, ids, ("url", "text")) for side in (one.last, other.last)]
    for identity in ids:
        pair = [found.get(identity, {}) for found in rows]
        lines = [str(row.get("text") or "").splitlines() for row in pair]
        own = [
            "\n".join(line for line in lines[n] if line not in set(lines[1 - n])) for n in (0, 1)
        ]  # fmt: skip
        yield str(pair[0].get("url") or identity), tuple(sample(None, None, text) for text in own)


def _counts(result: StageResult | None) -> dict[str, int] | None:
    if result is None:
        return None
    return {"in": result.rows_in, "out": result.rows_out, "bytes_out": result.bytes_out}
