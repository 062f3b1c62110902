"""What became of each document in two runs: kept in both, in one, dropped for which rule; by doc_id.

A doc_id is made of the record, not of the text, so a page has the same one in every run over the same crawl.
DuckDB joins the ids of both runs; it spills to a temporary folder where they do not fit the memory. Texts are
read of sampled documents only.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.dataset as ds

from corpus import storage
from corpus.receipts import DROPPED
from corpus.table import DROP
from pipelines import duck
from pipelines.account import StageResult
from pipelines.layout import shards_of

#: Documents sampled for each pair of fates.
SAMPLES: Final = 3
#: Kept documents up to which texts are compared: each is read once in both runs.
COMPARED_TEXTS: Final = 2_000_000
_HEX: Final = "CASE WHEN typeof(doc_id) = 'BLOB' THEN lower(hex(doc_id::BLOB)) ELSE doc_id::VARCHAR END"


@dataclass(frozen=True, order=True)
class Fate:
    """Where a document ended: dropped by a stage for a reason; no stage where it was kept; `absent` where the
    run has not met it."""

    stage: str = ""
    reason: str = ""
    absent: bool = False

    @property
    def kept(self) -> bool:
        """Whether the document came out of the last stage."""
        return not self.stage and not self.absent

    def said(self) -> str:
        """For a person and for programs: `kept`, `absent` or `stage: reason`."""
        return "absent" if self.absent else "kept" if self.kept else f"{self.stage}: {self.reason}"


@dataclass(frozen=True)
class Move:
    """Documents with one fate in the first run and one in the second. `sampled`: the first ids in order."""

    first: Fate
    second: Fate
    count: int
    sampled: tuple[str, ...]


def moves(first: Sequence[StageResult], second: Sequence[StageResult]) -> list[Move]:
    """All pairs of fates of two runs' stages with their counts, the most frequent first."""
    import duckdb

    stages = list(dict.fromkeys(result.stage for result in (*first, *second)))
    with tempfile.TemporaryDirectory(prefix="bukvar-") as scratch:
        connection = duckdb.connect(":memory:", config={"temp_directory": scratch})
        try:
            for name, results in (("a", first), ("b", second)):
                _gather(connection, name, results, stages)
            rows = connection.execute(
                "SELECT a.fate, b.fate, count(*), min(coalesce(a.id, b.id), $1) "
                "FROM a FULL JOIN b ON a.id = b.id GROUP BY ALL ORDER BY 3 DESC, 1, 2",
                [SAMPLES],
            ).fetchall()
        finally:
            connection.close()
    return [
        Move(_fate(one, stages), _fate(other, stages), count, tuple(ids)) for one, other, count, ids in rows
    ]


def _gather(connection: Any, name: str, results: Sequence[StageResult], stages: Sequence[str]) -> None:
    """A table (id, fate) of a run. A fate begins with the number of its stage, so that of an id that was met
    twice the later fate counts, and a kept one most."""
    connection.execute(f"CREATE TABLE {name}_all (id VARCHAR, fate VARCHAR)")
    for result in results:
        fate = f"printf('%03d ', {stages.index(result.stage)}) || \"drop\""
        _insert(connection, f"{name}_all", storage.join(result.folder, DROPPED), fate, DROP)
    kept = kept_of(results)
    if kept is not None:
        _insert(connection, f"{name}_all", kept.folder, "'900 '")
    # What publishing left out was kept by the stage before: it counts as dropped.
    published = "max(fate) FILTER (fate < $1 AND fate >= $2)"
    query = f"SELECT id, coalesce({published}, max(fate)) AS fate FROM {name}_all GROUP BY id"  # noqa: S608 - same
    connection.execute(f"CREATE TABLE {name} AS {query}", _publishing(stages))
    connection.execute(f"DROP TABLE {name}_all")


def _insert(connection: Any, table: str, folder: str, fate: str, *columns: str) -> None:
    """Add the ids of a folder's rows with this fate (an expression over these columns): all or none."""

    def insert() -> None:
        for data in _with_ids(folder, *columns):
            connection.register("shards", data)
            connection.execute(f"INSERT INTO {table} SELECT {_HEX}, {fate} FROM shards")  # noqa: S608 - names of this module

    duck.patiently(folder, insert)


def _publishing(stages: Sequence[str]) -> list[str]:
    """Bounds of the fates that publishing gave; empty ones where there was none."""
    if "publish" not in stages:
        return ["", ""]
    number = stages.index("publish")
    return [f"{number + 1:03d} ", f"{number:03d} "]


def kept_of(results: Sequence[StageResult]) -> StageResult | None:
    """The last stage that passes documents on, whose documents count as kept; None where none did."""
    from pipelines import registry

    documents = [result for result in results if registry.row_of(result.stage).documents]
    return documents[-1] if documents else None


def _fate(text: str | None, stages: Sequence[str]) -> Fate:
    if text is None:
        return Fate(absent=True)
    number, _, reason = text.partition(" ")
    return Fate() if number == "900" else Fate(stages[int(number)], reason)


def _with_ids(folder: str, *columns: str) -> Iterator[Any]:
    """The Parquet files of a folder as a dataset, where they have doc_ids and these columns."""
    data = _dataset(shards_of(folder))
    if data is not None and {"doc_id", *columns} <= set(data.schema.names):
        yield data


def _dataset(files: Sequence[str]) -> Any:
    if not files:
        return None
    filesystem, _ = storage.open_filesystem(files[0])
    return ds.dataset(
        [storage.open_filesystem(file)[1] for file in files], filesystem=filesystem, format="parquet"
    )


def rows_with_ids(folder: str, ids: Collection[str], columns: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Those of the columns that a folder's shards have, by doc_id, of the documents asked for that are there.

    The ids of all shards are read, other columns of shards that hold one of the documents; all of it
    again where a store does not answer in the middle.
    """
    return storage.patiently(folder, lambda: _rows_with_ids(folder, ids, columns), plain=True)


def _rows_with_ids(folder: str, ids: Collection[str], columns: Sequence[str]) -> dict[str, dict[str, Any]]:
    data = _dataset(shards_of(folder))
    asked = sorted(set(ids))
    if data is None or not asked or "doc_id" not in data.schema.names:
        return {}
    kind = data.schema.field("doc_id").type
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    values = pa.array(asked if text else [bytes.fromhex(one) for one in asked], kind)
    wanted = ds.field("doc_id").isin(values)
    places = data.to_table(columns=["__filename"], filter=wanted).column("__filename").unique().to_pylist()
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(places):
        one = ds.dataset([path], filesystem=data.filesystem, format="parquet")
        shown = [name for name in columns if name in one.schema.names]
        for row in one.to_table(columns=["doc_id", *shown], filter=wanted).to_pylist():
            identity = row.pop("doc_id")
            found.setdefault(identity if text else identity.hex(), row)
    return found


def changed_texts(first: StageResult, second: StageResult) -> tuple[int, tuple[str, ...]] | None:
    """How many documents that both stages kept have another text, and the first ids of them; None where there
    are too many documents to read."""
    import duckdb

    if max(first.rows_out, second.rows_out) > COMPARED_TEXTS:
        return None
    connection = duckdb.connect(":memory:")
    try:
        for name, folder in (("one", first.folder), ("other", second.folder)):
            if not duck.patiently(folder, lambda: _load_texts(connection, name, folder)):  # noqa: B023 - called at once
                return None
        count, ids = connection.execute(
            "SELECT count(*), min(one.id, $1) FROM one JOIN other USING (id) WHERE one.text <> other.text",
            [SAMPLES],
        ).fetchall()[0]
    finally:
        connection.close()
    return int(count), tuple(ids or ())


def _load_texts(connection: Any, table: str, folder: str) -> bool:
    """Make a table (id, hash of the text) of a folder's documents; whether they have ids and texts."""
    for data in _with_ids(folder, "text"):
        connection.register("shards", data)
        connection.execute(f"CREATE TABLE {table} AS SELECT {_HEX} AS id, hash(text) AS text FROM shards")  # noqa: S608 - names of this module
        return True
    return False
