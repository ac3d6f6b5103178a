"""Findings that would ring and are held back, until nothing holds them any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from anomaly.findings import Finding
from runbooks.alerts.labels import labels_of
from runbooks.alerts.matchers import Labels
from runbooks.alerts.muting import Held, Muting

LOOK_EVERY_MS = 1_000
MAX_FOLDED = 25
"""Findings held back under an incident that its record names; of all others decisions tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A finding that is held back, and why."""

    finding: Finding
    labels: Labels
    held: Held


class HeldBack:
    """Keeps them in memory; one thread at a time. After a start the engine tells of them again.

    Args:
        muting: Says what is held back.
    """

    def __init__(self, muting: Muting) -> None:
        self._muting = muting
        self._kept: dict[str, Kept] = {}
        self._folded: dict[str, str] = {}
        self._looked_ms: int | None = None

    def kept(self) -> dict[str, Kept]:
        """Return all of them, by id."""
        return self._kept.copy()

    def restore(self, kept: Mapping[str, Kept]) -> None:
        """Go back to what there was: what was just done was taken back."""
        self._kept = {**kept}

    def before(self, finding: Finding) -> Held | None:
        """Return why a finding was held back so far."""
        kept = self._kept.get(finding.id)
        return None if kept is None else kept.held

    def hold(self, finding: Finding) -> Held | None:
        """Keep a finding if something holds it back now; return what does."""
        labels = labels_of(finding)
        held = self._muting.verdict(finding, labels)
        if held is None:
            self.let_go(finding)
            return None
        self._kept[finding.id] = Kept(finding=finding, labels=labels, held=held)
        return held

    def let_go(self, finding: Finding) -> None:
        """Forget a finding: it is over, or taken in."""
        self._kept.pop(finding.id, None)
        self._folded.pop(finding.id, None)

    def released(self, now_ms: int) -> list[Finding]:
        """Return what nothing holds back any more; again until it is taken in."""
        if self._looked_ms is not None and 0 <= now_ms - self._looked_ms < LOOK_EVERY_MS:
            return []
        self._looked_ms = now_ms
        return [
            kept.finding
            for kept in self._kept.values()
            if not self._muting.holds(kept.held, kept.finding, kept.labels)
        ]

    def to_fold(self, owner: Callable[[str], str | None]) -> list[tuple[str, Finding, Held]]:
        """Return what is held back by what an incident has, and not on that one's record yet.

        Args:
            owner: Returns the incident that has a finding, by the finding's id.
        """
        found: list[tuple[str, Finding, Held]] = []
        counts = Counter(self._folded.values())
        for kept in self._kept.values():
            source = kept.held.source
            incident_id = owner(source) if source else None
            if incident_id is None or kept.finding.id in self._folded:
                continue
            counts[incident_id] += 1
            if counts[incident_id] <= MAX_FOLDED:
                found.append((incident_id, kept.finding, kept.held))
        return found

    def folded(self, finding: Finding, incident_id: str) -> None:
        """Take note that a finding is on the record of an incident."""
        self._folded[finding.id] = incident_id
