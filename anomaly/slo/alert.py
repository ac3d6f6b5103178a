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
    """

    state: FindingState | None = None
    opened_ms: int = 0
    clean_since_ms: int | None = None
    blind_since_ms: int | None = None
    hold_ms: int = 0
    ended_ms: int = 0
    silent: str = ""


def advance(
    alert: Alert, readings: Sequence[Reading], now_ms: int, *, min_hold_ms: int, covered: str = ""
) -> tuple[Alert, Transition]:
    """Return the next state and what that did.

    Args:
        alert: State before.
        readings: The pairs of this alert's urgency.
        now_ms: End of the step just read.
        min_hold_ms: Shortest time to stay clean before resolving, and to be blind before freezing.
        covered: Why a new alert need not open (a more urgent one tells the same); empty if none.
    """
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
    if burning and not covered:
        opened = Alert(
            state=FindingState.FIRING,
            opened_ms=now_ms,
            hold_ms=max(_hold_ms(r, min_hold_ms) for r in burning),
            ended_ms=alert.ended_ms,
        )
        return opened, Transition.OPENED
    return replace(alert, silent=covered if burning else _held_back(readings)), Transition.NONE


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
