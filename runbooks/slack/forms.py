"""What a form that was sent in Slack does to an incident."""

from __future__ import annotations

from collectors.errors import InputError
from runbooks.alerts.grouping import SERVICE as TAG
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.commands import SetStatus
from runbooks.incidents.states import Severity, Status
from runbooks.slack.asker import line_of
from runbooks.slack.planning import declared, updated
from runbooks.slack.requests import SlackRequest
from runbooks.slack.views import (
    DECLARE,
    RESOLVE,
    SERVICE,
    SEVERITY,
    STATUS,
    TEXT,
    TITLE,
    UNCHANGED,
    UPDATE,
)


def submitted(desk: IncidentDesk, request: SlackRequest, actor: str) -> str:
    """Carry out a form that ``actor`` has sent; return what to answer.

    Raises:
        TocsinError: It is not possible; the message says why.
    """
    text = request.fields.get(TEXT, "")
    if request.text == DECLARE:
        return _declare(desk, request, actor, text)
    incident = desk.ledger.going_on(request.fields.get("incident", ""))
    if request.text == RESOLVE:
        desk.execute(incident.id, SetStatus(status=Status.RESOLVED, actor=actor, text=text))
        return ""
    if request.text != UPDATE:
        raise InputError(f"there is no form {request.text[:50]!r}")
    updated(desk, incident.id, actor, text)
    status = request.fields.get(STATUS, UNCHANGED)
    if status not in {UNCHANGED, incident.status}:
        desk.execute(incident.id, SetStatus(status=_status(status), actor=actor))
    return ""


def _declare(desk: IncidentDesk, request: SlackRequest, actor: str, text: str) -> str:
    service = request.fields.get(SERVICE, "")
    said = request.fields.get(SEVERITY, "")
    severity = Severity(said) if said in {one.value for one in Severity} else Severity.SEV2
    scope = {TAG: service} if service else {}
    title = request.fields.get(TITLE, "")
    incident = declared(desk, actor, request.key, title, severity, text, scope)
    return f"Declared: {line_of(incident)}"


def _status(name: str) -> Status:
    try:
        return Status(name)
    except ValueError:
        raise InputError(f"{name[:50]!r} is none of {', '.join(Status)}") from None
