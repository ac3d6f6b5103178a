"""Which charts tell of a service: traffic, errors, duration by side, then saturation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dashboards.telemetry.instruments import PERCENTILES, SERVICE_KEYS, Instrument
from dashboards.telemetry.panel import Panel, labelled
from dashboards.telemetry.saturation import gauges_among
from dashboards.telemetry.services import Service
from tocsin.client.conventions import Form, Side
from tocsin.client.metric_shapes import MetricName
from tocsin.client.stack_words import both, either, equals

MAX_OPERATIONS = 8
_SLOWEST = 99
_SIDES = {
    Side.SERVED: "Served",
    Side.CONSUMED: "Consumed",
    Side.CALLED: "Calls made",
    Side.SENT: "Sent",
    Side.STORED: "Database",
}


def side_panels(service: Service) -> dict[str, tuple[Panel, ...]]:
    """Return the charts of each side of a service, by what people call the side."""
    sides = {words: service.of_side(side) for side, words in _SIDES.items()}
    return {words: red_panels(service.name, some) for words, some in sides.items() if some}


def pulse_panels(services: Iterable[Service], *, most: int) -> tuple[Panel, ...]:
    """Return the charts of traffic of all services, at most ``most``, one an instrument."""
    found: dict[str, Instrument] = {}
    for service in services:
        for one in service.of_side(Side.SERVED, Side.CONSUMED):
            found.setdefault(one.name, one)
    panels = []
    for one in list(found.values())[:most]:
        panels += [_by_service(one), *_slowest(one)]
    return tuple(panels[: 2 * most])


def red_panels(name: str, instruments: Sequence[Instrument]) -> tuple[Panel, ...]:
    """Return traffic, errors and duration of one side.

    Each comes from the first instrument that can tell it, so that one without a status or without
    durations does not hide another that has them.
    """
    first = instruments[0]
    panels = [_traffic(name, first)]
    telling = next((one for one in instruments if one.tells_failures), None)
    if telling is not None:
        noun = telling.convention.noun
        ratio = labelled(telling.error_ratio(name), "failed")
        panels.append(Panel(title=f"Errors of {noun}", expression=ratio, unit="ratio"))
    timed = [one for one in instruments if one.timed]
    best = next((one for one in timed if one.percentiles), timed[0] if timed else None)
    if best is not None:
        panels.append(_duration(name, best))
    return tuple(panels)


def saturation_panels(service: str, metrics: Sequence[MetricName]) -> tuple[Panel, ...]:
    """Return how full a service is, as far as it says: processor, memory, threads, queues."""
    return tuple(
        Panel(
            title=gauge.title,
            expression=f"{both(equals('name', metric), query_of(service))},{gauge.aggregate}",
            unit=gauge.unit,
        )
        for metric, gauge in gauges_among([row["name"] for row in metrics])
    )


def query_of(service: str) -> str:
    """Return the query of everything that a service sends, whichever tag names it."""
    return either(*(equals(key, service) for key in SERVICE_KEYS))


def _traffic(name: str, one: Instrument) -> Panel:
    noun, key = one.convention.noun, one.operation
    title = f"{noun[0].upper()}{noun[1:]} a second"
    if key is None:
        expression = labelled(one.traffic(name), noun)
        return Panel(title=title, expression=expression, unit="1/s")
    expression = f"{one.traffic(name, key)},max,{MAX_OPERATIONS},:topk"
    return Panel(
        title=f"{title} by {key}", expression=expression, unit="1/s", stacked=True, legend=key
    )


def _duration(name: str, one: Instrument) -> Panel:
    noun = one.convention.noun
    if one.percentiles:
        return Panel(
            title=f"Duration of {noun}",
            expression=one.quantiles(name),
            unit="s",
            ranks=_ranks(one, PERCENTILES),
        )
    mean = labelled(one.mean(name), "mean")
    return Panel(title=f"Mean duration of {noun}", expression=mean, unit="s")


def _by_service(one: Instrument) -> Panel:
    key, noun = one.service_key, one.convention.noun
    expression = f"{one.traffic(None, key)},max,{MAX_OPERATIONS},:topk"
    return Panel(
        title=f"{noun[0].upper()}{noun[1:]}", expression=expression, unit="1/s", legend=key
    )


def _slowest(one: Instrument) -> tuple[Panel, ...]:
    if not one.timed:
        return ()
    key, noun = one.service_key, one.convention.noun
    if not one.percentiles:
        expression = f"{one.mean(None, key)},max,{MAX_OPERATIONS},:topk"
        title = f"Mean duration of {noun}"
        return (Panel(title=title, expression=expression, unit="s", legend=key),)
    ranks = _ranks(one, (_SLOWEST,))
    expression = one.quantiles(None, key, of=(_SLOWEST,))
    # Buckets are all needed: which service is slowest shows only when percentiles are made of them.
    expression += "" if ranks else f",max,{MAX_OPERATIONS},:topk"
    title = f"p{_SLOWEST} of {noun}"
    return (Panel(title=title, expression=expression, unit="s", legend=key, ranks=ranks),)


def _ranks(one: Instrument, ranks: tuple[int, ...]) -> tuple[int, ...]:
    """Return the percentiles that are made of buckets here, none where the server makes them."""
    return ranks if one.convention.form is Form.CLASSIC else ()
