"""What may be said of learned health: which services are left out, and what a red one means."""

from __future__ import annotations

from dataclasses import dataclass

from anomaly.findings import Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthDefinition:
    """Settings of learned health; these are the ones that hold without any configuration.

    Attributes:
        name: Of the rule.
        urgency: What a service that is red by itself means; None: it is shown and nothing else.
        covered: Services that an objective watches: of these it is recorded and nobody is told.
        ignored: Services of which nothing is said.
        source: ``file:line`` of the document.
    """

    name: str = "health"
    urgency: Urgency | None = Urgency.TICKET
    covered: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()
    source: str = ""

    @property
    def group_by(self) -> tuple[str, ...]:
        """Keys that its findings carry."""
        return ("service.name",)
