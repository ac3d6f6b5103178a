"""The dead man's switch: an address outside hears of us as long as pages would reach people.

When this process, its machine or its network dies, nobody here is left to say so. A service outside
that misses the reports does. A report says more than that a process runs: steps are judged, the
desk takes its turns, no page waits that should have been sent, and the database takes writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2
import structlog

from collectors.background import Background
from collectors.clock import Clock
from collectors.host.faults import Faults
from collectors.redaction import without_secrets
from runbooks.desk.vital_signs import VitalSigns
from tocsin.settings import Settings

OUTGOING = "outgoing heartbeat"
_TIMEOUT_S = 10.0
_MAX_STOP_S = 2.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How the last attempt went: when (epoch milliseconds), and why not if it did not."""

    time_ms: int
    withheld: str = ""
    refused: str = ""


class Outgoing:
    """Reports in turns.

    Args:
        url: Where to; a secret, as such addresses are.
        every_s: How often.
        signs: Says what is not well.
        clock: The present.
        faults: Hears that reports don't arrive.
    """

    def __init__(
        self,
        url: str,
        every_s: float,
        signs: Callable[[int], list[str]],
        clock: Clock,
        faults: Faults,
    ) -> None:
        self._url = url
        self._signs = signs
        self._clock = clock
        self._faults = faults
        self._http = httpx2.Client(timeout=_TIMEOUT_S, follow_redirects=False)
        self._worker = Background("tocsin-heartbeat", self.report, interval_s=every_s)
        self.latest: Report | None = None

    def start(self) -> None:
        """Begin."""
        self._worker.start()

    def close(self) -> None:
        """End: whoever misses the reports is told by the service outside."""
        self._worker.close(_MAX_STOP_S)
        self._http.close()

    def report(self) -> None:
        """Report, unless something is not well."""
        now_ms = self._clock.now_ms()
        if wrong := self._signs(now_ms):
            why = "; ".join(wrong)
            if self.latest is None or self.latest.withheld != why:
                _log.error("heartbeat withheld", reason=why)
            self.latest = Report(time_ms=now_ms, withheld=why)
            return
        refused = self._refused()
        self.latest = Report(time_ms=now_ms, refused=refused)
        if not refused:
            self._faults.over(OUTGOING)
            return
        self._faults.failed(
            OUTGOING,
            place="TOCSIN_HEARTBEAT_URL",
            reason=refused,
            lost="whoever watches us from outside will think that we are dead",
            urgent=False,
        )

    def _refused(self) -> str:
        """Send a report; return why it was not taken, without the address."""
        try:
            answer = self._http.post(self._url, content=b"tocsin is well")
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            return without_secrets(f"{type(error).__name__}: {error}".replace(self._url, "…"))
        return "" if answer.is_success else f"answered {answer.status_code}"


@contextmanager
def reporting(
    settings: Settings, vital: VitalSigns, clock: Clock, faults: Faults
) -> Iterator[Outgoing | None]:
    """Report while it lasts, if the settings name an address."""
    if settings.heartbeat_url is None:
        yield None
        return
    outgoing = Outgoing(
        settings.heartbeat_url.get_secret_value(),
        settings.heartbeat_interval.seconds,
        lambda now_ms: vital.wrong(now_ms, settings.step.ms),
        clock,
        faults,
    )
    outgoing.start()
    try:
        yield outgoing
    finally:
        outgoing.close()
