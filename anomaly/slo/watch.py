"""One objective, watched step by step: counts in, budgets and transitions of alerts out."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from anomaly.arrivals import Arrived
from anomaly.findings import Urgency
from anomaly.groups import MAX_GROUPS, Groups
from anomaly.slo.alert import Alert, Transition, advance
from anomaly.slo.budget import Budget, budget_of
from anomaly.slo.burn import (
    Reading,
    Verdict,
    Windows,
    onset_steps,
    over_ahead,
    plan_windows,
)
from anomaly.slo.counting import Measure
from anomaly.slo.forecast import Forecast, block_edges, forecast
from anomaly.slo.halves import Halves
from anomaly.slo.health import SliHealth, SliStep, SliTransition
from anomaly.slo.objective import Objective
from anomaly.slo.period import Spent, period_of
from anomaly.slo.ring import EventRing
from anomaly.slo.slices import Slicer
from anomaly.slo.tiers import tiers_of
from collectors.model import FloatArray, Frame, IntArray, Tags

MAX_WINDOW_BYTES = 1_073_741_824
URGENCIES = (Urgency.PAGE, Urgency.TICKET)
_MIN_HOLD_STEPS = 3
_FORECAST_TIER = 2
# A sender of one half alone that has been silent for longer is not expected any more.
_HORIZON_MS = 150_000
# Bounds the memory of looking ahead: some fifty numbers for each group and step.
_MAX_CELLS_AT_ONCE = 32_768


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertTransition:
    """What happened to the alert of one group at one urgency in this step."""

    scope: Tags
    group: int
    urgency: Urgency
    alert: Alert
    kind: Transition
    readings: Sequence[Reading]


@dataclass(slots=True, kw_only=True)
class GroupState:
    """What is known of one group."""

    alerts: dict[Urgency, Alert] = field(
        default_factory=lambda: {urgency: Alert() for urgency in URGENCIES}
    )

    @property
    def idle(self) -> bool:
        """Whether no alert is open and none is held back."""
        return all(alert.state is None and not alert.silent for alert in self.alerts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSeen:
    """What a step said of a group.

    Attributes:
        part: Value of the good or bad events; None: there was none.
        total: Value of all events, or the value itself; None: there was none.
        half_missing: Whether the part is not known although there are events.
        blind: Whether nothing at all was received, by anybody.
    """

    part: float | None
    total: float | None
    half_missing: bool
    blind: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchMark:
    """Where a watch stood, but for what its rings still hold."""

    pushed: int
    period: object
    open_slices: FloatArray
    seen: FloatArray
    known: NDArray[np.bool_]
    present: IntArray
    alerts: Sequence[Sequence[tuple[Urgency, Alert]]]
    health: SliHealth
    updated_ms: int
    births: IntArray


Moved = AlertTransition | SliTransition
"""What may happen in a step: to an alert, or to whether the objective can be judged."""


class ObjectiveWatch:
    """State of one objective.

    Args:
        objective: What is promised.
        step_ms: Length of a step.
        spare_steps: How far it must be able to go back.
    """

    def __init__(self, objective: Objective, step_ms: int, *, spare_steps: int = 0) -> None:
        self.objective = objective
        self.health = SliHealth(step_ms)
        slices = objective.slices
        self.tiers = tiers_of(objective, step_ms)
        self.groups = Groups(objective.group_by, _most_groups(objective, step_ms))
        self.states: list[GroupState] = []
        self.step_ms = step_ms
        self.updated_ms = 0
        self._counting = objective.counting(step_ms)
        self._plan = plan_windows(objective, self.tiers, step_ms)
        self._ring = EventRing(int(self._plan.steps.max()), spare_steps)
        calendar = objective.calendar
        self._period = period_of(objective.period_s, calendar, step_ms, spare_steps)
        origin_ms = 0 if calendar is None else calendar.first_ms
        self._slicer = None if slices is None else Slicer(slices, step_ms, origin_ms)
        self._seen: FloatArray = np.zeros(0)
        self._known: NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
        self._part_ever = False
        # How many steps there had been when each group was last measured itself; 0: never.
        self._present: IntArray = np.zeros(0, dtype=np.int64)
        self._parts: FloatArray = np.zeros((0, 0))
        self._totals: FloatArray = np.zeros((0, 0))
        self._unknown: NDArray[np.bool_] = np.zeros((0, 0), dtype=np.bool_)
        self._blind: NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
        self._halves = Halves(
            self.groups,
            must_match=objective.bad_expr is None,
            horizon_steps=-(-_HORIZON_MS // step_ms),
        )

    def take(self, part: Frame | None, total: Frame | None, arrived: Arrived) -> None:
        """Take the counts of the next steps, to be fed one by one.

        Args:
            part: Good or bad events; None is no data.
            total: All events; None is no data.
            arrived: Which steps they are, and what is known of the senders.
        """
        steps = arrived.window.steps
        births = self.groups.births.copy()
        self._totals, self._parts = self.groups.tables([total, part], steps, self._is_quiet)
        self._reset(np.flatnonzero(self.groups.births[: len(births)] != births))
        objective = self.objective
        self._unknown = self._halves.unknown(objective.part_expr, objective.total_expr, arrived)
        self._blind = arrived.blind

    def _is_quiet(self, group: int) -> bool:
        """Return whether nothing is open about a group."""
        return group >= len(self.states) or self.states[group].idle

    def _reset(self, groups: NDArray[np.intp]) -> None:
        """Start again with groups whose numbers were given to others."""
        groups = groups[groups < len(self.states)]
        if not len(groups):
            return
        self._ring.reset(groups)
        self._period.reset(groups)
        if self._slicer is not None:
            self._slicer.reset(groups)
        self._seen[groups] = 0.0
        self._known[groups] = False
        self._present[groups] = 0
        for group in groups.tolist():
            self.states[group] = GroupState()

    def mark(self) -> WatchMark:
        """Return where it stands."""
        return WatchMark(
            pushed=self._ring.pushed,
            period=self._period.mark(),
            open_slices=np.zeros((3, 0)) if self._slicer is None else self._slicer.open.copy(),
            seen=self._seen.copy(),
            known=self._known.copy(),
            present=self._present.copy(),
            alerts=tuple(tuple(state.alerts.items()) for state in self.states),
            health=copy.deepcopy(self.health),
            updated_ms=self.updated_ms,
            births=self.groups.births.copy(),
        )

    def back_to(self, mark: WatchMark) -> None:
        """Stand where it stood; groups that came since have no past again."""
        self._ring.back_to(mark.pushed)
        self._period.back_to(mark.period)
        groups = len(self.states)
        if self._slicer is not None:
            self._slicer.open = mark.open_slices.copy()
            self._slicer.grow(groups)
        self._seen, self._known = np.zeros(groups), np.zeros(groups, dtype=np.bool_)
        self._seen[: len(mark.seen)] = mark.seen
        self._known[: len(mark.known)] = mark.known
        self._present = np.zeros(groups, dtype=np.int64)
        self._present[: len(mark.present)] = mark.present
        self.states = [
            GroupState(alerts=dict(mark.alerts[at])) if at < len(mark.alerts) else GroupState()
            for at in range(groups)
        ]
        self.health = copy.deepcopy(mark.health)
        self.updated_ms = mark.updated_ms
        same = self.groups.births[: len(mark.births)] == mark.births
        self._reset(np.flatnonzero(~same))

    def feed(self, first: int, last: int, time_ms: int) -> None:
        """Count steps ``first`` up to and without ``last`` of what was taken.

        Args:
            first: Column of the first step.
            last: Column after the last step.
            time_ms: When the last of them ended.
        """
        first_ms = time_ms - (last - 1 - first) * self.step_ms
        steps, known = self._counts(first, last)
        self._known = known
        self._part_ever = self._part_ever or bool(np.isfinite(self._parts[:, first:last]).any())
        self._note_present(first, last)
        if self._slicer is not None:
            steps, self._slicer.open = self._slicer.cut(steps, first_ms)
        self._ring.extend(steps)
        self._period.extend(steps, first_ms)
        self._seen += steps[1].sum(axis=1)
        self.updated_ms = time_ms

    def _note_present(self, first: int, last: int) -> None:
        there = np.isfinite(self._totals[:, first:last]) & ~self._unknown_in(first, last)
        newest = self._ring.pushed + last - first - there[:, ::-1].argmax(axis=1)
        self._present = np.where(there.any(axis=1), newest, self._present)

    def learn(self, first: int, last: int, time_ms: int) -> None:
        """Count steps as :meth:`feed` does and look after them, telling nobody."""
        self.feed(first, last, time_ms)
        deque(self._look_after(first, last, time_ms - (last - 1 - first) * self.step_ms), maxlen=0)

    def advance(self, first: int, last: int, time_ms: int) -> Iterator[tuple[int, Moved]]:
        """Count steps ``first`` up to and without ``last`` of what was taken, and judge them.

        While no alert is open, the steps up to the next one that burns are counted together.

        Args:
            first: Column of the first step.
            last: Column after the last step.
            time_ms: When the first of them ended.

        Yields:
            When an alert moved on and how. Between two of these the state is that of that time.
        """
        at_once = max(1, _MAX_CELLS_AT_ONCE // max(1, len(self._totals)))
        for start in range(first, last, at_once):
            start_ms = time_ms + (start - first) * self.step_ms
            yield from self._advance_steps(start, min(last, start + at_once), start_ms)

    def _advance_steps(self, first: int, last: int, time_ms: int) -> Iterator[tuple[int, Moved]]:
        burning = np.ones(1, dtype=np.bool_)
        if last - first > 1:
            ahead = self._counts(first, last)[0]
            if self._slicer is not None:
                ahead = self._slicer.cut(ahead, time_ms)[0]
            burning = over_ahead(self._ring, self._plan, ahead)
        at = first
        while at < last:
            stop = at + 1
            if all(state.idle for state in self.states):
                rest = burning[at - first :]
                stop = at + 1 + int(rest.argmax()) if rest.any() else last
            now_ms = time_ms + (stop - 1 - first) * self.step_ms
            self.feed(at, stop, now_ms)
            yield from self._look_after(at, stop, now_ms - (stop - 1 - at) * self.step_ms)
            for transition in self.judge(now_ms):
                yield now_ms, transition
            at = stop

    def _counts(self, first: int, last: int) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Return bad events, all events and measured steps, and which groups are known then.

        The former have shape (3, groups, steps).
        """
        totals, parts = self._totals[:, first:last], self._parts[:, first:last]
        there = np.isfinite(totals) & ~self._unknown_in(first, last)
        bad, events = self._counting.events(parts, totals, there)
        self._grow(len(totals))
        # While any group has events, those without have none; before its first, a group is not.
        # A value is not like that: what has none is not measured.
        known = np.logical_or.accumulate(there, axis=1) | self._known[:, np.newaxis]
        counts = self.objective.measure is Measure.EVENTS
        measured = np.where(known & there.any(axis=0) if counts else there, 1.0, 0.0)
        return np.stack([bad, events, measured]), known[:, -1]

    def _unknown_in(self, first: int, last: int) -> NDArray[np.bool_]:
        """Return where one half is not known; a group that came since has both."""
        unknown = np.zeros((len(self._totals), last - first), dtype=np.bool_)
        unknown[: len(self._unknown)] = self._unknown[:, first:last]
        return unknown

    def _look_after(
        self, first: int, last: int, time_ms: int
    ) -> Iterator[tuple[int, SliTransition]]:
        """Yield whether steps can be judged at all; ``time_ms`` is the end of the first."""
        unknown = self._unknown_in(first, last)
        totals, parts = self._totals[:, first:last], self._parts[:, first:last]
        there = np.isfinite(totals)
        half = np.any(there & unknown & (np.nan_to_num(totals) > 0), axis=0)
        measured = np.any(there & ~unknown, axis=0)
        absurd = np.any(there & ~unknown & self._counting.absurd(parts, totals), axis=0)
        flags = np.stack([measured, half, absurd, self._blind[first:last]])
        lacks = self._halves.unnamed and not self._part_ever
        changes = np.flatnonzero((flags[:, 1:] != flags[:, :-1]).any(axis=0)) + 1
        for start, stop in pairwise([0, *changes.tolist(), last - first]):
            if flags[3, start]:
                continue
            step = SliStep(
                measured=bool(measured[start]),
                half_missing=bool(half[start]),
                absurd=bool(absurd[start]),
                part_unknown=lacks and bool(measured[start]),
            )
            first_ms = time_ms + start * self.step_ms
            yield from self.health.advance(step, first_ms, time_ms + (stop - 1) * self.step_ms)

    def newest(self, group: int) -> StepSeen:
        """Return what the newest step of what was taken said of a group."""
        known = group < len(self._totals) and self._totals.shape[1] > 0
        if not known:
            return StepSeen(part=None, total=None, half_missing=False, blind=False)
        part, total = float(self._parts[group, -1]), float(self._totals[group, -1])
        missing = group < len(self._unknown) and bool(self._unknown[group, -1])
        return StepSeen(
            part=part if isfinite(part) else None,
            total=total if isfinite(total) else None,
            half_missing=missing,
            blind=bool(self._blind[-1]),
        )

    def _grow(self, count: int) -> None:
        missing = count - len(self._known)
        if missing <= 0:
            return
        self._ring.grow(count)
        self._period.grow(count)
        self._known = np.concatenate([self._known, np.zeros(missing, dtype=np.bool_)])
        self._seen = np.concatenate([self._seen, np.zeros(missing)])
        self._present = np.concatenate([self._present, np.zeros(missing, dtype=np.int64)])
        if self._slicer is not None:
            self._slicer.grow(count)
        self.states.extend(GroupState() for _ in range(missing))

    @property
    def longest_ms(self) -> int:
        """Length of the longest window, milliseconds."""
        return self._ring.capacity * self.step_ms

    def judge(self, time_ms: int) -> list[AlertTransition]:
        """Read all windows after :meth:`feed` and move every alert on."""
        windows = self.windows()
        over, gone = windows.over(), windows.gone()
        transitions: list[AlertTransition] = []
        for group, state in enumerate(self.states):
            if not over[group] and state.idle:
                continue
            readings = windows.readings(group)
            for urgency in URGENCIES:
                alone = bool(gone[group])
                transition = self._move_on(group, readings, urgency, time_ms, alone=alone)
                if transition.kind is not Transition.NONE:
                    transitions.append(transition)
        return transitions

    def windows(self) -> Windows:
        """Return all windows as they stand now."""
        return Windows(self._ring, self._plan, self._seen.copy())

    def _move_on(
        self,
        group: int,
        all_readings: Sequence[Reading],
        urgency: Urgency,
        time_ms: int,
        *,
        alone: bool,
    ) -> AlertTransition:
        state = self.states[group]
        readings = [r for r in all_readings if r.tier.urgency is urgency]
        covered = _covered(state, readings, time_ms) if urgency is Urgency.TICKET else ""
        alert, kind = advance(
            state.alerts[urgency],
            readings,
            time_ms,
            min_hold_ms=_MIN_HOLD_STEPS * self.step_ms,
            covered=covered,
            alone=alone,
            present=self._ring.pushed - int(self._present[group]) < _MIN_HOLD_STEPS,
        )
        state.alerts[urgency] = alert
        return AlertTransition(
            scope=self.groups.scopes[group],
            group=group,
            urgency=urgency,
            alert=alert,
            kind=kind,
            readings=readings,
        )

    def budget(self, group: int) -> Budget:
        """Return the budget of one group over the period, up to now."""
        sums, steps = self._period.spent_of(group)
        return self.budget_of(sums, steps)

    def spent(self) -> Spent:
        """Return what was counted of the period, of all groups."""
        return self._period.spent()

    def forecast(self, spent: Spent) -> Callable[[], Forecast]:
        """Return what tells when the budgets will be gone; it needs nothing of the watch any more.

        If it goes on as in the window of the faster ticket.
        """
        basis = self.tiers[min(_FORECAST_TIER, len(self.tiers) - 1)]
        edges = block_edges(round(basis.long_s * 1_000 / self.step_ms))
        recent = self._ring.windows(edges)
        budget = float(self.objective.budget)
        return partial(forecast, spent, recent, edges, budget=budget, step_ms=self.step_ms)

    def budget_of(self, sums: FloatArray, steps: int) -> Budget:
        """Return the budget for sums of one group, shape (3,), in a period of ``steps``."""
        bad, total, measured = sums.tolist()
        return budget_of(
            bad=bad,
            total=total,
            coverage=min(1.0, measured / steps),
            target=self.objective.target,
        )

    def onset_ms(self, group: int, reading: Reading, time_ms: int) -> int:
        """Estimate when the trouble that ``reading`` shows began: the start of its first step."""
        steps = round(reading.tier.long_s * 1_000 / self.step_ms)
        bad, total = self._ring.recent(group, steps)
        limit = float(reading.tier.factor * self.objective.budget)
        return time_ms - onset_steps(bad, total, limit) * self.step_ms


def _most_groups(objective: Objective, step_ms: int) -> int:
    """Return how many groups fit: each has its longest window in single steps."""
    longest_s = max(tier.long_s for tier in tiers_of(objective, step_ms))
    cells = 3 * (longest_s * 1_000 / step_ms + 1)
    return max(1, min(MAX_GROUPS, int(MAX_WINDOW_BYTES / (8 * cells))))


def _covered(state: GroupState, readings: Sequence[Reading], time_ms: int) -> str:
    """Say why a ticket need not open: a page tells the same, or has told it just now."""
    page = state.alerts[Urgency.PAGE]
    if page.state is not None:
        return "a page for the same objective is open"
    burning = [r.tier.short_s for r in readings if r.verdict is Verdict.BURNING]
    if page.ended_ms and time_ms - page.ended_ms < max(burning, default=0.0) * 1_000:
        return "the short window still holds what a page has told"
    return ""
