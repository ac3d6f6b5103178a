"""A first screen as the HTTP API shows it. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict

from runbooks.diagnosis.cause import Cause
from runbooks.first_screen.kpi import Kpi
from runbooks.first_screen.screen import FirstScreen
from runbooks.first_screen.trend import Trend
from runbooks.incidents.events import JsonValue
from runbooks.incidents.finding_codec import change_to_json
from tocsin.client.wording import percent

Json = dict[str, JsonValue]


def shown(screen: FirstScreen) -> Json:
    """Return the five answers."""
    return {
        "sentence": screen.sentence,
        "since_ms": screen.since_ms,
        "until_ms": screen.until_ms,
        "trend": _trend(screen.trend),
        "kpis": [_kpi(kpi) for kpi in screen.kpis],
        "impact": [{**asdict(figure)} for figure in screen.impact],
        "impact_note": screen.impact_note,
        "cause": _cause(screen.cause),
        "people": {**asdict(screen.people)},
        "next": {**asdict(screen.next), "doing": screen.next.doing.value},
    }


def objective(row: Json) -> Json:
    """Return an objective in brief: which, where, and how it stands."""
    brief = ("name", "display_name", "scope", "state", "good_ratio", "target")
    return {name: row[name] for name in brief}


def _trend(trend: Trend) -> Json:
    return {"course": trend.course.value, "why": trend.why}


def _kpi(kpi: Kpi) -> Json:
    return {
        "title": kpi.title,
        "now": kpi.now,
        "worst": kpi.worst,
        "usual": kpi.usual,
        "value": _number(kpi.value),
        "baseline": _number(kpi.baseline),
        "unit": kpi.unit,
        "expression": kpi.expression,
        "query": kpi.query,
        "points": _numbers(kpi.points.tolist()),
        "start_ms": kpi.start_ms,
        "step_ms": kpi.step_ms,
        "trend": _trend(kpi.trend),
        "note": kpi.note,
    }


def _cause(cause: Cause) -> Json:
    suspect = cause.suspect
    return {
        "words": cause.words,
        "service": suspect.service if suspect else None,
        "share": percent(suspect.share) if suspect else None,
        "change": change_to_json(cause.change) if cause.change else None,
        "is_suspect": cause.is_suspect,
        "is_deployment": cause.is_deployment,
        "why": [*cause.why],
        "against": [*cause.against],
    }


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _numbers(values: Sequence[float]) -> list[JsonValue]:
    return [_number(float(f"{value:.6g}")) for value in values]
