"""One rule on its way through time: what feeds it, how far it is, and where it can go back to.

A rule goes back when data come late for steps that it has judged: it stands again where it stood
before them, and goes on from there with what is known now.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from anomaly.arrivals import ArrivalLog, Listened
from anomaly.findings import Finding
from anomaly.promql.standing import Standing
from anomaly.rules.rule import Rule
from collectors.model import Frame
from collectors.stacklang.evaluation.streaming import Mark
from collectors.stacklang.lines.database import Database, Fetch, Window

_FAR, _NEAR = 2, 3
_NEAR_STEPS = 6

MAX_OFTEN_MARKED = 20_000
"""What is known of more series than these is too much to be copied every few steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waypoint:
    """Where a rule stood after ``done_ms``, with what it had open then."""

    done_ms: int
    rule: Any
    standing: Mark
    findings: Mapping[Hashable, Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCost:
    """What judging the present by a rule has cost since the start.

    Attributes:
        kind: Of the rule.
        name: Of the rule.
        spent_s: Time in all, seconds.
        steps: Steps that it judged for that.
        series: Series that it heard at last.
    """

    kind: str
    name: str
    spent_s: float
    steps: int
    series: int

    @property
    def a_step_s(self) -> float:
        """Seconds that a step costs, 0 before the first."""
        return self.spent_s / self.steps if self.steps else 0.0


@dataclass(slots=True)
class Watched:
    """A rule and its way.

    Args:
        rule: What is watched.
        step_ms: Length of a step.
        reach_ms: How far back it must be able to go.
        samples: The database, for queries in PromQL.
    """

    rule: Rule[Any]
    step_ms: int
    reach_ms: int
    samples: object = None
    done_ms: int = 0
    findings: dict[Hashable, Finding] = field(default_factory=dict)
    listened: Mapping[str, Sequence[Listened]] = field(default_factory=dict)
    standing: Standing = field(init=False)
    spent_s: float = 0.0
    steps: int = 0
    _far: deque[Waypoint] = field(init=False)
    _near: deque[Waypoint] = field(init=False)

    def __post_init__(self) -> None:
        self.standing = Standing(self.rule.expressions, self.step_ms, self.samples)
        self._far, self._near = deque(maxlen=_FAR), deque(maxlen=_NEAR)

    @property
    def faults(self) -> dict[str, str]:
        """What is wrong with its expressions."""
        return {name: error.message for name, error in self.standing.errors.items()}

    @property
    def cost(self) -> RuleCost:
        """What it has cost; what rules share is told of the one that asked first."""
        return RuleCost(
            kind=self.rule.kind,
            name=self.rule.name,
            spent_s=self.spent_s,
            steps=self.steps,
            series=sum(len(one.heard.series) for one in self.heard()),
        )

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Count the time within as this rule's."""
        began_s = time.perf_counter()
        try:
            yield
        finally:
            self.spent_s += time.perf_counter() - began_s

    def listen(self, database: Database, log: ArrivalLog, known: dict[Fetch, Listened]) -> None:
        """Find out when its data were last heard of; ``known`` is what was found out already."""
        self.listened = self.standing.listened(database, log, known)

    def heard(self) -> list[Listened]:
        """Return when its data were last heard of, whatever expression they are behind."""
        return [one for listened in self.listened.values() for one in listened]

    def evaluate(self, database: Database, window: Window) -> Mapping[str, Frame]:
        """Return what its expressions answer over the next steps."""
        return self.standing.advance_window(database, window)

    def leave_waypoint(self, *, due: bool = True) -> None:
        """Remember where it stands; if only ``due`` ones matter, once in its reach.

        Most of what comes late is late by a step or two, so that there are a few nearer ones, where
        it costs little to remember.
        """
        if not due or not self._far or self.done_ms - self._far[-1].done_ms >= self.reach_ms:
            self._far.append(self._waypoint())
        elif self._may_go_back_often and (
            not self._near or self.done_ms - self._near[-1].done_ms >= self.near_ms
        ):
            self._near.append(self._waypoint())

    @property
    def near_ms(self) -> int:
        """How far the nearer waypoints are apart."""
        return _NEAR_STEPS * self.step_ms

    def go_back(self, before_ms: int) -> Waypoint | None:
        """Stand where it stood before a step ended at ``before_ms``; None: nobody remembers."""
        earlier = [way for way in (*self._far, *self._near) if way.done_ms < before_ms]
        if not earlier:
            return None
        way = max(earlier, key=lambda one: one.done_ms)
        # What was remembered later is of a course that is another now.
        for ways in (self._far, self._near):
            while ways and ways[-1].done_ms > way.done_ms:
                ways.pop()
        self.rule.back_to(way.rule)
        self.standing.back_to(way.standing)
        self.done_ms, self.findings = way.done_ms, dict(way.findings)
        return way

    @property
    def _may_go_back_often(self) -> bool:
        return 0 < sum(len(one.heard.series) for one in self.heard()) <= MAX_OFTEN_MARKED

    def _waypoint(self) -> Waypoint:
        return Waypoint(
            done_ms=self.done_ms,
            rule=self.rule.mark(),
            standing=self.standing.mark(),
            findings=dict(self.findings),
        )
