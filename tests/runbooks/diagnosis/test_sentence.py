"""An incident in one sentence, and the same words wherever it is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from anomaly.evidence.near_changes import NO_PROOF
from anomaly.findings import Finding, FindingKind, FindingState, NearChange, Relation, Suspect
from runbooks.desk.desk import IncidentDesk
from runbooks.diagnosis.cause import cause_of
from runbooks.diagnosis.sentence import sentence
from runbooks.incidents.commands import AddFinding, Open, SetStatus
from runbooks.incidents.decisions.decide import decide
from runbooks.incidents.folding import fold
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Severity, Status
from runbooks.notifiers.console import page_text
from runbooks.notifiers.slack_layout import blocks_of, fallback_text
from tests.runbooks.room import MakeFinding, ServeDesk

T0 = 1_700_000_000_000
CHANGE = NearChange(
    id="ci-1",
    time_ms=T0 - 20_000,
    kind="deploy",
    summary="Deployed playback 1.1.0",
    service="playback",
    scope={},
    url="",
    relation=Relation.SAME_SERVICE,
    before_ms=20_000,
)
PLAYBACK = Suspect(service="playback", share=0.9, reason="80 % fail", against=("only faint",))
BURNS = "Playback starts in us-east-1: 8.4 % bad over 5 min (0.1 % allowed), since 22:13:20 UTC"
AFTER = "most likely “Deployed playback 1.1.0”, 20 s before the estimated onset"


def incident_of(*findings: Finding) -> Incident:
    first, *others = findings
    events = list(
        decide(None, Open(incident_id="i", finding=first, severity=Severity.SEV1, why=""), T0)
    )
    for one in others:
        events += decide(fold(events), AddFinding(finding=one, why=""), T0)
    return fold(events)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, f"{BURNS}; no cause is suspected so far."),
        ({"changes": (CHANGE,)}, f"{BURNS}; {AFTER}."),
        ({"suspects": (PLAYBACK,)}, f"{BURNS}; the calls accuse playback."),
        (
            {"changes": (replace(CHANGE, relation=Relation.OTHER_SERVICE),)},
            (
                f"{BURNS}; no cause is suspected so far; the nearest change is “Deployed playback "
                "1.1.0”, 20 s before the estimated onset."
            ),
        ),
        ({"explained_by": {"device": "tv"}}, f"{BURNS}, where device is tv; no cause is"),
        (
            {"kind": FindingKind.ANOMALY, "observed": 9.4, "baseline": 42.6, "unit": "1/s"},
            "Playback starts in us-east-1: 9.4/s at worst (42.6/s expected), since 22:13:20 UTC",
        ),
        ({"kind": FindingKind.NO_DATA}, "Playback starts fail in us-east-1, since 22:13:20 UTC"),
        ({"subject": ""}, "Playback starts fail in us-east-1, since 22:13:20 UTC"),
        (
            {"state": FindingState.RESOLVED, "ended_ms": T0 + 60_000},
            (
                "Playback starts in us-east-1: 8.4 % bad over 5 min (0.1 % allowed), "
                "from 22:13:20 UTC until 22:14:20 UTC; "
            ),
        ),
    ],
)
def test_in_one_sentence(changes: dict[str, object], said: str, make_finding: MakeFinding) -> None:
    """Whoever joins reads one line: what, where, how bad, since when, and what is suspected."""
    first = make_finding(subject="Playback starts")
    changed = make_finding(**{"subject": "Playback starts", **changes})
    found = incident_of(first, changed) if "ended_ms" in changes else incident_of(changed)
    assert sentence(found).startswith(said)


def test_it_names_the_regions_of_what_fires(make_finding: MakeFinding) -> None:
    """A region that is well again is not where to look."""
    east = make_finding(id="a", subject="Starts")
    west = {"cloud.region": "eu-west-1"}
    over = make_finding(id="b", scope=west, state=FindingState.RESOLVED, ended_ms=T0)
    too = make_finding(id="c", scope={"cloud.region": "ap-south-1"})
    assert sentence(incident_of(east, over, too)).startswith("Starts in ap-south-1, us-east-1: ")


def test_for_and_against(make_finding: MakeFinding) -> None:
    """A suspicion without what speaks against it is a verdict."""
    both = cause_of(incident_of(make_finding(changes=(CHANGE,), suspects=(PLAYBACK,))))
    assert (both.is_suspect, both.is_deployment) == (True, True)
    assert both.why[1] == "playback: 80 % fail"
    assert both.against == ("only faint",)
    alone = cause_of(incident_of(make_finding(changes=(CHANGE,))))
    assert alone.against == (NO_PROOF,)
    other = replace(PLAYBACK, service="licences")
    apart = cause_of(incident_of(make_finding(changes=(CHANGE,), suspects=(other,))))
    assert (apart.is_suspect, apart.words) == (False, "the calls accuse licences")
    assert "“Deployed playback 1.1.0”: nothing measured points there" in apart.against


def test_everybody_says_the_same(
    desk: IncidentDesk, serve_desk: ServeDesk, make_finding: MakeFinding, tmp_path: Path
) -> None:
    """Card, Slack, console, page and post-mortem with five wordings are five stories."""
    desk.receive(make_finding(subject="Playback starts", changes=(CHANGE,)))
    desk.tick()
    [incident] = desk.ledger.incidents()
    card, http = desk.card(incident.id), serve_desk(desk)
    screen = http.get(f"/api/v2/incidents/{incident.id}/screen").json()
    assert card.sentence == screen["sentence"] == f"{BURNS}; {AFTER}."
    assert card.title == screen["incident"]["title"]
    assert card.sentence in page_text(card)
    assert card.sentence in fallback_text(card)
    in_slack = str([block.to_dict() for block in blocks_of(card)])
    assert card.sentence in in_slack
    assert card.title in in_slack
    assert card.title in page_text(card)
    assert dict(card.fields)["Bad over 5 min"] in card.sentence
    assert dict(card.fields)["Allowed"] in screen["kpis"][0]["usual"]
    desk.execute(incident.id, SetStatus(status=Status.RESOLVED, actor="ann"))
    desk.tick()
    [written] = (tmp_path / "post-mortems").glob("*.md")
    told = written.read_text().replace("\\", "")
    screen = http.get(f"/api/v2/incidents/{incident.id}/screen").json()
    assert desk.card(incident.id).sentence == screen["sentence"]
    assert screen["sentence"] in told
    assert screen["incident"]["title"] == card.title
    assert card.title in told.splitlines()[0]
    assert dict(card.fields)["Bad over 5 min"] in told
    for figure in screen["impact"]:
        assert f"{figure['title']}: {figure['text']}." in told


def test_the_same_screen_is_not_sent_twice(
    desk: IncidentDesk, serve_desk: ServeDesk, make_finding: MakeFinding
) -> None:
    """Ten tabs that ask each five seconds for what has not changed would cost ten bodies."""
    desk.receive(make_finding())
    desk.tick()
    [incident] = desk.ledger.incidents()
    http = serve_desk(desk)
    path = f"/api/v2/incidents/{incident.id}/screen"
    first = http.get(path)
    again = http.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    desk.execute(incident.id, SetStatus(status=Status.INVESTIGATING, actor="ann"))
    changed: httpx2.Response = http.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert changed.json()["incident"]["status"] == "investigating"
    assert http.get("/api/v2/incidents/no-such/screen").status_code == 404
