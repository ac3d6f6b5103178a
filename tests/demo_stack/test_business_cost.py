"""Costs add up, scale as they should, and the audience is whole."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_stack.business.cost import (
    Prices,
    Usage,
    audience,
    cost_by_item,
    cost_per_stream,
    cost_per_subscriber_month,
    steady_usage,
)

USAGE = Usage(
    hours=73, instances=10, delivered_gb=1_000, requests=2_000_000, stored_gb=500,
    streams=1_000, streamed_hours=700,
)  # fmt: skip
PRICES = Prices(
    instance_hour=0.5, edge_gigabyte=0.01, request_million=1.0, stored_gigabyte_month=0.02
)


def test_items_follow_the_price_table():
    assert cost_by_item(USAGE, PRICES) == pytest.approx(
        {"compute": 365.0, "delivery": 10.0, "requests": 2.0, "storage": 1.0}
    )


def test_per_stream_and_per_subscriber():
    assert cost_per_stream(USAGE, PRICES) == pytest.approx(0.378)
    assert cost_per_stream(replace(USAGE, streams=0), PRICES) is None
    assert cost_per_subscriber_month(USAGE, PRICES, 1_000) == pytest.approx(3.78)


@given(st.integers(0, 10**9))
def test_the_audience_adds_up_to_the_last_subscriber(subscribers):
    parts = audience(subscribers)
    assert sum(parts.values()) == subscribers
    for part, share in {"north-america": 0.35, "emea": 0.3, "latam": 0.2, "apac": 0.15}.items():
        assert abs(parts[part] - subscribers * share) <= 1


def test_a_steady_hour_delivers_what_is_streamed():
    usage = steady_usage(sps=1.0, instances=8, minutes=30.0, mbit=4.0)
    assert (usage.streams, usage.streamed_hours, usage.requests) == (3_600, 1_800.0, 14_400)
    assert usage.delivered_gb == pytest.approx(3_600 * 0.9)  # 30 minutes of 4 Mbit/s are 900 MB
