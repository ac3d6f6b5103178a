"""What the viewers' side reports: stream starts a second, the pulse of the platform."""

from __future__ import annotations

from demo_stack.chassis.telemetry import DURATION_BOUNDS_S, Telemetry
from demo_stack.viewers.arrivals import Visitor


class Pulse:
    """Counts starts as viewers see them, whatever the services believe.

    Args:
        telemetry: The viewers' own.
    """

    def __init__(self, telemetry: Telemetry) -> None:
        self._starts = telemetry.meter.create_counter(
            "stream.starts", unit="{start}", description="Attempts to start a stream, by outcome."
        )
        self._sessions = telemetry.meter.create_counter(
            "audience.sessions", unit="{session}", description="Sessions, by part of the world."
        )
        self._start_time = telemetry.meter.create_histogram(
            "stream.start.duration",
            unit="s",
            description="From pressing play to the first segment.",
            explicit_bucket_boundaries_advisory=DURATION_BOUNDS_S,
        )

        self._segments = telemetry.meter.create_counter(
            "stream.segments", unit="{segment}", description="Segments fetched, by rendition."
        )
        self._stalled = telemetry.meter.create_counter(
            "stream.stalled", unit="s", description="Time that players waited for data."
        )

    def came(self, visitor: Visitor) -> None:
        """Count somebody who begins a session."""
        self._sessions.add(1, {"cloud.region": visitor.region, "market": visitor.market})

    def fetched(self, visitor: Visitor, rendition: str, stalled_s: float) -> None:
        """Count a segment, and how long the player had to wait for it."""
        self._segments.add(1, {**_who(visitor), "rendition": rendition})
        self._stalled.add(stalled_s, _who(visitor))

    def started(self, visitor: Visitor, seconds: float) -> None:
        """Count a stream that began to play after ``seconds``."""
        self._count(visitor, "success")
        self._start_time.record(seconds, _who(visitor))

    def failed(self, visitor: Visitor) -> None:
        """Count a viewer who got no stream."""
        self._count(visitor, "failure")

    def _count(self, visitor: Visitor, outcome: str) -> None:
        self._starts.add(1, {**_who(visitor), "outcome": outcome})


def _who(visitor: Visitor) -> dict[str, str]:
    return {"cloud.region": visitor.region, "device": visitor.device.value}
