"""The life of an inspection's finding: for how long, frozen, over, given up; restarts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.arrivals import Arrived
from anomaly.findings import Finding, FindingState, Urgency
from anomaly.inspections.inspection import Inspection
from anomaly.inspections.rule import InspectionRule
from collectors.model import Frame
from collectors.stacklang.lines.database import Window

STEP_MS = 10_000
START_MS = 1_700_000_000_000
EXPR = "name,full,:eq,:max,(,host,),:by"
BAD, WELL, NONE = 0.95, 0.2, math.nan
FULL = Inspection(
    name="full",
    group="own",
    title="It is full",
    expr=EXPR,
    group_by=("host",),
    above=0.9,
    below=None,
    unit="ratio",
    for_s=60.0,
    urgency=Urgency.TICKET,
    why="It matters.",
    hint="Empty it.",
)


class Life:
    """One inspection and what it has told."""

    def __init__(self) -> None:
        self.rule = InspectionRule(FULL, STEP_MS)
        self.known: dict[object, Finding] = {}
        self.told: list[Finding] = []
        self.steps = 0

    def live(self, *values: float, host: str = "a") -> list[FindingState]:
        """Let steps pass with these values; return the states that were told of."""
        start_ms = START_MS + self.steps * STEP_MS
        self.steps += len(values)
        window = Window(
            start_ms=start_ms, end_ms=start_ms + (len(values) - 1) * STEP_MS, step_ms=STEP_MS
        )
        frame = Frame(
            start_ms=start_ms,
            step_ms=STEP_MS,
            tags=[{"host": host}],
            labels=[host],
            values=np.array([values]),
        )
        self.rule.take({EXPR: frame}, Arrived.everything(window))
        before = len(self.told)
        for time_ms, turn in self.rule.advance(0, len(values), start_ms):
            for report in self.rule.report(
                turn, self.known.get, time_ms=time_ms, detected_ms=time_ms
            ):
                self.told.append(report.finding)
                self.known[report.key] = report.finding
                if report.finding.state is FindingState.RESOLVED:
                    del self.known[report.key]
        return [finding.state for finding in self.told[before:]]

    @property
    def state(self) -> object:
        return self.rule.view({})()[0]["state"]


def test_it_must_be_bad_for_long_enough() -> None:
    """A peak of a few seconds would be told of."""
    life = Life()
    assert life.live(*[BAD] * 5) == []
    assert life.state == "pending"
    assert life.live(WELL, *[BAD] * 5) == []
    assert life.live(BAD) == [FindingState.FIRING]
    finding = life.told[0]
    assert finding.title == "It is full in a: 95 %"
    assert finding.explanation.endswith("It matters. What to do: Empty it.")
    assert "above 90 % for 1 min" in finding.explanation
    assert finding.expression == "name,full,:eq,:max,(,host,),:by,host,a,:eq,:cq"


def test_a_gap_neither_helps_nor_ends_it() -> None:
    """A restart of the exporter would begin the wait anew, or end what is still bad."""
    life = Life()
    life.live(BAD, BAD, BAD, NONE, BAD, BAD)
    assert life.live(BAD) == [FindingState.FIRING]
    assert FindingState.RESOLVED not in life.live(*[NONE] * 29)
    assert FindingState.FROZEN in life.live(NONE)
    assert life.state == "firing"
    assert life.live(BAD) == [FindingState.FIRING]


def test_it_ends_after_some_good_steps() -> None:
    """One good value among bad ones would close it and open it again."""
    life = Life()
    life.live(*[BAD] * 6)
    assert FindingState.RESOLVED not in life.live(WELL, WELL, BAD)
    assert life.live(WELL, WELL, WELL)[-1] is FindingState.RESOLVED
    assert not life.told[-1].given_up
    assert life.state == "ok"


def test_what_is_gone_for_good_is_given_up_and_said_so() -> None:
    """A host that was taken away would be full for ever; its end is no recovery."""
    life = Life()
    life.live(*[BAD] * 6)
    states = life.live(*[NONE] * 361)
    assert states[-1] is FindingState.RESOLVED
    assert life.told[-1].given_up
    assert "does not mean that it is well again" in life.told[-1].explanation
    assert life.state == "not measured"


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_infinities_are_not_measured(value: float) -> None:
    """A limit of 0 means none: a division by it is no alarm."""
    life = Life()
    assert life.live(*[value] * 20) == []


@given(
    values=st.lists(st.sampled_from([BAD, WELL, NONE]), min_size=1, max_size=60),
    cut=st.integers(0, 60),
)
def test_all_at_once_is_as_step_by_step(values: list[float], cut: int) -> None:
    """After a restart another set of findings would be open."""
    whole, parts = Life(), Life()
    whole.live(*values)
    for part in (values[:cut], values[cut:]):
        if part:
            parts.live(*part)
    assert set(whole.known) == set(parts.known)
    assert whole.state == parts.state
    assert [one.id for one in whole.told] == [one.id for one in parts.told]


def test_it_goes_back_to_where_it_stood() -> None:
    """Data that come late would be judged twice."""
    life, other = Life(), Life()
    life.live(*[BAD] * 4)
    other.live(*[BAD] * 4)
    mark = life.rule.mark()
    life.live(*[WELL] * 3)
    life.rule.back_to(mark)
    life.steps -= 3
    assert life.live(BAD, BAD) == other.live(BAD, BAD)
