"""A proxy before a server on loopback that counts requests and, for a while, refuses them."""

import contextlib
import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Proxy:
    """Passes requests on to `target` ("host:port"). `refuse_until` (a time.monotonic) answers 503 till then;
    `refuse_every` refuses every n-th request; `delay` holds each back for so many seconds;
    of the next `damage_puts` puts one byte is turned on the way."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.requests: Counter[str] = Counter()
        self.refused = 0
        self.refuse_until = 0.0
        self.refuse_every = 0
        self.delay = 0.0
        self.damage_puts = 0
        self._lock = threading.Lock()

    def damages(self) -> bool:
        with self._lock:
            self.damage_puts -= 1
            return self.damage_puts >= 0

    def refuses(self, method: str) -> bool:
        with self._lock:
            self.requests[method] += 1
            total = self.requests.total()
            wanted = time.monotonic() < self.refuse_until
            wanted |= bool(self.refuse_every) and total % self.refuse_every == 0
            self.refused += wanted
            return wanted


class _Handler(BaseHTTPRequestHandler):
    """Passes one connection's requests on; `proxy` is set by the class that `before` makes."""

    protocol_version = "HTTP/1.1"
    proxy: Proxy

    def _pass(self) -> None:
        body = self._body()
        time.sleep(self.proxy.delay)
        if self.command == "PUT" and len(body) > 100 and self.proxy.damages():
            body = body[:50] + bytes([body[50] ^ 1]) + body[51:]
        if self.proxy.refuses(self.command):
            self._answer(503, {"Content-Type": "application/xml"}, b"<Error><Code>SlowDown</Code></Error>")
            return
        with (
            contextlib.closing(http.client.HTTPConnection(self.proxy.target, timeout=60)) as connection,
            contextlib.suppress(BrokenPipeError, ConnectionResetError),  # of a client that was killed
        ):
            self._pass_on(connection, body)

    def _pass_on(self, connection: http.client.HTTPConnection, body: bytes) -> None:
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        found = connection.getresponse()
        data = found.read()
        passing = ("transfer-encoding", "connection")
        self._answer(found.status, {k: v for k, v in found.getheaders() if k.lower() not in passing}, data)

    def _body(self) -> bytes:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _answer(self, status: int, headers: dict[str, str], data: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        length = headers.get("Content-Length", "") if self.command == "HEAD" else ""
        self.send_header("Content-Length", length or str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass  # noqa: N815 - http.server's names

    def log_message(self, *_: Any) -> None: ...


@contextlib.contextmanager
def before(target: str) -> Iterator[tuple[Proxy, str]]:
    """A proxy before a server, and the address at which it listens."""
    proxy = Proxy(target)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": proxy}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield proxy, f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
