"""Pages while the incident database takes nothing."""

from __future__ import annotations

from anomaly.findings import Finding
from runbooks.desk.unrecorded import Unrecorded
from runbooks.incidents.incident import Incident
from runbooks.notifiers.card import Called, Card, Links, card_of
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.paging.routing import Routes, Target
from tests.runbooks.conftest import T0
from tests.runbooks.room import MakeFinding

LINKS = Links(dashboard_url="http://127.0.0.1:8501", api_url="http://127.0.0.1:7101")
ROUTES = Routes(default=(Target(notifier="recording", channel="incidents"),))


def drawn(incident: Incident) -> Card:
    return card_of(incident, LINKS, Called(words="On call: Ana"))


def many(make_finding: MakeFinding, rule: str, count: int) -> list[Finding]:
    return [make_finding(rule=rule, id=f"{rule}-{at}") for at in range(count)]


def test_a_storm_leaves_the_way_free_for_another_outage(
    recorder: RecordingNotifier, make_finding: MakeFinding
) -> None:
    """Ten thousand places of one rule would hold a channel for hours while nothing groups them."""
    unrecorded = Unrecorded({"recording": recorder}, drawn)
    findings = [*many(make_finding, "storm", 1_000), *many(make_finding, "other", 1)]

    assert unrecorded.page(findings, ROUTES, (), T0) == 6
    assert unrecorded.page(findings, ROUTES, (), T0 + 1_000) == 0

    told = [dict(delivery.card.fields)["Not recorded"] for delivery in recorder.delivered]
    assert [words.endswith("further places of this rule are told then") for words in told] == [
        *[False] * 4,
        True,
        False,
    ]
    unrecorded.forget()
    assert unrecorded.page(findings, ROUTES, (), T0 + 2_000) == 6


def test_who_is_on_call_is_mentioned_here_too(
    recorder: RecordingNotifier, make_finding: MakeFinding
) -> None:
    """The page of a bad night would be the one that calls nobody by name."""
    Unrecorded({"recording": recorder}, drawn).page([make_finding()], ROUTES, (), T0)
    (delivery,) = recorder.delivered
    assert delivery.card.called == Called(words="On call: Ana")
