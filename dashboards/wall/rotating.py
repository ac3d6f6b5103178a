"""What the wall shows at a moment, and the words of each screen. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from dashboards.zone import clock
from tocsin.client.shapes import IncidentSummary, Slo
from tocsin.client.wording import duration, percent

TURN_MS = 12_000
"""How long each screen stands."""

_SHOWN = 6
_BURNING = "burning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """One screen.

    Attributes:
        headline: In the largest type.
        lines: Below it.
        wakes: Whether somebody must look now.
        place: Which of how many screens it is, such as ``2 of 3``.
    """

    headline: str
    lines: tuple[str, ...]
    wakes: bool
    place: str


def screen_at(
    incidents: Sequence[IncidentSummary],
    slos: Sequence[Slo] | None,
    now_ms: int,
) -> Screen:
    """Return the screen of a moment: the overview and each open incident in turn.

    Args:
        incidents: Those that are open, in any order.
        slos: The objectives; None: not known.
        now_ms: The present, epoch milliseconds.
    """
    ordered = sorted(incidents, key=lambda one: (one["severity"], -one["opened_ms"]))
    count = len(ordered) + 1
    turn = now_ms // TURN_MS % count
    wakes = any(one["acknowledged_ms"] is None for one in ordered)
    place = f"{turn + 1} of {count}"
    if turn == 0:
        return _overview(ordered, slos, wakes, place)
    return _incident(ordered[turn - 1], now_ms, place)


def _overview(
    incidents: Sequence[IncidentSummary], slos: Sequence[Slo] | None, wakes: bool, place: str
) -> Screen:
    lines = [f"{one['severity']} · {one['status']} · {one['title']}" for one in incidents[:_SHOWN]]
    if len(incidents) > _SHOWN:
        lines.append(f"and {len(incidents) - _SHOWN} more")
    lines.append(_objectives(slos))
    open_words = "1 incident is open" if len(incidents) == 1 else f"{len(incidents)} are open"
    headline = open_words if incidents else "All quiet"
    return Screen(headline=headline, lines=tuple(lines), wakes=wakes, place=place)


def _objectives(slos: Sequence[Slo] | None) -> str:
    if slos is None:
        return "Objectives: not known"
    if not slos:
        return "No objective is set"
    burning = [one for one in slos if one["state"] == _BURNING]
    if not burning:
        return f"None of {len(slos)} objectives burns"
    first = burning[0]
    left = percent(first["error_budget_remaining"])
    return f"{len(burning)} of {len(slos)} objectives burn: {first['display_name']}, {left} left"


def _incident(incident: IncidentSummary, now_ms: int, place: str) -> Screen:
    acknowledged = incident["acknowledged_ms"]
    taken = "NOBODY HAS ACKNOWLEDGED" if acknowledged is None else f"taken {clock(acknowledged)}"
    where = ", ".join(value for _, value in sorted(incident["scope"].items()))
    since = duration((now_ms - incident["opened_ms"]) // 1_000)
    lines = [f"{incident['severity']} · {incident['status']} · open for {since}", taken]
    return Screen(
        headline=incident["title"],
        lines=(*lines, *([where] if where else [])),
        wakes=acknowledged is None,
        place=place,
    )


def as_html(screen: Screen, told: str) -> str:
    """Return a screen as HTML; what others wrote is text in it.

    Args:
        screen: Which.
        told: When the data are from, or why they are old.
    """
    lines = "".join(f"<p>{escape(line)}</p>" for line in screen.lines)
    kind = "tocsin-wall tocsin-wakes" if screen.wakes else "tocsin-wall"
    return (
        f'<section class="{kind}" role="status"><h1>{escape(screen.headline)}</h1>{lines}'
        f"<footer>{escape(screen.place)} · {escape(told)}</footer></section>"
    )


STYLE = """<style>
.tocsin-wall{min-height:86vh;display:flex;flex-direction:column;justify-content:center;
  padding:2vw;border-radius:8px;font-variant-numeric:tabular-nums}
.tocsin-wall h1{font-size:clamp(2.5rem,7vw,9rem);line-height:1.1;margin:0 0 2vw}
.tocsin-wall p{font-size:clamp(1.3rem,3vw,4rem);line-height:1.3;margin:.4vw 0}
.tocsin-wall footer{font-size:clamp(1rem,1.4vw,2rem);opacity:.8;margin-top:2vw}
.tocsin-wakes{background:#A61B1B;color:#fff;animation:tocsin-wakes 2s ease-in-out infinite}
@keyframes tocsin-wakes{50%{background:#6E0F0F}}
@media (prefers-reduced-motion:reduce){.tocsin-wakes{animation:none}}
</style>"""
"""Large type has no place in the theme; whoever asks for less motion gets none."""
