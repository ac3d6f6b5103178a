"""Runs as JSON for the database, and back."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any, TypeVar

from runbooks.automation.runbook import (
    Expectation,
    Figure,
    OnFailure,
    Request,
    Step,
    StepKind,
    When,
)
from runbooks.automation.state import Approval, Plan, Progress, StepState

Record = TypeVar("Record")


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON; its secrets are named in it, never spelt out."""
    return asdict(plan)


def plan_from_json(data: dict[str, Any]) -> Plan:
    """Return what :func:`plan_to_json` was given."""
    return _made(Plan, data, steps=tuple(_step(one) for one in data["steps"]))


def progress_to_json(progress: Progress) -> dict[str, Any]:
    """Return a step's progress as JSON."""
    return asdict(progress)


def progress_from_json(data: dict[str, Any]) -> Progress:
    """Return what :func:`progress_to_json` was given."""
    given = data.get("approval")
    approval = _made(Approval, given) if given else None
    return _made(Progress, data, state=StepState(data["state"]), approval=approval)


def _step(data: dict[str, Any]) -> Step:
    back, request, when = data.get("rollback"), data.get("request"), data.get("when")
    return _made(
        Step,
        data,
        kind=StepKind(data["kind"]),
        on_failure=OnFailure(data["on_failure"]),
        arguments=_pairs(data["arguments"]),
        request=request
        and _made(
            Request,
            request,
            headers=_pairs(request["headers"]),
            statuses=tuple(request["statuses"]),
        ),
        expect=_expectation(data.get("expect")),
        when=when and _made(When, when, expect=_expectation(when.get("expect"))),
        rollback=back and _step(back),
    )


def _expectation(data: dict[str, Any] | None) -> Expectation | None:
    return _made(Expectation, data, figure=Figure(data["figure"])) if data else None


def _pairs(rows: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in rows)


def _made(made: type[Record], data: dict[str, Any], **changed: Any) -> Record:
    """Return a record of what is known; a field that a later version adds has its default."""
    known = {field.name for field in fields(made)}  # type: ignore[arg-type]  # a dataclass
    return made(**({name: value for name, value in data.items() if name in known} | changed))
