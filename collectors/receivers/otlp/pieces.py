"""A large metrics request as several, so that no sender waits for all of another's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# Points of one turn; those of histograms, which become many samples, weigh more.
PIECE_WEIGHT = 20_000
_WEIGHTS = {"histogram": 10, "exponential_histogram": 10, "summary": 3}


def pieces(request: Any, most: int = PIECE_WEIGHT) -> Iterator[Any]:
    """Yield requests that hold together what one does, each of a bounded weight.

    Metrics without points weigh as much as one. What is light enough is yielded as it is.
    """
    metrics = (m for r in request.resource_metrics for s in r.scope_metrics for m in s.metrics)
    if sum(map(_weight, metrics)) <= most:
        yield request
        return
    pile = _Pile(type(request), most)
    for group in request.resource_metrics:
        for scope in group.scope_metrics:
            pile.into = None
            for metric in scope.metrics:
                yield from pile.add(group, scope, metric)
    yield pile.piece


class _Pile:
    """Fills one request after another.

    Attributes:
        piece: The request that is filled.
        into: Its scope that takes the next metric, None if there is none yet.
    """

    def __init__(self, kind: Any, most: int) -> None:
        self._kind = kind
        self._most = self._room = most
        self.piece = kind()
        self.into: Any = None

    def add(self, group: Any, scope: Any, metric: Any) -> Iterator[Any]:
        """Add a metric, yielding the requests that become full."""
        each = _WEIGHTS.get(metric.WhichOneof("data"), 1)
        at, end = 0, max(1, len(_points(metric)))
        while at < end:
            if self._room < each:
                yield self.piece
                self.piece, self.into, self._room = self._kind(), None, self._most
            if self.into is None:
                owner = self.piece.resource_metrics.add(resource=group.resource)
                self.into = owner.scope_metrics.add(scope=scope.scope)
            count = min(self._room // each, end - at)
            _copy(metric, at, at + count, self.into.metrics.add())
            at, self._room = at + count, self._room - count * each


def _points(metric: Any) -> Any:
    shape = metric.WhichOneof("data")
    return getattr(metric, shape).data_points if shape else ()


def _weight(metric: Any) -> int:
    return max(1, len(_points(metric))) * _WEIGHTS.get(metric.WhichOneof("data"), 1)


def _copy(metric: Any, first: int, last: int, into: Any) -> None:
    """Copy a metric with some of its points."""
    points = _points(metric)
    if last - first >= len(points):
        into.CopyFrom(metric)
        return
    shape = metric.WhichOneof("data")
    into.name, into.unit = metric.name, metric.unit
    into.metadata.extend(metric.metadata)
    data, copied = getattr(metric, shape), getattr(into, shape)
    for name in ("aggregation_temporality", "is_monotonic"):
        if hasattr(data, name):
            setattr(copied, name, getattr(data, name))
    copied.data_points.extend(points[first:last])
