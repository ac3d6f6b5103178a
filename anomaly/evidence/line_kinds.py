"""What logs say of a finding: kinds of lines that are new near its onset, or come far more often.

A line is what a service says of itself, and may be about something else that happened then: lines
accuse nobody. They are shown, and stand beside whatever else makes a service suspect, for or
against it. Of a service whose lines are not here nothing is said.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from anomaly.findings import Finding, LineKind, Suspect
from collectors.changes.change import SERVICE
from collectors.log_batch import Severity, band_of
from collectors.logs.changes import ChangedPattern, PatternChanges
from tocsin.client.wording import kind_of_line, number, trimmed

MAX_KINDS = 5
"""Kinds of lines of a finding."""
MAX_ELSEWHERE = 2
"""Of them, of services that nothing else points at: errors that are new."""
MAX_TEXT, MAX_SAMPLE = 160, 500
MAX_WINDOW_MS = 3_600_000
"""So long after an onset lines are counted."""

NEAR_MS = 60_000
"""Lines of so long before an onset count as well: it is an estimate."""
SOON_MS = 120_000
"""What is new so long after an onset may be its reason; what comes later hardly."""
SETTLED_MS = 30_000
"""Lines have had so long to come: earlier, that there is none of a kind says nothing."""
MIN_SPOKEN = 20
"""Of a service that said less than this, before or since, silence tells nothing."""

_GRAIN_MS = 15_000


class PatternFinder(Protocol):
    """Something that knows which kinds of lines are new, such as the log store's watch."""

    def changed(self, start_ms: int, end_ms: int) -> PatternChanges:
        """Return what is new and what has grown within [start, end)."""
        ...


class PatternsOnce:
    """Asks for the same window once: findings of a storm begin together, and a count is dear.

    Args:
        finder: Whom to ask.
    """

    def __init__(self, finder: PatternFinder) -> None:
        self._finder = finder
        self._known: dict[tuple[int, int], PatternChanges] = {}

    def changed(self, start_ms: int, end_ms: int) -> PatternChanges:
        """Return what was answered before to the same question, or ask."""
        asked = start_ms, end_ms
        if asked not in self._known:
            self._known[asked] = self._finder.changed(start_ms, end_ms)
        return self._known[asked]

    def forget(self) -> None:
        """Ask anew from now on."""
        self._known.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What was heard around a finding.

    Attributes:
        kinds: Of any service, the most severe first, those that are new before those that grew.
        spoken: Lines of each service since, of those that logged before, too, and enough of both.
    """

    kinds: tuple[LineKind, ...] = ()
    spoken: dict[str, int] = field(default_factory=dict)


NOTHING_HEARD = Heard()


def heard_around(patterns: PatternFinder, finding: Finding) -> Heard:
    """Return which kinds of lines are new since shortly before an onset, or have grown."""
    start_ms = (finding.started_ms - NEAR_MS) // _GRAIN_MS * _GRAIN_MS
    end_ms = min(finding.updated_ms, finding.started_ms + MAX_WINDOW_MS) + _GRAIN_MS
    changes = patterns.changed(start_ms, -(-end_ms // _GRAIN_MS) * _GRAIN_MS)
    settled = finding.updated_ms - finding.started_ms >= SETTLED_MS
    kinds = [
        *(_kind(one, changes, new=True) for one in changes.new),
        *(_kind(one, changes, new=False) for one in changes.grew),
    ]
    return Heard(
        kinds=tuple(sorted(kinds, key=_rank)),
        spoken={
            service: since
            for service, (before, since) in changes.lines.items()
            if settled and min(before, since) >= MIN_SPOKEN
        },
    )


def with_lines(finding: Finding, heard: Heard) -> Finding:
    """Return ``finding`` with the kinds of lines that may be about it; the last known if none are.

    Those of its own service, of suspects and of the way to them come first. Of all others only
    errors are taken that are new. Where it names no service and nobody is suspect, all are others.
    """
    near = named_by(finding)
    own = [one for one in heard.kinds if one.service in near and _tells(one)]
    errors = [one for one in heard.kinds if one.new and _is_error(one.severity)]
    others = [one for one in errors if one.service not in near]
    kept = (*own[: MAX_KINDS - bool(others)], *others[:MAX_ELSEWHERE])[:MAX_KINDS]
    return replace(finding, lines=kept) if kept else finding


def with_heard(suspects: Sequence[Suspect], heard: Heard, onset_ms: int) -> tuple[Suspect, ...]:
    """Return suspects with what their own lines say for or against them, if there are any.

    Their order and their shares stay: misleading lines exist.
    """
    return tuple(_with_heard(one, heard, onset_ms) for one in suspects)


def line_words(one: LineKind) -> str:
    """Return a kind of line in words: pages, messages and post-mortems all tell it in these."""
    return f"{one.service}: {_words(one)}"


def _words(one: LineKind) -> str:
    return kind_of_line(
        one.severity,
        one.text,
        new=one.new,
        since_ms=one.since_ms,
        count=one.count,
        before=one.before,
        among=one.among,
        before_ms=one.before_ms,
    )


def _with_heard(suspect: Suspect, heard: Heard, onset_ms: int) -> Suspect:
    own = [one for one in heard.kinds if one.service == suspect.service]
    errors = [one for one in own if _is_error(one.severity)]
    near = [one for one in errors if not one.new or one.since_ms <= onset_ms + SOON_MS]
    if near:
        return replace(suspect, reason=f"{suspect.reason}; in its log, {_words(near[0])}")
    spoken = heard.spoken.get(suspect.service, 0)
    if errors or not spoken:
        return suspect
    words = f"its {number(spoken)} log lines since have no error that is new or more frequent"
    return replace(suspect, against=(*suspect.against, words))


def _kind(one: ChangedPattern, changes: PatternChanges, *, new: bool) -> LineKind:
    before, _ = changes.lines.get(one.service, (0, 0))
    return LineKind(
        pattern=one.name,
        text=trimmed(one.text, MAX_TEXT, "…"),
        service=one.service,
        severity=band_of(one.severity).name.lower(),
        new=new,
        since_ms=one.first_ms if new else changes.start_ms,
        until_ms=changes.end_ms,
        count=one.count,
        before=one.before,
        among=before,
        before_ms=changes.start_ms - changes.before_ms,
        sample=trimmed(one.sample.body, MAX_SAMPLE, "…"),
        trace_id=one.sample.trace_id,
    )


def telling(one: LineKind, near: Collection[str]) -> tuple[bool, tuple[int, bool, int, str]]:
    """Return what kinds of lines are ranked by, those of services ``near`` first; less is more."""
    return one.service not in near, _rank(one)


def _rank(one: LineKind) -> tuple[int, bool, int, str]:
    return -_band(one.severity), not one.new, -one.count, one.pattern


def _band(severity: str) -> int:
    return int(Severity[severity.upper()])


def _is_error(severity: str) -> bool:
    return _band(severity) >= Severity.ERROR


def _tells(one: LineKind) -> bool:
    """Return whether a kind is worth telling: more of the usual lines is more traffic."""
    return one.new or _band(one.severity) >= Severity.WARN


def named_by(finding: Finding) -> frozenset[str]:
    """Return the services that a finding names."""
    named = {finding.scope.get(SERVICE, "")} - {""}
    for suspect in finding.suspects:
        named |= {suspect.service, *suspect.path, *suspect.felt_by}
    return frozenset(named)
