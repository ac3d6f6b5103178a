"""What the instances of recommendations share in a region."""

from __future__ import annotations

from dataclasses import dataclass, field

from demo_stack.eventlog.broker import Broker
from demo_stack.eventlog.topics import LATENESS_MS, WINDOW_MS
from demo_stack.eventlog.windows import TumblingCounts
from demo_stack.services.recommendations.model import ItemModel


def _counts() -> TumblingCounts:
    return TumblingCounts(WINDOW_MS, LATENESS_MS)


@dataclass(slots=True, kw_only=True)
class RecommendationStores:
    """Outlives every instance.

    Attributes:
        log: The event log: views come from there.
        model: What the instances have learnt from viewing events.
        views: Views per title in windows: the state of the stream job.
        trending: Titles of the last window of views, the most started first.
    """

    log: Broker
    model: ItemModel = field(default_factory=ItemModel)
    views: TumblingCounts = field(default_factory=_counts)
    trending: list[str] = field(default_factory=list)
