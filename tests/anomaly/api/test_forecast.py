"""``/api/v2/forecast``: where a line is heading, and how far that can be trusted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from anomaly.api.forecast import forecast_routes
from anomaly.testing import TableDatabase
from collectors.clock import ManualClock

STEP_MS = 3_600_000
NOW_MS = 1_700_000_000_000 // STEP_MS * STEP_MS
HOURS = 200


@pytest.fixture(scope="module")
def client() -> TestClient:
    """Eight days of a disk that fills by one an hour, and of one value alone."""
    database, rng = TableDatabase(STEP_MS), np.random.default_rng(1)
    for hour in range(HOURS):
        time_ms = NOW_MS - (HOURS - 1 - hour) * STEP_MS
        database.put({"name": "disk"}, time_ms, 100.0 + hour + rng.normal(0, 1))
        for number in range(11):
            database.put({"name": "many", "n": str(number)}, time_ms, 1.0)
    database.put({"name": "alone"}, NOW_MS, 1.0)
    return TestClient(Starlette(routes=forecast_routes(database, STEP_MS, ManualClock(NOW_MS))))


def ask(client: TestClient, status: int = 200, **params: str) -> dict[str, Any]:
    answer = client.get("/api/v2/forecast", params=params)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_disk_that_fills(client: TestClient) -> None:
    """When it is full, at the earliest and at the latest, and how good such bands have been."""
    found = ask(client, q="name,disk,:eq,:sum", limit="330", horizon="2d", per_instance="100")
    (line,) = found["lines"]
    course, full = line["forecast"], line["exhaustion"]
    hours = (full["likeliest_ms"] - NOW_MS) / STEP_MS
    assert hours == pytest.approx(31, abs=4)
    assert full["earliest_ms"] <= full["likeliest_ms"]
    assert full["reached"] is False
    assert course["low"][-1] < course["likeliest"][-1] < course["high"][-1]
    assert course["measured"] >= 0.7
    assert line["instances"]["likeliest"] == 4
    assert len(found["times_ms"]) == 48


def test_a_limit_that_is_not_reached(client: TestClient) -> None:
    """No time is told where there is none."""
    (line,) = ask(client, q="name,disk,:eq,:sum", limit="1e6")["lines"]
    assert line["exhaustion"]["likeliest_ms"] is None
    assert line["exhaustion"]["earliest_ms"] is None


def test_too_little_is_known(client: TestClient) -> None:
    """One value continued for a week would be a guess that looks like knowledge."""
    (line,) = ask(client, q="name,alone,:eq,:sum")["lines"]
    assert line["forecast"] is None
    assert line["why_not"].startswith("1 steps were measured, and a forecast takes at least")


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"q": "name,many,:eq,(,n,),:by"}, "11 lines"),
        ({"q": "name,disk,:eq", "horizon": "900d"}, "ask for 1 to 400"),
        ({"q": "name,disk,:eq", "limit": "x"}, "must be a number"),
        ({"q": "name,disk,:eq", "per_instance": "0"}, "more than 0"),
    ],
)
def test_what_is_refused(client: TestClient, params: dict[str, str], words: str) -> None:
    """Each line costs half a second: a stranger could keep the server busy."""
    assert words in ask(client, 400, **params)["message"]
