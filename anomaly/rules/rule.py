"""What a rule is to the engine, which drives all of them and knows no kinds.

A rule asks for expressions, takes their values for some steps at once and then moves on through
them. Whatever happened on the way, such as an alert that opened, is a transition of its own type,
which only the rule itself needs to understand: it turns it into findings.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, runtime_checkable

from anomaly.arrivals import Arrived
from anomaly.evidence.exemplars import Evidence
from anomaly.findings import Finding
from anomaly.suffering import Suffering
from collectors.model import Frame, Tags

TransitionT = TypeVar("TransitionT")

Row = dict[str, Any]
"""State of a rule as JSON says it."""

View = Callable[[], list[Row]]
"""Makes the rows of a state that it has taken: nobody who judges needs to wait for that."""

Current = Callable[[Hashable], Finding | None]
"""Returns the open finding about a key."""

MAX_BACK_MS = 2_400_000
"""How far back a rule may be asked to go again because of data that came late."""

JUDGED_STEPS = 720
"""Steps that are judged again at a start, at least: what is open now opened within them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a rule says of one thing: the finding as it stands now.

    Attributes:
        key: What the finding is about; a later report with the same key replaces this one.
        finding: The finding, without exemplars and changes.
        evidence: Which traces would show it; None when there can't be any.
        group: Tags that these traces carry.
        settle_ms: So long after a change to its service it wakes nobody.
    """

    key: Hashable
    finding: Finding
    evidence: Evidence | None = None
    group: Tags = field(default_factory=dict)
    settle_ms: int = 0


class Rule(Protocol[TransitionT]):
    """Something to watch, with its state.

    Attributes:
        kind: Name of its kind, see :mod:`anomaly.kinds.table`.
        name: Unique name; faults are shown under it.
    """

    @property
    def kind(self) -> str: ...  # noqa: D102 - an attribute, see the class

    @property
    def name(self) -> str: ...  # noqa: D102 - an attribute, see the class

    @property
    def expressions(self) -> Sequence[str]:
        """Stack-language expressions whose values it needs."""
        ...

    @property
    def reach_ms(self) -> int:
        """How far back values matter to it: so much of the past it wants at a start."""
        ...

    @property
    def judged_ms(self) -> int:
        """How far back what is open now may have opened; what is older is only learned from."""
        ...

    def take(self, answers: Mapping[str, Frame], arrived: Arrived) -> None:
        """Take the values of the next steps.

        Args:
            answers: By expression; what is absent has none.
            arrived: Which steps they are, and what is known of how the data came.
        """
        ...

    def mark(self) -> object:
        """Return where it stands, for :meth:`back_to`; what is in it never changes."""
        ...

    def back_to(self, mark: Any) -> None:
        """Stand where it stood, at most ``MAX_BACK_MS`` ago; the mark can be used again."""
        ...

    def learn(self, first: int, last: int, time_ms: int) -> None:
        """Go through steps ``first`` up to and without ``last`` of what was taken, in silence.

        Args:
            first: Column of the first step.
            last: Column after the last step, more than ``first``.
            time_ms: When the first of them ended.
        """
        ...

    def advance(self, first: int, last: int, time_ms: int) -> Iterator[tuple[int, TransitionT]]:
        """Judge steps ``first`` up to and without ``last`` of what was taken.

        Args:
            first: Column of the first step.
            last: Column after the last step.
            time_ms: When the first of them ended.

        Yields:
            When something happened and what, in the order of time. Between two of these the state
            is that of the earlier one's time.
        """
        ...

    def report(
        self, transition: TransitionT, current: Current, *, time_ms: int, detected_ms: int
    ) -> Iterable[Report]:
        """Return the findings that ``transition`` makes or changes.

        Args:
            transition: What :meth:`advance` has just yielded.
            current: The findings that are open.
            time_ms: When it happened.
            detected_ms: When it was noticed.
        """
        ...

    def view(self, faults: Mapping[str, str]) -> View:
        """Return what makes JSON objects of its state, one for each group or series.

        What it shows is as of now, whenever it is called and however long that takes.

        Args:
            faults: What is wrong by expression or name of a rule.
        """
        ...


@runtime_checkable
class Learner(Protocol):
    """A rule that gets used to what lasts, unless users suffer meanwhile."""

    def heed(self, suffering: Suffering) -> None:
        """Know from now on when users suffer."""
        ...


def number(value: float) -> float | None:
    """Return ``value``, or None when it is not a number that JSON can say."""
    return value if math.isfinite(value) else None
