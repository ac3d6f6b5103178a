"""Receivers that answer on the API's port: every file of this package that declares one.

Such a receiver is a module with an :class:`Endpoint` named ``ENDPOINT``. Nothing else needs to know
of it. Receivers with a port or a rhythm of their own are started by the server by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

from starlette.routing import BaseRoute

from collectors import receivers as package
from collectors.clock import Clock
from collectors.discovery import declared
from collectors.limits import Limits
from collectors.log_batch import LogWriter
from collectors.model import MetricWriter, SpanWriter
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.work.lanes import Lanes
from collectors.remote_bodies import RemoteBodyWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What a receiver is given: where telemetry goes, and by which rules it is taken.

    Attributes:
        metrics: Where samples go.
        spans: Where spans go.
        bodies: The store behind ``metrics``, if it takes whole remote-write bodies.
        limits: Bounds on what is accepted.
        stats: Where acceptances and refusals are counted.
        clock: The present.
        step_ms: Length of a step.
        lanes: Threads in which bodies are decoded.
        logs: Where log records go; None: they are not kept.
        waiting: How many bodies may wait at once for other nodes to keep their shares; 0: none.
    """

    metrics: MetricWriter
    spans: SpanWriter
    bodies: RemoteBodyWriter | None
    limits: Limits
    stats: ReceiverStats
    clock: Clock
    step_ms: int
    lanes: Lanes = field(default_factory=Lanes)
    logs: LogWriter | None = None
    waiting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A receiver on the API's port.

    Attributes:
        name: Under which its acceptances and refusals are counted.
        routes: Returns what it answers.
        makes_series: Whether what it takes becomes series, for which a store may have no room.
    """

    name: str
    routes: Callable[[Intake], Sequence[BaseRoute]]
    makes_series: bool = True


@cache
def endpoints() -> Mapping[str, Endpoint]:
    """Return all such receivers by name, in the order of their files' names.

    Raises:
        ConfigError: Two files declare the same name.
    """
    return MappingProxyType(declared(package, "ENDPOINT", Endpoint))
