"""A regular expression that takes a backtracking engine ages."""

from __future__ import annotations

import urllib.parse

from tests.attack.attack import Attack, Scene

AGES = "a?" * 28 + "a" * 28 + "b"


def run(scene: Scene) -> None:
    """Ask for series by such a pattern, in several words."""
    text = "a" * 28
    for word in (":re", ":reic"):
        query = urllib.parse.quote(f"name,{text},:eq,status,{AGES},{word},:and")
        answer = scene.stage.get(f"/api/v1/graph?q={query}&format=json")
        scene.claim(f"{word} is answered", answer.status_code < 500, answer.status_code)


ATTACK = Attack(
    name="regex-freeze",
    holds="A pattern of a backtracker's worst kind costs what any pattern costs.",
    run=run,
    send_p99_ms=500,
    memory_mb=100,
)
