"""Queries that cost as much as a query can, all at once, beside honest senders."""

from __future__ import annotations

import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

from tests.attack.attack import Attack, Scene
from tests.attack.series import fill, instances

SERIES, FULL_SERIES = 10_000, 300_000
SECONDS, FULL_SECONDS = 4.0, 30.0
_ALL = "name,nasty,:eq"
NASTY = (
    f"{_ALL},(,instance,),:by",
    f"{_ALL},(,instance,),:by,:count",
    f"{_ALL},(,instance,),:by,max,5,:topk",
    f"{_ALL},(,app,zone,instance,),:by,:sum,(,zone,),:by",
    ":true,:all,:count",
    "instance,.*0.*1.*2.*z,:re,:sum",
    "instance,.*(0|1)(2|3)(4|5)X$,:reic,:sum",
    f"{_ALL},(,app,),:by," + ":integral," * 200,
    f"{_ALL}," + "app,app-001,:eq,:or,:not," * 200 + ":sum",
    f"{_ALL},(,app,),:by," + ":dup,:add," * 13,
)


def run(scene: Scene) -> None:
    """Ask all of them again and again."""
    fill(scene.stage, instances("nasty", FULL_SERIES if scene.full else SERIES))
    scene.beside.forget()
    until = time.monotonic() + (FULL_SECONDS if scene.full else SECONDS)
    with ThreadPoolExecutor(len(NASTY)) as pool:
        answers = list(pool.map(lambda program: _ask(scene, program, until), NASTY))
    scene.figures["queries"] = float(sum(len(statuses) for statuses in answers))
    seen = sorted({status for statuses in answers for status in statuses})
    scene.claim("answered or refused with the reason", set(seen) <= {200, 400, 422, 503}, seen)


def _ask(scene: Scene, program: str, until: float) -> list[int]:
    path = f"/api/v1/graph?q={urllib.parse.quote(program, safe=',:()')}&s=e-2m&format=json"
    statuses: list[int] = []
    while time.monotonic() < until:
        statuses.append(scene.stage.get(path, timeout_s=60).status_code)
    return statuses


ATTACK = Attack(
    name="nasty-queries",
    holds="Nobody who sends, judges or pages waits for a stranger's query.",
    run=run,
    send_p99_ms=500,
    memory_mb=900,
    pages=True,
)
