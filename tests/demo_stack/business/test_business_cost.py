"""Costs add up, scale as they should, and the audience is whole."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_stack.business.cost import (
    Prices,
    Usage,
    cost_by_item,
    cost_per_stream,
    cost_per_subscriber_month,
    steady_usage,
)
from demo_stack.business.metering import Reading, UsageMeter
from demo_stack.business.spending import Spending
from demo_stack.chassis.identity import Identity
from demo_stack.chassis.load import Served
from demo_stack.in_memory import steady
from demo_stack.in_memory.region import MemoryRegion, open_region
from demo_stack.world.accounts import audience
from demo_stack.world.layout import Service

USAGE = Usage(
    hours=73, instances=10, delivered_gb=1_000, requests=2_000_000, stored_gb=500,
    streams=1_000, streamed_hours=700,
)  # fmt: skip
PRICES = Prices(
    instance_hour=0.5, edge_gigabyte=0.01, request_million=1.0, stored_gigabyte_month=0.02
)


def test_items_follow_the_price_table() -> None:
    """A price that is not applied makes every figure of cost wrong."""
    assert cost_by_item(USAGE, PRICES) == pytest.approx(
        {"compute": 365.0, "delivery": 10.0, "requests": 2.0, "storage": 1.0}
    )


def test_per_stream_and_per_subscriber() -> None:
    """Costs a stream and a subscriber are what finance asks for; neither may divide by nothing."""
    assert cost_per_stream(USAGE, PRICES) == pytest.approx(0.378)
    assert cost_per_stream(replace(USAGE, streams=0), PRICES) is None
    assert cost_per_subscriber_month(USAGE, PRICES, 1_000) == pytest.approx(3.78)


@given(st.integers(0, 10**9))
def test_the_audience_adds_up_to_the_last_subscriber(subscribers: int) -> None:
    """Rounding that loses people would make markets and totals disagree."""
    parts = audience(subscribers)
    assert sum(parts.values()) == subscribers
    for part, share in {"north-america": 0.35, "emea": 0.3, "latam": 0.2, "apac": 0.15}.items():
        assert abs(parts[part] - subscribers * share) <= 1


def _served(service: Service, requests: int = 0, sent_bytes: int = 0) -> Served:
    return Served(service=service.value, version="1", requests=requests, sent_bytes=sent_bytes)


def test_usage_is_what_grew_since_the_last_reading_whoever_comes_and_goes() -> None:
    """An instance that ends or starts would count as traffic that came or went."""
    meter = UsageMeter(pause_s=5.0)
    first = {"g1": _served(Service.GATEWAY, 100), "e1": _served(Service.EDGE, 50, 10**9)}
    then = {
        "g1": _served(Service.GATEWAY, 160),
        "g2": _served(Service.GATEWAY, 40),
        "e2": _served(Service.EDGE, 9, 2 * 10**9),
        "p1": _served(Service.PLAYBACK, 1_000, 10**12),
    }
    assert meter.take(Reading(now_s=0.0, served=first, streams=5)) is None
    assert meter.take(Reading(now_s=4.0, served=then, streams=9)) is None
    usage = meter.take(Reading(now_s=36.0, served=then, streams=25))
    assert usage == Usage(
        hours=0.01, instances=4, delivered_gb=2.0, requests=100, stored_gb=0.0, streams=20,
        streamed_hours=0.0,
    )  # fmt: skip


def test_a_region_reports_what_it_costs() -> None:
    """Without a region's own report nobody sees what an outage or a launch costs."""

    async def story() -> tuple[dict[str, float], list[float]]:
        async with open_region() as w:
            spending = _spending(w)
            await spending.work()
            for _ in range(3):
                await w.visit()
            await spending.work()
            items = {at["item"]: value for at, value in w.points("business.cost")}
            each = [value for _, value in w.points("business.cost.per_stream")]
            return items, each

    items, each = steady.run(story())
    assert set(items) == {"compute", "delivery", "requests", "storage"}
    assert items["requests"] == pytest.approx(3 * 6 * 1e-6, rel=0.3)  # some six requests a visit
    assert items["delivery"] == pytest.approx(9 * 1_024 / 1e9 * 0.01, rel=0.1)
    assert each == pytest.approx([sum(items.values()) / 3])


def _spending(w: MemoryRegion) -> Spending:
    """Return what reports a region's costs, as often as it is asked."""
    telemetry = w.pipe.telemetry(Identity(service=Service.GATEWAY, region="us-east-1", number=9))
    return Spending(
        telemetry.meter,
        UsageMeter(pause_s=0.0),
        w.region.stores.gateway.read_meters,
        subscribers=100,
        prices=PRICES,
    )


def test_a_steady_hour_delivers_what_is_streamed() -> None:
    """The calculator's gigabytes must follow from bit rate and minutes alone."""
    usage = steady_usage(sps=1.0, instances=8, minutes=30.0, mbit=4.0)
    assert (usage.streams, usage.streamed_hours, usage.requests) == (3_600, 1_800.0, 14_400)
    assert usage.delivered_gb == pytest.approx(3_600 * 0.9)  # 30 minutes of 4 Mbit/s are 900 MB
