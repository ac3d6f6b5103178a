"""How long we wait for a processor ourselves: who is starved measures everybody's waiting as well.

Three numbers, each of which is enough: the share of the machine's processor time that a hypervisor
gave to others (steal, ``/proc/stat``), the share of the time in which our thread could have run and
was not let (``/proc/self/schedstat``), and how late the heartbeat wakes up. Where a system tells
none of the former two, the last one is measured all the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from anomaly.evidence.own_delay import OwnDelay
from collectors.receivers.sources.ledger import SourceLedger
from tocsin.settings import LOOPBACK

MAX_SAMPLES = 720
"""Looks that are remembered: an hour of one every five seconds."""

_STEAL = 0.10
_WAITING = 0.10
_LATE_MS = 500
_NANOS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What the system has counted since it or we began.

    Attributes:
        steal: Processor time given to others, in ticks of all processors.
        ticks: All processor time, in the same unit; 0 where it is not told.
        waited_ns: How long our main thread could have run and did not.
    """

    steal: int = 0
    ticks: int = 0
    waited_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """What happened up to a look: shares 0 to 1, and how late it came."""

    time_ms: int
    steal: float
    waiting: float
    late_ms: int

    @property
    def starved(self) -> bool:
        return self.steal >= _STEAL or self.waiting >= _WAITING or self.late_ms >= _LATE_MS


def system_counters() -> Counters:
    """Return what Linux counts; nothing where it is not told."""
    steal = ticks = waited_ns = 0
    with suppress(OSError, ValueError, IndexError):
        numbers = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
        ticks, steal = sum(map(int, numbers[:8])), int(numbers[7])
    with suppress(OSError, ValueError, IndexError):
        waited_ns = int(Path("/proc/self/schedstat").read_text(encoding="ascii").split()[1])
    return Counters(steal=steal, ticks=ticks, waited_ns=waited_ns)


class OnOneMachine:
    """How we were held up, where that says anything of those who are watched.

    It does when all of them send from the machine that we run on; of others' processors ours tell
    nothing.

    Args:
        meter: Knows how we were held up.
        sources: Knows where telemetry comes from.
        host: Address that we listen on.
    """

    def __init__(self, meter: DelayMeter, sources: SourceLedger, host: str) -> None:
        self._meter = meter
        self._sources = sources
        self._ours = LOOPBACK | {host}

    def over(self, start_ms: int, end_ms: int) -> OwnDelay | None:
        """Return how we were held up between two times; None when it explains nothing."""
        peers = self._sources.peers()
        return self._meter.over(start_ms, end_ms) if peers and peers <= self._ours else None


class DelayMeter:
    """Remembers how we were let run: to be told of each heartbeat.

    Args:
        counters: Asks the system.
    """

    def __init__(self, counters: Callable[[], Counters] = system_counters) -> None:
        self._counters = counters
        self._before: tuple[int, Counters] | None = None
        self._samples: deque[_Sample] = deque(maxlen=MAX_SAMPLES)

    def note(self, now_ms: int, late_ms: int) -> None:
        """Take note of a heartbeat.

        Args:
            now_ms: The present, epoch milliseconds.
            late_ms: By how much it came too late.
        """
        found = self._counters()
        if self._before is not None:
            then_ms, before = self._before
            passed_ms = now_ms - then_ms
            if passed_ms <= 0:
                return
            ticks = found.ticks - before.ticks
            waited_ms = (found.waited_ns - before.waited_ns) / _NANOS_PER_MS
            sample = _Sample(
                time_ms=now_ms,
                steal=(found.steal - before.steal) / ticks if ticks > 0 else 0.0,
                waiting=min(1.0, max(0.0, waited_ms / passed_ms)),
                late_ms=max(0, late_ms),
            )
            self._samples.append(sample)
        self._before = now_ms, found

    def over(self, start_ms: int, end_ms: int) -> OwnDelay | None:
        """Return how we were held up between two times; None when we were not, or don't know.

        Held up is who was so in half of the looks of that time.
        """
        some = [one for one in self._samples if start_ms <= one.time_ms <= end_ms]
        if not some or 2 * sum(one.starved for one in some) < len(some):
            return None
        return OwnDelay(
            steal=median(one.steal for one in some),
            waiting=median(one.waiting for one in some),
            late_ms=median(one.late_ms for one in some),
        )

    def gauges(self) -> dict[str, float]:
        """Return the newest look for our own metrics, shares 0 to 1 and seconds."""
        if not self._samples:
            return {}
        last = self._samples[-1]
        return {
            "own.steal": last.steal,
            "own.waiting": last.waiting,
            "own.late": last.late_ms / 1_000,
        }
