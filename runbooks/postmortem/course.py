"""How a signal went before, during and after the impact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anomaly.findings import Finding
from collectors.errors import TocsinError
from collectors.model import FloatArray
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
        during=_median(values[(times > start_ms) & (times <= end_ms)], finding.unit),
        after=_median(values[times > end_ms], finding.unit),
    )


def _median(values: FloatArray, unit: str) -> str:
    present = values[~np.isnan(values)]
    return quantity(float(np.median(present)) if present.size else None, unit)
