"""The engine: at the end of each step every objective and detector is evaluated, once.

On the first tick it goes through the past that the database still has, telling nobody, so that a
restart loses neither budgets nor baselines nor open findings: rule by rule, many steps at once,
with the outcome that single steps have. From then on each tick costs the new steps only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import RLock

import numpy as np
import structlog

from anomaly.changes import ChangeFinder, NoChanges
from anomaly.detectors.reporter import DetectorReporter
from anomaly.detectors.rule import DetectorRule
from anomaly.detectors.watch import DetectorWatch
from anomaly.exemplars import NoTraces, TraceFinder
from anomaly.findings import Finding, FindingSink
from anomaly.ledger import Ledger
from anomaly.slo.objective import Objective
from anomaly.slo.reporter import ObjectiveReporter
from anomaly.slo.watch import ObjectiveWatch
from collectors.clock import Clock
from collectors.model import Frame
from collectors.stacklang.database import Aggregate, Consolidation, Database, Fetch, Window
from collectors.stacklang.query import AnyOf
from collectors.stacklang.streaming import StreamingEvaluator

CHUNK_STEPS = 1_440
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
        self._started = False
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
                self._go_through_the_past(completed_ms)
            elif completed_ms > self._done_ms:
                self._run(self._done_ms + self._step_ms, completed_ms, live=True)
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
        """Count the whole past, judge its last part: what is open now opened within it."""
        periods = [w.objective.period_s * 1_000 for w in self._objectives]
        seasons = [w.rule.parameters.period_steps * self._step_ms * 3 for w in self._detectors]
        longest_ms = max([self._step_ms, *periods, *seasons])
        judged_ms = max(
            [_DETECTOR_PAST_STEPS * self._step_ms, *(w.longest_ms for w in self._objectives)]
        )
        self._ledger.mute()
        try:
            self._run(
                max(0, completed_ms - longest_ms) + self._step_ms,
                completed_ms,
                live=False,
                judge_from_ms=completed_ms - judged_ms,
            )
        finally:
            self._ledger.unmute()

    def _run(self, start_ms: int, end_ms: int, *, live: bool, judge_from_ms: int = 0) -> None:
        chunk_ms = (CHUNK_STEPS - 1) * self._step_ms
        while start_ms <= end_ms:
            last_ms = min(end_ms, start_ms + chunk_ms)
            window = Window(start_ms=start_ms, end_ms=last_ms, step_ms=self._step_ms)
            first = 0 if live else self._skippable(window)
            if first < window.steps:
                answers = self._standing.advance_window(self._database, window)
                self.faults = self._wrong()
                self._take(answers, window.steps)
                early = (judge_from_ms - start_ms) // self._step_ms
                judged = min(window.steps, max(first, early))
                self._count(first, judged, start_ms + first * self._step_ms)
                # To people, what is wrong now comes step by step whichever rule finds it; the past
                # is nobody's news, and each rule goes through it at once.
                at_once = 1 if live else max(1, window.steps - judged)
                for index in range(judged, window.steps, at_once):
                    time_ms = start_ms + index * self._step_ms
                    self._judge(index, index + at_once, time_ms, live=live)
            start_ms = last_ms + self._step_ms

    def _count(self, first: int, last: int, time_ms: int) -> None:
        """Take steps, the first of which ends at ``time_ms``, into budgets and baselines only."""
        if first >= last:
            return
        for watch in self._objectives:
            watch.feed(first, last, time_ms + (last - first - 1) * self._step_ms)
        for rule in self._detectors:
            if rule.needs_the_past:
                deque(rule.advance_steps(first, last, time_ms), maxlen=0)

    def _wrong(self) -> dict[str, str]:
        return {name: error.message for name, error in self._standing.errors.items()}

    def _expressions(self) -> list[str]:
        wanted = [watch.rule.expr for watch in self._detectors]
        for watch in self._objectives:
            wanted += [watch.objective.part_expr, watch.objective.total_expr]
        return list(dict.fromkeys(wanted))

    def _skippable(self, window: Window) -> int:
        """Return how many leading steps come before any data: nothing can be learned from them.

        The database is asked, not the rules: a comparison answers 0 where there is nothing.
        """
        if self._started:
            return 0
        everything = Fetch(
            query=AnyOf(),
            aggregate=Aggregate.COUNT,
            consolidation=Consolidation.AVG,
            window=window,
        )
        present = np.isfinite(self._database.fetch(everything).values).any(axis=0)
        self._started = bool(present.any())
        return int(present.argmax()) if self._started else window.steps

    def _take(self, answers: Mapping[str, Frame], steps: int) -> None:
        for watch in self._objectives:
            total = answers.get(watch.objective.total_expr)
            watch.take(answers.get(watch.objective.part_expr), total, steps)
        for rule in self._detectors:
            rule.take(answers.get(rule.rule.expr), steps)

    def _judge(self, first: int, last: int, time_ms: int, *, live: bool) -> None:
        """Judge steps, the first of which ends at ``time_ms``, one rule after the other."""
        now_ms = self._clock.now_ms() if live else None
        for watch, reporter in zip(self._objectives, self._objective_reporters, strict=True):
            with self._apart(watch.objective.name):
                for at_ms, change in watch.advance(first, last, time_ms):
                    with self._apart(watch.objective.name):
                        reporter.report(change, time_ms=at_ms, detected_ms=now_ms or at_ms)
        for rule, teller in zip(self._detectors, self._detector_reporters, strict=True):
            with self._apart(rule.rule.name):
                for at_ms, turn in rule.advance_steps(first, last, time_ms):
                    with self._apart(rule.rule.name):
                        teller.report(turn, time_ms=at_ms, detected_ms=now_ms or at_ms)
        self._done_ms = time_ms + (last - first - 1) * self._step_ms

    @contextmanager
    def _apart(self, rule: str) -> Iterator[None]:
        """Keep a rule that fails from stopping the others; its fault is logged and shown."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - see the docstring
            _log.exception("rule failed", rule=rule)
            self.faults[rule] = f"{type(error).__name__}: {error}"
