"""What tocsin made of it: each incident reduced to what a scorecard needs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

REGION = "cloud.region"
SERVICE = "service.name"
SUSPECT = "suspect."
"""Prefix of the findings' values that hold a suspect's share."""

_PAGE = "page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accused:
    """A service that a finding suspects, with the way to it.

    Attributes:
        service: Its name.
        path: Services from where users come in down to it; empty when not known.
        onsets_ms: Since when each of ``path`` is off, epoch milliseconds, 0 where not known.
    """

    service: str
    path: tuple[str, ...] = ()
    onsets_ms: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A moment at which tocsin said that something is wrong.

    Attributes:
        time_ms: When it said so, epoch milliseconds.
        regions: Where; empty when it could not tell.
        shares: Services that it named, with their share of the blame, 0 to 1.
        accused: The same with the ways to them, as they were last told.
        waking: Whether it is of those that wake people; a ticket is not.
    """

    time_ms: int
    regions: frozenset[str] = frozenset()
    shares: Mapping[str, float] = field(default_factory=dict)
    accused: tuple[Accused, ...] = ()
    waking: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One incident.

    Attributes:
        incident_id: Identifies it.
        title: For people.
        severity: Such as ``SEV1``.
        signals: In the order of their time; at least one.
        pages_ms: When people were paged, epoch milliseconds, in order.
        cleared_ms: When it was mitigated or resolved, epoch milliseconds, in order.
    """

    incident_id: str
    title: str = ""
    severity: str = ""
    signals: tuple[Signal, ...]
    pages_ms: tuple[int, ...] = ()
    cleared_ms: tuple[int, ...] = ()

    @property
    def start_ms(self) -> int:
        """Its first signal, epoch milliseconds."""
        return self.signals[0].time_ms

    def since(self, start_ms: int) -> Sighting | None:
        """Return what it said from ``start_ms`` on, None when it said nothing."""
        signals = tuple(one for one in self.signals if one.time_ms >= start_ms)
        pages = tuple(time_ms for time_ms in self.pages_ms if time_ms >= start_ms)
        if not signals and not pages:
            return None
        return replace(self, signals=signals or self.signals[-1:], pages_ms=pages)

    def signal_at(self, time_ms: int) -> Signal:
        """Return the last signal up to ``time_ms``; the first one when none came earlier.

        It is what a page of that time is about: a ticket counts only where nothing else was said.
        """
        waking = [one for one in self.signals if one.waking]
        return _said_by(waking or self.signals, time_ms)


def ranked(signals: Iterable[Signal]) -> tuple[str, ...]:
    """Return the services that signals name, the one with the largest share first.

    >>> ranked([Signal(time_ms=0, shares={"gateway": 0.0}), Signal(time_ms=1, shares={"auth": 1})])
    ('auth', 'gateway')
    """
    shares: dict[str, float] = {}
    for signal in signals:
        for name, share in signal.shares.items():
            shares[name] = max(shares.get(name, 0.0), share)
    return tuple(sorted(shares, key=lambda name: (-shares[name], name)))


def sighting(incident: Mapping[str, Any]) -> Sighting:
    """Return what ``GET /api/v2/incidents/{id}`` tells, reduced."""
    timeline = incident["timeline"]
    versions = _versions(incident)
    found = (_signal(one, versions.get(str(one["id"]), [])) for one in incident["findings"])
    said = sorted(found, key=lambda one: one.time_ms)
    signals = said or [Signal(time_ms=int(incident["opened_ms"]))]
    known = [
        replace(_said_by(signals, int(entry["time_ms"])), time_ms=int(entry["time_ms"]))
        for entry in timeline
        if entry["kind"] in {"opened", "reopened"}
    ]
    return Sighting(
        incident_id=str(incident["id"]),
        title=str(incident["title"]),
        severity=str(incident["severity"]),
        signals=tuple(sorted([*signals, *known], key=lambda signal: signal.time_ms)),
        pages_ms=_pages(timeline, versions.values()),
        cleared_ms=tuple(sorted(_cleared(timeline))),
    )


def _pages(
    timeline: Iterable[Mapping[str, Any]], versions: Iterable[Sequence[Mapping[str, Any]]]
) -> tuple[int, ...]:
    """Return when people were woken: what they are told of a ticket is no page."""
    waking = [
        int(version.get("detected_ms", 0))
        for told in versions
        for version in told
        if version.get("urgency", _PAGE) == _PAGE
    ]
    if not waking:
        return ()
    told_ms = (int(entry["time_ms"]) for entry in timeline if entry["kind"] == "paged")
    return tuple(ms for ms in told_ms if ms >= min(waking))


def _said_by(signals: Sequence[Signal], time_ms: int) -> Signal:
    """Return the last of ``signals`` up to ``time_ms``, or the first of all."""
    return next((one for one in reversed(signals) if one.time_ms <= time_ms), signals[0])


def _versions(incident: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """Return each finding in all of its versions, those of the timeline first."""
    told = [(entry.get("data") or {}).get("finding") for entry in incident["timeline"]]
    versions = [one for one in told if isinstance(one, Mapping)] + list(incident["findings"])
    found: dict[str, list[Mapping[str, Any]]] = {}
    for version in versions:
        found.setdefault(str(version["id"]), []).append(version)
    return found


def _shares(versions: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Return what a finding ever accused."""
    shares: dict[str, float] = {}
    for version in versions:
        for key, share in (version.get("values") or {}).items():
            if key.startswith(SUSPECT) and share is not None:
                name = key.removeprefix(SUSPECT)
                shares[name] = max(shares.get(name, 0.0), float(share))
    return shares


def _accused(versions: Iterable[Mapping[str, Any]]) -> tuple[Accused, ...]:
    """Return each service that a finding ever suspected, as it was last told."""
    found: dict[str, Accused] = {}
    for version in versions:
        for one in version.get("suspects") or ():
            found[str(one["service"])] = Accused(
                service=str(one["service"]),
                path=tuple(map(str, one.get("path") or ())),
                onsets_ms=tuple(int(ms) for ms in one.get("onsets_ms") or ()),
            )
    return tuple(found.values())


def _signal(finding: Mapping[str, Any], versions: Sequence[Mapping[str, Any]]) -> Signal:
    """Read a finding: what its traces accused, and what it is scoped to."""
    region, service = finding["scope"].get(REGION), finding["scope"].get(SERVICE)
    shares = _shares(versions)
    return Signal(
        time_ms=int(finding["detected_ms"]),
        regions=frozenset({str(region)} if region else ()),
        shares={str(service): 0.0, **shares} if service else shares,
        accused=_accused(versions),
        waking=any(version.get("urgency", _PAGE) == _PAGE for version in versions),
    )


def _cleared(timeline: Iterable[Mapping[str, Any]]) -> list[int]:
    moments = []
    for entry in timeline:
        data = entry.get("data") or {}
        if entry["kind"] == "status_set" and data.get("to") in {"mitigated", "resolved"}:
            moments.append(int(data.get("impact_end_ms") or entry["time_ms"]))
    return moments
