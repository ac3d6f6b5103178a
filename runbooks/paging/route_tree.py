"""The way of an incident through the tree of routes, with a reason at every branch. Pure.

Semantics of Alertmanager (``dispatch/route.go``): the children of a route are asked in their order;
the first that matches takes it, and with ``continue`` those after it are asked, too; what no child
takes stays with the route. At the root that is the default.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from collectors.documents.nodes import Place
from runbooks.alerts.intervals import TimeInterval
from runbooks.alerts.labels import labels_of
from runbooks.alerts.matchers import Labels, Matcher, matches_all, written
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A notifier's name and the channel (or address) that it is to use."""

    notifier: str
    channel: str

    def __str__(self) -> str:
        return f"{self.notifier}:{self.channel}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is asked of an incident, or of an alert that nobody has sent.

    Attributes:
        severity: Of the incident.
        values: Returns the values of a key of its scope.
        labels: Returns the labels of each of its findings.
    """

    severity: Severity
    values: Callable[[str], Collection[str]]
    labels: Callable[[], Iterable[Labels]]


def subject_of(incident: Incident) -> Subject:
    """Return what routes ask of an incident."""

    def labels() -> Iterator[Labels]:
        own = {"severity": incident.severity.value}
        for finding in incident.findings.values():
            # An alert's own severity, such as "critical", is what its rules speak of.
            told = {} if "severity" in finding.scope else own
            yield {**labels_of(finding), **told}
        if not incident.findings:
            yield own

    return Subject(severity=incident.severity, values=incident.scope_values, labels=labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Incidents that match all of ``severities``, ``scope`` and ``matchers`` go to ``targets``.

    Empty ``severities`` match every severity; each scope key matches if any finding has one of
    the values; the matchers must all match the labels of one finding.

    Attributes:
        name: What it is called.
        targets: Who is told.
        oncall: The schedule of who is mentioned; empty: that of the file.
        escalation: The policy by which people are rung while nobody answers; empty: that of the
            file.
        severities: See above.
        scope: See above.
        matchers: See above.
        goes_on: Whether the routes after it are asked, too.
        mute: Names of intervals in which it tells nobody.
        active: Names of intervals outside of which it tells nobody; none: it is always active.
        repeat_ms: How soon what nobody acknowledges rings again; None: as everywhere.
        routes: Its children.
        places: Where the intervals are named.
    """

    name: str
    targets: tuple[Target, ...]
    oncall: str = ""
    escalation: str = ""
    severities: frozenset[Severity] = frozenset()
    scope: tuple[tuple[str, frozenset[str]], ...] = ()
    matchers: tuple[Matcher, ...] = ()
    goes_on: bool = False
    mute: tuple[str, ...] = ()
    active: tuple[str, ...] = ()
    repeat_ms: int | None = None
    routes: tuple[Route, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)

    def refusal(self, subject: Subject) -> str:
        """Return why a subject does not go this way, "" if it does."""
        if self.severities and subject.severity not in self.severities:
            return f"severity {subject.severity} is none of {', '.join(sorted(self.severities))}"
        for key, wanted in self.scope:
            values = subject.values(key)
            if not wanted & set(values):
                found = ", ".join(values) or "missing"
                return f"{key} is {found}, none of {', '.join(sorted(wanted))}"
        if self.matchers and not any(matches_all(self.matchers, one) for one in subject.labels()):
            return f"{written(self.matchers)} does not match"
        return ""

    def muted(self, intervals: Mapping[str, TimeInterval], at_ms: int) -> str:
        """Return why it tells nobody at a moment, "" if it does."""
        for name in self.mute:
            if name in intervals and intervals[name].contains(at_ms):
                return f"route {self.name!r} is mute: it is {name!r}"
        known = [name for name in self.active if name in intervals]
        if known and not any(intervals[name].contains(at_ms) for name in known):
            return f"route {self.name!r} is not active: it is not {' or '.join(known)!r}"
        return ""

    def every(self) -> Iterator[Route]:
        """Yield it and all below it."""
        yield self
        for child in self.routes:
            yield from child.every()


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A route that was asked.

    Attributes:
        route: Which.
        depth: 0 for those of the first level.
        refusal: Why it did not match; empty: it did.
        takes: Whether it is one of those that tell somebody.
    """

    route: Route
    depth: int
    refusal: str = ""
    takes: bool = False


def walk(routes: Iterable[Route], subject: Subject, depth: int = 0) -> list[Branch]:
    """Return the routes that were asked, in their order; none that takes: it is the default's."""
    asked: list[Branch] = []
    for route in routes:
        if refusal := route.refusal(subject):
            asked.append(Branch(route=route, depth=depth, refusal=refusal))
            continue
        below = walk(route.routes, subject, depth + 1)
        takes = not any(branch.takes for branch in below)
        asked += [Branch(route=route, depth=depth, takes=takes), *below]
        if not route.goes_on:
            break
    return asked
