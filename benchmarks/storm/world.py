"""What the storm is made of: one objective over many users, another over one service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

Row = tuple[str, dict[str, str], float]
ROWS_A_BODY = 5_000
EVENTS = 50.0
"""Events a second of each user, and of the unrelated service."""

OBJECTIVE = """apiVersion: openslo/v1
kind: SLO
metadata:
  name: {name}
  displayName: {title}
  annotations: {{tocsin.dev/group-by: "{by}"}}
spec:
  service: {service}
  indicator:
    metadata: {{name: {name}-sli}}
    spec:
      ratioMetric:
        counter: true
        bad:
          metricSource:
            type: tocsin
            spec: {{query: 'name,{metric},:eq,outcome,bad,:eq,:and,:sum{grouped}'}}
        total:
          metricSource: {{type: tocsin, spec: {{query: 'name,{metric},:eq,:sum{grouped}'}}}}
  timeWindow: [{{duration: 1h, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{displayName: ok, targetPercent: 99}}]
"""

STORM = OBJECTIVE.format(
    name="starts",
    title="Starts work",
    by="user",
    service="playback",
    metric="storm.starts",
    grouped=",(,user,),:by",
)
UNRELATED = OBJECTIVE.format(
    name="billing",
    title="Bills are written",
    by="service.name",
    service="billing",
    metric="storm.bills",
    grouped=",(,service.name,),:by",
)
UNRELATED_TITLE = "Bills are written"


def rows(users: int, *, failing: bool, unrelated: bool) -> Iterator[Row]:
    """Yield what happens in a step: metric, tags and events a second."""
    for number in range(users):
        tags = {"user": f"u{number:05d}", "service.name": "playback"}
        yield from _outcomes("storm.starts", tags, failing)
    yield from _outcomes("storm.bills", {"service.name": "billing"}, unrelated)


def bodies(made: Sequence[Row], time_ms: int) -> Iterator[bytes]:
    """Yield the bodies of Atlas publish requests that tell of ``made``."""
    for first in range(0, len(made), ROWS_A_BODY):
        metrics = [
            {
                "tags": {"name": name, "atlas.dstype": "rate", **tags},
                "timestamp": time_ms,
                "value": value,
            }
            for name, tags, value in made[first : first + ROWS_A_BODY]
        ]
        yield orjson.dumps({"tags": {}, "metrics": metrics})


def spans(count: int, time_ms: int) -> dict[str, Any]:
    """Return an OTLP body with ``count`` failed traces of the service that the storm is about."""
    start_ns = time_ms * 1_000_000
    found = [
        {
            "traceId": f"{time_ms:016x}{number:016x}",
            "spanId": f"{number + 1:016x}",
            "name": "start",
            "kind": 2,
            "startTimeUnixNano": str(start_ns),
            "endTimeUnixNano": str(start_ns + 5_000_000),
            "status": {"code": 2},
        }
        for number in range(count)
    ]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "playback"}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": found}]}]}


def _outcomes(metric: str, tags: dict[str, str], failing: bool) -> Iterator[Row]:
    for outcome, share in (("ok", not failing), ("bad", failing)):
        yield metric, {**tags, "outcome": outcome}, EVENTS * share
