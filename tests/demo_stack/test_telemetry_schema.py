"""What is emitted is what the schema says, and what the schema says is emitted."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path

import pytest
import yaml
from opentelemetry.sdk.metrics.export import Gauge, Histogram, Sum
from opentelemetry.trace import SpanKind

import demo_stack
from demo_stack.layout import Service
from demo_stack.platform.disturbance import Disturbance

SCHEMA = yaml.safe_load(
    (Path(demo_stack.__file__).parent / "ops" / "telemetry-schema.yaml").read_text()
)
SDK = {"telemetry.sdk.language", "telemetry.sdk.name", "telemetry.sdk.version"}
KINDS = {Histogram: "histogram", Sum: "sum", Gauge: "gauge"}


@pytest.fixture(scope="module")
def emitted(request):
    """Telemetry of healthy sessions and of failing ones."""
    opened = request.getfixturevalue("shared_world")

    async def story():
        async with opened() as w:
            for _ in range(3):
                await w.visit()
            w.region.points.disturb("x", Disturbance(point="playback.start", error_ratio=1.0))
            await w.visit()
            for _ in range(100):
                if any(span.kind is SpanKind.CONSUMER for span in w.spans()):
                    break
                await asyncio.sleep(0.05)
            return w.spans(), w.pipe.collect()

    return asyncio.run(story())


def test_every_span_has_the_attributes_of_its_kind(emitted):
    spans, _ = emitted
    seen = defaultdict(set)
    for span in spans:
        rule = SCHEMA["spans"][span.kind.name.lower()]
        attributes = set(span.attributes)
        assert set(rule["required"]) <= attributes, span.name
        assert attributes <= {*rule["required"], *rule["optional"]}, span.name
        seen[span.kind.name.lower()] |= attributes
    assert set(seen) == set(SCHEMA["spans"])


def test_every_metric_has_its_unit_kind_and_attributes_and_all_are_emitted(emitted):
    _, resources = emitted
    seen = set()
    for resource in resources:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                rule = SCHEMA["metrics"][metric.name]
                seen.add(metric.name)
                assert (metric.unit, KINDS[type(metric.data)]) == (rule["unit"], rule["kind"])
                for point in metric.data.data_points:
                    assert set(point.attributes) <= set(rule["attributes"]), metric.name
    assert seen == set(SCHEMA["metrics"])


def test_every_resource_says_who_and_where(emitted):
    spans, resources = emitted
    for holder in [*spans, *resources]:
        attributes = set(holder.resource.attributes) - SDK
        where = set(SCHEMA["resource"]["regional"])
        expected = set(SCHEMA["resource"]["required"])
        if holder.resource.attributes["service.name"] != Service.VIEWERS:
            expected |= where
        assert attributes == expected


def test_every_edge_of_the_schema_appears_in_traces_and_no_other(emitted):
    spans, _ = emitted
    by_id = {span.context.span_id: span for span in spans}
    edges = {
        (by_id[span.parent.span_id].resource.attributes["service.name"],
         span.resource.attributes["service.name"])
        for span in spans
        if span.kind is SpanKind.SERVER and span.parent
    }  # fmt: skip
    assert edges == {tuple(edge) for edge in SCHEMA["edges"]}
