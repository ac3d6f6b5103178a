"""The change nearest in time: on the page, in the timeline and in the post-mortem; never blamed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from anomaly.findings import FindingState, NearChange, Relation
from runbooks.api.views import detail
from runbooks.incidents.commands import SetStatus
from runbooks.incidents.events import EventKind
from runbooks.incidents.finding_codec import finding_from_json, finding_to_json
from runbooks.incidents.states import Status
from runbooks.notifiers.delivery import Action
from runbooks.paging.routing import Routes, Target

ONSET_MS = 1_700_000_000_000
HERE = {"service.name": "playback", "cloud.region": "us-east-1"}
URL = "https://ci.example/builds/77"
WORDS = "Deployed playback 2.0 (same service, playback, us-east-1), 40 s before the estimated onset"


def near(name: str = "bad", before_ms: int = 40_000, **changes) -> NearChange:
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


def take(desk, *findings):
    for finding in findings:
        desk.receive(finding)
    desk.tick()
    return desk.ledger.incidents()[0]


def noted(desk, incident):
    events = desk.ledger.events(incident.id)
    return [event.text for event in events if event.kind is EventKind.CHANGE_NOTED]


def test_the_page_in_slack_names_it_with_its_link(make_desk, slack, make_finding):
    routes = Routes(default=(Target(notifier="slack", channel="incidents"),))
    desk = make_desk(notifiers=[slack.notifier], routes=routes)
    take(desk, make_finding(changes=(near(),)))
    [message] = slack.seen()
    shown = str(message["blocks"])
    assert f"*Nearest change*\\n{WORDS}" in shown
    assert f"<{URL}|Nearest change: Deployed playback 2.0>" in shown
    assert "nearest change: Deployed" in "\n".join(r["text"] for r in message["thread"])


def test_without_one_nothing_is_said(desk, recorder, make_finding):
    incident = take(desk, make_finding())
    assert not incident.near_changes
    assert not noted(desk, incident)
    card = recorder.delivered[0].card
    assert "change" not in str(card).lower()


def test_it_stands_in_timeline_and_api(desk, make_finding):
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
    assert [change["id"] for change in shown["near_changes"]] == ["bad", "early"]
    assert shown["near_changes"][0]["text"] == WORDS
    assert shown["near_changes"][0]["url"] == URL


def test_one_that_is_announced_late_changes_the_page_and_is_told_once(
    desk, recorder, clock, make_finding
):
    take(desk, make_finding())
    for _ in range(3):
        clock.advance_ms(5_000)
        incident = take(desk, make_finding(changes=(near(),), updated_ms=clock.now_ms()))
    assert noted(desk, incident) == [f"nearest change: {WORDS}"]
    edits = [d.card for d in recorder.delivered if d.action is Action.EDIT]
    assert ("Nearest change", WORDS) in edits[-1].fields


def test_a_remedy_between_two_findings_is_no_candidate(desk, make_finding):
    """It came before the second finding, but after the first impact."""
    remedy = near("evacuation", 60_000, time_ms=ONSET_MS + 30_000)
    later = make_finding(
        id="slo/playback/us-east-1/2", started_ms=ONSET_MS + 90_000, changes=(remedy, near())
    )
    incident = take(desk, make_finding(), later)
    assert len(incident.findings) == 2
    assert [change.id for change in incident.near_changes] == ["bad"]
    assert noted(desk, incident) == [f"nearest change: {WORDS}"]


def test_one_within_the_step_of_the_onset_counts(desk, make_finding):
    incident = take(desk, make_finding(changes=(near("same-step", -2_000),)))
    assert noted(desk, incident)[0].endswith("within the step of the estimated onset")


@pytest.mark.parametrize("url", [URL, ""])
def test_the_post_mortem_lists_it_and_blames_nothing(desk, clock, make_finding, tmp_path, url):
    finding = make_finding(changes=(near(url=url),))
    incident = take(desk, finding)
    clock.advance_ms(60_000)
    over = {"state": FindingState.RESOLVED, "ended_ms": clock.now_ms()}
    take(desk, replace(finding, **over))
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


def test_a_finding_keeps_its_changes_as_json(make_finding):
    finding = make_finding(changes=(near(), near("region", 9, relation=Relation.OTHER_REGION)))
    assert finding_from_json(finding_to_json(finding)) == finding


def test_a_log_from_before_there_were_changes_is_read(make_finding):
    stored = finding_to_json(make_finding())
    del stored["changes"]
    assert finding_from_json(stored) == make_finding()
