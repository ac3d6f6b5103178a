"""``json`` and ``std.json``: one row of values a timestamp."""

from __future__ import annotations

import json

from collectors.api.formats.json_text import to_json
from collectors.api.formats.values import columns, quoted
from collectors.budget import look
from collectors.graph.chart import Chart
from collectors.model import FloatArray


def standard_json(chart: Chart) -> bytes:
    """Return the data of ``chart``; NaN and infinities are quoted."""
    return to_json({**_head(chart), "values": quoted(_rows(chart)), **_tail(chart)})


def bare_json(chart: Chart) -> bytes:
    """Return the data of ``chart`` with NaN and infinities bare, which strict parsers refuse."""
    rows = _rows(chart)
    # Row by row: the encoder holds the interpreter's lock for as long as it is at work.
    values = b",".join([_row(row) for row in rows])
    head = _bare(_head(chart))[:-1]
    return b"".join((head, b',"values":[', values, b"],", _bare(_tail(chart))[1:]))


def _row(row: FloatArray) -> bytes:
    look()
    return _bare(row.tolist())


def _bare(content: object) -> bytes:
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "replace")


def legend_and_metrics(chart: Chart) -> dict[str, object]:
    """Return the labels and the tags of every line, tags in order of their keys."""
    return {
        "legend": [line.label for line in chart.lines],
        "metrics": [dict(sorted(line.tags.items())) for line in chart.lines],
    }


def _rows(chart: Chart) -> FloatArray:
    return columns([line.values for line in chart.lines], chart.steps)


def _head(chart: Chart) -> dict[str, object]:
    return {"start": chart.start_ms, "step": chart.step_ms, **legend_and_metrics(chart)}


def _tail(chart: Chart) -> dict[str, object]:
    return {"notices": list(chart.warnings), **({"partial": True} if chart.partial else {})}
