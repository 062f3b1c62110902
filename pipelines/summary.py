"""A filled draft of the European Union's public summary of training content, of one published dataset.

Article 53(1)(d) of Regulation (EU) 2024/1689 asks providers of general-purpose models for a summary after the
AI Office's template (24 July 2025). Its sections that concern data are filled from the manifest; what only
the provider of a model knows is left open, marked as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from corpus import storage
from pipelines import columns
from pipelines.card import opt_outs_of, sites_of
from pipelines.manifest import Manifest
from pipelines.templates import render

FILE: Final = "TRAINING_CONTENT_SUMMARY.md"
#: The template asks for the top tenth of domains by size; of small providers for a twentieth, or 1,000.
_DOMAINS: Final = 1_000


def write(target: str, manifest: Manifest) -> None:
    """Write the draft beside the card."""
    storage.write_bytes(storage.join(target, FILE), make(manifest).encode())


def make(manifest: Manifest) -> str:
    """The draft's text."""
    contents: Mapping[str, Any] = manifest.contents
    stages = {entry.stage: entry for entry in manifest.lineage}
    domains = contents.get("domain_bytes", {})
    return render(
        "summary.md",
        manifest=manifest,
        contact=manifest.contact,
        crawled="extract" in stages,
        first=contents.get("first", ""),
        last=contents.get("last", ""),
        languages=contents.get("counts", {}).get("lang", {}),
        registers=contents.get("counts", {}).get("register", {}),
        tokens=contents.get("tokens", 0),
        tokenizer=contents.get("tokenizer", ""),
        domains=dict(list(domains.items())[:_DOMAINS]),
        different=contents.get("different", {}).get("domain_bytes", len(domains)),
        opt_outs=opt_outs_of(manifest),
        respect=stages["publish"].parameters.get("respect", []) if "publish" in stages else [],
        sites=sites_of(manifest)[0],
        masked=contents.get("masked", {}).get("masked", 0),
        mask_run="mask" in stages,
        blocked=stages["extract"].parameters.get("blocked", []) if "extract" in stages else [],
        limits=columns.LIMITS,
        order=[entry.stage for entry in manifest.lineage],
    )
