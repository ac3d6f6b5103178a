"""Forms in Slack: to declare an incident, to tell how it stands, to resolve it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    InputBlock,
    Option,
    PlainTextInputElement,
    PlainTextObject,
    StaticSelectElement,
)
from slack_sdk.models.views import View

from runbooks.incidents.states import Severity, Status
from tocsin.client.wording import trimmed

DECLARE, UPDATE, RESOLVE = "incident.declare", "incident.update", "incident.resolve_form"
TITLE, SEVERITY, SERVICE, TEXT, STATUS = "title", "severity", "service", "text", "status"
MAX_VIEW_TITLE, MAX_LINE, MAX_WORDS = 24, 200, 3_000
UNCHANGED = "unchanged"
_MOVES = (Status.INVESTIGATING, Status.IDENTIFIED, Status.MITIGATED)


def declare_view(title: str = "") -> View:
    """Return the form that declares an incident."""
    severities = [(severity.value, severity.value) for severity in Severity]
    return _view(
        DECLARE,
        "Declare an incident",
        "Declare",
        [
            _line(TITLE, "What is wrong?", title),
            _choice(SEVERITY, "How bad is it?", severities, Severity.SEV2.value),
            _line(SERVICE, "Which service?", optional=True),
            _words(TEXT, "What do you see?", optional=True),
        ],
    )


def update_view(incident_id: str) -> View:
    """Return the form that tells how an incident stands."""
    moves = [("as it is", UNCHANGED), *((status.value, status.value) for status in _MOVES)]
    return _view(
        UPDATE,
        "Update",
        "Send",
        [_words(TEXT, "What is new?"), _choice(STATUS, "Where does it stand?", moves, UNCHANGED)],
        incident_id,
    )


def resolve_view(incident_id: str) -> View:
    """Return the form that resolves an incident."""
    asked = _words(TEXT, "What ended it?", optional=True)
    return _view(RESOLVE, "Resolve", "Resolve", [asked], incident_id)


def _view(
    name: str, title: str, submit: str, blocks: Sequence[Block], incident_id: str = ""
) -> View:
    return View(
        type="modal",
        callback_id=name,
        private_metadata=incident_id,
        title=PlainTextObject(text=trimmed(title, MAX_VIEW_TITLE, "…")),
        submit=PlainTextObject(text=submit),
        close=PlainTextObject(text="Cancel"),
        blocks=blocks,
    )


def _line(name: str, label: str, filled: str = "", *, optional: bool = False) -> InputBlock:
    return _input(name, label, filled, optional=optional, multiline=False, max_length=MAX_LINE)


def _words(name: str, label: str, *, optional: bool = False) -> InputBlock:
    return _input(name, label, "", optional=optional, multiline=True, max_length=MAX_WORDS)


def _input(name: str, label: str, filled: str, *, optional: bool, **given: Any) -> InputBlock:
    first = filled[:MAX_LINE] or None
    element = PlainTextInputElement(action_id=name, initial_value=first, **given)
    return InputBlock(block_id=name, label=label, element=element, optional=optional)


def _choice(name: str, label: str, choices: Sequence[tuple[str, str]], chosen: str) -> InputBlock:
    options = [Option(label=shown, value=value) for shown, value in choices]
    first = next(option for option in options if option.value == chosen)
    element = StaticSelectElement(action_id=name, options=options, initial_option=first)
    return InputBlock(block_id=name, label=label, element=element)
