"""Escalation policies: levels, each with whom it rings and how long it waits for an answer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from runbooks.incidents.events import JsonValue
from runbooks.paging.routing import FALLBACK, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Whom one level rings, all at once.

    Attributes:
        people: Ids.
        schedules: Names; whoever is on call when the level's turn comes.
        targets: Channels beside those of the incident's route.
        timeout_ms: How long an answer is waited for.
    """

    people: tuple[str, ...] = ()
    schedules: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    timeout_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Who is rung, level after level.

    Attributes:
        name: By which routes name it.
        title: For people.
        levels: In order.
        repeats: How often all levels are gone through again.
        fallback: Who is told when nobody answered at all.
        acknowledge_timeout_ms: An acknowledgement after which nothing is done for so long lapses;
            None: never.
    """

    name: str
    title: str
    levels: tuple[Level, ...]
    repeats: int = 0
    fallback: tuple[Target, ...] = ()
    acknowledge_timeout_ms: int | None = None

    @property
    def steps(self) -> int:
        """How many steps ring somebody before the policy is exhausted."""
        return len(self.levels) * (self.repeats + 1)

    def reaching(self, set_up: Collection[str]) -> Policy:
        """Return the policy with the console in the place of notifiers that are not set up."""
        levels = tuple(
            replace(level, targets=_reaching(level.targets, set_up)) for level in self.levels
        )
        return replace(self, levels=levels, fallback=_reaching(self.fallback, set_up))


def _reaching(targets: Iterable[Target], set_up: Collection[str]) -> tuple[Target, ...]:
    found = (target if target.notifier in set_up else FALLBACK for target in targets)
    return tuple(dict.fromkeys(found))


def policy_to_json(policy: Policy) -> dict[str, JsonValue]:
    """Return a policy as it is kept with an incident."""
    return {
        "name": policy.name,
        "title": policy.title,
        "repeats": policy.repeats,
        "fallback": targets_to_json(policy.fallback),
        "acknowledge_timeout_ms": policy.acknowledge_timeout_ms,
        "levels": [
            {
                "people": [*level.people],
                "schedules": [*level.schedules],
                "targets": targets_to_json(level.targets),
                "timeout_ms": level.timeout_ms,
            }
            for level in policy.levels
        ],
    }


def policy_from_json(kept: Mapping[str, Any]) -> Policy:
    """Return a policy that :func:`policy_to_json` wrote."""
    return Policy(
        name=kept["name"],
        title=kept["title"],
        repeats=kept["repeats"],
        fallback=targets_from_json(kept["fallback"]),
        acknowledge_timeout_ms=kept["acknowledge_timeout_ms"],
        levels=tuple(
            Level(
                people=tuple(level["people"]),
                schedules=tuple(level["schedules"]),
                targets=targets_from_json(level["targets"]),
                timeout_ms=level["timeout_ms"],
            )
            for level in kept["levels"]
        ),
    )


def targets_to_json(targets: Iterable[Target]) -> list[JsonValue]:
    """Return targets as pairs of notifier and channel."""
    return [[target.notifier, target.channel] for target in targets]


def targets_from_json(pairs: Iterable[Iterable[str]]) -> tuple[Target, ...]:
    """Return the targets of pairs of notifier and channel."""
    return tuple(Target(notifier=name, channel=where) for name, where in pairs)
