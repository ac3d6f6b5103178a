"""What keeps a finding from ringing: inhibition, maintenance, silences; each with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from anomaly.findings import Finding
from collectors.clock import Clock
from runbooks.alerts.inhibition import Inhibition
from runbooks.alerts.labels import is_own, labels_of, still_pages
from runbooks.alerts.matchers import Labels
from runbooks.alerts.rules import AlertRules
from runbooks.alerts.silences import Silences
from runbooks.incidents.incident import Incident
from tocsin.client.wording import moment


class Stage(StrEnum):
    """Which stage held it back, in the order in which they are asked."""

    INHIBITION = "inhibition"
    MAINTENANCE = "maintenance"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Why a finding rings nobody.

    Attributes:
        stage: Which stage said so.
        by: Id of the silence, name of the window or the rule.
        reason: For people.
        source: The finding that inhibits it, by id; empty: none does.
    """

    stage: Stage
    by: str
    reason: str
    source: str = ""


class Muting:
    """Asks every stage in turn; may be used by several threads.

    Args:
        silences: All of them.
        clock: The present.
    """

    def __init__(self, silences: Silences, clock: Clock) -> None:
        self.silences = silences
        self.rules = AlertRules()
        self._inhibition = Inhibition()
        self._clock = clock

    def use(self, rules: AlertRules, firing: Sequence[Finding]) -> None:
        """Go by other rules, with what fires now."""
        self._inhibition = Inhibition(rules.inhibit, firing)
        self.rules = rules

    def note(self, finding: Finding) -> None:
        """Take note of a finding that is new or has changed, before anything is asked of it."""
        self._inhibition.note(finding)

    def verdict(
        self, finding: Finding, labels: Labels | None = None, at_ms: int | None = None
    ) -> Held | None:
        """Return what holds a finding back, None if nothing does.

        Args:
            finding: The finding.
            labels: Its labels, where they are known already.
            at_ms: When, epoch milliseconds; now if None. What inhibits is always what fires now.
        """
        at_ms = self._clock.now_ms() if at_ms is None else at_ms
        labels = labels if labels is not None else labels_of(finding)
        return (
            self._inhibited(finding, labels)
            or self._in_maintenance(finding, labels, at_ms)
            or self._silenced(finding, labels, at_ms)
        )

    def holds(self, held: Held, finding: Finding, labels: Labels) -> bool:
        """Whether a finding that was held back still is, be it by something else."""
        # The matchers of a silence never change: as long as it is active it holds what it held.
        if held.stage is Stage.SILENCE and self.silences.is_active(held.by):
            return True
        return self.verdict(finding, labels) is not None

    def withheld(self, incident: Incident) -> str:
        """Return why an incident must not ring now: all that pages in it is held back."""
        paging = [finding for finding in incident.findings.values() if still_pages(finding)]
        if not paging or incident.more_firing:
            return ""
        reasons: dict[str, None] = {}
        for finding in paging:
            held = self.verdict(finding)
            if held is None:
                return ""
            reasons[held.reason] = None
        return "; ".join(reasons)

    def _inhibited(self, finding: Finding, labels: Labels) -> Held | None:
        found = None if is_own(finding) else self._inhibition.verdict(finding, labels)
        if found is None:
            return None
        return Held(
            stage=Stage.INHIBITION,
            by=found.rule,
            reason=f"inhibited by {found.rule!r} while this fires: {found.source.title}",
            source=found.source.id,
        )

    def _in_maintenance(self, finding: Finding, labels: Labels, at_ms: int) -> Held | None:
        own = is_own(finding)
        for window in self.rules.windows:
            if window.holds(at_ms, self.rules.intervals) and window.matches(labels, own=own):
                reason = f"in maintenance {window.name!r}: {window.reason}"
                return Held(stage=Stage.MAINTENANCE, by=window.name, reason=reason)
        return None

    def _silenced(self, finding: Finding, labels: Labels, at_ms: int) -> Held | None:
        own = is_own(finding)
        for silence in self.silences.active(at_ms):
            if silence.matches(labels, own=own):
                until = moment(silence.ends_ms)
                return Held(
                    stage=Stage.SILENCE,
                    by=silence.id,
                    reason=f"silenced by {silence.id} until {until} ({silence})",
                )
        return None
