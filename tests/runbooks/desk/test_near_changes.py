"""The change nearest in time: on the page, in the timeline and in the post-mortem; never blamed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from anomaly.findings import Finding, FindingState, NearChange, Relation
from collectors.clock import ManualClock
from runbooks.api.views import detail
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.commands import SetStatus
from runbooks.incidents.events import EventKind
from runbooks.incidents.finding_codec import finding_from_json, finding_to_json
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Status
from runbooks.notifiers.delivery import Action
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.paging.routing import Routes, Target
from tests.runbooks.room import LocalSlack, MakeDesk, MakeFinding

ONSET_MS = 1_700_000_000_000
HERE = {"service.name": "playback", "cloud.region": "us-east-1"}
URL = "https://ci.example/builds/77"
WORDS = "Deployed playback 2.0 (same service, playback, us-east-1), 40 s before the estimated onset"


def near(name: str = "bad", before_ms: int = 40_000, **changes: Any) -> NearChange:
    change = NearChange(
        id=name,
        time_ms=ONSET_MS - before_ms,
        kind="deploy",
        summary="Deployed playback 2.0",
        service="playback",
        scope=HERE,
        url=URL,
        relation=Relation.SAME_SERVICE,
        before_ms=before_ms,
    )
    return replace(change, **changes)


def take(desk: IncidentDesk, *findings: Finding) -> Incident:
    for finding in findings:
        desk.receive(finding)
    desk.tick()
    return desk.ledger.incidents()[0]


def noted(desk: IncidentDesk, incident: Incident) -> list[str]:
    events = desk.ledger.events(incident.id)
    return [event.text for event in events if event.kind is EventKind.CHANGE_NOTED]


def test_the_page_in_slack_names_it_with_its_link(
    make_desk: MakeDesk, slack: LocalSlack, make_finding: MakeFinding
) -> None:
    """Whoever is woken would have to look for what was changed just before."""
    routes = Routes(default=(Target(notifier="slack", channel="incidents"),))
    desk = make_desk(notifiers=[slack.notifier], routes=routes)
    take(desk, make_finding(changes=(near(),)))
    [message] = slack.seen()
    shown = str(message["blocks"])
    assert f"*Nearest change*\\n{WORDS}" in shown
    assert f"<{URL}|Nearest change: Deployed playback 2.0>" in shown
    assert "nearest change: Deployed" in "\n".join(r["text"] for r in message["thread"])


def test_without_one_nothing_is_said(
    desk: IncidentDesk, recorder: RecordingNotifier, make_finding: MakeFinding
) -> None:
    """A page that says that nothing was changed would say more than is known."""
    incident = take(desk, make_finding())
    assert not incident.near_changes
    assert not noted(desk, incident)
    card = recorder.delivered[0].card
    assert "change" not in str(card).lower()


def test_it_stands_in_timeline_and_api(desk: IncidentDesk, make_finding: MakeFinding) -> None:
    """The war room would not show what the page names."""
    incident = take(desk, make_finding(changes=(near(), near("early", 600_000))))
    assert noted(desk, incident) == [f"nearest change: {WORDS}"]
    shown = detail(
        incident,
        now_ms=ONSET_MS,
        events=desk.ledger.events(incident.id),
        rows=(),
        runbook=None,
        measures=(),
    )
    changes: Any = shown["near_changes"]
    assert [change["id"] for change in changes] == ["bad", "early"]
    assert changes[0]["text"] == WORDS
    assert changes[0]["url"] == URL


def test_one_that_is_announced_late_changes_the_page_and_is_told_once(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """A late announcement would be lost, or told again with every update."""
    take(desk, make_finding())
    for _ in range(3):
        clock.advance_ms(5_000)
        incident = take(desk, make_finding(changes=(near(),), updated_ms=clock.now_ms()))
    assert noted(desk, incident) == [f"nearest change: {WORDS}"]
    edits = [d.card for d in recorder.delivered if d.action is Action.EDIT]
    assert ("Nearest change", WORDS) in edits[-1].fields


def test_a_remedy_between_two_findings_is_no_candidate(
    desk: IncidentDesk, make_finding: MakeFinding
) -> None:
    """It came before the second finding, but after the first impact."""
    remedy = near("evacuation", 60_000, time_ms=ONSET_MS + 30_000)
    later = make_finding(
        id="slo/playback/us-east-1/2", started_ms=ONSET_MS + 90_000, changes=(remedy, near())
    )
    incident = take(desk, make_finding(), later)
    assert len(incident.findings) == 2
    assert [change.id for change in incident.near_changes] == ["bad"]
    assert noted(desk, incident) == [f"nearest change: {WORDS}"]


def test_one_within_the_step_of_the_onset_counts(
    desk: IncidentDesk, make_finding: MakeFinding
) -> None:
    """The likeliest change of all would be left out by a rounded onset."""
    incident = take(desk, make_finding(changes=(near("same-step", -2_000),)))
    assert noted(desk, incident)[0].endswith("within the step of the estimated onset")


@pytest.mark.parametrize("url", [URL, ""])
def test_the_post_mortem_lists_it_and_blames_nothing(
    desk: IncidentDesk, clock: ManualClock, make_finding: MakeFinding, tmp_path: Path, url: str
) -> None:
    """A post-mortem would keep silent of the change, or call it the cause."""
    finding = make_finding(changes=(near(url=url),))
    incident = take(desk, finding)
    clock.advance_ms(60_000)
    take(desk, replace(finding, state=FindingState.RESOLVED, ended_ms=clock.now_ms()))
    desk.execute(incident.id, SetStatus(status=Status.RESOLVED, actor="ann"))
    desk.tick()
    text = (tmp_path / "post-mortems" / f"{incident.id}.md").read_text().replace("\\", "")
    assert f"change: {WORDS}" in text
    assert "does not make them its cause" in text
    assert f"/api/v2/changes?start_ms={ONSET_MS - 40_000}" in text
    assert (f"([more]({URL}))" in text) is bool(url)
    assert "caused by" not in text.lower()
    page = (tmp_path / "post-mortems" / f"{incident.id}.html").read_text()
    assert "Deployed playback 2.0" in page


def test_a_finding_keeps_its_changes_as_json(make_finding: MakeFinding) -> None:
    """After a restart the incident would know nothing of them."""
    finding = make_finding(changes=(near(), near("region", 9, relation=Relation.OTHER_REGION)))
    assert finding_from_json(finding_to_json(finding)) == finding


def test_a_log_from_before_there_were_changes_is_read(make_finding: MakeFinding) -> None:
    """An incident of an older version would not load."""
    stored = finding_to_json(make_finding())
    del stored["changes"]
    assert finding_from_json(stored) == make_finding()
