"""The whole job from an object store to an object store, faults included, with a real server on loopback."""

import base64
import gzip
import json
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from tests.pipelines.proxy import Proxy, before
from tests.pipelines.stages import write_texts
from tests.pipelines.test_publish_s3 import server  # noqa: F401 - a fixture

ROOT = Path(__file__).parents[2]
CRAWL = ROOT / "tests/data/crawl"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def url(address: str, key: str) -> str:
    return f"s3://corpora/{key}?endpoint_override={address}&scheme=http"


def bukvar(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "right"}
    command = [sys.executable, "-m", "pipelines.cli", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def store(address: str) -> fs.S3FileSystem:
    return fs.S3FileSystem(
        access_key="key", secret_key="right", endpoint_override=address, scheme="http",  # noqa: S106 - of a test
    )  # fmt: skip


def put(address: str, folder: Path, key: str) -> None:
    fs.copy_files(str(folder), f"corpora/{key}", destination_filesystem=store(address))


def content(address: str, key: str) -> dict[str, bytes]:
    """Shards of a dataset by name."""
    found = store(address)
    files = found.get_file_info(fs.FileSelector(f"corpora/{key}", recursive=True))
    return {
        f.base_name: found.open_input_file(f.path).read() for f in files if f.base_name.endswith(".parquet")
    }


def logs(address: str, key: str) -> list[bytes]:
    """The files of a run's log, in order."""
    found = store(address)
    files = found.get_file_info(fs.FileSelector(f"corpora/{key}/_log"))
    return [found.open_input_file(path).read() for path in sorted(f.path for f in files)]


SETTINGS = ["--set", "train.vocab_size=4000", "--set", "train.held_out=0.1", "--executor", "inline", "-q"]


def test_a_whole_run_from_store_to_store_gives_the_bytes_of_a_disk(server: str, tmp_path: Path) -> None:  # noqa: F811 - the fixture
    put(server, CRAWL, "crawl")
    there = ["run", "ru-web", "--set", f"input.paths={url(server, 'crawl')}", "--out", url(server, "run")]
    done = bukvar(*there, *SETTINGS)
    assert done.returncode == 0, done.stderr
    here = bukvar("run", "ru-web", "--set", f"input.paths={CRAWL}", "--out", str(tmp_path / "run"), *SETTINGS)
    assert here.returncode == 0, here.stderr
    for part in ("dataset/data", "dedup"):
        local = {p.name: p.read_bytes() for p in (tmp_path / "run" / part).glob("*.parquet")}
        assert content(server, f"run/{part}").items() >= local.items()
    tokenizer = store(server).open_input_file("corpora/run/tokenizer/tokenizer.json").read()
    assert tokenizer == (tmp_path / "run/tokenizer/tokenizer.json").read_bytes()
    again = bukvar(*there, *SETTINGS)
    assert "nothing to do" in again.stdout, again.stderr
    lines = [line for data in logs(server, "run") for line in data.splitlines()]
    done_tasks = [entry for entry in map(json.loads, lines) if entry["event"] == "task_done"]
    local_log = (tmp_path / "run/_log.jsonl").read_text("utf-8").splitlines()
    assert len(done_tasks) == sum(json.loads(line)["event"] == "task_done" for line in local_log)
    assert {entry["stage"] for entry in done_tasks} >= {"extract", "dedup", "train"}
    status = bukvar("status", url(server, "run"), "--json")
    assert {stage["state"] for stage in json.loads(status.stdout)} == {"done"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for n in range(40):
        write_texts(
            tmp_path / f"in/{n:02d}.parquet", [f"Слово номер {n}, и ещё {k} слов." for k in range(50)]
        )
    return tmp_path / "in"


def clean(address: str, key: str) -> subprocess.CompletedProcess[str]:
    return bukvar(
        "clean", url(address, "documents"), "--out", url(address, key), "--executor", "inline", "-q"
    )


def test_requests_a_task(server: str, source: Path) -> None:  # noqa: F811 - the fixture
    put(server, source, "documents")
    with before(server) as (proxy, address):
        assert clean(address, "counted").returncode == 0
        fresh = proxy.requests.total()
        assert clean(address, "counted").returncode == 0
        nothing = proxy.requests.total() - fresh
    assert fresh <= 5 * 40 + 40, proxy.requests  # of which one to know the input, once
    assert nothing <= 48, proxy.requests  # whatever the number of tasks


@pytest.mark.parametrize("fault", ["a fifth of the requests", "everything for forty seconds"])
def test_refusals_cost_nothing(server: str, source: Path, fault: str) -> None:  # noqa: F811 - the fixture
    put(server, source, "documents")
    assert clean(server, "smooth").returncode == 0
    key = "rough" if fault.startswith("a fifth") else "rougher"

    ended = threading.Event()

    def disturb(proxy: Proxy) -> None:
        """When the first tasks are done."""
        while proxy.requests["PUT"] < 20 and not ended.wait(0.01):
            pass
        proxy.refuse_until = time.monotonic() + 40

    with before(server) as (proxy, address):
        if key == "rough":
            proxy.refuse_every = 5
        else:
            threading.Thread(target=disturb, args=(proxy,), daemon=True).start()
        done = clean(address, key)
        ended.set()
    assert done.returncode == 0, done.stderr
    assert proxy.refused
    assert content(server, key) == content(server, "smooth")
    assert sum(pq.read_metadata(pa_buffer(data)).num_rows for data in content(server, key).values()) == 2000


def large_inputs(folder: Path) -> int:
    """Files of more than 32 MB, which are read piece by piece: packed lines and Parquet; rows of both."""
    draw = random.Random(7)
    rows = [
        {"text": f"Слово номер {n}. {base64.b64encode(draw.randbytes(30_000)).decode()}"} for n in range(1200)
    ]
    folder.mkdir()
    lines = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    (folder / "packed.jsonl.gz").write_bytes(gzip.compress(lines, 1))
    pq.write_table(pa.Table.from_pylist(rows), folder / "table.parquet", row_group_size=100)
    for path in folder.iterdir():
        assert path.stat().st_size > 33 << 20, path
    return 2 * len(rows)


def test_refusals_in_the_middle_of_large_files_cost_nothing(server: str, tmp_path: Path) -> None:  # noqa: F811 - the fixture
    """A file that is read in pieces, large ones, is begun anew; none of it is taken for cut short."""
    rows = large_inputs(tmp_path / "documents")
    put(server, tmp_path / "documents", "documents-large")
    command = ["clean", url(server, "documents-large"), "--executor", "inline", "-q", "--json", "--out"]
    with before(server) as (proxy, address):
        command[1] = url(address, "documents-large")
        smooth = bukvar(*command, url(server, "large-smooth"))
        assert smooth.returncode == 0, smooth.stderr
        asked = proxy.requests.total()
        assert asked < 150, proxy.requests  # where decompressors ask for 8 kB: 4,500
        ended = threading.Event()

        def disturb() -> None:
            for _ in range(4):  # after each fifth of the work, longer than the client's own tries
                begun = proxy.requests.total()
                while proxy.requests.total() < begun + asked // 5 and not ended.wait(0.01):
                    pass
                proxy.refuse_until = time.monotonic() + 10
                ended.wait(10)

        thread = threading.Thread(target=disturb, daemon=True)
        thread.start()
        rough = bukvar(*command, url(server, "large-rough"))
        ended.set()
        thread.join()
    assert rough.returncode == 0, rough.stderr
    assert proxy.refused
    assert json.loads(rough.stdout)["rows_in"] == rows
    assert content(server, "large-rough") == content(server, "large-smooth")


def kill_in_the_middle(address: str, key: str) -> None:
    """A process that is killed when 30 MB of an object are written: its upload stays open."""
    code = f"""
import os, signal, time
from corpus import storage
filesystem, path = storage.open_filesystem({url(address, key)!r})
stream = filesystem.open_output_stream(path)
stream.write(bytes(30_000_000))
stream.flush()
time.sleep(1)
os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = os.environ | {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "right"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=False)
    assert done.returncode == -9


def open_uploads(address: str) -> list[str]:
    botocore = pytest.importorskip("botocore.session")
    client = botocore.get_session().create_client(
        "s3", endpoint_url=f"http://{address}", region_name="us-east-1",
        aws_access_key_id="key", aws_secret_access_key="right",  # noqa: S106 - of a test
    )  # fmt: skip
    return sorted(u["Key"] for u in client.list_multipart_uploads(Bucket="corpora").get("Uploads", ()))


def test_uploads_of_killed_writers_are_ended_and_nobody_else_s(server: str, source: Path) -> None:  # noqa: F811 - the fixture
    put(server, source, "documents")
    ours = ["killed/00.parquet", "killed/_dropped/00.parquet", "killed/_work/sign/00"]
    others = ["killed-not/00.parquet", "killed/of-another/00.parquet"]
    for key in (*ours, *others):
        kill_in_the_middle(server, key)
    assert open_uploads(server) == sorted([*ours, *others])
    assert clean(server, "killed").returncode == 0
    assert open_uploads(server) == sorted(others)


def pa_buffer(data: bytes) -> object:
    return pa.BufferReader(data)
