"""What every instance has served since it started: for whoever scales, or judges a new version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(slots=True)
class Served:
    """Totals of one instance.

    Attributes:
        service: What it serves.
        version: Which version of it.
        requests: How many it answered.
        failures: How many of those with a status of 500 and above.
        seconds: How long all of them took together.
        sent_bytes: How much the answers held.
    """

    service: str
    version: str
    requests: int = 0
    failures: int = 0
    seconds: float = 0.0
    sent_bytes: int = 0


class LoadBook:
    """Totals of every instance of a region."""

    def __init__(self) -> None:
        self._by_instance: dict[str, Served] = {}

    def open(self, instance: str, service: str, version: str) -> Served:
        """Return the empty totals of a new instance, which writes into them."""
        served = self._by_instance[instance] = Served(service, version)
        return served

    def close(self, instance: str) -> None:
        """Forget an instance."""
        self._by_instance.pop(instance, None)

    def totals(self) -> Mapping[str, Served]:
        """Return totals by instance."""
        return dict(self._by_instance)
