"""Services as their telemetry tells of them, and their figures side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dashboards.telemetry.buckets import quantile_lines
from dashboards.telemetry.instruments import Instrument
from tocsin.client.conventions import Form, Side
from tocsin.client.graphs import Graph
from tocsin.client.shapes import ServiceEdge, ServiceMap

RECENT = "e-5m"
RECENT_S = 300
_ENTRIES = (Side.SERVED, Side.CONSUMED)
_MS = 1_000
_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service.

    Attributes:
        name: As its telemetry says.
        instruments: Its metrics, in the order of the table of conventions.
        called_by: Calls into it that spans tell of.
        calls: Calls that it made, as spans tell.
    """

    name: str
    instruments: tuple[Instrument, ...] = ()
    called_by: tuple[ServiceEdge, ...] = ()
    calls: tuple[ServiceEdge, ...] = ()

    def of_side(self, *sides: Side) -> tuple[Instrument, ...]:
        """Return the instruments of some sides."""
        return tuple(one for side in sides for one in self.instruments if one.side is side)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How a service is just now; None is not measured, which is not zero.

    Attributes:
        service: Its name.
        traffic: Events a second.
        error_ratio: Share that failed.
        duration_s: How long they take.
        duration_kind: ``p99`` or ``mean``; empty without a duration.
        source: What is counted, or that it comes from spans.
    """

    service: str
    traffic: float | None = None
    error_ratio: float | None = None
    duration_s: float | None = None
    duration_kind: str = ""
    source: str = "nothing in the last 5 minutes"


def services_of(instruments: Sequence[Instrument], found: ServiceMap | None) -> tuple[Service, ...]:
    """Return every service that metrics or spans name, by name."""
    edges = found["edges"] if found else []
    names = {name for one in instruments for name in one.services}
    names |= set(found["services"]) if found else set()
    return tuple(
        Service(
            name=name,
            instruments=tuple(one for one in instruments if name in one.services),
            called_by=tuple(edge for edge in edges if edge["server"] == name),
            calls=tuple(edge for edge in edges if edge["client"] == name),
        )
        for name in sorted(names)
    )


def figure_queries(instruments: Iterable[Instrument]) -> tuple[str, ...]:
    """Return the expressions that :func:`figures_of` needs: a few an instrument, not a service."""
    entries = [one for one in instruments if one.side in _ENTRIES]
    return tuple(query for one in entries for query in _queries(one).values())


def figures_of(
    services: Iterable[Service], graphs: Mapping[str, Graph], *, seconds: float = RECENT_S
) -> tuple[Figures, ...]:
    """Return the figures of services.

    Args:
        services: Which.
        graphs: The answers to :func:`figure_queries`; what is lacking is not measured.
        seconds: What the calls of spans were counted over.
    """
    return tuple(_figures(service, graphs, seconds) for service in services)


def _figures(service: Service, graphs: Mapping[str, Graph], seconds: float) -> Figures:
    for side in _ENTRIES:
        every = (_measured(one, service, graphs) for one in service.of_side(side))
        measured = [one for one in every if one is not None]
        if measured:
            return _together(measured)
    if service.called_by:
        return _from_spans(service.name, service.called_by, seconds)
    if service.calls:
        return Figures(service=service.name, source="only calls others, as spans tell")
    entries = service.of_side(*_ENTRIES)
    if any(query not in graphs for one in entries for query in _queries(one).values()):
        return Figures(service=service.name, source="not known: no answer came")
    return Figures(service=service.name)


def _together(measured: Sequence[Figures]) -> Figures:
    """Return the first figures, with what they lack from others that count the same side."""
    telling = next((one for one in measured if one.error_ratio is not None), measured[0])
    timed = [one for one in measured if one.duration_s is not None] or [measured[0]]
    best = next((one for one in timed if one.duration_kind == "p99"), timed[0])
    return replace(
        measured[0],
        error_ratio=telling.error_ratio,
        duration_s=best.duration_s,
        duration_kind=best.duration_kind,
    )


def _queries(one: Instrument) -> dict[str, str]:
    key = one.service_key
    queries = {"traffic": one.traffic(None, key)}
    if one.tells_failures:
        queries["failures"] = one.failures(None, key)
    if one.percentiles:
        queries["p99"] = one.quantiles(None, key, of=(99,))
    elif one.timed:
        queries["mean"] = one.mean(None, key)
    return queries


def _measured(one: Instrument, service: Service, graphs: Mapping[str, Graph]) -> Figures | None:
    asked = {what: graphs[query] for what, query in _queries(one).items() if query in graphs}
    key, name = one.service_key, service.name
    traffic = _newest_minute(asked.get("traffic"), key, name)
    if not traffic:
        return None
    kind = "p99" if "p99" in asked else "mean"
    slow = asked.get(kind)
    if slow is not None and kind == "p99" and one.convention.form is Form.CLASSIC:
        slow = quantile_lines(slow, (99,))
    durations = _newest_minute(slow, key, name)
    return Figures(
        service=name,
        traffic=sum(traffic.values()) / len(traffic),
        error_ratio=_failed_share(asked.get("failures"), traffic, key, name),
        duration_s=durations[max(durations)] if durations else None,
        duration_kind=kind if durations else "",
        source=one.convention.noun,
    )


def _from_spans(name: str, edges: Sequence[ServiceEdge], seconds: float) -> Figures:
    calls = sum(edge["calls"] for edge in edges)
    slowest = max((edge["p99_ms"] for edge in edges if edge["p99_ms"] is not None), default=None)
    return Figures(
        service=name,
        traffic=calls / seconds,
        error_ratio=sum(edge["errors"] for edge in edges) / calls if calls else None,
        duration_s=None if slowest is None else slowest / _MS,
        duration_kind="" if slowest is None else "p99",
        source="spans",
    )


def _newest_minute(graph: Graph | None, key: str, name: str) -> dict[int, float]:
    """Return what is known of a service's line in its newest minute, by time.

    Not the newest value alone: its step may still be filling.
    """
    known = _known(graph, key, name)
    newest = max(known, default=0)
    return {time: value for time, value in known.items() if time > newest - _MINUTE_MS}


def _known(graph: Graph | None, key: str, name: str) -> dict[int, float]:
    """Return the known values of a service's line by time."""
    line = next((one for one in graph.lines if one.tags.get(key) == name), None) if graph else None
    if graph is None or line is None:
        return {}
    known = np.isfinite(line.values)
    return dict(zip(graph.times_ms[known].tolist(), line.values[known].tolist(), strict=True))


def _failed_share(
    graph: Graph | None, traffic: Mapping[int, float], key: str, name: str
) -> float | None:
    """Return the share that failed, over the times that both answers know.

    None when nobody tells failures, or when nothing happened. Where failures can be told, no line
    means that nothing failed.
    """
    if graph is None:
        return None
    failures = _known(graph, key, name)
    common = traffic.keys() & set(graph.times_ms.tolist()) if graph.lines else traffic.keys()
    total = sum(traffic[time] for time in common)
    return sum(failures.get(time, 0.0) for time in common) / total if total > 0 else None
