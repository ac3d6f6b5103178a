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
    DECLINED = "declined"
    """A person said that it is no incident."""
    MERGED = "merged"
    """It goes on in another one."""


class Severity(StrEnum):
    """How bad it is; SEV1 is the worst."""

    SEV1 = "SEV1"
    SEV2 = "SEV2"
    SEV3 = "SEV3"
    SEV4 = "SEV4"
    SEV5 = "SEV5"

    @property
    def rank(self) -> int:
        """1 for the worst, 5 for the mildest."""
        return int(self.value[-1])


class Role(StrEnum):
    """Who does what during the response."""

    COMMANDER = "commander"
    DEPUTY = "deputy"
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
        Status.DECLINED: frozenset({Status.INVESTIGATING}),
        Status.MERGED: frozenset(),
    }
)
"""From each status to those that may follow by a command to go on.

A closed or merged incident stays as it is. Declining and merging are commands of their own, for
they need a reason, or another incident.
"""

OPEN_STATUSES = frozenset(
    {Status.TRIAGE, Status.INVESTIGATING, Status.IDENTIFIED, Status.MITIGATED}
)
"""Somebody still has to do something."""

ENDABLE_STATUSES = OPEN_STATUSES | {Status.RESOLVED}
"""What can still be declined or merged."""

REOPENABLE_STATUSES = frozenset({Status.MITIGATED, Status.RESOLVED, Status.DECLINED})
"""What ended and may come back."""

PAGING_RANK = 3
"""An incident that a person declared rings until somebody answers, down to this severity."""

IMPACTED_STATUSES = OPEN_STATUSES - {Status.MITIGATED}
"""Users still feel it."""
