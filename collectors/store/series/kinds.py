"""The kinds of series as the columns of the store number them."""

from __future__ import annotations

from collectors.model import SeriesKind

KINDS = (SeriesKind.GAUGE, SeriesKind.SUM, SeriesKind.RATE, SeriesKind.COUNTER)
GAUGE, SUM, RATE, COUNTER = range(4)
