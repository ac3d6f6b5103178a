"""Reading SLO documents: window, budgeting method, objectives and alert policies."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from anomaly.documents import Node
from anomaly.fields import Section, boolean, description, items, matching, number, one_of, text
from anomaly.slo.documents.alert_reader import policy_entry
from anomaly.slo.documents.duration import duration, slice_window
from anomaly.slo.documents.headers import metadata, name
from anomaly.slo.documents.openslo import BudgetingMethod, Calendar, Slo, SloObjective, TimeWindow
from anomaly.slo.documents.sli_reader import inline_sli

_start_time = matching(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "a time like 2026-01-31 12:30:00")


def slo(document: Section, *, strict: bool) -> Slo:
    """Read ``metadata`` and ``spec`` of an SLO."""
    meta = document.required("metadata", lambda n: metadata(n, strict=strict))
    spec = document.required("spec", Section)
    method = BudgetingMethod(
        spec.required("budgetingMethod", one_of(*(m.value for m in BudgetingMethod)))
    )
    result = Slo(
        metadata=meta,
        description=spec.optional("description", description) or "",
        service=spec.required("service", lambda n: name(n, strict=strict)),
        indicator=spec.optional("indicator", lambda n: inline_sli(n, strict=strict)),
        indicator_ref=spec.optional("indicatorRef", lambda n: name(n, strict=strict)),
        time_window=_time_window(spec, strict=strict),
        budgeting_method=method,
        objectives=spec.required("objectives", lambda n: _objectives(n, method, strict=strict)),
        alert_policies=spec.optional(
            "alertPolicies", lambda n: tuple(policy_entry(e, strict=strict) for e in items(n))
        )
        or (),
        node=document.node,
    )
    spec.finish()
    _check_indicators(spec, result, strict=strict)
    return result


def _time_window(spec: Section, *, strict: bool) -> TimeWindow | None:
    windows = spec.optional("timeWindow", items) or ()
    if len(windows) > 1 or (strict and not windows):
        spec.fail("timeWindow", f"must hold exactly one window, got {len(windows)}")
    return _window(windows[0]) if windows else None


def _window(node: Node) -> TimeWindow:
    section = Section(node)
    length = section.required("duration", duration)
    rolling = section.optional("isRolling", boolean)
    calendar = section.optional("calendar", _calendar)
    section.finish()
    if calendar is not None and rolling:
        section.fail("isRolling", "a calendar window does not roll: say false, or drop calendar")
    if calendar is None and rolling is False:
        section.fail("calendar", "is required when the window does not roll")
    return TimeWindow(duration=length, rolling=calendar is None, calendar=calendar)


def _calendar(node: Node) -> Calendar:
    section = Section(node)
    start = section.required("startTime", _start_time)
    zone = section.required("timeZone", _zone)
    section.finish()
    return Calendar(start_time=start, time_zone=zone)


def _zone(node: Node) -> str:
    value = text(node)
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        node.fail(f"must be an IANA time zone such as Europe/Berlin, got {value!r}")
    return value


def _objectives(node: Node, method: BudgetingMethod, *, strict: bool) -> Sequence[SloObjective]:
    entries = items(node)
    if not entries:
        node.fail("must hold at least one objective")
    return tuple(_objective(entry, method, strict=strict) for entry in entries)


def _objective(node: Node, method: BudgetingMethod, *, strict: bool) -> SloObjective:
    section = Section(node)
    result = SloObjective(
        display_name=section.optional("displayName", text),
        op=section.optional("op", one_of("lte", "gte", "lt", "gt")),
        value=section.optional("value", number),
        target=_target(section),
        time_slice_target=section.optional("timeSliceTarget", _slice_target),
        time_slice_window=section.optional(
            "timeSliceWindow", lambda n: slice_window(n, strict=strict)
        ),
        indicator=section.optional("indicator", lambda n: inline_sli(n, strict=strict)),
        indicator_ref=section.optional("indicatorRef", lambda n: name(n, strict=strict)),
        weight=section.optional("compositeWeight", _positive) or Fraction(1),
        node=node,
    )
    section.finish()
    if method is BudgetingMethod.TIMESLICES and result.time_slice_target is None:
        section.fail("timeSliceTarget", "is required for Timeslices")
    if method is not BudgetingMethod.OCCURRENCES and result.time_slice_window is None:
        section.fail("timeSliceWindow", f"is required for {method}")
    return result


def _target(section: Section) -> Fraction:
    ratio = section.optional("target", lambda n: _within(n, Fraction(1)))
    percent = section.optional("targetPercent", lambda n: _within(n, Fraction(100)))
    if (ratio is None) == (percent is None):
        section.fail("target", "exactly one of target and targetPercent must be given")
    return ratio if ratio is not None else Fraction(percent or 0) / 100


def _within(node: Node, limit: Fraction) -> Fraction:
    value = number(node)
    if not 0 <= value < limit:
        node.fail(f"must be at least 0 and less than {limit}, got {node.value}")
    return value


def _slice_target(node: Node) -> Fraction:
    value = number(node)
    if not 0 < value <= 1:
        node.fail(f"must be more than 0 and at most 1, got {node.value}")
    return value


def _positive(node: Node) -> Fraction:
    value = number(node)
    if value <= 0:
        node.fail(f"must be more than 0, got {node.value}")
    return value


def _check_indicators(spec: Section, read: Slo, *, strict: bool) -> None:
    own = read.indicator is not None or read.indicator_ref is not None
    if read.indicator is not None and read.indicator_ref is not None:
        spec.fail("indicatorRef", "can't stand beside indicator: keep one")
    for objective in read.objectives:
        has = objective.indicator is not None or objective.indicator_ref is not None
        place = Section(objective.node)
        if has == own:
            wanted = "in spec or in each objective, not in both" if has else "in spec"
            place.fail("indicator", f"an indicator or indicatorRef must stand {wanted}")
        indicator = objective.indicator or read.indicator
        if indicator is None:
            continue
        if indicator.threshold is not None and (objective.op is None or objective.value is None):
            place.fail("value", "a thresholdMetric needs op and value in each objective")
        if strict and indicator.ratio is not None and objective.op is not None:
            place.fail("op", "is for thresholdMetric only")
