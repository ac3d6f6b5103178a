"""What every receiver on the API's port does, applied to each one that is found."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from collectors.clock import ManualClock
from collectors.limits import Limits
from collectors.receivers.endpoint import Intake, endpoints
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.testing.fakes import FakeStore

LIMITS = Limits(max_body_bytes=1_000)


class Subject:
    """One receiver, what it delivers to, and a client of it."""

    def __init__(self, name: str) -> None:
        self.store, self.stats = FakeStore(), ReceiverStats()
        intake = Intake(
            metrics=self.store,
            spans=self.store,
            bodies=None,
            limits=LIMITS,
            stats=self.stats,
            clock=ManualClock(0),
            step_ms=5_000,
        )
        routes = endpoints()[name].routes(intake)
        self.paths = [route.path for route in routes if isinstance(route, Route)]
        self.client = TestClient(Starlette(routes=routes))


@pytest.fixture(name="name", params=list(endpoints()))
def _name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_junk_is_refused_and_counted_under_its_name(name: str) -> None:
    """A sender would take what is lost for kept, and nobody would see how much it is."""
    subject = Subject(name)

    statuses = [
        subject.client.post(path, content=b"\xff\xfe junk").status_code for path in subject.paths
    ]

    assert statuses
    assert set(statuses) <= {400, 415}
    assert subject.stats.refused(name) == len(statuses)
    assert subject.store.batches == []
    assert subject.store.spans == []


def test_no_body_is_larger_than_its_bound(name: str) -> None:
    """One sender could take all of the memory."""
    subject = Subject(name)

    for path in subject.paths:
        answer = subject.client.post(path, content=b" " * (LIMITS.max_body_bytes + 1))
        assert answer.status_code in {413, 415}, path
    assert subject.store.batches == []


def test_other_methods_are_told_to_go(name: str) -> None:
    """A browser that opens the address would seem to send telemetry."""
    subject = Subject(name)

    assert {subject.client.get(path).status_code for path in subject.paths} == {405}
