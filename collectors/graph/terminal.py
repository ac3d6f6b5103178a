"""Lines as a chart of braille dots, for a terminal.

A character cell holds two columns and four rows of dots, so a chart of 60 by 12 cells has a
resolution of 120 by 48. Where two lines share a cell the later one gives it its colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from itertools import cycle, islice

import numpy as np
from numpy.typing import NDArray

from collectors.graph.scales import ScaleKind, ValueScale
from collectors.graph.summary import summarize
from collectors.graph.unit_prefix import TickLabels, decimal, prefix_for
from collectors.model import FloatArray, Frame
from collectors.printable import printable

_BRAILLE = 0x2800
# Bits of the dots of one cell: rows down, columns across (Unicode, Braille Patterns).
_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], dtype=np.uint8)
_COLORS = (34, 33, 32, 35, 36, 31)
_LABEL_COLUMNS = 9
_MIN_WIDTH, _MIN_HEIGHT = 20, 3
_MAX_WIDTH, _MAX_HEIGHT = 1000, 300
_MAX_LEGEND = 20
_MAX_LABEL = 1_000


def draw(
    frame: Frame,
    *,
    width: int = 80,
    height: int = 16,
    color: bool = True,
    zone: tzinfo = UTC,
    labels: TickLabels = TickLabels.DECIMAL,
) -> str:
    """Return ``frame`` as text: chart, time axis and one legend row a line.

    Args:
        frame: The lines.
        width: Columns of the terminal.
        height: Rows of the chart itself, without time axis and legend.
        color: Whether to write ANSI colours.
        zone: Zone of the times below the chart.
        labels: How values are written.
    """
    width = min(_MAX_WIDTH, max(_MIN_WIDTH, width))
    height = min(_MAX_HEIGHT, max(_MIN_HEIGHT, height))
    columns = width - _LABEL_COLUMNS - 2
    low, high = _bounds(frame.values)
    scale = ValueScale(ScaleKind.LINEAR, low, high)
    cells, owners = _plot(frame.values, scale, columns, height)
    rows = []
    for row in range(height):
        mark = _mark(row, height, scale, labels)
        rows.append(f"{mark:>{_LABEL_COLUMNS}} ┤{_row(cells[row], owners[row], color=color)}")
    rows.append(f"{'':>{_LABEL_COLUMNS}} └{'─' * columns}")
    rows.append(f"{'':>{_LABEL_COLUMNS + 2}}{_times(frame, zone, columns)}")
    return "\n".join([*rows, *_legend(frame, width, color=color)]) + "\n"


def _bounds(values: FloatArray) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    limit = float(np.finfo(np.float64).max) / 4
    low, high = max(low, -limit), min(high, limit)
    pad = max(1.0, abs(low) * 1e-9) if low >= high else 0.0
    return low - pad, high + pad


def _plot(
    values: FloatArray, scale: ValueScale, columns: int, height: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    cells = np.zeros((height, columns), dtype=np.uint8)
    owners = np.full((height, columns), -1, dtype=np.int64)
    for index, line in enumerate(values):
        lows, highs = _dot_ranges(line, scale, columns * 2, height * 4)
        for x in np.flatnonzero(highs >= 0):
            ys = np.arange(lows[x], highs[x] + 1)
            np.bitwise_or.at(cells, (ys // 4, x // 2), _DOTS[ys % 4, x % 2])
            owners[ys // 4, x // 2] = index
    return cells, owners


def _dot_ranges(
    line: FloatArray, scale: ValueScale, columns: int, rows: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first and last dot row of each dot column, -1 where there is nothing."""
    steps = line.size
    lows = np.full(columns, rows, dtype=np.int64)
    highs = np.full(columns, -1, dtype=np.int64)
    if steps == 0:
        return lows, highs
    # Wider than the data: a step covers several columns; narrower: a column several steps.
    pieces = max(steps, columns)
    at = np.arange(pieces)
    value = line[at * steps // pieces]
    column = at * columns // pieces
    fraction = np.clip(scale.fraction(value), 0.0, 1.0)
    present = ~np.isnan(fraction)
    dot = np.rint((1.0 - fraction[present]) * (rows - 1)).astype(np.int64)
    np.minimum.at(lows, column[present], dot)
    np.maximum.at(highs, column[present], dot)
    # Join neighbours, so that a jump reads as one line rather than two.
    joined = (highs[1:] >= 0) & (highs[:-1] >= 0)
    before_high, before_low = highs[:-1].copy(), lows[:-1].copy()
    lows[1:] = np.where(joined & (before_high < lows[1:]), before_high + 1, lows[1:])
    highs[1:] = np.where(joined & (before_low > highs[1:]), before_low - 1, highs[1:])
    return lows, highs


def _row(cells: NDArray[np.uint8], owners: NDArray[np.int64], *, color: bool) -> str:
    text = "".join(chr(_BRAILLE + int(cell)) if cell else " " for cell in cells)
    if not color:
        return text.rstrip()
    pieces = []
    current = -1
    for character, owner in zip(text, owners.tolist(), strict=True):
        if owner != current:
            pieces.append("\x1b[0m" if owner < 0 else f"\x1b[{_COLORS[owner % len(_COLORS)]}m")
            current = owner
        pieces.append(character)
    return "".join(pieces).rstrip() + ("" if current < 0 else "\x1b[0m")


def _mark(row: int, height: int, scale: ValueScale, labels: TickLabels) -> str:
    # Marks on the first, the last and every fourth row are as dense as they stay readable.
    if labels is TickLabels.OFF or (row % 4 and row != height - 1) or height - 4 < row < height - 1:
        return ""
    value = scale.at(1.0 - row / max(1, height - 1))
    return prefix_for(labels, value).format(value, 2)


def _times(frame: Frame, zone: tzinfo, columns: int) -> str:
    steps = frame.values.shape[1]
    if steps == 0:
        return ""
    first = frame.start_ms - frame.step_ms
    last = frame.start_ms + (steps - 1) * frame.step_ms
    pattern = "%H:%M:%S" if last - first < 600_000 else "%H:%M"
    if last - first > 86_400_000:
        pattern = "%m-%d %H:%M"
    texts = [
        datetime.fromtimestamp(t / 1000, UTC).astimezone(zone).strftime(pattern)
        for t in (first, (first + last) // 2, last)
    ]
    room = columns - sum(map(len, texts))
    if room < 2:
        return texts[-1].rjust(columns)
    left = room // 2
    return f"{texts[0]}{' ' * left}{texts[1]}{' ' * (room - left)}{texts[2]}"


def _legend(frame: Frame, width: int, *, color: bool) -> Sequence[str]:
    rows = []
    shown = zip(frame.labels, frame.values, cycle(_COLORS), strict=False)
    for label, values, code in islice(shown, _MAX_LEGEND):
        s = summarize(values)
        numbers = ", ".join(
            f"{name} {decimal(v).format(v, 2)}"
            for name, v in (("min", s.min), ("max", s.max), ("avg", s.avg), ("last", s.last))
        )
        name = printable(label[:_MAX_LABEL], kept="")[: max(8, width - len(numbers) - 5)]
        mark = f"\x1b[{code}m■\x1b[0m" if color else "■"
        rows.append(f"{mark} {name}  {numbers}" if s.count else f"{mark} {name}  no data")
    hidden = len(frame.labels) - _MAX_LEGEND
    return [*rows, f"  … {hidden} more"] if hidden > 0 else rows
