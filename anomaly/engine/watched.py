"""One rule on its way through time: what feeds it, how far it is, and where it can go back to.

A rule goes back when data come late for steps that it has judged: it stands again where it stood
before them, and goes on from there with what is known now.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from anomaly.arrivals import ArrivalLog, Listened, listen
from anomaly.findings import Finding
from anomaly.rules.rule import Rule
from collectors.model import Frame
from collectors.stacklang.evaluation.streaming import Mark, StreamingEvaluator
from collectors.stacklang.lines.database import Database, Fetch, Window

_MARKS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Waypoint:
    """Where a rule stood after ``done_ms``, with what it had open then."""

    done_ms: int
    rule: Any
    standing: Mark
    findings: Mapping[Hashable, Finding]


@dataclass(slots=True)
class Watched:
    """A rule and its way.

    Args:
        rule: What is watched.
        step_ms: Length of a step.
        reach_ms: How far back it must be able to go.
    """

    rule: Rule[Any]
    step_ms: int
    reach_ms: int
    done_ms: int = 0
    findings: dict[Hashable, Finding] = field(default_factory=dict)
    listened: Mapping[str, Sequence[Listened]] = field(default_factory=dict)
    standing: StreamingEvaluator = field(init=False)
    _requests: dict[str, list[Fetch]] = field(init=False)
    _ways: deque[Waypoint] = field(init=False)

    def __post_init__(self) -> None:
        expressions = {expression: expression for expression in self.rule.expressions}
        self.standing = StreamingEvaluator(expressions, self.step_ms, tolerant=True)
        self._requests = {name: self.standing.requests(name) for name in self.standing.names}
        self._ways = deque(maxlen=_MARKS)

    @property
    def faults(self) -> dict[str, str]:
        """What is wrong with its expressions."""
        return {name: error.message for name, error in self.standing.errors.items()}

    def listen(self, database: Database, log: ArrivalLog, known: dict[Fetch, Listened]) -> None:
        """Find out when its data were last heard of; ``known`` is what was found out already."""
        for requests in self._requests.values():
            for request in requests:
                if request not in known:
                    known[request] = listen(database, log, request)
        self.listened = {
            name: [known[request] for request in requests]
            for name, requests in self._requests.items()
        }

    def heard(self) -> list[Listened]:
        """Return when its data were last heard of, whatever expression they are behind."""
        return [one for listened in self.listened.values() for one in listened]

    def evaluate(self, database: Database, window: Window) -> Mapping[str, Frame]:
        """Return what its expressions answer over the next steps."""
        return self.standing.advance_window(database, window)

    def leave_waypoint(self, *, due: bool = True) -> None:
        """Remember where it stands; if only ``due`` ones matter, once in its reach."""
        if due and self._ways and self.done_ms - self._ways[-1].done_ms < self.reach_ms:
            return
        self._ways.append(
            Waypoint(
                done_ms=self.done_ms,
                rule=self.rule.mark(),
                standing=self.standing.mark(),
                findings=dict(self.findings),
            )
        )

    def go_back(self, before_ms: int) -> Waypoint | None:
        """Stand where it stood before a step ended at ``before_ms``; None: nobody remembers."""
        while self._ways and self._ways[-1].done_ms >= before_ms:
            if len(self._ways) == 1 or self._ways[0].done_ms >= before_ms:
                return None
            self._ways.pop()
        if not self._ways:
            return None
        way = self._ways[-1]
        self.rule.back_to(way.rule)
        self.standing.back_to(way.standing)
        self.done_ms, self.findings = way.done_ms, dict(way.findings)
        return way
