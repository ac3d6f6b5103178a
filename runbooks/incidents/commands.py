"""What can be asked of an incident."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from anomaly.findings import Finding
from runbooks.incidents.events import MACHINE, JsonValue
from runbooks.incidents.incident import StepState
from runbooks.incidents.states import Role, Severity, Status


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
class Note:
    """Write something into the timeline."""

    text: str
    actor: str
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
    """Ring again: nobody has acknowledged it."""

    text: str
    actor: str = MACHINE


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeRunbook:
    """Propose a runbook with the ids and titles of its steps; ``score`` says how well it fits."""

    name: str
    title: str
    why: str
    step_ids: tuple[str, ...]
    step_titles: tuple[str, ...] = ()
    score: int = 0
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
    | AddFinding
    | ChangeFinding
    | CountCrowd
    | Acknowledge
    | SetStatus
    | Reopen
    | SetSeverity
    | Assign
    | Note
    | RecordPage
    | RingAgain
    | ProposeRunbook
    | SetStep
    | RecordPostMortem
)
