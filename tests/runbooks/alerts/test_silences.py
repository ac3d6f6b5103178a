"""Silences have a reason, an author and an end, and change as Alertmanager's do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine, update

from collectors.clock import ManualClock
from collectors.errors import ConflictError, InputError, NotFoundError
from runbooks.alerts.labels import labels_of, prometheus_labels
from runbooks.alerts.matchers import parse_matchers
from runbooks.alerts.silence import Silence, SilenceState
from runbooks.alerts.silences import KEPT_MS, REFRESH_MS, SILENCES, Silences
from runbooks.incidents.database import open_database
from runbooks.paging.own_fault import own_fault
from tests.runbooks.room import MakeFinding

NOW = 1_700_000_000_000
HOUR = 3_600_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = open_database("sqlite:///:memory:")
    yield engine
    engine.dispose()


@pytest.fixture
def silences(engine: Engine, clock: ManualClock) -> Silences:
    return Silences(engine, clock)


def wanted(*matchers: str, **changes: object) -> Silence:
    silence = Silence(
        id="",
        matchers=parse_matchers(matchers or ("job=api",)),
        starts_ms=NOW,
        ends_ms=NOW + HOUR,
        updated_ms=0,
        author="ana",
        comment="load test",
    )
    return replace(silence, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("silence", "said"),
    [
        (wanted(comment=" "), "a silence needs a comment"),
        (wanted(author=""), "a silence needs its author"),
        (wanted("job=~.*"), "at least one matcher must not match an empty label"),
        (wanted("job!=api", "x="), "at least one matcher must not match an empty label"),
        (wanted(ends_ms=NOW), "start time must be before end time"),
        (wanted(starts_ms=NOW - HOUR, ends_ms=NOW - 1), "end time can't be in the past"),
        (wanted(comment="x" * 3_001), "at most 3000 characters"),
    ],
)
def test_what_is_refused(silences: Silences, silence: Silence, said: str) -> None:
    """Nothing is hidden without a reason, for ever, or altogether."""
    with pytest.raises(InputError) as refused:
        silences.put(silence)
    assert said in refused.value.message
    assert silences.all() == []


def test_it_is_pending_then_active_then_expired(silences: Silences, clock: ManualClock) -> None:
    """From its start until its end, which is not included."""
    kept = silences.put(wanted(starts_ms=NOW + 1_000, ends_ms=NOW + 2_000))
    states = []
    for _ in range(3):
        states.append(kept.state(clock.now_ms()))
        clock.advance_ms(1_000)
    assert states == [SilenceState.PENDING, SilenceState.ACTIVE, SilenceState.EXPIRED]


def test_an_end_to_come_may_be_moved(silences: Silences) -> None:
    """Who needs longer keeps the silence and its id."""
    kept = silences.put(wanted())
    longer = silences.extend(kept.id, NOW + 2 * HOUR)
    assert (longer.id, longer.ends_ms) == (kept.id, NOW + 2 * HOUR)
    assert silences.all() == [longer]


def test_other_matchers_make_another_silence(silences: Silences, clock: ManualClock) -> None:
    """What a silence hid stays readable as it was."""
    kept = silences.put(wanted())
    clock.advance_ms(1_000)
    other = silences.put(replace(kept, matchers=parse_matchers(["job=web"])))
    assert other.id != kept.id
    assert silences.one(kept.id).state(clock.now_ms()) is SilenceState.EXPIRED
    assert other.starts_ms == clock.now_ms()


def test_it_is_ended_once(silences: Silences, clock: ManualClock) -> None:
    """Who ended it is on record, and not overwritten."""
    kept = silences.put(wanted())
    clock.advance_ms(1_000)
    ended = silences.expire(kept.id, "bob")
    assert (ended.ends_ms, ended.expired_by) == (clock.now_ms(), "bob")
    with pytest.raises(ConflictError, match="already expired"):
        silences.expire(kept.id, "bob")
    with pytest.raises(ConflictError, match="is over; make a new one"):
        silences.extend(kept.id, NOW + HOUR)
    with pytest.raises(NotFoundError):
        silences.expire("nobody", "bob")


def test_another_process_hears_of_it(
    silences: Silences, engine: Engine, clock: ManualClock
) -> None:
    """Two servers on one database silence the same."""
    other = Silences(engine, clock)
    kept = silences.put(wanted())
    assert other.active() == []
    clock.advance_ms(REFRESH_MS)
    other.refresh(clock.now_ms())
    assert other.active() == [kept]


def test_what_was_over_long_ago_is_forgotten(silences: Silences, clock: ManualClock) -> None:
    """The table does not grow for ever."""
    silences.put(wanted())
    clock.advance_ms(HOUR + KEPT_MS)
    silences.refresh(clock.now_ms())
    assert len(silences.all()) == 1
    clock.advance_ms(REFRESH_MS)
    silences.refresh(clock.now_ms())
    assert silences.all() == []


def test_a_damaged_row_silences_nothing(
    silences: Silences, engine: Engine, clock: ManualClock
) -> None:
    """What can't be read must not keep the others, or the server, from working."""
    silences.put(wanted())
    kept = silences.put(wanted("job=web"))
    with engine.begin() as connection:
        damaged = update(SILENCES).where(SILENCES.c.id != kept.id).values(data={"matchers": 7})
        connection.execute(damaged)
    assert Silences(engine, clock).active() == [kept]


def test_labels_of_a_finding(make_finding: MakeFinding) -> None:
    """What it is called by us is there under names that Prometheus can write, too."""
    assert labels_of(make_finding()) == {
        "alertname": "slo/playback-availability/fast",
        "kind": "slo_burn",
        "urgency": "page",
        "severity": "SEV2",
        "service.name": "playback",
        "service_name": "playback",
        "cloud.region": "us-east-1",
        "cloud_region": "us-east-1",
    }
    assert [*prometheus_labels(make_finding(scope={"severity": "critical"})).items()] == [
        ("alertname", "slo/playback-availability/fast"),
        ("kind", "slo_burn"),
        ("severity", "critical"),
        ("urgency", "page"),
    ]


@pytest.mark.parametrize(
    ("matchers", "hidden"),
    [
        (["alertname=own/way"], True),
        (["service_name=tocsin"], True),
        (["alertname=~own/.*"], False),
        (["urgency=page"], False),
        (["alertname!=x", "urgency=page"], False),
    ],
)
def test_findings_about_ourselves_must_be_named(matchers: list[str], hidden: bool) -> None:
    """A silence for a noisy night must not hide that pages go nowhere."""
    finding = own_fault(
        "own/way",
        "slack:x",
        title="can't page",
        explanation="",
        scope={},
        expression="",
        since_ms=NOW,
        now_ms=NOW,
    )
    assert wanted(*matchers).matches(labels_of(finding), own=True) is hidden
