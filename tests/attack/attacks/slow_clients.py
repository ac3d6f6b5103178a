"""Clients that send nothing, or a byte now and then, or read nothing."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from tests.attack.attack import Attack, Scene
from tests.attack.sending import closed_within, opened

HEAD = b"POST /api/v1/publish HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"


def run(scene: Scene) -> None:
    """Open all kinds of them at once, and see that the server ends them."""
    many = 200 if scene.full else 40
    url = scene.stage.api
    silent = [opened(url) for _ in range(many)]
    heads = [opened(url) for _ in range(many)]
    bodies = [opened(url) for _ in range(many)]
    for one in bodies:
        one.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
    over = threading.Event()

    def drip() -> None:
        for byte in HEAD * 100:
            for one in (*heads, *bodies):
                _send(one, bytes([byte]))
            if over.wait(0.3):
                return

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        for name, sockets in {"silent": silent, "head": heads, "body": bodies}.items():
            closed = closed_within(sockets, 12)
            scene.claim(f"{name}: all are closed", closed == many, f"{closed} of {many}")
    finally:
        over.set()
        dripping.join()
    large = opened(url)
    large.sendall(b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * (1 << 20))
    scene.claim("an endless head is cut", closed_within([large], 5) == 1, "")
    for one in (*silent, *heads, *bodies, large):
        one.close()


def _send(one: socket.socket, data: bytes) -> None:
    with suppress(OSError):
        one.sendall(data)


ATTACK = Attack(
    name="slow-clients",
    holds="Heads and bodies have deadlines; whoever keeps the server waiting is cut off.",
    run=run,
    settings={"header_timeout": "2s", "body_timeout": "2s"},
    memory_mb=100,
)
