"""What a region really used since it was last asked: instances, requests, bytes, streams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from demo_stack.business.cost import Usage
from demo_stack.chassis.load import Served
from demo_stack.world.layout import Service

GIGABYTE = 1e9
HOUR_S = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the meters of a region say.

    Attributes:
        now_s: When, monotonic, in seconds.
        served: Totals by instance.
        streams: Streams that have begun since the region did.
        stored_bytes: Bytes that are kept.
    """

    now_s: float
    served: Mapping[str, Served]
    streams: int
    stored_bytes: int = 0


class UsageMeter:
    """Turns readings into usage; whoever comes within ``pause_s`` of the last reading gets nothing.

    Args:
        pause_s: Least time between two readings, in seconds.
    """

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s
        self._last: Reading | None = None
        self._requests: dict[str, int] = {}
        self._sent: dict[str, int] = {}

    def take(self, reading: Reading) -> Usage | None:
        """Return what was used since the last reading; ``None`` for the first, or too soon."""
        last = self._last
        if last is not None and reading.now_s - last.now_s < self._pause_s:
            return None
        self._last = reading
        requests = self._more(self._requests, _of(reading, Service.GATEWAY, "requests"))
        sent = self._more(self._sent, _of(reading, Service.EDGE, "sent_bytes"))
        if last is None:
            return None
        return Usage(
            hours=(reading.now_s - last.now_s) / HOUR_S,
            instances=len(reading.served),
            delivered_gb=sent / GIGABYTE,
            requests=requests,
            stored_gb=reading.stored_bytes / GIGABYTE,
            streams=max(0, reading.streams - last.streams),
            streamed_hours=0.0,  # players' reports are sampled: nobody knows
        )

    @staticmethod
    def _more(known: dict[str, int], now: Mapping[str, int]) -> int:
        """Return by how much totals grew; instances that ended took theirs with them."""
        grown = sum(total - known.get(name, 0) for name, total in now.items())
        known.clear()
        known.update(now)
        return grown


def _of(reading: Reading, service: Service, total: str) -> dict[str, int]:
    return {
        name: getattr(served, total)
        for name, served in reading.served.items()
        if served.service == service
    }
