"""Jobs that report, and are missed when they do not; what never reported is not measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from anomaly.findings import FindingState, Urgency
from collectors.clock import ManualClock
from collectors.errors import DocumentError
from runbooks.desk.desk import IncidentDesk
from runbooks.heartbeats.heartbeat import Heartbeat, Pulse, Seen, pulse_of
from runbooks.heartbeats.loading import load_heartbeats
from runbooks.incidents.states import Status
from tests.runbooks.conftest import T0
from tests.runbooks.room import MakeDesk, ServeDesk

MINUTE = 60_000
BACKUP = Heartbeat(
    name="backup",
    title="Nightly backup",
    interval_ms=10 * MINUTE,
    grace_ms=MINUTE,
    scope={"service.name": "storage"},
)
EAGER = Heartbeat(name="cron", title="Cron", interval_ms=MINUTE, expected_from_start=True)


@pytest.mark.parametrize(
    ("beat", "seen", "listening_ms", "now_ms", "pulse"),
    [
        (BACKUP, Seen(watched_ms=0), 0, 10**12, Pulse.UNSEEN),
        (BACKUP, Seen(watched_ms=0, last_ms=0), 0, 11 * MINUTE, Pulse.ALIVE),
        (BACKUP, Seen(watched_ms=0, last_ms=0), 0, 11 * MINUTE + 1, Pulse.MISSING),
        # Nobody listened while we were down: the silence begins with us.
        (BACKUP, Seen(watched_ms=0, last_ms=0), 60 * MINUTE, 70 * MINUTE, Pulse.ALIVE),
        (BACKUP, Seen(watched_ms=0, last_ms=0), 60 * MINUTE, 71 * MINUTE + 1, Pulse.MISSING),
        # What was known to be missing before a restart is no news, and not well either.
        (BACKUP, Seen(watched_ms=0, last_ms=0, missing_ms=1), 60 * MINUTE, 0, Pulse.MISSING),
        (EAGER, Seen(watched_ms=0), 0, MINUTE, Pulse.ALIVE),
        (EAGER, Seen(watched_ms=0), 0, MINUTE + 1, Pulse.MISSING),
    ],
)
def test_whether_something_reports(
    beat: Heartbeat, seen: Seen, listening_ms: int, now_ms: int, pulse: Pulse
) -> None:
    """Not known is not missing; missing is said as soon as it is known."""
    assert pulse_of(beat, seen, listening_ms, now_ms) is pulse


def test_what_is_missing_pages_and_what_reports_again_ends_it(
    make_desk: MakeDesk, clock: ManualClock
) -> None:
    """Through a restart, once; the incident closes by itself when the job is back."""
    desk = make_desk()
    desk.on_call.heartbeats.use([BACKUP])
    clock.advance_ms(60 * MINUTE)
    desk.tick()
    assert desk.ledger.incidents() == []

    desk.on_call.heartbeats.beat("backup")
    clock.advance_ms(12 * MINUTE)
    desk.tick()
    desk.tick()
    (incident,) = desk.ledger.incidents()
    (finding,) = incident.findings.values()
    assert incident.title == "Nightly backup does not report"
    assert finding.scope == {"service.name": "storage", "heartbeat": "backup"}
    assert finding.explanation == (
        "Its last report was at 2023-11-14 23:13:30 UTC, 12 min ago; it reports every 10 min."
    )
    assert (finding.urgency, finding.started_ms) == (Urgency.PAGE, T0 + 70 * MINUTE + 10_000)

    again = make_desk(instead=True)
    again.on_call.heartbeats.use([BACKUP])
    again.reconcile(again.on_call.heartbeats.present(clock.now_ms()))
    again.tick()
    again.tick()
    assert [i.status for i in again.ledger.incidents()] == [Status.TRIAGE]
    assert again.on_call.heartbeats.batch(clock.now_ms()).value.tolist() == [1.0]

    again.on_call.heartbeats.beat("backup")
    again.tick()
    again.tick()
    (incident,) = again.ledger.incidents()
    assert incident.status is Status.MITIGATED
    assert [f.state for f in incident.findings.values()] == [FindingState.RESOLVED]
    assert again.on_call.heartbeats.batch(clock.now_ms()).value.tolist() == [0.0]


def test_what_is_watched_no_longer_is_over(make_desk: MakeDesk, clock: ManualClock) -> None:
    """A job that was taken out of the file on purpose pages nobody any more."""
    desk: IncidentDesk = make_desk()
    desk.on_call.heartbeats.use([EAGER])
    desk.tick()
    clock.advance_ms(2 * MINUTE)
    desk.tick()
    desk.tick()
    assert [i.status for i in desk.ledger.incidents()] == [Status.TRIAGE]

    desk.on_call.heartbeats.use([])
    desk.tick()
    desk.tick()
    assert [i.status for i in desk.ledger.incidents()] == [Status.MITIGATED]


def test_over_http(make_desk: MakeDesk, serve_desk: ServeDesk, clock: ManualClock) -> None:
    """A report is a POST; a GET of it is none; a stranger's name is told and kept nowhere."""
    desk = make_desk()
    desk.on_call.heartbeats.use([BACKUP])
    http = serve_desk(desk)

    (row,) = http.get("/api/v2/heartbeats").json()["heartbeats"]
    assert (row["state"], row["last_ms"], row["beats"]) == ("unseen", None, 0)
    assert http.get("/api/v2/heartbeats/backup").status_code == 405
    assert http.post("/api/v2/heartbeats/backup").json() == {
        "name": "backup",
        "last_ms": clock.now_ms(),
        "beats": 1,
    }
    # A loop that went wild costs nothing.
    assert http.post("/api/v2/heartbeats/backup").json()["beats"] == 1
    (row,) = http.get("/api/v2/heartbeats").json()["heartbeats"]
    assert (row["state"], row["interval_s"], row["grace_s"]) == ("alive", 600.0, 60.0)
    refused = http.post("/api/v2/heartbeats/gone")
    assert refused.status_code == 404
    assert refused.json()["message"] == "there is no heartbeat 'gone'; there are: backup"


GOOD = """
heartbeats:
  - {name: backup, interval: 24h, scope: {service.name: storage}}
  - {name: cron, title: Cron, interval: 1m, grace: 30s, urgency: ticket, expected_from_start: yes}
"""


def test_the_document(tmp_path: Path) -> None:
    """Without a grace it is a tenth of the interval."""
    path = tmp_path / "heartbeats.yaml"
    path.write_text(GOOD)

    assert load_heartbeats(path) == (
        Heartbeat(
            name="backup",
            title="backup",
            interval_ms=1_440 * MINUTE,
            grace_ms=144 * MINUTE,
            scope={"service.name": "storage"},
        ),
        Heartbeat(
            name="cron",
            title="Cron",
            interval_ms=MINUTE,
            grace_ms=30_000,
            urgency=Urgency.TICKET,
            expected_from_start=True,
        ),
    )


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ("name: cron", "name: backup", "'backup' stands twice"),
        ("interval: 1m", "interval: 1s", "is shorter than 10 s"),
        ("urgency: ticket", "urgency: loud", "page, ticket"),
        ("name: cron", "name: Cr on", "a short name in lower case"),
    ],
)
def test_mistakes_of_the_document(tmp_path: Path, written: str, instead: str, told: str) -> None:
    """With the place in the file."""
    path = tmp_path / "heartbeats.yaml"
    path.write_text(GOOD.replace(written, instead))
    with pytest.raises(DocumentError, match=told):
        load_heartbeats(path)
