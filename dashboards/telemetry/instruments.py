"""An instrument that was found: which services have it, and the expressions that read it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from dashboards.telemetry.buckets import BOUND
from tocsin.client.conventions import (
    ANY,
    CONVENTIONS,
    Convention,
    Form,
    Side,
    convention_of,
)
from tocsin.client.metric_shapes import MetricTags
from tocsin.client.stack_words import both, either, equals, grouped, matches, ratio, summed

SERVICE_KEYS = ("service.name", "service_name", "job", "nf.app", "app")
PERCENTILES = (50, 95, 99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """A metric that follows a convention.

    Attributes:
        name: Of the metric, as it is counted.
        convention: How it is read.
        keys: Tags that its series have.
        service_key: The tag that names the service.
        services: Services that have it, those of most series first.
        timed: Whether its durations are known, in seconds.
        percentiles: Whether percentiles can be read.
    """

    name: str
    convention: Convention
    keys: frozenset[str]
    service_key: str
    services: tuple[str, ...]
    timed: bool
    percentiles: bool

    @property
    def side(self) -> Side:
        """What the service does."""
        return self.convention.side

    @property
    def tells_failures(self) -> bool:
        """Whether failures can be told from successes; if not, no error rate is known."""
        return not self.convention.told or bool(self.convention.told & self.keys)

    @property
    def operation(self) -> str | None:
        """The key that names what was done, None when no series has one."""
        return next((key for key in self.convention.operation if key in self.keys), None)

    def traffic(self, service: str | None = None, *keys: str) -> str:
        """Return events a second, of one service or of all, grouped by keys."""
        return summed(self._counted(service), *keys)

    def failures(self, service: str | None = None, *keys: str) -> str:
        """Return failed events a second; no line for those that never failed."""
        return summed(both(self._counted(service), self._failed), *keys)

    def error_ratio(self, service: str) -> str:
        """Return the share of failed events of a service."""
        return ratio(self.failures(service), self.traffic(service))

    def quantiles(self, service: str | None, *keys: str, of: tuple[int, ...] = PERCENTILES) -> str:
        """Return percentiles of the duration, seconds.

        Classic histograms give their buckets, of which
        :func:`dashboards.telemetry.buckets.quantile_lines` makes percentiles.
        """
        if self.convention.form is Form.CLASSIC:
            name = self.name.removesuffix("_count")
            buckets = both(equals("name", f"{name}_bucket"), self._of(service))
            return summed(buckets, *keys, BOUND)
        ranks = ",".join(map(str, of))
        measured = both(equals("name", self.name), self._of(service))
        return f"{measured}{grouped(*keys)},(,{ranks},),:percentiles"

    def mean(self, service: str | None, *keys: str) -> str:
        """Return the mean duration, seconds."""
        if self.convention.form is Form.CLASSIC:
            name = self.name.removesuffix("_count")
            total = both(equals("name", f"{name}_sum"), self._of(service))
        else:
            total = both(
                equals("name", self.name), equals("statistic", "totalTime"), self._of(service)
            )
        return f"{summed(total, *keys)},{self.traffic(service, *keys)},:div"

    def _counted(self, service: str | None) -> str:
        histogram = self.convention.form is Form.HISTOGRAM
        counted = equals("statistic", "count") if histogram else ""
        return both(equals("name", self.name), counted, self._of(service))

    def _of(self, service: str | None) -> str:
        return "" if service is None else equals(self.service_key, service)

    @property
    def _failed(self) -> str:
        known = [(key, how) for key, how in self.convention.failed if key in self.keys]
        # Without any of the tags nothing has failed so far, and no series matches the first.
        known = known or [(self.convention.failed[0][0], ANY)]
        return either(*(f"{key},:has" if how == ANY else matches(key, how) for key, how in known))


def instrument_of(
    name: str, found: MetricTags, bucketed: Collection[str] = ()
) -> Instrument | None:
    """Return the instrument ``name`` with the tags that its series have.

    None when it follows no convention, or when its series name no service.

    Args:
        name: Of the metric.
        found: Its tags.
        bucketed: Counts of classic histograms that have buckets, which summaries have not.
    """
    convention = convention_of(name)
    tags = {row["key"]: row for row in found["tags"]}
    key = next((key for key in SERVICE_KEYS if key in tags), None)
    if convention is None or key is None:
        return None
    statistics = {row["value"] for row in tags["statistic"]["top"]} if "statistic" in tags else ()
    classic = convention.form is Form.CLASSIC
    return Instrument(
        name=name,
        convention=convention,
        keys=frozenset(tags),
        service_key=key,
        services=tuple(row["value"] for row in tags[key]["top"]),
        timed=classic or "totalTime" in statistics,
        percentiles=name in bucketed or {"percentile", "totalTime"} <= set(statistics),
    )


def instruments_of(
    found: Mapping[str, MetricTags], bucketed: Collection[str] = ()
) -> tuple[Instrument, ...]:
    """Return the instruments among some metrics, in the order of the table of conventions."""
    every = (instrument_of(name, tags, bucketed) for name, tags in found.items())
    return tuple(sorted((one for one in every if one is not None), key=_rank))


def _rank(instrument: Instrument) -> tuple[int, str]:
    return CONVENTIONS.index(instrument.convention), instrument.name
