"""The demo's measures and the library's queries, read by the real evaluation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from anomaly.testing import TableDatabase
from collectors.model import Frame
from collectors.stacklang.evaluation.batch import evaluate
from collectors.stacklang.lines.database import Window
from runbooks.automation.loading import BUILT_IN, load_library
from runbooks.automation.variables import checkable
from runbooks.incidents import commands as c
from runbooks.incidents.decisions.decide import decide
from runbooks.incidents.folding import fold
from runbooks.incidents.incident import ImpactInterval
from runbooks.incidents.states import Severity
from runbooks.postmortem.impact import figures
from runbooks.postmortem.impact_loading import load_measures
from tests.runbooks.room import MakeFinding

STEP_MS = 5_000
ONSET_MS = 1_700_000_000_000
END_MS = ONSET_MS + 100_000
IMPACT = Path(__file__).parents[3] / "demo_stack/ops/impact.yaml"
QUERIES = [
    (runbook.name, step.id, checkable(step.query))
    for runbook in load_library(BUILT_IN)
    for step in (*runbook.diagnose, *runbook.steps)
    if step.query
]


class Evaluated:
    """Reads through the real evaluation."""

    def __init__(self, database: TableDatabase) -> None:
        self._database = database

    def read(self, expression: str, start_ms: int, end_ms: int) -> Frame:
        window = Window(
            start_ms=-(-start_ms // STEP_MS) * STEP_MS,
            end_ms=end_ms // STEP_MS * STEP_MS,
            step_ms=STEP_MS,
        )
        return evaluate(expression, self._database, window)


@pytest.fixture
def database() -> TableDatabase:
    """Ten starts a second in each region; in one of them four of ten fail during the impact."""
    table = TableDatabase(STEP_MS)
    for time_ms in range(ONSET_MS - 600_000, END_MS + 60_001, STEP_MS):
        during = ONSET_MS < time_ms <= END_MS
        for region in ("us-east-1", "eu-west-1"):
            failing = 4.0 if during and region == "us-east-1" else 0.0
            tags = {"name": "stream.starts", "cloud.region": region}
            table.put(tags | {"outcome": "success"}, time_ms, 10.0 - failing)
            table.put(tags | {"outcome": "failure"}, time_ms, failing)
    return table


def test_the_demos_measures_by_hand(database: TableDatabase, make_finding: MakeFinding) -> None:
    """4 a second for 100 s in one region: 400 failed, 400 lost, and their share of the budget."""
    command = c.Open(
        incident_id="inc-1", finding=make_finding(), severity=Severity.SEV2, why="it pages"
    )
    opened = fold(decide(None, command, ONSET_MS + 10_000))
    interval = ImpactInterval(start_ms=ONSET_MS, end_ms=END_MS)
    incident = replace(opened, impact=(interval,))
    found = figures(load_measures(IMPACT), incident, Evaluated(database), END_MS)
    assert [figure.value for figure in found] == [
        pytest.approx(400.0),
        pytest.approx(400.0),
        pytest.approx(400.0 / (0.001 * 10.0 * 43_200)),
    ]
    assert all("measured 100 %" in figure.note for figure in found)


@pytest.mark.parametrize(("runbook", "step", "query"), QUERIES)
def test_every_query_of_the_library_can_be_evaluated(
    database: TableDatabase, runbook: str, step: str, query: str
) -> None:
    """A query that people copy at night must work."""
    frame = Evaluated(database).read(query, ONSET_MS, END_MS)

    assert frame.values.shape[1] > 0
