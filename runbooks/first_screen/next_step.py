"""What to do next, why, and where that is done. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from runbooks.automation.runbook import Runbook
from runbooks.automation.state import Run, StepState
from runbooks.diagnosis.cause import Cause
from runbooks.incidents.incident import Incident, ProposedRunbook
from runbooks.incidents.incident import StepState as Tick


class Doing(StrEnum):
    """Where the next step is done."""

    DECIDE = "decide"
    """A run waits for a person."""
    RUNBOOK = "runbook"
    ROLL_BACK = "roll_back"
    """A deployment is suspect, and no runbook there is takes it back."""
    LOOK = "look"
    """Nobody knows what to do: the evidence is next."""
    WATCH = "watch"
    """It recovers."""
    LEARN = "learn"
    """It is over: the post-mortem is next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """What to do, in words, and why; ``runbook`` and ``step_id`` are empty where there is none."""

    doing: Doing
    text: str
    why: str
    runbook: str = ""
    step_id: str = ""


def next_step(
    incident: Incident, cause: Cause, runs: Sequence[Run], library: Mapping[str, Runbook]
) -> NextStep:
    """Return what to do next.

    Args:
        incident: As it is now.
        cause: What is suspected.
        runs: Of its runbooks, the newest first.
        library: Runbooks by name.
    """
    if not incident.is_open:
        text = "Read what happened, and write down what was learned"
        return NextStep(doing=Doing.LEARN, text=text, why=f"the incident is {incident.status}")
    if waiting := _waiting(runs):
        return waiting
    proposed = incident.runbook
    if proposed is not None and (step := _open_step(proposed, library)):
        return step
    if cause.change is not None and cause.is_deployment:
        text = f"Roll back “{cause.change.summary}”"
        why = "it is suspect, and no runbook of the library does it"
        return NextStep(doing=Doing.ROLL_BACK, text=text, why=why)
    if incident.impact[-1].end_ms is not None:
        text = "See that it stays well, then resolve"
        return NextStep(doing=Doing.WATCH, text=text, why="every finding is over")
    why = "no runbook of the library fits what fires"
    return NextStep(doing=Doing.LOOK, text="Look at the evidence for a cause", why=why)


def _waiting(runs: Sequence[Run]) -> NextStep | None:
    for run in runs:
        for progress in run.progress.values() if run.is_live else ():
            if progress.state in {StepState.WAITING, StepState.UNKNOWN}:
                step = run.plan.step(progress.id)
                return NextStep(
                    doing=Doing.DECIDE,
                    text=f"Decide: {step.title if step else progress.id}",
                    why=progress.text or "a run waits for somebody",
                    runbook=run.plan.runbook,
                    step_id=progress.id,
                )
    return None


def _open_step(proposed: ProposedRunbook, library: Mapping[str, Runbook]) -> NextStep | None:
    step_id = next((i for i, tick in proposed.steps.items() if tick is Tick.OPEN), None)
    if step_id is None:
        return None
    runbook = library.get(proposed.name)
    titles = {step.id: step.title for step in runbook.steps} if runbook else {}
    number = [*proposed.steps].index(step_id) + 1
    return NextStep(
        doing=Doing.RUNBOOK,
        text=f"{proposed.title}: step {number} of {len(proposed.steps)}, "
        f"{titles.get(step_id, step_id)}",
        why=proposed.reason,
        runbook=proposed.name,
        step_id=step_id,
    )
