"""What a run does next. Pure: of a run and the present, never of a clock or a database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from runbooks.automation.runbook import OnFailure, Step, StepKind
from runbooks.automation.state import (
    LIVE,
    OVER,
    Approval,
    Progress,
    Run,
    RunState,
    StepState,
)

LOST_AFTER_MS = 15_000
"""So long past its timeout a step that runs is given up: what became of it is unknown."""

MAX_RUN_MS = 24 * 3_600_000
"""A run that nobody minds is aborted after so long."""

MACHINE = "tocsin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """Run a step: its next attempt."""

    step_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Wait for a person; ``text`` says for what."""

    step_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """Set a step's state without running it."""

    step_id: str
    state: StepState
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Go on to another state of the whole run."""

    state: RunState
    text: str


Action = Begin | Ask | Put | Turn


def advance(run: Run, now_ms: int) -> tuple[Action, ...]:
    """Return what is to be done now; none: somebody or something is waited for."""
    if run.state not in LIVE:
        return ()
    if lost := tuple(_lost(run, now_ms)):
        return lost
    if now_ms - run.created_ms > MAX_RUN_MS and not _busy(run):
        return (Turn(state=RunState.ABORTED, text="nobody has minded it for a day"),)
    if run.state is RunState.ROLLING_BACK:
        return _back(run)
    for stage in run.plan.stages():
        if open_steps := [step for step in stage if not run.of(step.id).is_over]:
            return tuple(a for step in open_steps for a in _next(run, step, now_ms))
        if failed := [step for step in stage if _stops(run, step)]:
            return (_after_failure(failed),)
    skipped = sum(run.of(step.id).state is StepState.SKIPPED for step in run.plan.steps)
    done = len(run.plan.steps) - skipped
    told = f"{done} of {len(run.plan.steps)} steps done" + (f", {skipped} skipped" * bool(skipped))
    return (Turn(state=RunState.SUCCEEDED, text=told),)


def undoing(run: Run) -> list[Step]:
    """Return the rollbacks of what succeeded, the last first."""
    return [
        step.rollback
        for step in reversed(run.plan.steps)
        if step.rollback is not None and run.of(step.id).state is StepState.SUCCEEDED
    ]


def valid(approval: Approval | None, now_ms: int) -> bool:
    """Whether a consent may still be used."""
    return approval is not None and now_ms < approval.expires_ms


def apply(run: Run, action: Action, now_ms: int, owner: str = "") -> Run:
    """Return the run after an action."""
    if isinstance(action, Turn):
        ended = None if action.state in LIVE else now_ms
        run = replace(run, state=action.state, text=action.text, ended_ms=ended)
        return _closed(run, now_ms) if action.state is RunState.ABORTED else run
    before = run.of(action.step_id)
    if isinstance(action, Begin):
        begun = replace(
            before,
            state=StepState.RUNNING,
            attempt=before.attempt + 1,
            text="",
            data={},
            since_ms=now_ms,
            owner=owner,
        )
        return run.with_progress(begun)
    state = StepState.WAITING if isinstance(action, Ask) else action.state
    return run.with_progress(replace(before, state=state, text=action.text, since_ms=now_ms))


def settled(run: Run, step_id: str, attempt: int, progress: Progress) -> Run:
    """Return the run with the result of an attempt; one that was given up may still be told.

    A result that comes for an attempt that is over by a person's word changes nothing.
    """
    before = run.of(step_id)
    if before.attempt != attempt or before.state not in {StepState.RUNNING, StepState.UNKNOWN}:
        return run
    return run.with_progress(progress)


def _closed(run: Run, now_ms: int) -> Run:
    """Return an aborted run: what has not begun never does."""
    for step in run.plan.steps:
        before = run.of(step.id)
        if before.state in {StepState.PENDING, StepState.WAITING}:
            run = run.with_progress(replace(before, state=StepState.ABORTED, since_ms=now_ms))
    return run


def _lost(run: Run, now_ms: int) -> Iterator[Action]:
    for progress in run.progress.values():
        step = run.plan.step(progress.id)
        if progress.state is not StepState.RUNNING or step is None:
            continue
        if now_ms - progress.since_ms > step.timeout_ms + LOST_AFTER_MS:
            yield Put(
                step_id=step.id,
                state=StepState.UNKNOWN,
                text="it gave no result in time; what became of it is not known",
            )


def _busy(run: Run) -> bool:
    return any(one.state is StepState.RUNNING for one in run.progress.values())


def _stops(run: Run, step: Step) -> bool:
    failed = run.of(step.id).state is StepState.FAILED
    return failed and step.on_failure is not OnFailure.CONTINUE


def _after_failure(failed: Sequence[Step]) -> Turn:
    names = ", ".join(step.id for step in failed)
    if any(step.on_failure is OnFailure.ROLL_BACK for step in failed):
        return Turn(state=RunState.ROLLING_BACK, text=f"{names} failed: what was done is undone")
    return Turn(state=RunState.FAILED, text=f"{names} failed")


def _next(run: Run, step: Step, now_ms: int) -> Iterator[Action]:
    progress = run.of(step.id)
    if progress.state is StepState.WAITING:
        if not step.is_personal and valid(progress.approval, now_ms):
            yield Begin(step_id=step.id)
        return
    if progress.state is not StepState.PENDING:
        return
    when = step.when
    if when is not None and when.step and (ended := run.of(when.step).state) != when.ended:
        text = f"not done: {when.step} {ended}, not {when.ended}"
        yield Put(step_id=step.id, state=StepState.SKIPPED, text=text)
    elif step.kind is StepKind.APPROVAL:
        if valid(progress.approval, now_ms) and progress.approval is not None:
            text = f"approved by {progress.approval.by}"
            yield Put(step_id=step.id, state=StepState.SUCCEEDED, text=text)
        else:
            yield Ask(step_id=step.id, text="waits for an approval")
    elif step.is_personal:
        yield Ask(step_id=step.id, text="waits for a person to do it")
    elif step.needs_approval and not valid(progress.approval, now_ms):
        yield Ask(step_id=step.id, text="changes something: waits for an approval")
    else:
        yield Begin(step_id=step.id)


def _back(run: Run) -> tuple[Action, ...]:
    for step in undoing(run):
        state = run.of(step.id).state
        if state is StepState.FAILED:
            text = f"{step.id} failed: what was done is not all undone"
            return (Turn(state=RunState.FAILED, text=text),)
        if state not in OVER:
            return (Begin(step_id=step.id),) if state is StepState.PENDING else ()
    if _busy(run):
        return ()
    return (Turn(state=RunState.ROLLED_BACK, text="what was done is undone"),)
