"""What happened to an incident, as it is kept for good."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]
Data = Mapping[str, JsonValue]

MACHINE = "tocsin"
"""The actor of everything that no person did."""


class EventKind(StrEnum):
    """Sorts of events; the data of each are listed in :mod:`runbooks.incidents.folding`."""

    OPENED = "opened"
    FINDING_ADDED = "finding_added"
    FINDING_CHANGED = "finding_changed"
    CROWD_COUNTED = "crowd_counted"
    SEVERITY_SET = "severity_set"
    STATUS_SET = "status_set"
    REOPENED = "reopened"
    ACKNOWLEDGED = "acknowledged"
    ROLE_ASSIGNED = "role_assigned"
    NOTE = "note"
    PAGED = "paged"
    PAGE_FAILED = "page_failed"
    RUNG_AGAIN = "rung_again"
    CHANGE_NOTED = "change_noted"
    RUNBOOK_PROPOSED = "runbook_proposed"
    STEP_SET = "step_set"
    POST_MORTEM_WRITTEN = "post_mortem_written"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened.

    Attributes:
        incident_id: Which incident.
        seq: Position in the incident's log, from 1, without gaps.
        time_ms: When it was recorded, epoch milliseconds.
        kind: What sort.
        actor: Who did it; :data:`MACHINE` for the machine.
        text: What a person reads in the timeline.
        data: Everything that the fold needs.
    """

    incident_id: str
    seq: int
    time_ms: int
    kind: EventKind
    actor: str
    text: str
    data: Data = field(default_factory=dict)

    @property
    def is_attributed(self) -> bool:
        """Whether the text says who did it, or nobody did."""
        if self.actor == MACHINE:
            return True
        return re.search(rf"(?<!\w){re.escape(self.actor)}(?!\w)", self.text) is not None
