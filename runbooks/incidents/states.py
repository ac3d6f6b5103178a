"""Status, severity and roles of an incident, and which status may follow which."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Status(StrEnum):
    """Where the work stands."""

    TRIAGE = "triage"
    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Severity(StrEnum):
    """How bad it is; SEV1 is the worst."""

    SEV1 = "SEV1"
    SEV2 = "SEV2"
    SEV3 = "SEV3"
    SEV4 = "SEV4"

    @property
    def rank(self) -> int:
        """1 for the worst, 4 for the mildest."""
        return int(self.value[-1])


class Role(StrEnum):
    """Who does what during the response."""

    COMMANDER = "commander"
    SCRIBE = "scribe"
    LIAISON = "liaison"


TRANSITIONS: Mapping[Status, frozenset[Status]] = MappingProxyType(
    {
        Status.TRIAGE: frozenset(
            {Status.INVESTIGATING, Status.IDENTIFIED, Status.MITIGATED, Status.RESOLVED}
        ),
        Status.INVESTIGATING: frozenset({Status.IDENTIFIED, Status.MITIGATED, Status.RESOLVED}),
        Status.IDENTIFIED: frozenset({Status.INVESTIGATING, Status.MITIGATED, Status.RESOLVED}),
        Status.MITIGATED: frozenset({Status.INVESTIGATING, Status.RESOLVED}),
        Status.RESOLVED: frozenset({Status.INVESTIGATING, Status.CLOSED}),
        Status.CLOSED: frozenset(),
    }
)
"""From each status to those that may follow. A closed incident stays as it is."""

OPEN_STATUSES = frozenset(
    {Status.TRIAGE, Status.INVESTIGATING, Status.IDENTIFIED, Status.MITIGATED}
)
"""Somebody still has to do something."""

IMPACTED_STATUSES = OPEN_STATUSES - {Status.MITIGATED}
"""Users still feel it."""
