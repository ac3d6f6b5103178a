"""What a demo run came to: the chain of moments, as the JSON object printed last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

NO_FAULT = "none"
"""The name of nothing: nobody may be paged."""


def iso(time_ms: float | None) -> str | None:
    """Return epoch milliseconds as ISO 8601 in UTC.

    >>> iso(1_500)
    '1970-01-01T00:00:01.500Z'
    """
    if time_ms is None:
        return None
    moment = datetime.fromtimestamp(time_ms / 1_000, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True, kw_only=True)
class Outcome:
    """The moments of one run; None where it did not get that far. Times are epoch ms.

    ``pulse`` has the stream starts a second of each region before, after every step of a scenario,
    and when all was clear again.
    """

    fault: str
    injected_ms: float | None = None
    detected_ms: float | None = None
    paged_ms: float | None = None
    acknowledged_ms: float | None = None
    resolved_ms: float | None = None
    post_mortem: str | None = None
    urls: dict[str, str] = field(default_factory=dict)
    pulse: dict[str, dict[str, float]] = field(default_factory=dict)
    failure: str | None = None

    def note(self, moment: str, rates: Mapping[str, float]) -> None:
        """Keep the pulse of a moment."""
        self.pulse[moment] = {region: round(rate, 2) for region, rate in rates.items()}

    @property
    def complete(self) -> bool:
        """Whether the whole chain happened; without a fault: whether nothing paged."""
        if self.failure is not None:
            return False
        chain = [
            self.injected_ms,
            self.detected_ms,
            self.paged_ms,
            self.acknowledged_ms,
            self.resolved_ms,
            self.post_mortem,
        ]
        if self.fault == NO_FAULT:
            return all(moment is None for moment in chain)
        return all(moment is not None for moment in chain)

    def as_json(self) -> dict[str, Any]:
        """Return the object for ``--json``."""
        raw = asdict(self)
        body: dict[str, Any] = {"fault": self.fault}
        for name in ("injected", "detected", "paged", "acknowledged", "resolved"):
            body[f"{name}_at"] = iso(raw[f"{name}_ms"])
        body |= {"post_mortem": self.post_mortem, "urls": self.urls, "ok": self.complete}
        body["pulse"] = self.pulse
        return body | ({"failure": self.failure} if self.failure else {})
