"""``/api/v2/expected``: the range beyond which a detector would call a value anomalous."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from anomaly.api.expected import MAX_EXPECTED_LINES, expected_routes
from anomaly.testing import TableDatabase
from collectors.clock import ManualClock

STEP_MS = 10_000
NOW_MS = 1_700_000_000_000 // STEP_MS * STEP_MS
STEPS, FALL = 400, 30


@pytest.fixture(scope="module")
def client() -> TestClient:
    """A line about 100 that falls to 20 for its last steps, a young one, and too many."""
    database, rng = TableDatabase(STEP_MS), np.random.default_rng(1)
    for step in range(STEPS):
        time_ms = NOW_MS - (STEPS - 1 - step) * STEP_MS
        level = 20.0 if step >= STEPS - FALL else 100.0
        database.put({"name": "orders"}, time_ms, level + rng.normal(0, 1))
    database.put({"name": "young"}, NOW_MS, 1.0)
    for number in range(MAX_EXPECTED_LINES + 1):
        database.put({"name": "many", "n": str(number)}, NOW_MS, 1.0)
    return TestClient(Starlette(routes=expected_routes(database, STEP_MS, ManualClock(NOW_MS))))


def ask(client: TestClient, status: int = 200, **params: str) -> dict[str, Any]:
    answer = client.get("/api/v2/expected", params=params)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_fall_lies_below_what_was_usual_before_it(client: TestClient) -> None:
    """A band that follows the fall down would say that all is well."""
    found = ask(client, q="name,orders,:eq,:sum", s="e-20m")
    (line,) = found["lines"]
    low, high = np.array(line["low"], dtype=float), np.array(line["high"], dtype=float)
    assert (len(low), found["step_ms"]) == (120, STEP_MS)
    assert (low[: -FALL - 1] > 80).all()
    assert (high[: -FALL - 1] < 120).all()
    assert (low[-FALL:] > 21).all()


def test_what_is_too_young_has_no_usual_range(client: TestClient) -> None:
    """A band made of one value would be a claim about nothing."""
    (line,) = ask(client, q="name,young,:eq,:sum", s="e-20m")["lines"]
    assert set(line["low"]) == {None}


def test_too_many_lines_and_a_slip_are_refused_in_words(client: TestClient) -> None:
    """Somebody else's question waits while a thousand lines are judged."""
    told = ask(client, 400, q="name,many,:eq,:sum,(,n,),:by")
    assert "aggregate them" in told["message"]
    assert "unknown word" in ask(client, 400, q="name,many,:eq,:nonsense")["message"]
