"""The address outside hears of us while pages would reach people, and of nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from collectors.clock import ManualClock
from collectors.host.faults import Faults
from runbooks.desk.vital_signs import VitalSigns
from runbooks.incidents.database import DATABASE, open_database
from runbooks.notifiers.delivery import Action
from runbooks.paging.outbox import Outbox, enqueue
from runbooks.paging.planning import Notification
from runbooks.paging.routing import Target
from tocsin.alive.outgoing import OUTGOING, Outgoing, Report

T0 = 1_700_000_000_000
STEP_MS = 10_000


class Outside(HTTPServer):
    """Somebody who waits to hear of us."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Ear)
        self.heard: list[str] = []
        self.answer = 200

    @property
    def url(self) -> str:
        """Where."""
        return f"http://127.0.0.1:{self.server_address[1]}/ping/secret-key"


class _Ear(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Outside)
        self.rfile.read(int(self.headers["content-length"]))
        self.server.heard.append(self.path)
        self.send_response(self.server.answer)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(name="outside")
def _outside() -> Iterator[Outside]:
    server = Outside()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(name="vital")
def _vital(tmp_path: Path) -> VitalSigns:
    engine = open_database(f"sqlite:///{tmp_path}/incidents.db")
    found = VitalSigns(Outbox(engine), Faults())
    found.judged_ms = found.taken_in_ms = found.delivered_ms = T0
    with engine.begin() as connection:
        target = Target(notifier="console", channel="stderr")
        page = Notification(incident_id="inc-0001", target=target, action=Action.OPEN)
        enqueue(connection, [page], T0)
    return found


@pytest.mark.parametrize(
    ("judged_s", "taken_s", "delivered_s", "now_s", "wrong"),
    [
        (0, 0, 0, 30, []),
        (0, 30, 30, 31, ["no step is judged for 31 s"]),
        (31, 0, 31, 31, ["the desk takes nothing in for 31 s"]),
        (31, 31, 0, 31, ["nothing is delivered for 31 s"]),
        (119, 119, 119, 119, []),
        (120, 120, 120, 120, ["1 pages wait for minutes"]),
        (None, 0, 0, 0, ["no step is judged yet"]),
    ],
)
def test_what_is_not_well(
    vital: VitalSigns,
    judged_s: int | None,
    taken_s: int,
    delivered_s: int,
    now_s: int,
    wrong: list[str],
) -> None:
    """A process that runs and judges nothing is as good as dead."""
    vital.judged_ms = None if judged_s is None else T0 + judged_s * 1_000
    vital.taken_in_ms, vital.delivered_ms = T0 + taken_s * 1_000, T0 + delivered_s * 1_000

    assert vital.wrong(T0 + now_s * 1_000, STEP_MS) == wrong


def test_a_database_that_fails_is_not_well(tmp_path: Path) -> None:
    """Nothing would be written down of an incident."""
    faults = Faults()
    faults.failed(DATABASE, place="here", reason="disk full", lost="nothing yet")
    vital = VitalSigns(Outbox(open_database(f"sqlite:///{tmp_path}/i.db")), faults)
    vital.judged_ms = vital.taken_in_ms = vital.delivered_ms = T0

    assert vital.wrong(T0, STEP_MS) == ["the incident database fails"]


def test_reports_are_sent_while_all_is_well(outside: Outside) -> None:
    """Withheld when something is not; a refusal is told here, without the address."""
    clock, wrong = ManualClock(T0), list[str]()
    faults = Faults(clock)
    outgoing = Outgoing(outside.url, 60.0, lambda _: wrong, clock, faults)

    outgoing.report()
    assert outside.heard == ["/ping/secret-key"]
    assert outgoing.latest == Report(time_ms=T0)

    wrong.append("nothing is delivered for 31 s")
    outgoing.report()
    assert len(outside.heard) == 1
    assert outgoing.latest == Report(time_ms=T0, withheld="nothing is delivered for 31 s")

    wrong.clear()
    outside.answer = 500
    outgoing.report()
    (fault,) = faults.present()
    assert (fault.what, fault.reason, fault.urgent) == (OUTGOING, "answered 500", False)

    outside.answer = 200
    outgoing.report()
    assert faults.present() == []
    outgoing.close()


def test_nobody_outside_is_a_fault_that_keeps_the_secret(outside: Outside) -> None:
    """The address is a key: whoever has it could say that all is well."""
    faults = Faults()
    url = outside.url.replace(str(outside.server_address[1]), "1")
    outgoing = Outgoing(url, 60.0, lambda _: [], ManualClock(T0), faults)
    outgoing.report()
    outgoing.close()

    (fault,) = faults.present()
    assert "ConnectError" in fault.reason
    assert "secret-key" not in fault.reason
