"""``csv`` and ``txt``: a row a timestamp, in columns."""

from __future__ import annotations

import math
from datetime import UTC, datetime, tzinfo

from collectors.api.formats.values import columns
from collectors.graph.chart import Chart
from collectors.model import FloatArray

# Fullwidth forms as well: some spreadsheets read them alike.
_FORMULA = frozenset("=+-@\t\r|%\uff1d\uff0b\uff0d\uff20")


def separated_values(chart: Chart, separator: str) -> bytes:
    """Return a header and one row a timestamp, six decimals a value."""
    names = ["timestamp", *(line.label for line in chart.lines)]
    header = separator.join(_heading(name) for name in names)
    values = columns([line.values for line in chart.lines], chart.steps)
    times = (chart.start_ms + i * chart.step_ms for i in range(chart.steps))
    rows = (
        separator.join([_timestamp(time_ms, chart.zones[0]), *_cells(row)])
        for time_ms, row in zip(times, values, strict=True)
    )
    return "\n".join([header, *rows, ""]).encode("utf-8", "replace")


def _heading(name: str) -> str:
    # One line, and quotes doubled: a label must not be able to add columns or rows.
    flat = " ".join(name.split("\n")).replace("\r", " ").replace('"', '""')
    return f'"{inert(flat)}"'


def inert(cell: str) -> str:
    """Return text that no spreadsheet takes for a formula; a number is none.

    Source: OWASP, CSV injection.

    >>> inert("=1+1"), inert("-1.5"), inert("requests")
    ("'=1+1", '-1.5', 'requests')
    """
    if not cell or cell.lstrip(" ")[:1] not in _FORMULA or _is_number(cell):
        return cell
    return f"'{cell}"


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def _cells(row: FloatArray) -> list[str]:
    return [f"{value:f}" if math.isfinite(value) else _named(value) for value in row.tolist()]


def _named(value: float) -> str:
    # As Java writes the three values that have no digits.
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _timestamp(time_ms: int, zone: tzinfo) -> str:
    local = datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(zone)
    text = local.strftime("%Y-%m-%dT%H:%M:%S")
    offset = local.strftime("%z")
    return f"{text}Z" if offset == "+0000" else f"{text}{offset[:3]}:{offset[3:5]}"
