"""An objective for tests of whoever watches one."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from anomaly.evidence.exemplars import Evidence
from anomaly.slo.objective import Guards, Objective


def example_objective(**fields: Any) -> Objective:
    """Return an objective of 99 % over twelve hours without guards, but for the fields given."""
    objective = Objective(
        name="a",
        display_name="A",
        service="a",
        description="",
        target=Fraction("0.99"),
        period_s=43_200,
        good_expr="g",
        bad_expr=None,
        total_expr="t",
        group_by=("k",),
        guards=Guards(min_bad_events=0, min_coverage=0),
        evidence=Evidence(),
        source="x:1",
    )
    return replace(objective, **fields)
