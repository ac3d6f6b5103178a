"""The same expressions as objectives and detector rules, through the whole engine."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from anomaly.detectors.level import DETECTOR as LEVEL
from anomaly.engine.engine import Engine
from anomaly.evidence.exemplars import Evidence
from anomaly.findings import Urgency
from anomaly.rules.detector_definition import DetectorDefinition
from anomaly.rules.detector_rule import DetectorRule
from anomaly.rules.objective_rule import ObjectiveRule
from anomaly.rules.rule import Rule
from anomaly.slo.objective import Guards, Objective
from anomaly.testing import FindingList
from benchmarks.rules.workload import STEP_MS, Platform
from collectors.clock import Clock
from collectors.stacklang.evaluation.batch import parse
from collectors.store.metric_store import MetricStore

_PERIOD_S = 30 * 86_400
# Of the synthetic requests two in five are bad: a promise that this keeps, so that little fires.
_TARGET = Fraction(1, 2)


def engine_over(platform: Platform, database: MetricStore, clock: Clock) -> Engine:
    """Return an engine that watches every program of ``platform``.

    The first two programs of a service are its bad and all requests: they make an objective. Every
    other one is watched by a level detector.
    """
    programs = platform.programs()
    objectives = _objectives(platform, programs)
    taken = {e for o in objectives for e in (o.part_expr, o.total_expr)}
    rules: list[Rule[Any]] = [
        *(ObjectiveRule(objective, STEP_MS) for objective in objectives),
        *(
            DetectorRule(_definition(program), STEP_MS)
            for program in programs
            if program not in taken
        ),
    ]
    return Engine(database, rules, [FindingList()], clock, STEP_MS, arrivals=database)


def _objectives(platform: Platform, programs: Sequence[str]) -> list[Objective]:
    pairs = platform.objectives()
    return [
        Objective(
            name=f"objective-{number}",
            display_name=f"Objective {number}",
            service=f"service-{number:03d}",
            description="",
            target=_TARGET,
            period_s=_PERIOD_S,
            good_expr=None,
            bad_expr=bad,
            total_expr=total,
            group_by=("cloud.region",),
            guards=Guards(),
            evidence=Evidence(),
            source="",
        )
        for number, (bad, total) in enumerate(pairs)
        if bad in programs and total in programs
    ]


def _definition(program: str) -> DetectorDefinition:
    (style,) = parse(program)
    return DetectorDefinition(
        name=program,
        display_name=program,
        description="",
        expr=program,
        group_by=style.expr.final_grouping,
        unit="",
        detector=LEVEL.name,
        parameters=LEVEL.parameters(),
        urgency=Urgency.INFO,
        when_missing=None,
        scope={},
        evidence=Evidence(),
        source="",
    )
