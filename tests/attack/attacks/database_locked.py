"""Somebody holds the incident database for as long as they like."""

from __future__ import annotations

import sqlite3
import time

from tests.attack.attack import Attack, Scene


def run(scene: Scene) -> None:
    """Hold an exclusive lock, and read what does not need it."""
    database = scene.stage.directory / "data" / "incidents.db"
    with sqlite3.connect(database, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        begun = time.monotonic()
        slowest = 0.0
        while time.monotonic() - begun < (40 if scene.full else 9):
            for path in ("/health", "/api/v2/incidents", "/api/v2/findings"):
                asked = time.monotonic()
                scene.stage.get(path)
                slowest = max(slowest, time.monotonic() - asked)
            time.sleep(0.1)
        other.execute("ROLLBACK")
    other.close()
    scene.figures["slowest read s"] = slowest
    scene.claim("nobody who reads waits a second", slowest < 1.0, f"{slowest:.2f} s")


ATTACK = Attack(
    name="database-locked",
    holds="A lock on the incident database stalls nothing; what pages goes out late.",
    run=run,
    pages=True,
)
