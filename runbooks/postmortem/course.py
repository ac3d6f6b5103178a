"""How a signal went before, during and after the impact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anomaly.findings import Finding
from collectors.errors import TocsinError
from collectors.model import FloatArray, IntArray
from runbooks.incidents.incident import Incident
from runbooks.postmortem.impact import LOOK_BACK_MS, MetricReader, total_line
from tocsin.client.wording import quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Medians in words, in the finding's unit."""

    before: str
    during: str
    after: str


def course_of(
    finding: Finding, incident: Incident, metrics: MetricReader, now_ms: int
) -> Course | None:
    """Return the course of ``finding``'s expression; None if it can't be evaluated.

    Args:
        finding: Whose expression.
        incident: Whose impact.
        metrics: Evaluates the expression.
        now_ms: The present, epoch milliseconds.
    """
    start_ms = incident.impact_start_ms
    end_ms = incident.impact[-1].end_ms or now_ms
    try:
        frame = metrics.read(finding.expression, start_ms - LOOK_BACK_MS, now_ms)
    except TocsinError:
        return None
    values, times = total_line(frame), frame.times_ms
    return Course(
        before=_median(values[times <= start_ms], finding.unit),
        during=_median(values[_during(times, incident, end_ms)], finding.unit),
        after=_median(values[times > end_ms], finding.unit),
    )


def _during(times: IntArray, incident: Incident, end_ms: int) -> NDArray[np.bool_]:
    """Return which times lie in an interval of impact: between two of them there was none."""
    found = np.zeros(times.shape, dtype=bool)
    for interval in incident.impact:
        over_ms = interval.end_ms or end_ms
        found |= (times > interval.start_ms) & (times <= over_ms)
    return found


def _median(values: FloatArray, unit: str) -> str:
    present = values[~np.isnan(values)]
    return quantity(float(np.median(present)) if present.size else None, unit)
