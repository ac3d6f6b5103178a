"""Where pages go: the operator's ``routes.yaml``. First match wins; the default takes the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runbooks.documents import Document, load_document
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


def load_routes(path: Path) -> Routes:
    """Read ``routes.yaml``.

    Raises:
        DocumentError: With file, line and field.
    """
    document = load_document(path)
    document.only("default", "routes")
    default = _targets(document.child("default"))
    return Routes(routes=tuple(_route(d) for d in document.children("routes")), default=default)


def _route(document: Document) -> Route:
    document.only("name", "match", "to")
    severities: frozenset[Severity] = frozenset()
    scope: Mapping[str, Document] = {}
    if document.has("match"):
        match = document.child("match")
        if match.has("severity"):
            severities = frozenset(Severity(s) for s in match.choices("severity", Severity))
        scope = {key: match for key in match.names() if key != "severity"}
    return Route(
        name=document.text("name"),
        targets=_targets(document.child("to")),
        severities=severities,
        scope=tuple((key, frozenset(match.texts(key))) for key, match in scope.items()),
    )


def _targets(document: Document) -> tuple[Target, ...]:
    listed = document.items()
    if not listed:
        raise document.error("names no target; write - {notifier: slack, channel: incidents}")
    for target in listed:
        target.only("notifier", "channel")
    return tuple(Target(notifier=t.text("notifier"), channel=t.text("channel")) for t in listed)
