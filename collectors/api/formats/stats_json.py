"""``stats.json``: the statistics of each line, without the data."""

from __future__ import annotations

import json

from collectors.api.formats.data_json import legend_and_metrics
from collectors.graph.chart import Chart


def stats_json(chart: Chart) -> bytes:
    """Return count, avg, total, max, min and last of each line; NaN stays bare, as in Atlas."""
    stats = [
        {
            "count": summary.count,
            "avg": summary.avg,
            "total": summary.total,
            "max": summary.max,
            "min": summary.min,
            "last": summary.last,
        }
        for summary in (line.summary for line in chart.lines)
    ]
    content = {
        "start": chart.start_ms,
        "end": chart.end_ms,
        "step": chart.step_ms,
        **legend_and_metrics(chart),
        "stats": stats,
        "notices": list(chart.warnings),
        **({"partial": True} if chart.partial else {}),
    }
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
