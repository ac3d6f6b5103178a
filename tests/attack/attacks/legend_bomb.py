"""A short query whose legends, labels or formats are long: kilobytes in, gigabytes out."""

from __future__ import annotations

import urllib.parse

from tests.attack.attack import Attack, Scene
from tests.attack.series import fill

LINES, FULL_LINES = 100, 1_000
VALUE = "v" * 250


def run(scene: Scene) -> None:
    """Ask for texts that would be a gigabyte each."""
    lines = FULL_LINES if scene.full else LINES
    series = [{"__name__": "bomb", "id": f"i{i}", "kk": VALUE} for i in range(lines)]
    fill(scene.stage, series)
    named = "name,bomb,:eq,(,id,),:by"
    doubled = "x," + "a,:set,%1$s%1$s,a,:get,1,:nlist,:format," * 40
    bombs = {
        "legend": f"{named},{'$kk' * 7_000},:legend",
        "sed": f"{named},id,:legend,.,{'$kk' * 6_000},:s",
        "labels": f"{named}," + ":integral," * 200,
        "nested": f"{named}," + ":integral," * 900,
        "format": f"{doubled}b,:set,:true,:sum,b,:get,:legend",
        "doubled": f"{named}," + ":dup,:add," * 14,
    }
    for name, program in bombs.items():
        for form in ("json", "v2.json") if scene.full else ("json",):
            path = f"/api/v1/graph?q={urllib.parse.quote(program, safe=',:$()')}&format={form}"
            answer = scene.stage.get(f"{path}&s=e-5m&features=unstable")
            scene.claim(f"{name} as {form} is answered", answer.status_code < 500, answer)
            scene.claim(f"{name} as {form} is short", len(answer.content) < 64 << 20, answer)


ATTACK = Attack(
    name="legend-bomb",
    holds="Texts that a query makes are counted as they are made; memory stays what it was.",
    run=run,
    memory_mb=400,
)
