"""One page through the stages of a run: found by its address in the first, by its doc_id in the others.

A document's shards have one name in all stages, so after the first stage one shard of each is read. Of the
first stage the column `url` (or `doc_id`) alone is read, by Arrow's threads, and row groups whose statistics
leave the value out are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.dataset as ds

from corpus import storage
from corpus.errors import UsageError
from corpus.inputs import SHARD
from corpus.receipts import DROPPED, PLAN
from corpus.table import DROP, DROP_DETAIL
from pipelines import registry
from pipelines.findings import shards_of
from pipelines.layout import stage_folder, stages_of

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
    files = [*shards_of(first), *shards_of(storage.join(first, DROPPED))]
    rows = [(storage.base_name(file), row) for file, row in _search(files, address)]
    met: dict[bytes, tuple[str, dict[str, Any]]] = {}
    for shard, row in sorted(rows, key=lambda one: (one[0], one[1]["source"])):
        met.setdefault(row["doc_id"], (shard, row))
    found = [_trace(stages, shard, row) for shard, row in met.values()]
    dataset = stage_folder(run, _PUBLISH)
    return [_published(one, dataset) for one in found] if storage.exists(dataset) else found


def _search(files: Sequence[str], address: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Files and rows (url, doc_id, source) that have an address or a doc_id.

    All files are searched by the one column; the others are read only of files that have it.
    """
    identity = bytes.fromhex(address) if _DOC_ID.fullmatch(address) else None
    for data, by_path in _datasets(files):
        names = set(data.schema.names)
        if "doc_id" not in names or (identity is None and "url" not in names):
            continue
        wanted = ds.field("url") == address if identity is None else _has_id(data.schema, identity)
        places = data.to_table(columns=["__filename"], filter=wanted).column("__filename")
        for path in sorted(set(places.to_pylist())):
            columns = [name for name in ("url", "doc_id", "source") if name in names]
            one = ds.dataset([path], filesystem=data.filesystem, format="parquet")
            for row in one.to_table(columns=columns, filter=wanted).to_pylist():
                yield by_path[path], {"url": None, "source": "", **row}


def _has_id(schema: pa.Schema, identity: bytes) -> Any:
    """Condition that a row has a doc_id; published datasets hold it as text."""
    kind = schema.field("doc_id").type
    return ds.field("doc_id") == pa.scalar(identity.hex() if pa.types.is_string(kind) else identity, kind)


def _datasets(files: Sequence[str]) -> Iterator[tuple[Any, dict[str, str]]]:
    """Files as one dataset, with their locations by the path in it; nothing where there are none."""
    if not files:
        return
    filesystem, _ = storage.open_filesystem(files[0])
    paths = {storage.open_filesystem(file)[1]: file for file in files}
    # Dropped rows have columns of their own; both kinds of file have those that are asked for here.
    yield ds.dataset(list(paths), filesystem=filesystem, format="parquet"), paths


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
    files = [f for f in storage.list_files(dataset, recursive=True) if storage.path_part(f).endswith(SHARD)]
    dropped = [file for file in files if f"/{DROPPED}/" in file]
    identity = bytes.fromhex(trace.doc_id)
    for file, _ in _search(dropped, trace.doc_id):
        reason = str((_row(file, identity, (DROP,)) or {}).get(DROP, ""))
        meaning = registry.reasons([_PUBLISH]).get(reason, "")
        return replace(trace, steps=(*trace.steps, Step(_PUBLISH, "dropped", reason, meaning)))
    for file, _ in _search([file for file in files if file not in dropped], trace.doc_id):
        published = Step(_PUBLISH, "kept", detail=f"file={storage.base_name(file)}")
        return replace(trace, steps=(*trace.steps, published))
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
    for data, _ in _datasets([file]):
        wanted = _has_id(data.schema, identity)
        found = data.to_table(columns=[c for c in columns if c in data.schema.names], filter=wanted)
        if found.num_rows:
            row: dict[str, Any] = found.slice(0, 1).to_pylist()[0] if found.num_columns else {}
            return row
    return None


def _url_of(folder: str, identity: str) -> str:
    """The address of a document that a stage kept; empty where it is not there any more."""
    return next((str(row["url"] or "") for _, row in _search(shards_of(folder), identity)), "")


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
