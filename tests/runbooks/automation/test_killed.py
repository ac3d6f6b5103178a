"""kill -9, and two servers on one database: no step is ever done twice by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runbooks.automation.allowing import Allowed, Program
from runbooks.automation.runbook import Runbook
from runbooks.automation.running.runner import in_thread
from runbooks.automation.state import StepState
from runbooks.desk.desk import IncidentDesk
from tests.runbooks.automation.conftest import Write
from tests.runbooks.room import MakeDesk

OpenRoom = Callable[..., IncidentDesk]
STEPS = """
steps:
- {id: act, title: Act, kind: command, run: act, safe: true}
- {id: then, title: Then, kind: command, run: act, safe: true}
"""

SERVER = """
import sys, time
from pathlib import Path
from anomaly.testing import example_finding
from collectors.clock import SystemClock
from runbooks.automation.allowing import Allowed, Program
from runbooks.automation.loading import load_runbook
from runbooks.desk.desk import IncidentDesk
from runbooks.notifiers.card import Links
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.paging.routing import Routes, Target
from runbooks.postmortem.flat_metrics import FlatMetrics

url, runbook, mark = sys.argv[1:]
code = f"import time; open({mark!r}, 'a').write('x'); time.sleep(1.5)"
act = Program(argv=(sys.executable, "-c", code))
desk = IncidentDesk(
    database_url=url, clock=SystemClock(), notifiers=[RecordingNotifier()],
    routes=Routes(default=(Target(notifier="recording", channel="x"),)),
    library=[load_runbook(Path(runbook))], edges=set, metrics=FlatMetrics(), measures=[],
    links=Links(dashboard_url="http://127.0.0.1:1", api_url="http://127.0.0.1:1"),
    post_mortem_dir=Path(mark).parent, allowed=Allowed(commands={"act": act}),
)
now = SystemClock().now_ms()
desk.start()
desk.receive(example_finding(started_ms=now, detected_ms=now, updated_ms=now, rule="slo/x"))
while not desk.ledger.incidents():
    time.sleep(0.02)
desk.automation.begin("mend", "inc-0001", {}, by="ana")
time.sleep(60)
"""


def acting(mark: Path) -> Allowed:
    """Allow a program that leaves a mark."""
    code = f"open({str(mark)!r}, 'a').write('x')"
    return Allowed(commands={"act": Program(argv=(sys.executable, "-c", code))})


@pytest.mark.processes
@pytest.mark.paired
def test_a_killed_server_does_nothing_twice(
    write: Write, make_desk: MakeDesk, tmp_path: Path
) -> None:
    """What ran when it died is unknown; the next step waits for a person's word."""
    runbook, mark = write(STEPS), tmp_path / "mark"
    url = f"sqlite:///{tmp_path}/incidents.db"
    command = [sys.executable, "-c", SERVER, url, str(tmp_path / "mend.yaml"), str(mark)]
    server = subprocess.Popen(command)
    deadline_s = time.monotonic() + 30
    while not mark.exists():
        assert time.monotonic() < deadline_s
        assert server.poll() is None
        time.sleep(0.02)
    os.kill(server.pid, signal.SIGKILL)
    server.wait()

    desk = make_desk(library=[runbook], allowed=acting(mark), database_url=url)
    desk.automation.runner.spawn = lambda work: work()
    for _ in range(3):
        desk.tick()
    [run] = desk.automation.runner.latest("inc-0001")
    assert run.of("act").state is StepState.UNKNOWN
    assert run.of("then").state is StepState.PENDING
    assert mark.read_text() == "x"


def test_a_server_that_stops_ends_what_runs(
    write: Write, open_room: OpenRoom, make_desk: MakeDesk, tmp_path: Path
) -> None:
    """The program is killed with it; what it had done by then is not known, and is asked for."""
    runbook, sign = write(STEPS), tmp_path / "begun"
    code = f"import time; open({str(sign)!r}, 'w').close(); time.sleep(30)"
    allowed = Allowed(commands={"act": Program(argv=(sys.executable, "-c", code))})
    desk = open_room(runbook, allowed)
    desk.automation.runner.spawn = in_thread
    run = desk.automation.begin("mend", "inc-0001", {}, by="ana")
    desk.automation.runner.tick()
    deadline_s = time.monotonic() + 10
    while not sign.exists():
        assert time.monotonic() < deadline_s
    desk.automation.patience_s = 10.0
    desk.automation.stop()
    progress = make_desk(library=[runbook]).automation.runner.run(run.id).of("act")
    assert progress.state is StepState.UNKNOWN
    assert progress.text.startswith("killed: the run was aborted")


def test_two_servers_share_a_run(
    write: Write, open_room: OpenRoom, make_desk: MakeDesk, tmp_path: Path
) -> None:
    """Whoever commits first does the step; the other sees that it is taken."""
    runbook, mark = write(STEPS), tmp_path / "mark"
    one = open_room(runbook, acting(mark))
    other = make_desk(library=[runbook], allowed=acting(mark))
    begun: list[Callable[[], None]] = []
    for desk in (one, other):
        desk.automation.runner.spawn = begun.append
    run = one.automation.begin("mend", "inc-0001", {}, by="ana")
    other.automation.runner.tick()
    for _ in range(2):
        one.automation.runner.tick()
        other.automation.runner.tick()
    assert len(begun) == 1
    begun.pop()()
    for _ in range(2):
        one.automation.runner.tick()
        other.automation.runner.tick()
    assert len(begun) == 1
    begun.pop()()
    for desk in (one, other):
        desk.automation.runner.tick()
    assert one.automation.runner.run(run.id).state == "succeeded"
    assert mark.read_text() == "xx"


def test_the_document_of_a_run_is_kept(write: Write, open_room: OpenRoom, tmp_path: Path) -> None:
    """A reload changes what begins from now on, not what is under way."""
    mark = tmp_path / "mark"
    desk = open_room(write(STEPS), acting(mark))
    desk.automation.runner.spawn = lambda _work: None
    run = desk.automation.begin("mend", "inc-0001", {}, by="ana")
    shorter: Runbook = write("steps: [{id: act, title: Act, kind: manual}]")
    desk.automation.use([shorter], acting(mark))
    desk.tick()
    assert [step.id for step in desk.automation.runner.run(run.id).plan.steps] == ["act", "then"]
