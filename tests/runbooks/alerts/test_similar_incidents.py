"""Past incidents that look like one, each with its reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runbooks.alerts.similar import likeness, similar_to
from runbooks.incidents import commands as c
from runbooks.incidents.decisions.decide import decide
from runbooks.incidents.folding import fold
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Severity, Status
from tests.runbooks.room import MakeFinding

T0 = 1_700_000_000_000
MakeIncident = Callable[..., Incident]


@pytest.fixture
def make_incident(make_finding: MakeFinding) -> MakeIncident:
    def make(name: str, *, over: bool = True, **changes: object) -> Incident:
        finding = make_finding(id=name, **changes)
        opened = c.Open(incident_id=name, finding=finding, severity=Severity.SEV3, why="w")
        incident = fold(decide(None, opened, T0))
        if over:
            ended = c.SetStatus(status=Status.RESOLVED, actor="ann")
            incident = fold(decide(incident, ended, T0 + 1), incident)
        return incident

    return make


HERE = {"service.name": "playback", "cloud.region": "us"}
THERE = {"service.name": "playback", "cloud.region": "eu"}
AUTH = {"service.name": "auth"}


@pytest.mark.parametrize(
    ("changes", "score", "why"),
    [
        (
            {"rule": "slo/a", "scope": HERE, "title": "Starts fail"},
            8,
            "same rule slo/a in the same place; same service playback; same words: fail, starts",
        ),
        (
            {"rule": "slo/a", "scope": THERE, "title": "Other"},
            5,
            "same rule slo/a; same service playback",
        ),
        (
            {"rule": "slo/b", "scope": THERE, "title": "Starts fail badly"},
            4,
            "same service playback; same words: fail, starts",
        ),
        ({"rule": "slo/b", "scope": THERE, "title": "Other"}, None, ""),
        (
            {"rule": "slo/b", "scope": AUTH, "title": "Starts fail"},
            3,
            "auth and playback call each other; same words: fail, starts",
        ),
        ({"rule": "slo/b", "scope": AUTH, "title": "Other"}, None, ""),
    ],
)
def test_likeness(
    make_incident: MakeIncident, changes: dict[str, object], score: int | None, why: str
) -> None:
    """A likeness without a reason is a guess that costs the night's first minutes."""
    now = make_incident("now", over=False, rule="slo/a", scope=HERE, title="Starts fail")
    found = likeness(now, make_incident("then", **changes), {("auth", "playback")})
    if score is None:
        assert found is None
        return
    assert found is not None
    said = found.why.replace("playback and auth", "auth and playback")
    assert (found.score, said) == (score, why)


def test_only_the_past_and_the_likest_first(make_incident: MakeIncident) -> None:
    """An incident that is open now helped nobody yet."""
    now = make_incident("now", over=False, rule="slo/a", scope=HERE, title="Starts fail")
    others = [
        now,
        make_incident("open", over=False, rule="slo/a", scope=HERE),
        make_incident("far", rule="slo/a", scope=THERE, title="Other"),
        make_incident("near", rule="slo/a", scope=HERE, title="Other"),
    ]
    assert [one.incident.id for one in similar_to(now, others)] == ["near", "far"]
