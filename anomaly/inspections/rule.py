"""An inspection as a rule: values in, findings about lines out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from anomaly.arrivals import Arrived
from anomaly.findings import Finding, FindingState
from anomaly.inspections import finding as findings
from anomaly.inspections.inspection import Inspection
from anomaly.inspections.watch import InspectionTurn, InspectionWatch, Line, Turn
from anomaly.rules.refreshing import Refreshing
from anomaly.rules.rule import JUDGED_STEPS, Current, Report, Row, View, number
from collectors.model import Frame

MAX_PLACES = 100
"""Lines that fire shown of one inspection; the rest are counted."""


class InspectionRule:
    """Watches the lines of one expression against a threshold.

    Args:
        inspection: What is bad, and for how long it must be.
        step_ms: Length of a step.
    """

    kind = "inspections"

    def __init__(self, inspection: Inspection, step_ms: int) -> None:
        self._inspection = inspection
        self._step_ms = step_ms
        self._watch = InspectionWatch(inspection, step_ms)
        self._refreshing = Refreshing(step_ms)

    @property
    def name(self) -> str:
        """The name in its definition."""
        return self._inspection.name

    @property
    def expressions(self) -> Sequence[str]:
        """The one whose lines are looked at; none when it is switched off."""
        return (self._inspection.expr,) if self._inspection.enabled else ()

    @property
    def reach_ms(self) -> int:
        """As far as it must have been bad, and no less than what is judged again."""
        for_steps = math.ceil(self._inspection.for_s * 1_000 / self._step_ms)
        return (JUDGED_STEPS + for_steps) * self._step_ms

    @property
    def judged_ms(self) -> int:
        """As far as it reaches: what fires now began within it."""
        return self.reach_ms

    def take(self, answers: Mapping[str, Frame], arrived: Arrived) -> None:
        """Take the values of the next steps."""
        self._watch.take(answers.get(self._inspection.expr), arrived.window.steps)

    def mark(self) -> object:
        """Return where it stands."""
        return self._watch.mark()

    def back_to(self, mark: Any) -> None:
        """Stand where it stood."""
        self._watch.back_to(mark)

    def learn(self, first: int, last: int, time_ms: int) -> None:
        """Go through steps in silence: what was bad then counts."""
        for _ in self._watch.advance(first, last, time_ms):
            pass

    def advance(self, first: int, last: int, time_ms: int) -> Iterator[tuple[int, InspectionTurn]]:
        """Judge steps."""
        return self._watch.advance(first, last, time_ms)

    def report(
        self, transition: InspectionTurn, current: Current, *, time_ms: int, detected_ms: int
    ) -> Iterator[Report]:
        """Yield the finding of a line that fires, or did until now."""
        key = ("inspection", self.name, transition.group)
        scope = self._watch.groups.scopes[transition.group]
        known, inspection = current(key), self._inspection
        found: Finding | None = None
        match transition.turn:
            case Turn.FIRES | Turn.STILL_FIRES if known is None:
                found = findings.firing(
                    inspection, transition, scope, detected_ms=detected_ms, time_ms=time_ms
                )
            case Turn.FIRES | Turn.STILL_FIRES if known is not None:
                thawed = known.state is FindingState.FROZEN
                if thawed or self._refreshing.due(known, time_ms):
                    found = findings.updated(known, inspection, transition, scope, time_ms=time_ms)
            case Turn.FROZEN if known is not None:
                found = findings.frozen(known, time_ms=time_ms)
            case Turn.RECOVERED | Turn.GIVEN_UP if known is not None:
                given_up = transition.turn is Turn.GIVEN_UP
                found = findings.ended(
                    known, inspection, transition, given_up=given_up, time_ms=time_ms
                )
        if found is not None:
            yield Report(key=key, finding=found, group=scope)

    def view(self, faults: Mapping[str, str]) -> View:
        """Return what makes one row of the inspection, with the places where it fires."""
        one, columns = self._inspection, self._watch.columns
        scopes, updated_ms = list(self._watch.groups.scopes), self._watch.updated_ms
        refused = self._watch.groups.refused
        fault = faults.get(one.expr) or faults.get(one.name)

        def rows() -> list[Row]:
            state = _state(one, columns.state)
            firing = np.flatnonzero(np.isin(columns.state, (Line.FIRING, Line.FROZEN)))
            worst = sorted(firing.tolist(), key=lambda at: -abs(columns.value[at] - one.threshold))
            return [
                {
                    "name": one.name,
                    "group": one.group,
                    "title": one.title,
                    "state": state,
                    "scope": {},
                    "lines": int((columns.state != Line.GONE).sum()),
                    "firing": len(worst),
                    "places": [
                        {
                            "scope": dict(scopes[at]),
                            "value": number(float(columns.value[at])),
                            "since_ms": int(columns.since[at]) - self._step_ms,
                            "frozen": bool(columns.state[at] == Line.FROZEN),
                        }
                        for at in worst[:MAX_PLACES]
                    ],
                    "value": _worst(one, columns.value[columns.state != Line.GONE]),
                    "above": one.above,
                    "below": one.below,
                    "unit": one.unit,
                    "for_s": one.for_s,
                    "urgency": one.urgency.value,
                    "why": one.why,
                    "hint": one.hint,
                    "expr": one.expr,
                    "refused": refused,
                    "fault": fault,
                    "source": one.source,
                    "updated_ms": updated_ms,
                }
            ]

        return rows


def _worst(one: Inspection, values: np.ndarray[Any, np.dtype[np.float64]]) -> float | None:
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    return number(float(known.max() if one.above is not None else known.min()))


def _state(one: Inspection, lines: np.ndarray[Any, np.dtype[np.int8]]) -> str:
    """Return how an inspection is: never ok because nothing is measured."""
    if not one.enabled:
        return "muted"
    for line, word in ((Line.FIRING, "firing"), (Line.FROZEN, "firing"), (Line.PENDING, "pending")):
        if (lines == line).any():
            return word
    if (lines == Line.OK).any():
        return "ok"
    return "not measured" if len(lines) else "not applicable"
