"""Reading ``escalation/*.yaml``, with file, line and field in every complaint."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from collectors.documents.nodes import Place
from collectors.documents.reading import Mistakes, files_of, load_section
from collectors.documents.section import Context, Section, close_to
from collectors.documents.values import (
    Count,
    DurationMs,
    OneOfThese,
    Words,
    at_least_one,
    between,
    matching,
)
from collectors.errors import DocumentError
from runbooks.escalation.policy import Level, Policy
from runbooks.notifiers.registry import notifiers
from runbooks.notifiers.settling import Parameters
from runbooks.oncall.people import Person
from runbooks.oncall.schedule import Schedule
from runbooks.paging.routing import Target, TargetShape, wrong_target

DEFAULT_TIMEOUT_MS = 300_000
MAX_REPEATS = 9
"""As often as PagerDuty repeats: more is noise, and the exhausted policy rings the fallback."""

MAX_LEVELS = 20
MAX_TIMEOUT_MS = 24 * 3_600_000


class RungShape(Section):
    """Somebody or something that a level rings: a person, a schedule, or a notifier's channel."""

    person: Words = ""
    """Id of `people.yaml`."""
    schedule: Words = ""
    """Schedule below `oncall/`: whoever is on call when the level's turn comes."""
    notifier: Annotated[str, OneOfThese(lambda: tuple(notifiers()))] = ""
    """Name of a notifier, with `channel`."""
    channel: Words = ""
    """Channel or address that the notifier is to use."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield that it names nothing, or more than one thing."""
        del context
        named = [bool(self.person), bool(self.schedule), bool(self.notifier or self.channel)]
        if sum(named) != 1:
            told = "must name one: a person, a schedule, or a notifier and its channel"
            yield self.place.error(told)
        elif bool(self.notifier) != bool(self.channel):
            yield self.place.error("a notifier needs a channel, and a channel its notifier")


class LevelShape(Section):
    """Who is rung together, and how long they have to answer."""

    to: Annotated[tuple[RungShape, ...], at_least_one("rings nobody; write - {schedule: payments}")]
    """All of them are rung at once."""
    timeout: DurationMs = DEFAULT_TIMEOUT_MS
    """Without an acknowledgement for so long the next level is rung. At most a day."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield a wait that is longer than a day."""
        del context
        if self.timeout > MAX_TIMEOUT_MS:
            yield self.at("timeout").error("is longer than a day")


class EscalationFile(Section):
    """`escalation/*.yaml`: who is rung, level after level, while nobody answers."""

    name: Annotated[Words, matching(r"[a-z0-9]+(-[a-z0-9]+)*", "lower-case words joined by dashes")]
    """By which routes name it; each only once."""
    title: Words = ""
    """For people; without it the name."""
    levels: Annotated[tuple[LevelShape, ...], at_least_one("has no level")]
    """In order."""
    repeats: Annotated[Count, between(0, MAX_REPEATS)] = 0
    """How often all levels are gone through again, at most 9."""
    fallback: tuple[TargetShape, ...] = ()
    """Who is told, loudly, when nobody answered at all; beside the channels of the route."""
    acknowledge_timeout: DurationMs | None = None
    """An acknowledgement lapses, and everything begins again, when nobody has done anything on the
    incident for so long. Without it never."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield that there are too many levels."""
        del context
        if len(self.levels) > MAX_LEVELS:
            yield self.at("levels").error(f"has {len(self.levels)} levels; at most {MAX_LEVELS}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """All escalation policies, and where their documents name people, schedules and channels.

    Attributes:
        by_name: In the order of the files.
        people: Where each person is named first.
        schedules: Where each schedule is named first.
        targets: Where each channel is named first.
    """

    by_name: Mapping[str, Policy] = field(default_factory=dict)
    people: Mapping[str, Place] = field(default_factory=dict, compare=False)
    schedules: Mapping[str, Place] = field(default_factory=dict, compare=False)
    targets: Mapping[Target, Place] = field(default_factory=dict, compare=False)

    def mistakes(
        self, people: Collection[Person], schedules: Collection[str], told: Parameters
    ) -> Iterator[DocumentError]:
        """Yield what they name and what no other file knows."""
        ids = {person.id for person in people}
        yield from _unknown(self.people, ids, "is nobody of people.yaml", "write it into it")
        yield from _unknown(self.schedules, schedules, "is no schedule", "write it below oncall/")
        for target, place in self.targets.items():
            yield from wrong_target(target, place, told)


def way_mistakes(
    people: Collection[Person], schedules: Collection[Schedule], told: Parameters
) -> Iterator[DocumentError]:
    """Yield the ways to people, and those of notices, that don't exist."""
    ways = [(one.ways, one.places) for one in people]
    ways += [(one.notices, one.places) for one in schedules]
    for named, places in ways:
        for (name, where), place in zip(named, places, strict=False):
            if name in notifiers():
                yield from wrong_target(Target(notifier=name, channel=where), place, told)
            else:
                known = ", ".join(notifiers())
                yield place.below("notifier").error(f"{name!r} is no notifier; known are {known}")


def _unknown(
    places: Mapping[str, Place], known: Collection[str], what: str, remedy: str
) -> Iterator[DocumentError]:
    for name, place in places.items():
        if name not in known:
            meant = close_to(name, known)
            yield place.error(f"{name!r} {what}; {f'did you mean {meant!r}?' if meant else remedy}")


def load_policies(directory: Path) -> Policies:
    """Read every escalation policy.

    Raises:
        DocumentError: All mistakes of all files, with file, line and field.
    """
    mistakes = Mistakes()
    shapes: dict[str, EscalationFile] = {}
    for path in files_of(directory):
        with mistakes.kept():
            shape = load_section(path, EscalationFile)
            if shape.name in shapes:
                raise shape.at("name").error(f"two policies are called {shape.name!r}")
            shapes[shape.name] = shape
    mistakes.raise_any()
    rung = [one for shape in shapes.values() for level in shape.levels for one in level.to]
    fallen = [one for shape in shapes.values() for one in shape.fallback]
    channels = [(one.notifier, one.channel, one.place) for one in rung if one.notifier]
    channels += [(one.notifier, one.channel, one.place) for one in fallen]
    return Policies(
        by_name={name: _policy(shape) for name, shape in shapes.items()},
        people=_first([(one.person, one.at("person")) for one in rung if one.person]),
        schedules=_first([(one.schedule, one.at("schedule")) for one in rung if one.schedule]),
        targets={
            Target(notifier=name, channel=where): place for name, where, place in reversed(channels)
        },
    )


def _first(named: Sequence[tuple[str, Place]]) -> dict[str, Place]:
    return dict(reversed(named))


def _policy(shape: EscalationFile) -> Policy:
    return Policy(
        name=shape.name,
        title=shape.title or shape.name,
        levels=tuple(_level(level) for level in shape.levels),
        repeats=shape.repeats,
        fallback=tuple(Target(notifier=t.notifier, channel=t.channel) for t in shape.fallback),
        acknowledge_timeout_ms=shape.acknowledge_timeout,
    )


def _level(shape: LevelShape) -> Level:
    return Level(
        people=tuple(one.person for one in shape.to if one.person),
        schedules=tuple(one.schedule for one in shape.to if one.schedule),
        targets=tuple(
            Target(notifier=one.notifier, channel=one.channel) for one in shape.to if one.notifier
        ),
        timeout_ms=shape.timeout,
    )
