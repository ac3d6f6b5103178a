"""Declared, declined, merged, split: whatever people do to incidents, no outage goes unheard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from anomaly.findings import Finding, FindingState, Urgency
from collectors.clock import ManualClock
from collectors.errors import ConflictError, NotFoundError, TooManyError
from runbooks.desk.desk import IncidentDesk
from runbooks.desk.responses import Declaration
from runbooks.incidents import commands as c
from runbooks.incidents.events import EventKind
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Role, Severity, Status
from runbooks.notifiers.delivery import Action, Delivery
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.notifiers.slack_interactions import Press
from runbooks.notifiers.slack_layout import ACKNOWLEDGE
from tests.runbooks.room import MakeDesk, MakeFinding

EVERY_DATABASE = True

MIN = 60_000
PLAYBACK = {"service.name": "playback", "cloud.region": "us"}
BILLING = {"service.name": "billing"}


def take(desk: IncidentDesk, *findings: Finding) -> None:
    for finding in findings:
        desk.receive(finding)
    desk.tick()


def rings(recorder: RecordingNotifier) -> list[Delivery]:
    return [d for d in recorder.delivered if d.action is Action.OPEN]


def later(desk: IncidentDesk, clock: ManualClock, ms: int) -> None:
    clock.advance_ms(ms)
    desk.tick()


def declared(desk: IncidentDesk, **said: object) -> Incident:
    wanted = {
        "title": "Checkout is blank",
        "severity": Severity.SEV2,
        "actor": "ann",
        "text": "three callers say so",
        "scope": {"service.name": "playback"},
    }
    incident = desk.responses.declare(Declaration(**(wanted | said)))  # type: ignore[arg-type]
    desk.tick()
    return incident


def two(desk: IncidentDesk, make_finding: MakeFinding) -> tuple[str, str]:
    """Open two incidents that nothing connects; return their ids."""
    take(desk, make_finding(id="a", rule="slo/a", scope=PLAYBACK, title="Starts fail"))
    take(desk, make_finding(id="b", rule="slo/b", scope=BILLING, title="Bills fail"))
    first, second = sorted(incident.id for incident in desk.ledger.incidents())
    return first, second


def test_declared_without_a_finding(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock
) -> None:
    """What nothing has measured rings, and rings again, and has its post-mortem."""
    incident = declared(desk)
    assert incident.findings == {}
    assert incident.impact_start_ms == clock.now_ms()
    [page] = rings(recorder)
    assert page.card.headline == "[SEV2] Checkout is blank"
    assert ("Declared by", "ann") in page.card.fields
    later(desk, clock, 5 * MIN)
    later(desk, clock, MIN)
    assert len(rings(recorder)) == 2
    desk.execute(incident.id, c.Acknowledge(actor="bob"))
    desk.execute(incident.id, c.SetStatus(status=Status.RESOLVED, actor="bob"))
    desk.tick()
    assert "declared by a person" in desk.post_mortems.markdown(incident.id)


def test_a_mild_declaration_is_told_once(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock
) -> None:
    """Who declares a SEV4 wants it on record, not the house awake."""
    declared(desk, severity=Severity.SEV4)
    later(desk, clock, 60 * MIN)
    assert len(rings(recorder)) == 1


def test_findings_of_the_service_join_what_was_declared(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """A second incident would have its people, too; the first does not end with a finding."""
    incident = declared(desk)
    later(desk, clock, 40 * MIN)
    now_ms = clock.now_ms()
    finding = make_finding(id="a", scope=PLAYBACK, started_ms=now_ms)
    take(desk, finding)
    [known] = desk.ledger.incidents()
    assert [*known.findings] == ["a"]
    assert known.id == incident.id
    assert any("as was declared" in e.text for e in desk.ledger.events(known.id))
    over = {"state": FindingState.RESOLVED, "ended_ms": now_ms + MIN, "updated_ms": now_ms + MIN}
    take(desk, replace(finding, **over))  # type: ignore[arg-type]  # by name
    assert desk.ledger.incident(known.id).status is Status.TRIAGE


def test_merging_moves_all_and_says_where(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """A message that still says it fails, under an id that nobody answers, misleads."""
    first, second = two(desk, make_finding)
    merged = desk.responses.merge(second, first, "ann", "one database")
    later(desk, clock, MIN)
    gone = desk.ledger.incident(second)
    assert (gone.status, gone.merged_into) == (Status.MERGED, first)
    assert [*merged.findings] == ["a", "b"]
    assert merged.merged_from == (second,)
    said = [d for d in recorder.delivered if d.card.incident_id == second][-1]
    assert f"goes on in {first}" in said.text
    assert ("Goes on in", first) in said.card.fields
    with pytest.raises(ConflictError, match=f"goes on in {first}"):
        desk.execute(second, c.Assign(role=Role.SCRIBE, person="bob", actor="bob"))


def test_merging_swallows_no_page(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """What nobody has acknowledged goes into an incident whose people know nothing of it."""
    first, second = two(desk, make_finding)
    desk.execute(first, c.Acknowledge(actor="ann"))
    desk.tick()
    desk.responses.merge(second, first, "ann")
    later(desk, clock, MIN)
    assert (
        "also: Bills fail" in [d for d in rings(recorder) if d.card.incident_id == first][-1].text
    )


def test_merging_swallows_no_declaration(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """Nothing has measured it, and whoever has acknowledged the other one has not heard of it."""
    take(desk, make_finding(id="a", rule="slo/a", scope=PLAYBACK))
    desk.execute("inc-0001", c.Acknowledge(actor="ann"))
    gone = declared(desk, scope=BILLING).id
    merged = desk.responses.merge(gone, "inc-0001", "bob")
    later(desk, clock, MIN)
    last = rings(recorder)[-1]
    assert (last.card.incident_id, last.text.partition(" (")[0]) == (
        "inc-0001",
        f"takes over {gone}",
    )
    assert merged.explanation == make_finding().explanation


def test_merging_what_pages_brings_back_what_recovered(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """Recovered and failing can't be one state."""
    first, second = two(desk, make_finding)
    desk.execute(first, c.SetStatus(status=Status.MITIGATED, actor="ann"))
    assert desk.responses.merge(second, first, "ann").status is Status.INVESTIGATING
    later(desk, clock, MIN)
    assert f"took over {second}" in rings(recorder)[-1].text


def test_later_findings_go_where_it_goes_on(
    desk: IncidentDesk, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """A finding of the merged incident would change one that nobody looks at."""
    first, second = two(desk, make_finding)
    desk.responses.merge(second, first, "ann")
    now_ms = clock.now_ms()
    ended = {"state": FindingState.RESOLVED, "ended_ms": now_ms, "updated_ms": now_ms}
    take(
        desk,
        make_finding(id="b", rule="slo/b", scope=BILLING, **ended),
        make_finding(id="c", rule="slo/c", scope=BILLING, started_ms=now_ms),
    )
    into = desk.ledger.incident(first)
    assert into.findings["b"].state is FindingState.RESOLVED
    assert "c" in into.findings
    assert len(desk.ledger.incidents()) == 2


def test_what_was_declared_of_the_merged_one_still_counts(
    desk: IncidentDesk, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """The first finding of a declared outage would open an incident of its own."""
    into, gone = declared(desk).id, declared(desk, scope=BILLING).id
    desk.responses.merge(gone, into, "ann")
    take(desk, make_finding(id="b", rule="slo/b", scope=BILLING, started_ms=clock.now_ms()))
    assert [*desk.ledger.incident(into).findings] == ["b"]


def test_after_a_restart_too(
    make_desk: MakeDesk, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """Whose a finding is stands in the log, not in a memory."""
    desk = make_desk()
    first, second = two(desk, make_finding)
    desk.responses.merge(second, first, "ann")
    again = make_desk()
    take(again, make_finding(id="c", rule="slo/c", scope=BILLING, started_ms=clock.now_ms()))
    assert "c" in again.ledger.incident(first).findings


def test_a_button_of_a_merged_incident(desk: IncidentDesk, make_finding: MakeFinding) -> None:
    """Who presses an old message means the outage, not its number."""
    first, second = two(desk, make_finding)
    desk.responses.merge(second, first, "ann")
    desk.press(Press(key="k", action_id=ACKNOWLEDGE, incident_id=second, user="bob"))
    desk.tick()
    assert desk.ledger.incident(first).acknowledged_by == "bob"


@pytest.mark.parametrize(
    ("into", "error", "words"),
    [
        ("inc-0001", ConflictError, "can't be merged into itself"),
        ("inc-9999", NotFoundError, "no incident 'inc-9999'"),
    ],
)
def test_merging_that_is_refused_changes_nothing(
    desk: IncidentDesk,
    make_finding: MakeFinding,
    into: str,
    error: type[Exception],
    words: str,
) -> None:
    """Half a merge would leave findings in nobody's hands."""
    first, _ = two(desk, make_finding)
    before = desk.ledger.incidents()
    with pytest.raises(error, match=words):
        desk.responses.merge(first, into, "ann")
    assert desk.ledger.incidents() == before


def test_merging_into_what_is_over(desk: IncidentDesk, make_finding: MakeFinding) -> None:
    """An outage would end by being filed under one that has ended."""
    first, second = two(desk, make_finding)
    desk.execute(first, c.SetStatus(status=Status.RESOLVED, actor="ann"))
    with pytest.raises(ConflictError, match="reopen it first"):
        desk.responses.merge(second, first, "ann")
    assert desk.ledger.incident(second).status is Status.TRIAGE


def test_split_findings_ring_for_themselves(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """What was grouped by mistake has an owner of its own, who has heard of nothing yet."""
    take(desk, make_finding(id="a", rule="slo/a", scope=PLAYBACK))
    other = {**PLAYBACK, "cloud.region": "eu"}
    take(desk, make_finding(id="b", rule="slo/b", scope=other, title="Elsewhere"))
    [whole] = desk.ledger.incidents()
    desk.execute(whole.id, c.Acknowledge(actor="ann"))
    part = desk.responses.split(whole.id, ["b"], "ann", "another cause")
    later(desk, clock, MIN)
    assert [*part.findings] == ["b"]
    assert (part.split_from, part.status, part.acknowledged_by) == (whole.id, Status.TRIAGE, None)
    left = desk.ledger.incident(whole.id)
    assert ([*left.findings], left.split_into) == (["a"], (part.id,))
    [own] = [d for d in rings(recorder) if d.card.incident_id == part.id]
    assert own.card.headline.endswith("Elsewhere")
    now_ms = clock.now_ms()
    ended = {"state": FindingState.RESOLVED, "ended_ms": now_ms, "updated_ms": now_ms}
    take(desk, make_finding(id="b", rule="slo/b", scope=other, title="Elsewhere", **ended))
    assert desk.ledger.incident(part.id).status is Status.MITIGATED
    assert desk.ledger.incident(whole.id).status is Status.INVESTIGATING


def test_splitting_leaves_something(desk: IncidentDesk, make_finding: MakeFinding) -> None:
    """An incident of nothing would stay open for ever."""
    first, _ = two(desk, make_finding)
    for ids, words in ((["a"], "no finding left"), (["z"], "does not belong"), ([], "name the")):
        with pytest.raises(ConflictError, match=words):
            desk.responses.split(first, ids, "ann")
    assert len(desk.ledger.incidents()) == 2


def test_declined_and_back(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """A false alarm that fires on for half an hour may be none."""
    finding = make_finding(id="a", scope=PLAYBACK)
    take(desk, finding)
    desk.execute("inc-0001", c.Decline(actor="ann", text="load test"))
    later(desk, clock, MIN)
    assert desk.ledger.incident("inc-0001").status is Status.DECLINED
    assert len(rings(recorder)) == 1
    assert desk.ledger.incident("inc-0001").post_mortem_ms is None
    clock.advance_ms(30 * MIN)
    take(desk, replace(finding, updated_ms=clock.now_ms()))
    later(desk, clock, MIN)
    assert desk.ledger.incident("inc-0001").status is Status.INVESTIGATING
    assert "still firing" in rings(recorder)[-1].text


def test_declined_and_fired_again(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """What was no incident once may be one the next time."""
    finding = make_finding(id="a", scope=PLAYBACK)
    take(desk, finding)
    desk.execute("inc-0001", c.Decline(actor="ann", text="load test"))
    now_ms = clock.now_ms()
    ended = replace(finding, state=FindingState.RESOLVED, ended_ms=now_ms, updated_ms=now_ms)
    take(desk, ended)
    clock.advance_ms(MIN)
    take(desk, replace(finding, updated_ms=clock.now_ms()))
    later(desk, clock, MIN)
    assert desk.ledger.incident("inc-0001").status is Status.INVESTIGATING
    assert len(rings(recorder)) == 2


@pytest.mark.parametrize(
    ("severity", "minutes", "due"),
    [
        (Severity.SEV1, 29, False),
        (Severity.SEV1, 30, True),
        (Severity.SEV2, 59, False),
        (Severity.SEV2, 60, True),
        (Severity.SEV3, 600, False),
    ],
)
def test_updates_are_asked_for(
    desk: IncidentDesk, clock: ManualClock, severity: Severity, minutes: int, due: bool
) -> None:
    """Those who are not in the room were promised to hear; nobody keeps that in mind at three."""
    incident = declared(desk, severity=severity)
    desk.execute(incident.id, c.Acknowledge(actor="ann"))
    later(desk, clock, minutes * MIN)
    kinds = [event.kind for event in desk.ledger.events(incident.id)]
    assert ("update_due" in kinds) is due


def test_an_update_begins_the_wait_anew(desk: IncidentDesk, clock: ManualClock) -> None:
    """A reminder a minute after an update teaches people to overlook reminders."""
    incident = declared(desk, severity=Severity.SEV1)
    later(desk, clock, 20 * MIN)
    desk.execute(incident.id, c.GiveUpdate(text="We roll back.", actor="ann"))
    later(desk, clock, 20 * MIN)
    assert "update_due" not in [e.kind for e in desk.ledger.events(incident.id)]
    later(desk, clock, 10 * MIN)
    desk.tick()
    kinds = [event.kind for event in desk.ledger.events(incident.id)]
    assert kinds.count(EventKind.UPDATE_DUE) == 1


def test_notes_are_paced_a_person(desk: IncidentDesk, clock: ManualClock) -> None:
    """Three hundred notes of one person hid everybody else's, and delayed a page."""
    incident = declared(desk)
    for number in range(30):
        desk.execute(incident.id, c.Note(text=str(number), actor="ann"))
    with pytest.raises(TooManyError, match="ann wrote 30 notes within a minute"):
        desk.execute(incident.id, c.Note(text="one more", actor="ann"))
    desk.execute(incident.id, c.Note(text="mine", actor="bob"))
    clock.advance_ms(MIN)
    desk.execute(incident.id, c.Note(text="later", actor="ann"))


def test_a_ticket_declared_by_nobody_pages_not(
    desk: IncidentDesk, make_finding: MakeFinding
) -> None:
    """Only what a person declared or what pages rings again."""
    take(desk, make_finding(id="a", scope=PLAYBACK, urgency=Urgency.PAGE))
    incident = desk.ledger.incidents()[0]
    assert incident.pages
    assert not replace(incident, findings={}).pages
