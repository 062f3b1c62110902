"""What a report says of the documents in a stage's folder: counts, histograms and samples."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import storage
from corpus.errors import ShardError, one_line
from corpus.mask import mask_text
from corpus.receipts import DROPPED
from pipelines.account import StageResult
from pipelines.contents import FLAGS
from pipelines.highlight import Piece, pieces
from pipelines.layout import shards_of

T = TypeVar("T")

#: Samples of dropped rows per reason, of kept documents, and characters of each in the report.
SAMPLES_PER_REASON: Final = 5
KEPT_SAMPLES: Final = 12
SAMPLE_CHARACTERS: Final = 600
#: Rows after which no further shard is counted: a few columns of two million rows take seconds.
COUNTED_ROWS: Final = 2_000_000
#: Columns whose values are counted where the documents have them.
VALUES: Final = ("lang", "register", "orthography", "page_kind", "charset", "truncated", "host")
#: Columns that are drawn as histograms where the documents have them.
HISTOGRAMS: Final = ("words", "lang_score", "mean_word_length", "dup_line_frac", "top_2_gram_frac")
_BINS: Final = 40
#: Cluster sizes, the first of each row of the table of duplicates.
_SIZES: Final = (1, 2, 3, 4, 8, 16, 32, 64, 128)
_PATH: Final = re.compile(r"(?<![\w/:.])(?:~|\.\.?(?:/\.\.)*)?/(?:[^\s/'\",;:]+/)*(?=[^\s/'\",;:]+)")


@dataclass(frozen=True)
class Sample:
    """A row that is shown. text: pieces, each with whether it decided; source: the record it was made of."""

    url: str
    detail: str
    text: tuple[Piece, ...]
    source: str = ""


@dataclass(frozen=True)
class Histogram:
    """`counts[i]` documents have a value from `edges[i]` up to `edges[i + 1]`."""

    name: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    logarithmic: bool
    median: float


@dataclass
class Findings:
    """Counts over `counted` documents of `rows`."""

    rows: int = 0
    counted: int = 0
    values: dict[str, Counter[str]] = field(default_factory=dict)
    years: dict[str, Counter[str]] = field(default_factory=dict)
    #: Column `repaired_*` or `masked_*` -> (places, documents with one or more).
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    flags: Counter[str] = field(default_factory=Counter)
    clusters: Counter[int] = field(default_factory=Counter)
    histograms: list[Histogram] = field(default_factory=list)
    #: Why shards are not counted, by name.
    unreadable: dict[str, str] = field(default_factory=dict)

    def places_of(self, prefix: str) -> list[tuple[str, int, int]]:
        """Kinds with their places and documents, the most frequent first."""
        found = [
            (name.removeprefix(prefix), places, documents)
            for name, (places, documents) in self.places.items()
            if name.startswith(prefix) and places
        ]
        return sorted(found, key=lambda one: (-one[1], one[0]))

    def cluster_rows(self) -> list[tuple[str, int, int]]:
        """Rows (sizes, clusters, documents that they stood for)."""
        found = []
        for low, after in pairwise([*_SIZES, None]):
            sizes = [s for s in self.clusters if s >= (low or 0) and (after is None or s < after)]
            if sizes:
                high = after - 1 if after is not None else None
                name = f"{low}+" if high is None else str(low) if low == high else f"{low}–{high}"
                count = sum(self.clusters[s] for s in sizes)
                found.append((name, count, sum(s * self.clusters[s] for s in sizes)))
        return found


def without_paths(text: str) -> str:
    """`text` with local paths cut down to their last part: a report goes to people elsewhere."""
    return _PATH.sub("", text)


def reading_shard(file: str, read: Callable[[pq.ParquetFile], T]) -> T:
    """What `read` makes of a shard; it is done again where a store does not answer in the middle. Raises
    ShardError that names the shard where it is no Parquet or is damaged."""
    try:
        return storage.reading(file, lambda stream: read(pq.ParquetFile(stream)))
    except (pa.ArrowException, OSError) as error:
        raise ShardError(
            f"{storage.base_name(file)}: not a readable Parquet file ({one_line(error)})"
        ) from error


def read_findings(folder: str, rows: int) -> Findings:
    """Count the documents of a stage's folder, at most the first shards with `COUNTED_ROWS` rows."""
    found = Findings(rows=rows)
    drawn: dict[str, list[Any]] = {name: [] for name in HISTOGRAMS}
    for file in shards_of(folder):
        try:
            table, rows_here = reading_shard(file, _counted_columns)
        except ShardError as error:
            found.unreadable[storage.base_name(file)] = str(error)
            continue
        found.counted += rows_here
        _add(found, table)
        for name in set(HISTOGRAMS) & set(table.column_names):
            drawn[name].append(table.column(name).cast(pa.float64()).drop_null().to_numpy())
        if found.counted >= COUNTED_ROWS:
            break
    for name, columns in drawn.items():
        values = np.concatenate(columns) if columns else np.empty(0)
        values = values[np.isfinite(values)]
        if len(values):
            found.histograms.append(histogram(name, values))
    return found


def _counted_columns(parquet: pq.ParquetFile) -> tuple[pa.Table, int]:
    names = [f.name for f in parquet.schema_arrow if _is_counted(f.name)]
    return parquet.read(columns=names), parquet.metadata.num_rows


def _is_counted(name: str) -> bool:
    plain = (*VALUES, *FLAGS, *HISTOGRAMS, "fetched_at", "date", "cluster_size")
    return name in plain or name.startswith(("masked_", "repaired_"))


def _add(found: Findings, rows: pa.Table) -> None:
    for name in rows.column_names:
        column = rows.column(name)
        if name in VALUES and pa.types.is_string(column.type):
            found.values.setdefault(name, Counter()).update(_counts(column))
        elif name in FLAGS:
            found.flags[name] += int(pc.sum(column).as_py() or 0)
        elif name == "cluster_size":
            found.clusters.update({int(size): count for size, count in _counts(column).items()})
        elif name.startswith(("masked_", "repaired_")):
            places, documents = found.places.get(name, (0, 0))
            more = int(pc.sum(pc.greater(column, 0)).as_py() or 0)
            found.places[name] = (places + int(pc.sum(column).as_py() or 0), documents + more)
        elif name == "fetched_at" and pa.types.is_timestamp(column.type):
            found.years.setdefault(name, Counter()).update(_counts(pc.year(column)))
        elif name == "date" and pa.types.is_string(column.type):
            years = pc.utf8_slice_codeunits(column, 0, 4)
            years = years.filter(pc.match_substring_regex(years, "^[12][0-9]{3}$"))
            found.years.setdefault(name, Counter()).update(_counts(years))


def _counts(column: Any) -> dict[str, int]:
    return {
        str(v["values"]): v["counts"] for v in column.value_counts().to_pylist() if v["values"] is not None
    }


def histogram(name: str, values: Any) -> Histogram:
    """Counts of values in bins, of equal ratio where positive values spread over more than 50 to 1."""
    low, high = float(values.min()), float(values.max())
    wide = low > 0 and high / low > 50
    edges = np.geomspace(low, high, _BINS + 1) if wide else np.linspace(low, high, _BINS + 1)
    if low == high:
        edges = np.array([low - 0.5, low + 0.5])
    edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
    counts, _ = np.histogram(values, bins=edges)
    return Histogram(name, tuple(map(float, edges)), tuple(map(int, counts)), wide, float(np.median(values)))


def dropped_samples(result: StageResult) -> Iterator[tuple[str, list[Sample]]]:
    """Reasons of a stage, the most frequent first, each with a few of its rows, those with a text first."""
    wanted = set(result.dropped)
    found: dict[str, list[Sample]] = {}
    for file in storage.list_files(storage.join(result.folder, DROPPED)):
        if not wanted:
            break
        try:
            rows = reading_shard(
                file, lambda parquet: parquet.read(columns=["url", "drop", "drop_detail", "text"])
            )
        except ShardError:
            continue
        for reason in sorted(wanted & set(_counts(rows.column("drop")))):
            own = rows.filter(pc.equal(rows.column("drop"), reason))
            held = [*found.get(reason, []), *map(_sample_of, _first(own))]
            found[reason] = sorted(held, key=lambda one: not one.text)[:SAMPLES_PER_REASON]
            if sum(bool(one.text) for one in found[reason]) == SAMPLES_PER_REASON:
                wanted.discard(reason)
    for reason in sorted(result.dropped, key=lambda r: (-result.dropped[r], r)):
        yield reason, found.get(reason, [])


def _first(rows: pa.Table) -> Iterable[dict[str, Any]]:
    texts = rows.filter(pc.greater(pc.utf8_length(pc.fill_null(rows.column("text"), "")), 0))
    few = (texts if texts.num_rows else rows).slice(0, SAMPLES_PER_REASON)
    found: list[dict[str, Any]] = few.to_pylist()
    return found


def _sample_of(row: dict[str, Any]) -> Sample:
    return sample(row["url"], row["drop_detail"], row["text"])


def sample(url: str | None, detail: str | None, text: str | None) -> Sample:
    """A row as the report shows it: personal data masked, cut to length, deciding words apart."""
    # Masked before it is cut: half a number would be shown as it is.
    text = mask_text(text or "")
    found = pieces(text[: 20 * SAMPLE_CHARACTERS], detail or "")
    shown, room = [], SAMPLE_CHARACTERS
    for piece, decided in found:
        if room > 0:
            shown.append((piece[:room], decided))
            room -= len(piece)
    if len(text) > SAMPLE_CHARACTERS:
        shown.append((" …", False))
    return Sample(url or "", detail or "", tuple(shown))


def kept_samples(folder: str) -> Iterator[Sample]:
    """Documents evenly spaced over the first shard that has enough, else over the largest."""
    sizes: dict[str, int] = {}
    for file in shards_of(folder):
        with suppress(ShardError):
            sizes[file] = reading_shard(file, lambda parquet: parquet.metadata.num_rows)
        if sizes.get(file, 0) >= KEPT_SAMPLES:
            break
    if not sizes:
        return

    def read(parquet: pq.ParquetFile) -> pa.Table:
        names = [name for name in ("url", "text", "source") if name in parquet.schema_arrow.names]
        return parquet.read(columns=names)

    rows = reading_shard(max(sizes, key=lambda file: sizes[file]), read)
    step = max(1, rows.num_rows // KEPT_SAMPLES)
    for row in rows.take(pa.array(range(0, rows.num_rows, step)[:KEPT_SAMPLES], pa.int64())).to_pylist():
        yield replace(sample(row.get("url"), None, row["text"]), source=row.get("source") or "")
