"""The engine: at the end of each step every objective and detector is evaluated, once.

On the first tick it goes through the past that the database still has, telling nobody, so that a
restart loses neither budgets nor baselines nor open findings: rule by rule, many steps at once,
with the outcome that single steps have. From then on each tick costs the new steps only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import RLock

import structlog

from anomaly.engine.past import CHUNK_STEPS, Past
from anomaly.evidence.exemplars import NoTraces, TraceFinder
from anomaly.evidence.near_changes import ChangeFinder, NoChanges
from anomaly.findings import Finding, FindingSink
from anomaly.open_findings import Ledger
from anomaly.rules.detector_definition import DetectorRule
from anomaly.rules.detector_reporter import DetectorReporter
from anomaly.rules.detector_watch import DetectorWatch
from anomaly.rules.objective_reporter import ObjectiveReporter
from anomaly.slo.objective import Objective
from anomaly.slo.watch import ObjectiveWatch
from collectors.clock import Clock
from collectors.stacklang.evaluation.streaming import StreamingEvaluator
from collectors.stacklang.lines.database import Database, Window

_DETECTOR_PAST_STEPS = 720

_log = structlog.get_logger(__name__)


class Engine:
    """Watches all objectives and detectors.

    Args:
        database: Where the numbers are.
        traces: Where exemplars come from; None for nowhere.
        objectives: What has been promised.
        detectors: What should stay as usual.
        sinks: Who wants to know of findings.
        clock: The present, for the moment of detection.
        step_ms: Length of a step.
        changes: Where changes come from; None for nowhere.
    """

    def __init__(
        self,
        database: Database,
        traces: TraceFinder | None,
        objectives: Sequence[Objective],
        detectors: Sequence[DetectorRule],
        sinks: Sequence[FindingSink],
        clock: Clock,
        step_ms: int,
        changes: ChangeFinder | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._step_ms = step_ms
        self._lock = RLock()
        self._done_ms: int | None = None
        self._past = Past(database, step_ms)
        self._ledger = Ledger(sinks)
        finder = NoTraces() if traces is None else traces
        changed = NoChanges() if changes is None else changes
        self._objectives = [ObjectiveWatch(objective, step_ms) for objective in objectives]
        self._detectors = [DetectorWatch(rule, step_ms) for rule in detectors]
        self._objective_reporters = [
            ObjectiveReporter(watch, self._ledger, finder, changed) for watch in self._objectives
        ]
        self._standing = StreamingEvaluator(
            {expression: expression for expression in self._expressions()}, step_ms, tolerant=True
        )
        self.faults = self._wrong()
        self._detector_reporters = [
            DetectorReporter(watch, self._ledger, finder, changed) for watch in self._detectors
        ]

    def tick(self, completed_ms: int) -> None:
        """Evaluate every step up to ``completed_ms`` that has not been evaluated yet.

        Calling it again with the same or an earlier time does nothing.

        Args:
            completed_ms: Newest step boundary whose interval is over, a multiple of the step.
        """
        with self._lock:
            if self._done_ms is None:
                # Set first: whatever comes of the past, the present goes on from here.
                self._done_ms = completed_ms
                self._go_through_the_past(completed_ms)
            elif completed_ms > self._done_ms:
                self._run(self._done_ms + self._step_ms, completed_ms)
            self._done_ms = max(self._done_ms or 0, completed_ms)

    def watched(self) -> tuple[tuple[ObjectiveWatch, ...], tuple[DetectorWatch, ...]]:
        """Return the state of all objectives and detectors; read it under :meth:`hold`."""
        return tuple(self._objectives), tuple(self._detectors)

    def hold(self) -> RLock:
        """Return the lock that keeps the state still while it is read."""
        return self._lock

    def findings(self, *, resolved: bool = False) -> tuple[Finding, ...]:
        """Return the open findings; with ``resolved`` also those that are over, newest first."""
        with self._lock:
            return self._ledger.everything() if resolved else self._ledger.firing()

    def _go_through_the_past(self, completed_ms: int) -> None:
        """Count the whole past, judge its last part: what is open now opened within it.

        All rules look at the newest chunk. What lies before it is asked only for those that look
        further back, one by one: budgets, long windows and seasons.
        """
        recent_ms = max(0, completed_ms - CHUNK_STEPS * self._step_ms) + self._step_ms
        reach_ms = [self._reach_ms(watch) for watch in self._objectives]
        reach_ms += [self._reach_ms(rule) for rule in self._detectors]
        oldest_ms = max(0, completed_ms - max([self._step_ms, *reach_ms])) + self._step_ms
        begins_ms = self._past.begins_ms(min(oldest_ms, recent_ms), completed_ms)
        if begins_ms is None:
            return
        self._ledger.mute()
        try:
            if begins_ms < recent_ms:
                self._go_through_the_older(begins_ms, recent_ms - self._step_ms, completed_ms)
            window = Window(start_ms=recent_ms, end_ms=completed_ms, step_ms=self._step_ms)
            self._evaluate(window)
            first = max(0, (begins_ms - recent_ms) // self._step_ms)
            for watch, reporter in zip(self._objectives, self._objective_reporters, strict=True):
                self._catch_up_objective(watch, reporter, window, first, completed_ms)
            for rule, teller in zip(self._detectors, self._detector_reporters, strict=True):
                self._catch_up_detector(rule, teller, window, first, completed_ms)
        finally:
            self._ledger.unmute()

    def _reach_ms(self, watch: ObjectiveWatch | DetectorWatch) -> int:
        """Return how far back a rule looks."""
        if isinstance(watch, ObjectiveWatch):
            return max(watch.objective.period_s * 1_000, watch.longest_ms)
        return max(_DETECTOR_PAST_STEPS, watch.rule.parameters.reach_steps) * self._step_ms

    def _go_through_the_older(self, start_ms: int, end_ms: int, completed_ms: int) -> None:
        for watch, reporter in zip(self._objectives, self._objective_reporters, strict=True):
            own_ms = max(start_ms, completed_ms - self._reach_ms(watch) + self._step_ms)
            part, total = watch.objective.part_expr, watch.objective.total_expr
            for window, answers in self._past.answers([part, total], own_ms, end_ms):
                watch.take(answers.get(part), answers.get(total), window.steps)
                self._catch_up_objective(watch, reporter, window, 0, completed_ms)
        for rule, teller in zip(self._detectors, self._detector_reporters, strict=True):
            own_ms = max(start_ms, completed_ms - self._reach_ms(rule) + self._step_ms)
            for window, answers in self._past.answers([rule.rule.expr], own_ms, end_ms):
                rule.take(answers.get(rule.rule.expr), window.steps)
                self._catch_up_detector(rule, teller, window, 0, completed_ms)

    def _catch_up_objective(
        self,
        watch: ObjectiveWatch,
        reporter: ObjectiveReporter,
        window: Window,
        first: int,
        completed_ms: int,
    ) -> None:
        """Count what was taken from step ``first`` on; judge it where windows still reach."""
        judged_ms = completed_ms - max(watch.longest_ms, _DETECTOR_PAST_STEPS * self._step_ms)
        judged = _index(window, judged_ms, first)
        with self._apart(watch.objective.name):
            if judged > first:
                watch.feed(first, judged, window.start_ms + (judged - 1) * self._step_ms)
        self._judge_objective(watch, reporter, judged, window.steps, window)

    def _catch_up_detector(
        self,
        rule: DetectorWatch,
        teller: DetectorReporter,
        window: Window,
        first: int,
        completed_ms: int,
    ) -> None:
        """Learn seasons from what was taken from step ``first`` on; judge the newest of it."""
        judged_ms = completed_ms - _DETECTOR_PAST_STEPS * self._step_ms
        judged = _index(window, judged_ms, first)
        with self._apart(rule.rule.name):
            if rule.needs_the_past:
                earlier = window.start_ms + first * self._step_ms
                deque(rule.advance_steps(first, judged, earlier), maxlen=0)
        self._judge_detector(rule, teller, judged, window.steps, window)

    def _run(self, start_ms: int, end_ms: int) -> None:
        """Evaluate and judge what is new, step by step: to people it comes in that order."""
        for window in self._past.windows(start_ms, end_ms, CHUNK_STEPS):
            self._evaluate(window)
            for index in range(window.steps):
                self._judge(index, window)

    def _evaluate(self, window: Window) -> None:
        answers = self._standing.advance_window(self._database, window)
        self.faults = self._wrong()
        for watch in self._objectives:
            total = answers.get(watch.objective.total_expr)
            watch.take(answers.get(watch.objective.part_expr), total, window.steps)
        for rule in self._detectors:
            rule.take(answers.get(rule.rule.expr), window.steps)

    def _wrong(self) -> dict[str, str]:
        return {name: error.message for name, error in self._standing.errors.items()}

    def _expressions(self) -> list[str]:
        wanted = [watch.rule.expr for watch in self._detectors]
        for watch in self._objectives:
            wanted += [watch.objective.part_expr, watch.objective.total_expr]
        return list(dict.fromkeys(wanted))

    def _judge(self, index: int, window: Window) -> None:
        """Judge one step of what is new by all rules."""
        now_ms = self._clock.now_ms()
        for watch, reporter in zip(self._objectives, self._objective_reporters, strict=True):
            self._judge_objective(watch, reporter, index, index + 1, window, now_ms)
        for rule, teller in zip(self._detectors, self._detector_reporters, strict=True):
            self._judge_detector(rule, teller, index, index + 1, window, now_ms)
        self._done_ms = window.start_ms + index * self._step_ms

    def _judge_objective(
        self,
        watch: ObjectiveWatch,
        reporter: ObjectiveReporter,
        first: int,
        last: int,
        window: Window,
        now_ms: int | None = None,
    ) -> None:
        with self._apart(watch.objective.name):
            time_ms = window.start_ms + first * self._step_ms
            for at_ms, change in watch.advance(first, last, time_ms):
                with self._apart(watch.objective.name):
                    reporter.report(change, time_ms=at_ms, detected_ms=now_ms or at_ms)

    def _judge_detector(
        self,
        rule: DetectorWatch,
        teller: DetectorReporter,
        first: int,
        last: int,
        window: Window,
        now_ms: int | None = None,
    ) -> None:
        with self._apart(rule.rule.name):
            time_ms = window.start_ms + first * self._step_ms
            for at_ms, turn in rule.advance_steps(first, last, time_ms):
                with self._apart(rule.rule.name):
                    teller.report(turn, time_ms=at_ms, detected_ms=now_ms or at_ms)

    @contextmanager
    def _apart(self, rule: str) -> Iterator[None]:
        """Keep a rule that fails from stopping the others; its fault is logged and shown."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - see the docstring
            _log.exception("rule failed", rule=rule)
            self.faults[rule] = f"{type(error).__name__}: {error}"


def _index(window: Window, time_ms: int, first: int) -> int:
    """Return the first step of ``window`` after ``time_ms``, from ``first`` on; its end if none."""
    return min(window.steps, max(first, (time_ms - window.start_ms) // window.step_ms + 1))
