"""A kind of rules is one file and one line of registration: here is one that nobody foresaw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from anomaly.api.routes import anomaly_routes
from anomaly.arrivals import Arrived
from anomaly.engine.engine import Engine
from anomaly.findings import FindingState
from anomaly.kinds.table import RULE_KINDS, RuleKind
from anomaly.kinds.testing import load_rules
from anomaly.rules.rule import Current, Report, Row, View
from anomaly.testing import FindingList, TableDatabase, example_finding
from collectors.clock import ManualClock
from collectors.documents.nodes import Place
from collectors.documents.section import Context
from collectors.errors import ConfigError
from collectors.model import FloatArray, Frame

STEP_MS = 5_000
START_MS = 1_700_000_000_000
EXPRESSION = "name,queue,:eq,:sum"


class CeilingRule:
    """Fires while a value lies over a fixed number; a whole kind of rule."""

    kind = "ceilings"
    expressions = (EXPRESSION,)

    def __init__(self, name: str, ceiling: float, step_ms: int) -> None:
        self.name = name
        self.reach_ms, self.judged_ms = 100 * step_ms, 50 * step_ms
        self._step_ms = step_ms
        self.learned = 0
        self._ceiling = ceiling
        self._values: FloatArray = np.zeros(0)
        self._over = False

    def take(self, answers: Mapping[str, Frame], arrived: Arrived) -> None:
        frame = answers.get(EXPRESSION)
        nothing = np.full(arrived.window.steps, np.nan)
        self._values = nothing if frame is None or not len(frame.values) else frame.values[0]

    def mark(self) -> bool:
        return self._over

    def back_to(self, mark: bool) -> None:
        self._over = mark

    def learn(self, first: int, last: int, time_ms: int) -> None:
        del time_ms
        self.learned += last - first

    def advance(self, first: int, last: int, time_ms: int) -> Iterator[tuple[int, float]]:
        for step in range(first, last):
            value = float(self._values[step])
            over, self._over = self._over, value > self._ceiling
            if over or self._over:
                yield time_ms + (step - first) * self._step_ms, value

    def report(
        self, transition: float, current: Current, *, time_ms: int, detected_ms: int
    ) -> Iterator[Report]:
        known = current(self.name)
        firing = transition > self._ceiling
        yield Report(
            key=self.name,
            finding=example_finding(
                id=known.id if known else f"ceiling/{self.name}/{time_ms}",
                rule=f"ceiling/{self.name}",
                state=FindingState.FIRING if firing else FindingState.RESOLVED,
                title=f"{self.name} is over {self._ceiling:g}",
                started_ms=known.started_ms if known else time_ms,
                detected_ms=known.detected_ms if known else detected_ms,
                updated_ms=time_ms,
                ended_ms=None if firing else time_ms,
                observed=transition,
            ),
        )

    def view(self, faults: Mapping[str, str]) -> View:
        row: Row = {"name": self.name, "over": self._over, "fault": faults.get(EXPRESSION)}
        return lambda: [row]


def read_ceiling(text: str, file: str) -> float:
    """Read a document that is nothing but the number."""
    try:
        return float(text)
    except ValueError as error:
        place = Place(file=file, line=1)
        raise place.error(f"must be a number, got {text!r}") from error


def load_ceilings(directory: Path, context: Context) -> Sequence[tuple[str, float]]:
    """Return the names and numbers of all documents."""
    del context
    files = sorted(directory.glob("*.yaml"))
    return [(file.stem, read_ceiling(file.read_text(), str(file))) for file in files]


CEILINGS = RuleKind(
    name=CeilingRule.kind,
    document="ceiling",
    configures="What must not be exceeded.",
    shapes=lambda: (),
    load=load_ceilings,
    make=lambda ceiling, step_ms: CeilingRule(*ceiling, step_ms),
)
KINDS = (*RULE_KINDS, CEILINGS)


class World:
    """An engine over a directory with a ceiling, and the values of one queue."""

    def __init__(self, directory: Path) -> None:
        (directory / "ceilings").mkdir()
        (directory / "ceilings" / "queue.yaml").write_text("10")
        self.rules = load_rules(directory, STEP_MS, KINDS)
        self.database, self.sink = TableDatabase(STEP_MS), FindingList()
        self.clock = ManualClock(START_MS)
        self.engine = Engine(self.database, self.rules, [self.sink], self.clock, STEP_MS)

    def put(self, step: int, value: float) -> None:
        self.database.put({"name": "queue"}, START_MS + step * STEP_MS, value)

    def tick(self, step: int) -> None:
        self.clock.set_ms(START_MS + step * STEP_MS + 700)
        self.engine.tick(START_MS + step * STEP_MS)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_its_findings_open_and_end_like_all_others(world: World) -> None:
    """The engine would have to learn of a kind otherwise."""
    for step, value in enumerate([3.0, 12.0, 15.0, 4.0]):
        world.put(step, value)
        world.tick(step)

    opened, resolved = world.sink.received
    assert (opened.state, resolved.state) == (FindingState.FIRING, FindingState.RESOLVED)
    assert (opened.started_ms, resolved.ended_ms) == (START_MS + STEP_MS, START_MS + 3 * STEP_MS)
    assert opened.detected_ms == START_MS + STEP_MS + 700
    assert world.engine.findings() == ()
    assert [finding.id for finding in world.engine.findings(resolved=True)] == [opened.id]


def test_a_start_learns_what_is_old_and_judges_what_is_recent(world: World) -> None:
    """Silently: sinks hear of what is open now, not of what was over."""
    for step in range(-90, 1):
        world.put(step, 20.0 if step in (-70, -30) or step > -4 else 1.0)
    world.tick(0)

    (rule,) = world.rules
    assert isinstance(rule, CeilingRule)
    assert rule.learned == 41
    assert [finding.started_ms for finding in world.sink.received] == [START_MS - 3 * STEP_MS]
    assert {f.started_ms for f in world.engine.findings(resolved=True)} == {
        START_MS - 30 * STEP_MS,
        START_MS - 3 * STEP_MS,
    }


def test_its_state_is_shown_beside_the_others(world: World) -> None:
    """Under its own name, without an edit of the API; the other kinds are there and empty."""
    world.put(0, 99.0)
    world.tick(0)
    client = TestClient(Starlette(routes=anomaly_routes(world.engine, KINDS)))

    assert client.get("/api/v2/ceilings").json() == {
        "ceilings": [{"name": "queue", "over": True, "fault": None}]
    }
    assert client.get("/api/v2/slos").json() == {"slos": []}
    assert client.get("/api/v2/detectors").json() == {"detectors": []}


def test_its_documents_are_read_with_the_others(world: World, tmp_path: Path) -> None:
    """A mistake is found at a start, without an edit of what reads the others."""
    (tmp_path / "ceilings" / "high.yaml").write_text("ten")

    with pytest.raises(
        ConfigError, match=r"high\.yaml:1: \(document\): must be a number, got 'ten'"
    ):
        load_rules(tmp_path, STEP_MS, KINDS)
