"""What can be asked of an incident."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from anomaly.findings import Finding
from runbooks.incidents.events import MACHINE, EventKind, JsonValue
from runbooks.incidents.incident import Incident, StepState
from runbooks.incidents.milestones import Milestone
from runbooks.incidents.states import Role, Severity, Status
from runbooks.incidents.tasks import TaskKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Make a new incident of ``finding``; ``why`` explains the severity.

    ``title`` is the finding's own if it is empty.
    """

    incident_id: str
    finding: Finding
    severity: Severity
    why: str
    title: str = ""
    actor: str = MACHINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Declare:
    """A person says that something is wrong, before or without any finding.

    ``scope`` is where, by tag: such as ``{"service.name": "playback"}``. Without ``started_ms`` the
    impact begins with the declaration.
    """

    incident_id: str
    title: str
    severity: Severity
    actor: str
    text: str = ""
    scope: Mapping[str, str] = field(default_factory=dict)
    started_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenApart:
    """Make a new incident of findings that were split out of ``source``."""

    incident_id: str
    source: str
    findings: tuple[Finding, ...]
    severity: Severity
    why: str
    actor: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddFinding:
    """Take a further finding in; ``why`` says what connects it."""

    finding: Finding
    why: str
    actor: str = MACHINE


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFinding:
    """A finding that is already in has changed."""

    finding: Finding
    actor: str = MACHINE


@dataclass(frozen=True, slots=True, kw_only=True)
class CountCrowd:
    """So many findings of a rule belong to it beyond those that it names.

    ``latest_ms`` is when the latest of them began, epoch milliseconds.
    """

    rule: str
    title: str
    firing: int
    seen: int
    latest_ms: int
    actor: str = MACHINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge:
    """Somebody is on it."""

    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStatus:
    """Move on in the work."""

    status: Status
    actor: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopen:
    """It is back: a new interval of impact begins at ``impact_start_ms``."""

    actor: str
    text: str
    impact_start_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline:
    """It is no incident, for the reason ``text``."""

    actor: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeInto:
    """It goes on in the incident ``into``."""

    into: str
    actor: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOver:
    """Go on with all that ``source`` has: findings, crowds, what a person declared."""

    source: Incident
    actor: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitOff:
    """Give findings away to the new incident ``into``."""

    finding_ids: tuple[str, ...]
    into: str
    actor: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectMilestone:
    """A milestone was at another time than the log says; what it said stays on record."""

    milestone: Milestone
    at_ms: int
    actor: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddTask:
    """Something that somebody should do. ``due_ms`` None: no date was promised."""

    title: str
    actor: str
    kind: TaskKind = TaskKind.REPAIR
    owner: str = ""
    due_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTask:
    """Finish, take up again, hand over or put off a task; None leaves what it is."""

    task_id: str
    actor: str
    done: bool | None = None
    owner: str | None = None
    due_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUpdate:
    """What a person tells those who are not in the room."""

    text: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemindOfUpdate:
    """An update is overdue; ``told_ms`` is when people were last told or reminded."""

    told_ms: int
    text: str
    actor: str = MACHINE


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSeverity:
    """It is better or worse than thought. The machine only raises, and never over a person."""

    severity: Severity
    actor: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    """Give a role to somebody."""

    role: Role
    person: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """Somebody takes part in the response."""

    person: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Somebody takes part no longer."""

    person: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Write something into the timeline; ``data`` may hold ``at_ms``, when it was."""

    text: str
    actor: str
    data: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """Keep an event in view, by its number; or no longer, if ``off``."""

    event: int
    actor: str
    off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Put on record what another part has done; ``kind`` is one of ``RECORDED``."""

    kind: EventKind
    text: str
    actor: str = MACHINE
    data: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPage:
    """A page has been delivered, or has finally failed with ``failure``."""

    notifier: str
    channel: str
    outbox_id: int
    failure: str = ""
    actor: str = MACHINE


@dataclass(frozen=True, slots=True, kw_only=True)
class RingAgain:
    """Ring again: nobody has acknowledged it since people were rung at ``rung_ms``.

    Nothing happens if somebody else has rung meanwhile; None asks nothing of that sort.
    """

    text: str
    rung_ms: int | None = None
    actor: str = MACHINE


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeRunbook:
    """Propose a runbook with the ids and titles of its steps; ``score`` says how well it fits.

    ``instead`` is why it takes the place of the one before; "": only if it fits better.
    """

    name: str
    title: str
    why: str
    step_ids: tuple[str, ...]
    step_titles: tuple[str, ...] = ()
    score: int = 0
    instead: str = ""
    actor: str = MACHINE


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStep:
    """Tick a runbook's step."""

    step_id: str
    state: StepState
    actor: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPostMortem:
    """The post-mortem has been written; ``blanks`` are left for people."""

    file: str
    blanks: int
    actor: str = MACHINE


Command = (
    Open
    | Declare
    | OpenApart
    | AddFinding
    | ChangeFinding
    | CountCrowd
    | Acknowledge
    | SetStatus
    | Reopen
    | Decline
    | MergeInto
    | TakeOver
    | SplitOff
    | CorrectMilestone
    | SetSeverity
    | Assign
    | Join
    | Leave
    | AddTask
    | ChangeTask
    | GiveUpdate
    | RemindOfUpdate
    | Note
    | Pin
    | Record
    | RecordPage
    | RingAgain
    | ProposeRunbook
    | SetStep
    | RecordPostMortem
)
"""What can be asked of an incident."""

Opening = Open | Declare | OpenApart
"""What makes a new one."""
