"""The log on disk: what was acknowledged survives kill -9, and two writers can't collide."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from anomaly.findings import NearChange, Relation, Suspect
from collectors.errors import ConfigError, ConflictError, StorageError
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.commands import Note
from runbooks.incidents.database import open_database
from runbooks.incidents.finding_codec import finding_from_json, finding_to_json
from runbooks.incidents.folding import fold
from runbooks.incidents.store import EventStore, append
from tests.runbooks.room import MakeDesk, MakeFinding

EVERY_DATABASE = True

_LATER = {"suspects", "explained_by", "lines"}
WRITER = """
    import sys
    from anomaly.findings import Finding, FindingKind, FindingState, Urgency
    from collectors.clock import SystemClock
    from runbooks.paging.routing import Routes
    from runbooks.incidents.commands import Note, Open
    from runbooks.incidents.database import open_database
    from runbooks.incidents.states import Severity
    from runbooks.desk.ledger import Ledger

    finding = Finding(
        id="f", rule="r", kind=FindingKind.ANOMALY, state=FindingState.FIRING,
        urgency=Urgency.PAGE, title="t", explanation="e", scope={}, started_ms=1, detected_ms=1,
        updated_ms=1, ended_ms=None, expression="x", window_ms=1, observed=1.0, baseline=None,
        unit="1/s",
    )
    ledger = Ledger(open_database(sys.argv[1]), Routes(), SystemClock())
    incident = ledger.open(
        lambda id: [Open(incident_id=id, finding=finding, severity=Severity.SEV3, why="w")]
    )
    number = 0
    while True:
        ledger.execute(incident.id, Note(text=str(number), actor="ann"))
        print(number, flush=True)
        number += 1
"""


@pytest.mark.processes
@pytest.mark.patient
def test_kill_9_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """Whatever a writer has reported done is there after it was killed, and the log is whole."""
    url = f"sqlite:///{tmp_path}/incidents.db"
    command = [sys.executable, "-c", textwrap.dedent(WRITER), url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(40)]
        process.kill()
        acknowledged += [int(line) for line in process.stdout.read().splitlines()]
    engine = open_database(url)
    [log] = EventStore(engine).logs()
    fold(log)
    notes = [int(event.text) for event in log if event.kind == "note"]
    assert notes == list(range(len(notes)))
    assert set(acknowledged) <= set(notes)
    engine.dispose()


def test_two_writers_cannot_append_the_same_event(
    desk: IncidentDesk, make_finding: MakeFinding
) -> None:
    """The second of two that saw the same state is told to read again."""
    desk.receive(make_finding())
    desk.tick()
    [incident] = desk.ledger.incidents()
    log = desk.ledger.events(incident.id)
    with pytest.raises(ConflictError, match="changed in the meantime"), desk.engine.begin() as held:
        append(held, log[-1:])
    assert desk.ledger.events(incident.id) == log


def test_another_process_wrote_first(make_desk: MakeDesk, make_finding: MakeFinding) -> None:
    """A command that meets a log gone on is carried out on what is there now."""
    one = make_desk()
    one.receive(make_finding())
    one.tick()
    other = make_desk()
    [incident] = one.ledger.incidents()
    other.execute(incident.id, Note(text="first", actor="ann"))
    one.execute(incident.id, Note(text="second", actor="bob"))
    texts = [event.text for event in one.ledger.events(incident.id)]
    assert texts[-2:] == ["first", "second"]


def test_findings_survive_json(make_finding: MakeFinding) -> None:
    """What goes into the log comes out the same, numbers that JSON lacks as none."""
    suspect = Suspect(
        service="db", share=0.5, reason="fails", path=("shop", "db"), against=("only 4 times",)
    )
    change = NearChange(
        id="c",
        time_ms=1,
        kind="deploy",
        summary="Deployed",
        service="db",
        scope={"service.name": "db"},
        url="",
        relation=Relation.SAME_SERVICE,
        before_ms=3,
        why="a bound is gone",
    )
    finding = make_finding(
        ended_ms=5,
        baseline=None,
        exemplar_trace_ids=("a", "b"),
        suspects=(suspect,),
        explained_by={"cdn": "5"},
        changes=(change,),
    )
    assert finding_from_json(finding_to_json(finding)) == finding
    older = {k: v for k, v in finding_to_json(finding).items() if k not in _LATER}
    assert finding_from_json(older) == replace(finding, suspects=(), explained_by={})
    assert finding_to_json(make_finding(observed=float("nan")))["observed"] is None


@pytest.mark.parametrize(
    ("url", "error"),
    [("incidents.db", ConfigError), ("sqlite:////proc/no/incidents.db", StorageError)],
)
def test_databases_that_cannot_be_opened(url: str, error: type[Exception]) -> None:
    """A wrong URL and an unusable place are told apart."""
    with pytest.raises(error, match="incident database"):
        open_database(url)
