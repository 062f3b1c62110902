"""Published datasets: even shards, a manifest that says what is there, a folder that everything opens."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus import storage, table
from corpus.errors import UsageError
from corpus.inputs import Input
from pipelines import cli
from pipelines.engine import Job, run_stage
from pipelines.execute import run_inline
from pipelines.manifest import read_manifest, write_manifest
from pipelines.progress import Silent
from pipelines.publish import Publish
from pipelines.takedown import take_down
from pipelines.tombstones import Tombstone
from pipelines.verification import verify
from tests.pipelines.published import TEXTS, publish, write_source
from tests.pipelines.stages import contents, inputs_of, write_texts


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_source(tmp_path / "in")


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

    def test_goes_before_a_published_file_changes(
        self, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        target = str(tmp_path / "set")
        first = publish(source, target)
        inputs = inputs_of(source.glob("*.parquet"))
        run_stage(Job(Publish(shard_mb=1), inputs, target), run_inline, Silent())
        assert read_manifest(target) == first  # nothing was to do

        def killed(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(Publish, "run", killed)
        with pytest.raises(KeyboardInterrupt):
            run_stage(Job(Publish(columns=("text",)), inputs, target, redo=True), run_inline, Silent())
        with pytest.raises(UsageError, match=r"no manifest\.json"):
            read_manifest(target)

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
        assert err == "bukvar: 1 fault in 1 file; delete those that are named and publish again\n"

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

    @pytest.mark.parametrize("ids", [["а", "b", None, None, "а"], ["0" * 32, None, "1" * 32, "0" * 32, None]])
    def test_documents_of_other_ids_and_of_none(self, tmp_path: Path, ids: list[str | None]) -> None:
        write_texts(tmp_path / "in/a.parquet", TEXTS[:5], doc_id=ids)
        publish(tmp_path / "in", str(tmp_path / "set"))
        (fault,) = verify(str(tmp_path / "set"))
        assert fault.startswith(f"doc_id {ids[0]} stands more than once: ")
        write_texts(tmp_path / "in/a.parquet", TEXTS[:5], doc_id=["c", *ids[1:]])
        publish(tmp_path / "in", str(tmp_path / "set"))
        assert verify(str(tmp_path / "set")) == []

    def test_a_file_outside_of_the_dataset_is_refused(self, source: Path, tmp_path: Path) -> None:
        manifest = publish(source, str(tmp_path / "set"))
        entry = replace(manifest.files[0], path="data/../../in/0.parquet")
        write_manifest(str(tmp_path / "set"), replace(manifest, files=(entry,)))
        for command in (verify, lambda target: take_down(target, [Tombstone("phrase", "Документ")])):
            with pytest.raises(UsageError, match="is no path below the dataset"):
                command(str(tmp_path / "set"))

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

    def test_a_takedown_that_was_killed_goes_on(
        self, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        target = str(tmp_path / "set")
        publish(source, target, shards=4)
        stones = [Tombstone("id", table.doc_id(TEXTS[n]).hex()) for n in (0, 299)]
        with monkeypatch.context() as patched:
            patched.setattr("pipelines.takedown.write_beside", None)
            with pytest.raises(TypeError):
                take_down(target, stones)
        assert take_down(target, stones).rows == 2
        manifest = read_manifest(target)
        assert (manifest.rows, manifest.text_bytes) == (298, sum(len(t.encode()) for t in TEXTS[1:-1]))
        assert verify(target) == []

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
        assert take_down(str(tmp_path / "set"), [Tombstone("phrase", "нет")]).rows == 0
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
        assert '- "ru"\n- "uk"\n' in head

    def test_values_of_documents_are_no_markdown(self, tmp_path: Path) -> None:
        write_texts(tmp_path / "in/a.parquet", TEXTS[:2], host=["a|b<i>*.ru", "c`d\n|.ru"], lang=["no", "on"])
        publish(tmp_path / "in", str(tmp_path / "set"), Publish(title="a\n# <b>"))
        card = (tmp_path / "set/README.md").read_text()
        assert r"| host | 2 | a\|b\<i\>\*.ru 1, c\`d \|.ru 1 |" in card
        assert "\n# a # \\<b\\>\n" in card
        assert '- "no"\n- "on"\n' in card  # YAML takes bare ones for false and true

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
        assert capsys.readouterr().out == f"300 documents in 1 shard at {target}\n"
        assert cli.run(["verify", target, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == {"files": 1, "rows": 300, "faults": []}


def test_input_is_used_as_given() -> None:
    """Row counts of receipts spare publish a look into the files."""
    (phase,) = Publish().phases([Input("/no/such", "a", "d", 10, 5)])
    assert dict(phase.shares[0].options)["ranges"] == ((0, 5),)
