"""What is emitted is what the schema says, and what the schema says is emitted."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path

import httpx2
import pytest
import yaml
from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics._internal.point import ResourceMetrics
from opentelemetry.sdk.metrics.export import Gauge, Histogram, Sum
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

import demo_stack
from demo_stack.business.metering import UsageMeter
from demo_stack.business.spending import Spending
from demo_stack.chassis.disturbance import Disturbance
from demo_stack.chassis.identity import Identity
from demo_stack.chassis.instance_log import PER_SECOND, InstanceLog
from demo_stack.in_memory import steady
from demo_stack.in_memory.readings import origin, tags
from demo_stack.in_memory.region import MemoryRegion, open_region
from demo_stack.in_memory.turns import until
from demo_stack.services.encoding.instruments import EncodingInstruments
from demo_stack.services.encoding.queue_file import QueueFile
from demo_stack.services.encoding.recipe import synthetic_source
from demo_stack.services.encoding.shelf import Shelf
from demo_stack.services.encoding.testing import SMALL, FakeTool
from demo_stack.services.encoding.worker import Worker, Workplace
from demo_stack.world.layout import GLOBAL_SERVICES, Device, Service

SCHEMA = yaml.safe_load(
    (Path(demo_stack.__file__).parent / "ops" / "telemetry-schema.yaml").read_text()
)
SDK = {"telemetry.sdk.language", "telemetry.sdk.name", "telemetry.sdk.version"}
LINES: list[ReadableLogRecord] = []
"""What the story's instances said."""
KINDS = {Histogram: "histogram", Sum: "sum", Gauge: "gauge"}


@pytest.fixture(scope="module")
def emitted(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[tuple[ReadableSpan, ...], list[ResourceMetrics]]:
    """Telemetry of healthy sessions and of failing ones."""

    async def story() -> tuple[tuple[ReadableSpan, ...], list[ResourceMetrics]]:
        async with open_region() as w:
            for _ in range(3):
                await w.visit()
            w.region.stores.playback.streams.open("s", "guest", "tv", "t01", limit=4)
            await w.visit(Device.PHONE, viewer="guest")
            await asyncio.gather(w.post("/playback", {}), return_exceptions=True)  # no token
            await _bill(w)
            await _spend(w)
            w.region.points.disturb("x", Disturbance(point="playback.start", error_ratio=1.0))
            await w.visit()
            await until(lambda: any(span.kind is SpanKind.CONSUMER for span in w.spans()))
            _encode(w, tmp_path_factory.mktemp("encodes"))
            LINES.extend(w.lines())
            return w.spans(), w.pipe.collect()

    return steady.run(story())


async def _bill(w: MemoryRegion) -> None:
    """Bill what is due, as nobody's child: it is no viewer who asks for it."""
    url = w.region.addresses[Service.BILLING][0] + "/runs"
    await w.network.transport().handle_async_request(httpx2.Request("POST", url))


async def _spend(w: MemoryRegion) -> None:
    """Read twice what the region uses."""
    telemetry = w.pipe.telemetry(
        Identity(service=Service.GATEWAY, region="us-east-1", zone="us-east-1a", number=9)
    )
    read = w.region.stores.gateway.read_meters
    spending = Spending(telemetry.meter, UsageMeter(pause_s=0.0), read, subscribers=100)
    await spending.work()
    await w.visit()
    await spending.work()


def _encode(w: MemoryRegion, directory: Path) -> None:
    """Encode a title of which one rendition is too bad."""
    queue = QueueFile(directory / "queue.json")
    telemetry = w.pipe.telemetry(Identity(service=Service.ENCODER))
    place = Workplace(
        shelf=Shelf(directory),
        queue=queue,
        tool=FakeTool(needs_kbps=20),
        instruments=EncodingInstruments(telemetry, lambda: queue.peek().depth()),
        ladder=SMALL,
    )
    worker = Worker("w", place)
    worker.plan([synthetic_source("t01", 1)])
    worker.work_one()


def test_every_span_has_the_attributes_of_its_kind(
    emitted: tuple[tuple[ReadableSpan, ...], list[ResourceMetrics]],
) -> None:
    """A span without its attributes can't be searched or compared."""
    spans, _ = emitted
    seen: defaultdict[str, set[str]] = defaultdict(set)
    for span in spans:
        rule = SCHEMA["spans"][span.kind.name.lower()]
        attributes = set(tags(span))
        assert set(rule["required"]) <= attributes, span.name
        assert attributes <= {*rule["required"], *rule["optional"]}, span.name
        seen[span.kind.name.lower()] |= attributes
    assert set(seen) == set(SCHEMA["spans"])


def test_every_metric_has_its_unit_kind_and_attributes_and_all_are_emitted(
    emitted: tuple[tuple[ReadableSpan, ...], list[ResourceMetrics]],
) -> None:
    """A metric that changes its unit or tags breaks every rule on it."""
    _, resources = emitted
    seen = set()
    for resource in resources:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                rule = SCHEMA["metrics"][metric.name]
                seen.add(metric.name)
                assert (metric.unit, KINDS[type(metric.data)]) == (rule["unit"], rule["kind"])
                for point in metric.data.data_points:
                    assert set(point.attributes or {}) <= set(rule["attributes"]), metric.name
    assert seen == set(SCHEMA["metrics"])


def test_every_resource_says_who_and_where(
    emitted: tuple[tuple[ReadableSpan, ...], list[ResourceMetrics]],
) -> None:
    """Telemetry of nobody, from nowhere, can't be traced back."""
    spans, resources = emitted
    for holder in [*(span.resource for span in spans), *(one.resource for one in resources)]:
        attributes = set(holder.attributes) - SDK
        where = set(SCHEMA["resource"]["regional"])
        expected = set(SCHEMA["resource"]["required"])
        if holder.attributes["service.name"] not in GLOBAL_SERVICES:
            expected |= where
        assert attributes == expected


def test_every_edge_of_the_schema_appears_in_traces_and_no_other(
    emitted: tuple[tuple[ReadableSpan, ...], list[ResourceMetrics]],
) -> None:
    """The service map must be what the platform is built like."""
    spans, _ = emitted
    by_id = {span.context.span_id: span for span in spans}
    edges = {
        (by_id[span.parent.span_id].resource.attributes["service.name"],
         origin(span)["service.name"])
        for span in spans
        if span.kind is SpanKind.SERVER and span.parent
    }  # fmt: skip
    assert edges == {tuple(edge) for edge in SCHEMA["edges"]}


def test_every_line_is_of_a_sort_that_the_schema_knows(
    emitted: tuple[tuple[ReadableSpan, ...], list[ResourceMetrics]],
) -> None:
    """A line of another level or without its fields would be searched for in vain."""
    spans, _ = emitted
    seen = set()
    for line in LINES:
        record = line.log_record
        text = str(record.body)
        rule = next(rule for rule in SCHEMA["logs"] if rule["text"] in text)
        seen.add(rule["text"])
        assert record.severity_text == rule["severity"], text
        assert set(record.attributes or {}) == set(rule["attributes"]), text
    assert {"started version", "failed: ", "calling "} <= seen
    traces = {span.context.trace_id for span in spans}
    told = [line for line in LINES if "failed: " in str(line.log_record.body)]
    assert {line.log_record.trace_id for line in told} <= traces


def test_a_fault_is_seen_where_it_is_and_complained_of_by_who_calls(
    emitted: tuple[tuple[ReadableSpan, ...], list[ResourceMetrics]],
) -> None:
    """A log that always names the culprit, or never, would be no test of anybody who reads it."""
    del emitted
    said = {
        (str(line.resource.attributes["service.name"]), str(line.log_record.body)) for line in LINES
    }
    at_fault = {text for service, text in said if service == "playback"}
    assert any("connection reset by peer" in text for text in at_fault)
    complaints = {text for service, text in said if service == "gateway"}
    assert any(text.startswith("calling playback failed") for text in complaints)
    assert not any("connection reset by peer" in text for text in complaints)


def test_lines_of_one_sort_are_bounded_and_say_so() -> None:
    """A fault would cost more by its lines than by what it breaks."""
    kept = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call] # the SDK's
    loggers = LoggerProvider(shutdown_on_exit=False)
    loggers.add_log_record_processor(SimpleLogRecordProcessor(kept))
    now_s = [0.0]
    log = InstanceLog(loggers.get_logger("t"), lambda: now_s[0])
    for number in range(PER_SECOND + 3):
        log.error("broke {number}", number=str(number))
    now_s[0] = 1.0
    log.error("broke {number}", number="x")
    said = [str(line.log_record.body) for line in kept.get_finished_logs()]
    assert len(said) == PER_SECOND + 1
    assert said[-1] == "broke x (3 more like it were not written)"
