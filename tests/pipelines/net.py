"""What tests with servers on loopback share."""

import contextlib
import random
import socket

#: Below those that systems give to clients' sockets, of which one may be another process's a moment later.
PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A port on which nothing listens now, drawn at random: two processes that ask at once get two."""
    draw = random.SystemRandom()
    while True:
        port = draw.choice(PORTS)
        with socket.socket() as found, contextlib.suppress(OSError):
            found.bind(("127.0.0.1", port))
            return port
