"""What the instances of the edge share in a region."""

from __future__ import annotations

from dataclasses import dataclass, field

from demo_stack.services.edge.filling import Filler
from demo_stack.services.edge.forecast import PopularityForecast


@dataclass(slots=True, kw_only=True)
class EdgeStores:
    """Outlives every instance.

    Attributes:
        forecast: What viewers of the region will ask the edges for.
        day_s: Length of a day, in seconds.
        fillers: What the running instances keep, and fetch ahead.
    """

    forecast: PopularityForecast
    day_s: float
    fillers: list[Filler] = field(default_factory=list)


def edge_stores(day_s: float) -> EdgeStores:
    """Return the stores of a region whose days are this long; a request counts half after half."""
    return EdgeStores(forecast=PopularityForecast(day_s / 2), day_s=day_s)
