"""The course of an escalation: what is to be done at a moment, and when the next step is due. Pure.

Steps are numbered from 0 through all levels and all repeats; the one after the last tells everybody
that nobody answered. The number of a run (its *generation*) is the fencing token: a step of an
older run does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from runbooks.escalation.policy import Policy

LAPSE = -1
"""The step that is due when an acknowledgement lapses; all others count from 0."""


class Move(StrEnum):
    """What a moment asks for."""

    WAIT = "wait"
    RING = "ring"
    EXHAUST = "exhaust"
    LAPSE = "lapse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step that is still to be taken.

    Attributes:
        number: From 0; or ``LAPSE``.
        due_ms: Epoch milliseconds.
        empty: How many levels in a row, just before, had nobody to ring.
    """

    number: int
    due_ms: int
    empty: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What is to be done.

    Attributes:
        move: What sort.
        level: Position of the level, from 0.
        round: Which time the levels are gone through, from 0.
    """

    move: Move
    level: int = 0
    round: int = 0


def next_action(policy: Policy, step: Step, now_ms: int) -> Action:
    """Return what a moment asks for.

    Args:
        policy: As it was when the incident opened.
        step: What is to be done next.
        now_ms: The present.
    """
    if now_ms < step.due_ms:
        return Action(move=Move.WAIT)
    if step.number == LAPSE:
        return Action(move=Move.LAPSE)
    if step.number >= policy.steps or step.empty >= len(policy.levels):
        return Action(move=Move.EXHAUST)
    turn, level = divmod(step.number, len(policy.levels))
    return Action(move=Move.RING, level=level, round=turn)


def following(policy: Policy, step: Step, now_ms: int, *, rang: bool) -> Step:
    """Return the step after one that rings.

    Args:
        policy: As it was when the incident opened.
        step: What was done.
        now_ms: When it was.
        rang: Whether there was anybody to ring; if not the next level's turn is at once.
    """
    wait_ms = policy.levels[step.number % len(policy.levels)].timeout_ms if rang else 0
    return Step(
        number=step.number + 1,
        due_ms=now_ms + wait_ms,
        empty=0 if rang else step.empty + 1,
    )


def first(now_ms: int) -> Step:
    """Return the step with which a run begins."""
    return Step(number=0, due_ms=now_ms)
