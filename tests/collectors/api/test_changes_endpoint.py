"""Announcing changes over HTTP, and listing them."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from collectors.api.changes import change_routes
from collectors.changes.reader import MAX_BODY_BYTES
from collectors.changes.store import ChangeStore
from collectors.clock import ManualClock
from collectors.host.journal import MemoryJournal
from collectors.receivers.stats import ReceiverStats

NOW_MS = 1_800_000_000_000
PATH = "/api/v2/changes"


class Desk:
    """The endpoints over a store in memory."""

    def __init__(self) -> None:
        self.stats = ReceiverStats()
        store = ChangeStore(MemoryJournal())
        self.http = TestClient(
            Starlette(routes=change_routes(store, ManualClock(NOW_MS), self.stats))
        )

    def announce(self, **fields: Any) -> Any:
        return self.http.post(PATH, json={"kind": "deploy", "summary": "Deployed", **fields})

    def listed(self, **parameters: str | int) -> list[Any]:
        answer = self.http.get(PATH, params=parameters)
        assert answer.status_code == 200
        return [change["id"] for change in answer.json()["changes"]]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_change_is_kept_and_found(desk: Desk) -> None:
    """A deployment that was announced would not be named beside the outage that it caused."""
    answer = desk.announce(id="a", service="auth", time_ms=NOW_MS - 5_000)
    assert answer.status_code == 200
    assert answer.json() == {"ids": ["a"], "accepted": 1, "known": 0, "rejected": []}
    assert desk.listed() == ["a"]


def test_telling_it_again_changes_nothing(desk: Desk) -> None:
    """A pipeline that retries would be shown as several deployments."""
    for _ in range(2):
        last = desk.announce(time_ms=NOW_MS)
    assert last.json()["known"] == 1
    assert len(desk.listed()) == 1
    assert desk.stats.accepted("changes") == 1


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, ["new", "auth"]),
        ({"start_ms": 0}, ["old", "new", "auth"]),
        ({"end_ms": NOW_MS - 90_000_000}, ["old"]),
        ({"service": "auth"}, ["auth"]),
        ({"service": "nobody"}, []),
    ],
)
def test_lists_by_time_and_service(
    desk: Desk, parameters: dict[str, str | int], expected: list[str]
) -> None:
    """A page would name changes of other services, or of another time."""
    desk.announce(id="old", time_ms=NOW_MS - 100_000_000)
    desk.announce(id="auth", service="auth", time_ms=NOW_MS)
    desk.announce(id="new", time_ms=NOW_MS - 1)
    assert desk.listed(**parameters) == expected


def test_a_part_that_is_wrong_does_not_spoil_the_rest(desk: Desk) -> None:
    """One bad change in a batch would lose the good ones, or vanish without a word."""
    body = {"changes": [{"summary": "good"}, {"summary": ""}]}
    answer = desk.http.post(PATH, json=body)
    assert answer.status_code == 202
    assert answer.json()["accepted"] == 1
    assert answer.json()["rejected"][0]["reason"] == "summaryMissing"
    assert desk.stats.refusals("changes") == {"summaryMissing": 1}


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b'{"kind":"deploy"}', 400), (b" " * (MAX_BODY_BYTES + 1), 413)],
)
def test_what_can_not_be_kept_is_refused_and_counted(desk: Desk, body: bytes, status: int) -> None:
    """A sender would not learn why its change is missing, nor would the operator."""
    answer = desk.http.post(PATH, content=body)
    assert answer.status_code == status
    assert answer.json()["type"] == "error"
    assert answer.json()["message"]
    assert desk.stats.refused("changes") == 1


@pytest.mark.parametrize(
    "parameters", [{"start_ms": "now"}, {"end_ms": "-5"}, {"start_ms": "9", "end_ms": "8"}]
)
def test_refuses_times_that_are_none(desk: Desk, parameters: dict[str, str]) -> None:
    """A typing error in a range would be answered with an empty list."""
    answer = desk.http.get(PATH, params=parameters)
    assert answer.status_code == 400
    assert "_ms" in answer.json()["message"]
