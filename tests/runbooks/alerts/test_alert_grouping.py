"""Which findings belong together: a table of pairs."""

from __future__ import annotations

from typing import Any

import pytest

from anomaly.findings import FindingState, Urgency
from collectors.model import Tags
from runbooks.alerts.grouping import GroupingRules, group, relation
from runbooks.alerts.outcomes import Outcome
from runbooks.incidents import commands as c
from runbooks.incidents.decide import decide
from runbooks.incidents.folding import fold
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Severity, Status
from tests.runbooks.room import MakeFinding

T0 = 1_700_000_000_000
MIN = 60_000
EDGES = {("gateway", "playback"), ("gateway", "auth")}
RULES = GroupingRules(window_ms=10 * MIN, reopen_ms=10 * MIN)


def scope(service: str | None = None, region: str | None = None) -> Tags:
    found = {"service.name": service, "cloud.region": region}
    return {key: value for key, value in found.items() if value}


RELATIONS = [
    (scope("playback", "us"), scope("playback", "us"), 0),
    (scope("playback", "us"), scope("playback", "eu"), 1),
    (scope("playback", "us"), scope("playback"), 1),
    (scope("playback", "us"), scope("auth", "us"), 2),
    (scope(None, "us"), scope("auth", "us"), 2),
    (scope("playback", "us"), scope("gateway", "eu"), 3),
    (scope("gateway", "us"), scope("auth", "eu"), 3),
    (scope("playback"), scope("gateway"), 3),
    (scope("playback"), scope(None, "us"), 4),
    (scope(), scope("playback", "us"), 4),
    (scope("playback", "us"), scope("auth", "eu"), None),
    (scope("playback"), scope("auth"), None),
    (scope(None, "us"), scope(None, "eu"), None),
    (scope("playback", "us"), scope(None, "eu"), None),
]


@pytest.mark.parametrize(("one", "other", "strength"), RELATIONS)
def test_relations(one: Tags, other: Tags, strength: int | None) -> None:
    """Same place, same service, same region, neighbours, or nothing; either way round."""
    for first, second in ((one, other), (other, one)):
        found = relation(first, second, EDGES)
        assert (found and found[0]) == strength


@pytest.fixture
def incident(make_finding: MakeFinding) -> Incident:
    command = c.Open(
        incident_id="inc-1", finding=make_finding(), severity=Severity.SEV2, why="it pages"
    )
    return fold(decide(None, command, T0 + 10_000))


def ended(incident: Incident, at_ms: int) -> Incident:
    command = c.SetStatus(status=Status.RESOLVED, actor="ann")
    return fold(decide(incident, command, at_ms), incident)


@pytest.mark.parametrize(
    ("started_ms", "outcome"),
    [
        (T0, Outcome.JOINS),
        (T0 + 10 * MIN + 10_000, Outcome.JOINS),
        (T0 + 10 * MIN + 10_001, Outcome.OPENS),
        (T0 - 10 * MIN, Outcome.JOINS),
        (T0 - 10 * MIN - 1, Outcome.OPENS),
    ],
)
def test_near_in_time(
    incident: Incident, make_finding: MakeFinding, started_ms: int, outcome: Outcome
) -> None:
    """Related but far apart in time is another cause."""
    finding = make_finding(id="b", started_ms=started_ms)
    assert group(finding, [incident], EDGES, RULES, T0 + 20 * MIN).outcome is outcome


def test_the_nearest_incident_wins(make_finding: MakeFinding, incident: Incident) -> None:
    """Of two open incidents the stronger relation takes the finding."""
    command = c.Open(
        incident_id="inc-2",
        finding=make_finding(id="x", scope=scope("auth", "us-east-1")),
        severity=Severity.SEV2,
        why="it pages",
    )
    other = fold(decide(None, command, T0 + 20_000))
    finding = make_finding(id="b", scope=scope("playback", "us-east-1"))
    for order in ([incident, other], [other, incident]):
        assert group(finding, order, EDGES, RULES, T0 + MIN).incident_id == "inc-1"


@pytest.mark.parametrize(
    ("changes", "outcome", "word"),
    [
        ({"urgency": Urgency.TICKET}, Outcome.RECORDED, "ticket"),
        ({"urgency": Urgency.INFO}, Outcome.RECORDED, "info"),
        ({"state": FindingState.FROZEN}, Outcome.RECORDED, "stopped"),
        ({"state": FindingState.RESOLVED}, Outcome.ENDED, "over"),
        ({}, Outcome.OPENS, "no related"),
    ],
)
def test_alone(
    make_finding: MakeFinding, changes: dict[str, Any], outcome: Outcome, word: str
) -> None:
    """Without an incident, only a firing page opens one; silence has its reason."""
    decision = group(make_finding(**changes), [], EDGES, RULES, T0)
    assert decision.outcome is outcome
    assert word in decision.reason


@pytest.mark.parametrize(
    ("changes", "now_ms", "outcome"),
    [
        ({"rule": "slow", "started_ms": T0 + MIN}, T0 + 30 * MIN, Outcome.JOINS_ENDED),
        ({"started_ms": T0 + 6 * MIN}, T0 + 7 * MIN, Outcome.REOPENS),
        ({"started_ms": T0 + 15 * MIN}, T0 + 15 * MIN + 1, Outcome.OPENS),
        ({"rule": "other", "started_ms": T0 + 6 * MIN}, T0 + 7 * MIN, Outcome.OPENS),
    ],
)
def test_after_the_resolution(
    incident: Incident,
    make_finding: MakeFinding,
    changes: dict[str, Any],
    now_ms: int,
    outcome: Outcome,
) -> None:
    """Late evidence pages nobody; the same rule again reopens; anything else is new."""
    over = ended(incident, T0 + 5 * MIN)
    finding = make_finding(id="late", **changes)
    assert group(finding, [over], EDGES, RULES, now_ms).outcome is outcome
