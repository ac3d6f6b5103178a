"""Indicators: SLI documents, inline indicators and their metric sources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from anomaly.slo.documents.metadata import (
    Described,
    LenientName,
    Metadata,
    OpenSloDocument,
    OpenSloSection,
    unknown_when_strict,
)
from collectors.documents.nodes import is_nothing
from collectors.documents.section import Context
from collectors.documents.values import Anything, BareFlag, PureWords, checked_expression, one_of
from collectors.errors import DocumentError


class TocsinSource(OpenSloSection):
    """What the `spec` of a source of type tocsin holds."""

    query: Annotated[PureWords, checked_expression()]
    """An expression in the stack language."""


class MetricSource(OpenSloSection):
    """Where a number comes from."""

    metric_source_ref: LenientName | None = None
    """Name of a DataSource."""
    type: PureWords | None = None
    """Kind of source: `tocsin`."""
    spec: dict[str, Anything]
    """The source's own business; for tocsin `query`, an expression in the stack language."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield that nothing is said, or something with nothing."""
        del context
        if not self.spec:
            yield self.at("spec").error("must name at least one field of the source")
        for name, value in self.spec.items():
            if is_nothing(value):
                yield self.at("spec", name).error("is required, but empty here")


class Metric(OpenSloSection):
    """A number."""

    metric_source: MetricSource
    """Where it comes from."""


class RatioMetric(OpenSloSection):
    """Good or bad events over all events, or a ratio that is already one (`raw`)."""

    counter: BareFlag | None = None
    """Whether counters are read, per second; else each value is the events of its step."""
    good: Metric | None = None
    """Good events; or give `bad`."""
    bad: Metric | None = None
    """Bad events; or give `good`."""
    total: Metric | None = None
    """All events."""
    raw: Metric | None = None
    """A ratio instead of events."""
    raw_type: Annotated[Literal["success", "failure"], one_of(("success", "failure"))] | None = None
    """What the ratio counts."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield what is missing or contradicts another."""
        if context.strict and self.counter is None and self.raw is None:
            yield self.at("counter").error("is required")
        if self.raw is not None:
            if self.good or self.bad or self.total:
                yield self.at("raw").error("can't stand beside good, bad or total")
            if self.raw_type is None:
                yield self.at("rawType").error("is required with raw: success or failure")
            return
        if self.raw_type is not None:
            yield self.at("rawType").error("has no meaning without raw")
        if self.total is None:
            yield self.at("total").error("is required")
        if (self.good is None) == (self.bad is None):
            yield self.place.error("exactly one of good and bad must be given")


class SliSpec(Described):
    """What is measured."""

    threshold_metric: Metric | None = None
    """A number that is compared: good while `op` and `value` of the objective hold."""
    ratio_metric: RatioMetric | None = None
    """Good or bad events over all events, or a ratio that is one already (`raw`)."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield that none or both are given."""
        del context
        if (self.threshold_metric is None) == (self.ratio_metric is None):
            told = "exactly one of thresholdMetric and ratioMetric must be given"
            yield self.place.error(told)


class Sli(OpenSloDocument):
    """A service level indicator."""

    kind: Annotated[Literal["SLI"], one_of(("SLI",))]
    """What it is."""
    spec: SliSpec
    """What is measured."""


class InlineSli(OpenSloSection):
    """An indicator that stands inside an SLO."""

    api_version: Annotated[Literal["openslo/v1"], one_of(("openslo/v1",))] | None = None
    """The version of the standard."""
    kind: Annotated[Literal["SLI"], one_of(("SLI",))] | None = None
    """What it is."""
    metadata: Metadata
    """Its name."""
    spec: SliSpec
    """What is measured."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield what only the specification's examples have."""
        yield from unknown_when_strict(self, context, "apiVersion", "kind")
