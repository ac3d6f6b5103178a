"""Shapes of rules of Prometheus's rule files, as this server's API has them."""

from __future__ import annotations

from typing import TypedDict


class PrometheusRuleRow(TypedDict):
    """One of ``GET /api/v2/prometheus-rules``.

    ``state`` is recording, inactive, pending or firing; ``health`` is unknown, ok or err, and
    ``fault`` says why it is err.
    """

    name: str
    scope: dict[str, str]
    group: str
    file: str
    type: str
    state: str
    health: str
    fault: str | None
    expr: str
    pending: int
    firing: int
    series: int
    took_s: float | None
    evaluated_ms: int
    source: str
