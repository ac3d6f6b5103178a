"""The shapes of rule files: Prometheus's own, and the resource that its operator takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from anomaly.prometheus_rules.templates.errors import TemplateError
from anomaly.prometheus_rules.templates.expanding import check_template
from collectors.documents.nodes import Scalar
from collectors.documents.section import Context, Section
from collectors.documents.values import (
    Anything,
    Count,
    DurationMs,
    Words,
    Written,
    one_of,
    read_duration_ms,
)
from collectors.errors import DocumentError
from collectors.promql.language.errors import PromqlSyntaxError
from collectors.promql.language.parsing import parse

# Dots are not classic, but OpenTelemetry names such as http.server.duration have them.
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:.]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.]*")
_NOTHING = re.compile(r"0+(ms|[smhdwy])?")
_FOR_ALERTS = ("for", "keep_firing_for", "annotations")


def _read_length(raw: object) -> int:
    """Return the milliseconds of a duration, which may be none."""
    if isinstance(raw, Scalar) and _NOTHING.fullmatch(raw.text):
        return 0
    return read_duration_ms(raw)


LengthMs = Annotated[
    int,
    BeforeValidator(_read_length),
    WithJsonSchema({"type": "string", "examples": ["0s", "5m"]}),
]


class GroupedRuleShape(Section):
    """A rule: it records a series, or it alerts."""

    record: Words | None = None
    """Name of the series that it records."""
    alert: Words | None = None
    """Name of the alert; give one of the two."""
    expr: Words
    """Expression in PromQL."""
    for_: LengthMs = Field(alias="for", default=0)
    """How long an alert is pending before it fires."""
    keep_firing_for: LengthMs = 0
    """How long it goes on to fire when its expression has nothing any more."""
    labels: dict[str, Written] = {}
    """Labels; those of an alert may be templates."""
    annotations: dict[str, Written] = {}
    """What an alert says, as templates."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield what Prometheus would refuse."""
        del context
        if (self.record is None) == (self.alert is None):
            yield self.place.error("give either record or alert: what the rule is")
        if self.record is not None:
            yield from self._mistakes_of_recording()
        try:
            parse(self.expr)
        except PromqlSyntaxError as error:
            yield self.at("expr").error(f"is no PromQL: {error.message}, in {self.expr[:200]!r}")
        for name in self.labels:
            if not _LABEL.fullmatch(name) or name == "__name__":
                yield self.at("labels", name).error(f"{name!r} is no name for a label")
        for field in ("labels", "annotations"):
            yield from self._bad_templates(field)

    def _mistakes_of_recording(self) -> Iterator[DocumentError]:
        if self.record is not None and not _METRIC.fullmatch(self.record):
            yield self.at("record").error(f"{self.record!r} is no name for a metric")
        for name in _FOR_ALERTS:
            if name in self.names():
                yield self.at(name).error("is for alerts only: this rule records")

    def _bad_templates(self, field: str) -> Iterator[DocumentError]:
        given = self.labels if field == "labels" else self.annotations
        for name, text in given.items():
            if field == "annotations" and not _LABEL.fullmatch(name):
                yield self.at(field, name).error(f"{name!r} is no name for an annotation")
            if self.alert is not None:
                try:
                    check_template(text)
                except TemplateError as error:
                    yield self.at(field, name).error(f"is no template: {error.message}")


class GroupShape(Section):
    """Rules that are evaluated one after the other, at the same time."""

    name: Words
    """Unique in its file."""
    interval: DurationMs | None = None
    """How often; in every step by default."""
    limit: Count = 0
    """Most alerts, or series, of a rule; 0 is no limit."""
    query_offset: LengthMs = 0
    """Expressions are asked so long before, for data that come late."""
    labels: dict[str, Written] = {}
    """Labels of all of its rules; a rule's own win."""
    rules: tuple[GroupedRuleShape, ...] = ()
    """In the order in which they are evaluated."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield labels whose names are none."""
        del context
        for name in self.labels:
            if not _LABEL.fullmatch(name) or name == "__name__":
                yield self.at("labels", name).error(f"{name!r} is no name for a label")


class RulesFile(Section):
    """`prometheus-rules/*.yml`: a rule file as Prometheus reads it."""

    groups: tuple[GroupShape, ...] = ()
    """The groups."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield names that two groups have."""
        del context
        seen: set[str] = set()
        for index, group in enumerate(self.groups):
            if group.name in seen:
                told = f"the name {group.name!r} is taken by another group of this file"
                yield self.at("groups", index).error(told)
            seen.add(group.name)


class RulesResourceFile(Section):
    """`prometheus-rules/*.yml`: a `PrometheusRule`, as its operator takes it in Kubernetes."""

    api_version: Annotated[
        Literal["monitoring.coreos.com/v1"], one_of(("monitoring.coreos.com/v1",))
    ] = Field(alias="apiVersion")
    """The version of this form."""
    kind: Annotated[Literal["PrometheusRule"], one_of(("PrometheusRule",))]
    """What it is."""
    metadata: Anything = None
    """Its name and labels in Kubernetes; they say nothing here."""
    spec: RulesFile
    """The groups."""
    status: Anything = None
    """What Kubernetes says of it; nothing here."""
