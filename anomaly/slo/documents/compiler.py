"""From OpenSLO documents to objectives that can run; the rest is refused with its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from anomaly.promql.written import as_expression, grouped, query_in
from anomaly.slo.calendar import CalendarWindow
from anomaly.slo.counting import Comparison, Measure
from anomaly.slo.documents.annotations import NO_SETTINGS, Settings, settings_of
from anomaly.slo.documents.indicators import (
    Metric,
    MetricSource,
    RatioMetric,
    Sli,
    SliSpec,
    TocsinSource,
)
from anomaly.slo.documents.metadata import OpenSloDocument
from anomaly.slo.documents.objectives import BudgetingMethod, Slo, SloObjective, TimeWindow
from anomaly.slo.documents.openslo import DataSource
from anomaly.slo.documents.policies import Policies, policies_of
from anomaly.slo.documents.promql_source import TYPES, PromqlSource, UncountableError, counted
from anomaly.slo.objective import Guards, Objective
from anomaly.slo.slices import SliceRule
from collectors.documents.nodes import Place
from collectors.documents.reading import Mistakes, validated
from collectors.documents.section import PLAIN, Context
from collectors.errors import DocumentError

SOURCE_TYPE = "tocsin"
_MIN_PERIOD_S = 3_600
# One step, or one slice of time, is a blip; how many events it held does not matter then.
_MIN_BAD_SLICES = 2.0
_WEIGHT_UNUSED = "compositeWeight has no effect: each objective has a budget of its own"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Library:
    """What SLO documents may refer to by name."""

    slis: Mapping[str, Sli]
    sources: Mapping[str, DataSource]
    policies: Policies


class _UnresolvedError(DocumentError):
    """A reference leads nowhere."""


class NotHereError(DocumentError):
    """What is valid OpenSLO, and can't be evaluated here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Queries:
    """The expressions of an indicator; of a value only the last."""

    good: str | None = None
    bad: str | None = None
    total: str | None = None
    measure: Measure = Measure.EVENTS
    counter: bool = True
    comparison: Comparison | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Period:
    """The window of a budget."""

    seconds: int = 0
    calendar: CalendarWindow | None = None


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
        policies=Policies.of(documents),
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
    period = mistakes.attempt(partial(_period, slo), _Period())
    policies, told = policies_of(slo, library.policies)
    objectives = []
    for index, goal in enumerate(slo.spec.objectives):
        queries = mistakes.attempt(partial(_queries, slo, goal, library, context), _Queries())
        slices = mistakes.attempt(partial(_slices, slo, goal, period), None)
        name, display_name = _names(slo, index)
        objectives.append(
            Objective(
                name=name,
                display_name=display_name,
                service=slo.spec.service,
                description=slo.spec.description,
                target=goal.target,
                period_s=period.seconds,
                good_expr=_grouped(queries.good, settings.group_by),
                bad_expr=_grouped(queries.bad, settings.group_by),
                total_expr=_grouped(queries.total, settings.group_by) or "",
                group_by=settings.group_by,
                guards=_guards(settings, queries.measure, slices),
                evidence=settings.evidence,
                source=f"{slo.place.file}:{slo.place.line}",
                remarks=(*queries.remarks, *told, *_unused(goal)),
                measure=queries.measure,
                counter=queries.counter,
                comparison=queries.comparison,
                slices=slices,
                calendar=period.calendar,
                wakes=settings.wakes,
                policies=policies,
            )
        )
    mistakes.raise_any()
    return tuple(objectives)


def _unused(goal: SloObjective) -> tuple[str, ...]:
    return (_WEIGHT_UNUSED,) if goal.composite_weight != 1 else ()


def _guards(settings: Settings, measure: Measure, slices: SliceRule | None) -> Guards:
    if settings.own_min_bad or (measure is Measure.EVENTS and slices is None):
        return settings.guards
    return replace(settings.guards, min_bad_events=_MIN_BAD_SLICES)


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


def _period(slo: Slo) -> _Period:
    windows = slo.spec.time_window
    place = slo.at("spec", "timeWindow")
    if not windows:
        raise _not_here(place, "is required to evaluate this SLO")
    seconds = windows[0].duration.seconds
    if seconds < _MIN_PERIOD_S:
        raise _not_here(place, "must be at least one hour (60m)")
    return _Period(seconds=seconds, calendar=_calendar(windows[0]))


def _calendar(window: TimeWindow) -> CalendarWindow | None:
    if window.calendar is None:
        return None
    return CalendarWindow(
        start=window.calendar.start,
        zone=window.calendar.time_zone,
        count=window.duration.count,
        unit=window.duration.unit,
    )


def _slices(slo: Slo, goal: SloObjective, period: _Period) -> SliceRule | None:
    method, window = slo.spec.budgeting_method, goal.time_slice_window
    if method is BudgetingMethod.OCCURRENCES or window is None:
        return None
    if 0 < period.seconds < 10 * window.seconds:
        told = f"must be at most a tenth of the window of {period.seconds} s, got {window}"
        raise _not_here(goal.at("timeSliceWindow"), told)
    allowed = None
    if method is BudgetingMethod.TIMESLICES and goal.time_slice_target is not None:
        allowed = float(1 - goal.time_slice_target)
    return SliceRule(length_s=window.seconds, allowed_bad=allowed)


def _queries(slo: Slo, goal: SloObjective, library: _Library, context: Context) -> _Queries:
    indicator = _indicator(slo, goal, library)

    def query(metric: Metric | None) -> str | None:
        return None if metric is None else _query(metric.metric_source, library, context)

    ratio = indicator.ratio_metric
    if ratio is None:
        value = query(indicator.threshold_metric)
        return _Queries(total=value, measure=Measure.COMPARED, comparison=_comparison(goal))
    if ratio.raw is not None:
        good = ratio.raw_type == "success"
        measure = Measure.GOOD_SHARE if good else Measure.BAD_SHARE
        return _Queries(total=query(ratio.raw), measure=measure)
    mistakes = Mistakes()
    good_expr, bad_expr, total_expr = (
        mistakes.attempt(partial(query, metric), "")
        for metric in (ratio.good, ratio.bad, ratio.total)
    )
    mistakes.raise_any()
    return _events(ratio, good_expr, bad_expr, total_expr or "")


def _events(ratio: RatioMetric, good: str | None, bad: str | None, total: str) -> _Queries:
    """Return counts of events; those of PromQL as they are asked, per second where they can be."""
    remarks: list[str] = []
    ways: list[bool] = []

    def asked(expression: str | None) -> str | None:
        query = query_in(expression or "")
        if query is None:
            ways.extend([ratio.counter is not False] if expression else [])
            return expression
        try:
            found = counted(query, counter=ratio.counter)
        except UncountableError as error:
            raise _not_here(ratio.place, f"{query!r} {error}") from error
        ways.append(found.per_second)
        remarks.extend([found.remark] if found.remark else [])
        return as_expression(found.query)

    good, bad, total = asked(good), asked(bad), asked(total) or ""
    if len(set(ways)) > 1:
        told = "one half counts per second and the other does not: use rate in both"
        raise _not_here(ratio.place, told)
    return _Queries(good=good, bad=bad, total=total, counter=ways[0], remarks=tuple(remarks))


def _comparison(goal: SloObjective) -> Comparison:
    if goal.op is None or goal.value is None:
        raise goal.at("op").error("a thresholdMetric needs op and value beside it")
    return Comparison(op=goal.op, value=float(goal.value))


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
    if kind is not None and kind.lower() in TYPES:
        return as_expression(validated(source.fields_of("spec"), PromqlSource, context).text)
    if kind != SOURCE_TYPE:
        told = (
            f"source type {kind!r} can't be evaluated here: use type {SOURCE_TYPE}, or {TYPES[0]}"
        )
        raise _not_here(source.place, told)
    query = validated(source.fields_of("spec"), TocsinSource, context).query
    # A folded YAML text may break anywhere between words; values keep their inner spaces.
    return ",".join(word.strip() for word in query.split(","))


def _unresolved(place: Place, message: str) -> _UnresolvedError:
    return _UnresolvedError(message, file=place.file, line=place.line, field=place.path)


def _not_here(place: Place, message: str) -> NotHereError:
    return NotHereError(message, file=place.file, line=place.line, field=place.path)


def _grouped(expression: str | None, keys: tuple[str, ...]) -> str | None:
    """Append the grouping that the annotation asks for, unless the expression groups already."""
    query = query_in(expression or "")
    if query is not None:
        return as_expression(grouped(query, keys))
    if expression is None or not keys or ":by" in expression.split(","):
        return expression
    return f"{expression},(,{','.join(keys)},),:by"
