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
    RESPONDER_JOINED = "responder_joined"
    RESPONDER_LEFT = "responder_left"
    DECLINED = "declined"
    MERGED = "merged"
    TOOK_OVER = "took_over"
    SPLIT_OFF = "split_off"
    MILESTONE_CORRECTED = "milestone_corrected"
    TASK_ADDED = "task_added"
    TASK_CHANGED = "task_changed"
    UPDATE_GIVEN = "update_given"
    UPDATE_DUE = "update_due"
    NOTE = "note"
    PAGED = "paged"
    PAGE_FAILED = "page_failed"
    RUNG_AGAIN = "rung_again"
    CHANGE_NOTED = "change_noted"
    RUNBOOK_PROPOSED = "runbook_proposed"
    STEP_SET = "step_set"
    POST_MORTEM_WRITTEN = "post_mortem_written"
    POST_MORTEM_MOVED = "post_mortem_moved"
    ESCALATED = "escalated"
    SUPPRESSED = "suppressed"
    DIAGNOSED = "diagnosed"
    RUNBOOK_RUN = "runbook_run"
    STATUS_PUBLISHED = "status_published"
    SAID = "said"
    MENTIONED = "mentioned"
    SHARED = "shared"
    PINNED = "pinned"
    UNPINNED = "unpinned"
    RETITLED = "retitled"


RECORDED = frozenset(
    {
        EventKind.POST_MORTEM_MOVED,
        EventKind.ESCALATED,
        EventKind.SUPPRESSED,
        EventKind.DIAGNOSED,
        EventKind.RUNBOOK_RUN,
        EventKind.STATUS_PUBLISHED,
        EventKind.SAID,
        EventKind.MENTIONED,
        EventKind.SHARED,
    }
)
"""What other parts of the room have done: on record, without a change of the incident's state."""


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
    def happened_ms(self) -> int:
        """When it was: a note may be about something earlier than when it was written."""
        at_ms = self.data.get("at_ms")
        return at_ms if isinstance(at_ms, int) else self.time_ms

    @property
    def is_attributed(self) -> bool:
        """Whether the text says who did it, or nobody did."""
        if self.actor == MACHINE:
            return True
        return re.search(rf"(?<!\w){re.escape(self.actor)}(?!\w)", self.text) is not None
