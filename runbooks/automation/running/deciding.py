"""What a person may decide about a run. Pure; refused with a reason where it is not possible."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum

from collectors.errors import ConflictError, InputError, NotAllowedError, NotFoundError
from runbooks.automation.runbook import Step, StepKind
from runbooks.automation.running.advance import Turn, apply, undoing
from runbooks.automation.state import Approval, Progress, Run, RunState, StepState

MAX_ATTEMPTS = 20
"""Attempts at one step."""

_THROUGH = re.compile(r".*\(through (.+)\)", re.DOTALL)


class Verb(StrEnum):
    """What is decided."""

    APPROVE = "approve"
    RETRY = "retry"
    SKIP = "skip"
    DONE = "done"
    ABORT = "abort"
    ROLL_BACK = "roll_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A person's word: about one step, or about the run (``abort`` and ``roll_back``)."""

    verb: Verb
    by: str
    why: str = ""
    step_id: str = ""


def decide(run: Run, decision: Decision, now_ms: int) -> Run:
    """Return the run after a person's word.

    Raises:
        NotFoundError: It has no such step.
        ConflictError: Not possible in the present state.
        NotAllowedError: The run's rules want somebody else's word.
    """
    if decision.verb is Verb.ABORT:
        return _abort(run, decision, now_ms)
    if decision.verb is Verb.ROLL_BACK:
        return _roll_back(run, decision, now_ms)
    step = run.plan.step(decision.step_id)
    if step is None:
        known = ", ".join(one.id for one in run.plan.steps)
        raise NotFoundError(f"{run.id} has no step {decision.step_id[:60]!r}; it has {known}")
    return _OF_STEP[decision.verb](run, step, decision, now_ms)


def principal(actor: str) -> str:
    """Return who stands behind a name: what it was sent through says more than what is said.

    >>> principal("ana (through deploy-bot)"), principal(" Ana ")
    ('deploy-bot', 'ana')
    """
    found = _THROUGH.fullmatch(actor)
    return (found[1] if found else actor).strip().casefold()


def _approve(run: Run, step: Step, decision: Decision, now_ms: int) -> Run:
    before = run.of(step.id)
    if run.state is not RunState.RUNNING:
        raise ConflictError(f"{run.id} is {run.state}; nothing of it can be approved")
    if step.kind is not StepKind.APPROVAL and not step.needs_approval:
        raise ConflictError(f"step {step.id} of {run.id} needs no approval")
    if before.state not in {StepState.WAITING, StepState.PENDING}:
        raise ConflictError(f"step {step.id} of {run.id} is {before.state} already")
    if (run.plan.two_persons or step.two_persons) and _same(decision.by, run.requested_by):
        raise NotAllowedError(
            f"{decision.by} asked for {run.id} and may not approve it; another person must"
        )
    consent = Approval(
        by=decision.by,
        why=decision.why,
        at_ms=now_ms,
        expires_ms=now_ms + run.plan.approval_expires_ms,
    )
    progress = replace(before, approval=consent, by=decision.by)
    if step.kind is StepKind.APPROVAL and before.state is StepState.WAITING:
        why = f": {decision.why}" if decision.why else ""
        text = f"approved by {decision.by}{why}"
        progress = replace(progress, state=StepState.SUCCEEDED, text=text, since_ms=now_ms)
    return run.with_progress(progress)


def _same(one: str, other: str) -> bool:
    return principal(one) == principal(other)


def _retry(run: Run, step: Step, decision: Decision, now_ms: int) -> Run:
    before = run.of(step.id)
    if before.state not in {StepState.FAILED, StepState.UNKNOWN}:
        raise ConflictError(
            f"step {step.id} of {run.id} is {before.state}; only a failed or unknown one is retried"
        )
    if before.attempt >= MAX_ATTEMPTS:
        raise ConflictError(f"step {step.id} was tried {before.attempt} times; begin another run")
    if run.state not in {RunState.RUNNING, RunState.FAILED, RunState.ROLLING_BACK}:
        raise ConflictError(f"{run.id} is {run.state}; begin another run")
    back = step.id not in {one.id for one in run.plan.steps}
    again = replace(
        before,
        state=StepState.PENDING,
        approval=None,
        by=decision.by,
        text=f"to be tried again, says {decision.by}",
        since_ms=now_ms,
    )
    state = RunState.ROLLING_BACK if back else RunState.RUNNING
    if run.state is RunState.ROLLING_BACK and not back:
        raise ConflictError(f"{run.id} is being rolled back; {step.id} can't be tried again now")
    return replace(run.with_progress(again), state=state, text="", ended_ms=None)


def _skip(run: Run, step: Step, decision: Decision, now_ms: int) -> Run:
    return _word(run, step, decision, now_ms, StepState.SKIPPED, _SKIPPABLE)


def _done(run: Run, step: Step, decision: Decision, now_ms: int) -> Run:
    if step.kind is StepKind.APPROVAL:
        raise ConflictError(f"step {step.id} of {run.id} waits for an approval: approve it")
    if run.of(step.id).state is StepState.WAITING and not step.is_personal:
        raise ConflictError(f"step {step.id} of {run.id} was not done: approve or skip it")
    return _word(run, step, decision, now_ms, StepState.SUCCEEDED, _DOABLE)


_SKIPPABLE = frozenset({StepState.PENDING, StepState.WAITING, StepState.FAILED, StepState.UNKNOWN})
_DOABLE = frozenset({StepState.WAITING, StepState.UNKNOWN})


def _word(
    run: Run,
    step: Step,
    decision: Decision,
    now_ms: int,
    state: StepState,
    allowed: frozenset[StepState],
) -> Run:
    before = run.of(step.id)
    back = step.id not in {one.id for one in run.plan.steps}
    possible = {RunState.ROLLING_BACK, RunState.FAILED} if back else {RunState.RUNNING}
    if not back and before.state is StepState.FAILED:
        possible.add(RunState.FAILED)
    if run.state not in possible:
        raise ConflictError(f"{run.id} is {run.state}; step {step.id} can't be {decision.verb}")
    if before.state not in allowed:
        raise ConflictError(f"step {step.id} of {run.id} is {before.state} already")
    why = f": {decision.why}" if decision.why else ""
    progress = replace(
        before, state=state, by=decision.by, text=f"{state}, says {decision.by}{why}"
    )
    live = RunState.ROLLING_BACK if back else RunState.RUNNING
    run = run.with_progress(replace(progress, since_ms=now_ms))
    return replace(run, state=live, text="", ended_ms=None)


def _abort(run: Run, decision: Decision, now_ms: int) -> Run:
    if not run.is_live:
        raise ConflictError(f"{run.id} is {run.state} already")
    why = f": {decision.why}" if decision.why else ""
    return apply(run, Turn(state=RunState.ABORTED, text=f"aborted by {decision.by}{why}"), now_ms)


def _roll_back(run: Run, decision: Decision, now_ms: int) -> Run:
    if run.state in {RunState.ROLLING_BACK, RunState.ROLLED_BACK}:
        raise ConflictError(f"{run.id} is {run.state} already")
    busy = [one.id for one in run.progress.values() if one.state is StepState.RUNNING]
    if busy:
        raise ConflictError(f"step {busy[0]} of {run.id} is running; abort the run first")
    if not undoing(run):
        raise ConflictError(f"nothing that {run.id} did has a rollback")
    why = f": {decision.why}" if decision.why else ""
    text = f"{decision.by} has it rolled back{why}"
    return apply(run, Turn(state=RunState.ROLLING_BACK, text=text), now_ms)


_OF_STEP: Mapping[Verb, Callable[[Run, Step, Decision, int], Run]] = {
    Verb.APPROVE: _approve,
    Verb.RETRY: _retry,
    Verb.SKIP: _skip,
    Verb.DONE: _done,
}


def interrupted(progress: Progress, now_ms: int) -> Progress:
    """Return the progress of a step whose process has died while it ran.

    It is never run again unasked, for it may have changed something.
    """
    text = "it was running when the server died; what became of it is not known"
    return replace(progress, state=StepState.UNKNOWN, text=text, since_ms=now_ms)


def possible(run: Run, step_id: str = "") -> list[Verb]:
    """Return what may be decided now about a step, or about the run as a whole."""
    found = []
    for verb in Verb:
        if (verb in _OF_STEP) != bool(step_id):
            continue
        with suppress(InputError):
            # Nobody's word: what only somebody else may say is possible, too.
            decide(run, Decision(verb=verb, by="", step_id=step_id), run.created_ms)
            found.append(verb)
    return found
