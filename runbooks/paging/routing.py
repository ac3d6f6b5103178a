"""Where pages go: the operator's ``routes.yaml``. First match wins; the default takes the rest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field

from collectors.documents.nodes import Place
from collectors.documents.reading import load_section
from collectors.documents.section import Section, close_to
from collectors.documents.values import OneOfThese, OneOrMore, Words, at_least_one, one_of
from collectors.errors import DocumentError
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Severity
from runbooks.notifiers import console
from runbooks.notifiers.registry import notifiers
from runbooks.notifiers.settling import Parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A notifier's name and the channel (or address) that it is to use."""

    notifier: str
    channel: str

    def __str__(self) -> str:
        return f"{self.notifier}:{self.channel}"


FALLBACK = Target(notifier=console.NAME, channel=console.CHANNEL)
"""Always set up: a page that reaches a terminal is better than none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Incidents that match all of ``severities`` and ``scope`` go to ``targets``.

    Empty ``severities`` match every severity; each scope key matches if any finding has one of
    the values. ``oncall`` is the schedule of who is mentioned; empty: nobody.
    """

    name: str
    targets: tuple[Target, ...]
    oncall: str = ""
    severities: frozenset[Severity] = frozenset()
    scope: tuple[tuple[str, frozenset[str]], ...] = ()

    def matches(self, incident: Incident) -> bool:
        """Whether ``incident`` goes this way."""
        if self.severities and incident.severity not in self.severities:
            return False
        return all(values & set(incident.scope_values(key)) for key, values in self.scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """All routes in their order, and where their document names each target first.

    Attributes:
        routes: In order.
        default: Who is told of what no route matches.
        oncall: The schedule of what no route matches, and of routes that name none.
        places: Where each target is named first.
        schedules: Where each schedule is named first.
    """

    routes: tuple[Route, ...] = ()
    default: tuple[Target, ...] = (FALLBACK,)
    oncall: str = ""
    places: Mapping[Target, Place] = field(default_factory=dict, compare=False)
    schedules: Mapping[str, Place] = field(default_factory=dict, compare=False)

    def targets(self, incident: Incident) -> tuple[Target, ...]:
        """Return where ``incident`` goes."""
        route = self._route(incident)
        return self.default if route is None else route.targets

    def schedule(self, incident: Incident) -> str:
        """Return the schedule of who is on call for ``incident``; empty: none is named."""
        route = self._route(incident)
        return (route.oncall if route else "") or self.oncall

    def notifiers(self) -> frozenset[str]:
        """Return the names of all notifiers that some route uses."""
        return frozenset(target.notifier for target in self._all_targets())

    def reaching(self, set_up: Collection[str]) -> Routes:
        """Return the routes with the console in the place of notifiers that are not set up."""
        return replace(
            self,
            routes=tuple(
                replace(route, targets=_reaching(route.targets, set_up)) for route in self.routes
            ),
            default=_reaching(self.default, set_up),
            places={},
        )

    def mistakes(
        self, told: Parameters, schedules: Collection[str] = ()
    ) -> Iterator[DocumentError]:
        """Yield what keeps pages from arriving, as far as the notifiers' parameters tell.

        Args:
            told: What each notifier is told; one that is missing can't be set up.
            schedules: Names of those that there are.
        """
        for name, place in self.schedules.items():
            if name not in schedules:
                meant = close_to(name, schedules)
                remedy = f"did you mean {meant!r}?" if meant else "write it below oncall/"
                yield place.error(f"no schedule is called {name!r}; {remedy}")
        for target, place in self.places.items():
            parameters = told.get(target.notifier)
            if parameters is None:
                message = f"{target.notifier} is not set up; tell it in notifiers.yaml where to"
                yield place.below("notifier").error(message)
            elif wrong := _wrong_channel(target, parameters):
                yield place.below("channel").error(wrong)

    def _route(self, incident: Incident) -> Route | None:
        return next((route for route in self.routes if route.matches(incident)), None)

    def _all_targets(self) -> Iterator[Target]:
        for way in (self.default, *(route.targets for route in self.routes)):
            yield from way


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


class TargetShape(Section):
    """Somebody or something that is told."""

    notifier: Annotated[str, OneOfThese(lambda: tuple(notifiers()))]
    """Name of the notifier."""
    channel: Words
    """Channel or address that it is to use."""


_Targets = Annotated[
    tuple[TargetShape, ...],
    at_least_one("names no target; write - {notifier: slack, channel: incidents}"),
]
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
    to: _Targets
    """Who is told."""
    oncall: Words = ""
    """Schedule below `oncall/`: who is on call is mentioned. Without it that of the file."""


class RoutesFile(Section):
    """`routes.yaml`: where pages go. The first route that matches wins."""

    default: _Targets
    """Who is told of what no route matches."""
    oncall: Words = ""
    """Schedule below `oncall/`: who is on call is mentioned. Without it nobody is."""
    routes: tuple[RouteShape, ...] = ()
    """In order."""


def load_routes(path: Path) -> Routes:
    """Read ``routes.yaml``.

    Raises:
        DocumentError: All mistakes, with file, line and field.
    """
    shape = load_section(path, RoutesFile)
    return Routes(
        routes=tuple(_route(route) for route in shape.routes),
        default=_targets(shape.default),
        oncall=shape.oncall,
        places=_places(shape),
        schedules=_schedules(shape),
    )


def _route(shape: RouteShape) -> Route:
    return Route(
        name=shape.name,
        targets=_targets(shape.to),
        oncall=shape.oncall,
        severities=frozenset(shape.match.severity) if shape.match else frozenset(),
        scope=shape.match.scope() if shape.match else (),
    )


def _targets(shapes: Sequence[TargetShape]) -> tuple[Target, ...]:
    return tuple(Target(notifier=shape.notifier, channel=shape.channel) for shape in shapes)


def _schedules(shape: RoutesFile) -> dict[str, Place]:
    named = [(shape.oncall, shape.at("oncall"))]
    named += [(route.oncall, route.at("oncall")) for route in shape.routes]
    return {name: place for name, place in reversed(named) if name}


def _places(shape: RoutesFile) -> dict[Target, Place]:
    found: dict[Target, Place] = {}
    for way in (shape.default, *(route.to for route in shape.routes)):
        for told, target in zip(way, _targets(way), strict=True):
            found.setdefault(target, told.place)
    return found
