"""Deployments, compared with what ran before without anybody asking.

A version of a service that spans have not shown before is a deployment, announced or not; one that
nobody announced is noted as a change. Every change of a service is then compared: what it was asked
for before, against what it is asked for since, some minutes after and again later. What comes of it
stands on the change, for whoever is woken and asks what was done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import structlog

from anomaly.canary.score import CanaryResult, Verdict
from anomaly.canary.span_samples import SpanFinder, asked, judged, sample, version_of
from collectors.changes.change import SERVICE, Change
from collectors.clock import Clock
from collectors.errors import StorageError
from collectors.model import Span

AGES_MS = (60_000, 180_000, 600_000, 1_800_000)
"""How long after a change it is compared, each time with all that came since."""
BEFORE_MS = 1_800_000
LOOK_MS = 60_000
SAME_MS = 900_000
"""A change of a service announced this near to the first span of a version is its deployment."""
MAX_SPANS = 5_000
MAX_SERVICES = 200
MAX_VERSIONS = 50
MAX_WORDS = 400
_log = structlog.get_logger(__name__)


class ChangeKeeper(Protocol):
    """Something that keeps changes, such as the change store."""

    def add(self, changes: Sequence[Change]) -> int:
        """Keep changes, or what is new about known ones."""
        ...

    def between(self, start_ms: int, end_ms: int) -> list[Change]:
        """Return the changes between two times, oldest first."""
        ...


class Deployments:
    """Looks for new versions and compares changes, a turn at a time.

    Args:
        spans: What services were asked for.
        changes: Where changes are, and what comes of them is kept.
        clock: The present.
    """

    def __init__(self, spans: SpanFinder, changes: ChangeKeeper, clock: Clock) -> None:
        self._spans = spans
        self._changes = changes
        self._clock = clock
        self._versions: dict[str, dict[str, int]] = {}
        self._compared: dict[str, int] = {}

    def turn(self) -> None:
        """Look once. A store that can't keep what was found is asked again in the next turn."""
        now_ms = self._clock.now_ms()
        services = self._spans.services()[:MAX_SERVICES]
        try:
            for service in services:
                self._look(service, now_ms)
            known = set(services)
            for change in self._changes.between(now_ms - AGES_MS[-1] - BEFORE_MS, now_ms):
                if change.service in known:
                    self._compare(change, now_ms)
        except StorageError as error:
            _log.warning("comparison of deployments not kept", reason=error.message)
        self._forget(now_ms)

    def _look(self, service: str, now_ms: int) -> None:
        """Note versions of a service that are new; of one that is new itself, all are old."""
        first = service not in self._versions
        look_ms = BEFORE_MS if first else LOOK_MS
        found = self._spans.spans_of(service, now_ms - look_ms, now_ms, MAX_SPANS)
        known = self._versions.setdefault(service, {})
        begun: dict[str, int] = {}
        for span in found:
            version = version_of(span)
            if version:
                at_ms = span.start_ns // 1_000_000
                begun[version] = min(at_ms, begun.get(version, at_ms))
        oldest = min(begun.values(), default=0)
        for version, at_ms in sorted(begun.items(), key=lambda one: one[1]):
            others = [one for one in known if one != version]
            # At the first look what was there at its beginning is no news.
            news = not first or at_ms > oldest + LOOK_MS
            if version not in known and others and news:
                self._note(service, version, others[-1], at_ms)
            known.pop(version, None)
            known[version] = now_ms
        while len(known) > MAX_VERSIONS:
            del known[next(iter(known))]

    def _note(self, service: str, version: str, before: str, at_ms: int) -> None:
        """Keep a deployment that nobody announced."""
        for change in self._changes.between(at_ms - SAME_MS, at_ms + SAME_MS):
            if service in (change.service, change.scope.get(SERVICE)):
                return
        self._changes.add(
            [
                Change(
                    id=f"seen/{service}/{version}/{at_ms // 60_000}",
                    time_ms=at_ms,
                    kind="deploy",
                    summary=f"{service} {version} seen in spans, after {before}"[:500],
                    service=service,
                    scope={SERVICE: service},
                )
            ]
        )

    def _compare(self, change: Change, now_ms: int) -> None:
        age_ms = now_ms - change.time_ms
        due = sum(age_ms >= after for after in AGES_MS)
        if due <= self._compared.get(change.id, 0):
            return
        self._compared[change.id] = due
        result = compared(change, self._spans, now_ms)
        if result.verdict is Verdict.NODATA and due < len(AGES_MS) - 1:
            return  # too early to say that nothing could be measured
        words = f"{result.verdict.value}: {result.reason}"
        self._changes.add([replace(change, compared=words[:MAX_WORDS], compared_ms=now_ms)])

    def _forget(self, now_ms: int) -> None:
        """Forget comparisons of changes that are no longer due any."""
        if len(self._compared) > 10_000:
            kept = self._changes.between(now_ms - AGES_MS[-1] - BEFORE_MS, now_ms)
            ids = {change.id for change in kept}
            self._compared = {i: n for i, n in self._compared.items() if i in ids}


def compared(change: Change, spans: SpanFinder, now_ms: int) -> CanaryResult:
    """Return how a service does since a change, against what it did before.

    Spans of a version that ran before are left out of what came since, and the other way round:
    while a deployment rolls out, both run.
    """
    begun_ms = change.time_ms
    before = asked(spans.spans_of(change.service, begun_ms - BEFORE_MS, begun_ms - 1, MAX_SPANS))
    since = asked(spans.spans_of(change.service, begun_ms, now_ms, MAX_SPANS))
    old = {version_of(span) for span in before}
    new = [span for span in since if version_of(span) not in old]
    return judged(sample(before), sample(_enough(new, since)))


def _enough(new: Sequence[Span], since: Sequence[Span]) -> Sequence[Span]:
    """Return spans of new versions; all since, when the change brought no new one."""
    return new or since
