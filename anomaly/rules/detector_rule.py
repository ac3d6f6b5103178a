"""A detector over the lines of an expression as a rule: values in, findings about series out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

from anomaly.arrivals import Arrived
from anomaly.detectors.detector import Phase
from anomaly.findings import Finding
from anomaly.rules.detector_definition import DetectorDefinition
from anomaly.rules.detector_finding import (
    anomaly_finding,
    came_back,
    frozen,
    missing_finding,
    resolved,
    updated,
)
from anomaly.rules.detector_watch import DetectorWatch, SeriesTransition, Turn, WatchMark
from anomaly.rules.refreshing import Refreshing
from anomaly.rules.rule import JUDGED_STEPS, Current, Report, Row, View, number
from anomaly.suffering import Suffering
from collectors.model import Frame

MAX_SUFFERED_MS = 3 * 86_400_000
"""At a start no more of the past than this is judged for the sake of what lasts."""


class DetectorRule:
    """Watches the lines of one expression.

    Args:
        definition: What is watched, and how.
        step_ms: Length of a step.
    """

    kind = "detectors"

    def __init__(self, definition: DetectorDefinition, step_ms: int) -> None:
        self._definition = definition
        self._step_ms = step_ms
        self._watch = DetectorWatch(definition, step_ms)
        self._refreshing = Refreshing(step_ms)
        self._suffering = Suffering()

    @property
    def name(self) -> str:
        """The name in its definition."""
        return self._definition.name

    def heed(self, suffering: Suffering) -> None:
        """Get used to nothing in a place while users suffer there."""
        self._suffering = suffering
        self._watch.heed(suffering)

    @property
    def expressions(self) -> Sequence[str]:
        """The one whose lines are watched, and that of how many they are a part."""
        both = (self._definition.expr, self._definition.of)
        return both if self._definition.of else both[:1]

    @property
    def reach_ms(self) -> int:
        """As far as the detector must have learned, and no less than what is judged again."""
        learned_ms = self._definition.parameters.reach_steps * self._step_ms
        return max(self.judged_ms, learned_ms + self._suffered_ms)

    @property
    def judged_ms(self) -> int:
        """An hour or so: what has lasted longer is about to be learned afresh.

        Unless users suffer: then it is judged by what was usual before.
        """
        return JUDGED_STEPS * self._step_ms + self._suffered_ms

    @property
    def _suffered_ms(self) -> int:
        lasting_ms = self._suffering.lasting_ms(self._definition.scope)
        return min(MAX_SUFFERED_MS, -(-lasting_ms // self._step_ms) * self._step_ms)

    def take(self, answers: Mapping[str, Frame], arrived: Arrived) -> None:
        """Take the values of the next steps."""
        of = answers.get(self._definition.of) if self._definition.of else None
        self._watch.take(answers.get(self._definition.expr), arrived.blind, of)

    def mark(self) -> WatchMark:
        """Return where it stands."""
        return self._watch.mark()

    def back_to(self, mark: WatchMark) -> None:
        """Stand where it stood."""
        self._watch.back_to(mark)

    def learn(self, first: int, last: int, time_ms: int) -> None:
        """Let the detector learn from steps if it needs more than those that are judged."""
        if self._definition.parameters.reach_steps:
            deque(self._watch.advance(first, last, time_ms), maxlen=0)

    def advance(
        self, first: int, last: int, time_ms: int
    ) -> Iterator[tuple[int, SeriesTransition]]:
        """Judge steps."""
        return self._watch.advance(first, last, time_ms)

    def report(
        self, transition: SeriesTransition, current: Current, *, time_ms: int, detected_ms: int
    ) -> Iterator[Report]:
        """Yield what ``transition`` says of the series' data, then of its anomaly."""
        if transition.turn is Turn.WENT_MISSING:
            yield from self._went_missing(transition, time_ms, detected_ms)
        elif transition.turn is Turn.CAME_BACK:
            key = ("no-data", self.name, transition.group)
            missing = current(key)
            if missing is not None:
                yield Report(key=key, finding=came_back(missing, time_ms=time_ms))
        key = ("detector", self.name, transition.group)
        finding = self._anomaly(transition, current(key), time_ms, detected_ms)
        if finding is not None:
            group = self._watch.groups.scopes[transition.group]
            yield Report(
                key=key,
                finding=finding,
                evidence=self._definition.evidence,
                group=group,
                settle_ms=self._definition.settle_ms,
            )

    def _went_missing(
        self, transition: SeriesTransition, time_ms: int, detected_ms: int
    ) -> Iterator[Report]:
        urgency = self._definition.when_missing
        if urgency is None:
            return
        finding = missing_finding(
            self._definition,
            urgency,
            transition,
            self._watch.groups.scopes[transition.group],
            detected_ms=detected_ms,
            time_ms=time_ms,
            step_ms=self._step_ms,
        )
        yield Report(key=("no-data", self.name, transition.group), finding=finding)

    def _anomaly(
        self,
        transition: SeriesTransition,
        known: Finding | None,
        time_ms: int,
        detected_ms: int,
    ) -> Finding | None:
        """Return the finding of a series as it stands after ``transition``; None to leave it."""
        definition, group = self._definition, self._watch.groups.scopes[transition.group]
        if known is None:
            if transition.turn is not Turn.WENT_WRONG:
                return None
            return anomaly_finding(
                definition, transition, group, detected_ms=detected_ms, time_ms=time_ms
            )
        if transition.turn is Turn.WENT_MISSING:
            return frozen(known, time_ms=time_ms)
        if transition.turn is Turn.RECOVERED:
            return resolved(known, definition, transition, time_ms=time_ms)
        if isfinite(transition.value) and self._refreshing.due(known, time_ms):
            return updated(known, definition, transition, group, time_ms=time_ms)
        return None

    def view(self, faults: Mapping[str, str]) -> View:
        """Return what makes one row for each series; none before the first step."""
        definition, scores = self._definition, self._watch.scores
        if scores is None:
            return list
        head: Row = {
            "name": definition.name,
            "display_name": definition.display_name,
            "detector": definition.detector,
            "expr": definition.expr,
            "unit": definition.unit,
            "updated_ms": self._watch.updated_ms,
            "fault": faults.get(definition.expr) or faults.get(definition.name),
            "refused": self._watch.groups.refused,
        }
        values, scopes = self._watch.values, self._watch.groups.scopes[: len(scores.phase)]
        return lambda: [
            {
                **head,
                "scope": {**definition.scope, **scope},
                "state": Phase(int(scores.phase[group])).name.lower(),
                "value": number(float(values[group])),
                "expected": number(float(scores.expected[group])),
                "noise": number(float(scores.scale[group])),
                "score": number(float(scores.score[group])),
            }
            for group, scope in enumerate(scopes)
        ]
