"""Queries that cost their server as much as a stranger can make them cost."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.metrics.workload import NAME

_ALL = f"name,{NAME},:eq"


def nastiest(start_ms: int, end_ms: int) -> Mapping[str, str]:
    """Return paths with their query strings by name; ``start_ms`` to ``end_ms`` has data."""
    hours = f"s={start_ms}&e={end_ms}&step=60s&format=json"
    end = f"s={end_ms - 300_000}&e={end_ms}&step=60s&format=json"
    legend = "%24instance" * 400 + "%20%24kk" * 400
    nested = f"{_ALL}," + "app,app-001,:eq,:or,:not," * 1_200 + ":sum"
    six = "(,name,app,cluster,instance,region,zone,)"
    deep = f"{_ALL},:sum," + ":dup,1,:add,:max,60s,:rolling-max,:integral," * 300
    axes = ",".join(f"{_ALL},(,app,),:by,{axis},:axis" for axis in range(5))
    return {
        "by instance": f"/api/v1/graph?q={_ALL},(,instance,),:by&{end}",
        "by, count": f"/api/v1/graph?q={_ALL},(,instance,),:by,:count&{end}",
        "by, topk": f"/api/v1/graph?q={_ALL},(,instance,),:by,max,5,:topk&{end}",
        "by six keys": f"/api/v1/graph?q=:true,{six},:by&{end}",
        "wide pattern": f"/api/v1/graph?q=instance,.*0.*1.*2.*z,:re,:sum&{hours}",
        "any case": f"/api/v1/graph?q=instance,.*(0|1)(2|3)(4|5)(6|7)X$,:reic,:sum&{hours}",
        "nested not": f"/api/v1/graph?q={nested}&{hours}",
        "all series": f"/api/v1/graph?q=:true,:all,:count&{end}",
        "deep program": f"/api/v1/expr/debug?q={deep}",
        "axes and legends": f"/api/v1/graph?q={axes},{legend},:legend&{hours}",
        "percentiles": f"/api/v1/graph?q={_ALL},(,cluster,),:by,(,1,50,99,),:percentiles&{hours}",
        "tags": "/api/v1/tags/instance?limit=1000&offset=i-00-0500000",
        "tags of pattern": "/api/v1/tags/instance?q=instance,.*5.*,:re",
        "metric tags": "/api/v2/metric-tags?q=:true",
    }
