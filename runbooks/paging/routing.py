"""Where pages go: the operator's ``routes.yaml``; the default takes what no route does."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field

from anomaly.findings import Urgency
from collectors.documents.nodes import Place
from collectors.documents.reading import load_section
from collectors.documents.section import Context, Section, close_to
from collectors.documents.values import (
    DurationMs,
    Flag,
    OneOfThese,
    OneOrMore,
    Words,
    at_least_one,
    one_of,
)
from collectors.errors import DocumentError
from runbooks.alerts.intervals import TimeInterval
from runbooks.alerts.labels import is_own
from runbooks.alerts.maintenance import unknown_interval
from runbooks.alerts.matching_shapes import Matchers
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Severity
from runbooks.notifiers import console
from runbooks.notifiers.registry import notifiers
from runbooks.notifiers.settling import Parameters
from runbooks.paging.route_tree import Route, Target, subject_of, walk

__all__ = [
    "FALLBACK",
    "Route",
    "Routes",
    "RoutesFile",
    "Target",
    "every_shape",
    "is_ticket",
    "load_routes",
]

FALLBACK = Target(notifier=console.NAME, channel=console.CHANNEL)
"""Always set up: a page that reaches a terminal is better than none."""


def is_ticket(incident: Incident) -> bool:
    """Whether an incident has findings of which none wakes anybody."""
    findings = incident.findings.values()
    return bool(findings) and not any(f.urgency is Urgency.PAGE for f in findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """All routes in their order, and where their document names each target first.

    Attributes:
        routes: In order.
        default: Who is told of what no route matches.
        oncall: The schedule of what no route matches, and of routes that name none.
        tickets: Who is told of what wakes nobody; none: it is only recorded.
        intervals: By name; without those that routes name they are never mute.
        escalation: The policy of what no route matches, and of routes that name none.
        places: Where each target is named first.
        schedules: Where each schedule is named first.
        policies: Where each escalation policy is named first.
    """

    routes: tuple[Route, ...] = ()
    default: tuple[Target, ...] = (FALLBACK,)
    oncall: str = ""
    tickets: tuple[Target, ...] = ()
    intervals: Mapping[str, TimeInterval] = field(default_factory=dict)
    escalation: str = ""
    places: Mapping[Target, Place] = field(default_factory=dict, compare=False)
    schedules: Mapping[str, Place] = field(default_factory=dict, compare=False)
    policies: Mapping[str, Place] = field(default_factory=dict, compare=False)

    def targets(self, incident: Incident, at_ms: int | None = None) -> tuple[Target, ...]:
        """Return where ``incident`` goes.

        Args:
            incident: Which.
            at_ms: Without the routes that are mute at this moment, epoch milliseconds.
        """
        if self.tickets and is_ticket(incident):
            return self.tickets
        taking = self.taking(incident)
        if not taking:
            return self.default
        heard = taking if at_ms is None else self._heard(incident, at_ms)
        return tuple(dict.fromkeys(target for route in heard for target in route.targets))

    def taking(self, incident: Incident) -> list[Route]:
        """Return the routes that take ``incident``; none: it is the default's."""
        if self.tickets and is_ticket(incident):
            return []
        branches = walk(self.routes, subject_of(incident))
        return [branch.route for branch in branches if branch.takes]

    def withheld(self, incident: Incident, at_ms: int) -> str:
        """Return why nobody is told of ``incident`` at a moment, "" if somebody is."""
        if not self.has_times:
            return ""
        taking = self.taking(incident)
        if not taking or self._heard(incident, at_ms):
            return ""
        return "; ".join(route.muted(self.intervals, at_ms) for route in taking)

    @property
    def has_times(self) -> bool:
        """Whether some route tells nobody at times."""
        return any(route.mute or route.active for route in self.every())

    def schedule(self, incident: Incident) -> str:
        """Return the schedule of who is on call for ``incident``; empty: none is named."""
        if self.tickets and is_ticket(incident):
            return ""
        named = (route.oncall for route in self.taking(incident) if route.oncall)
        return next(named, self.oncall)

    def repeat_ms(self, incident: Incident) -> int | None:
        """Return how soon ``incident`` rings again unacknowledged; None: as everywhere."""
        if not any(route.repeat_ms for route in self.every()):
            return None
        named = [route.repeat_ms for route in self.taking(incident) if route.repeat_ms]
        return min(named, default=None)

    def _heard(self, incident: Incident, at_ms: int) -> list[Route]:
        """Return the routes that tell somebody; of tocsin's own faults they always do."""
        own = any(map(is_own, incident.findings.values()))
        taking = self.taking(incident)
        return [route for route in taking if own or not route.muted(self.intervals, at_ms)]

    def policy(self, incident: Incident) -> str:
        """Return the escalation policy of ``incident``; empty: none is named."""
        named = (route.escalation for route in self.taking(incident) if route.escalation)
        return next(named, self.escalation)

    def notifiers(self) -> frozenset[str]:
        """Return the names of all notifiers that some route uses."""
        return frozenset(target.notifier for target in self.all_targets())

    def reaching(self, set_up: Collection[str]) -> Routes:
        """Return the routes with the console in the place of notifiers that are not set up."""
        return replace(
            self,
            routes=tuple(_route_reaching(route, set_up) for route in self.routes),
            default=_reaching(self.default, set_up),
            tickets=_reaching(self.tickets, set_up),
            places={},
        )

    def mistakes(
        self,
        told: Parameters,
        schedules: Collection[str] = (),
        intervals: Collection[str] = (),
        policies: Collection[str] = (),
    ) -> Iterator[DocumentError]:
        """Yield what keeps pages from arriving, as far as the notifiers' parameters tell.

        Args:
            told: What each notifier is told; one that is missing can't be set up.
            schedules: Names of those that there are.
            intervals: Names of those that there are.
            policies: Names of the escalation policies that there are.
        """
        for route in self.every():
            for name, place in route.places.items():
                if name not in intervals:
                    yield unknown_interval(name, place, intervals)
        yield from _unknown(self.schedules, schedules, "schedule", "oncall")
        yield from _unknown(self.policies, policies, "escalation policy", "escalation")
        for target, place in self.places.items():
            yield from wrong_target(target, place, told)

    def every(self) -> Iterator[Route]:
        """Yield every route, each before those below it."""
        for route in self.routes:
            yield from route.every()

    def all_targets(self) -> Iterator[Target]:
        """Yield every target that is named, some of them several times."""
        for way in (self.default, self.tickets, *(route.targets for route in self.every())):
            yield from way


def _unknown(
    places: Mapping[str, Place], known: Collection[str], what: str, folder: str
) -> Iterator[DocumentError]:
    for name, place in places.items():
        if name not in known:
            meant = close_to(name, known)
            remedy = f"did you mean {meant!r}?" if meant else f"write it below {folder}/"
            yield place.error(f"no {what} is called {name!r}; {remedy}")


def wrong_target(target: Target, place: Place, told: Parameters) -> Iterator[DocumentError]:
    """Yield what keeps pages from reaching ``target``, which a document names at ``place``."""
    parameters = told.get(target.notifier)
    if parameters is None:
        message = f"{target.notifier} is not set up; tell it in notifiers.yaml where to"
        yield place.below("notifier").error(message)
    elif wrong := _wrong_channel(target, parameters):
        yield place.below("channel").error(wrong)


def _wrong_channel(target: Target, parameters: Section) -> str | None:
    channels = notifiers()[target.notifier].channels(parameters)
    if channels is None or target.channel in channels:
        return None
    meant = close_to(target.channel, channels)
    remedy = f"did you mean {meant!r}?" if meant else f"known are {', '.join(sorted(channels))}"
    return f"{target.channel!r} is no channel of {target.notifier}; {remedy}"


def _reaching(targets: Iterable[Target], set_up: Collection[str]) -> tuple[Target, ...]:
    found = (target if target.notifier in set_up else FALLBACK for target in targets)
    return tuple(dict.fromkeys(found))


def _route_reaching(route: Route, set_up: Collection[str]) -> Route:
    below = tuple(_route_reaching(child, set_up) for child in route.routes)
    return replace(route, targets=_reaching(route.targets, set_up), routes=below)


class TargetShape(Section):
    """Somebody or something that is told."""

    notifier: Annotated[str, OneOfThese(lambda: tuple(notifiers()))]
    """Name of the notifier."""
    channel: Words
    """Channel or address that it is to use."""


_NOBODY = "names no target; write - {notifier: slack, channel: incidents}"
_Targets = Annotated[tuple[TargetShape, ...], at_least_one(_NOBODY)]
_Texts = Annotated[tuple[Words, ...], OneOrMore]


class MatchShape(Section):
    """What an incident must be; any other key is one of its scope, with one value or a list."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, _Texts] = Field(init=False)

    severity: Annotated[tuple[Annotated[Severity, one_of(tuple(Severity))], ...], OneOrMore] = ()
    """One or a list."""

    def scope(self) -> tuple[tuple[str, frozenset[str]], ...]:
        """Return the values that each key of the scope may have."""
        return tuple((key, frozenset(texts)) for key, texts in self.__pydantic_extra__.items())


class RouteShape(Section):
    """Incidents that match go this way."""

    name: Words
    """What it is called."""
    match: MatchShape | None = None
    """What the incident must be; without it all match."""
    matchers: Matchers = ()
    """What the labels of one of its findings must be, `service.name=~"play.*"`: all must hold."""
    to: tuple[TargetShape, ...] = ()
    """Who is told; a route below another may leave it out and tells the same."""
    oncall: Words = ""
    """Schedule below `oncall/`: who is on call is mentioned. Without it that of the file."""
    escalation: Words = ""
    """Policy below `escalation/`: who is rung while nobody answers. Without it that of the file."""
    continue_: Annotated[Flag, Field(alias="continue")] = False
    """Whether the routes after it are asked, too."""
    mute_time_intervals: _Texts = ()
    """Names of `intervals.yaml`: it tells nobody within them."""
    active_time_intervals: _Texts = ()
    """Names of `intervals.yaml`: it tells nobody outside of them."""
    repeat_interval: DurationMs | None = None
    """How soon what nobody acknowledges rings again. Without it `TOCSIN_RING_AGAIN`."""
    routes: tuple[RouteShape, ...] = ()
    """Asked when it matches; the first of them that matches takes its place."""


class RoutesFile(Section):
    """`routes.yaml`: where pages go. The first route that matches wins."""

    default: _Targets
    """Who is told of what no route matches."""
    tickets: tuple[TargetShape, ...] = ()
    """Who is told of what wakes nobody; without it that is only recorded."""
    oncall: Words = ""
    """Schedule below `oncall/`: who is on call is mentioned. Without it nobody is."""
    escalation: Words = ""
    """Policy below `escalation/`: who is rung while nobody answers. Without it the same message
    rings again and again, `ring_again` of the settings says how often."""
    routes: tuple[RouteShape, ...] = ()
    """In order."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield routes that tell nobody."""
        del context
        for route in self.routes:
            if not route.to:
                yield route.at("to").error(_NOBODY if "to" in route.names() else "is required")


def load_routes(path: Path) -> Routes:
    """Read ``routes.yaml``.

    Raises:
        DocumentError: All mistakes, with file, line and field.
    """
    shape = load_section(path, RoutesFile)
    return Routes(
        routes=tuple(_route(route, ()) for route in shape.routes),
        default=_targets(shape.default),
        tickets=_targets(shape.tickets),
        oncall=shape.oncall,
        escalation=shape.escalation,
        places=_places(shape),
        schedules=_named(shape, "oncall"),
        policies=_named(shape, "escalation"),
    )


def _route(
    shape: RouteShape, above: tuple[Target, ...], oncall: str = "", escalation: str = ""
) -> Route:
    targets = _targets(shape.to) or above
    schedule, policy = shape.oncall or oncall, shape.escalation or escalation
    return Route(
        name=shape.name,
        targets=targets,
        oncall=schedule,
        escalation=policy,
        severities=frozenset(shape.match.severity) if shape.match else frozenset(),
        scope=shape.match.scope() if shape.match else (),
        matchers=shape.matchers,
        goes_on=shape.continue_,
        mute=shape.mute_time_intervals,
        active=shape.active_time_intervals,
        repeat_ms=shape.repeat_interval,
        routes=tuple(_route(child, targets, schedule, policy) for child in shape.routes),
        places={
            name: shape.at(field, index)
            for field in ("mute_time_intervals", "active_time_intervals")
            for index, name in enumerate(getattr(shape, field))
        },
    )


def _targets(shapes: Sequence[TargetShape]) -> tuple[Target, ...]:
    return tuple(Target(notifier=shape.notifier, channel=shape.channel) for shape in shapes)


def every_shape(routes: Iterable[RouteShape]) -> Iterator[RouteShape]:
    """Yield routes, each before those below it."""
    for route in routes:
        yield route
        yield from every_shape(route.routes)


def _named(shape: RoutesFile, key: str) -> dict[str, Place]:
    """Return where each schedule or policy is named first."""
    named = [(getattr(one, key), one.at(key)) for one in (shape, *every_shape(shape.routes))]
    return {name: place for name, place in reversed(named) if name}


def _places(shape: RoutesFile) -> dict[Target, Place]:
    found: dict[Target, Place] = {}
    for way in (shape.default, shape.tickets, *(route.to for route in every_shape(shape.routes))):
        for told, target in zip(way, _targets(way), strict=True):
            found.setdefault(target, told.place)
    return found
