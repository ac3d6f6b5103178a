"""What maintenance and inhibition hold back: rings nobody, is on record, rings when it is over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from anomaly.findings import Finding, FindingState
from collectors.clock import ManualClock
from collectors.errors import DocumentError
from runbooks.alerts.inhibition import InhibitRule, load_inhibit_rules
from runbooks.alerts.intervals import Period, TimeInterval
from runbooks.alerts.maintenance import Window, load_windows
from runbooks.alerts.matchers import parse_matchers
from runbooks.alerts.rules import AlertRules
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.events import EventKind
from runbooks.incidents.states import Status
from runbooks.notifiers.delivery import Action
from runbooks.notifiers.recording import RecordingNotifier
from tests.runbooks.room import MakeFinding

MINUTE = 60_000
DOWN = InhibitRule(
    name="region down",
    sources=parse_matchers(["alertname=region/down"]),
    targets=parse_matchers(["kind=slo_burn"]),
    equal=("cloud_region",),
)


def take(desk: IncidentDesk, *findings: Finding) -> None:
    for finding in findings:
        desk.receive(finding)
    desk.tick()


def pass_by(desk: IncidentDesk, clock: ManualClock, ms: int) -> None:
    clock.advance_ms(ms)
    desk.tick()


def rings(recorder: RecordingNotifier) -> int:
    return sum(delivery.action is Action.OPEN for delivery in recorder.delivered)


def over(finding: Finding, clock: ManualClock) -> Finding:
    now_ms = clock.now_ms()
    return replace(finding, state=FindingState.RESOLVED, ended_ms=now_ms, updated_ms=now_ms)


def window(clock: ManualClock) -> Window:
    return Window(
        name="db upgrade",
        matchers=parse_matchers(["service_name=playback"]),
        reason="TICKET-9",
        start_ms=clock.now_ms(),
        end_ms=clock.now_ms() + 30 * MINUTE,
    )


def test_maintenance_holds_back_until_its_end(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """Whatever still fires then is told."""
    desk.alerting.muting.use(AlertRules(windows=(window(clock),)), ())
    take(desk, make_finding())
    assert desk.decisions.latest()[0]["reason"] == "in maintenance 'db upgrade': TICKET-9"
    pass_by(desk, clock, 30 * MINUTE - 1)
    assert (rings(recorder), desk.ledger.incidents()) == (0, [])
    pass_by(desk, clock, 1)
    pass_by(desk, clock, 1_000)
    assert rings(recorder) == 1


def test_incidents_close_in_maintenance(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """It withholds pages, and stops no clock."""
    take(desk, make_finding())
    desk.alerting.muting.use(AlertRules(windows=(window(clock),)), ())
    clock.advance_ms(MINUTE)
    take(desk, over(make_finding(), clock))
    pass_by(desk, clock, 10 * MINUTE)
    [incident] = desk.ledger.incidents()
    assert (incident.status, rings(recorder)) == (Status.RESOLVED, 1)


def test_a_window_may_come_again(clock: ManualClock) -> None:
    """By an interval of intervals.yaml; one that is not there never holds."""
    again = replace(window(clock), start_ms=None, end_ms=None, interval="nights")
    nights = TimeInterval(name="nights", periods=(Period(times=((0, 60),)),))
    hour = 3_600_000
    held = [again.holds(n * hour, {"nights": nights}) for n in (0, 1, 24, 25)]
    assert held == [True, False, True, False]
    assert not again.holds(0, {})


def test_a_cause_holds_back_what_follows_from_it(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """It is said on the incident of the cause; when that is over the rest rings."""
    desk.alerting.muting.use(AlertRules(inhibit=(DOWN,)), ())
    cause = make_finding(
        id="c", rule="region/down", title="us-east-1 is down", scope={"cloud.region": "us-east-1"}
    )
    elsewhere = make_finding(id="e", scope={"service.name": "search", "cloud.region": "eu"})
    take(desk, make_finding(), cause, elsewhere)
    pass_by(desk, clock, 1_000)
    opened = {incident.title: incident for incident in desk.ledger.incidents()}
    assert len(opened) == 2
    assert rings(recorder) == 2
    texts = [
        event.text
        for event in desk.ledger.events(opened["us-east-1 is down"].id)
        if event.kind is EventKind.SUPPRESSED
    ]
    told = (
        "held back under this: Playback starts fail in us-east-1 (inhibited by 'region down' "
        "while this fires: us-east-1 is down)"
    )
    assert texts == [told]
    take(desk, over(cause, clock))
    pass_by(desk, clock, 1_000)
    assert rings(recorder) == 3


def test_what_is_on_both_sides_inhibits_nothing_alike(
    desk: IncidentDesk, recorder: RecordingNotifier, make_finding: MakeFinding
) -> None:
    """Two of a kind would keep each other silent for ever."""
    same = replace(DOWN, sources=DOWN.targets)
    desk.alerting.muting.use(AlertRules(inhibit=(same,)), ())
    take(desk, make_finding(), make_finding(id="2", rule="slo/other/fast"))
    assert rings(recorder) == 1
    assert len(desk.ledger.incidents()[0].findings) == 2


def test_rules_that_are_read_anew_know_what_fires(
    desk: IncidentDesk, recorder: RecordingNotifier, make_finding: MakeFinding
) -> None:
    """A reload must not forget the cause."""
    cause = make_finding(id="c", rule="region/down", scope={"cloud.region": "us-east-1"})
    take(desk, cause)
    desk.alerting.muting.use(AlertRules(inhibit=(DOWN,)), [*desk.intake.firing.values()])
    take(desk, make_finding())
    assert rings(recorder) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("matchers: a=b, reason: r", "write either since and until, or interval"),
        ('matchers: a=b, reason: r, since: "2026-01-01 10:00"', "until: is required"),
        (
            'matchers: a=b, reason: r, since: "2026-01-01 10:00", until: "2026-01-01 10:00"',
            "until: must be after 2026-01-01 10:00",
        ),
        ("matchers: 'a=~.*', reason: r, interval: x", "must not match an empty label"),
        ("matchers: a, reason: r, interval: x", "must be a matcher such as"),
        ("matchers: a=b, interval: x", "reason: is required"),
    ],
)
def test_windows_that_are_refused(tmp_path: Path, text: str, said: str) -> None:
    """Each mistake with its place."""
    path = tmp_path / "maintenance.yaml"
    path.write_text(f"windows: [{{name: w, {text}}}]")
    with pytest.raises(DocumentError) as refused:
        load_windows(path)
    assert said in refused.value.message


def test_documents_are_read(tmp_path: Path) -> None:
    """As they are written, in the zone that they name."""
    path = tmp_path / "maintenance.yaml"
    path.write_text(
        "windows:\n- {name: w, matchers: [a=b, 'c!~d'], reason: r, time_zone: Europe/Berlin,\n"
        '   since: "2026-07-01 22:00", until: "2026-07-02 02:00"}\n'
    )
    [read] = load_windows(path)
    assert read.end_ms is not None
    assert read.start_ms == 1_782_936_000_000
    assert read.end_ms - read.start_ms == 4 * 3_600_000
    rules = tmp_path / "inhibit.yaml"
    rules.write_text(
        "inhibit_rules: [{source_matchers: [alertname=down], target_matchers: ['severity!=SEV1',"
        " kind=slo_burn], equal: [region]}]"
    )
    [rule] = load_inhibit_rules(rules)
    assert (rule.name, rule.equal, len(rule.targets)) == ("rule 1", ("region",), 2)
