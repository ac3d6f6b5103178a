"""From OpenSLO documents to objectives that can run; the rest is refused with its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from anomaly.slo.documents.annotations import NO_SETTINGS, Settings, settings_of
from anomaly.slo.documents.indicators import MetricSource, Sli, SliSpec, TocsinSource
from anomaly.slo.documents.metadata import OpenSloDocument
from anomaly.slo.documents.objectives import BudgetingMethod, Slo, SloObjective
from anomaly.slo.documents.openslo import DataSource
from anomaly.slo.objective import Objective
from collectors.documents.nodes import Place
from collectors.documents.reading import Mistakes, validated
from collectors.documents.section import PLAIN, Context
from collectors.errors import DocumentError

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


class _UnresolvedError(DocumentError):
    """A reference leads nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Queries:
    """The expressions of an indicator."""

    good: str | None = None
    bad: str | None = None
    total: str | None = None


def compile_objectives(
    documents: Sequence[OpenSloDocument], context: Context = PLAIN, *, complete: bool = True
) -> tuple[Objective, ...]:
    """Return the objectives of all SLOs among ``documents``, references resolved.

    Args:
        documents: All of them, of all files.
        context: Whether expressions are parsed.
        complete: False when documents are missing because they could not be read: references to
            them are no mistakes.

    Raises:
        DocumentError: References that lead nowhere, SLOs that share a name, and what is valid
            OpenSLO but can't be evaluated here.
    """
    library = _Library(
        slis={d.metadata.name: d for d in documents if isinstance(d, Sli)},
        sources={d.metadata.name: d for d in documents if isinstance(d, DataSource)},
    )
    mistakes = Mistakes()
    compiled: dict[str, Objective] = {}
    for slo in (d for d in documents if isinstance(d, Slo)):
        for objective in mistakes.attempt(partial(_compile, slo, library, context), ()):
            taken = compiled.setdefault(objective.name, objective)
            if taken is not objective:
                told = f"the name {objective.name!r} is taken by {taken.source}"
                mistakes.errors.append(slo.at("metadata", "name").error(told))
    if not complete:
        mistakes.errors = [e for e in mistakes.errors if not isinstance(e, _UnresolvedError)]
    mistakes.raise_any()
    return tuple(compiled.values())


def _compile(slo: Slo, library: _Library, context: Context) -> tuple[Objective, ...]:
    """Return the objectives of one SLO; raise all that is wrong with it."""
    mistakes = Mistakes()
    settings = mistakes.attempt(partial(_settings, slo), NO_SETTINGS)
    period_s = mistakes.attempt(partial(_period_s, slo), 0)
    objectives = []
    for index, goal in enumerate(slo.spec.objectives):
        queries = mistakes.attempt(partial(_queries, slo, goal, library, context), _Queries())
        name, display_name = _names(slo, index)
        objectives.append(
            Objective(
                name=name,
                display_name=display_name,
                service=slo.spec.service,
                description=slo.spec.description,
                target=goal.target,
                period_s=period_s,
                good_expr=_grouped(queries.good, settings.group_by),
                bad_expr=_grouped(queries.bad, settings.group_by),
                total_expr=_grouped(queries.total, settings.group_by) or "",
                group_by=settings.group_by,
                guards=settings.guards,
                evidence=settings.evidence,
                source=f"{slo.place.file}:{slo.place.line}",
                remarks=(_POLICIES_UNUSED,) if slo.spec.alert_policies else (),
            )
        )
    mistakes.raise_any()
    return tuple(objectives)


def _names(slo: Slo, index: int) -> tuple[str, str]:
    """Return the name of an objective and that for people."""
    name, display = slo.metadata.name, slo.metadata.display_name or slo.metadata.name
    if len(slo.spec.objectives) == 1:
        return name, display
    own = slo.spec.objectives[index].display_name
    return f"{name}-{index + 1}", f"{display}: {own}" if own else display


def _settings(slo: Slo) -> Settings:
    place = slo.at("metadata", "annotations")
    return settings_of(slo.metadata.annotations, place, slo.spec.service)


def _period_s(slo: Slo) -> int:
    method, windows = slo.spec.budgeting_method, slo.spec.time_window
    if method is not BudgetingMethod.OCCURRENCES:
        raise slo.at("spec", "budgetingMethod").error(f"{method} can't be evaluated yet")
    place = slo.at("spec", "timeWindow")
    if not windows:
        raise place.error("is required to evaluate this SLO")
    if not windows[0].rolling:
        raise place.error("calendar windows can't be evaluated yet: let it roll")
    seconds = windows[0].duration.seconds
    if seconds < _MIN_PERIOD_S:
        raise place.error("must be at least one hour (60m)")
    return seconds


def _queries(slo: Slo, goal: SloObjective, library: _Library, context: Context) -> _Queries:
    ratio = _indicator(slo, goal, library).ratio_metric
    if ratio is None or ratio.total is None:
        kind = "thresholdMetric" if ratio is None else "a raw ratio"
        remedy = "give ratioMetric with good or bad and total"
        raise goal.place.error(f"{kind} can't be evaluated yet: {remedy}")
    mistakes = Mistakes()
    good, bad, total = (
        mistakes.attempt(partial(_query, metric.metric_source, library, context), "")
        if metric
        else None
        for metric in (ratio.good, ratio.bad, ratio.total)
    )
    mistakes.raise_any()
    return _Queries(good=good, bad=bad, total=total)


def _indicator(slo: Slo, goal: SloObjective, library: _Library) -> SliSpec:
    inline = goal.indicator or slo.spec.indicator
    if inline is not None:
        return inline.spec
    ref = goal.indicator_ref or slo.spec.indicator_ref or ""
    found = library.slis.get(ref)
    if found is None:
        known = ", ".join(sorted(library.slis)) or "none"
        told = f"indicatorRef {ref!r} names no SLI; known: {known}"
        raise _unresolved(goal.place, told)
    return found.spec


def _query(source: MetricSource, library: _Library, context: Context) -> str:
    kind = source.type
    if kind is None and source.metric_source_ref is not None:
        referred = library.sources.get(source.metric_source_ref)
        if referred is None:
            told = f"metricSourceRef {source.metric_source_ref!r} names no DataSource"
            raise _unresolved(source.place, told)
        kind = referred.spec.type
    if kind != SOURCE_TYPE:
        told = f"source type {kind!r} can't be evaluated here: use type {SOURCE_TYPE}"
        raise source.place.error(told)
    query = validated(source.fields_of("spec"), TocsinSource, context).query
    # A folded YAML text may break anywhere between words; values keep their inner spaces.
    return ",".join(word.strip() for word in query.split(","))


def _unresolved(place: Place, message: str) -> _UnresolvedError:
    return _UnresolvedError(message, file=place.file, line=place.line, field=place.path)


def _grouped(expression: str | None, keys: tuple[str, ...]) -> str | None:
    """Append the grouping that the annotation asks for, unless the expression groups already."""
    if expression is None or not keys or ":by" in expression.split(","):
        return expression
    return f"{expression},(,{','.join(keys)},),:by"
