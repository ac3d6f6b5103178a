"""A document that names no detector, from values to a finding that says why."""

from __future__ import annotations

import numpy as np
import pytest

from anomaly.arrivals import Arrived
from anomaly.findings import Finding, FindingState
from anomaly.rules.detector_reader import read_rules
from anomaly.rules.detector_rule import DetectorRule
from collectors.errors import DocumentError
from collectors.model import Frame
from collectors.stacklang.lines.database import Window

STEP_MS = 300_000
START_MS = 1_700_000_400_000 // STEP_MS * STEP_MS
FALL, BACK, STEPS = 900, 930, 1_000

DOCUMENT = """\
apiVersion: tocsin/v1
kind: Detector
metadata:
  name: queue
  displayName: Queue
spec:
  expr: name,queue.length,:eq,:max
  group_by: [queue]
  unit: "1"
"""


def findings(rule: DetectorRule) -> list[Finding]:
    """Every finding, as it was told, of a queue that is empty for a while."""
    values = np.random.default_rng(1).normal(100, 3, (1, STEPS))
    values[0, FALL:BACK] = 0.0
    frame = Frame(
        start_ms=START_MS,
        step_ms=STEP_MS,
        tags=[{"queue": "mail"}],
        labels=["queue=mail"],
        values=values,
    )
    window = Window(start_ms=START_MS, end_ms=START_MS + (STEPS - 1) * STEP_MS, step_ms=STEP_MS)
    rule.take({rule.expressions[0]: frame}, Arrived.everything(window))
    told: list[Finding] = []

    def newest(key: object) -> Finding | None:
        return told[-1] if told else None

    for time_ms, transition in rule.advance(0, STEPS, START_MS):
        reports = rule.report(transition, newest, time_ms=time_ms, detected_ms=time_ms)
        told.extend(report.finding for report in reports)
    return told


def test_a_document_that_names_no_detector_is_judged_by_novelty() -> None:
    """A line of which nobody knows anything would be watched by nobody."""
    (definition,) = read_rules(DOCUMENT, file="d.yaml")
    assert definition.detector == "novelty"
    first, *_, last = findings(DetectorRule(definition, STEP_MS))
    assert first.title == "Queue in mail fell to 0, expected 100"
    assert first.started_ms == START_MS + (FALL - 1) * STEP_MS
    assert first.detected_ms == START_MS + (FALL + 6) * STEP_MS
    assert "from what the novelty detector has learned" in first.explanation
    assert "as rare as one in 890" in first.explanation
    assert first.values["p_residual"] == pytest.approx(1 / 901, rel=0.02)
    assert last.state is FindingState.RESOLVED
    assert last.ended_ms == START_MS + (BACK + 2) * STEP_MS


def test_settings_of_other_detectors_are_refused_where_none_is_named() -> None:
    """A forgotten name would turn a rule about counts into another without a word."""
    with pytest.raises(DocumentError) as caught:
        read_rules(DOCUMENT + "  change_to: 0.3\n", file="d.yaml")
    assert caught.value.field == "spec.change_to"
    assert "is not a setting of novelty; it has direction, min_steps" in caught.value.reason


@pytest.mark.parametrize("name", ["half_life_steps", "anchor_half_lives"])
def test_settings_without_effect_are_refused(name: str) -> None:
    """Who sets them would believe that they do something."""
    with pytest.raises(DocumentError):
        read_rules(DOCUMENT + f"  {name}: 4\n", file="d.yaml")
