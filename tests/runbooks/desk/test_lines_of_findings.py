"""Log lines near an onset: kept with the incident, in Slack, in mail, in the post-mortem."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from anomaly.evidence.line_kinds import line_words
from anomaly.findings import FindingState, Suspect
from anomaly.testing import example_line_kind
from collectors.clock import ManualClock
from runbooks.api.views import detail
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.commands import SetStatus
from runbooks.incidents.events import EventKind
from runbooks.incidents.finding_codec import finding_from_json, finding_to_json
from runbooks.incidents.states import Status
from runbooks.notifiers.console import page_text
from runbooks.notifiers.delivery import Action
from runbooks.notifiers.mail_message import html_text
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.paging.routing import Routes, Target
from runbooks.postmortem.gathering import counting_query
from tests.runbooks.desk.test_near_changes import ONSET_MS, take
from tests.runbooks.room import LocalSlack, MakeDesk, MakeFinding

KINDS = tuple(
    example_line_kind(pattern=f"0badc0d{n}", text=f"<b>no</b> *answer* {word} <*>")
    for n, word in enumerate("abc")
)
WORDS = line_words(KINDS[0])


def test_the_page_in_slack_tells_two_kinds_with_the_way_to_their_lines(
    make_desk: MakeDesk, slack: LocalSlack, make_finding: MakeFinding
) -> None:
    """Whoever is woken would have to search the logs, or be shown a stranger's markup."""
    routes = Routes(default=(Target(notifier="slack", channel="incidents"),))
    desk = make_desk(notifiers=[slack.notifier], routes=routes)
    take(desk, make_finding(lines=KINDS))
    [message] = slack.seen()
    shown = str(message["blocks"])
    assert "*Log lines*\\n• playback: new error line since 22:13:25 UTC, 14 times" in shown
    assert "&lt;b&gt;no&lt;/b&gt;" in shown
    assert "|show>)" in shown
    assert "*answer* b" in shown
    assert "*answer* c" not in shown


def test_without_any_nothing_is_said(
    desk: IncidentDesk, recorder: RecordingNotifier, make_finding: MakeFinding
) -> None:
    """Of a service whose lines are not here it would be said that it logged nothing."""
    incident = take(desk, make_finding())
    assert incident.lines == ()
    assert "log line" not in page_text(recorder.delivered[0].card).lower()


def test_what_is_found_later_is_an_event_of_its_own_once_and_edits_the_page(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """Lines come after the page; they would be lost with a restart, or told with every look."""
    take(desk, make_finding())
    for count in (14, 15, 16):
        clock.advance_ms(5_000)
        lines = (replace(KINDS[0], count=count),)
        incident = take(desk, make_finding(lines=lines, updated_ms=clock.now_ms()))
    found = [
        event
        for event in desk.ledger.events(incident.id)
        if event.kind is EventKind.FINDING_CHANGED and "log lines" in event.text
    ]
    assert len(found) == 1
    edits = [d.card for d in recorder.delivered if d.action is Action.EDIT]
    assert edits[-1].lines[0][0].startswith("playback: new error line")


def test_the_card_leads_to_the_lines_in_their_time(
    desk: IncidentDesk, recorder: RecordingNotifier, make_finding: MakeFinding
) -> None:
    """A link without its time shows other lines, or none, a day later."""
    take(desk, make_finding(lines=KINDS))
    card = recorder.delivered[0].card
    (words, address), _ = card.lines
    assert words == WORDS
    assert f"log lines: {WORDS}" in page_text(card)
    asked = parse_qs(urlsplit(address).query)
    assert asked == {
        "pattern": ["0badc0d0"],
        "service": ["playback"],
        "pin": ["1700000005000-1700000060000"],
    }
    assert "<b>no</b>" not in html_text(recorder.delivered[0])
    assert "Log lines: <a href=" in html_text(recorder.delivered[0])


def test_an_incident_has_each_kind_once_those_of_suspects_first(
    desk: IncidentDesk, make_finding: MakeFinding
) -> None:
    """The same line stood there once for each finding, below those of others."""
    other = example_line_kind(pattern="other", service="else", count=900)
    older = replace(KINDS[0], count=1, until_ms=1_700_000_020_000)
    accused = Suspect(service="playback", share=1.0, reason="slow")
    incident = take(
        desk,
        make_finding(lines=(other, older)),
        make_finding(id="slo/playback/us-east-1/2", lines=KINDS[:1], suspects=(accused,)),
    )
    assert [(one.pattern, one.count) for one in incident.lines] == [
        ("0badc0d0", 14),
        ("other", 900),
    ]


def test_api_and_json_tell_the_same_words(desk: IncidentDesk, make_finding: MakeFinding) -> None:
    """Page and message would word one number two ways, and a restart would lose it."""
    finding = make_finding(lines=KINDS)
    assert finding_from_json(finding_to_json(finding)) == finding
    shown: Any = detail(
        take(desk, finding), now_ms=ONSET_MS, events=(), rows=(), runbook=None, measures=()
    )
    assert [one["words"] for one in shown["lines"]] == [line_words(one) for one in KINDS]


def test_the_post_mortem_has_them_with_what_counts_them_again(
    desk: IncidentDesk, clock: ManualClock, make_finding: MakeFinding, tmp_path: Path
) -> None:
    """A number without its query; a stranger's text would be a table of its own."""
    finding = make_finding(lines=(replace(KINDS[0], sample="no | answer\n<b>7</b>"),))
    incident = take(desk, finding)
    clock.advance_ms(60_000)
    take(desk, replace(finding, state=FindingState.RESOLVED, ended_ms=clock.now_ms()))
    desk.execute(incident.id, SetStatus(status=Status.RESOLVED, actor="ann"))
    desk.tick()
    raw = (tmp_path / "post-mortems" / f"{incident.id}.md").read_text()
    text = raw.replace("\\", "")
    assert "## Log lines" in text
    assert WORDS in text
    assert f"[count](http://127.0.0.1:7101{counting_query(KINDS[0])})" in text
    assert r"no \| answer \<b\>7\</b\>" in raw


def test_a_post_mortem_without_any_says_what_is_not_known(
    desk: IncidentDesk, clock: ManualClock, make_finding: MakeFinding, tmp_path: Path
) -> None:
    """Nothing found would read like nothing logged."""
    incident = take(desk, make_finding())
    clock.advance_ms(60_000)
    take(desk, make_finding(state=FindingState.RESOLVED, ended_ms=clock.now_ms()))
    desk.execute(incident.id, SetStatus(status=Status.RESOLVED, actor="ann"))
    desk.tick()
    text = (tmp_path / "post-mortems" / f"{incident.id}.md").read_text()
    assert "of services whose logs are not here nothing is known" in text
