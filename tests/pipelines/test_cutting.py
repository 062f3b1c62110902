"""Large files are cut into parts, and the parts together are the file."""

import json
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import storage
from corpus.documents import read_documents
from corpus.inputs import Input
from pipelines.cutting import cut
from pipelines.engine import Job, run_stage
from pipelines.execute import run_inline
from pipelines.progress import Silent
from pipelines.texts import read_texts
from tests.pipelines.stages import Shorten, contents, texts_of


def input_of(path: Path) -> Input:
    return Input(str(path), path.name, *storage.sha256(str(path)))


def rows(source: Input) -> list[dict[str, object]]:
    return [row for batch in read_documents(source, 7) for row in batch.to_pylist()]


@settings(max_examples=60)
@given(
    st.lists(st.text(st.characters(codec="utf-8"), max_size=30), max_size=40),
    st.integers(1, 400),
    st.booleans(),
)
def test_parts_of_jsonl_hold_each_row_once_with_its_own_number(
    texts: list[str], size: int, last_ends: bool
) -> None:
    lines = [json.dumps({"text": text}, ensure_ascii=False) for text in texts]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_text("\n".join(lines) + ("\n" if lines and last_ends else ""), "utf-8")
        whole = input_of(path)
        parts = cut([whole], size)
        assert [row for part in parts for row in rows(part)] == rows(whole)
        assert all(
            part.size <= size + max(len(line.encode()) + 1 for line in lines) for part in parts if part.part
        )


@settings(max_examples=40)
@given(st.lists(st.integers(1, 9), max_size=12), st.integers(1, 3000))
def test_parts_of_parquet_are_row_groups(groups: list[int], size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.parquet"
        with pq.ParquetWriter(path, pa.schema([("text", pa.string())])) as writer:
            for number, count in enumerate(groups):
                writer.write_table(pa.table({"text": [f"{number} {n}" for n in range(count)]}))
        whole = input_of(path)
        parts = cut([whole], size)
        assert [row for part in parts for row in rows(part)] == rows(whole)
        assert sum(part.rows or 0 for part in parts if part.part) in (0, sum(groups))


def test_parts_of_plain_text_are_the_text(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("".join(f"строка {n} {'слово ' * (n % 50)}\n" for n in range(5000)))
    parts = cut([input_of(path)], 100_000)
    assert len(parts) > 3
    tables = [batch for part in parts for batch in read_texts(part)]
    assert "".join(t for batch in tables for t in batch["text"].to_pylist()) == path.read_text()
    ids = [i for batch in tables for i in batch["doc_id"].to_pylist()]
    assert len(set(ids)) == len(ids)


def test_what_is_packed_or_small_stays_whole(tmp_path: Path) -> None:
    for name in ("a.jsonl.gz", "b.jsonl"):
        (tmp_path / name).write_bytes(b"x\n" * 50)
    found = [input_of(tmp_path / name) for name in ("a.jsonl.gz", "b.jsonl")]
    assert cut(found, 100) == found


def test_a_stage_makes_a_shard_of_each_part_and_the_same_rows(tmp_path: Path) -> None:
    path = tmp_path / "in/a.jsonl"
    path.parent.mkdir()
    path.write_text("".join(json.dumps({"text": f"слово {n}"}) + "\n" for n in range(100)))
    for out, size in (("whole", 1 << 20), ("parts", 700)):
        job = Job(Shorten(), (input_of(path),), str(tmp_path / out), part_bytes=size)
        run_stage(job, run_inline, Silent())
    assert texts_of(tmp_path / "parts") == texts_of(tmp_path / "whole")
    assert len([n for n in contents(tmp_path / "parts") if n.endswith(".parquet")]) > 3
