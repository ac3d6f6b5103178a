"""What lasts is not the new normal while users suffer: the objective's word holds relearning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anomaly.engine.engine import Engine
from anomaly.findings import FindingState
from anomaly.rules.detector_reader import read_rules
from anomaly.rules.detector_rule import DetectorRule
from anomaly.rules.objective_rule import ObjectiveRule
from anomaly.rules.rule import Rule
from anomaly.suffering import Period
from anomaly.testing import FindingList
from collectors.clock import ManualClock
from collectors.model import Batch
from collectors.store.metric_store import MetricStore
from tests.anomaly.engine.test_late_data import START_MS, STEP_MS, objective

DETECTOR = """\
apiVersion: tocsin/v1
kind: Detector
metadata: {name: starts}
spec:
  expr: name,total,:eq,:sum
  group_by: [zone]
  detector: level
  direction: low
  urgency: page
  relearn_steps: 30
  scope: {service.name: SERVICE}
"""


class Town:
    """A store, and an engine with an objective of the service shop and a detector."""

    def __init__(self, path: Path, service: str) -> None:
        self.path, self.clock = path, ManualClock(START_MS)
        (self.definition,) = read_rules(DETECTOR.replace("SERVICE", service), file="x.yaml")
        self.counts = {"good": 0.0, "total": 0.0}
        self.sink = FindingList()
        self.open()

    def open(self) -> None:
        self.store = MetricStore.open(
            self.path, step_ms=STEP_MS, hot_window_ms=7_200_000, clock=self.clock
        )
        # The detector stands first: who suffers must be known to it all the same.
        rules: list[Rule[Any]] = [
            DetectorRule(self.definition, STEP_MS),
            ObjectiveRule(replace(objective(), period_s=2_592_000), STEP_MS),
        ]
        self.sink.received.clear()
        self.engine = Engine(
            self.store, rules, [self.sink], self.clock, STEP_MS, arrivals=self.store
        )

    def go(self, steps: int, *, rate: float, good: float) -> None:
        for _ in range(steps):
            self.clock.advance_ms(STEP_MS)
            self.counts["total"] += rate * STEP_MS / 1_000
            self.counts["good"] += good * rate * STEP_MS / 1_000
            names = list(self.counts)
            self.store.write(
                Batch(
                    series=[
                        {"name": n, "zone": "a", "atlas.dstype": "counter", "job": "x"}
                        for n in names
                    ],
                    series_index=np.arange(2, dtype=np.int32),
                    time_ms=np.full(2, self.clock.now_ms(), dtype=np.int64),
                    value=np.array([self.counts[name] for name in names]),
                )
            )
            self.engine.tick(self.clock.now_ms())

    def restart(self) -> None:
        self.store.close()
        self.open()
        self.engine.tick(self.clock.now_ms())

    def starts(self) -> list[tuple[str, bool, str]]:
        found = [f for f in self.engine.findings(resolved=True) if f.rule == "detector/starts"]
        return [(f.state.value, f.given_up, f.explanation) for f in found]


@pytest.mark.parametrize(("service", "held"), [("shop", True), ("other", False)])
def test_relearning_waits_for_the_objective_of_the_same_service(
    tmp_path: Path, service: str, held: bool
) -> None:
    """An outage that lasts would be learned, its finding end, and nothing watch any more."""
    town = Town(tmp_path, service)
    town.go(60, rate=100.0, good=1.0)
    town.go(60, rate=50.0, good=0.0)
    ((state, given_up, words),) = town.starts()
    assert (state, given_up) == (("firing", False) if held else ("resolved", True))
    if not held:
        return
    assert "is not while users suffer: Shop" in words
    town.restart()
    ((state, _, words),) = town.starts()
    assert state == FindingState.FIRING.value
    assert "is not while users suffer: Shop" in words
    # Users are well again, and it stays as it is: now it may be taken as normal, and says so.
    town.go(500, rate=50.0, good=1.0)
    ((state, given_up, words),) = town.starts()
    assert (state, given_up) == ("resolved", True)
    assert "taken as normal" in words
    town.store.close()


def test_when_it_would_become_normal_is_announced(tmp_path: Path) -> None:
    """Nobody should learn from silence that a state was taken as normal."""
    town = Town(tmp_path, "other")
    town.go(60, rate=100.0, good=1.0)
    town.go(10, rate=50.0, good=1.0)
    ((_, _, words),) = town.starts()
    assert "If it lasts until" in words
    town.store.close()


@pytest.mark.parametrize(
    ("period", "scope", "expected"),
    [
        ({"service.name": "a"}, {"service.name": "a", "zone": "x"}, True),
        ({"service.name": "a"}, {"service.name": "b"}, False),
        ({"service.name": "a", "zone": "y"}, {"service.name": "a", "zone": "x"}, False),
        ({"service.name": "a", "zone": "x"}, {"zone": "x"}, True),
        ({"service.name": "a", "zone": "x"}, {}, False),
        ({"service.name": "a"}, {"zone": "x"}, False),
    ],
)
def test_a_scope_is_concerned_by_what_is_suffered_in_the_same_place(
    period: dict[str, str], scope: dict[str, str], expected: bool
) -> None:
    """Held everywhere nothing would ever be learned; held nowhere an outage becomes normal."""
    found = Period(scope=period, title="t", first_ms=0, last_ms=None)
    assert found.concerns(scope) is expected
