"""Which of the operator's rules are about a service."""

from __future__ import annotations

from collections.abc import Iterable

from dashboards.telemetry.instruments import SERVICE_KEYS
from tocsin.client.shapes import DetectorRow, Slo
from tocsin.client.stack_words import equals


def objectives_of(service: str, slos: Iterable[Slo]) -> list[Slo]:
    """Return the objectives that name the service, in their field, scope or expression."""
    return [
        slo
        for slo in slos
        if slo["service"] == service
        or _is_in(service, slo["scope"])
        or _asks_for(service, slo["total_expr"])
    ]


def rules_of(service: str, rows: Iterable[DetectorRow]) -> list[DetectorRow]:
    """Return the series of detectors that name the service, in their scope or expression."""
    return [row for row in rows if _is_in(service, row["scope"]) or _asks_for(service, row["expr"])]


def _is_in(service: str, scope: dict[str, str]) -> bool:
    return any(scope.get(key) == service for key in SERVICE_KEYS)


def _asks_for(service: str, expression: str) -> bool:
    words = expression.replace(" ", "").replace("\n", "")
    return any(f",{equals(key, service)}" in f",{words}" for key in SERVICE_KEYS)
