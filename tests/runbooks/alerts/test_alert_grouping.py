"""Which findings belong together: a table of pairs."""

from __future__ import annotations

from typing import Any

import pytest

from anomaly.findings import FindingState, NearChange, Relation, Suspect, Urgency
from collectors.model import Tags
from runbooks.alerts.grouping import GroupingRules, group, relation
from runbooks.alerts.outcomes import Outcome
from runbooks.incidents import commands as c
from runbooks.incidents.decisions.decide import decide
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
    (scope("playback", "us"), scope("playback", "us"), 1),
    (scope("playback", "us"), scope("playback", "eu"), 2),
    (scope("playback", "us"), scope("playback"), 2),
    (scope("playback", "us"), scope("auth", "us"), None),
    (scope(None, "us"), scope("auth", "us"), None),
    (scope("playback", "us"), scope("gateway", "eu"), 3),
    (scope("gateway", "us"), scope("auth", "eu"), 3),
    (scope("playback"), scope("gateway"), 3),
    (scope("playback"), scope(None, "us"), None),
    (scope(), scope("playback", "us"), None),
    (scope(), scope(), None),
    (scope(None, "us"), scope(None, "us"), None),
    (scope("playback", "us"), scope("auth", "eu"), None),
    (scope("playback"), scope("auth"), None),
    (scope(None, "us"), scope(None, "eu"), None),
    (scope("playback", "us"), scope(None, "eu"), None),
]


@pytest.mark.parametrize(("one", "other", "strength"), RELATIONS)
def test_relations(make_finding: MakeFinding, one: Tags, other: Tags, strength: int | None) -> None:
    """Two causes meet in one incident, or one cause pages twice; either way round."""
    here = make_finding(id="a", rule="slo/a", scope=one)
    there = make_finding(id="b", rule="slo/b", scope=other)
    for first, second in ((here, there), (there, here)):
        found = relation(first, second, EDGES)
        assert (found and found[0]) == strength


def test_the_same_rule_in_the_same_place(make_finding: MakeFinding) -> None:
    """A rule without a scope that fires again is taken for another."""
    one, other = (make_finding(id=name, scope={}) for name in "ab")
    assert relation(one, other, ()) == (0, "same rule in the same place")


@pytest.mark.parametrize(
    ("ids", "places", "together"),
    [
        (("c1", "c1"), (Relation.SAME_SERVICE, Relation.SUSPECT), True),
        (("c1", "c2"), (Relation.SAME_SERVICE, Relation.SAME_SERVICE), False),
        (("c1", "c1"), (Relation.SAME_SERVICE, Relation.OTHER_SERVICE), False),
        (("c1", "c1"), (Relation.UNBOUND, Relation.UNBOUND), False),
    ],
)
def test_the_same_change(
    make_finding: MakeFinding,
    ids: tuple[str, str],
    places: tuple[Relation, Relation],
    together: bool,
) -> None:
    """What one deployment broke in two services pages twice, or any change ties all together."""
    one, other = (
        make_finding(
            id=service,
            rule=f"slo/{service}",
            scope=scope(service),
            changes=(
                NearChange(
                    id=change,
                    time_ms=T0 - MIN,
                    kind="deploy",
                    summary="v2",
                    service=service,
                    scope={},
                    url="",
                    relation=place,
                    before_ms=MIN,
                ),
            ),
        )
        for service, change, place in zip(("a", "b"), ids, places, strict=True)
    )
    assert (relation(one, other, ()) is not None) is together


def accusing(
    service: str,
    share: float = 0.7,
    against: tuple[str, ...] = (),
    path: tuple[str, ...] = ("gateway", "playback"),
) -> Suspect:
    return Suspect(service=service, share=share, reason="fails", against=against, path=path)


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        # Felt in two places that name no service, and traced to one.
        (
            (scope(None, "us"), accusing("playback")),
            (scope(), accusing("playback")),
            "the traces of both point at playback",
        ),
        (
            (scope(None, "us"), accusing("playback")),
            (scope("playback", "eu"), None),
            "the traces of one point at playback, which the other is about",
        ),
        ((scope(None, "us"), accusing("playback")), (scope(), accusing("auth")), None),
        ((scope(None, "us"), accusing("playback")), (scope("auth"), None), None),
        # A guess, or one that something speaks against, is no reason.
        ((scope(), accusing("playback", 0.4)), (scope(None, "us"), accusing("playback")), None),
        (
            (scope(), accusing("playback", 0.9, ("its own errors came later",))),
            (scope(None, "us"), accusing("playback")),
            None,
        ),
        # It failed first, and no trace leads there: two outages at one time are two.
        ((scope("depot"), accusing("till", path=())), (scope("till"), None), None),
        ((scope(), None), (scope(None, "us"), None), None),
    ],
)
def test_the_same_suspect(
    make_finding: MakeFinding,
    one: tuple[Tags, Suspect | None],
    other: tuple[Tags, Suspect | None],
    why: str | None,
) -> None:
    """One fault is several incidents, each with a page, a room and a post-mortem of its own."""
    here, there = (
        make_finding(
            id=name, rule=f"slo/{name}", scope=where, suspects=(suspect,) if suspect else ()
        )
        for name, (where, suspect) in zip("ab", (one, other), strict=True)
    )
    for first, second in ((here, there), (there, here)):
        assert relation(first, second, ()) == (why and (4, why))


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
        ({"rule": "slow", "started_ms": T0 + MIN}, T0 + 7 * MIN, Outcome.REOPENS),
        ({"rule": "slow", "started_ms": T0 + MIN}, T0 + 30 * MIN, Outcome.OPENS),
        (
            {"rule": "slow", "started_ms": T0 + MIN, "urgency": Urgency.TICKET},
            T0 + 30 * MIN,
            Outcome.JOINS_ENDED,
        ),
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
    """What fires now is told to nobody, because it may have begun before the resolution."""
    over = ended(incident, T0 + 5 * MIN)
    finding = make_finding(id="late", **changes)
    assert group(finding, [over], EDGES, RULES, now_ms).outcome is outcome
