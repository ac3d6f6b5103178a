"""The life of an alert: idle, firing, frozen, resolved. Pure functions from state to state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from anomaly.findings import FindingState
from anomaly.slo.burn import Reading, Verdict


class Transition(StrEnum):
    """What an advance did to an alert."""

    NONE = "none"
    OPENED = "opened"
    UPDATED = "updated"
    FROZEN = "frozen"
    THAWED = "thawed"
    RESOLVED = "resolved"
    ENDED = "ended"
    """Given up: its series are gone for good, which is no recovery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """State of the alert of one group at one urgency.

    Attributes:
        state: None while idle.
        opened_ms: When it fired.
        clean_since_ms: Since when nothing is over its limit; None while something is.
        blind_since_ms: Since when the windows can't be read; None while they can.
        hold_ms: How long it must stay clean to resolve: the longest short window that fired.
        ended_ms: When the last alert ended; 0 if there was none.
        silent: Why something that burns does not fire; empty when nothing is held back.
        burning_since: Since when each pair burns that must do so for a while before it fires.
    """

    state: FindingState | None = None
    opened_ms: int = 0
    clean_since_ms: int | None = None
    blind_since_ms: int | None = None
    hold_ms: int = 0
    ended_ms: int = 0
    silent: str = ""
    burning_since: tuple[tuple[str, int], ...] = ()


def advance(
    alert: Alert,
    readings: Sequence[Reading],
    now_ms: int,
    *,
    min_hold_ms: int,
    covered: str = "",
    alone: bool = False,
    present: bool = False,
) -> tuple[Alert, Transition]:
    """Return the next state and what that did.

    Args:
        alert: State before.
        readings: The pairs of this alert's urgency.
        now_ms: End of the step just read.
        min_hold_ms: Shortest time to stay clean before resolving, and to be blind before freezing.
        covered: Why a new alert need not open (a more urgent one tells the same); empty if none.
        alone: Whether this group is silent while others of the objective are measured: what has
            left all windows then is gone, as an instance that was scaled down is.
        present: Whether this group has been measured itself just now: a window without events is
            idle then and says nothing either way. Else it is blind.
    """
    if present:
        told = [r for r in readings if r.verdict is not Verdict.NO_DATA]
        if not told and alert.state is FindingState.FIRING:
            return alert, Transition.UPDATED  # neither worse nor better: nothing happened
        readings = told or readings
    burning = [r for r in readings if r.verdict is Verdict.BURNING]
    if alert.state is None:
        return _idle(alert, readings, burning, now_ms, min_hold_ms, covered)
    if burning:
        longest = max(_hold_ms(r, min_hold_ms) for r in burning)
        thawed = alert.state is FindingState.FROZEN
        quiet = alert.clean_since_ms is None and alert.blind_since_ms is None
        if quiet and not thawed and alert.hold_ms >= longest:
            return alert, Transition.UPDATED  # nothing to note, which is so nearly always
        alert = replace(
            alert,
            state=FindingState.FIRING,
            clean_since_ms=None,
            blind_since_ms=None,
            hold_ms=max(alert.hold_ms, longest),
        )
        return alert, Transition.THAWED if thawed else Transition.UPDATED
    if alone and alert.state is FindingState.FROZEN and all(r.long_total <= 0 for r in readings):
        return Alert(ended_ms=now_ms), Transition.ENDED
    return _fading(alert, readings, now_ms, min_hold_ms)


def _hold_ms(reading: Reading, min_hold_ms: int) -> int:
    return max(min_hold_ms, round(reading.tier.short_s * 1_000))


def _idle(
    alert: Alert,
    readings: Sequence[Reading],
    burning: Sequence[Reading],
    now_ms: int,
    min_hold_ms: int,
    covered: str,
) -> tuple[Alert, Transition]:
    known = dict(alert.burning_since)
    waiting = tuple(
        (r.tier.name, known.get(r.tier.name, now_ms)) for r in burning if r.tier.after_s
    )
    since = dict(waiting)
    due = [
        r
        for r in burning
        if now_ms - since.get(r.tier.name, now_ms) >= round(r.tier.after_s * 1_000)
    ]
    if due and not covered:
        opened = Alert(
            state=FindingState.FIRING,
            opened_ms=now_ms,
            hold_ms=max(_hold_ms(r, min_hold_ms) for r in burning),
            ended_ms=alert.ended_ms,
        )
        return opened, Transition.OPENED
    silent = _held_back(readings)
    if burning:
        silent = covered if due else f"{burning[0].tier.name}: waits whether it lasts"
    return replace(alert, silent=silent, burning_since=waiting), Transition.NONE


def _held_back(readings: Sequence[Reading]) -> str:
    for reading in readings:
        if reading.verdict.over:
            return f"{reading.tier.name}: {reading.verdict}"
    return ""


def _fading(
    alert: Alert, readings: Sequence[Reading], now_ms: int, min_hold_ms: int
) -> tuple[Alert, Transition]:
    """Nothing burns for certain: the data are gone, a guard speaks, or it is getting better."""
    if any(r.verdict is Verdict.NO_DATA for r in readings):
        since = alert.blind_since_ms or now_ms
        frozen = now_ms - since >= min_hold_ms
        transition = Transition.NONE
        if frozen and alert.state is not FindingState.FROZEN:
            transition = Transition.FROZEN
        state = FindingState.FROZEN if frozen else alert.state
        return replace(alert, state=state, blind_since_ms=since, clean_since_ms=None), transition
    thawed = alert.state is FindingState.FROZEN
    alert = replace(alert, state=FindingState.FIRING, blind_since_ms=None)
    if any(r.verdict.over for r in readings):
        return replace(alert, clean_since_ms=None), Transition.UPDATED
    since = alert.clean_since_ms or now_ms
    if now_ms - since >= alert.hold_ms:
        ended = Alert(ended_ms=since)
        return ended, Transition.RESOLVED
    alert = replace(alert, clean_since_ms=since)
    return alert, Transition.THAWED if thawed else Transition.UPDATED
