"""What somebody should still do about an incident, during it or after."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MAX_TASKS = 200
"""Tasks of one incident."""


class TaskKind(StrEnum):
    """What a task is for: to see it earlier, to hurt less, to not have it again, to mend it."""

    DETECT = "detect"
    MITIGATE = "mitigate"
    PREVENT = "prevent"
    PROCESS = "process"
    REPAIR = "repair"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing to do. Times are epoch milliseconds.

    Attributes:
        id: Such as ``t1``, unique in its incident.
        title: What.
        kind: What for.
        owner: Who; empty: nobody yet.
        due_ms: Until when; None: no date was promised.
        added_ms: Since when it is known.
        added_by: Who said so.
        done_ms: When it was done; None while it is open.
    """

    id: str
    title: str
    kind: TaskKind
    owner: str
    due_ms: int | None
    added_ms: int
    added_by: str
    done_ms: int | None = None

    def is_overdue(self, now_ms: int) -> bool:
        """Whether it should have been done by now."""
        return self.done_ms is None and self.due_ms is not None and self.due_ms < now_ms
