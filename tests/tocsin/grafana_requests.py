"""What Grafana's Prometheus and Alertmanager data sources ask, in the order of a session.

Requests as their plugins make them, with what they look at in the answers. ``NOW`` is the present
in seconds, ``NOW_MS`` in milliseconds; what is expected is a part of what comes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

NOW, NOW_MS, HOUR_AGO = "NOW", "NOW_MS", "HOUR_AGO"
SELECTOR = 'http_requests_total{job="shop"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, and what of its answer Grafana needs.

    Attributes:
        what: When it is made.
        path: Below the data source's URL.
        params: Of the query string.
        form: Of the body; None for a GET.
        body: JSON that is sent.
        status: Of the answer.
        has: What the answer has; lists by their first items, ``...`` for anything.
        lacks: Fields that ``data`` must not have.
    """

    what: str
    path: str
    params: dict[str, Any] = field(default_factory=dict)
    form: dict[str, Any] | None = None
    body: Any = None
    status: int = 200
    has: Any = None
    lacks: tuple[str, ...] = ()


SUCCESS = {"status": "success"}


def _range(expr: str, **more: Any) -> dict[str, Any]:
    return {"query": expr, "start": HOUR_AGO, "end": NOW, "step": "15", **more}


PROMETHEUS = (
    Asked(
        what="save and test asks for the year 1970",
        path="api/v1/query",
        form={"query": "1+1", "time": "4"},
        has={**SUCCESS, "data": {"resultType": "scalar", "result": [4, "2"]}},
    ),
    Asked(
        what="the same where POST is switched off",
        path="api/v1/query",
        params={"query": "1+1", "time": "4"},
        has={**SUCCESS, "data": {"resultType": "scalar"}},
    ),
    Asked(
        what="which product and version this is",
        path="api/v1/status/buildinfo",
        has={**SUCCESS, "data": {"version": ...}},
        lacks=("features",),
    ),
    Asked(
        what="whether it has rules, on start",
        path="api/v1/rules",
        has={**SUCCESS, "data": {"groups": []}},
    ),
    Asked(
        what="whether it has exemplars, on start",
        path="api/v1/query_exemplars",
        params={"query": "test", "start": NOW_MS, "end": NOW_MS},
        has={**SUCCESS, "data": []},
    ),
    Asked(
        what="exemplars of a panel",
        path="api/v1/query_exemplars",
        form={"query": f"rate({SELECTOR}[5m])", "start": HOUR_AGO, "end": NOW},
        has=SUCCESS,
    ),
    Asked(
        what="names for completion",
        path="api/v1/label/__name__/values",
        params={"start": HOUR_AGO, "end": NOW, "limit": "40000"},
        has={**SUCCESS, "data": ["http_requests_total"]},
    ),
    Asked(
        what="help for completion",
        path="api/v1/metadata",
        params={"limit": "40000"},
        has={**SUCCESS, "data": {"http_requests_total": [{"type": "counter"}]}},
    ),
    Asked(
        what="label names of the builder",
        path="api/v1/labels",
        form={"match[]": SELECTOR, "start": HOUR_AGO, "end": NOW, "limit": "40000"},
        has={**SUCCESS, "data": ["__name__", "instance", "job", "service.name"]},
    ),
    Asked(
        what="label values of the builder",
        path="api/v1/label/instance/values",
        params={"match[]": SELECTOR, "start": HOUR_AGO, "end": NOW, "limit": "1"},
        has={**SUCCESS, "data": ["a"], "warnings": ["results truncated due to limit"]},
    ),
    Asked(
        what="values of a label that is no word",
        path="api/v1/label/U__service_2e_name/values",
        params={"start": HOUR_AGO, "end": NOW},
        has={**SUCCESS, "data": ["shop"]},
    ),
    Asked(
        what="series of a variable",
        path="api/v1/series",
        form={"match[]": SELECTOR, "start": HOUR_AGO, "end": NOW, "limit": "40000"},
        has={**SUCCESS, "data": [{"__name__": "http_requests_total", "instance": "a"}]},
    ),
    Asked(
        what="a panel over time",
        path="api/v1/query_range",
        form=_range(f"sum by (instance) (rate({SELECTOR}[1m]))", timeout="30s"),
        has={
            **SUCCESS,
            "data": {
                "resultType": "matrix",
                "result": [{"metric": {"instance": "a"}, "values": ...}],
            },
        },
    ),
    Asked(
        what="a panel over time by GET, with statistics",
        path="api/v1/query_range",
        params=_range("up", stats="all"),
        has={**SUCCESS, "data": {"resultType": "matrix", "stats": {"timings": ...}}},
    ),
    Asked(
        what="a table",
        path="api/v1/query",
        form={"query": "topk(3, http_requests_total)", "time": NOW},
        has={**SUCCESS, "data": {"resultType": "vector", "result": [{"value": [..., ...]}]}},
    ),
    Asked(
        what="raw samples",
        path="api/v1/query",
        form={"query": "http_requests_total[1m]", "time": NOW},
        has={**SUCCESS, "data": {"resultType": "matrix"}},
    ),
    Asked(
        what="a text",
        path="api/v1/query",
        form={"query": '"hello"', "time": NOW},
        has={**SUCCESS, "data": {"resultType": "string", "result": [..., "hello"]}},
    ),
    Asked(
        what="a doubtful query is answered with a note",
        path="api/v1/query",
        form={"query": "rate(up[1m])", "time": NOW},
        has={**SUCCESS, "infos": [...]},
    ),
    Asked(
        what="a wrong query",
        path="api/v1/query_range",
        form=_range("sum("),
        status=400,
        has={"status": "error", "errorType": "bad_data", "error": ...},
    ),
    Asked(
        what="an expression as it is usually written",
        path="api/v1/format_query",
        params={"query": "sum(up)by(job)"},
        has={**SUCCESS, "data": "sum by (job) (up)"},
    ),
    Asked(
        what="what an expression is made of",
        path="api/v1/parse_query",
        form={"query": "sum(up)"},
        has={**SUCCESS, "data": {"type": "aggregation"}},
    ),
    Asked(
        what="alerts of the unified list",
        path="api/v1/alerts",
        has={**SUCCESS, "data": {"alerts": ...}},
    ),
    Asked(
        what="targets",
        path="api/v1/targets",
        params={"state": "active"},
        has={**SUCCESS, "data": {"activeTargets": ..., "droppedTargets": ...}},
    ),
    Asked(
        what="flags",
        path="api/v1/status/flags",
        has={**SUCCESS, "data": ...},
    ),
)
ALERTMANAGER = (
    Asked(
        what="health of the data source, implementation Prometheus",
        path="api/v2/status",
        has={"cluster": {"status": ...}, "versionInfo": ..., "config": {"original": ...}},
    ),
    Asked(what="it is no Mimir or Cortex", path="alertmanager/api/v2/status", status=404),
    Asked(
        what="alerts",
        path="api/v2/alerts",
        params={"silenced": "true", "inhibited": "true", "active": "true"},
        has=[],
    ),
    Asked(what="alerts in groups", path="api/v2/alerts/groups", has=[]),
    Asked(
        what="a silence is made",
        path="api/v2/silences",
        body={
            "matchers": [{"name": "service", "value": "shop", "isRegex": False, "isEqual": True}],
            "startsAt": "2023-11-14T22:13:20.000Z",
            "endsAt": "2023-11-15T22:13:20.000Z",
            "createdBy": "ana",
            "comment": "moving",
        },
        has={"silenceID": ...},
    ),
    Asked(
        what="silences",
        path="api/v2/silences",
        has=[{"id": ..., "status": {"state": ...}, "createdBy": "ana", "matchers": ...}],
    ),
    Asked(what="receivers", path="api/v2/receivers", has=[]),
)
