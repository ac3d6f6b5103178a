"""Learned health as a rule: figures of all services in, a finding for each that is red out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from anomaly.arrivals import Arrived
from anomaly.evidence.exemplars import Evidence
from anomaly.findings import Finding, FindingState, Urgency
from anomaly.health.definition import HealthDefinition
from anomaly.health.finding import ended, frozen, red_finding, updated
from anomaly.health.pace import Pace
from anomaly.health.reasons import Colour, Topic
from anomaly.health.saturation import Saturation
from anomaly.health.signals import Judged, Signals
from anomaly.health.sources import About, Source, saturation, sources
from anomaly.health.standing import Standing
from anomaly.health.verdict import Verdict
from anomaly.rules.refreshing import Refreshing
from anomaly.rules.rule import JUDGED_STEPS, Current, Report, View
from collectors.model import Frame

_GIVEN_UP_MS = 3_600_000
_CONFIRM_STEPS = 2
"""Who is red for one step alone, as those below it recover a step earlier, is not told of."""
# Bounds the memory of going through the past: some ten numbers for each thing and step.
_MAX_CELLS_AT_ONCE = 262_144


class Course(StrEnum):
    """What a red service came to in a step."""

    IS_RED = "is_red"
    UNKNOWN = "unknown"
    RECOVERED = "recovered"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthTurn:
    """What a service came to.

    Attributes:
        service: Its name.
        course: What happened.
        verdict: How it is; None when nobody knows of it any more.
        since_ms: When it became red.
        hurt: Services that are unwell because of it.
    """

    service: str
    course: Course
    verdict: Verdict | None
    since_ms: int
    hurt: tuple[str, ...] = ()


@dataclass(slots=True)
class _Red:
    """A service that is red, or was when it was last known."""

    since_ms: int
    known_ms: int


class HealthRule:
    """Watches every service that spans or metrics tell of.

    Args:
        definition: What a red service means.
        step_ms: Length of a step.
    """

    kind = "health"

    def __init__(self, definition: HealthDefinition, step_ms: int) -> None:
        self._definition = definition
        self._step_ms = step_ms
        self._pace = Pace.of(step_ms)
        self._signals = [Signals(source, self._pace) for source in sources()]
        self._saturation = Saturation(self._pace)
        self._refreshing = Refreshing(step_ms)
        self._red: dict[str, _Red] = {}
        self._reddening: dict[str, int] = {}
        self._standing = self._nothing()

    @property
    def name(self) -> str:
        """The name in its definition."""
        return self._definition.name

    @property
    def expressions(self) -> Sequence[str]:
        """All that any source asks."""
        asked = [one for signals in self._signals for one in signals.source.expressions]
        return (*dict.fromkeys(asked), saturation())

    @property
    def reach_ms(self) -> int:
        """As far as what is usual is learned from."""
        return max(JUDGED_STEPS, 4 * self._pace.half_life) * self._step_ms

    @property
    def judged_ms(self) -> int:
        """What is red now became so within this time."""
        return JUDGED_STEPS * self._step_ms

    def take(self, answers: Mapping[str, Frame], arrived: Arrived) -> None:
        """Take the values of the next steps."""
        for signals in self._signals:
            signals.take(answers, arrived.window.steps)
        self._saturation.take(answers, arrived.window.steps)

    def mark(self) -> object:
        """Return where it stands."""
        red = {name: (one.since_ms, one.known_ms) for name, one in self._red.items()}
        stood = [one.mark() for one in self._signals]
        return stood, self._saturation.mark(), red, dict(self._reddening), self._standing

    def back_to(self, mark: Any) -> None:
        """Stand where it stood."""
        stood, saturated, red, reddening, self._standing = mark
        self._reddening = dict(reddening)
        for signals, one in zip(self._signals, stood, strict=True):
            signals.back_to(one)
        self._saturation.back_to(saturated)
        self._red = {
            name: _Red(since_ms=since_ms, known_ms=known_ms)
            for name, (since_ms, known_ms) in red.items()
        }

    def learn(self, first: int, last: int, time_ms: int) -> None:
        """Learn what is usual from steps that were long ago."""
        for start, stop, start_ms in self._runs(first, last, time_ms):
            self._judge(start, stop, start_ms)

    def advance(self, first: int, last: int, time_ms: int) -> Iterator[tuple[int, HealthTurn]]:
        """Judge steps; only those in which anything is unusual cost more than learning."""
        for start, stop, start_ms in self._runs(first, last, time_ms):
            standing = self._judge(start, stop, start_ms)
            unusual = _unusual(standing)
            for step in range(stop - start):
                if unusual[step] or self._red or self._reddening:
                    now_ms = start_ms + step * self._step_ms
                    for turn in self._turns(standing.verdicts(step), now_ms):
                        yield now_ms, turn

    def report(
        self, transition: HealthTurn, current: Current, *, time_ms: int, detected_ms: int
    ) -> Iterator[Report]:
        """Yield the finding of a service that is red, or was until now."""
        key = ("health", transition.service)
        known, verdict = current(key), transition.verdict
        finding = self._finding(transition, known, time_ms, detected_ms)
        if finding is not None:
            failing = verdict is not None and any(
                one.symptom is Topic.ERRORS for one in verdict.reasons
            )
            slow_ms = None if failing else 0.0
            evidence = Evidence(errors=failing, min_duration_ms=slow_ms, service=transition.service)
            yield Report(key=key, finding=finding, evidence=evidence)

    def view(self, faults: Mapping[str, str]) -> View:
        """Return what makes a row of each service; what is asked for is worked out by who asks."""
        del faults
        return self._standing.rows

    # -- judging ---------------------------------------------------------------------------------

    def _runs(self, first: int, last: int, time_ms: int) -> Iterator[tuple[int, int, int]]:
        """Yield steps to judge at once, and when the first of them ended."""
        things = sum(len(one.groups) for one in self._signals)
        at_once = max(1, _MAX_CELLS_AT_ONCE // max(1, things))
        for start in range(first, last, at_once):
            yield start, min(last, start + at_once), time_ms + (start - first) * self._step_ms

    def _judge(self, first: int, last: int, time_ms: int) -> Standing:
        step = time_ms // self._step_ms
        judged: list[tuple[Source, Judged]] = [
            (one.source, one.judge(first, last, step)) for one in self._signals
        ]
        self._standing = Standing(
            judged=judged,
            fullness=self._saturation.judge(first, last, step),
            start_ms=time_ms,
            pace=self._pace,
            step_ms=self._step_ms,
            ignored=self._definition.ignored,
            refused=sum(one.groups.refused for one in self._signals),
        )
        return self._standing

    def _nothing(self) -> Standing:
        return Standing(judged=(), fullness=(), start_ms=0, pace=self._pace, step_ms=self._step_ms)

    def _turns(self, verdicts: Mapping[str, Verdict], now_ms: int) -> Iterator[HealthTurn]:
        hurt: dict[str, list[str]] = {}
        for one in verdicts.values():
            for below in one.path[1:]:
                hurt.setdefault(below, []).append(one.service)
        red_now = [name for name, one in verdicts.items() if one.colour is Colour.RED]
        new = [name for name in red_now if name not in self._red]
        self._reddening = {name: self._reddening.get(name, 0) + 1 for name in new}
        for name, steps in list(self._reddening.items()):
            if steps >= _CONFIRM_STEPS:
                del self._reddening[name]
                since_ms = now_ms - (steps - 1) * self._step_ms
                self._red.setdefault(name, _Red(since_ms=since_ms, known_ms=now_ms))
        for name, red in list(self._red.items()):
            verdict_now = verdicts.get(name)
            course = _course(verdict_now, now_ms - red.known_ms)
            if course is Course.IS_RED:
                red.known_ms = now_ms
            elif course is not Course.UNKNOWN:
                del self._red[name]
            yield HealthTurn(
                service=name,
                course=course,
                verdict=verdict_now,
                since_ms=red.since_ms,
                hurt=tuple(sorted(hurt.get(name, ()))),
            )

    def _finding(
        self, turn: HealthTurn, known: Finding | None, time_ms: int, detected_ms: int
    ) -> Finding | None:
        urgency, verdict = self._definition.urgency, turn.verdict
        if known is None:
            if turn.course is not Course.IS_RED or urgency is None or verdict is None:
                return None
            if turn.service in self._definition.covered:
                urgency = Urgency.INFO
            return red_finding(
                verdict,
                turn.hurt,
                urgency=urgency,
                started_ms=turn.since_ms,
                detected_ms=detected_ms,
                time_ms=time_ms,
            )
        if turn.course is Course.UNKNOWN:
            already = known.state is FindingState.FROZEN
            return None if already or verdict is None else frozen(known, verdict, time_ms=time_ms)
        if turn.course is not Course.IS_RED:
            given_up = turn.course is Course.GIVEN_UP
            return ended(known, verdict, given_up=given_up, time_ms=time_ms)
        if verdict is not None and self._refreshing.due(known, time_ms):
            return updated(known, verdict, turn.hurt, time_ms=time_ms)
        return None


def _course(verdict: Verdict | None, unknown_ms: int) -> Course:
    if verdict is not None and verdict.colour is Colour.RED:
        return Course.IS_RED
    if verdict is not None and verdict.colour is not Colour.GREY:
        return Course.RECOVERED
    return Course.GIVEN_UP if unknown_ms >= _GIVEN_UP_MS else Course.UNKNOWN


def _unusual(standing: Standing) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return in which steps any service or region is not as usual, (steps,)."""
    found = np.zeros(len(standing.fullness), dtype=np.bool_)
    for source, judged in standing.judged:
        if source.about in (About.SERVICE, About.REGION):
            found |= judged.wrong.any(axis=1)
    return found
