"""What the fake API says is there: metrics and their tags, dashboards, changes, detectors."""

from __future__ import annotations

from dashboards.testing.synthetic import REGIONS, JsonObject, World, near_change

REQUESTS = "http.server.request.duration"
SERVICES = ("auth", "catalogue", "gateway", "playback")
_METRICS = {
    REQUESTS: ("s", 480),
    "stream.starts": ("{start}", 2),
    "process.memory.usage": ("By", 4),
    "db.client.operation.duration": ("s", 90),
}
_TAGS = {
    REQUESTS: {
        "name": (REQUESTS,),
        "service.name": SERVICES,
        "statistic": ("count", "percentile", "totalTime"),
        "percentile": ("T0050",),
        "http.route": ("/v1/play", "/v1/titles"),
        "http.response.status_code": ("200", "503"),
    },
    "db.client.operation.duration": {
        "name": ("db.client.operation.duration",),
        "service.name": ("catalogue",),
        "statistic": ("count", "percentile", "totalTime"),
        "db.operation.name": ("SELECT",),
    },
    "stream.starts": {"name": ("stream.starts",), "cloud.region": REGIONS},
}


def metrics(world: World, prefix: str, search: str, query: str) -> JsonObject:
    """Return the names that match; a query for a convention's pattern finds all that follow one."""
    names = [] if world.empty else sorted(_METRICS)
    names = [name for name in names if name.startswith(prefix) and search.lower() in name]
    if query.startswith("name,") and query.endswith(":re"):
        names = [name for name in names if name.endswith(".duration")]
    rows = [{"name": n, "unit": _METRICS[n][0], "series": _METRICS[n][1]} for n in names]
    return {"metrics": rows, "left_out": 0}


def metric_tags(world: World, query: str) -> JsonObject:
    """Return the tags of the metric that a query names."""
    name = next((name for name in _TAGS if f"name,{name},:eq" in query), "")
    tags = {} if world.empty else _TAGS.get(name, {})
    series = _METRICS.get(name, ("", 0))[1]
    return {
        "series": series,
        "counted": series,
        "units": {name: _METRICS[name][0]} if name else {},
        "tags": [
            {
                "key": key,
                "values": len(values),
                "series": series,
                "top": [{"value": v, "series": series // len(values)} for v in values],
            }
            for key, values in sorted(tags.items())
        ],
    }


def boards(world: World) -> list[JsonObject]:
    """Return one dashboard, shown on overview and war room, too."""
    if world.empty:
        return []
    starts = "name,stream.starts,:eq,outcome,success,:eq,:and,{region},:and,:sum"
    latency = f"name,{REQUESTS},:eq,service.name,gateway,:eq,:and,(,50,99,),:percentiles"
    return [
        {
            "name": "streaming",
            "title": "Streaming (synthetic)",
            "description": "Synthetic charts",
            "pages": ["overview", "war_room"],
            "variables": [
                {"name": "region", "tag": "cloud.region", "query": "name,stream.starts,:eq"}
            ],
            "rows": [
                {
                    "title": "",
                    "repeat": "",
                    "panels": [
                        _panel(
                            "Stream starts by region",
                            f"{starts},(,cloud.region,),:by",
                            "1/s",
                            legend="cloud.region",
                        ),
                        _panel("Gateway latency", latency, "s", limit=0.2),
                    ],
                },
                {
                    "title": "Each region",
                    "repeat": "region",
                    "panels": [_panel("Starts", starts, "1/s", stacked=True)],
                },
            ][: 1 if world.plain_boards else 2],
        }
    ]


def _panel(
    title: str,
    expr: str,
    unit: str,
    *,
    legend: str = "",
    limit: float | None = None,
    stacked: bool = False,
) -> JsonObject:
    thresholds = [] if limit is None else [{"value": limit, "name": "objective 200 ms"}]
    return {
        "title": title,
        "expr": expr,
        "unit": unit,
        "stacked": stacked,
        "legend": legend,
        "thresholds": thresholds,
    }


def changes(world: World, service: str) -> list[JsonObject]:
    """Return the change that was made before the impact, if it is about the service."""
    change = near_change(world)
    kept = ("id", "time_ms", "kind", "summary", "service", "scope", "url")
    told = world.status is not None and service in ("", change["service"])
    return [{key: change[key] for key in kept} | {"author": ""}] if told else []


def detectors(world: World) -> list[JsonObject]:
    """Return one watched series a region."""
    if world.empty:
        return []
    return [
        {
            "name": "sps",
            "display_name": "Stream starts",
            "detector": "counts",
            "expr": "name,stream.starts,:eq,:sum,(,cloud.region,),:by",
            "unit": "1/s",
            "updated_ms": world.now_ms,
            "fault": None,
            "refused": 0,
            "scope": {"cloud.region": region},
            "state": "normal",
            "value": 40.0,
            "expected": 41.0,
            "noise": 1.0,
            "score": 0.1,
        }
        for region in REGIONS
    ]
