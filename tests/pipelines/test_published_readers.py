"""A published folder and a stage's folder open in what people use."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus import table
from pipelines import cli
from pipelines.publish import Publish
from tests.pipelines.published import TEXTS, publish, write_source
from tests.pipelines.stages import write_texts


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_source(tmp_path / "in")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # of these readers' own
class TestReaders:
    @pytest.fixture
    def target(self, source: Path, tmp_path: Path) -> Path:
        publish(source, str(tmp_path / "set"), shards=3)
        return tmp_path / "set"

    def test_pyarrow(self, target: Path) -> None:
        assert pq.read_table(target / "data")["text"].to_pylist() == TEXTS

    def test_duckdb(self, target: Path) -> None:
        duckdb = pytest.importorskip("duckdb")
        query = f"select text from read_parquet('{target}/data/*.parquet', file_row_number=true) order by all"  # noqa: S608 - a path of the test's own
        assert sorted(r[0] for r in duckdb.sql(query).fetchall()) == sorted(TEXTS)

    def test_pandas(self, target: Path) -> None:
        pandas = pytest.importorskip("pandas")
        rows = pandas.read_parquet(target / "data")
        assert rows["text"].tolist() == TEXTS
        (first,) = json.loads(rows.head(1).to_json(orient="records"))
        assert first["doc_id"] == table.doc_id(TEXTS[0]).hex()

    @pytest.mark.slow
    def test_spark(self, target: Path, stage: Path) -> None:
        """In a process of its own: a published folder, and a stage's folder without a pattern."""
        pytest.importorskip("pyspark")
        if shutil.which("java") is None:
            pytest.skip("Spark needs Java")
        script = (
            "import sys\n"
            "from pyspark.sql import SparkSession\n"
            "made = SparkSession.builder.master('local[1]').config('spark.ui.enabled', 'false')\n"
            "spark = made.getOrCreate()\n"
            "for folder in sys.argv[1:]:\n"
            "    rows = spark.read.parquet(folder)\n"
            "    print('found', rows.count(), rows.select('text').distinct().count())\n"
        )
        folders = [str(target / "data"), str(stage)]
        done = subprocess.run(
            [sys.executable, "-c", script, *folders], capture_output=True, text=True, check=False, timeout=200
        )
        found = [line for line in done.stdout.splitlines() if line.startswith("found")]
        assert found == ["found 300 300", "found 300 300"], done.stderr[-2000:]

    def test_polars(self, target: Path) -> None:
        polars = pytest.importorskip("polars")
        assert polars.read_parquet(f"{target}/data/*.parquet")["text"].to_list() == TEXTS

    @pytest.fixture
    def stage(self, source: Path, tmp_path: Path) -> Path:
        """A stage's folder, with receipts and dropped rows beside the documents."""
        write_texts(source / "9.parquet", TEXTS[:1])
        inline = ["--executor", "inline", "-q"]
        assert cli.run(["dedup", str(source), "--out", str(tmp_path / "stage"), *inline]) == 0
        assert (tmp_path / "stage/_dropped").exists()
        return tmp_path / "stage"

    def test_a_stage_s_folder_opens_as_the_readme_says(self, stage: Path, tmp_path: Path) -> None:
        rows = pq.read_table(stage).num_rows
        duckdb, polars = pytest.importorskip("duckdb"), pytest.importorskip("polars")
        query = f"select count(*) from read_parquet('{stage}/*.parquet')"  # noqa: S608 - a path of the test's own
        assert duckdb.sql(query).fetchone() == (rows,)
        assert polars.read_parquet(f"{stage}/*.parquet").height == rows
        assert len(pytest.importorskip("pandas").read_parquet(stage)) == rows
        script = (
            "import datasets\n"
            f"loaded = datasets.load_dataset('parquet', data_files='{stage}/*.parquet', split='train')\n"
            "print(loaded.num_rows)\n"
        )
        environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf")}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
        )
        assert done.stdout.strip() == str(rows), done.stderr

    def test_datasets(self, target: Path, tmp_path: Path) -> None:
        """In a process of its own, without network: the library reads its settings at import."""
        pytest.importorskip("datasets")
        script = (
            "import sys, datasets\n"
            f"loaded = datasets.load_dataset({str(target)!r}, split='train')\n"
            "print(loaded.num_rows, sorted(loaded.column_names))\n"
        )
        environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf")}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
        )
        assert done.stdout.split(" ", 1)[0] == "300", done.stderr
        assert "'text'" in done.stdout

    def test_datasets_opens_configurations_and_writes_json(self, source: Path, tmp_path: Path) -> None:
        pytest.importorskip("datasets")
        for number, file in enumerate(sorted(source.glob("*.parquet"))):
            rows = pq.read_table(file)
            registers = pa.array([["news", "law"][(n + number) % 2] for n in range(rows.num_rows)])
            pq.write_table(rows.append_column("register", registers), file)
        stage = Publish(shard_mb=1, subsets="register", sample=20, validation=0.1)
        manifest = publish(source, str(tmp_path / "set"), stage, shards=2)
        news = sum(f.rows for f in manifest.files if "train-news-" in f.path)
        script = (
            "import sys, datasets\n"
            "for name in ('default', 'register-news', 'sample'):\n"
            f"    found = datasets.load_dataset({str(tmp_path / 'set')!r}, name, split='train')\n"
            "    print(name, found.num_rows)\n"
            f"whole = datasets.load_dataset({str(tmp_path / 'set')!r})\n"
            "print(sum(part.num_rows for part in whole.values()), sorted(whole))\n"
            f"whole['train'].to_json({str(tmp_path / 'rows.jsonl')!r})\n"
        )
        environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf")}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
        )
        train = sum(f.rows for f in manifest.files if "/train-" in f.path)
        expected = [f"default {train}", f"register-news {news}", "sample 20", "300 ['train', 'validation']"]
        assert done.stdout.splitlines() == expected, done.stderr[-2000:]
        assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == train
