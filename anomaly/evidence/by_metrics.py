"""What the metrics of all services say of a finding: who moved, and who moved first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from anomaly.causes.metric_deviation import (
    MetricDeviation,
    MovedService,
    metric_deviations,
    moved_services,
)
from anomaly.evidence.causes import MAX_SUSPECTS
from anomaly.findings import Finding, Suspect
from collectors.changes.change import SERVICE
from collectors.errors import QueryError, StorageError
from collectors.model import Tags
from collectors.stacklang.lines.database import Aggregate, Consolidation, Database, Fetch, Window
from collectors.stacklang.predicates.predicate import And, Equal, HasKey, Not, Query, Regex
from collectors.traces.calls import PLACE_KEYS
from tocsin.client.wording import clock, number

BEFORE_COLUMNS = 60
MAX_NOW_COLUMNS = 60
MAX_LINES = 5_000
_MIN_NOW_COLUMNS = 2
_COLUMN_MS = 10_000
_STATISTIC = "statistic"
_NO_WAY = "no trace tells how it is reached, so there is no path"
# Buckets say nothing that count and time do not; our own metrics are not about anybody else.
_LEFT_OUT = Regex(_STATISTIC, "percentile|totalOfSquares")
_OURS = Regex("name", "tocsin\\.")


class MetricsOnce:
    """Asks for the same metrics once: findings of a storm begin together, and a sum is dear.

    Args:
        database: Where the numbers are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[tuple[Window, str], _Table] = {}

    def table(self, window: Window, place: Query | None) -> _Table:
        """Return every metric of every service in a window, of one place if one is given."""
        asked = window, str(place)
        if asked not in self._known:
            self._known[asked] = _table(self._database, window, place)
        return self._known[asked]

    @property
    def step_ms(self) -> int:
        """The base step of stored data, milliseconds."""
        return self._database.step_ms

    def forget(self) -> None:
        """Ask anew from now on."""
        self._known.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """Names of service and metric of each row, and (rows, columns) values."""

    names: tuple[tuple[str, str], ...]
    values: np.ndarray[tuple[int, int], np.dtype[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What moved with a finding.

    Attributes:
        services: Those with metrics that are off, the first and farthest at the front.
        compared: How many services have metrics that could be compared.
        moment_ms: When each column begins, epoch milliseconds.
    """

    services: tuple[MovedService, ...]
    compared: int
    moment_ms: tuple[int, ...]

    def words(self, one: MetricDeviation) -> str:
        """Return what became of a metric."""
        since = clock(self.moment_ms[one.onset])
        if math.isnan(one.level):
            return f"its {one.metric} has had no value since {since}, usually {number(one.usual)}"
        return f"its {one.metric} is {number(one.level)} since {since}, usually {number(one.usual)}"


NOTHING_MOVED = Moved(services=(), compared=0, moment_ms=())


def moved_with(metrics: MetricsOnce, finding: Finding) -> Moved:
    """Return whose metrics are off since a finding began; nobody's when they can't be read."""
    step_ms = -(-_COLUMN_MS // metrics.step_ms) * metrics.step_ms
    onset_ms = finding.started_ms // step_ms * step_ms
    last_ms = max(finding.updated_ms // step_ms * step_ms, onset_ms + _MIN_NOW_COLUMNS * step_ms)
    window = Window(
        start_ms=onset_ms - (BEFORE_COLUMNS - 1) * step_ms,
        end_ms=min(last_ms, onset_ms + MAX_NOW_COLUMNS * step_ms),
        step_ms=step_ms,
    )
    try:
        table = metrics.table(window, _place(finding.scope))
    except (QueryError, StorageError):
        return NOTHING_MOVED  # a page without this evidence is better than none
    before, now = table.values[:, :BEFORE_COLUMNS], table.values[:, BEFORE_COLUMNS:]
    found = metric_deviations(table.names, before, now)
    return Moved(
        services=moved_services(found),
        compared=len({service for service, _ in table.names}),
        moment_ms=tuple(onset_ms + at * step_ms for at in range(now.shape[1])),
    )


def suspects_by_metrics(moved: Moved) -> tuple[Suspect, ...]:
    """Return whom the metrics alone make suspect: without any call, so without a path."""
    return tuple(
        Suspect(
            service=one.service,
            share=one.share,
            reason="; ".join(moved.words(metric) for metric in one.metrics[:2]),
            against=(_NO_WAY,),
        )
        for one in moved.services[:MAX_SUSPECTS]
    )


def with_metrics(suspects: Sequence[Suspect], moved: Moved) -> tuple[Suspect, ...]:
    """Return suspects with the metric of theirs that moved first as further evidence."""
    by_service: Mapping[str, MovedService] = {one.service: one for one in moved.services}
    return tuple(
        replace(one, reason=f"{one.reason}; {moved.words(by_service[one.service].metrics[0])}")
        if one.service in by_service
        else one
        for one in suspects
    )


def _place(scope: Tags) -> Query | None:
    return next((Equal(key, scope[key]) for key in PLACE_KEYS if scope.get(key)), None)


def _table(database: Database, window: Window, place: Query | None) -> _Table:
    names: list[tuple[str, str]] = []
    parts = []
    wanted: Query = And(HasKey(SERVICE), Not(_OURS))
    if place is not None:
        wanted = And(wanted, place)
    for query, keys in (
        (And(wanted, And(HasKey(_STATISTIC), Not(_LEFT_OUT))), (SERVICE, "name", _STATISTIC)),
        (And(wanted, Not(HasKey(_STATISTIC))), (SERVICE, "name")),
    ):
        lines = database.fetch(
            Fetch(
                query=query,
                aggregate=Aggregate.SUM,
                consolidation=Consolidation.AVG,
                window=window,
                group_by=keys,
            )
        )
        if not lines.tags:
            continue
        names += [(tags[SERVICE], _metric(tags)) for tags in lines.tags[:MAX_LINES]]
        parts.append(lines.values[:MAX_LINES])
    values = np.concatenate(parts) if parts else np.zeros((0, window.steps))
    return _Table(names=tuple(names), values=values)


def _metric(tags: Tags) -> str:
    statistic = tags.get(_STATISTIC, "")
    plain = statistic in {"", "gauge", "count"}
    return tags["name"] if plain else f"{tags['name']} ({statistic})"
