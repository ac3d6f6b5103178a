"""All that decides whether a finding rings, and the alerts of others, in one place for the desk."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlalchemy import Engine

from anomaly.findings import Finding
from collectors.clock import Clock
from runbooks.alerts.muting import Muting
from runbooks.alerts.noise import Noise
from runbooks.alerts.received import ReceivedAlerts
from runbooks.alerts.silences import Silences
from runbooks.incidents.incident import Incident


class Alerting:
    """Silences, what else mutes, and received alerts.

    Args:
        engine: The incident database.
        clock: The present.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.silences = Silences(engine, clock)
        self.muting = Muting(self.silences, clock)
        self.received = ReceivedAlerts()
        self.noise = Noise(engine, clock)
        self._restored = False

    def turn(self, incidents: Callable[[], Iterable[Incident]], now_ms: int) -> list[Finding]:
        """Do what is due; return the findings that ended by it.

        Args:
            incidents: Returns those that there are, from before the start, too.
            now_ms: The present, epoch milliseconds.
        """
        if not self._restored:
            self._restored = True
            for incident in incidents():
                self.received.restore(incident.firing if incident.is_open else (), now_ms)
        self.silences.refresh(now_ms)
        return self.received.ended(now_ms)
