"""A look in lines of text: what one print shows, and what the living screen is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from collectors.printable import printable
from tocsin.client.response.oncall_shapes import Oncall, Schedule
from tocsin.client.shapes import Finding, Incident, IncidentSummary, Slo
from tocsin.client.wording import (
    UNKNOWN,
    clock,
    duration,
    multiple,
    percent,
    quantity,
    scope,
    trimmed,
)
from tocsin.top.look import Look, Part, Signal
from tocsin.top.sparkline import sparkline

WIDTH, HEIGHT = 80, 24
"""Of a terminal as small as one gets."""

_SPARK = 30
_BAR = 8


def printed(look: Look, width: int = WIDTH, height: int = HEIGHT) -> list[str]:
    """Return the whole screen in at most ``height`` lines of ``width`` characters.

    Args:
        look: What is known.
        width: Characters of a line.
        height: Most lines; fewer than a small terminal's are taken for as many.
    """
    lines = [head_line(look)]
    for part in PARTS:
        lines += [part.title] if part.title else []
        lines += shown(part, look, height)
    return [clipped(line, width) for line in lines][: max(height, HEIGHT)]


def shown(part: PartOfScreen, look: Look, height: int) -> list[str]:
    """Return the lines of a part on a screen of ``height`` lines, the last says how many more."""
    rows = drawn(part.lines, look)
    most = part.rows + max(0, height - HEIGHT) // len(PARTS)
    if len(rows) <= most:
        return rows
    return [*rows[: most - 1], f"  {UNKNOWN} {len(rows) - most + 1} more"]


def drawn(lines: Callable[[Look], Iterable[str]], look: Look) -> list[str]:
    """Return the lines of a part; one that can't be drawn costs itself alone, and says why."""
    try:
        return [*lines(look)]
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        return [f"! can't be drawn: {type(error).__name__}: {error}"]


def head_line(look: Look) -> str:
    """Return whose screen it is, when, and whether it is well or away."""
    head = f"tocsin top  {look.url}  {clock(look.now_ms)}"
    if look.away:
        return f"AWAY  {head}  {age(look.health, look.now_ms)}"
    health = look.health.value
    if health is None:
        return f"{head}  {look.health.fault or 'nothing known yet'}"
    watch = health["watch"]
    late = f"  rules {duration(watch['lag_s'])} late" if watch["lag_s"] else ""
    return f"{head}  {'well' if health['status'] == 'ok' else health['status'].upper()}{late}"


def age(part: Part[Any], now_ms: int) -> str:
    """Say how old what is shown is."""
    if part.read_ms is None:
        return "no answer yet"
    return f"data {duration((now_ms - part.read_ms) / 1_000)} old"


def incident_lines(look: Look) -> Iterator[str]:
    """Yield a line for each open incident, the chosen one marked."""
    yield from _notice(look.incidents, look, "incidents")
    for one in look.incidents.value or ():
        mark = ">" if one["id"] == look.chosen else " "
        yield f"{mark} {' '.join(incident_cells(one))}"
    if look.incidents.value == []:
        yield "  none is open"


def incident_cells(one: IncidentSummary) -> list[str]:
    """Return an incident in cells: id, severity, status, for how long, what.

    With ``!`` before it nobody has acknowledged it.
    """
    taken = "" if one["acknowledged_ms"] is not None else "! "
    return [
        f"{one['id']:<9}",
        f"{one['severity']:<4}",
        f"{one['status']:<13}",
        f"{duration(one['elapsed_s']):>10}",
        f"{taken}{one['title']}",
    ]


def detail_lines(look: Look) -> Iterator[str]:
    """Yield what is known of the chosen incident: the sentence, who has it, what next."""
    one = look.incident.value
    if one is None:
        yield from _notice(look.incident, look, "incident") if look.chosen else ()
        return
    yield f"  {one['summary']}"
    yield f"  {who(one)}"
    for change in one["near_changes"][:1]:
        yield f"  nearest change: {change['text']}"
    if one["runbook"]:
        yield f"  runbook: {one['runbook']['title']} ({one['runbook']['why']})"


def who(one: Incident) -> str:
    """Say who has an incident, or who is on call for it."""
    roles = ", ".join(f"{role} {person}" for role, person in one["roles"].items())
    taken = f"acknowledged by {one['acknowledged_by']}" if one["acknowledged_by"] else ""
    parts = [taken or "nobody has acknowledged it", roles]
    parts += [] if taken else [one["on_call"] or ""]
    return "; ".join(filter(None, parts))


def objective_lines(look: Look) -> Iterator[str]:
    """Yield a line for each objective, those that burn first, with the budget that is left."""
    yield from _notice(look.slos, look, "objectives")
    for one in sorted(look.slos.value or (), key=_burns_first):
        left = one["error_budget_remaining"]
        where = f" {scope(one['scope'])}" if one["scope"] else ""
        burn = max((b["long"] for b in one["burn_rates"] if b["long"] is not None), default=None)
        state = "BURNS" if one["state"] == "burning" else one["state"]
        name = trimmed(f"{one['display_name']}{where}", 34, "…")
        yield f"  {name:<34} {state:<8} {multiple(burn):>8}  {bar(left)} {percent(left)} left"
    if look.slos.value == []:
        yield "  none: write one with `tocsin slo new`"


def _burns_first(one: Slo) -> tuple[bool, float]:
    left = one["error_budget_remaining"]
    return one["state"] != "burning", left if left is not None else 1.0


def bar(share: float | None, width: int = _BAR) -> str:
    """Draw a share of a whole; an unknown one as dots.

    >>> bar(0.5, 4), bar(-0.2, 4), bar(None, 4)
    ('██░░', '░░░░', '....')
    """
    if share is None:
        return "." * width
    full = round(min(1.0, max(0.0, share)) * width)
    return "█" * full + "░" * (width - full)


def signal_lines(look: Look) -> Iterator[str]:
    """Yield each signal as a sparkline with its newest value."""
    yield from _notice(look.signals, look, "signals")
    for one in look.signals.value or ():
        title = trimmed(one.title, 26, "…")
        yield f"  {title:<26} {sparkline(one.values, _SPARK):<{_SPARK}} {newest(one)}"


def newest(one: Signal) -> str:
    """Word the last value that was measured."""
    known = [value for value in one.values if value == value]
    return quantity(known[-1] if known else None, one.unit)


def finding_lines(look: Look) -> Iterator[str]:
    """Yield what fires, what pages first."""
    yield from _notice(look.findings, look, "findings")
    for one in sorted(look.findings.value or (), key=_pages_first):
        since = duration((look.now_ms - one["started_ms"]) / 1_000)
        yield f"  {one['urgency']:<6} {one['title']}, since {since}"
    if look.findings.value == []:
        yield "  nothing"


def _pages_first(one: Finding) -> tuple[bool, int]:
    return one["urgency"] != "page", -one["started_ms"]


def oncall_lines(look: Look) -> Iterator[str]:
    """Yield who has each schedule, until when, and who is next."""
    yield from _notice(look.oncall, look, "schedules")
    found: Oncall | None = look.oncall.value
    for one in found["schedules"] if found else ():
        yield f"  {_shift_words(one, look.now_ms)}"
    if found is not None and not found["schedules"]:
        yield "  no schedule: pages go to the channels of their routes"


def _shift_words(one: Schedule, now_ms: int) -> str:
    now = one["now"]
    name = one["title"] or one["name"]
    after_ms = now["end_ms"] if now else now_ms
    following = next((s for s in one["shifts"] if s["start_ms"] >= after_ms), None)
    then = f", next {following['name']}" if following else ""
    if now is None:
        return f"{name}: NOBODY{then}"
    left = duration((now["end_ms"] - now_ms) / 1_000)
    return f"{name}: {now['name']} for {left}{then}"


def clipped(line: str, width: int) -> str:
    """Return a line that commands no terminal and fits it, with a mark where it was cut.

    >>> clipped("abcdef", 4)
    'abc…'
    """
    return trimmed(printable(line.replace("\n", " "), kept=""), width, "…").rstrip()


def _notice(part: Part[Any], look: Look, what: str) -> Iterator[str]:
    """Yield what is wrong with a part: old, refused or not there yet."""
    if look.away and part.value is not None:
        return  # the head says so, once for all
    if part.fault:
        reason = "the server is away" if look.away else part.fault
        yield f"! {what}: {reason}, {age(part, look.now_ms)}"
    elif part.value is None:
        yield f"  {what}: asking …"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartOfScreen:
    """A part of the screen.

    Attributes:
        name: Which.
        title: Stands above it; "" for none.
        lines: Words it.
        rows: Most lines on the smallest screen; what is left of a larger one is shared out.
    """

    name: str
    title: str
    lines: Callable[[Look], Iterable[str]]
    rows: int


PARTS = (
    PartOfScreen(name="incidents", title="INCIDENTS", lines=incident_lines, rows=3),
    PartOfScreen(name="detail", title="", lines=detail_lines, rows=4),
    PartOfScreen(name="slos", title="OBJECTIVES", lines=objective_lines, rows=3),
    PartOfScreen(name="signals", title="SIGNALS, 30 MIN", lines=signal_lines, rows=3),
    PartOfScreen(name="findings", title="FIRING", lines=finding_lines, rows=3),
    PartOfScreen(name="oncall", title="ON CALL", lines=oncall_lines, rows=2),
)
"""The parts from top to bottom: 23 lines with their titles, and the head."""
