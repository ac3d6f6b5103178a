"""Cost per stream and per subscriber, from a price table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What things cost, in US dollars.

    Attributes:
        instance_hour: One instance for an hour.
        edge_gigabyte: A gigabyte delivered by an edge.
        request_million: A million requests through the front door.
        stored_gigabyte_month: A gigabyte kept for a month.
    """

    instance_hour: float = 0.40
    edge_gigabyte: float = 0.004
    request_million: float = 0.60
    stored_gigabyte_month: float = 0.021


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What was used over some hours.

    Attributes:
        hours: How many.
        instances: Instances that ran all the time.
        delivered_gb: Gigabytes delivered by edges.
        requests: Requests through the front door.
        stored_gb: Gigabytes kept.
        streams: Streams that started.
        streamed_hours: Hours of video that were watched.
    """

    hours: float
    instances: int
    delivered_gb: float
    requests: int
    stored_gb: float
    streams: int
    streamed_hours: float


HOURS_A_MONTH = 730.0
REQUESTS_PER_STREAM = 4


def steady_usage(*, sps: float, instances: int, minutes: float, mbit: float) -> Usage:
    """Return an hour's usage of a platform with ``sps`` stream starts a second all the time.

    Args:
        sps: Stream starts a second.
        instances: Instances that run.
        minutes: Length of a stream.
        mbit: Average bit rate of a stream, in megabits a second.
    """
    streams = round(sps * 3_600)
    return Usage(
        hours=1.0,
        instances=instances,
        delivered_gb=streams * minutes * 60 * mbit / 8_000,
        requests=streams * REQUESTS_PER_STREAM,
        stored_gb=0.0,
        streams=streams,
        streamed_hours=streams * minutes / 60,
    )


def cost_by_item(usage: Usage, prices: Prices) -> dict[str, float]:
    """Return dollars by item."""
    return {
        "compute": usage.instances * usage.hours * prices.instance_hour,
        "delivery": usage.delivered_gb * prices.edge_gigabyte,
        "requests": usage.requests / 1e6 * prices.request_million,
        "storage": usage.stored_gb * prices.stored_gigabyte_month * usage.hours / HOURS_A_MONTH,
    }


def cost_per_stream(usage: Usage, prices: Prices) -> float | None:
    """Return dollars per stream, ``None`` when nothing was streamed."""
    if usage.streams == 0:
        return None
    return sum(cost_by_item(usage, prices).values()) / usage.streams


def cost_per_subscriber_month(usage: Usage, prices: Prices, subscribers: int) -> float:
    """Return dollars per subscriber and month, were every month like these hours."""
    monthly = sum(cost_by_item(usage, prices).values()) * HOURS_A_MONTH / usage.hours
    return monthly / subscribers
