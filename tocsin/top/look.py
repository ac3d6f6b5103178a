"""What a terminal shows of a server: each part with its value, its age and what is wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from tocsin.client.client import ApiClient
from tocsin.client.errors import ClientError, UnreachableError
from tocsin.client.graphs import Graph
from tocsin.client.health_shapes import Health
from tocsin.client.response.oncall_shapes import Oncall
from tocsin.client.response.screen_shapes import Screen
from tocsin.client.shapes import Finding, Incident, IncidentSummary, Slo

T = TypeVar("T")

_MAX_SIGNALS = 4
_MINUTES = 30
_DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Generic[T]):
    """The newest good answer to one question.

    Attributes:
        value: None when there never was one.
        read_ms: When it came, epoch milliseconds.
        fault: Why the newest try failed; "" while ``value`` is fresh.
    """

    value: T | None = None
    read_ms: int | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One line over time.

    Attributes:
        title: What it is.
        unit: Of the values.
        values: One a step, NaN where nothing was measured.
        start_ms: End of the first step, epoch milliseconds.
        step_ms: Length of a step.
    """

    title: str
    unit: str
    values: tuple[float, ...]
    start_ms: int = 0
    step_ms: int = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Everything that a screen is made of.

    Attributes:
        url: Of the server.
        now_ms: When it was looked, epoch milliseconds.
        away: Why the server can't be reached; "" while it can.
        chosen: Id of the incident that is looked at; "" for none.
    """

    url: str
    now_ms: int
    away: str = ""
    chosen: str = ""
    incidents: Part[list[IncidentSummary]] = field(default_factory=Part)
    screen: Part[Screen] = field(default_factory=Part)
    slos: Part[list[Slo]] = field(default_factory=Part)
    findings: Part[list[Finding]] = field(default_factory=Part)
    oncall: Part[Oncall] = field(default_factory=Part)
    health: Part[Health] = field(default_factory=Part)
    signals: Part[tuple[Signal, ...]] = field(default_factory=Part)

    @property
    def incident(self) -> Incident | None:
        """The chosen incident, None without one."""
        return self.screen.value["incident"] if self.screen.value else None

    def as_json(self) -> dict[str, Any]:
        """Return what is known, as one JSON value, with what could not be read and why."""
        parts = {name: getattr(self, name) for name in _PARTS}
        signals = [
            {"title": s.title, "unit": s.unit, "values": [_number(v) for v in s.values]}
            for s in self.signals.value or ()
        ]
        known = {name: part.value for name, part in parts.items()} | {"signals": signals}
        faults = {name: part.fault for name, part in parts.items() if part.fault}
        head = {"url": self.url, "now_ms": self.now_ms, "away": self.away, "chosen": self.chosen}
        return {**head, **known, "faults": faults}


_PARTS = ("incidents", "screen", "slos", "findings", "oncall", "health", "signals")


def look(api: ApiClient, before: Look, now_ms: int, chosen: str = "") -> Look:
    """Ask for everything anew; what can't be had stays as it was, with the reason.

    After nobody answered nothing more is asked: a screen must not wait for seven timeouts.

    Args:
        api: Reaches the server.
        before: What was known.
        now_ms: The present.
        chosen: The incident to look at; empty: the newest that is open.
    """
    asked = _Asked(before=before, now_ms=now_ms)
    incidents = asked.part(before.incidents, lambda: _newest_first(api))
    chosen = _chosen(incidents.value or (), chosen)
    nothing: Part[Screen] = Part()
    kept = before.screen if before.chosen == chosen else nothing
    seen = asked.part(kept, lambda: api.screen(chosen, known=kept.value)) if chosen else nothing
    slos = asked.part(before.slos, api.slos)
    return replace(
        before,
        url=api.base_url,
        now_ms=now_ms,
        chosen=chosen,
        incidents=incidents,
        screen=seen,
        slos=slos,
        findings=asked.part(before.findings, api.findings),
        oncall=asked.part(before.oncall, lambda: api.oncall(days=_DAYS)),
        health=asked.part(before.health, api.health),
        signals=asked.part(before.signals, lambda: signals(api, seen.value, slos.value or ())),
        away=asked.away,
    )


def first_look(url: str, now_ms: int) -> Look:
    """Return a look at a server of which nothing is known yet."""
    return Look(url=url, now_ms=now_ms)


def signals(api: ApiClient, seen: Screen | None, slos: Sequence[Slo]) -> tuple[Signal, ...]:
    """Return the lines that an incident proposes, else what the objectives count.

    Raises:
        ClientError: None of them could be read.
    """
    charts = seen["incident"]["charts"] if seen else []
    wanted = {one["expr"]: (one["title"], one["unit"]) for one in charts}
    for one in slos:
        wanted.setdefault(one["total_expr"], (one["display_name"], "1/s"))
    found: dict[str, Signal] = {}
    fault: ClientError | None = None
    for query, (title, unit) in wanted.items():
        if len(found) == _MAX_SIGNALS:
            break
        try:
            graph = api.graph(query, start=f"e-{_MINUTES}m")
        except UnreachableError:
            raise
        except ClientError as error:
            fault = error
            continue
        if (signal := _signal(title, unit, graph)) is not None:
            found[query] = signal
    if fault is not None and not found:
        raise fault
    return tuple(found.values())


@dataclass(slots=True, kw_only=True)
class _Asked:
    before: Look
    now_ms: int
    away: str = ""

    def part(self, known: Part[T], ask: Callable[[], T]) -> Part[T]:
        if self.away:
            return replace(known, fault=self.away)
        try:
            return Part(value=ask(), read_ms=self.now_ms)
        except UnreachableError as error:
            self.away = error.message
            return replace(known, fault=error.message)
        except ClientError as error:
            return replace(known, fault=error.message)
        except (LookupError, TypeError, ValueError) as error:
            # Another version answers something else.
            return replace(known, fault=f"unreadable answer ({type(error).__name__}: {error})")


def _newest_first(api: ApiClient) -> list[IncidentSummary]:
    return sorted(api.incidents(state="open"), key=lambda one: -one["opened_ms"])


def _chosen(found: Sequence[Mapping[str, Any]], wanted: str) -> str:
    ids = [str(one["id"]) for one in found]
    return wanted if wanted in ids else next(iter(ids), "")


def _signal(title: str, unit: str, graph: Graph) -> Signal | None:
    """Return the lines of a graph as one, None without any.

    Rates add up; of several durations or shares the largest is drawn, and said to be.
    """
    if not graph.lines:
        return None
    rate = unit.startswith(("1/", "/"))
    steps = zip(*(line.values.tolist() for line in graph.lines), strict=True)
    values = tuple(_merged(step, sum if rate else max) for step in steps)
    several = len(graph.lines) > 1 and not rate
    named = f"{title}, largest of {len(graph.lines)}" if several else title
    return Signal(
        title=named, unit=unit, values=values, start_ms=graph.start_ms, step_ms=graph.step_ms
    )


def _merged(values: Sequence[float], merge: Callable[[list[float]], float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return merge(known) if known else math.nan


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
