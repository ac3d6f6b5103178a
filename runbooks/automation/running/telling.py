"""What is said of a run: lines for an incident's timeline, made of its state before and after."""

from __future__ import annotations

from collections.abc import Iterator

from runbooks.automation.state import LIVE, Progress, Run, RunState, StepState
from runbooks.incidents import incident as incidents
from runbooks.incidents.commands import Record, SetStep
from runbooks.incidents.events import EventKind
from runbooks.incidents.incident import Incident
from tocsin.client.wording import trimmed

MAX_TOLD = 500
"""Characters of a step's result in the timeline; all of it is in the run."""

_TICKS = {
    StepState.SUCCEEDED: incidents.StepState.DONE,
    StepState.SKIPPED: incidents.StepState.SKIPPED,
}
_WORDS = {
    StepState.SUCCEEDED: "done",
    StepState.FAILED: "failed",
    StepState.SKIPPED: "skipped",
    StepState.UNKNOWN: "not known how it went; retry it, mark it done, or abort the run",
    StepState.ABORTED: "not done",
}


def told(before: Run | None, after: Run, actor: str) -> Iterator[Record]:
    """Yield what the timeline says of a change; ``actor`` is who caused it."""
    if before is None:
        why = f": {after.reason}" if after.reason else ""
        text = f"runbook {after.plan.runbook} begun by {after.requested_by}{why} ({after.id})"
        yield _record(after, text, actor)
    for step_id, progress in after.progress.items():
        was = before.of(step_id) if before else Progress(id=step_id)
        if text := _step_words(after, was, progress):
            data = {"step_id": step_id, "step": progress.state.value, "attempt": progress.attempt}
            who = progress.by if progress.by and progress.by == actor else actor
            yield _record(after, text, who, **data)
    if before is not None and before.state is not after.state:
        yield _record(after, _run_words(before, after), actor)


def ticked(run: Run, incident: Incident, actor: str) -> Iterator[SetStep]:
    """Yield the steps of the proposed runbook that a run of it has done, to be ticked off."""
    proposed = incident.runbook
    if proposed is None or proposed.name != run.plan.runbook or not incident.is_open:
        return
    for step_id, progress in run.progress.items():
        state = _TICKS.get(progress.state)
        if state is not None and proposed.steps.get(step_id, state) is not state:
            yield SetStep(step_id=step_id, state=state, actor=actor)


def _step_words(run: Run, was: Progress, now: Progress) -> str:
    head = f"{run.plan.runbook}: {now.id}"
    step = run.plan.step(now.id)
    if now.approval is not None and was.approval != now.approval and now.state is not was.state:
        return f"{head} {trimmed(now.text, MAX_TOLD, '…')}"
    if now.approval is not None and was.approval != now.approval:
        why = f": {now.approval.why}" if now.approval.why else ""
        return f"{head} approved by {now.approval.by}{why}"
    if was.state is now.state:
        return ""
    if now.state is StepState.WAITING:
        return f"{head} {now.text} ({run.id})"
    if now.state is StepState.RUNNING:
        return f"{head} begins" if step is not None and step.changes else ""
    if now.state is StepState.PENDING:
        return f"{head} {now.text}"
    if now.state is StepState.ABORTED:
        return ""
    return f"{head} {_WORDS[now.state]}: {trimmed(now.text, MAX_TOLD, '…')}"


def _run_words(before: Run, after: Run) -> str:
    if after.state is RunState.RUNNING:
        return f"runbook {after.plan.runbook} goes on ({after.id})"
    state = after.state.value.replace("_", " ")
    verb = "is" if after.state in LIVE or after.state is RunState.ROLLED_BACK else "has"
    words = {"succeeded": "has succeeded", "failed": "has failed", "aborted": "was aborted"}
    ended = words.get(state, f"{verb} {state}")
    del before
    told_why = f": {after.text}" if after.text else ""
    return f"runbook {after.plan.runbook} {ended}{told_why} ({after.id})"


def _record(run: Run, text: str, actor: str, **data: str | int) -> Record:
    known = {"run_id": run.id, "runbook": run.plan.runbook, "state": run.state.value}
    return Record(kind=EventKind.RUNBOOK_RUN, text=text, actor=actor, data={**known, **data})
