"""Datasets on the hub: what is sent, sent again, refused and read, against a stand-in of its HTTP API."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus import filesystems, storage, table
from corpus.errors import UsageError
from pipelines import cli, hub
from pipelines.publish import Publish
from tests.pipelines.hub_server import TOKEN, Hub, Repo, serving
from tests.pipelines.net import free_port
from tests.pipelines.stages import write_texts

pytest.importorskip("huggingface_hub")
TARGET = "hf://datasets/letters/azbuka"
NAME = "letters/azbuka"


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A published folder of three shards of a megabyte each."""
    from dataclasses import replace

    from pipelines.account import Run
    from pipelines.engine import Job, run_stage
    from pipelines.execute import run_inline
    from pipelines.progress import Silent
    from pipelines.publish import finish
    from tests.pipelines.stages import inputs_of

    texts = [f"Документ {n}: {os.urandom(2_000).hex()}" for n in range(300)]
    ids = pa.array([table.doc_id(t) for t in texts], pa.binary(16))
    hosts = [f"h{n}.ru" for n in range(300)]
    write_texts(
        tmp_path / "in/a.parquet", texts, doc_id=ids, host=hosts, url=[f"https://{h}/" for h in hosts]
    )
    stage = Publish(shard_mb=1)
    inputs = tuple(replace(i, size=3_000_000) for i in inputs_of((tmp_path / "in").glob("*")))
    run_stage(Job(stage, inputs, str(tmp_path / "set")), run_inline, Silent())
    finish(stage, str(tmp_path / "set"), Run("азбука"))
    return tmp_path / "set"


def bukvar(address: str, home: Path, *arguments: str, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own: the hub's client reads its settings at import."""
    environment = os.environ | {
        "HF_ENDPOINT": address, "HF_TOKEN": token, "HF_HOME": str(home / "hf"), "XDG_CACHE_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
    }  # fmt: skip
    command = [sys.executable, "-m", "pipelines.cli", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=200)


def send(address: str, dataset: Path, *more: str, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
    return bukvar(address, dataset.parent, "publish", str(dataset), "--to", TARGET, *more, token=token)


def visible(folder: Path) -> dict[str, bytes]:
    """The files of a published folder that a hub gets."""
    files = [p for p in folder.rglob("*") if p.is_file()]
    names = {str(p.relative_to(folder)): p for p in files}
    return {name: p.read_bytes() for name, p in names.items() if not name.startswith(("_", "."))}


def on_hub(repo: Repo) -> dict[str, bytes]:
    return {path: data for path, data in repo.data().items() if path != ".gitattributes"}


class TestSend:
    def test_sends_a_folder_and_again_only_what_differs(self, dataset: Path) -> None:
        state = Hub()
        with serving(state) as address:
            done = send(address, dataset, "--json")
            assert done.returncode == 0, done.stderr
            repo = state.repos[NAME]
            assert on_hub(repo) == visible(dataset)
            assert repo.private
            assert repo.commits[-1][1][-1] == "manifest.json"
            first = state.put
            assert json.loads(done.stdout)["files"] == len(visible(dataset))

            assert send(address, dataset).returncode == 0
            assert (state.put, len(repo.commits)) == (first, 1)

            gone = ["takedown", str(dataset), "--host", "h299.ru"]
            assert cli.run(gone) == 0
            done = send(address, dataset, "--json")
            assert done.returncode == 0, done.stderr
            assert on_hub(repo) == visible(dataset)
            sent = set(repo.commits[-1][1])
            assert {path for path in sent if path.startswith("data/")} == {
                "data/train-00002-of-00003.parquet"
            }
            assert state.put - first < 0.4 * first

    def test_documents_are_published_and_sent_by_one_command(self, dataset: Path) -> None:
        state = Hub()
        inputs = dataset.parent / "in"
        with serving(state) as address:
            command = ["publish", str(inputs), "--to", TARGET, "--executor", "inline", "-q"]
            done = bukvar(address, dataset.parent, *command)
            assert done.returncode == 0, done.stderr
            assert "300 documents" in done.stdout
            kept = dataset.parent / "bukvar/hub/letters--azbuka"
            assert on_hub(state.repos[NAME]) == visible(kept)
            again = bukvar(address, dataset.parent, *command)
            assert again.returncode == 0, again.stderr
            assert len(state.repos[NAME].commits) == 1

    def test_a_shard_that_is_no_more_is_deleted(self, dataset: Path) -> None:
        state = Hub()
        with serving(state) as address:
            assert send(address, dataset).returncode == 0
            repo = state.repos[NAME]
            repo.files["data/train-00007-of-00008.parquet"] = (b"old", True)
            repo.files["notes.md"] = (b"by hand", False)
            assert send(address, dataset).returncode == 0
            assert on_hub(repo) == visible(dataset) | {"notes.md": b"by hand"}

    def test_takedowns_of_the_repository_are_obeyed(self, dataset: Path) -> None:
        state = Hub()
        stone = b'{"kind":"host","value":"h5.ru","reason":"asked"}\n'
        with serving(state) as address:
            assert send(address, dataset).returncode == 0
            repo = state.repos[NAME]
            repo.files["tombstones.jsonl"] = (stone, False)
            done = send(address, dataset)
            assert done.returncode == 0, done.stderr
            assert "1 takedowns" in done.stderr
            assert repo.files["tombstones.jsonl"][0] == stone
        hosts = pq.read_table(dataset / "data")["host"].to_pylist()
        assert len(hosts) == 299
        assert "h5.ru" not in hosts

    def test_large_folders_go_in_several_commits_without_a_manifest_between(
        self, dataset: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        files = hub._files_of(str(dataset), hub.read_manifest(str(dataset)))
        monkeypatch.setattr(hub, "_COMMIT_FILES", 2)
        batches = list(hub._batches(list(files.values())))
        assert [file.path for batch in batches for file in batch] == list(files)
        assert [len(batch) for batch in batches[:-1]] == [2] * (len(batches) - 1)
        assert batches[-1][-1].path == "manifest.json"

    def test_files_of_an_object_store_pass_through_the_local_disk(
        self, dataset: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        files = list(hub._files_of(str(dataset), hub.read_manifest(str(dataset))).values())
        monkeypatch.setattr(storage, "local_path", lambda _: None)
        with hub._on_disk(str(dataset), files) as paths:
            assert {name: path.read_bytes() for name, path in paths.items()} == visible(dataset)
            assert not any(path.is_relative_to(dataset) for path in paths.values())
        assert not any(path.exists() for path in paths.values())


@pytest.mark.slow
class TestFaults:
    def test_a_fifth_of_the_requests_refused_costs_nothing(self, dataset: Path) -> None:
        state = Hub()
        state.refuse_every = 5
        with serving(state) as address:
            done = send(address, dataset)
        assert done.returncode == 0, done.stderr
        assert on_hub(state.repos[NAME]) == visible(dataset)

    def test_connections_cut_in_the_middle_of_a_shard_cost_nothing(self, dataset: Path) -> None:
        state = Hub()
        state.cut_puts = 3
        with serving(state) as address:
            done = send(address, dataset)
        assert done.returncode == 0, done.stderr
        assert state.cut_puts == 0
        assert on_hub(state.repos[NAME]) == visible(dataset)

    def test_slow_answers_cost_nothing(self, dataset: Path) -> None:
        state = Hub()
        state.slow = 1.0
        with serving(state) as address:
            assert send(address, dataset).returncode == 0
        assert on_hub(state.repos[NAME]) == visible(dataset)

    def test_a_hub_that_goes_away_and_comes_back_is_waited_for(self, dataset: Path) -> None:
        """What was put before it went is not put again."""
        state, port, gone = Hub(), free_port(), threading.Event()
        finished = []

        def leave() -> None:
            state.refuse_every = 1  # a fast client gets no further before the server is down
            gone.set()

        def run() -> None:
            finished.append(send(f"http://127.0.0.1:{port}", dataset))

        state.after_put = leave

        worker = threading.Thread(target=run)
        with serving(state, port):
            worker.start()
            assert gone.wait(120)
        state.after_put, state.refuse_every = None, 0
        assert worker.is_alive()
        assert state.put
        with serving(state, port):
            worker.join(240)
        assert finished
        assert finished[0].returncode == 0, finished[0].stderr
        assert on_hub(state.repos[NAME]) == visible(dataset)
        assert state.put == sum(len(data) for data in state.objects.values())

    def test_an_interrupted_upload_goes_on(self, dataset: Path) -> None:
        """The process is killed after its first shard: the next one sends the others."""
        state, put = Hub(), threading.Event()
        state.after_put = put.set
        state.slow = 0.5
        with serving(state) as address:
            environment = os.environ | {
                "HF_ENDPOINT": address, "HF_TOKEN": TOKEN, "HF_HOME": str(dataset.parent / "hf"),
                "HF_HUB_DISABLE_XET": "1",
            }  # fmt: skip
            command = [sys.executable, "-m", "pipelines.cli", "publish", str(dataset), "--to", TARGET]
            with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
                assert put.wait(120)
                process.kill()
            assert on_hub(state.repos[NAME]) == {}
            done = send(address, dataset)
        assert done.returncode == 0, done.stderr
        assert on_hub(state.repos[NAME]) == visible(dataset)


class TestRefusals:
    @pytest.mark.parametrize("target", ["hf://datasets/azbuka", "hf://letters/azbuka", "hf://datasets/a/b/c"])
    def test_another_form_of_address(
        self, dataset: Path, capsys: pytest.CaptureFixture[str], target: str
    ) -> None:
        assert cli.run(["publish", str(dataset), "--to", target]) == 2
        assert "write the repository as hf://datasets/OWNER/NAME" in capsys.readouterr().err

    def test_a_run_s_folder_on_the_hub(self, dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
        command = ["clean", str(dataset / "data"), "--out", TARGET, "--executor", "inline", "-q"]
        for one in (command, ["takedown", TARGET, "--host", "h1.ru"]):
            assert cli.run(one) == 2
            assert "a hub's files are read only" in capsys.readouterr().err

    def test_a_wrong_token_is_one_line(self, dataset: Path) -> None:
        with serving(Hub()) as address:
            done = send(address, dataset, token="hf_wrong")  # noqa: S106 - it is wrong
        assert done.returncode == 1, done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        assert "hf auth login" in done.stderr

    def test_no_token_is_one_line(self, dataset: Path) -> None:
        done = send("http://127.0.0.1:9", dataset, token="")
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        assert "HF_TOKEN" in done.stderr

    def test_the_missing_package_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "huggingface_hub", None)
        with pytest.raises(UsageError, match=r"pip install 'bukvar\[hub\]'"):
            hub.check(TARGET)
        filesystems._hub.cache_clear()
        with pytest.raises(UsageError, match=r"pip install 'bukvar\[hub\]'"):
            storage.exists(f"{TARGET}/README.md")

    def test_a_run_whose_dataset_the_hub_refuses_says_so_and_goes_on(
        self, dataset: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "run"
        command = [
            "run", "ru-web", "--out", str(out), "--executor", "inline", "-q", "--set", f"publish.to={TARGET}",
            "--set", f"input.paths={dataset / 'data'}", "--set", 'run.stages=["dedup", "publish"]',
        ]  # fmt: skip
        state = Hub()
        with serving(state) as address:
            refused = bukvar(address, tmp_path, *command, token="hf_wrong")  # noqa: S106 - it is wrong
            assert (refused.returncode, refused.stderr.count("\n")) == (1, 1), refused.stderr
            assert "hf auth login" in refused.stderr
            assert (out / "dataset/manifest.json").exists()
            assert "hf auth login" in (out / "report.html").read_text()
            status = json.loads(bukvar(address, tmp_path, "status", str(out), "--json").stdout)
            assert [one["state"] for one in status] == ["done", "failed"]
            done = bukvar(address, tmp_path, *command)
            assert done.returncode == 0, done.stderr
            assert "nothing to do" not in done.stdout
            assert "hf auth login" not in (out / "report.html").read_text()
            status = json.loads(bukvar(address, tmp_path, "status", str(out), "--json").stdout)
            assert [one["state"] for one in status] == ["done", "done"]
            assert "nothing to do" in bukvar(address, tmp_path, *command).stdout
        assert on_hub(state.repos[NAME]) == visible(out / "dataset")

    def test_a_repository_with_data_of_somebody_else(self, dataset: Path) -> None:
        state = Hub()
        state.repos[NAME] = Repo({"data/theirs.parquet": (b"1", True), "README.md": (b"# A", False)})
        with serving(state) as address:
            done = send(address, dataset)
            assert done.returncode == 2, done.stderr
            assert "holds data/theirs.parquet, which bukvar did not publish" in done.stderr
            assert state.repos[NAME].commits == []
            assert send(address, dataset, "--redo").returncode == 0
        assert on_hub(state.repos[NAME]) == visible(dataset)

    def test_an_altered_shard_is_named(self, dataset: Path) -> None:
        path = dataset / "data/train-00001-of-00003.parquet"
        data = bytearray(path.read_bytes())
        data[100] ^= 1
        path.write_bytes(data)
        with serving(Hub()) as address:
            done = send(address, dataset)
        assert done.returncode == 1
        assert "train-00001-of-00003.parquet: not as the manifest says" in done.stderr

    def test_the_recipe_s_address_is_checked_before_work(self) -> None:
        with pytest.raises(ValueError, match="hf://datasets/OWNER/NAME"):
            Publish(to="s3://x/y")


class TestRead:
    def test_verify_and_stages_read_a_repository(self, dataset: Path, tmp_path: Path) -> None:
        state = Hub()
        with serving(state) as address:
            assert send(address, dataset).returncode == 0
            checked = bukvar(address, tmp_path, "verify", TARGET, "--json")
            assert json.loads(checked.stdout) == {"files": 3, "rows": 300, "faults": []}, checked.stderr
            out = str(tmp_path / "out")
            inputs = [f"{TARGET}/data/train-00000-of-00003.parquet", f"{TARGET}/data"]
            for number, source in enumerate(inputs):
                command = [
                    "clean",
                    source,
                    "--out",
                    out + str(number),
                    "--executor",
                    "inline",
                    "-q",
                    "--json",
                ]
                done = bukvar(address, tmp_path, *command)
                assert done.returncode == 0, done.stderr
                assert json.loads(done.stdout)["rows_in"] == [100, 300][number]
            missing = bukvar(address, tmp_path, "verify", "hf://datasets/letters/none")
            assert missing.returncode in (1, 2)
            assert missing.stderr.count("\n") == 1, missing.stderr
