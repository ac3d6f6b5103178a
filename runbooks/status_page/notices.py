"""What people publish: incidents with updates, and scheduled maintenance. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from collectors.errors import ConflictError, InputError
from runbooks.status_page.component import State

MAX_TITLE = 200
MAX_UPDATE_TEXT = 4_000
MAX_AHEAD_MS = 366 * 86_400_000
"""Maintenance is not announced longer before."""


class NoticeKind(StrEnum):
    """What a notice is of."""

    INCIDENT = "incident"
    MAINTENANCE = "maintenance"


class Progress(StrEnum):
    """How far it is. The first four are of incidents, the others of maintenance."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"

    @property
    def words(self) -> str:
        """As users read it."""
        return self.value.replace("_", " ").capitalize()


OF_INCIDENTS = (
    Progress.INVESTIGATING,
    Progress.IDENTIFIED,
    Progress.MONITORING,
    Progress.RESOLVED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What was said when, and by whom (who is not shown to users)."""

    id: int
    time_ms: int
    progress: Progress
    text: str
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """An incident or a maintenance as users read of it.

    Attributes:
        id: Its number.
        kind: Which of the two.
        title: What users read first.
        components: State by the name of each component that it concerns.
        incident_id: Of the incident behind it; empty: none.
        starts_ms: When it began or will begin, epoch milliseconds.
        ends_ms: When maintenance will be over; None for an incident.
        ended_ms: When it was over; None while it lasts.
        updates: What was said, newest first.
    """

    id: int
    kind: NoticeKind
    title: str
    components: Mapping[str, State]
    incident_id: str
    starts_ms: int
    ends_ms: int | None
    ended_ms: int | None
    updates: tuple[Update, ...]

    def progress(self, now_ms: int) -> Progress:
        """Return how far it is; maintenance follows the clock unless somebody ended it."""
        if self.kind is NoticeKind.INCIDENT:
            return self.updates[0].progress if self.updates else Progress.INVESTIGATING
        if self.ended_ms is not None or (self.ends_ms is not None and now_ms >= self.ends_ms):
            return Progress.COMPLETED
        return Progress.IN_PROGRESS if now_ms >= self.starts_ms else Progress.SCHEDULED

    def is_over(self, now_ms: int) -> bool:
        """Whether it concerns nobody any more."""
        return self.progress(now_ms) in {Progress.RESOLVED, Progress.COMPLETED}


def checked_progress(notice: Notice, text: str) -> Progress:
    """Return the progress that an update tells.

    Raises:
        InputError: There is no such progress for this kind of notice.
        ConflictError: The notice is over.
    """
    known = OF_INCIDENTS if notice.kind is NoticeKind.INCIDENT else (Progress.COMPLETED,)
    if notice.ended_ms is not None:
        raise ConflictError(f"notice {notice.id} is over; publish a new one")
    if notice.kind is NoticeKind.MAINTENANCE and not text:
        return Progress.IN_PROGRESS
    for progress in known:
        if progress.value == text.strip().lower().replace(" ", "_"):
            return progress
    raise InputError(f"progress {text[:50]!r} is none of {', '.join(known)}")


def checked_words(title: str, text: str) -> tuple[str, str]:
    """Return a notice's words as they are kept.

    Raises:
        InputError: They are missing or too long.
    """
    title, text = " ".join(title.split()), text.strip()
    for name, value, longest in (("title", title, MAX_TITLE), ("text", text, MAX_UPDATE_TEXT)):
        if not value:
            raise InputError(f"{name!r} is missing; say it in users' words")
        if len(value) > longest:
            raise InputError(f"{name!r} has {len(value)} characters; at most {longest}")
    return title, text


def checked_window(starts_ms: int, ends_ms: int, now_ms: int) -> None:
    """Refuse a maintenance that ends before it begins, is over, or is too far ahead.

    Raises:
        InputError: With what is wrong.
    """
    if ends_ms <= starts_ms:
        raise InputError("the maintenance ends before it begins")
    if ends_ms <= now_ms:
        raise InputError("the maintenance is over already")
    if starts_ms - now_ms > MAX_AHEAD_MS:
        raise InputError("the maintenance begins more than a year from now")
