"""A large crawl file is cut into parts, and the parts together are the file, damage included."""

from __future__ import annotations

import gzip
import itertools
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.extract.stage import Extract
from corpus.extract.warc import CUTTABLE, HEAD_BYTES, layout_of, read
from corpus.inputs import Input, Part
from pipelines.cutting import cut
from pipelines.engine import Job, run_stage
from pipelines.execute import run_inline
from pipelines.inputs import resolve
from pipelines.progress import Silent
from tests.pipelines.stages import contents

CRAWL = Path(__file__).parents[2] / "data" / "crawl"
#: In the order of the file that is made of them: damage in the middle, and an ARC, a WET.
NAMES = [
    *("crawl-00000.warc.gz", "broken-member.warc.gz", "crawl-00001.warc.gz", "broken-truncated.warc.gz"),
    *("crawl-00002.warc.gz", "crawl-00009.warc.wet.gz", "crawl-00003.warc.gz", "crawl-00004.warc.gz"),
    *("broken-one-member.warc.gz", "crawl-00005.warc.gz", "crawl-00006.warc.gz", "crawl-00007.warc.gz"),
]


def members(data: bytes) -> Iterator[bytes]:
    while data:
        packed = zlib.decompressobj(zlib.MAX_WBITS | 16)
        yield packed.decompress(data)
        data = packed.unused_data


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Several crawls in one file, 6.5 MB: as gzip members, as zstd frames, unpacked."""
    folder = tmp_path_factory.mktemp("large")
    (folder / "all.warc.gz").write_bytes(b"".join((CRAWL / name).read_bytes() for name in NAMES))
    sound = [n for n in NAMES if n.startswith("crawl")]
    records = [record for name in sound for record in members((CRAWL / name).read_bytes())]
    codec = pa.Codec("zstd")
    frames = (codec.compress(record, asbytes=True) for record in records)
    (folder / "all.warc.zst").write_bytes(b"".join(frames))
    plain = (
        (CRAWL / "broken-length.warc")
        .read_bytes()
        .join(records[n::40] and b"".join(records[n::40]) for n in range(40))
    )
    (folder / "all.warc").write_bytes(plain)
    return folder


def rows(path: Path, part: Part | None = None, **options: object) -> list[object]:
    """All that comes of a file or a part of it, in order."""
    found: list[object] = []
    for batch in read(path, part=part, **options):  # type: ignore[arg-type]
        found += batch.pages
        found += map(str, batch.dropped.to_pylist())
        found += sorted(batch.skipped.elements())
    return found


@pytest.mark.parametrize("name", ["all.warc.gz", "all.warc.zst", "all.warc"])
@pytest.mark.parametrize("count", [2, 3, 11])
def test_parts_of_a_crawl_are_the_crawl(large: Path, name: str, count: int) -> None:
    path = large / name
    size = path.stat().st_size
    ends = [size * n // count for n in range(count + 1)]
    for options in ({}, {"gate": "skim"}):
        parts = [
            rows(path, Part(n, start, stop), **options)
            for n, (start, stop) in enumerate(itertools.pairwise(ends))
        ]
        assert sum(map(bool, parts)) >= count - 2  # a record may reach over a part
        whole = Counter(map(str, rows(path, **options)))
        assert Counter(str(row) for part in parts for row in part) == whole


def test_a_stage_makes_the_same_rows_of_parts_as_of_the_file(large: Path, tmp_path: Path) -> None:
    (source,) = resolve([str(large / "all.warc.gz")], (".warc",))
    assert source.shape == "members"
    made = {}
    for out, part_bytes in (("whole", 1 << 30), ("parts", 1_500_000)):
        job = Job(Extract(), (source,), str(tmp_path / out), part_bytes=part_bytes)
        run_stage(job, run_inline, Silent())
        names = [name for name in contents(tmp_path / out) if name.endswith(".parquet")]
        for kind in ("", "_dropped/"):
            shards = [tmp_path / out / n for n in names if n.rpartition("/")[0] == kind.rstrip("/")]
            made[out, kind] = pa.concat_tables(pq.read_table(shard) for shard in sorted(shards))
    for kind in ("", "_dropped/"):
        whole, parts = made["whole", kind], made["parts", kind]
        assert parts.schema == whole.schema
        # The text of the first twenty dropped rows of a reason is kept, of each shard.
        columns = [c for c in whole.column_names if not kind or c != "text"]
        assert parts.select(columns).to_pylist() == whole.select(columns).to_pylist()
    assert len([n for n in contents(tmp_path / "parts") if "/" not in n and n.endswith(".parquet")]) == 5


def test_what_is_packed_as_a_whole_stays_whole_and_says_so(tmp_path: Path, large: Path) -> None:
    path = tmp_path / "whole.warc.gz"
    path.write_bytes(gzip.compress((large / "all.warc").read_bytes()[:3_000_000], 1))
    (source,) = resolve([str(path)], (".warc",))
    notes: list[str] = []
    reporter = Silent()
    reporter.note = notes.append  # type: ignore[method-assign]
    run_stage(Job(Extract(), (source,), str(tmp_path / "out"), part_bytes=200_000), run_inline, reporter)
    assert len([n for n in contents(tmp_path / "out") if "/" not in n and n.endswith(".parquet")]) == 1
    assert "extract: not cut: whole.warc.gz (one gzip member or zstd frame holds many records)" in notes[0]


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_html_in_tables_is_cut_too(tmp_path: Path, ending: str) -> None:
    texts = [f"<p>Страница номер {n}, которую стоит прочесть до конца, и ещё раз.</p>" for n in range(90)]
    path = tmp_path / f"pages.{ending}"
    if ending == "parquet":
        pq.write_table(
            pa.table({"html": texts, "url": [f"http://h/{n}" for n in range(90)]}), path, row_group_size=9
        )
    else:
        path.write_text("".join(json.dumps({"html": text}) + "\n" for text in texts))
    (source,) = resolve([str(path)], (f".{ending}",))
    parts = cut([source], source.size // 5, Extract().reads_parts)
    assert len(parts) > 3
    made = {}
    for out, some in (("whole", [source]), ("parts", parts)):
        run_stage(Job(Extract(), tuple(some), str(tmp_path / out), part_bytes=1 << 30), run_inline, Silent())
        made[out] = [
            row
            for name in sorted(contents(tmp_path / out))
            if "/" not in name and name.endswith(".parquet")
            for row in pq.read_table(tmp_path / out / name).to_pylist()
        ]
    assert made["parts"] == made["whole"]
    assert len(made["whole"]) == 90


def test_layouts_are_known_by_the_first_bytes() -> None:
    layouts = {path.name: layout_of(path.read_bytes()[:HEAD_BYTES]) for path in CRAWL.glob("*arc*")}
    assert layouts["crawl-00000.warc.gz"] in CUTTABLE
    assert layouts["crawl-00008.arc.gz"] in CUTTABLE
    assert layouts["broken-length.warc"] == "plain"
    assert layouts["broken-one-member.warc.gz"] == "whole"
    assert layouts["broken-empty.warc.gz"] == ""


def test_a_source_without_parts_is_read_whole(large: Path) -> None:
    source = Input(str(large / "all.warc.gz"), "all.warc.gz", "", (large / "all.warc.gz").stat().st_size)
    assert cut([source], 1000, Extract().reads_parts) == [source]
