"""The people's half of the server as a process that can be killed: desk, Slack, war rooms.

It is told what fires by a file, as the engine tells the desk over and over what it sees.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from anomaly.findings import FindingState
from anomaly.testing import example_finding
from collectors.clock import SystemClock
from runbooks.desk.desk import IncidentDesk
from runbooks.notifiers.card import Links
from runbooks.notifiers.console import ConsoleNotifier
from runbooks.notifiers.settling import load_notifiers
from runbooks.notifiers.slack import NOTIFIER, SlackParameters
from runbooks.paging.routing import Routes, Target
from runbooks.postmortem.flat_metrics import FlatMetrics
from runbooks.slack.opening import answer_slack

TELL_EVERY_S = 0.3


def main(directory: Path) -> None:
    """Run until killed; prints ``ready`` once."""
    parameters = load_notifiers(directory / "notifiers.yaml")["slack"]
    if not isinstance(parameters, SlackParameters):
        raise TypeError(parameters)
    slack = NOTIFIER.make(parameters)
    if slack is None:
        raise ValueError("Slack is not set up")
    desk = IncidentDesk(
        database_url=f"sqlite:///{directory}/incidents.db",
        clock=SystemClock(),
        notifiers=[slack, ConsoleNotifier()],
        routes=Routes(default=(Target(notifier=slack.name, channel="incidents"),)),
        library=(),
        edges=set,
        metrics=FlatMetrics(before=0.0, after=0.0, onset_ms=0),
        measures=(),
        links=Links(dashboard_url="http://127.0.0.1:8501", api_url="http://127.0.0.1:7101"),
        post_mortem_dir=directory / "post-mortems",
    )
    answer_slack(desk, parameters)
    desk.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        _tell(desk, directory / "findings.json")
        threading.Event().wait(TELL_EVERY_S)


def _tell(desk: IncidentDesk, file: Path) -> None:
    now_ms = desk.clock.now_ms()
    for said in json.loads(file.read_text()):
        over = said["over_ms"]
        desk.receive(
            example_finding(
                id=f"campaign/{said['name']}",
                rule=f"campaign/{said['name']}",
                title=f"{said['name']} fails",
                scope={"service.name": said["name"]},
                started_ms=said["since_ms"],
                detected_ms=said["since_ms"],
                updated_ms=now_ms,
                ended_ms=over,
                state=FindingState.RESOLVED if over else FindingState.FIRING,
            )
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
