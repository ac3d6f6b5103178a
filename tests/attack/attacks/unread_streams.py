"""Event streams whose clients read nothing of them."""

from __future__ import annotations

import time
from urllib.parse import quote

import orjson

from tests.attack.attack import Attack, Scene
from tests.attack.sending import opened, post

SERIES = 1_000
STREAMS = 40


def run(scene: Scene) -> None:
    """Take all streams there are; read none; somebody else wants one."""
    now_ms = int(time.time() * 1_000)
    rows = [
        {"tags": {"name": "attack.wide", "number": f"{n:04}"}, "timestamp": now_ms, "value": n}
        for n in range(SERIES)
    ]
    taken = post(scene.stage.api + "/api/v1/publish", orjson.dumps(rows), {})
    scene.claim("the lines are there", taken == 200, taken)
    query = quote("name,attack.wide,:eq,:sum,(,number,),:by")
    path = f"/api/v2/fetch?q={query}&s=e-1h"
    request = f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    held = [opened(scene.stage.api, 4_096) for _ in range(STREAMS)]
    for one in held:
        one.sendall(request)
    deadline = time.monotonic() + 20
    cut = 0
    while not cut and time.monotonic() < deadline:
        time.sleep(0.2)
        told = scene.stage.get("/health").json()["connections"]
        cut = told["timed_out"].get("reader", 0)
    scene.claim("who reads nothing is cut off", cut > 0, told)
    small = f"/api/v2/fetch?q={quote('name,attack.honest,:eq,:sum')}&s=e-1m"
    served = False
    while not served and time.monotonic() < deadline:
        time.sleep(0.2)
        answer = scene.stage.get(small)
        served = answer.is_success
    scene.claim("somebody else gets a stream", served, answer.text[:300])
    for one in held:
        one.close()


ATTACK = Attack(
    name="unread-streams",
    holds="An event stream that nobody reads loses its slot.",
    run=run,
    settings={"write_timeout": "2s"},
    memory_mb=500,
)
