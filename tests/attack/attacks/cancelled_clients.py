"""Clients that ask for what takes long and leave, over and over."""

from __future__ import annotations

import socket
import time
import urllib.parse

from tests.attack.attack import Attack, Scene
from tests.attack.series import fill, instances

SERIES, CLIENTS = 20_000, 60
WITHIN_S = 5.0
PROGRAM = "name,left,:eq,(,instance,),:by," + ":integral," * 8


def run(scene: Scene) -> None:
    """Ask and leave; their queries must leave with them."""
    fill(scene.stage, instances("left", SERIES))
    scene.beside.forget()
    parts = urllib.parse.urlsplit(scene.stage.api)
    query = urllib.parse.quote(PROGRAM, safe=",:()")
    request = f"GET /api/v1/graph?q={query}&s=e-3m&format=json HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    for _ in range(10 * CLIENTS if scene.full else CLIENTS):
        with socket.create_connection((str(parts.hostname), int(parts.port or 0))) as client:
            client.sendall(request)
            time.sleep(0.02)
    begun = time.monotonic()
    while left := _running(scene):
        if time.monotonic() - begun > WITHIN_S:
            break
        time.sleep(0.05)
    scene.figures["last query ended after s"] = time.monotonic() - begun
    scene.claim(f"no query is left after {WITHIN_S:g} s", not left, left)


def _running(scene: Scene) -> int:
    return len(scene.stage.get("/api/v1/queries").json()["queries"])


ATTACK = Attack(
    name="cancelled-clients",
    holds="A query ends when its client goes.",
    run=run,
    send_p99_ms=500,
    memory_mb=600,
)
