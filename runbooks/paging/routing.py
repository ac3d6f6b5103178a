"""Where pages go: the operator's ``routes.yaml``. First match wins; the default takes the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field

from collectors.documents.reading import load_section
from collectors.documents.section import Section
from collectors.documents.values import OneOrMore, Words, at_least_one, one_of
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Severity

FALLBACK_NOTIFIER, FALLBACK_CHANNEL = "console", "stderr"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A notifier's name and the channel (or address) that it is to use."""

    notifier: str
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Incidents that match all of ``severities`` and ``scope`` go to ``targets``.

    Empty ``severities`` match every severity; each scope key matches if any finding has one of
    the values.
    """

    name: str
    targets: tuple[Target, ...]
    severities: frozenset[Severity] = frozenset()
    scope: tuple[tuple[str, frozenset[str]], ...] = ()

    def matches(self, incident: Incident) -> bool:
        """Whether ``incident`` goes this way."""
        if self.severities and incident.severity not in self.severities:
            return False
        return all(values & set(incident.scope_values(key)) for key, values in self.scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """All routes in their order."""

    routes: tuple[Route, ...] = ()
    default: tuple[Target, ...] = (Target(notifier=FALLBACK_NOTIFIER, channel=FALLBACK_CHANNEL),)

    def targets(self, incident: Incident) -> tuple[Target, ...]:
        """Return where ``incident`` goes."""
        for route in self.routes:
            if route.matches(incident):
                return route.targets
        return self.default

    @property
    def notifiers(self) -> frozenset[str]:
        """Names of all notifiers that some route uses."""
        ways = [self.default, *(route.targets for route in self.routes)]
        return frozenset(target.notifier for way in ways for target in way)


class TargetShape(Section):
    """Somebody or something that is told."""

    notifier: Words
    """Name of the notifier: `slack`, `console`."""
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


class RoutesFile(Section):
    """`routes.yaml`: where pages go. The first route that matches wins."""

    default: _Targets
    """Who is told of what no route matches."""
    routes: tuple[RouteShape, ...] = ()
    """In order."""


def load_routes(path: Path) -> Routes:
    """Read ``routes.yaml``.

    Raises:
        DocumentError: All mistakes, with file, line and field.
    """
    shape = load_section(path, RoutesFile)
    return Routes(
        routes=tuple(_route(route) for route in shape.routes), default=_targets(shape.default)
    )


def _route(shape: RouteShape) -> Route:
    return Route(
        name=shape.name,
        targets=_targets(shape.to),
        severities=frozenset(shape.match.severity) if shape.match else frozenset(),
        scope=shape.match.scope() if shape.match else (),
    )


def _targets(shapes: Sequence[TargetShape]) -> tuple[Target, ...]:
    return tuple(Target(notifier=shape.notifier, channel=shape.channel) for shape in shapes)
