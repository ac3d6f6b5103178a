"""Carrying out one step of any kind that no person does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from anomaly.evidence.causes import SUSPECT, shares_of
from anomaly.evidence.near_changes import change_words
from collectors.errors import TocsinError
from runbooks.automation.allowing import Program
from runbooks.automation.carrying import asking_host, measuring
from runbooks.automation.carrying.program import argv_of, run_program
from runbooks.automation.carrying.situation import Situation
from runbooks.automation.runbook import Step, StepKind
from runbooks.automation.state import JsonValue, Outcome, StepState
from runbooks.automation.variables import in_expression, without
from tocsin.client.wording import percent, trimmed

MAX_RESULT = 4_000
"""Characters of a step's result that are kept."""

_LOOK_EVERY_S = 1.0


def carry_out(step: Step, situation: Situation) -> Outcome:
    """Do a step; whatever goes wrong is its outcome, and no secret is in it."""
    try:
        outcome = _withheld(step, situation) or _KINDS[step.kind](step, situation)
    except TocsinError as error:
        outcome = Outcome(state=StepState.FAILED, text=error.message)
    text = trimmed(without(outcome.text, situation.allowed.hidden()), MAX_RESULT)
    return replace(outcome, text=text)


def resolved(step: Step, situation: Situation) -> str:
    """Return what a step would do, in words and without its secrets; nothing is touched.

    Raises:
        InputError: A value is not known or not allowed.
    """
    if step.request is not None:
        asked = asking_host.asked(step.request, situation.allowed, situation.values)
        told = f"{asked.method} {asked.url}" + (f" {asked.body}" if asked.body else "")
    elif step.run:
        told = " ".join(argv_of(step, _program(step, situation), situation.values))
    elif step.query:
        told = in_expression(step.query, situation.values)
    else:
        told = step.command or step.detail
    return without(told, situation.allowed.hidden())


def _withheld(step: Step, situation: Situation) -> Outcome | None:
    """Return that a step's condition does not hold; None if it is to be done."""
    when = step.when
    if when is None or not when.query or when.expect is None:
        return None
    met = measuring.met(when.query, when.expect, situation)
    if met:
        return None
    why = "its condition was not measured" if met is None else "its condition does not hold"
    return Outcome(state=StepState.SKIPPED, text=f"not done: {why} ({when.expect.words})")


def _ask(step: Step, situation: Situation) -> Outcome:
    if step.request is None:
        raise TocsinError(f"step {step.id} has no request")
    asked = asking_host.asked(step.request, situation.allowed, situation.values)
    return asking_host.ask(
        asked,
        step.request.statuses,
        timeout_s=step.timeout_ms / 1000,
        cancelled=situation.cancelled,
    )


def _run(step: Step, situation: Situation) -> Outcome:
    program = _program(step, situation)
    return run_program(
        argv_of(step, program, situation.values),
        program,
        timeout_s=step.timeout_ms / 1000,
        cancelled=situation.cancelled,
        said=lambda text: situation.said(without(text, situation.allowed.hidden())),
    )


def _program(step: Step, situation: Situation) -> Program:
    program = situation.allowed.commands.get(step.run)
    if program is None:
        raise TocsinError(f"automation.yaml names no command {step.run!r}")
    return program


def _wait(step: Step, situation: Situation) -> Outcome:
    until_ms = situation.now_ms() + step.timeout_ms
    while True:
        outcome = measuring.measure(step, situation)
        if outcome.state is StepState.SUCCEEDED:
            return outcome
        situation.said(outcome.text)
        if situation.now_ms() >= until_ms:
            return replace(outcome, text=f"not in time: {outcome.text}")
        if situation.cancelled.wait(_LOOK_EVERY_S):
            return replace(outcome, text=f"no longer waited for: {outcome.text}")


def _suspects(step: Step, situation: Situation) -> Outcome:
    del step
    shares: dict[str, float] = {}
    for finding in situation.incident.findings.values():
        for name, share in shares_of(finding.values).items():
            service = name.removeprefix(SUSPECT)
            shares[service] = max(share, shares.get(service, 0.0))
    ranked = sorted(shares.items(), key=lambda one: (-one[1], one[0]))[:5]
    told = ", ".join(f"{name} ({percent(share)})" for name, share in ranked)
    rows: list[JsonValue] = [[name, share] for name, share in ranked]
    text = f"traces accuse {told}" if ranked else "the traces accuse no service"
    return Outcome(
        state=StepState.SUCCEEDED, text=text, data={"suspects": rows, "nothing": not rows}
    )


def _changes(step: Step, situation: Situation) -> Outcome:
    del step
    incident = situation.incident
    found = [change_words(one, incident.impact_start_ms) for one in incident.near_changes]
    text = "; ".join(found) or "no change was announced shortly before"
    rows: list[JsonValue] = [*found]
    return Outcome(
        state=StepState.SUCCEEDED, text=text, data={"changes": rows, "nothing": not rows}
    )


_KINDS: Mapping[StepKind, Callable[[Step, Situation], Outcome]] = {
    StepKind.QUERY: measuring.measure,
    StepKind.CHECK: measuring.measure,
    StepKind.DIFFERS: measuring.differing,
    StepKind.WAIT_UNTIL: _wait,
    StepKind.HTTP: _ask,
    StepKind.COMMAND: _run,
    StepKind.SUSPECTS: _suspects,
    StepKind.CHANGES: _changes,
}
