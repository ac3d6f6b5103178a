"""Listings over many values: pages of tags, patterns over them, counts of all."""

from __future__ import annotations

import time

from tests.attack.attack import Attack, Scene
from tests.attack.series import fill, instances

SERIES, FULL_SERIES = 20_000, 1_000_000
PAGE_S, FULL_PAGE_S = 0.5, 1.0
PATHS = (
    "/api/v1/tags/instance",
    "/api/v1/tags/instance?offset=i-0010000",
    "/api/v1/tags/instance?q=instance,.*7.*,:re",
    "/api/v1/tags?q=:true",
    "/api/v2/metrics",
    "/api/v2/metric-tags?q=:true",
)


def run(scene: Scene) -> None:
    """Ask each of them a few times."""
    fill(scene.stage, instances("tagged", FULL_SERIES if scene.full else SERIES))
    scene.beside.forget()
    for path in PATHS:
        waits = []
        for _ in range(5):
            begun = time.monotonic()
            answer = scene.stage.get(path)
            waits.append(time.monotonic() - begun)
            scene.claim(f"{path} is answered", answer.status_code == 200, answer.status_code)
        scene.figures[f"{path} ms"] = min(waits) * 1_000
    page_s = scene.figures[f"{PATHS[1]} ms"] / 1_000
    limit_s = FULL_PAGE_S if scene.full else PAGE_S
    scene.claim(f"a page of tags takes at most {limit_s} s", page_s <= limit_s, page_s)


ATTACK = Attack(
    name="many-tags",
    holds="A listing over many values costs nobody else their time.",
    run=run,
    send_p99_ms=500,
    memory_mb=1_500,
)
