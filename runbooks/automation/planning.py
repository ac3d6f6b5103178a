"""From a runbook and an incident to the plan of a run. Pure; refused where a value is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from anomaly.findings import Finding
from collectors.changes.change import SERVICE
from collectors.errors import InputError
from runbooks.automation.allowing import Allowed
from runbooks.automation.runbook import Runbook, Step
from runbooks.automation.state import Plan
from runbooks.automation.variables import (
    CHANGE_SERVICE,
    FINDING_EXPRESSION,
    SCOPE,
    SECRET,
    checked_value,
    in_value,
    names_in,
    scope_query,
)
from runbooks.incidents.incident import Incident
from runbooks.incidents.live import speaking, suspect_change


def plan_of(
    runbook: Runbook, incident: Incident, said: Mapping[str, str], allowed: Allowed
) -> Plan:
    """Return what a run of ``runbook`` for ``incident`` does.

    Args:
        runbook: The document.
        incident: What it is for.
        said: Values that a person has said, by name.
        allowed: What steps may reach.

    Raises:
        InputError: A value is missing, ambiguous for what changes something, or not allowed.
    """
    steps = tuple(allowed.classed(step) for step in runbook.steps)
    needed = {name for step in steps for name in names_of(step)}
    strict = {name for step in steps if step.changes for name in names_of(step)}
    values = _values(runbook, incident, said, needed, strict)
    return Plan(
        runbook=runbook.name,
        title=runbook.title,
        steps=steps,
        values=values,
        two_persons=allowed.two_persons,
        approval_expires_ms=allowed.approval_expires_ms,
    )


def diagnosis_values(runbook: Runbook, incident: Incident) -> dict[str, str]:
    """Return what is known for a diagnosis: of several places the first finding's."""
    known = known_values(incident)
    for told in runbook.inputs:
        if told.default and names_in(told.default) <= {*known}:
            known[told.name] = in_value(told.default, known)
    return known


def known_values(incident: Incident) -> dict[str, str]:
    """Return the incident's values by name: its leading finding's tags, or as declared; its own."""
    first = _first(incident)
    scopes = (first.scope,) if first else incident.declared_scopes
    scope = dict(scopes[0]) if scopes else {}
    known = {key: value for key, value in scope.items() if not key.startswith(SECRET)}
    known[SCOPE] = scope_query(scope)
    known["incident.id"] = incident.id
    known["incident.severity"] = incident.severity.value
    if first is not None and first.expression:
        known[FINDING_EXPRESSION] = first.expression
    if service := _changed_service(incident) or scope.get(SERVICE, ""):
        known[CHANGE_SERVICE] = service
    return known


def _changed_service(incident: Incident) -> str:
    """Return the service whose change is suspect, "" if none is."""
    suspect = map(suspect_change, speaking(incident.findings.values()))
    return next((change.service for change in suspect if change and change.service), "")


def names_of(step: Step) -> set[str]:
    """Return the variables that a step and its rollback name, secrets left out."""
    texts = [step.query, *(value for _, value in step.arguments)]
    if step.when is not None:
        texts.append(step.when.query)
    if step.request is not None:
        texts += [step.request.path, step.request.body]
        texts += [value for _, value in step.request.headers]
    found = {name for name in names_in(*texts) if not name.startswith(SECRET)}
    return found | (names_of(step.rollback) if step.rollback else set())


def _values(
    runbook: Runbook,
    incident: Incident,
    said: Mapping[str, str],
    needed: set[str],
    strict: set[str],
) -> dict[str, str]:
    inputs = {told.name: told for told in runbook.inputs}
    strange = sorted({*said} - needed - {*inputs})
    if strange:
        known = ", ".join(sorted(needed | {*inputs})) or "none"
        raise InputError(f"{strange[0][:60]!r} is no value of {runbook.name}; it takes {known}")
    values = known_values(incident)
    values |= {name: checked_value(name, value) for name, value in said.items()}
    for told in inputs.values():
        if told.name not in said:
            if not told.default:
                raise InputError(
                    f"{told.name} must be said: {told.name}=…, to match {told.pattern}"
                )
            values[told.name] = checked_value(told.name, in_value(told.default, values))
        if re.fullmatch(told.pattern, values[told.name]) is None:
            found = values[told.name][:60]
            raise InputError(f"{told.name} is {found!r}; it must match {told.pattern}")
    if missing := sorted(needed - {*values}):
        raise InputError(f"{incident.id} does not say {', '.join(missing)}; say it: {missing[0]}=…")
    defaults = {told.default for name, told in inputs.items() if name in strict - {*said}}
    for name, several in _ambiguous(incident, (strict | names_in(*defaults)) - {*said}):
        of = next((i.name for i in inputs.values() if name in names_in(i.default)), name)
        raise InputError(
            f"{incident.id} touches several: {', '.join(several)}; choose one: {of}={several[0]}"
        )
    return {name: value for name, value in values.items() if name in needed}


def _ambiguous(incident: Incident, names: set[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in sorted(names):
        if len(several := incident.scope_values(name)) > 1:
            yield name, several


def _first(incident: Incident) -> Finding | None:
    return next(iter(speaking(incident.findings.values())), None)
