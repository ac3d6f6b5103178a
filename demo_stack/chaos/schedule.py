"""A schedule of faults and benign operations, drawn from a seed: the same seed, the same day."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from random import Random

from demo_stack.chaos.experiment import Experiment
from demo_stack.chassis.errors import LayoutError

REGION = "cloud.region"
MAX_DURATION_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSettings:
    """How a day is filled.

    Attributes:
        fault_s: Shortest and longest life of a fault, in seconds.
        benign_s: Shortest and longest life of an operation, in seconds.
        rest_s: Shortest and longest time between two turns, in seconds: what one did to rates over
            windows must be over before the next begins.
        benign_share: Share of turns that are operations which must not page.
    """

    fault_s: tuple[float, float] = (45.0, 90.0)
    benign_s: tuple[float, float] = (20.0, 40.0)
    rest_s: tuple[float, float] = (75.0, 105.0)
    benign_share: float = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One thing to do and to take back.

    Attributes:
        name: Of the fault or operation.
        kind: ``fault`` or ``benign``.
        begin_s: When, in seconds after the schedule's start.
        hold_s: For how long, in seconds.
    """

    name: str
    kind: str
    begin_s: float
    hold_s: float

    @property
    def end_s(self) -> float:
        """When it is taken back, in seconds after the schedule's start."""
        return self.begin_s + self.hold_s


def playable(experiments: Iterable[Experiment], regions: Collection[str]) -> list[Experiment]:
    """Return those that concern no other than these regions, by name."""
    return sorted(
        (one for one in experiments if one.scope.get(REGION, "") in {"", *regions}),
        key=lambda one: one.name,
    )


def plan_schedule(
    seed: int,
    experiments: Sequence[Experiment],
    duration_s: float,
    settings: ScheduleSettings | None = None,
) -> tuple[Turn, ...]:
    """Return the turns of ``duration_s`` seconds; no two overlap, the last one ends in time.

    Faults are dealt from a shuffled deck, so that none comes again before all have been.

    Raises:
        LayoutError: The duration is not a time that a schedule can have.
    """
    if not 0.0 < duration_s <= MAX_DURATION_S:
        raise LayoutError(f"duration_s is {duration_s}; must be above 0, at most {MAX_DURATION_S}")
    rules = settings or ScheduleSettings()
    rng = Random(f"{seed}/schedule")
    decks = {
        kind: _Deck([one.name for one in experiments if one.kind == kind], rng)
        for kind in ("fault", "benign")
    }
    turns: list[Turn] = []
    time_s = rng.uniform(*rules.rest_s) / 4
    while True:
        kind = "benign" if rng.random() < rules.benign_share else "fault"
        hold_s = rng.uniform(*(rules.benign_s if kind == "benign" else rules.fault_s))
        name = decks[kind].deal()
        if not name or time_s + hold_s > duration_s:
            return tuple(turns)
        turn = Turn(name=name, kind=kind, begin_s=round(time_s, 1), hold_s=round(hold_s, 1))
        turns.append(turn)
        time_s = turn.end_s + rng.uniform(*rules.rest_s)


class _Deck:
    """Deals names; shuffled again when all have been dealt."""

    def __init__(self, names: Sequence[str], rng: Random) -> None:
        self._names = names
        self._rng = rng
        self._left: list[str] = []

    def deal(self) -> str:
        """Return the next name, nothing when there are none at all."""
        if not self._left:
            self._left = self._rng.sample(self._names, len(self._names))
        return self._left.pop() if self._left else ""
