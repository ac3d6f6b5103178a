"""Components of the service as users know them, and the state of each. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MAJOR_SHARE = 0.5
"""From this share of bad events on, in all of its groups, an objective tells a major outage."""


class State(StrEnum):
    """How a component is."""

    OPERATIONAL = "operational"
    UNKNOWN = "unknown"
    MAINTENANCE = "maintenance"
    DEGRADED = "degraded"
    PARTIAL_OUTAGE = "partial_outage"
    MAJOR_OUTAGE = "major_outage"

    @property
    def words(self) -> str:
        """As users read it."""
        return _WORDS[self]


_WORDS: Mapping[State, str] = {
    State.OPERATIONAL: "Operational",
    State.UNKNOWN: "Not measured",
    State.MAINTENANCE: "Under maintenance",
    State.DEGRADED: "Degraded",
    State.PARTIAL_OUTAGE: "Partial outage",
    State.MAJOR_OUTAGE: "Major outage",
}
_RANK = {state: rank for rank, state in enumerate(State)}


class Source(StrEnum):
    """Where a state comes from."""

    AUTOMATIC = "automatic"
    PERSON = "person"
    PUBLISHED = "published"
    SCHEDULE = "schedule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """From which value of a query on a component is how bad; None: never that bad.

    ``rising`` says whether high values are the bad ones.
    """

    rising: bool
    degraded: float | None
    partial_outage: float | None
    major_outage: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A part of the service that users know.

    Attributes:
        name: By which commands call it.
        title: What users read.
        description: A sentence for users; may be empty.
        group: Under which heading it stands; may be empty.
        objectives: Names of the objectives that tell its state.
        where: Tags that a group of these must have.
        query: Expression that tells its state instead; may be empty.
        levels: What its values mean.
        services: Names of the services behind it, which tell which incidents concern it.
    """

    name: str
    title: str
    description: str = ""
    group: str = ""
    objectives: tuple[str, ...] = ()
    where: Mapping[str, str]
    query: str = ""
    levels: Levels | None = None
    services: tuple[str, ...] = ()

    @property
    def is_manual(self) -> bool:
        """Whether only people say how it is."""
        return not self.objectives and not self.query


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a component is now, where that comes from, and why."""

    state: State
    source: Source
    reason: str


def worst(states: Iterable[State]) -> State:
    """Return the worst of ``states``; unknown for none.

    >>> worst([State.OPERATIONAL, State.UNKNOWN]).value
    'unknown'
    """
    return max(states, key=_RANK.__getitem__, default=State.UNKNOWN)


def is_worse(one: State, other: State) -> bool:
    """Return whether ``one`` is worse than ``other``."""
    return _RANK[one] > _RANK[other]


def by_objectives(component: Component, rows: Sequence[Mapping[str, Any]]) -> Standing:
    """Return a component's state by how its objectives stand.

    A page-worthy burn is an outage: major when every group burns so and at least
    ``MAJOR_SHARE`` of the events are bad, else partial. A burn that is worth a ticket is degraded.
    What has no data is unknown, and so is a component without a row.

    Args:
        component: Whose objectives.
        rows: As ``/api/v2/slos`` tells them.
    """
    mine = [row for row in rows if row["name"] in component.objectives and _fits(component, row)]
    missing = set(component.objectives) - {row["name"] for row in mine}
    if missing or not mine:
        reason = f"not measured: {', '.join(sorted(missing or component.objectives))}"
        states = [_row_state(row) for row in mine if not _is_unknown(row)]
        found = worst(states) if states else State.UNKNOWN
        if not is_worse(found, State.UNKNOWN):
            return Standing(state=State.UNKNOWN, source=Source.AUTOMATIC, reason=reason)
    judged = [(_row_state(row), row) for row in mine]
    state = worst(found for found, _ in judged)
    if state is State.MAJOR_OUTAGE and any(found is not state for found, _ in judged):
        state = State.PARTIAL_OUTAGE
    because = [row["name"] for found, row in judged if found is not State.OPERATIONAL]
    told = ", ".join(sorted(set(because))) or "every objective is kept"
    return Standing(state=state, source=Source.AUTOMATIC, reason=told)


def by_value(component: Component, value: float | None) -> Standing:
    """Return a component's state by the newest value of its query; None: there is none."""
    levels = component.levels
    if value is None or levels is None:
        reason = "its query has no value"
        return Standing(state=State.UNKNOWN, source=Source.AUTOMATIC, reason=reason)
    found = State.OPERATIONAL
    for state, level in (
        (State.DEGRADED, levels.degraded),
        (State.PARTIAL_OUTAGE, levels.partial_outage),
        (State.MAJOR_OUTAGE, levels.major_outage),
    ):
        if level is not None and (value >= level if levels.rising else value <= level):
            found = state
    return Standing(state=found, source=Source.AUTOMATIC, reason=f"its query gives {value:.6g}")


def _fits(component: Component, row: Mapping[str, Any]) -> bool:
    return all(row["scope"].get(key) == value for key, value in component.where.items())


def _is_unknown(row: Mapping[str, Any]) -> bool:
    return bool(row["state"] == "no_data")


def _row_state(row: Mapping[str, Any]) -> State:
    if _is_unknown(row):
        return State.UNKNOWN
    firing = [rate for rate in row["burn_rates"] if rate["firing"]]
    if row["state"] != "burning" or not firing:
        return State.OPERATIONAL
    if all(rate["urgency"] != "page" for rate in firing):
        return State.DEGRADED
    budget = 1 - float(row["target"])
    shares = [float(rate["short"] or 0) * budget for rate in firing]
    return State.MAJOR_OUTAGE if max(shares) >= MAJOR_SHARE else State.PARTIAL_OUTAGE
