"""The card of a published dataset: README.md, English and Russian, from the manifest alone.

It says only what the manifest knows: of documents whose past is not known it does not say that they are
Russian or came from a crawl.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any, Final

from pipelines import columns, registry
from pipelines.manifest import Manifest
from pipelines.templates import render

CARD: Final = "README.md"
#: Values of a column that the card names.
SHOWN: Final = 10


def make_card(manifest: Manifest) -> str:
    """The card's text."""
    counts = manifest.contents.get("counts", {})
    languages = counts.get("lang", {})
    stages = {entry.stage: entry for entry in manifest.lineage}
    return render(
        "card.md",
        manifest=manifest,
        contact=manifest.contact,
        meanings={name: columns.meaning(name) for name in manifest.columns},
        counts=counts,
        shown=SHOWN,
        languages=languages,
        russian=bool(languages) and set(languages) <= {"ru"},
        crawled="extract" in stages,
        first=manifest.lineage[0] if manifest.lineage else None,
        masks={
            name.removeprefix("masked_"): count
            for name, count in manifest.contents.get("masked", {}).items()
            if count and name != "masked"
        },
        masked=manifest.contents.get("masked", {}).get("masked", 0),
        mask_run="mask" in stages,
        contamination=stages.get("decontaminate"),
        sites=sites_of(manifest),
        opt_outs=opt_outs_of(manifest),
        splits=_sums(manifest, columns.split_of),
        subsets=_sums(manifest, columns.subset_of) if manifest.subsets else {},
        subset_files={
            entry.path.removeprefix("data/").rpartition("-of-")[0][:-6] for entry in manifest.files
        },
        tokens=manifest.contents.get("tokens", 0),
        parameters=parameters_of(manifest),
        rules=rules_of(manifest),
        limits=columns.LIMITS,
        limits_ru=columns.LIMITS_RU,
        citation=columns.citation(manifest),
        size_category=_size_category(manifest.rows),
    )


def _sums(manifest: Manifest, key: Callable[[str], str]) -> dict[str, int]:
    """Documents by what a key makes of the files' paths."""
    found: dict[str, int] = {}
    for entry in manifest.files:
        found[key(entry.path)] = found.get(key(entry.path), 0) + entry.rows
    return dict(sorted(found.items()))


def sites_of(manifest: Manifest) -> tuple[str, str]:
    """What became of the sites' robots.txt and tdmrep.json, in English and in Russian."""
    if any(entry.stage == "publish" and entry.parameters.get("sites") for entry in manifest.lineage):
        return "heeded where the crawl holds them", "учтены там, где они есть в обходе"
    found = sum(
        entry.skipped.get(name, 0) for entry in manifest.lineage for name in ("robots.txt", "tdmrep.json")
    )
    if found:
        return (
            f"in the crawl ({found:,}), but none spoke of training, or they were not given to publish",
            f"есть в обходе ({found:,}), но об обучении в них не сказано, или publish их не получил",
        )
    return "not at hand", "не учитывались: их не было"


def opt_outs_of(manifest: Manifest) -> dict[str, int]:
    """Documents left out because their page or site asked for it, or somebody did, by reason."""
    last = manifest.lineage[-1] if manifest.lineage else None
    return dict(last.dropped) if last is not None and last.stage == "publish" else {}


def parameters_of(manifest: Manifest) -> list[tuple[str, str, str, str]]:
    """(stage, parameter, value, meaning) of what stages were given, thresholds of the filter's preset
    apart."""
    found = []
    for entry in manifest.lineage:
        helps = _helps(entry.stage)
        for name, value in entry.parameters.items():
            if value not in (None, [], "", False) and name not in ("contact", "license", "title"):
                shown = json.dumps(value, ensure_ascii=False)
                shown = shown if len(shown) <= 120 else shown[:119] + "…"
                found.append((entry.stage, name, shown.replace("|", "\\|"), helps.get(name, "")))
    return found


def _helps(stage: str) -> dict[str, str]:
    """Meaning of a stage's parameters; none of a stage that is not known here."""
    if stage not in registry.names():
        return {}
    fields = dataclasses.fields(registry.row_of(stage).load())
    return {field.name: str(field.metadata.get("help", "")).replace("|", "\\|") for field in fields}


def rules_of(manifest: Manifest) -> list[tuple[str, str]]:
    """The filter's rules in force, each with the meaning of its signal; none where it was not run, or its
    preset is a file that is not here."""
    from corpus.quality.signals import MEANING
    from corpus.quality.verdicts import PRESETS, Filter

    entry = next((one for one in manifest.lineage if one.stage == "filter"), None)
    if entry is None or entry.parameters.get("preset") not in PRESETS:
        return []
    known = {field.name for field in dataclasses.fields(Filter)} - {"model"}
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in entry.parameters.items()
        if name in known
    }
    try:
        rules = Filter(**given).in_force()
    except (TypeError, ValueError):  # of another version
        return []
    return [
        (str(rule), MEANING.get(rule.signal, "log of the odds, by the model, that it is junk"))
        for rule in rules
    ]


def _size_category(rows: int) -> str:
    """Size class in the hub's vocabulary."""
    limits = [(1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")]
    limits += [(10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B")]
    return next((name for limit, name in limits if rows < limit), "n>1B")
