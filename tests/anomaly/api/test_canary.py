"""``/api/v2/canary``: two selections, or two times, held against each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from anomaly.api.canary import canary_routes
from anomaly.testing import TableDatabase
from collectors.clock import ManualClock

STEP_MS = 60_000
NOW_MS = 1_700_000_040_000 // STEP_MS * STEP_MS
ERRORS, SECONDS = "name,errors,:eq,:sum", "name,seconds,:eq,:sum"


@pytest.fixture(scope="module")
def client() -> TestClient:
    """An hour of two versions; the new one fails more, and as fast; it began half an hour ago."""
    database, rng = TableDatabase(STEP_MS), np.random.default_rng(1)
    for step in range(60):
        time_ms = NOW_MS - step * STEP_MS
        for version, rate in (("1.4", 2.0), ("1.5", 6.0)):
            if version == "1.4" or step < 30:
                tags = {"service.version": version}
                database.put({"name": "errors", **tags}, time_ms, rng.poisson(rate * 60) / 60)
                database.put({"name": "seconds", **tags}, time_ms, 0.2 + rng.normal(0, 0.01))
    return TestClient(Starlette(routes=canary_routes(database, STEP_MS, ManualClock(NOW_MS))))


def ask(client: TestClient, status: int = 200, **params: Any) -> dict[str, Any]:
    answer = client.get("/api/v2/canary", params=params)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


SIDES: dict[str, Any] = {"control": "service.version=1.4", "experiment": "service.version=1.5"}


def test_two_versions(client: TestClient) -> None:
    """The metric that is worse is named, the one that is not passes, and a score says how much."""
    found = ask(
        client, increase=[f"errors={ERRORS}", f"seconds={SECONDS}"], group="errors=e", **SIDES
    )
    assert {one["name"]: one["outcome"] for one in found["metrics"]} == {
        "errors": "high",
        "seconds": "pass",
    }
    assert (found["verdict"], found["score"]) == ("fail", 50.0)
    assert found["reason"].endswith("worse than the control: errors")


def test_a_critical_metric_fails_the_whole(client: TestClient) -> None:
    """An average would hide it."""
    found = ask(
        client,
        increase=[f"errors={ERRORS}", f"seconds={SECONDS}"],
        critical="errors",
        weight="all=100",
        **SIDES,
    )
    assert (found["verdict"], found["score"]) == ("fail", 0.0)


def test_two_times(client: TestClient) -> None:
    """The same tags before and after, for those who replace everything at once."""
    found = ask(client, increase=f"errors={ERRORS}", control_e="now-31m", s="e-29m")
    assert found["verdict"] == "fail"


def test_no_data_is_no_pass(client: TestClient) -> None:
    """A canary that sends nothing would be rolled out."""
    found = ask(client, metric=f"errors={ERRORS}", control=SIDES["control"], experiment="a=b")
    assert (found["verdict"], found["score"]) == ("nodata", None)


def test_an_expression_that_is_wrong_spoils_no_other(client: TestClient) -> None:
    """One typing error would hide what all others say."""
    found = ask(client, metric=[f"good={SECONDS}", "bad=:nonsense"], **SIDES)
    assert [one["outcome"] for one in found["metrics"]] == ["pass", "error"]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "no metric is given"),
        ({"metric": f"m={SECONDS}"}, "are the same"),
        ({"metric": SECONDS.replace("=", "")}, "NAME=VALUE"),
        ({"metric": f"m={SECONDS}", "critical": "n"}, "'n' is none of the metrics: m"),
        ({"metric": f"m={SECONDS}", "experiment": "a=b,:eq"}, "no commas"),
        ({"metric": f"m={SECONDS}", "pass": "50"}, "is more than 'pass'"),
        ({"metric": f"m={SECONDS}", "weight": "all=x"}, "must be a number"),
    ],
)
def test_what_is_refused(client: TestClient, params: dict[str, str], words: str) -> None:
    """Whoever asks wrongly would take an answer to another question for theirs."""
    assert words in ask(client, 400, **params)["message"]
