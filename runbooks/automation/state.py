"""A run of a runbook as it is known: its plan and how far each step has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import groupby

from runbooks.automation.runbook import MINUTE_MS, Step

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]


class StepState(StrEnum):
    """Where a step stands.

    ``WAITING`` waits for a person; ``UNKNOWN`` was running when the process died or its answer was
    lost: it is never run again unasked.
    """

    PENDING = "pending"
    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    ABORTED = "aborted"


OVER = frozenset({StepState.SUCCEEDED, StepState.FAILED, StepState.SKIPPED, StepState.ABORTED})
"""States that nothing but a person changes."""


class RunState(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    ROLLING_BACK = "rolling_back"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    ABORTED = "aborted"


LIVE = frozenset({RunState.RUNNING, RunState.ROLLING_BACK})
"""States in which something is still to be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Somebody's consent to a step: who, why, when, and until when it may be used."""

    by: str
    why: str
    at_ms: int
    expires_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one attempt at a step: a state, what a person reads, and figures."""

    state: StepState
    text: str
    data: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a step has come.

    Attributes:
        attempt: How often it was begun.
        text: What became of it, or what it waits for.
        data: Figures of its result.
        since_ms: Since when it is in its state, epoch milliseconds.
        by: Who decided, if a person did.
        approval: The consent that it has.
        owner: Which process runs it.
    """

    id: str
    state: StepState = StepState.PENDING
    attempt: int = 0
    text: str = ""
    data: Mapping[str, JsonValue] = field(default_factory=dict)
    since_ms: int = 0
    by: str = ""
    approval: Approval | None = None
    owner: str = ""

    @property
    def is_over(self) -> bool:
        """Whether the run may go on past it, or stop at it."""
        return self.state in OVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run does, as it was when it began: a document that changes later changes no run.

    Attributes:
        steps: In order, each knowing whether it changes something.
        values: What stands for the variables of their texts.
        two_persons: Nobody may approve a step of a run that they asked for.
        approval_expires_ms: For so long an approval holds.
    """

    runbook: str
    title: str
    steps: tuple[Step, ...]
    values: Mapping[str, str] = field(default_factory=dict)
    two_persons: bool = False
    approval_expires_ms: int = 15 * MINUTE_MS

    def step(self, step_id: str) -> Step | None:
        """Return a step or a rollback by its id."""
        for step in self.steps:
            if step.id == step_id:
                return step
            if step.rollback is not None and step.rollback.id == step_id:
                return step.rollback
        return None

    def stages(self) -> list[list[Step]]:
        """Return the steps in the order in which they are done; those of a stage together."""
        numbered = enumerate(self.steps)
        grouped = groupby(numbered, key=lambda one: one[1].parallel or one[0])
        return [[step for _, step in stage] for _, stage in grouped]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run.

    Attributes:
        requested_by: Who asked for it.
        reason: Why, in their words.
        text: How it ended.
        version: Counts its changes: of two processes that change it one wins.
    """

    id: str
    incident_id: str
    plan: Plan
    requested_by: str
    reason: str = ""
    state: RunState = RunState.RUNNING
    text: str = ""
    created_ms: int
    ended_ms: int | None = None
    progress: Mapping[str, Progress] = field(default_factory=dict)
    version: int = 0

    @property
    def is_live(self) -> bool:
        """Whether something is still to be done."""
        return self.state in LIVE

    def of(self, step_id: str) -> Progress:
        """Return how far a step has come."""
        return self.progress.get(step_id) or Progress(id=step_id)

    def with_progress(self, progress: Progress) -> Run:
        """Return the same with a step's progress."""
        return replace(self, progress={**self.progress, progress.id: progress})
