"""A session through a whole region in memory, and what it leaves behind in telemetry."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from opentelemetry.sdk.metrics.export import HistogramDataPoint, ResourceMetrics
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from demo_stack.chassis.client import Call
from demo_stack.chassis.disturbance import Disturbance
from demo_stack.chassis.errors import DependencyError
from demo_stack.chassis.telemetry import DURATION_BOUNDS_S
from demo_stack.in_memory import steady
from demo_stack.in_memory.readings import origin, tags
from demo_stack.in_memory.region import MemoryRegion, open_region
from demo_stack.world.layout import REGIONAL_SERVICES, Service

EDGES = {
    ("viewers", "gateway"),
    ("viewers", "edge"),
    ("gateway", "auth"),
    ("gateway", "catalogue"),
    ("gateway", "recommendations"),
    ("gateway", "playback"),
    ("playback", "catalogue"),
    ("playback", "billing"),
    ("playback", "licences"),
    ("edge", "playback"),
}


def test_a_session_starts_a_stream_and_every_service_edge_appears() -> None:
    """A session must pass through the whole platform."""

    async def story() -> set[tuple[Any, Any]]:
        async with open_region() as w:
            await w.visit()
            assert w.starts() == {"success": 1}
            by_id = {span.context.span_id: span for span in w.spans()}
            return {
                (by_id[span.parent.span_id].resource.attributes["service.name"], name)
                for span in w.spans()
                if span.kind is SpanKind.SERVER and span.parent
                for name in [origin(span)["service.name"]]
            }

    assert steady.run(story()) == EDGES


def test_each_step_is_one_trace_without_orphans() -> None:
    """A broken trace hides where the time went."""

    async def story() -> tuple[ReadableSpan, ...]:
        async with open_region() as w:
            await w.visit()
            return w.spans()

    spans = steady.run(story())
    ids = {span.context.span_id for span in spans}
    assert all(span.parent is None or span.parent.span_id in ids for span in spans)
    roots = [
        span for span in spans if span.parent is None and origin(span)["service.name"] == "viewers"
    ]
    assert [root.name for root in roots] == [
        "sign in", "browse", "select", "start stream", "watch", "watch", "report",
    ]  # fmt: skip
    assert len({root.context.trace_id for root in roots}) == len(roots)
    assert all(span.status.status_code is StatusCode.UNSET for span in spans)


def test_server_durations_have_second_shaped_bounds_and_the_resource_of_their_service() -> None:
    """Default bounds put every request into one bucket."""

    async def story() -> list[ResourceMetrics]:
        async with open_region() as w:
            await w.visit()
            return w.pipe.collect()

    seen = {}
    for resource in steady.run(story()):
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                if metric.name == "http.server.request.duration":
                    service = resource.resource.attributes["service.name"]
                    point = metric.data.data_points[0]
                    assert isinstance(point, HistogramDataPoint)
                    seen[service] = point.explicit_bounds
                    assert resource.resource.attributes["cloud.region"] == "us-east-1"
                    assert metric.unit == "s"
    assert set(seen) == set(REGIONAL_SERVICES)
    assert set(seen.values()) == {DURATION_BOUNDS_S}


def test_a_failing_licence_store_fails_starts_and_marks_every_span_on_the_way() -> None:
    """The error must be found from the viewer down to its cause."""

    async def story() -> MemoryRegion:
        async with open_region() as w:
            w.region.points.disturb(
                "x", Disturbance(point="playback.start", error_ratio=1.0, error="licence store")
            )
            await w.visit()
            assert w.starts() == {"failure": 1}
            w.region.points.calm("x")
            await w.visit()
            assert w.starts() == {"failure": 1, "success": 1}
            return w

    w = steady.run(story())
    failed = [span for span in w.spans() if span.status.status_code is StatusCode.ERROR]
    assert [(s.resource.attributes["service.name"], s.name) for s in failed] == [
        ("playback", "POST /starts"),
        ("gateway", "POST /starts"),
        ("gateway", "POST /playback"),
        ("viewers", "POST /playback"),
        ("viewers", "start stream"),
    ]
    assert tags(failed[0])["error.type"] == "ConnectionResetError"
    assert failed[0].status.description == "licence store"
    statuses = {
        (point["service.name"], point["http.route"]): count
        for point, count in w.points("http.server.request.duration")
        if point["http.response.status_code"] == 500
    }
    assert statuses == {("playback", "/starts"): 1, ("gateway", "/playback"): 1}


def test_slow_recommendations_make_the_gateway_wait_but_fail_nothing() -> None:
    """Slowness must show as latency and not as failures."""
    waited = []

    async def remember(seconds: float) -> None:
        waited.append(seconds)

    async def story() -> Counter[str]:
        async with open_region() as w:
            w.region.points._sleep = remember
            w.region.points.disturb("x", Disturbance(point="recommendations.rank", delay_s=0.4))
            await w.visit()
            return w.starts()

    assert steady.run(story()) == {"success": 1}
    assert waited == [0.4]


def test_a_dead_service_is_a_failed_start_with_the_transports_error() -> None:
    """A dead service must be told from one that answers badly."""

    async def story() -> tuple[Counter[str], tuple[ReadableSpan, ...]]:
        async with open_region() as w:
            for instance in w.region.fleet.running(Service.PLAYBACK):
                await w.region.fleet.kill(instance.id)
            await w.visit()
            return w.starts(), w.spans()

    starts, spans = steady.run(story())
    assert starts == {"failure": 1}
    call = next(span for span in spans if span.name == "POST /starts")
    assert tags(call)["error.type"] == "ConnectError"
    gateway = next(s for s in spans if s.name == "POST /playback" and s.kind is SpanKind.SERVER)
    assert tags(gateway)["http.response.status_code"] == 503


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (Call(service="gateway", method="GET", route="/browse"), 401),
        (
            Call(
                service="gateway",
                method="GET",
                route="/browse",
                headers={"authorization": "Bearer a.b.c"},
            ),
            401,
        ),
        (Call(service="catalogue", method="GET", route="/titles/none"), 404),
        (Call(service="auth", method="POST", route="/token", json={}), 400),
        (Call(service="auth", method="POST", route="/authorize", json={"viewer": "v"}), 400),
        (Call(service="gateway", method="GET", route="/nowhere"), 404),
    ],
)
def test_refusals_have_their_status_and_are_no_server_error(call: Call, status: int) -> None:
    """What clients do wrong must not page anybody."""

    async def story() -> tuple[int, tuple[ReadableSpan, ...]]:
        async with open_region() as w:
            with pytest.raises(DependencyError) as refused:
                await w.client.json(call)
            return refused.value.status, w.spans()

    seen, spans = steady.run(story())
    assert seen == status
    server = [span for span in spans if span.kind is SpanKind.SERVER]
    assert all(span.status.status_code is StatusCode.UNSET for span in server)
