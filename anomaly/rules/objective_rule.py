"""An objective as a rule: counts in, alerts that open and end, findings out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import structlog

from anomaly.arrivals import Arrived
from anomaly.findings import Finding
from anomaly.rules.objective_finding import ended, frozen, leading, open_finding, resolved, updated
from anomaly.rules.objective_rows import objective_view
from anomaly.rules.refreshing import Refreshing
from anomaly.rules.rule import JUDGED_STEPS, MAX_BACK_MS, Current, Report, View
from anomaly.rules.sli_finding import judged_again, sli_finding
from anomaly.slo.alert import Transition
from anomaly.slo.documents.validating import dead_tiers
from anomaly.slo.health import SliTransition
from anomaly.slo.objective import Objective
from anomaly.slo.watch import AlertTransition, Moved, ObjectiveWatch, WatchMark
from collectors.model import Frame

_log = structlog.get_logger(__name__)


class ObjectiveRule:
    """Watches one objective.

    Args:
        objective: What is promised.
        step_ms: Length of a step.
    """

    kind = "slos"

    def __init__(self, objective: Objective, step_ms: int) -> None:
        self._objective = objective
        self._step_ms = step_ms
        spare = -(-MAX_BACK_MS // step_ms)
        self._watch = ObjectiveWatch(objective, step_ms, spare_steps=spare)
        self._refreshing = Refreshing(step_ms)
        for why in dead_tiers(objective, step_ms):
            _log.warning("objective: " + why, objective=objective.name, source=objective.source)

    @property
    def name(self) -> str:
        """The objective's name."""
        return self._objective.name

    @property
    def objective(self) -> Objective:
        """What is promised."""
        return self._objective

    @property
    def watch(self) -> ObjectiveWatch:
        """Its state, to be read by whoever owns the rule."""
        return self._watch

    def afresh(self) -> ObjectiveRule:
        """Return the same rule, as one that has seen nothing."""
        return ObjectiveRule(self._objective, self._step_ms)

    @property
    def expressions(self) -> Sequence[str]:
        """Good or bad events, if it counts events, and all of them or its value."""
        objective = self._objective
        found = (objective.part_expr, objective.total_expr)
        return tuple(expression for expression in found if expression)

    @property
    def reach_ms(self) -> int:
        """The budget's period, and no less than the longest window."""
        calendar = self._objective.calendar
        period_ms = self._objective.period_s * 1_000 if calendar is None else calendar.longest_ms()
        return max(period_ms, self._watch.longest_ms)

    @property
    def judged_ms(self) -> int:
        """The longest window: an alert stays open as long as that holds what it fired for."""
        return max(self._watch.longest_ms, JUDGED_STEPS * self._step_ms)

    def take(self, answers: Mapping[str, Frame], arrived: Arrived) -> None:
        """Take the counts of the next steps."""
        part, total = self._objective.part_expr, self._objective.total_expr
        self._watch.take(answers.get(part), answers.get(total), arrived)

    def mark(self) -> WatchMark:
        """Return where it stands."""
        return self._watch.mark()

    def back_to(self, mark: WatchMark) -> None:
        """Stand where it stood."""
        self._watch.back_to(mark)

    def learn(self, first: int, last: int, time_ms: int) -> None:
        """Count steps without judging them."""
        self._watch.learn(first, last, time_ms + (last - 1 - first) * self._step_ms)

    def advance(self, first: int, last: int, time_ms: int) -> Iterator[tuple[int, Moved]]:
        """Count steps and judge them."""
        return self._watch.advance(first, last, time_ms)

    def report(
        self, transition: Moved, current: Current, *, time_ms: int, detected_ms: int
    ) -> Iterator[Report]:
        """Yield the finding of the alert that ``transition`` moved on."""
        if isinstance(transition, SliTransition):
            yield from self._judgeable(transition, current, time_ms, detected_ms)
            return
        key = ("slo", self.name, transition.group, transition.urgency)
        known = current(key)
        goes_on = known if transition.kind is Transition.UPDATED else None
        if goes_on is not None and not self._refreshing.due(goes_on, time_ms):
            return
        if known is None or transition.kind is Transition.OPENED:
            if transition.kind in (Transition.RESOLVED, Transition.ENDED):
                return
            finding = self._opened(transition, time_ms, detected_ms)
        else:
            finding = self._moved_on(known, transition, time_ms)
        evidence = self._objective.evidence
        yield Report(key=key, finding=finding, evidence=evidence, group=transition.scope)

    def _judgeable(
        self, transition: SliTransition, current: Current, time_ms: int, detected_ms: int
    ) -> Iterator[Report]:
        """Yield that the objective can't be judged, or can again."""
        key = ("slo", self.name, transition.fault)
        known = current(key)
        if transition.found:
            finding = sli_finding(
                self._objective, transition, detected_ms=detected_ms, time_ms=time_ms
            )
            yield Report(key=key, finding=finding)
        elif known is not None:
            yield Report(key=key, finding=judged_again(known, time_ms=time_ms))

    def _opened(self, transition: AlertTransition, time_ms: int, detected_ms: int) -> Finding:
        reading = leading(transition.readings)
        return open_finding(
            self._objective,
            transition,
            self._watch.budget(transition.group),
            started_ms=self._watch.onset_ms(transition.group, reading, time_ms),
            detected_ms=detected_ms,
            time_ms=time_ms,
        )

    def _moved_on(self, known: Finding, transition: AlertTransition, time_ms: int) -> Finding:
        if transition.kind is Transition.FROZEN:
            since_ms = transition.alert.blind_since_ms or time_ms
            return frozen(known, since_ms - self._step_ms, time_ms=time_ms)
        if transition.kind is Transition.ENDED:
            return ended(known, time_ms=time_ms)
        budget = self._watch.budget(transition.group)
        move_on = resolved if transition.kind is Transition.RESOLVED else updated
        return move_on(known, self._objective, transition, budget, time_ms=time_ms)

    def view(self, faults: Mapping[str, str]) -> View:
        """Return what makes one row for each group; an objective without data has one too."""
        return objective_view(self._watch, faults)
