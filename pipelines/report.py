"""A run's report: one HTML file that needs nothing else (plots are inline SVG).

Reads receipts, dropped rows and published figures of a run's folder; writes the file. It can be made again
at any time.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from corpus import storage
from corpus.errors import UsageError
from corpus.mask import mask_text
from corpus.receipts import DROPPED, versions
from pipelines import registry
from pipelines.account import StageResult
from pipelines.layout import RECIPE, results_of, stage_folder
from pipelines.templates import render

#: Samples of dropped rows per reason, of kept documents, and characters of each in the report.
SAMPLES_PER_REASON: Final = 5
KEPT_SAMPLES: Final = 12
SAMPLE_CHARACTERS: Final = 600
#: Rows from which a column's histogram is drawn: enough for its shape, read from the first shards.
HISTOGRAM_ROWS: Final = 50_000
#: Columns of the last stage of documents that are drawn where they exist.
HISTOGRAMS: Final = ("words", "lang_score", "mean_word_length", "dup_line_frac", "top_2_gram", "cluster_size")


@dataclass(frozen=True)
class Sample:
    url: str
    detail: str
    text: str


def write_report(run: str, target: str) -> None:
    """Write the report of a run to a file or URL. Raises UsageError where the folder is no run."""
    results = results_of(run)
    if not results:
        raise UsageError(f"{run}: neither a run nor a stage's folder; name what --out named")
    recipe = storage.join(run, RECIPE)
    documents = [r for r in results if r.stage not in ("publish", "train", "evaluate")]
    last = documents[-1] if documents else None
    html = render(
        "report.html",
        title=storage.base_name(run),
        results=results,
        documents=documents,
        reasons=registry.reasons(r.stage for r in results),
        samples={r.stage: dict(_dropped_samples(r)) for r in documents if r.dropped},
        kept=list(_kept_samples(last.folder)) if last else [],
        funnel_plot=_funnel_plot(documents),
        histograms=_histograms(last.folder) if last else [],
        evaluation=_evaluation(run),
        recipe=storage.read_bytes(recipe).decode("utf-8", "replace") if storage.exists(recipe) else "",
        versions=versions(),
    )
    storage.write_bytes(target, html.encode())


def _dropped_samples(result: StageResult) -> Iterator[tuple[str, list[Sample]]]:
    found: dict[str, list[Sample]] = {}
    for file in storage.list_files(storage.join(result.folder, DROPPED)):
        rows = pq.read_table(storage.open_input(file), columns=["url", "drop", "drop_detail", "text"])
        for row in rows.to_pylist():
            held = found.setdefault(row["drop"], [])
            if len(held) < SAMPLES_PER_REASON:
                held.append(_sample(row["url"], row["drop_detail"], row["text"]))
    for reason in sorted(result.dropped, key=lambda r: (-result.dropped[r], r)):
        yield reason, found.get(reason, [])


def _sample(url: str | None, detail: str | None, text: str | None) -> Sample:
    # Masked before it is cut: half a number would be shown as it is.
    text = mask_text(text or "")
    shown = text[:SAMPLE_CHARACTERS] + (" ..." if len(text) > SAMPLE_CHARACTERS else "")
    return Sample(url or "", detail or "", shown)


def _kept_samples(folder: str) -> Iterator[Sample]:
    """Documents evenly spaced over the first shard that has enough."""
    for file in _shards(folder):
        rows = pq.read_table(storage.open_input(file), columns=["url", "text"])
        step = max(1, rows.num_rows // KEPT_SAMPLES)
        for row in rows.take(pa.array(range(0, rows.num_rows, step), pa.int64())[:KEPT_SAMPLES]).to_pylist():
            yield _sample(row["url"], None, row["text"])
        if rows.num_rows >= KEPT_SAMPLES:
            return


def _shards(folder: str) -> list[str]:
    return [f for f in storage.list_files(folder) if storage.path_part(f).endswith(".parquet")]


def _funnel_plot(results: Sequence[StageResult]) -> str:
    """Documents in and out of each stage, as horizontal bars on a logarithmic axis."""
    if not results:
        return ""
    names = [results[0].stage + " (in)", *(r.stage for r in results)]
    values = [results[0].rows_in, *(r.rows_out for r in results)]
    figure, axes = _figure(7.5, 0.42 * len(names) + 0.7)
    bars = axes.barh(names[::-1], [max(v, 0.8) for v in values[::-1]], color="#3b6ea8", height=0.62)
    axes.bar_label(bars, labels=[f"{v:,}" for v in values[::-1]], padding=4, fontsize=9)
    axes.set_xscale("log")
    axes.set_xlim(left=0.8, right=max(values) * 4)
    axes.set_xlabel("documents (logarithmic)")
    return _svg(figure)


def _histograms(folder: str) -> list[tuple[str, str]]:
    shards = _shards(folder)
    if not shards:
        return []
    names = [n for n in HISTOGRAMS if n in pq.read_schema(storage.open_input(shards[0])).names]
    columns: dict[str, list[float]] = {name: [] for name in names}
    for file in shards:
        rows = pq.read_table(storage.open_input(file), columns=names)
        for name in names:
            column = rows.column(name).cast(pa.float64()).drop_null()
            columns[name] += column.to_pylist()
        if len(columns[names[0]] if names else []) >= HISTOGRAM_ROWS:
            break
    return [(name, _histogram(name, values)) for name, values in columns.items() if values]


def _histogram(name: str, values: list[float]) -> str:
    figure, axes = _figure(3.6, 2.2)
    wide = min(values) > 0 and max(values) / min(values) > 50
    bins: Any = 40
    if wide:
        import numpy as np

        bins = np.geomspace(min(values), max(values), 40)
        axes.set_xscale("log")
    axes.hist(values, bins=bins, color="#3b6ea8")
    axes.set_xlabel(name)
    axes.set_ylabel("documents")
    return _svg(figure)


def _figure(width: float, height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _svg(figure: Any) -> str:
    import matplotlib

    out = io.StringIO()
    # A fixed salt and no date: the same run gives the same file.
    with matplotlib.rc_context({"svg.hashsalt": "bukvar"}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return re.sub(r"^.*?(?=<svg)", "", out.getvalue(), count=1, flags=re.DOTALL)


def _evaluation(run: str) -> dict[str, Any]:
    location = storage.join(stage_folder(run, "evaluate"), "evaluation.json")
    if not storage.exists(location):
        return {}
    return msgspec.json.decode(storage.read_bytes(location), type=dict[str, Any])
