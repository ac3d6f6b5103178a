"""Who is speaking: the resource attributes of one running instance."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One instance of one service.

    Attributes:
        service: ``service.name``.
        region: ``cloud.region``; empty for what runs outside every region.
        zone: ``cloud.availability_zone``; empty likewise.
        number: 1-based number of the instance among its kind in the region.
        version: ``service.version``.
    """

    service: str
    region: str = ""
    zone: str = ""
    number: int = 1
    version: str = "1.0.0"

    @property
    def instance(self) -> str:
        """``service.instance.id``."""
        return "-".join(part for part in (self.service, self.region, str(self.number)) if part)

    def attributes(self) -> dict[str, str]:
        """Return the OpenTelemetry resource attributes, without empty ones."""
        named = {
            "service.name": self.service,
            "service.instance.id": self.instance,
            "service.version": self.version,
            "cloud.region": self.region,
            "cloud.availability_zone": self.zone,
        }
        return {name: value for name, value in named.items() if value}
