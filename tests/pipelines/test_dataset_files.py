"""What lies beside the shards of a published dataset: croissant.json, the draft of a public summary, the
card; and configurations: subsets and a sample."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus import table
from corpus.quality.signals import MEANING
from pipelines import cli, columns, registry
from pipelines.manifest import read_manifest
from pipelines.publish import Publish
from pipelines.verification import verify
from tests.pipelines.stages import write_texts
from tests.pipelines.test_publish import TEXTS, publish

ROOT = Path(__file__).parents[2]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """300 documents of twenty hosts, three registers and two languages."""
    ids = pa.array([table.doc_id(t) for t in TEXTS], pa.binary(16))
    hosts = [f"www.h{n % 20}.ru" for n in range(300)]
    fetched = pa.array([1_700_000_000 + 86_400 * n for n in range(300)], pa.timestamp("s", tz="UTC"))
    write_texts(
        tmp_path / "in/a.parquet",
        TEXTS,
        doc_id=ids,
        host=hosts,
        url=[f"https://{host}/{n}" for n, host in enumerate(hosts)],
        fetched_at=fetched,
        register=[["news", "law", None][n % 3] for n in range(300)],
        lang=["ru" if n % 10 else "be" for n in range(300)],
        junk_margin=pa.array([-5.0 + n / 30 for n in range(300)], pa.float32()),
        notices=pa.array([["18+"] if n % 50 == 0 else None for n in range(300)], pa.list_(pa.string())),
    )
    return tmp_path / "in"


class TestSubsets:
    @pytest.mark.parametrize(
        ("by", "expected"),
        [
            ("register", {"law": 100, "news": 100, "none": 100}),
            ("lang", {"be": 30, "ru": 270}),
            ("quality", {"high": 85, "low": 149, "middle": 66}),
        ],
    )
    def test_are_files_and_configurations(
        self, source: Path, tmp_path: Path, by: str, expected: dict[str, int]
    ) -> None:
        manifest = publish(source, str(tmp_path / "set"), Publish(subsets=by, validation=0.2), shards=2)
        rows: dict[str, int] = {}
        for entry in manifest.files:
            rows[columns.subset_of(entry.path)] = rows.get(columns.subset_of(entry.path), 0) + entry.rows
        assert rows == expected
        assert verify(str(tmp_path / "set")) == []
        head = (tmp_path / "set/README.md").read_text().split("---")[1]
        for name in expected:
            assert f"- config_name: {by}-{name}\n" in head
            assert f"path: data/train-{name}-*.parquet" in head
        found = sorted(pq.read_table(tmp_path / "set/data")["text"].to_pylist())
        assert found == sorted(TEXTS)

    def test_an_unknown_or_missing_column_is_refused(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(ValueError, match="no choice 'host'"):
            Publish(subsets="host")
        write_texts(tmp_path / "bare/a.parquet", TEXTS)
        command = ["publish", str(tmp_path / "bare"), "--to", str(tmp_path / "set"), "--executor", "inline"]
        assert cli.run([*command, "-q", "--set", "publish.subsets=register"]) == 2
        assert "have no column 'register'" in capsys.readouterr().err


class TestQuality:
    def test_is_the_probability_that_the_filter_s_margin_gives(self, source: Path, tmp_path: Path) -> None:
        publish(source, str(tmp_path / "set"), Publish(columns=("lean",)))
        rows = pq.read_table(tmp_path / "set/data")
        assert "junk_margin" not in rows.column_names
        quality = rows["quality"].to_pylist()
        assert quality[0] == pytest.approx(1 / (1 + 2.718281828**-5), abs=1e-4)
        assert quality == sorted(quality, reverse=True)


class TestSample:
    def test_has_the_stated_size_whatever_the_shards(self, source: Path, tmp_path: Path) -> None:
        drawn = []
        for shards in (1, 4):
            target = tmp_path / f"set{shards}"
            manifest = publish(source, str(target), Publish(sample=40), shards=shards)
            assert manifest.sample is not None
            assert manifest.sample.rows == 40
            assert manifest.rows == 300
            drawn.append(pq.read_table(target / manifest.sample.path)["doc_id"].to_pylist())
            assert verify(str(target)) == []
            assert "config_name: sample" in (target / "README.md").read_text()
        assert drawn[0] == drawn[1]
        assert set(drawn[0]) <= set(pq.read_table(tmp_path / "set1/data")["doc_id"].to_pylist())

    def test_of_fewer_documents_has_all(self, source: Path, tmp_path: Path) -> None:
        manifest = publish(source, str(tmp_path / "set"), Publish(sample=1_000))
        assert manifest.sample is not None
        assert manifest.sample.rows == 300

    def test_goes_with_a_takedown_and_is_verified(self, source: Path, tmp_path: Path) -> None:
        target = tmp_path / "set"
        publish(source, str(target), Publish(sample=300, contact="a@b.ru"))
        assert cli.run(["takedown", str(target), "--host", "h3.ru"]) == 0
        manifest = read_manifest(str(target))
        assert manifest.sample is not None
        assert (manifest.rows, manifest.sample.rows) == (285, 285)
        assert verify(str(target)) == []
        assert "write to a@b.ru" in (target / "README.md").read_text()
        (target / manifest.sample.path).unlink()
        assert verify(str(target)) == [f"{manifest.sample.path}: missing"]


class TestCroissant:
    @pytest.fixture
    def target(self, source: Path, tmp_path: Path) -> Path:
        inline = ["--executor", "inline", "-q"]
        assert cli.run(["clean", str(source), "--out", str(tmp_path / "clean"), *inline]) == 0
        command = ["publish", str(tmp_path / "clean"), "--to", str(tmp_path / "set"), *inline]
        assert (
            cli.run([*command, "--set", "publish.license=CC-BY-4.0", "--set", "publish.contact=a@b.ru"]) == 0
        )
        return tmp_path / "set"

    def test_names_files_with_digests_and_stages_as_activities(self, target: Path) -> None:
        manifest = read_manifest(str(target))
        found = json.loads((target / "croissant.json").read_text())
        objects = [one for one in found["distribution"] if one["@type"] == "cr:FileObject"]
        assert [(o["contentUrl"], o["sha256"]) for o in objects] == [
            (f.path, f.sha256) for f in manifest.files
        ]
        activities = found["prov:wasGeneratedBy"]
        assert [one["prov:label"] for one in activities] == ["clean", "publish"]
        assert activities[1]["prov:used"] == {"@id": activities[0]["prov:generated"]["@id"]}
        assert json.loads(activities[0]["prov:value"])["rows_in"] == 300
        assert found["rai:personalSensitiveInformation"] == ["Personal data was not masked."]
        assert "rai:dataCollectionType" not in found  # nothing is known of a crawl

    def test_validates_with_mlcroissant_and_gives_the_records(self, target: Path) -> None:
        """In a process of its own: the library warns, and takes a second to import."""
        pytest.importorskip("mlcroissant")
        script = (
            "import sys, mlcroissant as mlc\n"
            "read = mlc.Dataset(jsonld=sys.argv[1])\n"
            "issues = read.metadata.ctx.issues\n"
            "assert not issues.errors, issues.report()\n"
            "rows = list(read.records('documents'))\n"
            "value = lambda v: v.decode() if isinstance(v, bytes) else v\n"
            "print(len(rows), sorted({value(r['documents/lang']) for r in rows}))\n"
            "print(sorted(value(r['documents/text']) for r in rows)[0])\n"
            "print(read.metadata.data_collection_timeframe, read.metadata.personal_sensitive_information)\n"
            "print(issues.report(), file=sys.stderr)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(target / "croissant.json")],
            capture_output=True, text=True, check=False, cwd=ROOT,
        )  # fmt: skip
        lines = done.stdout.splitlines()
        assert lines[:2] == ["300 ['be', 'ru']", min(TEXTS)], done.stderr[-3000:]
        assert lines[2].startswith("[datetime.datetime(2023, 11, 14")
        assert "not masked" in lines[2]


class TestSummary:
    def test_states_what_is_known_and_leaves_the_rest_open(self, source: Path, tmp_path: Path) -> None:
        publish(source, str(tmp_path / "set"), Publish(contact="a@b.ru"))
        text = (tmp_path / "set/TRAINING_CONTENT_SUMMARY.md").read_text()
        for section in (
            "1.1 Provider",
            "1.2 Model",
            "1.3 Modalities",
            "2.1",
            "2.2",
            "2.3",
            "2.4",
            "2.5",
            "2.6",
            "3.1",
            "3.2",
            "3.3",
        ):
            assert f"### {section}" in text
        assert "contact details: a@b.ru" in text
        assert "| Latest date of collection | 2024-09-08 |" in text
        assert "noai, tdm, aipref, robots" in text
        size = sum(len(t.encode()) for t in TEXTS[::20])
        assert f"| h0.ru | {size} |" in text
        assert "*to be filled*" in text


class TestCard:
    def test_says_sources_rules_and_what_every_column_means(self, tmp_path: Path) -> None:
        """Of a run over the bundled crawl, with all columns."""
        crawl = ROOT / "tests/data/crawl/crawl-00000.warc.gz"
        stages = '["extract", "identify", "clean", "mask", "filter", "dedup", "publish"]'
        command = [
            "run", "ru-web", "--set", f"input.paths={crawl}", "--set", f"run.stages={stages}",
            "--set", "publish.columns=[]", "--set", "publish.tokenizer=ru-32k", "--set", "publish.sample=5",
            "--out", str(tmp_path / "run"), "--executor", "inline", "-q",
        ]  # fmt: skip
        assert cli.run(command) == 0
        card = (tmp_path / "run/dataset/README.md").read_text()
        assert "1 file, read by the stage extract: `crawl-00000.warc.gz`" in card
        assert "tokens by the tokenizer ru-32k" in card
        assert "| `words < 10` | tokens with a letter or digit |" in card
        assert '| filter | `preset` | "ru-web" |' in card
        assert "Personal data was masked" in card
        assert "Texts of benchmarks were not looked for" in card
        assert "@misc{dataset," in card
        assert read_manifest(str(tmp_path / "run/dataset")).digest() in card
        assert str(tmp_path) not in card
        table_of_columns = card.partition("## Columns")[2].partition("## What")[0]
        assert "|  |" not in table_of_columns
        assert "Лицензия собрания" in card

    def test_knows_every_column_that_a_stage_of_ours_adds(self) -> None:
        names = {name for row in registry.OWN if row.documents for name in row.load().adds.names}
        assert [
            name for name in sorted({*names, *table.DOCUMENT.names}) if not all(columns.meaning(name))
        ] == []
        assert columns.meaning("somebody_s") == ("", "")
        assert columns.meaning("words")[0] == MEANING["words"]
