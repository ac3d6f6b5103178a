"""What an indicator is now: counted over the last hour, in whole events and a share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tocsin.client.graphs import Graph
from tocsin.client.wording import duration, number, percent
from tocsin.starting.indicator import Indicator

LOOK_BACK = "e-1h"


class Grapher(Protocol):
    """What of :class:`tocsin.client.client.ApiClient` is asked."""

    def graph(
        self, query: str, *, start: str | int, end: str | int = "now", step_s: int | None = None
    ) -> Graph:
        """Return the lines of an expression."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """Events over the last hour.

    Attributes:
        good: Good ones.
        total: All.
        measured_s: Length of the steps with any, seconds.
    """

    good: float
    total: float
    measured_s: float

    @property
    def ratio(self) -> float:
        """Share of good events, NaN without any."""
        return self.good / self.total if self.total else math.nan

    def words(self, target: float) -> str:
        """Say it, and what it means for ``target``."""
        if not self.total:
            return "nothing was counted in the last hour: there is no value yet"
        bad = self.total - self.good
        budget = (1 - target) * self.total
        spent = f", {number(bad / budget)} times what {percent(target)} allows" if bad else ""
        return (
            f"now {percent(self.ratio)}: {number(round(bad))} of {number(round(self.total))} "
            f"events bad in {duration(self.measured_s)}{spent}"
        )


def current(server: Grapher, indicator: Indicator) -> Current:
    """Count an indicator's events over the last hour."""
    total, measured_s = _counted(server, indicator.total)
    part, _ = _counted(server, indicator.part)
    part = min(part, total)
    good = total - part if indicator.part_is_bad else part
    return Current(good=good, total=total, measured_s=measured_s)


def _counted(server: Grapher, expression: str) -> tuple[float, float]:
    """Return the events of an expression of events per second, and the time that has any."""
    graph = server.graph(expression, start=LOOK_BACK)
    step_s = graph.step_ms / 1_000
    rates = [np.nan_to_num(line.values) for line in graph.lines]
    if not rates:
        return 0.0, 0.0
    summed = np.sum(rates, axis=0)
    return float(summed.sum()) * step_s, float(np.count_nonzero(summed)) * step_s
