"""Which kind a Prometheus metric has: as its sender says, else by its name.

Names follow OpenMetrics: ``_total``, ``_count``, ``_sum`` and ``_bucket`` are cumulative, the rest
gauges. Remote write 2.0 tells the type of every series; 1.0 tells types of metrics now and then, in
requests of their own, so they are remembered. Scraped pages tell types of families: what a family's
type says of its parts, and what nobody told, follows the same rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum
from itertools import islice

from collectors.model import SeriesKind

CUMULATIVE = ("_total", "_bucket", "_count", "_sum")
_MAX_TOLD = 200_000
_MAX_CHARS = 255


class MetricType(IntEnum):
    """Types of metrics as both protocols number them."""

    UNKNOWN = 0
    COUNTER = 1
    GAUGE = 2
    HISTOGRAM = 3
    GAUGE_HISTOGRAM = 4
    SUMMARY = 5


PLAIN_TYPES = len(MetricType)
# As pages write them; what info and stateset metrics have to say are gauges.
_WORDS: Mapping[str, MetricType] = {
    "counter": MetricType.COUNTER,
    "gauge": MetricType.GAUGE,
    "histogram": MetricType.HISTOGRAM,
    "gaugehistogram": MetricType.GAUGE_HISTOGRAM,
    "summary": MetricType.SUMMARY,
    "info": MetricType.GAUGE,
    "stateset": MetricType.GAUGE,
    "unknown": MetricType.UNKNOWN,
    "untyped": MetricType.UNKNOWN,
}
_PARTS: Mapping[str, frozenset[MetricType]] = {
    "_total": frozenset({MetricType.COUNTER}),
    "_bucket": frozenset({MetricType.HISTOGRAM, MetricType.GAUGE_HISTOGRAM}),
    "_count": frozenset({MetricType.HISTOGRAM, MetricType.SUMMARY}),
    "_sum": frozenset({MetricType.HISTOGRAM, MetricType.SUMMARY}),
}
_COUNTED_PARTS: Mapping[int, tuple[str, ...]] = {
    MetricType.HISTOGRAM: ("_bucket", "_count", "_sum"),
    MetricType.SUMMARY: ("_count", "_sum"),
}


def prometheus_kind(name: str) -> SeriesKind:
    """Return the kind that a metric's name implies.

    >>> prometheus_kind("http_requests_total")
    <SeriesKind.COUNTER: 'counter'>
    """
    return SeriesKind.COUNTER if name.endswith(CUMULATIVE) else SeriesKind.GAUGE


def typed_kind(name: str, metric_type: int) -> SeriesKind:
    """Return the kind of the series ``name`` of a metric of a type; unknown goes by the name.

    >>> typed_kind("odd_total", MetricType.GAUGE)
    <SeriesKind.GAUGE: 'gauge'>
    """
    if metric_type == MetricType.UNKNOWN:
        return prometheus_kind(name)
    counted = metric_type == MetricType.COUNTER
    counted = counted or name.endswith(_COUNTED_PARTS.get(metric_type, ()))
    return SeriesKind.COUNTER if counted else SeriesKind.GAUGE


def type_of_word(word: str) -> MetricType | None:
    """Return the type that a page's TYPE line names, None if there is no such type."""
    return _WORDS.get(word)


def family_kind(name: str, types: Mapping[str, MetricType]) -> SeriesKind:
    """Return the kind of the series ``name`` of a page that told ``types`` of its families.

    >>> family_kind("lat_bucket", {"lat": MetricType.GAUGE_HISTOGRAM})
    <SeriesKind.GAUGE: 'gauge'>
    >>> family_kind("hits_total", {"hits_total": MetricType.UNKNOWN})
    <SeriesKind.COUNTER: 'counter'>
    """
    own = types.get(name, MetricType.UNKNOWN)
    if own != MetricType.UNKNOWN:
        return typed_kind(name, own)
    for suffix, parts_of in _PARTS.items():
        if name.endswith(suffix):
            family = types.get(name.removesuffix(suffix), MetricType.UNKNOWN)
            if family in parts_of:
                return typed_kind(name, family)
    return prometheus_kind(name)


def series_of_family(name: str) -> tuple[str, ...]:
    """Return the names of the series whose kind the type of a family may decide."""
    return (name, *(name + suffix for suffix in _PARTS))


class MetricKinds:
    """Remembers the kinds that senders told and that names alone don't tell.

    Attributes:
        version: Grows whenever a kind changes.
    """

    def __init__(self) -> None:
        self.version = 0
        self._told: dict[str, SeriesKind] = {}

    def __len__(self) -> int:
        return len(self._told)

    def kind(self, name: str, metric_type: int = MetricType.UNKNOWN) -> SeriesKind:
        """Return the kind of the series ``name``; what its own request says comes first."""
        if metric_type == MetricType.UNKNOWN and (told := self.told(name)):
            return told
        return typed_kind(name, metric_type)

    def told(self, name: str) -> SeriesKind | None:
        """Return what was told of ``name``, None when it is as the name implies."""
        return self._told.get(name)

    def learn(self, types: Iterable[tuple[str, int]]) -> dict[str, str]:
        """Remember the types of metrics; return the kinds that changed, "" where a name decides.

        Args:
            types: Names of metrics and their types; beyond 200,000 they are left out.
        """
        implied = (pair for family in islice(types, _MAX_TOLD) for pair in _implied(*family))
        return self.apply({name: "" if kind is None else kind.value for name, kind in implied})

    def apply(self, kinds: Mapping[str, str]) -> dict[str, str]:
        """Take kinds as :meth:`learn` or :meth:`all_told` returned them; return what changed."""
        changed: dict[str, str] = {}
        for name, kind in kinds.items():
            if self._told.get(name, "") == kind:
                continue
            if not kind:
                del self._told[name]
            elif len(self._told) < _MAX_TOLD or name in self._told:
                self._told[name] = SeriesKind(kind)
            else:
                continue
            changed[name] = kind
        self.version += bool(changed)
        return changed

    def all_told(self) -> dict[str, str]:
        """Return every remembered kind by name."""
        return {name: kind.value for name, kind in self._told.items()}


def _implied(name: str, metric_type: int) -> Iterator[tuple[str, SeriesKind | None]]:
    """Yield the series of a metric whose kind its type may change; None: as the name says."""
    if not name or len(name) > _MAX_CHARS:
        return
    # The buckets of a gauge histogram are gauges, although their name says otherwise.
    if metric_type in (MetricType.HISTOGRAM, MetricType.GAUGE_HISTOGRAM):
        bucket = f"{name}_bucket"
        yield bucket, _unless_implied(bucket, typed_kind(bucket, metric_type))
    yield name, _unless_implied(name, typed_kind(name, metric_type))


def _unless_implied(name: str, kind: SeriesKind) -> SeriesKind | None:
    return None if kind == prometheus_kind(name) else kind
