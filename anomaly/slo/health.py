"""Whether an objective can be judged at all: blindness has a state of its own, and is told.

Five things make the figures of an objective worthless: nothing was ever measured, nothing is
measured any more, one half of the ratio is missing while the other goes on, bad events are asked
for by a name that nothing has, and more good events than there are events. None of them is a
failure of what is watched, and none of them is health.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

_STEPS = 30
_MIN_MS = 45_000
_MAX_MS = 300_000


class SliFault(StrEnum):
    """Why an objective can't be judged."""

    NO_DATA = "no-data"
    HALF_MISSING = "half-missing"
    ABSURD = "absurd"
    PART_UNKNOWN = "part-unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class SliTransition:
    """A fault that was found, or is over.

    Attributes:
        fault: Which.
        found: Whether it was found; else it is over.
        since_ms: When it began.
        ever: Whether anything was measured before it.
    """

    fault: SliFault
    found: bool
    since_ms: int
    ever: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SliStep:
    """What one step says.

    Attributes:
        measured: Whether any group was measured.
        half_missing: Whether a group has events whose other half is not known.
        absurd: Whether a group has more good, or more bad, events than events.
        part_unknown: Whether there are events, and bad ones are asked for by a name that no series
            has ever had.
    """

    measured: bool
    half_missing: bool
    absurd: bool
    part_unknown: bool = False


@dataclass(slots=True)
class _Course:
    """How long one fault has lasted."""

    since_ms: int | None = None
    told: bool = False


class SliHealth:
    """Faults of one objective over time; they are told once they have lasted some minutes.

    Args:
        step_ms: Length of a step.
    """

    def __init__(self, step_ms: int) -> None:
        self._step_ms = step_ms
        self.patience_ms = min(_MAX_MS, max(_MIN_MS, _STEPS * step_ms))
        self.ever_measured = False
        self._courses = {fault: _Course() for fault in SliFault}

    @property
    def told(self) -> list[SliFault]:
        """The faults that there are now."""
        return [fault for fault, course in self._courses.items() if course.told]

    def advance(
        self, step: SliStep, first_ms: int, last_ms: int
    ) -> Iterator[tuple[int, SliTransition]]:
        """Take steps that all say the same; yield when what was found or is over.

        Args:
            step: What each of them says.
            first_ms: End of the first.
            last_ms: End of the last.
        """
        found = {
            SliFault.NO_DATA: not step.measured and not step.half_missing,
            SliFault.HALF_MISSING: step.half_missing,
            SliFault.ABSURD: step.absurd,
            SliFault.PART_UNKNOWN: step.part_unknown,
        }
        moved = [self._move_on(fault, there, first_ms, last_ms) for fault, there in found.items()]
        yield from sorted(filter(None, moved), key=lambda told: told[0])
        self.ever_measured = self.ever_measured or step.measured

    def _move_on(
        self, fault: SliFault, there: bool, first_ms: int, last_ms: int
    ) -> tuple[int, SliTransition] | None:
        course = self._courses[fault]
        if there and course.since_ms is None:
            course.since_ms = first_ms - self._step_ms
        if course.since_ms is None:
            return None
        since_ms, told = course.since_ms, course.told
        at_ms = first_ms
        if not there:
            self._courses[fault] = _Course()
        elif not told:
            due_ms = -(-(since_ms + self.patience_ms) // self._step_ms) * self._step_ms
            at_ms = max(first_ms, due_ms)
            course.told = at_ms <= last_ms
        if told is self._courses[fault].told:
            return None
        transition = SliTransition(
            fault=fault, found=there, since_ms=since_ms, ever=self.ever_measured
        )
        return at_ms, transition
