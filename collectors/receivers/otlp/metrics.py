"""OTLP metrics export requests → :class:`~collectors.model.Batch`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from collectors.errors import DecodeError, TocsinError
from collectors.limits import Limits
from collectors.metric_kinds import prometheus_kind
from collectors.metric_units import MetricUnits
from collectors.model import MetricWriter, Receipt, Recollection, Rejection, SeriesKind
from collectors.receivers.batch_builder import BatchBuilder
from collectors.receivers.histogram_readings import Measure
from collectors.receivers.otlp.default_bounds import REASON, misfit
from collectors.receivers.otlp.histograms import add_histogram
from collectors.receivers.otlp.numbers import (
    CUMULATIVE,
    DELTA,
    add_gauge,
    add_sum,
    add_summary,
)
from collectors.receivers.otlp.pieces import pieces
from collectors.receivers.otlp.units import Flaws
from collectors.receivers.otlp.wire import metrics_request, resource_attributes, scope_identity
from collectors.receivers.resource_tags import DEFAULT_PATTERNS, ResourceTags
from collectors.receivers.sources.arrival import speaks_for
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.streams import Family, Kind, Source, StreamTable
from collectors.receivers.work.budget import Budget
from collectors.receivers.work.refusals import Refusals
from collectors.receivers.work.turns import Turns

RECEIVER = "otlp.metrics"
_log = structlog.get_logger(__name__)
MAX_SOURCES = 20_000
MAX_SOURCE_BYTES = 8_192


class OtlpMetrics:
    """Decodes export requests and writes them; shared by OTLP over HTTP and gRPC.

    Decoding keeps state from request to request (see :mod:`collectors.receivers.streams`), so
    requests take turns; parsing the protobuf happens outside that turn.

    Args:
        metrics: Where samples go.
        limits: Bounds.
        stats: What was kept and refused is counted here.
        units: What each metric's unit is told to; nobody by default.
    """

    def __init__(
        self,
        metrics: MetricWriter,
        limits: Limits,
        stats: ReceiverStats,
        *,
        patterns: Sequence[str] = DEFAULT_PATTERNS,
        recollection: Recollection | None = None,
        units: MetricUnits | None = None,
    ) -> None:
        self._units = MetricUnits() if units is None else units
        self._metrics = metrics
        self._limits = limits
        self._stats = stats
        self._streams = StreamTable(limits, ResourceTags(patterns, limits), recollection)
        self._sources: dict[tuple[bytes, bytes], Source] = {}
        self._turn = Turns()

    def families(self) -> list[Family]:
        """Return all that is remembered of what was sent, for whoever asks what became of it."""
        with self._turn:
            return self._streams.families()

    def export(
        self, body: bytes, flaws: Flaws | None = None, budget: Budget | None = None
    ) -> Receipt:
        """Decode and store one ``ExportMetricsServiceRequest``.

        Args:
            body: The message in protobuf encoding.
            flaws: What was found to be wrong with it before.
            budget: What it may still cost.

        Returns:
            How many data points were kept, and why others were not. Points, not samples: one
            histogram point becomes many samples.

        Raises:
            DecodeError: The bytes are not such a message.
            TooLargeError: Its budget is used up.
            OverloadedError: The store can't take it now.
        """
        flaws = Flaws() if flaws is None else flaws
        budget = Budget(self._limits) if budget is None else budget
        request = metrics_request(body, flaws, budget)
        accepted, rejected, warnings = 0, Refusals(flaws.rejections), Refusals()
        for piece in pieces(request):
            budget.look()
            stored = self._take_turn(piece, budget)
            accepted += stored.accepted
            rejected.extend(stored.rejected)
            warnings.extend(stored.warnings)
        receipt = Receipt(
            accepted=accepted, rejected=rejected, warnings=[*flaws.warnings, *warnings]
        )
        self._stats.take(RECEIVER, receipt)
        return receipt

    def _take_turn(self, request: Any, budget: Budget) -> Receipt:
        with self._turn:
            try:
                stored = self._store(request, budget)
            except TocsinError:
                self._streams.roll_back()
                raise
            self._streams.commit()
        return stored

    def _store(self, request: Any, budget: Budget) -> Receipt:
        builder = BatchBuilder()
        points = sum(
            self._resource(group, builder, budget)
            for group in budget.watch(request.resource_metrics)
        )
        refused = list(builder.rejections)
        kept = points - sum(r.count for r in refused)
        if len(builder):
            stored = self._metrics.write(builder.build())
            refused += stored.rejected
            # The store counts samples; a client is told about at most as many points as it sent.
            kept = max(0, kept - stored.rejected_count)
        return Receipt(accepted=kept, rejected=_within(refused, points), warnings=builder.warnings)

    def _resource(self, group: Any, builder: BatchBuilder, budget: Budget) -> int:
        total = 0
        for scope in budget.watch(group.scope_metrics):
            points = sum(map(_point_count, scope.metrics))
            total += points
            try:
                source = self._source(group.resource, scope.scope)
            except DecodeError as error:
                reason, _, detail = error.message.partition(": ")
                known = reason == "resourceTooLarge"
                given = (reason, detail) if known else ("invalidResource", error.message)
                builder.refuse(*given, count=points)
                continue
            sent = source.sent
            speaks_for(sent.get("service.name", ""), sent.get("service.instance.id", ""))
            for metric in budget.watch(scope.metrics):
                self._metric(source, metric, builder)
        return total

    def _source(self, resource: bytes, scope: bytes) -> Source:
        """Return whose measurements those of a resource and scope are."""
        source = self._sources.get((resource, scope))
        if source is None:
            attributes = resource_attributes(resource)
            source = self._streams.source(attributes, scope_identity(scope))
            if len(self._sources) >= MAX_SOURCES:
                self._sources.clear()
            if len(resource) + len(scope) <= MAX_SOURCE_BYTES:
                self._sources[resource, scope] = source
        return source

    def _metric(self, source: Source, metric: Any, builder: BatchBuilder) -> None:
        shape = metric.WhichOneof("data")
        if shape is None:
            return
        data = getattr(metric, shape)
        name = metric.name
        untyped = shape == "gauge" and is_untyped_counter(metric)
        try:
            kind = _kind("sum" if untyped else shape, metric.unit, data)
            family = self._streams.family(source, name, kind)
        except DecodeError as error:
            reason, _, detail = error.message.partition(": ")
            builder.refuse(reason, detail, {"name": name[:80]}, len(data.data_points))
            return
        self._units.tell(family.name, metric.unit)
        if len(builder) > self._limits.max_batch_samples:
            detail = f"the request holds more than {self._limits.max_batch_samples} samples"
            builder.refuse("batchTooLarge", detail, {"name": family.name}, len(data.data_points))
            return
        if untyped:
            self._sum(family, data.data_points, CUMULATIVE, True, builder)
        elif shape in ("gauge", "summary"):
            add = add_gauge if shape == "gauge" else add_summary
            add(family, data.data_points, self._streams, builder)
        elif data.aggregation_temporality not in (DELTA, CUMULATIVE):
            detail = f"{metric.name} does not say whether it is delta or cumulative"
            count = len(data.data_points)
            builder.refuse("temporalityUnspecified", detail, {"name": metric.name}, count)
        else:
            self._accumulated(family, shape, metric, data, builder)

    def _sum(
        self, family: Family, points: Any, temporality: int, monotonic: bool, builder: BatchBuilder
    ) -> None:
        add_sum(
            family,
            points,
            temporality=temporality,
            monotonic=monotonic,
            table=self._streams,
            builder=builder,
        )

    def _accumulated(
        self, family: Family, shape: str, metric: Any, data: Any, builder: BatchBuilder
    ) -> None:
        temporality = data.aggregation_temporality
        points = data.data_points
        if shape == "sum":
            self._sum(family, points, temporality, data.is_monotonic, builder)
        else:
            self._advise(family, metric, points, builder)
            add_histogram(
                family,
                points,
                temporality=temporality,
                measure=Measure.of(metric.unit),
                table=self._streams,
                builder=builder,
            )

    def _advise(self, family: Family, metric: Any, points: Any, builder: BatchBuilder) -> None:
        """Tell a sender once, and the log, that its buckets are the default and don't suit."""
        if family.advised:
            return
        family.advised = True
        advice = misfit(family.name, metric.unit, points)
        if advice is not None:
            builder.warn(REASON, advice, {"name": family.name})
            service = family.source.sent.get("service.name", "")
            _log.warning("buckets don't suit their unit", service=service, detail=advice)


def is_untyped_counter(metric: Any) -> bool:
    """Return whether a gauge is a counter of which a Prometheus page did not tell the type.

    The OpenTelemetry Collector sends what it scraped without a type as a gauge and says so in the
    metric's metadata. The name decides then, as it does for pages and remote write.
    """
    if not metric.metadata or prometheus_kind(metric.name) is not SeriesKind.COUNTER:
        return False
    return not _UNTYPED.isdisjoint(metric.metadata)


def _untyped(word: str) -> bytes:
    metadata = KeyValue(key="prometheus.type")
    metadata.value.string_value = word
    return metadata.SerializeToString()


_UNTYPED = frozenset(map(_untyped, ("unknown", "untyped")))


def _kind(shape: str, unit: str, data: Any) -> Kind:
    temporality = getattr(data, "aggregation_temporality", 0)
    falls = shape == "gauge" or not getattr(data, "is_monotonic", True)
    return Kind(
        text=f"{shape}:{unit[:64]}:{temporality}:{falls}",
        accumulates=not falls,
        adds=shape != "gauge",
        distributes="histogram" in shape,
    )


def _point_count(metric: Any) -> int:
    shape = metric.WhichOneof("data")
    return len(getattr(metric, shape).data_points) if shape else 0


def _within(refused: Sequence[Rejection], limit: int) -> list[Rejection]:
    """Return the rejections with counts cut so that they add up to at most ``most``."""
    kept = []
    for rejection in refused:
        count = min(rejection.count, limit)
        limit -= count
        if count:
            kept.append(
                Rejection(
                    reason=rejection.reason,
                    detail=rejection.detail,
                    tags=rejection.tags,
                    count=count,
                )
            )
    return kept
