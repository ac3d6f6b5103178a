"""From OpenSLO documents to objectives that can run; the rest is refused with its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from anomaly.documents import Node
from anomaly.fields import nonempty
from anomaly.slo.documents.annotations import settings_of
from anomaly.slo.documents.openslo import (
    BudgetingMethod,
    DataSource,
    MetricSource,
    OpenSloObject,
    Sli,
    Slo,
    SloObjective,
)
from anomaly.slo.objective import Objective

SOURCE_TYPE = "tocsin"
_MIN_PERIOD_S = 3_600
_POLICIES_UNUSED = (
    "alertPolicies are read but do not decide when to alert: OpenSLO v1 knows one condition on one "
    "window, and here pairs of windows decide"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Library:
    """What SLO documents may refer to by name."""

    slis: Mapping[str, Sli]
    sources: Mapping[str, DataSource]


def compile_objectives(objects: Sequence[OpenSloObject]) -> tuple[Objective, ...]:
    """Return the objectives of all SLOs among ``objects``, references resolved.

    Raises:
        DocumentError: A reference leads nowhere, two SLOs share a name, or something in a document
            is valid OpenSLO that can't be evaluated here.
    """
    library = _Library(
        slis={o.metadata.name: o for o in objects if isinstance(o, Sli)},
        sources={o.metadata.name: o for o in objects if isinstance(o, DataSource)},
    )
    compiled: dict[str, Objective] = {}
    for slo in (o for o in objects if isinstance(o, Slo)):
        for index, goal in enumerate(slo.objectives):
            objective = _compile(slo, index, goal, library)
            if objective.name in compiled:
                slo.node.fail(
                    f"the name {objective.name!r} is taken by {compiled[objective.name].source}"
                )
            compiled[objective.name] = objective
    return tuple(compiled.values())


def _compile(slo: Slo, index: int, goal: SloObjective, library: _Library) -> Objective:
    settings = settings_of(slo.metadata.annotations, slo.service)
    sli = _indicator(slo, goal, library)
    good, bad, total = _expressions(sli, goal, library)
    many = len(slo.objectives) > 1
    display = slo.metadata.display_name or slo.metadata.name
    return Objective(
        name=f"{slo.metadata.name}-{index + 1}" if many else slo.metadata.name,
        display_name=f"{display}: {goal.display_name}" if many and goal.display_name else display,
        service=slo.service,
        description=slo.description,
        target=goal.target,
        period_s=_period(slo),
        good_expr=_grouped(good, settings.group_by),
        bad_expr=_grouped(bad, settings.group_by),
        total_expr=_grouped(total, settings.group_by) or "",
        group_by=settings.group_by,
        guards=settings.guards,
        evidence=settings.evidence,
        source=f"{slo.node.file}:{slo.node.line}",
        remarks=_remarks(slo),
    )


def _period(slo: Slo) -> int:
    if slo.budgeting_method is not BudgetingMethod.OCCURRENCES:
        _refuse(slo.node, "spec.budgetingMethod", f"{slo.budgeting_method} can't be evaluated yet")
    if slo.time_window is None:
        _refuse(slo.node, "spec.timeWindow", "is required to evaluate this SLO")
    if not slo.time_window.rolling:
        _refuse(slo.node, "spec.timeWindow", "calendar windows can't be evaluated yet: let it roll")
    seconds = slo.time_window.duration.seconds
    if seconds < _MIN_PERIOD_S:
        _refuse(slo.node, "spec.timeWindow", "must be at least one hour (60m)")
    return seconds


def _remarks(slo: Slo) -> tuple[str, ...]:
    if not slo.alert_policies:
        return ()
    return (_POLICIES_UNUSED,)


def _refuse(node: Node, path: str, message: str) -> NoReturn:
    place: Node = node
    for name in path.split("."):
        fields = place.value if isinstance(place.value, Mapping) else {}
        place = fields.get(name, place)
    place.fail(message)


def _indicator(slo: Slo, goal: SloObjective, library: _Library) -> Sli:
    inline = goal.indicator or slo.indicator
    if inline is not None:
        return inline
    ref = goal.indicator_ref or slo.indicator_ref or ""
    found = library.slis.get(ref)
    if found is None:
        known = ", ".join(sorted(library.slis)) or "none"
        goal.node.fail(f"indicatorRef {ref!r} names no SLI; known: {known}")
    return found


def _expressions(
    sli: Sli, goal: SloObjective, library: _Library
) -> tuple[str | None, str | None, str]:
    ratio = sli.ratio
    if ratio is None or ratio.total is None:
        kind = "thresholdMetric" if ratio is None else "a raw ratio"
        goal.node.fail(
            f"{kind} can't be evaluated yet: give ratioMetric with good or bad and total"
        )
    good = _query(ratio.good, library) if ratio.good else None
    bad = _query(ratio.bad, library) if ratio.bad else None
    return good, bad, _query(ratio.total, library)


def _query(source: MetricSource, library: _Library) -> str:
    kind = source.type
    if kind is None and source.source_ref is not None:
        referred = library.sources.get(source.source_ref)
        if referred is None:
            source.node.fail(f"metricSourceRef {source.source_ref!r} names no DataSource")
        kind = referred.type
    if kind != SOURCE_TYPE:
        source.node.fail(f"source type {kind!r} can't be evaluated here: use type {SOURCE_TYPE}")
    query = source.spec.get("query")
    if query is None:
        source.node.fail("spec.query is required: an expression in the stack language")
    for name, node in source.spec.items():
        if name != "query":
            node.fail("unknown field; a tocsin source has only query")
    # A folded YAML text may break anywhere between words; values keep their inner spaces.
    return ",".join(word.strip() for word in nonempty(query).split(","))


def _grouped(expression: str | None, keys: tuple[str, ...]) -> str | None:
    """Append the grouping that the annotation asks for, unless the expression groups already."""
    if expression is None or not keys or ":by" in expression.split(","):
        return expression
    return f"{expression},(,{','.join(keys)},),:by"
