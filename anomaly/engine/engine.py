"""The engine: at the end of each step every rule is evaluated, once.

It drives rules and knows no kinds of them. On the first tick it goes through the past that the
database still has, telling nobody, so that a restart loses neither budgets nor baselines nor open
findings: rule by rule, many steps at once, with the outcome that single steps have. From then on
each tick costs the new steps only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any

import structlog

from anomaly.engine.past import CHUNK_STEPS, Past
from anomaly.evidence.exemplars import NoTraces, TraceFinder, with_evidence
from anomaly.evidence.near_changes import ChangeFinder, NoChanges, with_changes
from anomaly.findings import Finding, FindingSink, FindingState
from anomaly.open_findings import OpenFindings
from anomaly.rules.rule import Report, Row, Rule
from collectors.clock import Clock
from collectors.stacklang.evaluation.streaming import StreamingEvaluator
from collectors.stacklang.lines.database import Database, Window

_log = structlog.get_logger(__name__)


class Engine:
    """Drives all rules.

    Args:
        database: Where the numbers are.
        rules: What is watched.
        sinks: Who wants to know of findings.
        clock: The present, for the moment of detection.
        step_ms: Length of a step.
        traces: Where exemplars come from; None for nowhere.
        changes: Where changes of the platform come from; None for nowhere.

    Attributes:
        faults: What can't be evaluated and why, by expression or name of a rule.
    """

    def __init__(
        self,
        database: Database,
        rules: Sequence[Rule[Any]],
        sinks: Sequence[FindingSink],
        clock: Clock,
        step_ms: int,
        *,
        traces: TraceFinder | None = None,
        changes: ChangeFinder | None = None,
    ) -> None:
        self._database = database
        self._rules = tuple(rules)
        self._clock = clock
        self._step_ms = step_ms
        self._traces = NoTraces() if traces is None else traces
        self._changes = NoChanges() if changes is None else changes
        self._lock = RLock()
        self._done_ms: int | None = None
        self._past = Past(database, step_ms)
        self._open = OpenFindings(sinks)
        wanted = {expression: expression for rule in rules for expression in rule.expressions}
        self._standing = StreamingEvaluator(wanted, step_ms, tolerant=True)
        self.faults = self._wrong()

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

    def rows(self, kind: str) -> list[Row]:
        """Return the state of all rules of one kind as JSON objects."""
        with self._lock:
            return [row for r in self._rules if r.kind == kind for row in r.rows(self.faults)]

    def findings(self, *, resolved: bool = False) -> tuple[Finding, ...]:
        """Return the open findings; with ``resolved`` also those that are over, newest first."""
        with self._lock:
            return self._open.everything() if resolved else self._open.firing()

    def _go_through_the_past(self, completed_ms: int) -> None:
        """Count the whole past, judge its last part: what is open now opened within it.

        All rules look at the newest chunk. What lies before it is asked only for those that look
        further back, one by one: budgets, long windows and seasons.
        """
        recent_ms = max(0, completed_ms - CHUNK_STEPS * self._step_ms) + self._step_ms
        reach_ms = max([self._step_ms, *(rule.reach_ms for rule in self._rules)])
        oldest_ms = max(0, completed_ms - reach_ms) + self._step_ms
        begins_ms = self._past.begins_ms(min(oldest_ms, recent_ms), completed_ms)
        if begins_ms is None:
            return
        self._open.mute()
        try:
            if begins_ms < recent_ms:
                self._go_through_the_older(begins_ms, recent_ms - self._step_ms, completed_ms)
            window = Window(start_ms=recent_ms, end_ms=completed_ms, step_ms=self._step_ms)
            self._evaluate(window)
            first = max(0, (begins_ms - recent_ms) // self._step_ms)
            for rule in self._rules:
                self._catch_up(rule, window, first, completed_ms)
        finally:
            self._open.unmute()

    def _go_through_the_older(self, start_ms: int, end_ms: int, completed_ms: int) -> None:
        for rule in self._rules:
            own_ms = max(start_ms, completed_ms - rule.reach_ms + self._step_ms)
            for window, answers in self._past.answers(rule.expressions, own_ms, end_ms):
                rule.take(answers, window.steps)
                self._catch_up(rule, window, 0, completed_ms)

    def _catch_up(self, rule: Rule[Any], window: Window, first: int, completed_ms: int) -> None:
        """Let a rule learn from what it took from step ``first`` on, and judge the newest of it."""
        judged = _index(window, completed_ms - rule.judged_ms, first)
        if judged > first:
            with self._isolated(rule):
                rule.learn(first, judged, window.start_ms + first * self._step_ms)
        self._judge(rule, judged, window.steps, window)

    def _run(self, start_ms: int, end_ms: int) -> None:
        """Evaluate and judge what is new, step by step: to people it comes in that order."""
        for window in self._past.windows(start_ms, end_ms, CHUNK_STEPS):
            self._evaluate(window)
            for index in range(window.steps):
                now_ms = self._clock.now_ms()
                for rule in self._rules:
                    self._judge(rule, index, index + 1, window, now_ms)
                self._done_ms = window.start_ms + index * self._step_ms

    def _evaluate(self, window: Window) -> None:
        answers = self._standing.advance_window(self._database, window)
        self.faults = self._wrong()
        for rule in self._rules:
            rule.take(answers, window.steps)

    def _wrong(self) -> dict[str, str]:
        return {name: error.message for name, error in self._standing.errors.items()}

    def _judge(
        self,
        rule: Rule[Any],
        first: int,
        last: int,
        window: Window,
        now_ms: int | None = None,
    ) -> None:
        """Judge steps that a rule took; what is found in the past was detected when it happened."""
        with self._isolated(rule):
            time_ms = window.start_ms + first * self._step_ms
            for at_ms, transition in rule.advance(first, last, time_ms):
                with self._isolated(rule):
                    for report in rule.report(
                        transition, self._open.current, time_ms=at_ms, detected_ms=now_ms or at_ms
                    ):
                        self._put(report)

    def _put(self, report: Report) -> None:
        """Keep a reported finding, with what shows it and what came before it while it fires."""
        finding = report.finding
        if finding.state is FindingState.FIRING:
            if report.evidence is not None:
                finding = with_evidence(
                    finding, self._traces, report.evidence, report.group, self._step_ms
                )
            finding = with_changes(finding, self._changes, self._step_ms)
        self._open.put(report.key, finding)

    @contextmanager
    def _isolated(self, rule: Rule[Any]) -> Iterator[None]:
        """Keep a rule that fails from stopping the others; its fault is logged and shown."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - see the docstring
            _log.exception("rule failed", rule=rule.name)
            self.faults[rule.name] = f"{type(error).__name__}: {error}"


def _index(window: Window, time_ms: int, first: int) -> int:
    """Return the first step of ``window`` after ``time_ms``, from ``first`` on; its end if none."""
    return min(window.steps, max(first, (time_ms - window.start_ms) // window.step_ms + 1))
