"""Times and distances of the desk that an operator may change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from runbooks.alerts.grouping import GroupingRules
from runbooks.desk.waiting import MAX_WAITING
from runbooks.incidents.states import Severity

UPDATE_EVERY_S: Mapping[Severity, float] = {Severity.SEV1: 1_800.0, Severity.SEV2: 3_600.0}
"""Half-hourly for the worst, as PagerDuty's guide to incident response has it; hourly below."""

Chore = Callable[[int], None]
"""What a part of the room does in turns, with the present in epoch milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSettings:
    """Numbers that an operator may change.

    Attributes:
        auto_resolve_s: A mitigated incident is resolved after being stable for this long, seconds.
        still_firing_s: An incident that a person resolved while it fired is reopened if it fires
            this long after, seconds.
        ring_again_s: A page that nobody acknowledges rings again after this long, then after twice
            as long and so on, at most hourly; seconds.
        update_every_s: How often those who are not in the room are told, by severity, seconds; who
            responds is reminded when that is overdue. A severity without one promises nothing.
        hourly_cost: What an hour of one person's work costs; 0: nobody has said.
        public_link_s: How long a public link to an incident lasts at most, seconds; 0: there are
            none.
        grouping: How near findings must be to belong together.
        max_waiting: Findings that wait to be taken in; further ones are dropped and counted.
    """

    auto_resolve_s: float = 600.0
    still_firing_s: float = 1_800.0
    ring_again_s: float = 300.0
    update_every_s: Mapping[Severity, float] = field(default_factory=lambda: dict(UPDATE_EVERY_S))
    hourly_cost: float = 0.0
    public_link_s: float = 0.0
    grouping: GroupingRules = field(default_factory=GroupingRules)
    max_waiting: int = MAX_WAITING
