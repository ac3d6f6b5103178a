"""The changes nearest in time before something went wrong: candidates, never culprits.

That a change came shortly before proves nothing, and nothing here says so. What was done to the
same service comes first, then to a service that the traces make suspect, then within the same
region; elsewhere only when it was very near. Among equals the nearest in time comes first. Before
all of them come those whose diff holds what could have made this, see
:mod:`anomaly.evidence.suspicious_diffs`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol

from anomaly.evidence.accusing import accused
from anomaly.evidence.causes import SUSPECT, shares_of
from anomaly.evidence.line_kinds import Heard, with_heard
from anomaly.evidence.suspicious_diffs import suspicious
from anomaly.findings import Finding, NearChange, Relation, Suspect
from collectors.changes.change import SERVICE, Change
from collectors.errors import TocsinError
from collectors.model import Tags
from tocsin.client.wording import duration

REGION = "cloud.region"
MAX_CANDIDATES = 3
LOOK_BACK_MS = 3_600_000
LOOK_BACK_ELSEWHERE_MS = 600_000
LOOK_BACK_ALONE_MS = 600_000
NO_PROOF = "it came shortly before, which proves nothing, and nothing measured points there"

_ELSEWHERE = frozenset({Relation.OTHER_SERVICE, Relation.OTHER_REGION})
_ORDER = {relation: rank for rank, relation in enumerate(Relation)}


class ChangeFinder(Protocol):
    """Something that knows changes, such as the change store."""

    def between(self, start_ms: int, end_ms: int) -> Sequence[Change]:
        """Return the changes between two times, both included, oldest first."""
        ...


class NoChanges:
    """For when nobody announces changes."""

    def between(self, start_ms: int, end_ms: int) -> Sequence[Change]:
        """Return none."""
        del start_ms, end_ms
        return ()


def with_changes(finding: Finding, changes: ChangeFinder, step_ms: int) -> Finding:
    """Return ``finding`` with the changes that came before it.

    Args:
        finding: As the rule has written it, with what its traces make suspect.
        changes: Where to look.
        step_ms: Length of a step: an onset is not known more exactly than that.
    """
    start_ms, end_ms = finding.started_ms - LOOK_BACK_MS, finding.started_ms + step_ms
    try:
        known = changes.between(start_ms, end_ms)
    except TocsinError:
        return finding  # a page without its changes is better than none
    reasons = suspicious(known, finding)
    found = candidates(known, finding.scope, suspects_of(finding), finding.started_ms, reasons)
    return _with_changed(replace(finding, changes=found)) if found else finding


def _with_changed(finding: Finding) -> Finding:
    """Return ``finding``; what was changed is suspected when nothing else makes anybody suspect."""
    if any(one.against != (NO_PROOF,) for one in finding.suspects):
        return finding
    near = [
        change
        for change in finding.changes
        if change.service
        and change.relation not in _ELSEWHERE
        and change.before_ms <= LOOK_BACK_ALONE_MS
    ]
    services = list(dict.fromkeys(change.service for change in near))
    suspects = [
        Suspect(
            service=service,
            share=1.0 / len(services),
            reason=next(change_words(c, finding.started_ms) for c in near if c.service == service),
            against=(NO_PROOF,),
        )
        for service in services
    ]
    if not suspects:
        return finding
    heard = Heard(kinds=finding.lines)
    return accused(finding, with_heard(suspects, heard, finding.started_ms), "changes")


def candidates(
    changes: Sequence[Change],
    scope: Tags,
    suspects: Collection[str],
    onset_ms: int,
    reasons: Mapping[str, str] = MappingProxyType({}),
) -> tuple[NearChange, ...]:
    """Return the nearest changes, the most closely related first.

    Args:
        changes: Made before the onset, within the look-back.
        scope: Where it went wrong.
        suspects: Services that the traces point at.
        onset_ms: When it is thought to have begun, epoch milliseconds.
        reasons: What in a change could have made this, by its id.
    """
    near = [
        _near(change, relation_of(change, scope, suspects), onset_ms, reasons.get(change.id, ""))
        for change in changes
    ]
    kept = [
        change
        for change in near
        if change.why
        or change.relation not in _ELSEWHERE
        or change.before_ms <= LOOK_BACK_ELSEWHERE_MS
    ]
    kept.sort(key=lambda change: (*closeness(change), change.id))
    return tuple(kept[:MAX_CANDIDATES])


def closeness(change: NearChange) -> tuple[int, int, int]:
    """Return what changes are ranked by; less is closer.

    What its diff holds comes first, then how related it is, then how near in time.
    """
    return 0 if change.why else 1, _ORDER[change.relation], -change.time_ms


def relation_of(change: Change, scope: Tags, suspects: Collection[str]) -> Relation:
    """Return how the place of a change relates to the place where something is wrong."""
    region, here = change.scope.get(REGION), scope.get(REGION)
    if region and here and region != here:
        return Relation.OTHER_REGION
    service = change.service or change.scope.get(SERVICE, "")
    if service and service == scope.get(SERVICE):
        return Relation.SAME_SERVICE
    if service in suspects:
        return Relation.SUSPECT
    if service and scope.get(SERVICE):
        return Relation.OTHER_SERVICE
    return Relation.SAME_REGION if region and here else Relation.UNBOUND


def suspects_of(finding: Finding) -> frozenset[str]:
    """Return the services that the finding's traces make suspect."""
    return frozenset(name.removeprefix(SUSPECT) for name in shares_of(finding.values))


def distance(time_ms: int, onset_ms: int) -> str:
    """Return how long before an onset something was, in words.

    >>> distance(0, 90_000), distance(90_000, 90_000)
    ('1 min 30 s before the estimated onset', 'within the step of the estimated onset')
    """
    if time_ms >= onset_ms:
        return "within the step of the estimated onset"
    seconds = (onset_ms - time_ms) / 1_000
    words = duration(round(seconds)) if seconds >= 1 else "less than 1 s"
    return f"{words} before the estimated onset"


def change_words(change: NearChange, onset_ms: int) -> str:
    """Return what was changed, where and how near, which says nothing about causes."""
    where = [change.service, change.scope.get(REGION, "")]
    place = ", ".join([change.relation.value, *(name for name in where if name)])
    why = f"; in its diff {change.why}" if change.why else ""
    found = f"; compared with before, {change.compared}" if change.compared else ""
    return f"{change.summary} ({place}), {distance(change.time_ms, onset_ms)}{why}{found}"


def _near(change: Change, relation: Relation, onset_ms: int, why: str) -> NearChange:
    return NearChange(
        id=change.id,
        time_ms=change.time_ms,
        kind=change.kind,
        summary=change.summary,
        service=change.service,
        scope=dict(change.scope),
        url=change.url,
        relation=relation,
        before_ms=onset_ms - change.time_ms,
        why=why,
        compared=change.compared,
    )
