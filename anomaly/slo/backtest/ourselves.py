"""What tocsin itself would have done: the very watch that runs in a server, on a course of events.

Beside its windows it has guards, holds an alert until it has stayed clean for a short window, and
lets no ticket follow a page about the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from anomaly.arrivals import Arrived
from anomaly.evidence.exemplars import Evidence
from anomaly.findings import Urgency
from anomaly.slo.alert import Transition
from anomaly.slo.backtest.course import Course
from anomaly.slo.backtest.playing import Interval, Promise
from anomaly.slo.objective import Guards, Objective
from anomaly.slo.watch import AlertTransition, ObjectiveWatch
from collectors.model import FloatArray, Frame
from collectors.stacklang.lines.database import Window

_OVER = (Transition.RESOLVED, Transition.ENDED)


def own_alerts(course: Course, promise: Promise) -> Mapping[Urgency, list[Interval]]:
    """Return when pages and tickets would have been open.

    Args:
        course: What happened.
        promise: The objective.
    """
    watch = ObjectiveWatch(_objective(promise), course.step_ms)
    window = Window(
        start_ms=course.start_ms,
        end_ms=course.time_ms(course.steps - 1),
        step_ms=course.step_ms,
    )
    watch.take(_frame(course, course.bad), _frame(course, course.total), Arrived.everything(window))
    found: dict[Urgency, list[Interval]] = {Urgency.PAGE: [], Urgency.TICKET: []}
    opened: dict[Urgency, int] = {}
    for at_ms, moved in watch.advance(0, course.steps, course.start_ms):
        if not isinstance(moved, AlertTransition):
            continue
        step = (at_ms - course.start_ms) // course.step_ms
        if moved.kind is Transition.OPENED:
            opened[moved.urgency] = step
        elif moved.kind in _OVER:
            found[moved.urgency].append((opened.pop(moved.urgency), step))
    for urgency, first in opened.items():
        found[urgency].append((first, course.steps))
    return found


def _objective(promise: Promise) -> Objective:
    return Objective(
        name="backtest",
        display_name="",
        service="",
        description="",
        target=1 - promise.budget,
        period_s=promise.period_s,
        good_expr=None,
        bad_expr="bad",
        total_expr="total",
        group_by=(),
        guards=Guards(min_bad_events=promise.min_bad),
        evidence=Evidence(),
        source="",
        counter=False,
    )


def _frame(course: Course, values: FloatArray) -> Frame:
    row = np.where(course.measured, values, np.nan)
    return Frame(
        start_ms=course.start_ms,
        step_ms=course.step_ms,
        tags=[{}],
        labels=[""],
        values=row[np.newaxis],
    )
