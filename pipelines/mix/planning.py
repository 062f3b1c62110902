"""What is in the sources of a mix, and what each phase takes of it: phases `measure` and `plan`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus import storage
from corpus.inputs import Input
from corpus.stage import Task, local_copy
from corpus.writing import Output
from pipelines.mix import quotas
from pipelines.mix.quotas import Cut, Items
from pipelines.mix.reading import batches, copies_of, source_of
from pipelines.mix.recipe import MixRecipe, Plan, Taken, Whole
from pipelines.tokens.coder import Coder

#: The plan, in the folder of the mix.
PLAN: Final = "_mix.json"


def measure(recipe: MixRecipe, coder: Coder | None, task: Task, out: Output) -> None:
    """Write the items of one input, and counts of its documents."""
    source = task.inputs[0]
    given = recipe.sources[source_of(source)]
    found, counts = [], Counter[str]()
    for first, batch in batches(source, given, out, counts, text_only=True):
        sizes = np.ones(len(batch), np.int64)
        if coder:
            sizes = np.diff(coder.encode(batch.column("text"))[1])
        counts["documents"] += len(batch)
        stands = np.zeros(len(batch), bool)
        for copy, which, keys in copies_of(batch, given, recipe.seed):
            stands |= which
            rows = first[which]
            found.append(Items(keys[which], rows, np.full(len(rows), copy), sizes[which]))
        counts["never"] += int(np.sum(~stands))
    with out.work("items") as path:
        pq.write_table(_joined(found), path, compression="zstd")
    with out.work("counts") as path:
        path.write_bytes(msgspec.json.encode(dict(sorted(counts.items()))))


def plan(recipe: MixRecipe, task: Task, out: Output) -> None:
    """Write where each source is cut, and the plan."""
    files = list(
        zip(task.inputs, task.files("measure", "items"), task.files("measure", "counts"), strict=True)
    )
    names = recipe.sources
    hists, counts = _contents(names, files, out)
    wanted, remarks = quotas.quotas(recipe, {name: int(hist.sum()) for name, hist in hists.items()})
    places = {name: _sums(wanted, name, hists[name]) for name in names}
    parts: dict[tuple[str, int], list[tuple[int, Items]]] = {}
    for number, (source, items, _) in enumerate(files):
        name = source_of(source)
        found = _items(local_copy(items, out))
        for bucket in {bucket for _, bucket, _ in places[name] if bucket >= 0}:
            parts.setdefault((name, bucket), []).append((number, quotas.inside(found, bucket)))
    cuts = {
        name: [
            Cut(epoch) if bucket < 0 else quotas.cut_of(epoch, rest, parts[name, bucket])
            for epoch, bucket, rest in places[name]
        ]
        for name in names
    }
    taken = {name: [[0, 0] for _ in cuts[name]] for name in names}
    for number, (source, items, _) in enumerate(files):
        name = source_of(source)
        _count(_items(local_copy(items, out)), number, cuts[name], taken[name])
    made = _plan_of(recipe, wanted, taken, hists, counts, remarks)
    out.put_bytes(msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n", PLAN)
    for text in remarks:
        out.notes[f"mix {len(out.notes)}"] = text
    with out.work() as path:
        path.write_bytes(msgspec.json.encode(cuts))


def _contents(
    names: Iterable[str], files: Sequence[tuple[Input, str, str]], out: Output
) -> tuple[dict[str, Any], dict[str, Counter[str]]]:
    """Of each source the sizes of its items by part of the keys' range, and counts of documents."""
    hists: dict[str, Any] = {name: np.zeros(quotas.BUCKETS, np.int64) for name in names}
    counts: dict[str, Counter[str]] = {name: Counter() for name in names}
    for source, items, about in files:
        name = source_of(source)
        found = _items(local_copy(items, out))
        hists[name] += quotas.histogram(found)
        counts[name].update(msgspec.json.decode(storage.read_bytes(about), type=dict[str, int]))
        counts[name]["items"] += len(found.keys)
    return hists, counts


def _joined(found: list[Items]) -> pa.Table:
    empty = Items(np.empty(0, np.uint64), *(np.empty(0, np.int64) for _ in range(3)))
    names = ("keys", "rows", "copies", "sizes")
    return pa.table({n: np.concatenate([getattr(one, n) for one in found or [empty]]) for n in names})


def _items(path: Path) -> Items:
    read = pq.read_table(path)
    return Items(*(read[name].to_numpy() for name in ("keys", "rows", "copies", "sizes")))


def _sums(wanted: Mapping[str, Mapping[str, int]], name: str, hist: Any) -> list[tuple[int, int, int]]:
    """The places in a source's order at which the phases end."""
    return quotas.places(list(np.cumsum([one.get(name, 0) for one in wanted.values()]).tolist()), hist)


def phases_of(items: Items, number: int, epoch: int, cuts: Sequence[Cut]) -> Any:
    """The phase that takes each item in a pass: its number, that of no phase behind the last cut."""
    found = np.zeros(len(items.keys), np.int64)
    for cut in cuts:
        found += quotas.behind(items, number, epoch, cut)
    return found


def _count(items: Items, number: int, cuts: Sequence[Cut], taken: list[list[int]]) -> None:
    """Add what the phases take of an input: size and documents."""
    for epoch in range(cuts[-1].epoch + 1):
        phases = phases_of(items, number, epoch, cuts)
        sizes = np.bincount(phases, items.sizes, len(cuts) + 1).astype(np.int64)
        documents = np.bincount(phases, minlength=len(cuts) + 1)
        for place, one in enumerate(taken):
            one[0] += int(sizes[place])
            one[1] += int(documents[place])


def _plan_of(
    recipe: MixRecipe,
    wanted: Mapping[str, Mapping[str, int]],
    taken: Mapping[str, list[list[int]]],
    hists: Mapping[str, Any],
    counts: Mapping[str, Counter[str]],
    remarks: tuple[str, ...],
) -> Plan:
    phases: dict[str, dict[str, Taken]] = {}
    gone = Counter[str]()
    for place, (phase, shares) in enumerate(wanted.items()):
        phases[phase] = {}
        for name, quota in shares.items():
            size, documents = taken[name][place]
            gone[name] += size
            total = max(1, int(hists[name].sum()))
            phases[phase][name] = Taken(quota, size, documents, round(gone[name] / total, 4))
    sources = {}
    for name, count in counts.items():
        total = int(hists[name].sum())
        documents = sum(one[1] for one in taken[name])
        distinct = count["documents"] - count["never"]
        reasons = {k: n for k, n in count.items() if n and k not in ("documents", "never", "items")}
        sources[name] = Whole(
            documents=count["documents"],
            pass_documents=count["items"],
            pass_amount=total,
            repeats=round(documents / max(1, distinct), 4),
            unused_documents=max(0, count["items"] - documents),
            unused_amount=max(0, total - gone[name]),
            never=count["never"],
            dropped=dict(sorted(reasons.items())),
        )
    return Plan(recipe.unit, recipe.seed, phases, sources, remarks)
