"""Access keys in URLs of S3 are written nowhere and said nowhere; a real server on loopback."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.pipelines.stages import write_texts
from tests.pipelines.test_object_store import put, store, url
from tests.pipelines.test_publish_s3 import server  # noqa: F401 - a fixture
from tests.pipelines.weed import URL_KEY, URL_SECRET

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
#: What may stand nowhere: the secret as it is, and in each form that a URL or JSON gives it.
SECRETS = [URL_KEY, URL_SECRET, quote(URL_SECRET, safe=""), URL_SECRET.partition("/")[2]]


def with_keys(address: str, key: str) -> str:
    return url(address, key).replace("s3://", f"s3://{URL_KEY}:{URL_SECRET}@")


def bukvar(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """A command whose environment has no keys. Its words hold no secret."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    environment |= {"AWS_EC2_METADATA_DISABLED": "true", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, (arguments, done.stdout, done.stderr)
    assert [one for one in SECRETS if one in done.stdout + done.stderr] == []
    return done


def check_folder(files: dict[str, bytes]) -> None:
    assert "_recipe.toml" in files
    wrong = [(path, one) for path, data in files.items() for one in SECRETS if one.encode() in data]
    assert wrong == []


def test_a_run_from_store_to_disk_and_to_store_holds_no_secret(server: str, tmp_path: Path) -> None:  # noqa: F811 - the fixture
    texts = [f"Весной река поднялась выше обычного, и дорога номер {n} ушла под воду." for n in range(40)]
    for n in range(2):
        write_texts(tmp_path / f"in/{n}.parquet", texts, url=[f"http://a.ru/{n}/{k}" for k in range(40)])
    put(server, tmp_path / "in", "keys/in")
    (tmp_path / "in/broken.parquet").write_bytes(b"PAR1 junk")
    put(server, tmp_path / "in", "keys/broken")
    log, metrics, report = tmp_path / "log.jsonl", tmp_path / "run.prom", tmp_path / "report.html"
    common = ["--executor", "inline", "--log", str(log), "--metrics", str(metrics)]
    for out in (str(tmp_path / "out"), with_keys(server, "keys/out")):
        for name, code in (("in", 0), ("broken", 1)):
            recipe = tmp_path / f"{name}.toml"
            recipe.write_text(
                f'[input]\npaths = ["{with_keys(server, f"keys/{name}")}"]\n'
                '[run]\nstages = ["identify", "clean", "dedup", "publish"]\n'
            )
            where = out.replace("/out", f"/out/{name}")
            bukvar("run", str(recipe), "--out", where, *common, code=code)
            bukvar("run", str(recipe), "--out", where, *common, "--debug", "--log-level", "debug", code=code)
            bukvar("status", where, "--json")
            bukvar("report", where, "--out", str(report))
            assert URL_KEY not in report.read_text("utf-8")
        bukvar("inspect", out.replace("/out", "/out/in/clean"), "--limit", "1")
        bukvar("status", out.replace("/out", "/nowhere"), code=2)
    on_disk = {str(p): p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    check_folder({Path(path).name: data for path, data in on_disk.items()} | on_disk)
    there = store(server)
    from pyarrow import fs

    listed = there.get_file_info(fs.FileSelector("corpora/keys/out", recursive=True))
    found = {f.path: there.open_input_file(f.path).read() for f in listed if f.type == fs.FileType.File}
    check_folder({Path(path).name: data for path, data in found.items()} | found)
    beside = [log, metrics, report]
    assert [p for p in beside for one in SECRETS if one in p.read_text("utf-8")] == []


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning:ray.*")
def test_workers_of_ray_get_the_keys_and_say_nothing_of_them(server: str, tmp_path: Path) -> None:  # noqa: F811 - the fixture
    write_texts(tmp_path / "in/a.parquet", ["Весной река поднялась выше обычного, и дорога ушла под воду."])
    put(server, tmp_path / "in", "keys/ray")
    bukvar(
        "clean", with_keys(server, "keys/ray"), "--out", with_keys(server, "keys/ray-out"), "--workers", "1"
    )
    done = bukvar("status", with_keys(server, "keys/ray-out"), "--json")
    assert [(one["state"], one["rows_in"]) for one in json.loads(done.stdout)] == [("done", 1)]


def test_wrong_keys_are_refused_without_being_said(server: str, tmp_path: Path) -> None:  # noqa: F811 - the fixture
    source = with_keys(server, "keys/in").replace(URL_KEY, f"{URL_KEY}X")
    done = bukvar("clean", source, "--out", str(tmp_path / "out"), "--executor", "inline", code=1)
    assert "the store refuses access" in done.stderr
