"""One page through the stages of a run: found by its address in the first, by its doc_id in the others.

A document's shards have one name in all stages, so after the first stage one shard of each is read. Of the
first stage the column `url` (or `doc_id`) alone is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import msgspec

from corpus import storage
from corpus.errors import UsageError
from corpus.inputs import SHARD
from corpus.receipts import DROPPED, PLAN
from corpus.table import DROP, DROP_DETAIL
from pipelines import registry
from pipelines.layout import shards_of, stage_folder, stages_of
from pipelines.lookup import rows_with

_DOC_ID: Final = re.compile(r"[0-9a-fA-F]{32}")
_KEPT: Final = re.compile(r"\bkept=([0-9a-f]{32})\b")
_PUBLISH: Final = "publish"
#: Columns of a row that say what a stage found, where it has them.
_SHOWN: Final = ("lang", "lang_score", "register", "words", "lines_dropped", "masked", "cluster_size")


@dataclass(frozen=True)
class Step:
    """What one stage did. `state`: kept, dropped, or not there (its run is not done, or made of others)."""

    stage: str
    state: str
    reason: str = ""
    meaning: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Trace:
    """One record's way. `kept_*`: the document of its cluster that was kept, where it is a duplicate."""

    url: str
    doc_id: str
    source: str
    shard: str
    steps: tuple[Step, ...]
    kept_doc_id: str = ""
    kept_url: str = ""

    def plain(self) -> dict[str, Any]:
        """For programs: a dictionary that JSON can hold."""
        return asdict(self)


def follow(run: str, address: str) -> list[Trace]:
    """The ways of all records with an address, or of the document with a doc_id, in the order of shards.

    Raises UsageError where the folder is no run.
    """
    stages = [(s, stage_folder(run, s)) for s in stages_of(run) if registry.row_of(s).documents]
    if not stages and storage.exists(storage.join(run, PLAN)):
        plan = msgspec.json.decode(storage.read_bytes(storage.join(run, PLAN)), type=dict[str, Any])
        stages = [(str(plan["stage"]), run)]
    if not stages:
        raise UsageError(f"{run}: neither a run nor a stage's folder; name what --out named")
    first = stages[0][1]
    folders = [first, storage.join(first, DROPPED)]
    rows = [(storage.base_name(file), row) for file, row in _search(folders, address)]
    met: dict[bytes, tuple[str, dict[str, Any]]] = {}
    for shard, row in sorted(rows, key=lambda one: (one[0], one[1]["source"])):
        met.setdefault(row["doc_id"], (shard, row))
    found = [_trace(stages, shard, row) for shard, row in met.values()]
    dataset = stage_folder(run, _PUBLISH)
    return [_published(one, dataset) for one in found] if storage.exists(dataset) else found


def _search(folders: Sequence[str], address: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Files of the folders and rows (url, doc_id, source) that have an address or a doc_id."""
    identity = bytes.fromhex(address) if _DOC_ID.fullmatch(address) else None
    column, value = ("url", address) if identity is None else ("doc_id", identity)
    for folder in folders:
        for file, row in rows_with(shards_of(folder), column, value, ("url", "doc_id", "source")):
            if "doc_id" in row:
                yield file, {"url": None, "source": "", **row}


def _trace(stages: Sequence[tuple[str, str]], shard: str, row: dict[str, Any]) -> Trace:
    steps: list[Step] = []
    known: dict[str, Any] = {}
    kept = ""
    for stage, folder in stages:
        step = _step(stage, folder, shard, row["doc_id"], known)
        steps.append(step)
        if step.state == "dropped":
            found = _KEPT.search(step.detail)
            kept = found.group(1) if found else ""
            break
    return Trace(
        url=str(row["url"] or ""),
        doc_id=row["doc_id"].hex(),
        source=str(row["source"]),
        shard=shard,
        steps=tuple(steps),
        kept_doc_id=kept,
        kept_url=_url_of(stages[len(steps) - 1][1], kept) if kept else "",
    )


def _published(trace: Trace, dataset: str) -> Trace:
    """`trace` with what publishing did to a document that the stages kept, where the dataset has doc_ids."""
    if trace.steps[-1].state == "dropped":
        return trace
    identity = bytes.fromhex(trace.doc_id)
    for _, row in rows_with(shards_of(storage.join(dataset, DROPPED)), "doc_id", identity, (DROP,)):
        reason = str(row.get(DROP, ""))
        meaning = registry.reasons([_PUBLISH]).get(reason, "")
        return replace(trace, steps=(*trace.steps, Step(_PUBLISH, "dropped", reason, meaning)))
    published = [
        f for f in storage.list_files(dataset, recursive=True) if storage.path_part(f).endswith(SHARD)
    ]
    published = [file for file in published if f"/{DROPPED}/" not in file]
    for file, _ in rows_with(published, "doc_id", identity, ()):
        step = Step(_PUBLISH, "kept", detail=f"file={storage.base_name(file)}")
        return replace(trace, steps=(*trace.steps, step))
    return trace


def _step(stage: str, folder: str, shard: str, identity: bytes, known: dict[str, Any]) -> Step:
    """What a stage did to a document; of a kept one also the values that are new since `known`."""
    kept = _row(storage.join(folder, shard), identity, _SHOWN)
    if kept is not None:
        new = {name: value for name, value in kept.items() if value and known.get(name) != value}
        known |= new
        said = [f"{name}={_short(value)}" for name, value in new.items()]
        return Step(stage, "kept", detail=" ".join(said))
    gone = _row(storage.join(folder, DROPPED, shard), identity, (DROP, DROP_DETAIL))
    if gone is not None:
        reason = str(gone[DROP])
        meaning = registry.reasons([stage]).get(reason, "")
        return Step(stage, "dropped", reason, meaning, gone[DROP_DETAIL] or "")
    return Step(stage, "not there")


def _row(file: str, identity: bytes, columns: Sequence[str]) -> dict[str, Any] | None:
    """Those of the columns that a file has, of the row with a doc_id; None where there is none."""
    if not storage.exists(file):
        return None
    return next((row for _, row in rows_with([file], "doc_id", identity, columns)), None)


def _url_of(folder: str, identity: str) -> str:
    """The address of a document that a stage kept; empty where it is not there any more."""
    return next((str(row["url"] or "") for _, row in _search([folder], identity)), "")


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
