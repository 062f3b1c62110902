"""Requests by botocore, to a server on loopback that writes down what it is asked."""

import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from corpus import s3, storage
from corpus.errors import ShardError
from corpus.inputs import Input, Part
from corpus.stage import run_task
from tests.pipelines.stages import Shorten, tasks_of

CONTENT = bytes(range(256)) * 4


class Asked(NamedTuple):
    method: str
    path: str
    signed_by: str
    range: str = ""


class _Handler(BaseHTTPRequestHandler):
    """Gives `CONTENT` for every key but two: `missing`, and `cut`, whose connection ends in the middle."""

    protocol_version = "HTTP/1.1"
    asked: list[Asked]

    def do_GET(self) -> None:
        scheme, _, key = self.headers.get("Authorization", "").partition("Credential=")
        signed_by = key.partition("/")[0] if scheme else ""
        self.asked.append(Asked(self.command, self.path, signed_by, self.headers.get("Range", "")))
        if self.path.endswith("missing"):
            self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>", "bytes 0-0/0")
            return
        first, last = self.headers.get("Range", "bytes=0-9999").removeprefix("bytes=").split("-")
        part = CONTENT[int(first) : int(last) + 1]
        self.answer(206, part, f"bytes {first}-{int(first) + len(part) - 1}/{len(CONTENT)}")

    def do_DELETE(self) -> None:
        self.asked.append(Asked(self.command, self.path, ""))
        self.send_response(204)
        self.end_headers()

    def do_HEAD(self) -> None:
        self.do_GET()

    def answer(self, status: int, body: bytes, of: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Range", of)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[: 100 if self.path.endswith("cut") else None])
        self.close_connection = self.path.endswith("cut")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[Asked]]]:
    """A server's port, and what it was asked."""
    found: list[Asked] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"asked": found}))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # of clients that do not trust it
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port, found
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def keys_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("botocore")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "environment")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.fixture
def asked(keys_of_the_environment: None) -> Iterator[tuple[str, list[Asked]]]:  # noqa: ARG001 - set for it
    """The options of a URL by which the server is found, and what it was asked."""
    with serving() as (port, found):
        yield f"?endpoint_override=127.0.0.1:{port}&scheme=http&region=eu-west-1", found


@pytest.mark.parametrize(
    ("credentials", "signed_by"),
    [("", "environment"), ("own:se%2Fcret@", "own"), ("anonymous@", "")],
)
def test_a_small_object_is_read_in_one_request_with_the_credentials_of_its_url(
    asked: tuple[str, list[Asked]], credentials: str, signed_by: str
) -> None:
    options, found = asked
    assert storage.read_bytes(f"s3://{credentials}bucket/a/é 1%20+.txt{options}") == CONTENT
    whole = f"bytes=0-{storage._WHOLE - 1}"
    assert found == [Asked("GET", "/bucket/a/%C3%A9%201%2520%2B.txt", signed_by, whole)]


@pytest.mark.parametrize("credentials", ["", "own:se%2Fcret@", "anonymous@"])
def test_pyarrow_is_given_the_bucket_without_them(credentials: str) -> None:
    location = f"s3://{credentials}bucket/a/b@c.txt?region=eu-west-1"
    assert storage.open_filesystem(location)[1] == "bucket/a/b@c.txt"


def test_what_is_larger_or_cut_short_is_left_to_pyarrow(asked: tuple[str, list[Asked]]) -> None:
    options, _ = asked
    assert s3.read_small(f"s3://bucket/k{options}", len(CONTENT)) == CONTENT
    assert s3.read_small(f"s3://bucket/k{options}", len(CONTENT) - 1) is None
    assert s3.read_small(f"s3://bucket/cut{options}", len(CONTENT)) is None


class TestOfALargeObject:
    """Nobody asks for all of it at first, where its size is known."""

    @pytest.fixture
    def location(self, asked: tuple[str, list[Asked]], monkeypatch: pytest.MonkeyPatch) -> str:
        monkeypatch.setattr(storage, "_WHOLE", len(CONTENT) - 1)
        monkeypatch.setattr(storage, "_large", set())
        return f"s3://bucket/large{asked[0]}"

    def opened(self, location: str, found: list[Asked]) -> list[str]:
        """What the server is asked when the file is opened, and nothing of it is read."""
        found.clear()
        storage.open_input(location).close()
        return [one.method for one in found]

    def test_whose_size_was_looked_up(self, asked: tuple[str, list[Asked]], location: str) -> None:
        assert storage.file(location).size == len(CONTENT)
        assert "GET" not in self.opened(location, asked[1])

    def test_that_was_opened_before(self, asked: tuple[str, list[Asked]], location: str) -> None:
        assert "GET" in self.opened(location, asked[1])
        assert "GET" not in self.opened(location, asked[1])

    def test_that_a_task_was_given(
        self, asked: tuple[str, list[Asked]], location: str, tmp_path: Path
    ) -> None:
        whole = Input(location, "large.jsonl", "", len(CONTENT))
        (task,) = tasks_of(Shorten(), [whole], tmp_path)
        asked[1].clear()
        with pytest.raises(ShardError):  # it is no JSON
            run_task(task)
        ranges = [one.range for one in asked[1] if one.method == "GET"]
        assert f"bytes=0-{len(CONTENT) - 2}" not in ranges

    def test_of_which_a_task_has_a_part(self) -> None:
        lines = Input("a", "a", "", 10, part=Part(1, 90, 100, 5))
        assert lines.file_bytes == 100
        assert replace(lines, rows=7).file_bytes == 10  # row groups 90 to 100


def test_an_object_is_deleted_in_one_request(asked: tuple[str, list[Asked]]) -> None:
    options, found = asked
    storage.delete_all(f"s3://bucket/{key}{options}" for key in ("a", "b/c"))
    assert sorted(one[:2] for one in found) == [("DELETE", "/bucket/a"), ("DELETE", "/bucket/b/c")]


def test_a_missing_object_is_an_error(asked: tuple[str, list[Asked]]) -> None:
    options, _ = asked
    with pytest.raises(storage.NotFoundError):
        storage.read_bytes(f"s3://bucket/missing{options}")


@pytest.mark.usefixtures("keys_of_the_environment")
@pytest.mark.parametrize(
    ("option", "trusted"),
    [("", False), ("&tls_ca_file_path={file}", True), ("&tls_verify_certificates=false", True)],
)
def test_a_url_says_which_certificates_count(tmp_path: Path, option: str, trusted: bool) -> None:
    file = tmp_path / "server.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key.pem", "-out", file],
        capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("needs openssl")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(file, tmp_path / "key.pem")
    with serving(tls) as (port, _):
        url = f"s3://bucket/k?endpoint_override=127.0.0.1:{port}{option.format(file=file)}"
        found = s3.read_small(url, len(CONTENT))
    assert found == (CONTENT if trusted else None)


def test_a_folder_of_certificates_is_for_pyarrow_alone() -> None:
    assert s3.place_of("s3://bucket/k?tls_ca_dir_path=/etc/ssl/certs") is None
